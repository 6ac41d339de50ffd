"""Encapsulate and Decapsulate."""

from __future__ import annotations

import functools

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.call.operation import Call, Result, operation
from pytest_kmsmock._kms.crypto import DecryptionFailed
from pytest_kmsmock._kms.operations.targets import key
from pytest_kmsmock._kms.rules.key_states import USES_MATERIAL
from pytest_kmsmock._kms.rules.key_use import check_algorithm, current_material

_uses_encapsulation_key = functools.partial(
    operation, targets=[key(aliases=True)], states=USES_MATERIAL, usage="ENCAPSULATE_DECAPSULATE",
    grantable=True, cross_account=True, cryptographic=True,
)  # fmt: skip


@_uses_encapsulation_key("Encapsulate")
def encapsulate(call: Call) -> Result:
    """Generate a shared secret of 32 bytes, in plaintext and encapsulated.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_Encapsulate.html
    """
    algorithm = call.params["EncapsulationAlgorithm"]
    check_algorithm(call.key, algorithm)
    call.stop_if_dry_run()
    secret, ciphertext = current_material(call.key).encapsulate()
    return {
        "KeyId": call.key.arn,
        "SharedSecret": secret,
        "SharedSecretCiphertextBlob": ciphertext,
        "EncapsulationAlgorithm": algorithm,
    }


@_uses_encapsulation_key("Decapsulate")
def decapsulate(call: Call) -> Result:
    """Decapsulate a shared secret.

    A modified ciphertext, or one of another key, yields another secret and no error (implicit rejection).

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_Decapsulate.html
    """
    algorithm = call.params["EncapsulationAlgorithm"]
    check_algorithm(call.key, algorithm)
    try:
        secret = current_material(call.key).decapsulate(call.params["SharedSecretCiphertextBlob"])
    except DecryptionFailed:
        raise errors.INVALID_CIPHERTEXT() from None
    call.stop_if_dry_run()
    return {"KeyId": call.key.arn, "SharedSecret": secret, "EncapsulationAlgorithm": algorithm}
