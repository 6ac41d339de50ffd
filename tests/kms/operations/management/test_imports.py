"""Importing key material: wrapping, tokens, expiry, several materials, replicas.

Sources: "API" is the API reference of the operation, "guide" the Developer Guide's "Importing key material".
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from botocore.client import BaseClient
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from pytest_kmsmock._kms.api.key_specs import KEY_SPECS
from pytest_kmsmock._kms.crypto import generate, load
from pytest_kmsmock._kms.rules.imported_material import material_id
from pytest_kmsmock._mock.kms_mock import KmsMock

START = datetime(2030, 1, 1, tzinfo=timezone.utc)
NEVER = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}


@pytest.fixture
def external(kms: KmsMock, new_key: Callable[..., str]) -> str:
    """A symmetric key that waits for its import."""
    return new_key(Origin="EXTERNAL")


def metadata(client: BaseClient, key: str) -> dict[str, Any]:
    found: dict[str, Any] = client.describe_key(KeyId=key)["KeyMetadata"]
    return found


def state(client: BaseClient, key: str) -> str:
    found: str = metadata(client, key)["KeyState"]
    return found


def materials(client: BaseClient, key: str) -> dict[str, tuple[str, str]]:
    listed = client.list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    return {entry["KeyMaterialId"]: (entry["KeyMaterialState"], entry["ImportState"]) for entry in listed}


def parameters(client: BaseClient, key: str, algorithm: str = "RSAES_OAEP_SHA_256") -> dict[str, Any]:
    answer: dict[str, Any] = client.get_parameters_for_import(
        KeyId=key, WrappingAlgorithm=algorithm, WrappingKeySpec="RSA_2048"
    )
    return answer


# --- the way in ---


def test_a_key_waits_for_its_material(kms_client, external, refusal):
    found = metadata(kms_client, external)
    assert (found["KeyState"], found["Enabled"], found["Origin"]) == ("PendingImport", False, "EXTERNAL")
    assert not {"CurrentKeyMaterialId", "ExpirationModel", "ValidTo"} & found.keys()
    with refusal("KMSInvalidStateException", f"{external} is pending import."):
        kms_client.encrypt(KeyId=external, Plaintext=b"x")


def test_imported_material_enables_the_key(kms_client, external, import_material):
    answer = import_material(kms_client, external, os.urandom(32))
    found = metadata(kms_client, external)
    assert answer["KeyId"] == external
    assert (found["KeyState"], found["Enabled"]) == ("Enabled", True)
    assert found["ExpirationModel"] == "KEY_MATERIAL_DOES_NOT_EXPIRE"
    assert "ValidTo" not in found
    assert found["CurrentKeyMaterialId"] == answer["KeyMaterialId"]
    blob = kms_client.encrypt(KeyId=external, Plaintext=b"x")["CiphertextBlob"]
    assert kms_client.decrypt(CiphertextBlob=blob)["KeyMaterialId"] == answer["KeyMaterialId"]


def test_parameters_are_valid_for_24_hours(kms, kms_client, external, refusal):
    given = parameters(kms_client, external)
    assert given["KeyId"] == external
    assert given["ParametersValidTo"] == START + timedelta(hours=24)
    kms.clock.advance(hours=24, milliseconds=1)
    with refusal("ExpiredImportTokenException"):
        kms_client.import_key_material(
            KeyId=external, ImportToken=given["ImportToken"], EncryptedKeyMaterial=bytes(256), **NEVER
        )


def test_every_public_key_is_another(kms_client, external):
    assert parameters(kms_client, external)["PublicKey"] != parameters(kms_client, external)["PublicKey"]


def test_openssl_wraps_a_symmetric_key(kms_client, external, openssl, private_bytes):
    """The commands of the guide, "Encrypt your key material"."""
    given = parameters(kms_client, external)
    material = os.urandom(32)
    wrapped = openssl(
        "pkeyutl", "-encrypt", "-in", "{material}", "-inkey", "{key}", "-keyform", "DER", "-pubin",
        "-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256", "-pkeyopt", "rsa_mgf1_md:sha256",
        material=material, key=given["PublicKey"],
    )  # fmt: skip
    kms_client.import_key_material(
        KeyId=external, ImportToken=given["ImportToken"], EncryptedKeyMaterial=wrapped, **NEVER
    )
    assert private_bytes(external) == material


def test_openssl_wraps_a_private_key_in_two_steps(kms, kms_client, new_key, openssl):
    """The commands of the guide, "Encrypt your key material": an AES key, and the material under it (RFC 5649)."""
    private = ec.generate_private_key(ec.SECP256R1())
    key = new_key("ECC_NIST_P256", "SIGN_VERIFY", Origin="EXTERNAL")
    given = parameters(kms_client, key, "RSA_AES_KEY_WRAP_SHA_256")
    aes_key = os.urandom(32)
    head = openssl(
        "pkeyutl", "-encrypt", "-in", "{aes}", "-inkey", "{key}", "-keyform", "DER", "-pubin",
        "-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256", "-pkeyopt", "rsa_mgf1_md:sha256",
        aes=aes_key, key=given["PublicKey"],
    )  # fmt: skip
    tail = openssl(
        "enc", "-id-aes256-wrap-pad", "-iv", "A65959A6", "-K", aes_key.hex(), "-in", "{material}",
        material=private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
    )  # fmt: skip
    kms_client.import_key_material(
        KeyId=key, ImportToken=given["ImportToken"], EncryptedKeyMaterial=head + tail, **NEVER
    )
    expected = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert kms_client.get_public_key(KeyId=key)["PublicKey"] == expected


def pkcs8(private: Any) -> bytes:
    data: bytes = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return data


#: Guide, "Select a wrapping algorithm": what each kind of material can be wrapped with outside of China.
OAEP = ("RSAES_OAEP_SHA_256", "RSAES_OAEP_SHA_1")
KEY_WRAP = ("RSA_AES_KEY_WRAP_SHA_256", "RSA_AES_KEY_WRAP_SHA_1")
IMPORTABLE: list[tuple[str, str, Callable[[], bytes], tuple[str, ...]]] = [
    ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", lambda: os.urandom(32), OAEP),
    ("HMAC_224", "GENERATE_VERIFY_MAC", lambda: os.urandom(28), OAEP),
    ("HMAC_256", "GENERATE_VERIFY_MAC", lambda: os.urandom(32), OAEP),
    ("HMAC_384", "GENERATE_VERIFY_MAC", lambda: os.urandom(48), OAEP),
    ("HMAC_512", "GENERATE_VERIFY_MAC", lambda: os.urandom(64), OAEP),
    ("RSA_2048", "SIGN_VERIFY", lambda: pkcs8(rsa.generate_private_key(65537, 2048)), KEY_WRAP),
    ("ECC_NIST_P256", "SIGN_VERIFY", lambda: pkcs8(ec.generate_private_key(ec.SECP256R1())), (*KEY_WRAP, *OAEP)),
    ("ECC_NIST_P384", "KEY_AGREEMENT", lambda: pkcs8(ec.generate_private_key(ec.SECP384R1())), (*KEY_WRAP, *OAEP)),
    ("ECC_NIST_P521", "SIGN_VERIFY", lambda: pkcs8(ec.generate_private_key(ec.SECP521R1())), KEY_WRAP),
    ("ECC_SECG_P256K1", "SIGN_VERIFY", lambda: pkcs8(ec.generate_private_key(ec.SECP256K1())), (*KEY_WRAP, *OAEP)),
    ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", lambda: pkcs8(ed25519.Ed25519PrivateKey.generate()), KEY_WRAP),
]


@pytest.mark.parametrize(
    ("spec", "usage", "make", "algorithm"),
    [
        pytest.param(spec, usage, make, algorithm, id=f"{spec} {algorithm}")
        for spec, usage, make, algorithms in IMPORTABLE
        for algorithm in algorithms
    ],
)
def test_material_of_every_spec_comes_in_as_it_was(
    kms, kms_client, new_key, import_material, private_bytes, spec, usage, make, algorithm
):
    key = new_key(spec, usage, Origin="EXTERNAL")
    material = make()
    import_material(kms_client, key, material, algorithm=algorithm)
    assert state(kms_client, key) == "Enabled"
    assert private_bytes(key) == material


@pytest.mark.parametrize(
    ("spec", "usage", "algorithm", "wrapping_spec"),
    [
        pytest.param("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "RSAES_PKCS1_V1_5", "RSA_2048", id="API: gone since 2023"),
        pytest.param("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "RSA_AES_KEY_WRAP_SHA_1", "RSA_2048", id="guide: AES"),
        pytest.param("HMAC_256", "GENERATE_VERIFY_MAC", "RSA_AES_KEY_WRAP_SHA_256", "RSA_2048", id="guide: HMAC"),
        pytest.param("RSA_2048", "SIGN_VERIFY", "RSAES_OAEP_SHA_256", "RSA_4096", id="API: RSA needs RSA_AES"),
        pytest.param("ECC_NIST_P521", "SIGN_VERIFY", "RSAES_OAEP_SHA_1", "RSA_2048", id="API: P-521 is too long"),
        pytest.param("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", "RSAES_OAEP_SHA_256", "RSA_2048", id="captured: Ed25519"),
        pytest.param("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", "RSAES_OAEP_SHA_1", "RSA_2048", id="inferred: Ed25519"),
    ],
)
def test_wrappings_that_aws_does_not_support(kms, kms_client, new_key, refusal, spec, usage, algorithm, wrapping_spec):
    """Message captured from AWS KMS, 2026-09."""
    key = new_key(spec, usage, Origin="EXTERNAL")
    text = (
        f"Wrapping algorithm {algorithm} and wrapping key spec {wrapping_spec} cannot be used to import a {spec} key."
    )
    with refusal("ValidationException", text):
        kms_client.get_parameters_for_import(KeyId=key, WrappingAlgorithm=algorithm, WrappingKeySpec=wrapping_spec)


@pytest.mark.parametrize(("algorithm", "wrapping_spec"), [("SM2PKE", "SM2"), ("RSAES_OAEP_SHA_256", "SM2")])
def test_sm2_wraps_in_china_only(kms_client, external, refusal, algorithm, wrapping_spec):
    """Guide, "Select a wrapping algorithm"."""
    with refusal("UnsupportedOperationException"):
        kms_client.get_parameters_for_import(KeyId=external, WrappingAlgorithm=algorithm, WrappingKeySpec=wrapping_spec)


@pytest.mark.parametrize(
    ("spec", "make"),
    [
        pytest.param("ECC_NIST_P521", lambda: ec.generate_private_key(ec.SECP521R1()), id="API"),
        pytest.param("ECC_NIST_EDWARDS25519", ed25519.Ed25519PrivateKey.generate, id="captured from AWS KMS, 2026-09"),
    ],
)
def test_a_longer_key_wraps_what_rsa_2048_does_not(kms, kms_client, new_key, import_material, spec, make):
    key = new_key(spec, "SIGN_VERIFY", Origin="EXTERNAL")
    import_material(kms_client, key, pkcs8(make()), wrapping_spec="RSA_3072")
    assert state(kms_client, key) == "Enabled"


@pytest.mark.parametrize("spec", ["ML_DSA_44", "ML_DSA_65", "ML_DSA_87", "ML_KEM_512"])
def test_specs_that_have_no_imported_material(kms, kms_client, refusal, spec):
    """Captured from AWS KMS, 2026-09, for ML-DSA; ML-KEM inferred."""
    usage = "SIGN_VERIFY" if spec.startswith("ML_DSA") else "ENCAPSULATE_DECAPSULATE"
    with refusal("ValidationException", f"KeySpec {spec} is not supported for Origin EXTERNAL"):
        kms_client.create_key(KeySpec=spec, KeyUsage=usage, Origin="EXTERNAL")


def in_ber(der: bytes) -> bytes:
    """Return a SEQUENCE in DER with an indefinite length instead (X.690, 8.1.3.6)."""
    start = 2 + (der[1] & 0x7F if der[1] & 0x80 else 0)
    return b"\x30\x80" + der[start:] + b"\0\0"


@pytest.mark.parametrize(
    ("spec", "make"),
    [
        ("RSA_2048", lambda: rsa.generate_private_key(65537, 2048)),
        ("ECC_NIST_P256", lambda: ec.generate_private_key(ec.SECP256R1())),
        ("ECC_NIST_P384", lambda: ec.generate_private_key(ec.SECP384R1())),
        ("ECC_NIST_P521", lambda: ec.generate_private_key(ec.SECP521R1())),
        ("ECC_SECG_P256K1", lambda: ec.generate_private_key(ec.SECP256K1())),
    ],
)
def test_ber_is_accepted_like_der(kms, kms_client, new_key, import_material, spec, make):
    """Captured from AWS KMS, 2026-09: the outer length may be indefinite, and the material is the same."""
    key = new_key(spec, "SIGN_VERIFY", Origin="EXTERNAL")
    private = make()
    import_material(kms_client, key, pkcs8(private), algorithm=KEY_WRAP[0])
    public = kms_client.get_public_key(KeyId=key)["PublicKey"]
    kms_client.delete_imported_key_material(KeyId=key)
    import_material(kms_client, key, in_ber(pkcs8(private)), algorithm=KEY_WRAP[0])
    assert kms_client.get_public_key(KeyId=key)["PublicKey"] == public


def test_ed25519_is_in_der(kms, kms_client, new_key, import_material, refusal):
    """Captured from AWS KMS, 2026-09."""
    key = new_key("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", Origin="EXTERNAL")
    with refusal("InvalidCiphertextException", ""):
        import_material(kms_client, key, in_ber(pkcs8(ed25519.Ed25519PrivateKey.generate())), algorithm=KEY_WRAP[0])


def test_china_has_no_key_wrap(kms, china, refusal):
    key = china.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY", Origin="EXTERNAL")["KeyMetadata"]["Arn"]
    with refusal("UnsupportedOperationException", "Wrapping algorithm RSA_AES_KEY_WRAP_SHA_256 is not supported in "
                 "this Region."):  # fmt: skip
        china.get_parameters_for_import(
            KeyId=key, WrappingAlgorithm="RSA_AES_KEY_WRAP_SHA_256", WrappingKeySpec="RSA_2048"
        )


@pytest.mark.parametrize(("spec", "usage"), [("SM2", "SIGN_VERIFY"), ("ECC_NIST_P256", "SIGN_VERIFY")])
def test_sm2_wraps_private_keys_in_china(kms, china, private_bytes, openssl, spec, usage):
    key = china.create_key(KeySpec=spec, KeyUsage=usage, Origin="EXTERNAL")["KeyMetadata"]["Arn"]
    given = china.get_parameters_for_import(KeyId=key, WrappingAlgorithm="SM2PKE", WrappingKeySpec="SM2")
    material = generate(KEY_SPECS[spec]).private_bytes()
    wrapped = openssl(
        "pkeyutl", "-encrypt", "-in", "{material}", "-inkey", "{key}", "-keyform", "DER", "-pubin",
        material=material, key=given["PublicKey"],
    )  # fmt: skip
    china.import_key_material(KeyId=key, ImportToken=given["ImportToken"], EncryptedKeyMaterial=wrapped, **NEVER)
    assert private_bytes(key) == material


def test_symmetric_keys_of_china_have_16_bytes(kms, china, import_material, refusal):
    key = china.create_key(Origin="EXTERNAL")["KeyMetadata"]["Arn"]
    with refusal("InvalidCiphertextException"):
        import_material(china, key, os.urandom(32))
    import_material(china, key, os.urandom(16))
    assert state(china, key) == "Enabled"


# --- what does not come in ---


@pytest.mark.parametrize(
    ("spec", "usage", "algorithm", "material"),
    [
        pytest.param("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", OAEP[0], bytes(31), id="31 bytes"),
        pytest.param("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", OAEP[0], bytes(16), id="16 bytes outside of China"),
        pytest.param("HMAC_384", "GENERATE_VERIFY_MAC", OAEP[0], bytes(32), id="HMAC of another length"),
        pytest.param(
            "ECC_NIST_P256",
            "SIGN_VERIFY",
            OAEP[0],
            pkcs8(ec.generate_private_key(ec.SECP256K1())),
            id="another curve",
        ),
        pytest.param("ECC_NIST_P256", "SIGN_VERIFY", OAEP[0], bytes(32), id="no PKCS#8"),
    ],
)
def test_material_that_does_not_fit_the_key(
    kms, kms_client, new_key, import_material, refusal, spec, usage, algorithm, material
):
    """Captured from AWS KMS, 2026-09: what it was wrapped in is called invalid, without a message."""
    key = new_key(spec, usage, Origin="EXTERNAL")
    with refusal("InvalidCiphertextException", ""):
        import_material(kms_client, key, material, algorithm=algorithm)
    assert state(kms_client, key) == "PendingImport"


def test_the_token_of_another_key(kms_client, external, new_key, refusal):
    token = parameters(kms_client, new_key(Origin="EXTERNAL"))["ImportToken"]
    with refusal("InvalidImportTokenException"):
        kms_client.import_key_material(KeyId=external, ImportToken=token, EncryptedKeyMaterial=bytes(256), **NEVER)


@pytest.mark.parametrize("damage", [lambda token: token[:1], lambda token: token[:-1], lambda token: b"?" + token[1:]])
def test_a_damaged_token(kms_client, external, refusal, damage):
    token = parameters(kms_client, external)["ImportToken"]
    with refusal("InvalidImportTokenException"):
        kms_client.import_key_material(
            KeyId=external, ImportToken=damage(token), EncryptedKeyMaterial=bytes(256), **NEVER
        )


@pytest.mark.parametrize(
    ("spec", "algorithm", "length"),
    [
        pytest.param("SYMMETRIC_DEFAULT", OAEP[0], 255, id="short of the modulus"),
        pytest.param("SYMMETRIC_DEFAULT", OAEP[0], 257, id="longer than the modulus"),
        pytest.param("ECC_NIST_P256", KEY_WRAP[0], 256, id="nothing wrapped"),
        pytest.param("ECC_NIST_P256", KEY_WRAP[0], 256 + 12, id="no multiple of 8"),
        pytest.param("ECC_NIST_P256", KEY_WRAP[0], 100, id="not even an AES key"),
    ],
)
def test_wrapped_bytes_of_an_impossible_length(kms, kms_client, new_key, refusal, spec, algorithm, length):
    usage = "ENCRYPT_DECRYPT" if spec == "SYMMETRIC_DEFAULT" else "SIGN_VERIFY"
    key = new_key(spec, usage, Origin="EXTERNAL")
    token = parameters(kms_client, key, algorithm)["ImportToken"]
    with refusal("ValidationException", "Invalid encrypted key size."):
        kms_client.import_key_material(KeyId=key, ImportToken=token, EncryptedKeyMaterial=bytes(length), **NEVER)


def test_material_wrapped_for_another_token(kms_client, external, refusal, wrap):
    wrapped = wrap(parameters(kms_client, external)["PublicKey"], OAEP[0], bytes(32))
    with refusal("InvalidCiphertextException"):
        kms_client.import_key_material(
            KeyId=external,
            ImportToken=parameters(kms_client, external)["ImportToken"],
            EncryptedKeyMaterial=wrapped,
            **NEVER,
        )


@pytest.mark.parametrize("aes_length", [16, 32])
def test_two_steps_that_do_not_fit(kms, kms_client, new_key, refusal, wrap, aes_length):
    key = new_key("ECC_NIST_P256", "SIGN_VERIFY", Origin="EXTERNAL")
    given = parameters(kms_client, key, KEY_WRAP[0])
    head = wrap(given["PublicKey"], OAEP[0], bytes(aes_length))
    with refusal("InvalidCiphertextException"):
        kms_client.import_key_material(
            KeyId=key, ImportToken=given["ImportToken"], EncryptedKeyMaterial=head + bytes(144), **NEVER
        )


@pytest.mark.parametrize(
    "operation", ["get_parameters_for_import", "import_key_material", "delete_imported_key_material"]
)
@pytest.mark.parametrize("origin", ["AWS_KMS", "AWS_CLOUDHSM"])
def test_keys_of_another_origin(kms, kms_client, new_key, refusal, operation, origin):
    members = {"CustomKeyStoreId": kms.key_stores.add_store()} if origin == "AWS_CLOUDHSM" else {}
    key = new_key(Origin=origin, **members)
    arguments: dict[str, dict[str, Any]] = {
        "get_parameters_for_import": {"WrappingAlgorithm": OAEP[0], "WrappingKeySpec": "RSA_2048"},
        "import_key_material": {"ImportToken": b"?", "EncryptedKeyMaterial": b"?"},
        "delete_imported_key_material": {},
    }
    with refusal("UnsupportedOperationException", f"{key} origin is {origin} which is not valid for this operation."):
        getattr(kms_client, operation)(KeyId=key, **arguments[operation])


# --- expiry ---


@pytest.mark.parametrize(
    ("members", "text"),
    [
        pytest.param({}, "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES", id="the default"),
        pytest.param(
            {"ExpirationModel": "KEY_MATERIAL_EXPIRES"},
            "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES",
            id="asked for",
        ),
        pytest.param({"ValidTo": START}, "ValidTo must be in the future", id="API: the future"),
        pytest.param(
            {"ValidTo": START + timedelta(days=365, seconds=1)},
            "ValidTo must be less than 365 days in the future",
            id="365 days at most",
        ),
        pytest.param(
            {"ValidTo": START + timedelta(days=1), **NEVER},
            "A validTo date cannot be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE",
            id="not with both",
        ),
    ],
)
def test_expiry_must_make_sense(kms_client, external, refusal, members, text):
    """Messages captured from AWS KMS, 2026-09."""
    with refusal("ValidationException", text):
        kms_client.import_key_material(KeyId=external, ImportToken=b"?", EncryptedKeyMaterial=b"?", **members)


def test_expiry_is_in_whole_seconds(kms, kms_client, external, import_material):
    """Captured from AWS KMS, 2026-09."""
    until = START + timedelta(days=3, milliseconds=750)
    import_material(kms_client, external, bytes(32), ValidTo=until)
    assert metadata(kms_client, external)["ValidTo"] == START + timedelta(days=3)
    entry = kms_client.list_key_rotations(KeyId=external, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"][0]
    assert entry["ValidTo"] == START + timedelta(days=3)
    kms.clock.move_to(START + timedelta(days=3))
    assert state(kms_client, external) == "PendingImport"


def test_expired_material_is_deleted_and_can_come_back(kms, kms_client, external, import_material):
    material = os.urandom(32)
    until = START + timedelta(days=365)
    identity = import_material(kms_client, external, material, ValidTo=until)["KeyMaterialId"]
    found = metadata(kms_client, external)
    assert (found["ExpirationModel"], found["ValidTo"]) == ("KEY_MATERIAL_EXPIRES", until)
    blob = kms_client.encrypt(KeyId=external, Plaintext=b"kept")["CiphertextBlob"]
    kms.clock.move_to(until - timedelta(milliseconds=1))
    assert state(kms_client, external) == "Enabled"
    kms.clock.move_to(until)
    found = metadata(kms_client, external)
    assert found["KeyState"] == "PendingImport"
    assert not {"ExpirationModel", "ValidTo"} & found.keys()
    # Captured from AWS KMS, 2026-09: the list still has it as imported, with its date.
    entry = kms_client.list_key_rotations(KeyId=external, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"][0]
    assert (entry["KeyMaterialState"], entry["ImportState"]) == ("CURRENT", "IMPORTED")
    assert (entry["ExpirationModel"], entry["ValidTo"]) == ("KEY_MATERIAL_EXPIRES", until)
    assert kms._service.state.events[-1].name == "DeleteExpiredKeyMaterial"
    assert import_material(kms_client, external, material)["KeyMaterialId"] == identity
    kms.clock.advance(days=400)
    assert kms_client.decrypt(CiphertextBlob=blob)["Plaintext"] == b"kept"


def test_a_new_import_of_the_same_material_changes_its_expiry(kms, kms_client, external, import_material):
    material = os.urandom(32)
    import_material(kms_client, external, material, ValidTo=START + timedelta(days=10))
    import_material(kms_client, external, material, ValidTo=START + timedelta(days=20))
    kms.clock.advance(days=15)
    assert state(kms_client, external) == "Enabled"
    kms.clock.advance(days=5)
    assert state(kms_client, external) == "PendingImport"


# --- the same material again, and none other ---


def test_other_material_is_refused_after_the_first(kms_client, external, import_material, refusal):
    """Message captured from AWS KMS, 2026-09."""
    first = import_material(kms_client, external, os.urandom(32))["KeyMaterialId"]
    kms_client.delete_imported_key_material(KeyId=external)
    text = f"Imported key material does not have the expected identifier ({first})."
    with refusal("IncorrectKeyMaterialException", text):
        import_material(kms_client, external, os.urandom(32))


def test_private_keys_keep_their_first_material_for_ever(kms, kms_client, new_key, import_material, refusal):
    key = new_key("ECC_NIST_P256", "SIGN_VERIFY", Origin="EXTERNAL")
    first = pkcs8(ec.generate_private_key(ec.SECP256R1()))
    import_material(kms_client, key, first)
    with refusal("IncorrectKeyMaterialException"):
        import_material(kms_client, key, pkcs8(ec.generate_private_key(ec.SECP256R1())))
    kms_client.delete_imported_key_material(KeyId=key)
    assert state(kms_client, key) == "PendingImport"
    import_material(kms_client, key, first)
    assert state(kms_client, key) == "Enabled"


def test_material_ids_depend_on_key_and_material(kms, kms_client, new_key, import_material):
    one, other = new_key(Origin="EXTERNAL"), new_key(Origin="EXTERNAL")
    material = os.urandom(32)
    identity = import_material(kms_client, one, material)["KeyMaterialId"]
    assert import_material(kms_client, one, material)["KeyMaterialId"] == identity
    assert import_material(kms_client, other, material)["KeyMaterialId"] != identity
    assert len(identity) == 64


def test_the_same_material_in_two_keys_does_not_make_their_ciphertexts_the_same(
    kms, kms_client, new_key, import_material, refusal
):
    one, other = new_key(Origin="EXTERNAL"), new_key(Origin="EXTERNAL")
    material = os.urandom(32)
    for key in (one, other):
        import_material(kms_client, key, material)
    blob = kms_client.encrypt(KeyId=one, Plaintext=b"x")["CiphertextBlob"]
    with refusal("IncorrectKeyException"):
        kms_client.decrypt(CiphertextBlob=blob, KeyId=other)


# --- several materials ---


def test_new_material_waits_for_its_rotation(kms, kms_client, external, import_material, refusal):
    first = import_material(kms_client, external, os.urandom(32))["KeyMaterialId"]
    blob = kms_client.encrypt(KeyId=external, Plaintext=b"old")["CiphertextBlob"]
    text = f"No available key material pending rotation for the key: {external}."
    with refusal("KMSInvalidStateException", text):  # captured from AWS KMS, 2026-09
        kms_client.rotate_key_on_demand(KeyId=external)
    second = import_material(
        kms_client, external, os.urandom(32), ImportType="NEW_KEY_MATERIAL", KeyMaterialDescription="of 2030"
    )["KeyMaterialId"]
    assert materials(kms_client, external) == {
        first: ("CURRENT", "IMPORTED"),
        second: ("PENDING_ROTATION", "IMPORTED"),
    }
    kms.clock.advance(days=1)
    kms_client.rotate_key_on_demand(KeyId=external)
    assert materials(kms_client, external) == {first: ("NON_CURRENT", "IMPORTED"), second: ("CURRENT", "IMPORTED")}
    assert kms_client.list_key_rotations(KeyId=external)["Rotations"] == [
        {
            "KeyId": external,
            "KeyMaterialId": second,
            "KeyMaterialDescription": "of 2030",
            "ImportState": "IMPORTED",
            "KeyMaterialState": "CURRENT",
            "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
            "RotationDate": START + timedelta(days=1),
            "RotationType": "ON_DEMAND",
        }
    ]
    assert kms_client.decrypt(CiphertextBlob=blob)["KeyMaterialId"] == first
    assert metadata(kms_client, external)["CurrentKeyMaterialId"] == second


def test_a_key_needs_all_its_materials(kms, kms_client, external, import_material, refusal):
    first, second = os.urandom(32), os.urandom(32)
    old = import_material(kms_client, external, first)["KeyMaterialId"]
    import_material(kms_client, external, second, ImportType="NEW_KEY_MATERIAL", ValidTo=START + timedelta(days=9))
    kms_client.rotate_key_on_demand(KeyId=external)
    assert kms_client.delete_imported_key_material(KeyId=external, KeyMaterialId=old)["KeyMaterialId"] == old
    assert state(kms_client, external) == "PendingImport"
    with refusal("KMSInvalidStateException", f"{external} is pending import."):
        kms_client.rotate_key_on_demand(KeyId=external)
    kms.clock.advance(days=9)
    import_material(kms_client, external, first)
    assert state(kms_client, external) == "PendingImport"
    import_material(kms_client, external, second, KeyMaterialDescription="again")
    assert state(kms_client, external) == "Enabled"


def test_an_update_without_description_keeps_it(kms_client, external, import_material):
    material = os.urandom(32)
    import_material(kms_client, external, material, KeyMaterialDescription="from the vault")
    kms_client.delete_imported_key_material(KeyId=external)
    import_material(kms_client, external, material)
    entry = kms_client.list_key_rotations(KeyId=external, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"][0]
    assert entry["KeyMaterialDescription"] == "from the vault"


def test_pending_material_is_not_bound_to_the_key(kms, kms_client, external, import_material, refusal):
    """API RotationsListEntry: it can be deleted and other material imported in its place."""
    first = import_material(kms_client, external, os.urandom(32))["KeyMaterialId"]
    pending = import_material(kms_client, external, os.urandom(32), ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    third = bytes(range(32))
    text = (
        f"New key material (id: {{}}) cannot be imported into KMS key {external}, because another key material "
        f"(id: {pending}) is pending rotation."
    )
    third_id = material_id(kms.keys[external].record, load(KEY_SPECS["SYMMETRIC_DEFAULT"], third))
    with refusal("KMSInvalidStateException", text.format(third_id)):  # captured from AWS KMS, 2026-09
        import_material(kms_client, external, third, ImportType="NEW_KEY_MATERIAL")
    kms_client.delete_imported_key_material(KeyId=external, KeyMaterialId=pending)
    assert materials(kms_client, external) == {first: ("CURRENT", "IMPORTED")}
    assert state(kms_client, external) == "Enabled"
    assert import_material(kms_client, external, third, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"] == third_id


def test_expired_material_pending_rotation_is_rotated_to(kms, kms_client, external, import_material, refusal):
    """Captured from AWS KMS, 2026-09: it stays in the list, is refused as new, and the key rotates to it."""
    first = import_material(kms_client, external, os.urandom(32))["KeyMaterialId"]
    until = START + timedelta(days=1)
    new = {"ImportType": "NEW_KEY_MATERIAL"}
    material = os.urandom(32)
    second = import_material(kms_client, external, material, ValidTo=until, **new)["KeyMaterialId"]
    # API RotationsListEntry, KeyMaterialState: it "is not permanently associated with the KMS key".
    assert "ValidTo" not in metadata(kms_client, external)
    kms.clock.move_to(until + timedelta(minutes=15))
    assert materials(kms_client, external) == {
        first: ("CURRENT", "IMPORTED"),
        second: ("PENDING_ROTATION", "IMPORTED"),
    }
    entry = kms_client.list_key_rotations(KeyId=external, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"][-1]
    assert (entry["ExpirationModel"], entry["ValidTo"]) == ("KEY_MATERIAL_EXPIRES", until)
    assert state(kms_client, external) == "Enabled"
    text = (
        f"Key material (id: {second}) being imported as NEW_KEY_MATERIAL is already associated with KMS key {external}."
    )
    with refusal("IncorrectKeyMaterialException", text):
        import_material(kms_client, external, material, **new)
    kms_client.rotate_key_on_demand(KeyId=external)
    assert metadata(kms_client, external)["CurrentKeyMaterialId"] == second
    assert state(kms_client, external) == "PendingImport"
    import_material(kms_client, external, material)
    assert state(kms_client, external) == "Enabled"


@pytest.mark.parametrize("delay", [0, 60])
def test_a_rotation_under_way_comes_to_nothing_when_its_material_is_deleted(
    kms, kms_client, external, import_material, delay
):
    """Captured from AWS KMS, 2026-09."""
    first = import_material(kms_client, external, os.urandom(32))["KeyMaterialId"]
    second = import_material(kms_client, external, os.urandom(32), ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    kms.delays.rotating = delay
    kms_client.rotate_key_on_demand(KeyId=external)
    kms_client.delete_imported_key_material(KeyId=external, KeyMaterialId=second)
    kms.clock.advance(seconds=delay)
    assert materials(kms_client, external) == {first: ("CURRENT", "IMPORTED")}
    assert kms._service.state.events == []


def test_import_type_and_material_id_must_agree_with_the_material(kms_client, external, import_material, refusal):
    """Messages captured from AWS KMS, 2026-09, but for the first."""
    material = os.urandom(32)
    with refusal("IncorrectKeyMaterialException", ""):  # nothing to import again
        import_material(kms_client, external, material, ImportType="EXISTING_KEY_MATERIAL")
    no_id = "Input parameter keyMaterialId cannot be used with NEW_KEY_MATERIAL importType."
    with refusal("ValidationException", no_id):
        import_material(kms_client, external, material, ImportType="NEW_KEY_MATERIAL", KeyMaterialId="0" * 64)
    with refusal("ValidationException", no_id):  # the first import is one of new material if it does not say
        import_material(kms_client, external, material, KeyMaterialId="0" * 64)
    identity = import_material(kms_client, external, material)["KeyMaterialId"]
    known = (
        f"Key material (id: {identity}) being imported as NEW_KEY_MATERIAL is already associated with KMS key "
        f"{external}."
    )
    with refusal("IncorrectKeyMaterialException", known):
        import_material(kms_client, external, material, ImportType="NEW_KEY_MATERIAL")
    other = f"Imported key material does not have the expected identifier ({'0' * 64})."
    with refusal("IncorrectKeyMaterialException", other):
        import_material(kms_client, external, material, KeyMaterialId="0" * 64)
    import_material(kms_client, external, material, KeyMaterialId=identity)


@pytest.mark.parametrize(
    "members",
    [
        {"ImportType": "NEW_KEY_MATERIAL"},
        {"KeyMaterialDescription": "of 2030"},
        {"KeyMaterialId": "0" * 64},
    ],
    ids=lambda members: next(iter(members)),
)
@pytest.mark.parametrize(("spec", "usage"), [("HMAC_256", "GENERATE_VERIFY_MAC"), ("ECC_NIST_P256", "SIGN_VERIFY")])
def test_members_for_symmetric_keys_only(kms, kms_client, new_key, import_material, refusal, members, spec, usage):
    """Captured from AWS KMS, 2026-09."""
    key = new_key(spec, usage, Origin="EXTERNAL")
    name = next(iter(members))
    text = f"Input parameter {name[0].lower()}{name[1:]} cannot be used with {spec} imported keys."
    with refusal("ValidationException", text):
        import_material(kms_client, key, os.urandom(32), **members)


def test_other_keys_have_no_material_ids(kms, kms_client, new_key, import_material, refusal):
    """Captured from AWS KMS, 2026-09; that DeleteImportedKeyMaterial refuses the parameter too is inferred."""
    key = new_key("HMAC_256", "GENERATE_VERIFY_MAC", Origin="EXTERNAL")
    assert import_material(kms_client, key, os.urandom(32)).keys() == {"KeyId", "ResponseMetadata"}
    text = "Input parameter keyMaterialId cannot be used with HMAC_256 imported keys."
    with refusal("ValidationException", text):
        kms_client.delete_imported_key_material(KeyId=key, KeyMaterialId="0" * 64)
    assert kms_client.delete_imported_key_material(KeyId=key).keys() == {"KeyId", "ResponseMetadata"}


# --- deleting ---


def test_deleted_material_is_gone_at_once(kms_client, external, import_material):
    material = os.urandom(32)
    identity = import_material(kms_client, external, material)["KeyMaterialId"]
    answer = kms_client.delete_imported_key_material(KeyId=external)
    assert (answer["KeyId"], answer["KeyMaterialId"]) == (external, identity)
    assert state(kms_client, external) == "PendingImport"
    kms_client.delete_imported_key_material(KeyId=external)  # API: no effect, no error


def test_deleting_where_there_is_nothing(kms_client, external, refusal):
    answer = kms_client.delete_imported_key_material(KeyId=external)
    assert (answer["KeyId"], "KeyMaterialId" in answer) == (external, False)
    # Captured from AWS KMS, 2026-09
    text = f"Key material (id: {'0' * 64}) has never been imported into KMS key {external}."
    with refusal("ValidationException", text):
        kms_client.delete_imported_key_material(KeyId=external, KeyMaterialId="0" * 64)


def test_deleting_does_not_end_a_pending_deletion(kms_client, external, import_material):
    import_material(kms_client, external, os.urandom(32))
    kms_client.schedule_key_deletion(KeyId=external)
    kms_client.delete_imported_key_material(KeyId=external)
    assert state(kms_client, external) == "PendingDeletion"
    kms_client.cancel_key_deletion(KeyId=external)
    assert state(kms_client, external) == "PendingImport"


def test_an_import_enables_a_disabled_key(kms_client, external, import_material):
    """API ImportKeyMaterial: when it succeeds, the state of the key changes to Enabled.

    Captured from AWS KMS, 2026-09: so it does if the key was disabled and had the material.
    """
    material = os.urandom(32)
    import_material(kms_client, external, material)
    kms_client.disable_key(KeyId=external)
    import_material(kms_client, external, material)
    assert state(kms_client, external) == "Enabled"
    kms_client.disable_key(KeyId=external)
    import_material(kms_client, external, os.urandom(32), ImportType="NEW_KEY_MATERIAL")
    assert state(kms_client, external) == "Disabled"  # inferred: it does not need this one yet
    kms_client.delete_imported_key_material(KeyId=external)
    import_material(kms_client, external, material)
    assert state(kms_client, external) == "Enabled"


# --- multi-Region keys ---


@pytest.fixture
def pair(
    kms: KmsMock, kms_client: BaseClient, new_key: Callable[..., str], import_material: Any
) -> tuple[str, bytes, BaseClient]:
    """The id and the material of a primary key, and a client where its replica is."""
    key_id = new_key(MultiRegion=True, Origin="EXTERNAL").partition("/")[2]
    material = os.urandom(32)
    import_material(kms_client, key_id, material)
    kms_client.replicate_key(KeyId=key_id, ReplicaRegion="eu-west-1")
    return key_id, material, kms.client(region="eu-west-1")


def test_a_replica_waits_for_the_material_of_its_primary_key(kms_client, pair, import_material, refusal):
    key_id, material, abroad = pair
    assert state(abroad, key_id) == "PendingImport"
    with refusal("IncorrectKeyMaterialException"):
        import_material(abroad, key_id, os.urandom(32))
    import_material(abroad, key_id, material)
    assert state(abroad, key_id) == "Enabled"
    blob = kms_client.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    assert abroad.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_new_material_is_rotated_to_when_every_replica_has_it(kms_client, pair, import_material, refusal):
    """API ImportKeyMaterial: into the primary key as new, then into each replica as existing."""
    key_id, material, abroad = pair
    import_material(abroad, key_id, material)
    new = os.urandom(32)
    text = "Input parameter ImportType NEW_KEY_MATERIAL cannot be used on replica Multi-Region keys"
    with refusal("ValidationException", text):  # captured from AWS KMS, 2026-09
        import_material(abroad, key_id, new, ImportType="NEW_KEY_MATERIAL")
    identity = import_material(kms_client, key_id, new, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    everywhere = "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"
    assert materials(kms_client, key_id)[identity] == (everywhere, "IMPORTED")
    assert materials(abroad, key_id)[identity] == (everywhere, "PENDING_IMPORT")
    assert state(abroad, key_id) == "Enabled"
    text = (
        "Cannot perform key material rotation: Key material has not been imported for replicas of the Multi-Region key."
    )
    with refusal("KMSInvalidStateException", text):  # captured from AWS KMS, 2026-09
        kms_client.rotate_key_on_demand(KeyId=key_id)
    import_material(abroad, key_id, new, ImportType="EXISTING_KEY_MATERIAL")
    assert materials(kms_client, key_id)[identity] == ("PENDING_ROTATION", "IMPORTED")
    kms_client.rotate_key_on_demand(KeyId=key_id)
    for client in (kms_client, abroad):
        assert materials(client, key_id)[identity] == ("CURRENT", "IMPORTED")
        assert state(client, key_id) == "Enabled"
    blob = kms_client.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    assert abroad.decrypt(CiphertextBlob=blob)["KeyMaterialId"] == identity


def test_pending_material_goes_everywhere_when_the_primary_key_loses_it(kms_client, pair, import_material):
    key_id, material, abroad = pair
    import_material(abroad, key_id, material)
    new = os.urandom(32)
    identity = import_material(kms_client, key_id, new, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    import_material(abroad, key_id, new)
    abroad.delete_imported_key_material(KeyId=key_id, KeyMaterialId=identity)
    assert materials(kms_client, key_id)[identity] == ("PENDING_MULTI_REGION_IMPORT_AND_ROTATION", "IMPORTED")
    import_material(abroad, key_id, new)
    kms_client.delete_imported_key_material(KeyId=key_id, KeyMaterialId=identity)
    assert identity not in materials(kms_client, key_id)
    assert identity not in materials(abroad, key_id)


def test_a_replica_loses_its_material_alone(kms_client, pair, import_material):
    key_id, material, abroad = pair
    import_material(abroad, key_id, material)
    abroad.delete_imported_key_material(KeyId=key_id)
    assert (state(abroad, key_id), state(kms_client, key_id)) == ("PendingImport", "Enabled")


def test_a_replica_made_later_has_to_import_everything(kms, kms_client, pair, import_material):
    key_id, material, abroad = pair
    import_material(abroad, key_id, material)
    new = os.urandom(32)
    identity = import_material(kms_client, key_id, new, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    import_material(abroad, key_id, new)
    kms_client.replicate_key(KeyId=key_id, ReplicaRegion="ap-south-1")
    third = kms.client(region="ap-south-1")
    for member in (kms_client, abroad, third):
        assert materials(member, key_id)[identity][0] == "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"
    for each in (material, new):
        import_material(third, key_id, each)
    assert materials(kms_client, key_id)[identity][0] == "PENDING_ROTATION"


def test_descriptions_are_the_primary_keys(kms_client, pair, import_material, refusal):
    """Captured from AWS KMS, 2026-09: replicas list them, also before their import."""
    key_id, material, abroad = pair

    def descriptions() -> list[tuple[str, str]]:
        listed = abroad.list_key_rotations(KeyId=key_id, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
        return [(entry.get("KeyMaterialDescription", ""), entry["ImportState"]) for entry in listed]

    import_material(kms_client, key_id, material, KeyMaterialDescription="first")
    import_material(kms_client, key_id, os.urandom(32), ImportType="NEW_KEY_MATERIAL", KeyMaterialDescription="second")
    assert descriptions() == [("first", "PENDING_IMPORT"), ("second", "PENDING_IMPORT")]
    text = "Key material description can only be specified on primary Multi-Region keys"
    with refusal("ValidationException", text):
        import_material(abroad, key_id, material, KeyMaterialDescription="mine")
    import_material(abroad, key_id, material)
    assert descriptions() == [("first", "IMPORTED"), ("second", "PENDING_IMPORT")]


@pytest.mark.parametrize("delay", [0, 60])
def test_a_rotation_ends_though_a_replica_lost_its_material(kms, kms_client, pair, import_material, delay):
    """Captured from AWS KMS, 2026-09: the replica waits for an import of what is current then."""
    key_id, material, abroad = pair
    import_material(abroad, key_id, material)
    new = os.urandom(32)
    identity = import_material(kms_client, key_id, new, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    import_material(abroad, key_id, new)
    kms.delays.rotating = delay
    kms_client.rotate_key_on_demand(KeyId=key_id)
    abroad.delete_imported_key_material(KeyId=key_id, KeyMaterialId=identity)
    kms.clock.advance(seconds=delay)
    assert metadata(abroad, key_id)["CurrentKeyMaterialId"] == identity
    assert state(abroad, key_id) == "PendingImport"
    assert materials(kms_client, key_id)[identity] == ("CURRENT", "IMPORTED")
    assert state(kms_client, key_id) == "Enabled"


@pytest.mark.parametrize("delay", [0, 60])
def test_a_rotation_goes_to_the_material_that_waits_at_its_end(kms, kms_client, external, import_material, delay):
    """Captured from AWS KMS, 2026-09."""
    import_material(kms_client, external, os.urandom(32))
    second = import_material(kms_client, external, os.urandom(32), ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    kms.delays.rotating = delay
    kms_client.rotate_key_on_demand(KeyId=external)
    kms_client.delete_imported_key_material(KeyId=external, KeyMaterialId=second)
    third = import_material(kms_client, external, os.urandom(32), ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    kms.clock.advance(seconds=delay)
    assert metadata(kms_client, external)["CurrentKeyMaterialId"] == third


def test_a_replica_being_created_has_the_primary_keys_expiration_model(kms, kms_client, new_key, import_material):
    """Captured from AWS KMS, 2026-09."""
    key_id = new_key(MultiRegion=True, Origin="EXTERNAL").partition("/")[2]
    import_material(kms_client, key_id, bytes(32), ValidTo=START + timedelta(days=9))
    shown = kms_client.replicate_key(KeyId=key_id, ReplicaRegion="eu-west-1")["ReplicaKeyMetadata"]
    assert (shown["KeyState"], shown["ExpirationModel"]) == ("Creating", "KEY_MATERIAL_EXPIRES")
    assert not {"ValidTo", "CurrentKeyMaterialId"} & shown.keys()
    assert "ExpirationModel" not in metadata(kms.client(region="eu-west-1"), key_id)


@pytest.mark.parametrize("days", [(9, 20), (20, 9)], ids=str)
def test_the_earliest_expiry_is_shown_unless_any_material_is_missing(kms_client, external, import_material, days):
    """API KeyMetadata, ValidTo; captured from AWS KMS, 2026-09: not even if the current material is there."""
    old, new = (START + timedelta(days=each) for each in days)
    first = import_material(kms_client, external, os.urandom(32), ValidTo=old)["KeyMaterialId"]
    import_material(kms_client, external, os.urandom(32), ImportType="NEW_KEY_MATERIAL", ValidTo=new)
    kms_client.rotate_key_on_demand(KeyId=external)
    assert metadata(kms_client, external)["ValidTo"] == START + timedelta(days=9)
    kms_client.delete_imported_key_material(KeyId=external, KeyMaterialId=first)
    found = metadata(kms_client, external)
    assert found["KeyState"] == "PendingImport"
    assert not {"ExpirationModel", "ValidTo"} & found.keys()
