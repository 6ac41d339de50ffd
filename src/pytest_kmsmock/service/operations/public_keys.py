"""GetPublicKey."""

from __future__ import annotations

from .. import errors
from ..key_states import USES_MATERIAL
from ..key_use import secret_of
from ..operation import Call, Result, operation
from ..specs import ALGORITHM_MEMBER
from ..targets import key


@operation(
    "GetPublicKey", targets=[key(aliases=True)], states=USES_MATERIAL, grantable=True, cross_account=True
)  # fmt: skip
def get_public_key(call: Call) -> Result:
    """Return the public key of an asymmetric key, with what it may be used for.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_GetPublicKey.html
    """
    spec, usage = call.key.spec, call.key.usage
    if spec.key_type != "asymmetric":
        raise errors.UNSUPPORTED_SILENTLY()
    return {
        "KeyId": call.key.arn,
        "PublicKey": secret_of(call.key).public_key_der(),
        "CustomerMasterKeySpec": spec.name,  # every spec, also those that the deprecated enumeration lacks
        "KeySpec": spec.name,
        "KeyUsage": usage,
        ALGORITHM_MEMBER[usage]: list(spec.usages[usage]),
    }
