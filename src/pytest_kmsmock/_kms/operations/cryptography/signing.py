"""Sign and Verify."""

from __future__ import annotations

import functools

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.api.key_specs import SIGNING_ALGORITHMS
from pytest_kmsmock._kms.call.operation import Call, Result, operation
from pytest_kmsmock._kms.operations.targets import key
from pytest_kmsmock._kms.rules.key_states import USES_MATERIAL
from pytest_kmsmock._kms.rules.key_use import check_algorithm, current_material
from pytest_kmsmock._kms.state.records import Key

_RAW = "RAW"

_uses_signing_key = functools.partial(
    operation, targets=[key(aliases=True)], states=USES_MATERIAL, usage="SIGN_VERIFY",
    grantable=True, cross_account=True, cryptographic=True,
)  # fmt: skip


@_uses_signing_key("Sign")
def sign(call: Call) -> Result:
    """Sign a message of up to 4,096 bytes, or a digest.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html
    """
    key = call.key
    algorithm, message, message_type = _read_message(call, key)
    call.stop_if_dry_run()
    signature = current_material(key).sign(algorithm, message, message_type, call.service.random)
    return {"KeyId": key.arn, "Signature": signature, "SigningAlgorithm": algorithm}


@_uses_signing_key("Verify")
def verify(call: Call) -> Result:
    """Verify a signature. An invalid signature is an error, never `SignatureValid: false`.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_Verify.html
    """
    key = call.key
    algorithm, message, message_type = _read_message(call, key)
    if not current_material(key).verify(algorithm, message, message_type, call.params["Signature"]):
        raise errors.INVALID_SIGNATURE()
    call.stop_if_dry_run()
    return {"KeyId": key.arn, "SignatureValid": True, "SigningAlgorithm": algorithm}


def _read_message(call: Call, key: Key) -> tuple[str, bytes, str]:
    """Check algorithm, message and message type, and return them.

    Raises:
        KmsError: `InvalidKeyUsageException` for an algorithm that the key does not support, `ValidationException` for a
            message type that the algorithm does not support, or for the wrong length of a digest.
    """
    name, message, message_type = (
        call.params["SigningAlgorithm"],
        call.params["Message"],
        call.params.get("MessageType", _RAW),
    )
    check_algorithm(key, name)
    spec, accepted = key.spec, SIGNING_ALGORITHMS[name].message_types
    if message_type not in accepted:
        # AWS's message has the algorithm if another algorithm of the key supports the type (Ed25519), else the spec.
        if any(message_type in SIGNING_ALGORITHMS[other].message_types for other in spec.usages[key.usage]):
            raise errors.MESSAGE_TYPE_NOT_FOR_ALGORITHM(message_type=message_type, algorithm=name)
        raise errors.MESSAGE_TYPE_NOT_FOR_SPEC(message_type=message_type, spec=spec.name)
    length = accepted[message_type]
    if length is not None and len(message) != length:
        wrong = errors.EXTERNAL_MU_LENGTH if message_type == "EXTERNAL_MU" else errors.DIGEST_LENGTH
        raise wrong(algorithm=name)
    return name, message, message_type
