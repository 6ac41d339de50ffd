"""Tables of key specs and algorithms: allowed key usages, message types and size limits.

Operations look up rows here and raise AWS's errors; `pytest_kmsmock._kms.crypto` has the cryptography.
A new key spec is one row of `KEY_SPECS`.

Sources: the API reference (CreateKey, DescribeKey, Sign, Encrypt) and "Key spec reference" of the developer
guide, https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from pytest_kmsmock._record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

KeyType = Literal["symmetric", "asymmetric", "hmac"]
Family = Literal["aes", "rsa", "ec", "ed25519", "ml_dsa", "ml_kem", "hmac", "sm2"]

_NONE: Mapping[str, int] = MappingProxyType({})


class KeySpec(Record):
    """One value of AWS's KeySpec.

    Attributes:
        name: AWS's name, such as ``RSA_2048``.
        family: the key family; `pytest_kmsmock._kms.crypto` has one class for each.
        usages: each KeyUsage that the spec allows, with its algorithms in the order that AWS lists them.
        key_type: the key type that UpdateAlias compares.
        bits: size of the modulus, field or secret; 0 where ``parameters`` determines it.
        parameters: the standard's name of the curve or parameter set; "" where ``bits`` determines it.
        partitions: AWS partitions that have the spec; None for all except ``absent_from``.
        absent_from: AWS partitions that do not have the spec.
        import_lengths: length in bytes of imported key material by partition, with "" for all other partitions;
            empty where key material is a PKCS#8 structure.
        importable: whether keys with Origin EXTERNAL can have the spec.
    """

    name: str
    family: Family
    usages: Mapping[str, tuple[str, ...]]
    key_type: KeyType = "asymmetric"
    bits: int = 0
    parameters: str = ""
    partitions: frozenset[str] | None = None
    absent_from: frozenset[str] = frozenset()
    import_lengths: Mapping[str, int] = _NONE
    importable: bool = True

    def is_in(self, partition: str) -> bool:
        """Whether AWS has the spec in a partition, such as `aws-cn`."""
        return partition not in self.absent_from and (self.partitions is None or partition in self.partitions)

    def __hash__(self) -> int:  # for caches; a tuple with mappings has none
        return hash(self.name)

    def __repr__(self) -> str:
        return f"<KeySpec {self.name}>"


class SigningAlgorithm(Record):
    """One value of AWS's SigningAlgorithm.

    Attributes:
        name: AWS's name.
        scheme: the standard's name of the signature scheme.
        hash: the hash function's name in `hashlib`; "" for ML-DSA, which does not take one.
        message_types: each MessageType that the algorithm accepts, with the exact length in bytes of such a
            message; None for any length.
    """

    name: str
    scheme: Literal["RSASSA-PSS", "RSASSA-PKCS1-v1_5", "ECDSA", "SM2DSA", "ML-DSA", "Ed25519", "Ed25519ph"]
    hash: str
    message_types: Mapping[str, int | None]


class EncryptionAlgorithm(Record):
    """One value of AWS's EncryptionAlgorithm.

    Attributes:
        name: AWS's name.
        hash: the `hashlib` name of the hash function of OAEP and its MGF1; "" without one.
        plaintext_limits: maximum plaintext length in bytes, by key spec.
    """

    name: str
    hash: str
    plaintext_limits: Mapping[str, int]


class MacAlgorithm(Record):
    """One value of AWS's MacAlgorithm: ``hash`` by its `hashlib` name, ``length`` of the MAC in bytes."""

    name: str
    hash: str
    length: int


#: KeyUsage -> the field of KeyMetadata and of GetPublicKey's response that lists the algorithms of a key.
ALGORITHMS_FIELD: Mapping[str, str] = MappingProxyType(
    {
        "ENCRYPT_DECRYPT": "EncryptionAlgorithms",
        "SIGN_VERIFY": "SigningAlgorithms",
        "GENERATE_VERIFY_MAC": "MacAlgorithms",
        "KEY_AGREEMENT": "KeyAgreementAlgorithms",
        "ENCAPSULATE_DECAPSULATE": "EncapsulationAlgorithms",
    }
)

