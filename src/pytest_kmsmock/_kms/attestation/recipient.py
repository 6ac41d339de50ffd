"""The `Recipient` parameter: answers that only a Nitro enclave can read. What `recipient` knows, as KMS answers it.

Source: Developer Guide, "How AWS Nitro Enclaves uses AWS KMS"
(https://docs.aws.amazon.com/kms/latest/developerguide/services-nitro-enclaves.html).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.call.operation import Call, Result

if TYPE_CHECKING:
    from .document import Attestation


_READ = "attestation"  # the call's note


def read_recipient(call: Call) -> Attestation | None:
    """Return the attestation document of a request, read once; None if the request has none.

    Raises:
        KmsError: `ValidationException` for a document that is none.
        MissingExtra: without the extra `nitro`.
    """
    given = call.params.get("Recipient")
    if given is None:
        return None
    if _READ in call.notes:
        known: Attestation = call.notes[_READ]
        return known
    from .document import InvalidAttestation, parse_attestation  # only who uses enclaves needs its packages

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
    """Return the members that stand in place of a plaintext when the request has a recipient."""
    from .document import encrypt_for_recipient

    return {"CiphertextForRecipient": encrypt_for_recipient(attestation, plaintext)}
