"""Differences between the checks of the KMS service and its published service model; `validation` applies both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Java's character class for ASCII, which Python's regular expressions lack.
ASCII = r"^\p{ASCII}+$"

#: Ranges that are narrower in the API reference than in the model: (operation, parameter) -> (minimum, maximum).
SERVICE_RANGES: Mapping[tuple[str, str], tuple[int, int]] = {
    ("ScheduleKeyDeletion", "PendingWindowInDays"): (7, 30),
    ("ListAliases", "Limit"): (1, 100),
    ("ListGrants", "Limit"): (1, 100),
    ("ListRetirableGrants", "Limit"): (1, 100),
    ("ListResourceTags", "Limit"): (1, 50),
}

_SIGNING_ALGORITHMS = (
    "RSASSA_PSS_SHA_256", "RSASSA_PSS_SHA_384", "RSASSA_PSS_SHA_512", "RSASSA_PKCS1_V1_5_SHA_256",
    "RSASSA_PKCS1_V1_5_SHA_384", "RSASSA_PKCS1_V1_5_SHA_512", "ECDSA_SHA_256", "ECDSA_SHA_384", "ECDSA_SHA_512",
    "ED25519_SHA_512", "ED25519_PH_SHA_512", "SM2DSA", "ML_DSA_SHAKE_256",
)  # fmt: skip
_KEY_SPECS = (
    "RSA_2048", "RSA_3072", "RSA_4096", "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1",
    "ECC_NIST_EDWARDS25519", "SYMMETRIC_DEFAULT", "HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512", "SM2", "ML_DSA_44",
    "ML_DSA_65", "ML_DSA_87",
)  # fmt: skip

#: Shape -> differences of the service: its `pattern`; the values listed in its messages (`listed`); values that it
#: accepts in addition to the model's (`accepted`).
#: Measured on AWS KMS, us-east-1, 2026-09: floci-io/floci#3968.
SERVICE_SHAPES: Mapping[str, Mapping[str, Any]] = {
    "KeyIdType": {"pattern": ASCII},
    "MacAlgorithmSpec": {"listed": ("HMAC_SHA_384", "HMAC_SHA_256", "HMAC_SHA_224", "HMAC_SHA_512")},
    "EncryptionAlgorithmSpec": {"listed": ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE", "SYMMETRIC_DEFAULT")},
    "SigningAlgorithmSpec": {"listed": _SIGNING_ALGORITHMS, "accepted": ("SYMMETRIC_DEFAULT",)},
    "DataKeySpec": {"listed": _KEY_SPECS},
}