_RSA = MappingProxyType(
    {
        "ENCRYPT_DECRYPT": ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"),
        "SIGN_VERIFY": (
            "RSASSA_PKCS1_V1_5_SHA_256",
            "RSASSA_PKCS1_V1_5_SHA_384",
            "RSASSA_PKCS1_V1_5_SHA_512",
            "RSASSA_PSS_SHA_256",
            "RSASSA_PSS_SHA_384",
            "RSASSA_PSS_SHA_512",
        ),
    }
)
_ML_DSA = MappingProxyType({"SIGN_VERIFY": ("ML_DSA_SHAKE_256",)})
_CHINA = frozenset({"aws-cn"})


def _rsa(bits: int) -> KeySpec:
    return KeySpec(f"RSA_{bits}", "rsa", _RSA, bits=bits)


def _ml_kem(size: int) -> KeySpec:
    return KeySpec(
        f"ML_KEM_{size}",
        "ml_kem",
        MappingProxyType({"ENCAPSULATE_DECAPSULATE": ("ML_KEM",)}),
        parameters=f"ML-KEM-{size}",
        absent_from=_CHINA,
        importable=False,
    )


def _ml_dsa(size: int) -> KeySpec:
    return KeySpec(f"ML_DSA_{size}", "ml_dsa", _ML_DSA, parameters=f"ML-DSA-{size}", importable=False)


def _nist_curve(bits: int, hash_bits: int) -> KeySpec:
    return KeySpec(
        f"ECC_NIST_P{bits}",
        "ec",
        MappingProxyType({"SIGN_VERIFY": (f"ECDSA_SHA_{hash_bits}",), "KEY_AGREEMENT": ("ECDH",)}),
        bits=bits,
        parameters=f"secp{bits}r1",
    )


