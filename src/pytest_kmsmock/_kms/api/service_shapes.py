"""What the service checks in another way than its model says. `validation` reads requests by both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Java's class of all ASCII characters, which Python's regular expressions do not have.
ASCII = r"^\p{ASCII}+$"

#: Ranges where the API reference is narrower than its model. (operation, member) -> (least, most).
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

#: Shape -> what the service does differently: its `pattern`; the values that a message lists (`shown`), whatever it
#: takes; the values that it takes besides those of the model (`taken`).
#: Measured on AWS KMS, us-east-1, 2026-09: floci-io/floci#3968.
SERVICE_SHAPES: Mapping[str, Mapping[str, Any]] = {
    "KeyIdType": {"pattern": ASCII},
    "MacAlgorithmSpec": {"shown": ("HMAC_SHA_384", "HMAC_SHA_256", "HMAC_SHA_224", "HMAC_SHA_512")},
    "EncryptionAlgorithmSpec": {"shown": ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE", "SYMMETRIC_DEFAULT")},
    "SigningAlgorithmSpec": {"shown": _SIGNING_ALGORITHMS, "taken": ("SYMMETRIC_DEFAULT",)},
    "DataKeySpec": {"shown": _KEY_SPECS},
}
