"""Wrapping of key material for import: supported wrapping algorithms, and unwrapping.

Source: Developer Guide, "Select a wrapping algorithm"
(https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-get-public-key-and-token.html).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.api.key_specs import KEY_SPECS
from pytest_kmsmock._kms.crypto import DecryptionFailed, load

if TYPE_CHECKING:
    from pytest_kmsmock._kms.api.key_specs import KeySpec
    from pytest_kmsmock._kms.crypto import Material
    from pytest_kmsmock._kms.entropy.key_source import KeySource

_OAEP = ("RSAES_OAEP_SHA_256", "RSAES_OAEP_SHA_1")
_KEY_WRAP = ("RSA_AES_KEY_WRAP_SHA_256", "RSA_AES_KEY_WRAP_SHA_1")
_SM2, _SM2_SPEC = "SM2PKE", "SM2"

#: Key family of the wrapped material -> supported wrapping algorithms. Keys of other families cannot have imported
#: material.
_ALGORITHMS: Mapping[str, tuple[str, ...]] = {
    "aes": _OAEP,
    "hmac": _OAEP,
    "rsa": (*_KEY_WRAP, _SM2),
    "ec": (*_KEY_WRAP, *_OAEP, _SM2),
    "ed25519": (*_KEY_WRAP, *_OAEP, _SM2),
    "sm2": (*_OAEP, _SM2),
}
#: (wrapping algorithm, key spec, wrapping key spec) for which the key material is too long.
#: Ed25519 with RSAES_OAEP_SHA_256 captured from AWS KMS, 2026-09; with SHA_1 inferred.
_TOO_LONG = frozenset(
    (algorithm, spec, "RSA_2048") for algorithm in _OAEP for spec in ("ECC_NIST_P521", "ECC_NIST_EDWARDS25519")
)
_AES_KEY_BYTES = 32
_CHINA = "aws-cn"


def check_wrapping(spec: KeySpec, algorithm: str, wrapping_spec: str, partition: str) -> None:
    """Check that a wrapping algorithm and wrapping key spec support material of a key spec.

    Raises:
        KmsError: `ValidationException`; `UnsupportedOperationException` if the partition does not support it.
    """
    # AWS: no RSA_AES_KEY_WRAP in China, no SM2 elsewhere.
    unavailable = algorithm in _KEY_WRAP if partition == _CHINA else algorithm == _SM2 or wrapping_spec == _SM2_SPEC
    if unavailable:
        raise errors.WRAPPING_NOT_IN_REGION(algorithm=algorithm)
    supported = algorithm in _ALGORITHMS[spec.family] and (algorithm == _SM2) == (wrapping_spec == _SM2_SPEC)
    if not supported or (algorithm, spec.name, wrapping_spec) in _TOO_LONG:
        raise errors.WRAPPING_NOT_FOR_SPEC(algorithm=algorithm, wrapping_spec=wrapping_spec, spec=spec.name)


def new_wrapping_key(wrapping_spec: str, source: KeySource) -> Material:
    """Generate a wrapping key: an RSA or SM2 key pair for one import only."""
    return source.generate(KEY_SPECS[wrapping_spec])


def load_wrapping_key(wrapping_spec: str, private_bytes: bytes) -> Material:
    """Load a wrapping key from the PKCS#8 bytes in an import token."""
    spec = KEY_SPECS[wrapping_spec]
    if spec.family != "rsa":
        return load(spec, private_bytes)
    # Imported here: heavy modules, which only imports of key material need.
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    from pytest_kmsmock._kms.crypto.rsa import RsaMaterial

    # Without the checks for imported material, which take longer than the rest of an import.
    private = load_der_private_key(private_bytes, password=None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(private, RSAPrivateKey)  # by its key spec
    return RsaMaterial.of(spec, private)


def unwrap(wrapping_key: Material, algorithm: str, wrapped: bytes) -> bytes:
    """Unwrap the key material of an `ImportKeyMaterial` request.

    RSA_AES_KEY_WRAP is RSAES-OAEP of an AES key, followed by the material in AES key wrap with padding (RFC 5649).

    Raises:
        KmsError: `ValidationException` for an impossible length, `InvalidCiphertextException` if unwrapping fails.
    """
    from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap_with_padding

    modulus = wrapping_key.spec.bits // 8
    if algorithm == _SM2:
        head, tail = wrapped, b""
    else:
        head, tail = wrapped[:modulus], wrapped[modulus:]
        # The output of key wrap with padding is a multiple of 8 bytes, at least 16.
        is_complete = len(tail) >= 16 and len(tail) % 8 == 0 if algorithm in _KEY_WRAP else not tail
        if len(head) != modulus or not is_complete:
            raise errors.WRAPPED_SIZE()
    try:
        decrypted = wrapping_key.decrypt(algorithm.replace("RSA_AES_KEY_WRAP", "RSAES_OAEP"), head)
        if algorithm not in _KEY_WRAP:
            return decrypted
        if len(decrypted) != _AES_KEY_BYTES:
            raise errors.INVALID_CIPHERTEXT()
        return aes_key_unwrap_with_padding(decrypted, tail)
    except (DecryptionFailed, InvalidUnwrap):
        raise errors.INVALID_CIPHERTEXT() from None
