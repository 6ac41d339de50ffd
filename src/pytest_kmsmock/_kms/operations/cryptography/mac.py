"""GenerateMac and VerifyMac."""

from __future__ import annotations

import functools
import hmac

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.call.operation import Call, Result, operation
from pytest_kmsmock._kms.operations.targets import key
from pytest_kmsmock._kms.rules.key_states import USES_MATERIAL
from pytest_kmsmock._kms.rules.key_use import check_algorithm, current_material

_uses_mac_key = functools.partial(
    operation, targets=[key(aliases=True)], states=USES_MATERIAL, usage="GENERATE_VERIFY_MAC",
    grantable=True, cross_account=True, cryptographic=True,
)  # fmt: skip


@_uses_mac_key("GenerateMac")
def generate_mac(call: Call) -> Result:
    """Return the HMAC of a message of up to 4,096 bytes.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateMac.html
    """
    algorithm = call.params["MacAlgorithm"]
    check_algorithm(call.key, algorithm)
    call.stop_if_dry_run()
    mac = current_material(call.key).mac(algorithm, call.params["Message"])
    return {"Mac": mac, "MacAlgorithm": algorithm, "KeyId": call.key.arn}


@_uses_mac_key("VerifyMac")
def verify_mac(call: Call) -> Result:
    """Verify an HMAC. An invalid or truncated HMAC is an error, never `MacValid: false`.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_VerifyMac.html
    """
    algorithm = call.params["MacAlgorithm"]
    check_algorithm(call.key, algorithm)
    if not hmac.compare_digest(current_material(call.key).mac(algorithm, call.params["Message"]), call.params["Mac"]):
        raise errors.INVALID_MAC()
    call.stop_if_dry_run()
    return {"KeyId": call.key.arn, "MacValid": True, "MacAlgorithm": algorithm}
