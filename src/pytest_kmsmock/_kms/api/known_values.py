"""The enum values that this release implements, to report values that only the release or only botocore has.

Requests are validated against the service model of the installed botocore. A botocore newer than this release accepts
values that are not implemented here; an older one rejects values that KMS accepts.
"""

from __future__ import annotations

from collections.abc import Mapping

from .key_specs import KEY_SPECS

#: Key spec -> the first botocore release with it, for specs that some supported releases lack.
#: Source: botocore's changelog, and its model in 1.43.100 and 1.44.0.
FIRST_BOTOCORE: Mapping[str, str] = {
    "ECC_NIST_EDWARDS25519": "1.40.69",
    "ML_KEM_512": "1.44.0",
    "ML_KEM_768": "1.44.0",
    "ML_KEM_1024": "1.44.0",
}

_USAGES = frozenset(usage for spec in KEY_SPECS.values() for usage in spec.usages)
_ALGORITHMS = frozenset(
    algorithm for spec in KEY_SPECS.values() for algorithms in spec.usages.values() for algorithm in algorithms
)

#: Shape of the service model -> implemented values. Shapes of the same kind share a set; the model restricts each.
KNOWN_VALUES: Mapping[str, frozenset[str]] = {
    "KeySpec": frozenset(KEY_SPECS),
    "CustomerMasterKeySpec": frozenset(KEY_SPECS),
    "DataKeyPairSpec": frozenset(KEY_SPECS),
    "WrappingKeySpec": frozenset(KEY_SPECS),
    "DataKeySpec": frozenset({"AES_128", "AES_256"}),
    "KeyUsageType": _USAGES,
    "EncryptionAlgorithmSpec": _ALGORITHMS,
    "SigningAlgorithmSpec": _ALGORITHMS,
    "MacAlgorithmSpec": _ALGORITHMS,
    "KeyAgreementAlgorithmSpec": _ALGORITHMS,
    "EncapsulationAlgorithmSpec": _ALGORITHMS,
    "MessageType": frozenset({"RAW", "DIGEST", "EXTERNAL_MU"}),
    "OriginType": frozenset({"AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"}),
    "CustomKeyStoreType": frozenset({"AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"}),
    "XksProxyConnectivityType": frozenset({"PUBLIC_ENDPOINT", "VPC_ENDPOINT_SERVICE"}),
    "AlgorithmSpec": frozenset({
        "RSAES_PKCS1_V1_5", "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_1",
        "RSA_AES_KEY_WRAP_SHA_256", "SM2PKE",
    }),
    "ImportType": frozenset({"NEW_KEY_MATERIAL", "EXISTING_KEY_MATERIAL"}),
    "ExpirationModelType": frozenset({"KEY_MATERIAL_EXPIRES", "KEY_MATERIAL_DOES_NOT_EXPIRE"}),
    "IncludeKeyMaterial": frozenset({"ALL_KEY_MATERIAL", "ROTATIONS_ONLY"}),
    "DryRunModifierType": frozenset({"IGNORE_CIPHERTEXT"}),
    "KeyEncryptionMechanism": frozenset({"RSAES_OAEP_SHA_256"}),
    "ResourceOwnerType": frozenset({"SELF", "OTHER_ACCOUNTS_VIA_RAM"}),
    "GrantOperation": frozenset({
        "Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo",
        "Sign", "Verify", "GetPublicKey", "CreateGrant", "RetireGrant", "DescribeKey", "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext", "GenerateMac", "VerifyMac", "DeriveSharedSecret", "Encapsulate",
        "Decapsulate",
    }),
}  # fmt: skip
