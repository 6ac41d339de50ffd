"""DeriveSharedSecret."""

from __future__ import annotations

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.attestation.recipient import for_recipient, read_recipient
from pytest_kmsmock._kms.call.operation import Call, Result, operation
from pytest_kmsmock._kms.crypto import InvalidPeerKey
from pytest_kmsmock._kms.operations.targets import key
from pytest_kmsmock._kms.rules.key_states import USES_MATERIAL
from pytest_kmsmock._kms.rules.key_use import check_algorithm, current_material


@operation(
    "DeriveSharedSecret", targets=[key(aliases=True)], states=USES_MATERIAL, usage="KEY_AGREEMENT",
    grantable=True, cross_account=True, cryptographic=True,
)  # fmt: skip
def derive_shared_secret(call: Call) -> Result:
    """Derive the raw ECDH secret of the key and the peer's public key in the request.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_DeriveSharedSecret.html
    """
    algorithm = call.params["KeyAgreementAlgorithm"]
    check_algorithm(call.key, algorithm)
    recipient = read_recipient(call)
    try:
        secret = current_material(call.key).derive(call.params["PublicKey"])
    except InvalidPeerKey:
        raise errors.INVALID_PEER_KEY() from None
    call.stop_if_dry_run()
    result: Result = {"KeyId": call.key.arn}
    result |= {"SharedSecret": secret} if recipient is None else for_recipient(recipient, secret)
    return result | {"KeyAgreementAlgorithm": algorithm, "KeyOrigin": call.key.origin}