def _hmac(bits: int) -> KeySpec:
    return KeySpec(
        f"HMAC_{bits}",
        "hmac",
        MappingProxyType({"GENERATE_VERIFY_MAC": (f"HMAC_SHA_{bits}",)}),
        key_type="hmac",
        bits=bits,
        import_lengths=MappingProxyType({"": bits // 8}),
    )


_SPECS = (
    KeySpec(
        "SYMMETRIC_DEFAULT",
        "aes",
        MappingProxyType({"ENCRYPT_DECRYPT": ("SYMMETRIC_DEFAULT",)}),
        key_type="symmetric",
        bits=256,
        # China Regions have 128-bit SM4 keys: https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html
        import_lengths=MappingProxyType({"": 32, "aws-cn": 16}),
    ),
    _rsa(2048),
    _rsa(3072),
    _rsa(4096),
    _nist_curve(256, 256),
    _nist_curve(384, 384),
    _nist_curve(521, 512),
    KeySpec(
        "ECC_SECG_P256K1",
        "ec",
        MappingProxyType({"SIGN_VERIFY": ("ECDSA_SHA_256",)}),
        bits=256,
        parameters="secp256k1",
    ),
    KeySpec(
        "ECC_NIST_EDWARDS25519",
        "ed25519",
        MappingProxyType({"SIGN_VERIFY": ("ED25519_PH_SHA_512", "ED25519_SHA_512")}),  # captured from AWS KMS, 2026-09
        parameters="Ed25519",
    ),
    _ml_dsa(44),
    _ml_dsa(65),
    _ml_dsa(87),
    _ml_kem(512),
    _ml_kem(768),
    _ml_kem(1024),
    _hmac(224),
    _hmac(256),
    _hmac(384),
    _hmac(512),
    KeySpec(
        "SM2",
        "sm2",
        MappingProxyType({"ENCRYPT_DECRYPT": ("SM2PKE",), "SIGN_VERIFY": ("SM2DSA",), "KEY_AGREEMENT": ("ECDH",)}),
        bits=256,
        parameters="sm2p256v1",
        partitions=_CHINA,
    ),
)

#: Every key spec by AWS's name.
KEY_SPECS: Mapping[str, KeySpec] = MappingProxyType({spec.name: spec for spec in _SPECS})


def _raw_or_digest(digest_length: int) -> Mapping[str, int | None]:
    return MappingProxyType({"RAW": None, "DIGEST": digest_length})


#: Every signing algorithm by AWS's name: https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html
SIGNING_ALGORITHMS: Mapping[str, SigningAlgorithm] = MappingProxyType(
    {
        row.name: row
        for row in (
            SigningAlgorithm("RSASSA_PSS_SHA_256", "RSASSA-PSS", "sha256", _raw_or_digest(32)),
            SigningAlgorithm("RSASSA_PSS_SHA_384", "RSASSA-PSS", "sha384", _raw_or_digest(48)),
            SigningAlgorithm("RSASSA_PSS_SHA_512", "RSASSA-PSS", "sha512", _raw_or_digest(64)),
            SigningAlgorithm("RSASSA_PKCS1_V1_5_SHA_256", "RSASSA-PKCS1-v1_5", "sha256", _raw_or_digest(32)),
            SigningAlgorithm("RSASSA_PKCS1_V1_5_SHA_384", "RSASSA-PKCS1-v1_5", "sha384", _raw_or_digest(48)),
            SigningAlgorithm("RSASSA_PKCS1_V1_5_SHA_512", "RSASSA-PKCS1-v1_5", "sha512", _raw_or_digest(64)),
            SigningAlgorithm("ECDSA_SHA_256", "ECDSA", "sha256", _raw_or_digest(32)),
            SigningAlgorithm("ECDSA_SHA_384", "ECDSA", "sha384", _raw_or_digest(48)),
            SigningAlgorithm("ECDSA_SHA_512", "ECDSA", "sha512", _raw_or_digest(64)),
            SigningAlgorithm("SM2DSA", "SM2DSA", "sm3", _raw_or_digest(32)),
            SigningAlgorithm("ML_DSA_SHAKE_256", "ML-DSA", "", MappingProxyType({"RAW": None, "EXTERNAL_MU": 64})),
            # Each Ed25519 algorithm accepts one MessageType; Ed25519ph hashes its input again, digest or not.
            SigningAlgorithm("ED25519_SHA_512", "Ed25519", "sha512", MappingProxyType({"RAW": None})),
            SigningAlgorithm("ED25519_PH_SHA_512", "Ed25519ph", "sha512", MappingProxyType({"DIGEST": 64})),
        )
    }
)

#: Every encryption algorithm by AWS's name: https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html
ENCRYPTION_ALGORITHMS: Mapping[str, EncryptionAlgorithm] = MappingProxyType(
    {
        row.name: row
        for row in (
            EncryptionAlgorithm("SYMMETRIC_DEFAULT", "", MappingProxyType({"SYMMETRIC_DEFAULT": 4096})),
            EncryptionAlgorithm(
                "RSAES_OAEP_SHA_1",
                "sha1",
                MappingProxyType({"RSA_2048": 214, "RSA_3072": 342, "RSA_4096": 470}),
            ),
            EncryptionAlgorithm(
                "RSAES_OAEP_SHA_256",
                "sha256",
                MappingProxyType({"RSA_2048": 190, "RSA_3072": 318, "RSA_4096": 446}),
            ),
            EncryptionAlgorithm("SM2PKE", "sm3", MappingProxyType({"SM2": 1024})),
        )
    }
)

#: Every MAC algorithm by AWS's name; MACs are never truncated.
MAC_ALGORITHMS: Mapping[str, MacAlgorithm] = MappingProxyType(
    {f"HMAC_SHA_{bits}": MacAlgorithm(f"HMAC_SHA_{bits}", f"sha{bits}", bits // 8) for bits in (224, 256, 384, 512)}
)
