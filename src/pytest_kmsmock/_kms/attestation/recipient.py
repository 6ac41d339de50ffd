"""The `Recipient` parameter of operations: responses that only the attested environment can decrypt.

Source: Developer Guide, "How AWS Nitro Enclaves uses AWS KMS"
(https://docs.aws.amazon.com/kms/latest/developerguide/services-nitro-enclaves.html).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.call.operation import Call, Result

if TYPE_CHECKING:
    from .document import Attestation


_READ = "attestation"  # in the call's notes


def read_recipient(call: Call) -> Attestation | None:
    """Return the parsed attestation document of a request, cached per call; None without one.

    Raises:
        KmsError: `ValidationException` for an invalid document.
        MissingExtra: without the extra `nitro`.
    """
    given = call.params.get("Recipient")
    if given is None:
        return None
    if _READ in call.notes:
        known: Attestation = call.notes[_READ]
        return known
    from .document import InvalidAttestation, parse_attestation  # imported here, for enclaves only

    for parameter in ("AttestationDocument", "KeyEncryptionAlgorithm"):
        label = parameter[0].lower() + parameter[1:]
        if parameter not in given:
            raise errors.MISSING(parameter=f"recipient.{label}")
    try:
        attestation = parse_attestation(given["AttestationDocument"], at=call.now)
    except InvalidAttestation as invalid:
        raise errors.INVALID(reason=str(invalid)) from None
    call.notes[_READ] = attestation
    return attestation


def for_recipient(attestation: Attestation, plaintext: bytes) -> Result:
    """Return the response fields that replace the plaintext for a recipient."""
    from .document import encrypt_for_recipient

    return {"CiphertextForRecipient": encrypt_for_recipient(attestation, plaintext)}
