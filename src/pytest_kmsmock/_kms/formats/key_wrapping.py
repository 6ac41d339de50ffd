"""How key material is wrapped for its way to KMS: which algorithm may wrap what, and how it is unwrapped.

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

#: Family of the material that is wrapped -> the wrapping algorithms that AWS supports for it. Keys of other families
#: cannot have imported material.
_ALGORITHMS: Mapping[str, tuple[str, ...]] = {
    "aes": _OAEP,
    "hmac": _OAEP,
    "rsa": (*_KEY_WRAP, _SM2),
    "ec": (*_KEY_WRAP, *_OAEP, _SM2),
    "ed25519": (*_KEY_WRAP, *_OAEP, _SM2),
    "sm2": (*_OAEP, _SM2),
}
#: Algorithm, spec of what it wraps and spec of the wrapping key: material that is too long to be wrapped so.
#: Ed25519 with RSAES_OAEP_SHA_256 captured from AWS KMS, 2026-09; with SHA_1 inferred.
_TOO_LONG = frozenset(
    (algorithm, spec, "RSA_2048") for algorithm in _OAEP for spec in ("ECC_NIST_P521", "ECC_NIST_EDWARDS25519")
)
_AES_KEY_BYTES = 32
_CHINA = "aws-cn"


def check_wrapping(spec: KeySpec, algorithm: str, wrapping_spec: str, partition: str) -> None:
    """Refuse a wrapping algorithm and wrapping key spec that cannot wrap material of a key spec.

    Raises:
        KmsError: `ValidationException`; `UnsupportedOperationException` for what the partition does not have.
    """
    # AWS: no RSA_AES_KEY_WRAP in China, no SM2 elsewhere.
    elsewhere = algorithm in _KEY_WRAP if partition == _CHINA else algorithm == _SM2 or wrapping_spec == _SM2_SPEC
    if elsewhere:
        raise errors.WRAPPING_NOT_IN_REGION(algorithm=algorithm)
    fits = algorithm in _ALGORITHMS[spec.family] and (algorithm == _SM2) == (wrapping_spec == _SM2_SPEC)
    if not fits or (algorithm, spec.name, wrapping_spec) in _TOO_LONG:
        raise errors.WRAPPING_NOT_FOR_SPEC(algorithm=algorithm, wrapping_spec=wrapping_spec, spec=spec.name)


def new_wrapping_key(wrapping_spec: str, source: KeySource) -> Material:
    """Make a wrapping key: an RSA or SM2 key pair that nothing else uses."""
    return source.generate(KEY_SPECS[wrapping_spec])


def load_wrapping_key(wrapping_spec: str, private_bytes: bytes) -> Material:
    """Return the wrapping key of its PKCS#8 bytes, which KMS itself has made."""
    spec = KEY_SPECS[wrapping_spec]
    if spec.family != "rsa":
        return load(spec, private_bytes)
    # Heavy, and only imports of material need them.
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    from pytest_kmsmock._kms.crypto.rsa import RsaMaterial

    # Without the checks that imported material needs: they cost more than all the rest of an import.
    private = load_der_private_key(private_bytes, password=None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(private, RSAPrivateKey)  # as its spec says
    return RsaMaterial.of(spec, private)


def unwrap(wrapping_key: Material, algorithm: str, wrapped: bytes) -> bytes:
    """Return the key material in what `ImportKeyMaterial` was sent.

    RSA_AES_KEY_WRAP is RSAES-OAEP of an AES key, followed by the material in AES key wrap with padding (RFC 5649).

    Raises:
        KmsError: `ValidationException` for bytes of an impossible length, `InvalidCiphertextException` for what does
            not unwrap.
    """
    from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap_with_padding

    modulus = wrapping_key.spec.bits // 8
    if algorithm == _SM2:
        head, tail = wrapped, b""
    else:
        head, tail = wrapped[:modulus], wrapped[modulus:]
        # Key wrap with padding gives a multiple of 8 bytes, at least 16.
        is_whole = len(tail) >= 16 and len(tail) % 8 == 0 if algorithm in _KEY_WRAP else not tail
        if len(head) != modulus or not is_whole:
            raise errors.WRAPPED_SIZE()
    try:
        opened = wrapping_key.decrypt(algorithm.replace("RSA_AES_KEY_WRAP", "RSAES_OAEP"), head)
        if algorithm not in _KEY_WRAP:
            return opened
        if len(opened) != _AES_KEY_BYTES:
            raise errors.INVALID_CIPHERTEXT()
        return aes_key_unwrap_with_padding(opened, tail)
    except (DecryptionFailed, InvalidUnwrap):
        raise errors.INVALID_CIPHERTEXT() from None
