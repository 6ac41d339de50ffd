"""GetPublicKey."""

from __future__ import annotations

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.api.key_specs import ALGORITHMS_FIELD
from pytest_kmsmock._kms.call.operation import Call, Result, operation
from pytest_kmsmock._kms.operations.targets import key
from pytest_kmsmock._kms.rules.key_states import SHOWS_PUBLIC_KEY
from pytest_kmsmock._kms.rules.key_use import current_material


@operation(
    "GetPublicKey", targets=[key(aliases=True)], states=SHOWS_PUBLIC_KEY, grantable=True, cross_account=True
)  # fmt: skip
def get_public_key(call: Call) -> Result:
    """Return the public key of an asymmetric key, with its key usage and algorithms.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_GetPublicKey.html
    """
    spec, usage = call.key.spec, call.key.usage
    if spec.key_type != "asymmetric":
        raise errors.UNSUPPORTED_WITHOUT_MESSAGE()
    return {
        "KeyId": call.key.arn,
        "PublicKey": current_material(call.key).public_key_der(),
        "CustomerMasterKeySpec": spec.name,  # also specs that this deprecated enum lacks
        "KeySpec": spec.name,
        "KeyUsage": usage,
        ALGORITHMS_FIELD[usage]: list(spec.usages[usage]),
    }
