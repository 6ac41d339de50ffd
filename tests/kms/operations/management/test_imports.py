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
from pytest_kmsmock._kms.crypto import generate
from pytest_kmsmock._mock.kms_mock import KmsMock

START = datetime(2030, 1, 1, tzinfo=timezone.utc)
NEVER = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}


@pytest.fixture
def kms(kms_mock: KmsMock) -> KmsMock:
    kms_mock.clock.freeze(START)
    return kms_mock


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


def test_a_key_waits_for_its_material(kms: KmsMock, kms_client: BaseClient, external: str, refusal: Any) -> None:
    found = metadata(kms_client, external)
    assert (found["KeyState"], found["Enabled"], found["Origin"]) == ("PendingImport", False, "EXTERNAL")
    assert not {"CurrentKeyMaterialId", "ExpirationModel", "ValidTo"} & found.keys()
    with refusal("KMSInvalidStateException", f"{external} is pending import."):
        kms_client.encrypt(KeyId=external, Plaintext=b"x")


def test_imported_material_enables_the_key(
    kms: KmsMock, kms_client: BaseClient, external: str, import_material: Any
) -> None:
    answer = import_material(kms_client, external, os.urandom(32))
    found = metadata(kms_client, external)
    assert answer["KeyId"] == external
    assert (found["KeyState"], found["Enabled"]) == ("Enabled", True)
    assert found["ExpirationModel"] == "KEY_MATERIAL_DOES_NOT_EXPIRE"
    assert found["CurrentKeyMaterialId"] == answer["KeyMaterialId"]
    blob = kms_client.encrypt(KeyId=external, Plaintext=b"x")["CiphertextBlob"]
    assert kms_client.decrypt(CiphertextBlob=blob)["KeyMaterialId"] == answer["KeyMaterialId"]


def test_parameters_are_valid_for_24_hours(kms: KmsMock, kms_client: BaseClient, external: str, refusal: Any) -> None:
    given = parameters(kms_client, external)
    assert given["KeyId"] == external
    assert given["ParametersValidTo"] == START + timedelta(hours=24)
    kms.clock.advance(hours=24, milliseconds=1)
    with refusal("ExpiredImportTokenException"):
        kms_client.import_key_material(
            KeyId=external, ImportToken=given["ImportToken"], EncryptedKeyMaterial=bytes(256), **NEVER
        )


def test_every_public_key_is_another(kms: KmsMock, kms_client: BaseClient, external: str) -> None:
    assert parameters(kms_client, external)["PublicKey"] != parameters(kms_client, external)["PublicKey"]


def test_openssl_wraps_a_symmetric_key(
    kms: KmsMock, kms_client: BaseClient, external: str, openssl: Any, private_bytes: Any
) -> None:
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


def test_openssl_wraps_a_private_key_in_two_steps(
    kms: KmsMock, kms_client: BaseClient, new_key: Callable[..., str], openssl: Any
) -> None:
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
    ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", lambda: pkcs8(ed25519.Ed25519PrivateKey.generate()), (*KEY_WRAP, *OAEP)),
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
    kms: KmsMock,
    kms_client: BaseClient,
    new_key: Callable[..., str],
    import_material: Any,
    private_bytes: Any,
    spec: str,
    usage: str,
    make: Callable[[], bytes],
    algorithm: str,
) -> None:
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
        pytest.param("ML_DSA_44", "SIGN_VERIFY", "RSA_AES_KEY_WRAP_SHA_256", "RSA_2048", id="guide: no ML-DSA"),
        pytest.param("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "SM2PKE", "SM2", id="guide: SM2 in China only"),
        pytest.param("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "RSAES_OAEP_SHA_256", "SM2", id="guide: SM2 key in China"),
    ],
)
def test_wrappings_that_aws_does_not_support(
    kms: KmsMock,
    kms_client: BaseClient,
    new_key: Callable[..., str],
    refusal: Any,
    spec: str,
    usage: str,
    algorithm: str,
    wrapping_spec: str,
) -> None:
    key = new_key(spec, usage, Origin="EXTERNAL")
    with refusal("UnsupportedOperationException"):
        kms_client.get_parameters_for_import(KeyId=key, WrappingAlgorithm=algorithm, WrappingKeySpec=wrapping_spec)


def test_a_longer_key_wraps_p521(kms: KmsMock, kms_client: BaseClient, new_key: Any, import_material: Any) -> None:
    key = new_key("ECC_NIST_P521", "SIGN_VERIFY", Origin="EXTERNAL")
    import_material(kms_client, key, pkcs8(ec.generate_private_key(ec.SECP521R1())), wrapping_spec="RSA_3072")
    assert state(kms_client, key) == "Enabled"


def test_china_has_no_key_wrap(kms: KmsMock, china: BaseClient, refusal: Any) -> None:
    key = china.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY", Origin="EXTERNAL")["KeyMetadata"]["Arn"]
    with refusal("UnsupportedOperationException", "Wrapping algorithm RSA_AES_KEY_WRAP_SHA_256 is not supported in "
                 "this Region."):  # fmt: skip
        china.get_parameters_for_import(
            KeyId=key, WrappingAlgorithm="RSA_AES_KEY_WRAP_SHA_256", WrappingKeySpec="RSA_2048"
        )


@pytest.mark.parametrize(("spec", "usage"), [("SM2", "SIGN_VERIFY"), ("ECC_NIST_P256", "SIGN_VERIFY")])
def test_sm2_wraps_private_keys_in_china(
    kms: KmsMock, china: BaseClient, private_bytes: Any, openssl: Any, spec: str, usage: str
) -> None:
    key = china.create_key(KeySpec=spec, KeyUsage=usage, Origin="EXTERNAL")["KeyMetadata"]["Arn"]
    given = china.get_parameters_for_import(KeyId=key, WrappingAlgorithm="SM2PKE", WrappingKeySpec="SM2")
    material = generate(KEY_SPECS[spec]).private_bytes()
    wrapped = openssl(
        "pkeyutl", "-encrypt", "-in", "{material}", "-inkey", "{key}", "-keyform", "DER", "-pubin",
        material=material, key=given["PublicKey"],
    )  # fmt: skip
    china.import_key_material(KeyId=key, ImportToken=given["ImportToken"], EncryptedKeyMaterial=wrapped, **NEVER)
    assert private_bytes(key) == material


def test_symmetric_keys_of_china_have_16_bytes(
    kms: KmsMock, china: BaseClient, import_material: Any, refusal: Any
) -> None:
    key = china.create_key(Origin="EXTERNAL")["KeyMetadata"]["Arn"]
    with refusal("IncorrectKeyMaterialException"):
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
    kms: KmsMock,
    kms_client: BaseClient,
    new_key: Callable[..., str],
    import_material: Any,
    refusal: Any,
    spec: str,
    usage: str,
    algorithm: str,
    material: bytes,
) -> None:
    key = new_key(spec, usage, Origin="EXTERNAL")
    with refusal("IncorrectKeyMaterialException"):
        import_material(kms_client, key, material, algorithm=algorithm)
    assert state(kms_client, key) == "PendingImport"


def test_the_token_of_another_key(
    kms: KmsMock, kms_client: BaseClient, external: str, new_key: Callable[..., str], refusal: Any
) -> None:
    token = parameters(kms_client, new_key(Origin="EXTERNAL"))["ImportToken"]
    with refusal("InvalidImportTokenException"):
        kms_client.import_key_material(KeyId=external, ImportToken=token, EncryptedKeyMaterial=bytes(256), **NEVER)


@pytest.mark.parametrize("damage", [lambda token: token[:1], lambda token: token[:-1], lambda token: b"?" + token[1:]])
def test_a_damaged_token(
    kms: KmsMock, kms_client: BaseClient, external: str, refusal: Any, damage: Callable[[bytes], bytes]
) -> None:
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
def test_wrapped_bytes_of_an_impossible_length(
    kms: KmsMock,
    kms_client: BaseClient,
    new_key: Callable[..., str],
    refusal: Any,
    spec: str,
    algorithm: str,
    length: int,
) -> None:
    usage = "ENCRYPT_DECRYPT" if spec == "SYMMETRIC_DEFAULT" else "SIGN_VERIFY"
    key = new_key(spec, usage, Origin="EXTERNAL")
    token = parameters(kms_client, key, algorithm)["ImportToken"]
    with refusal("ValidationException", "Invalid encrypted key size."):
        kms_client.import_key_material(KeyId=key, ImportToken=token, EncryptedKeyMaterial=bytes(length), **NEVER)


def test_material_wrapped_for_another_token(
    kms: KmsMock, kms_client: BaseClient, external: str, refusal: Any, wrap: Any
) -> None:
    wrapped = wrap(parameters(kms_client, external)["PublicKey"], OAEP[0], bytes(32))
    with refusal("InvalidCiphertextException"):
        kms_client.import_key_material(
            KeyId=external,
            ImportToken=parameters(kms_client, external)["ImportToken"],
            EncryptedKeyMaterial=wrapped,
            **NEVER,
        )


@pytest.mark.parametrize("aes_length", [16, 32])
def test_two_steps_that_do_not_fit(
    kms: KmsMock, kms_client: BaseClient, new_key: Callable[..., str], refusal: Any, wrap: Any, aes_length: int
) -> None:
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
def test_keys_of_another_origin(
    kms: KmsMock, kms_client: BaseClient, new_key: Callable[..., str], refusal: Any, operation: str, origin: str
) -> None:
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
            "ValidTo must be at most 365 days from the request date",
            id="API: 365 days at most",
        ),
        pytest.param(
            {"ValidTo": START + timedelta(days=1), **NEVER},
            "A validTo date must not be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE",
            id="API: not with both",
        ),
    ],
)
def test_expiry_must_make_sense(
    kms: KmsMock, kms_client: BaseClient, external: str, refusal: Any, members: dict[str, Any], text: str
) -> None:
    with refusal("ValidationException", text):
        kms_client.import_key_material(KeyId=external, ImportToken=b"?", EncryptedKeyMaterial=b"?", **members)


def test_expired_material_is_deleted_and_can_come_back(
    kms: KmsMock, kms_client: BaseClient, external: str, import_material: Any
) -> None:
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
    assert kms._service.state.events[-1].name == "DeleteExpiredKeyMaterial"
    assert import_material(kms_client, external, material)["KeyMaterialId"] == identity
    kms.clock.advance(days=400)
    assert kms_client.decrypt(CiphertextBlob=blob)["Plaintext"] == b"kept"


def test_a_new_import_of_the_same_material_changes_its_expiry(
    kms: KmsMock, kms_client: BaseClient, external: str, import_material: Any
) -> None:
    material = os.urandom(32)
    import_material(kms_client, external, material, ValidTo=START + timedelta(days=10))
    import_material(kms_client, external, material, ValidTo=START + timedelta(days=20))
    kms.clock.advance(days=15)
    assert state(kms_client, external) == "Enabled"
    kms.clock.advance(days=5)
    assert state(kms_client, external) == "PendingImport"


# --- the same material again, and none other ---


def test_other_material_is_refused_after_the_first(
    kms: KmsMock, kms_client: BaseClient, external: str, import_material: Any, refusal: Any
) -> None:
    import_material(kms_client, external, os.urandom(32))
    kms_client.delete_imported_key_material(KeyId=external)
    with refusal("IncorrectKeyMaterialException"):
        import_material(kms_client, external, os.urandom(32))


def test_private_keys_keep_their_first_material_for_ever(
    kms: KmsMock, kms_client: BaseClient, new_key: Callable[..., str], import_material: Any, refusal: Any
) -> None:
    key = new_key("ECC_NIST_P256", "SIGN_VERIFY", Origin="EXTERNAL")
    first = pkcs8(ec.generate_private_key(ec.SECP256R1()))
    import_material(kms_client, key, first)
    with refusal("IncorrectKeyMaterialException"):
        import_material(kms_client, key, pkcs8(ec.generate_private_key(ec.SECP256R1())))
    kms_client.delete_imported_key_material(KeyId=key)
    assert state(kms_client, key) == "PendingImport"
    import_material(kms_client, key, first)
    assert state(kms_client, key) == "Enabled"


def test_material_ids_depend_on_key_and_material(
    kms: KmsMock, kms_client: BaseClient, new_key: Callable[..., str], import_material: Any
) -> None:
    one, other = new_key(Origin="EXTERNAL"), new_key(Origin="EXTERNAL")
    material = os.urandom(32)
    identity = import_material(kms_client, one, material)["KeyMaterialId"]
    assert import_material(kms_client, one, material)["KeyMaterialId"] == identity
    assert import_material(kms_client, other, material)["KeyMaterialId"] != identity
    assert len(identity) == 64


def test_the_same_material_in_two_keys_does_not_make_their_ciphertexts_the_same(
    kms: KmsMock, kms_client: BaseClient, new_key: Callable[..., str], import_material: Any, refusal: Any
) -> None:
    one, other = new_key(Origin="EXTERNAL"), new_key(Origin="EXTERNAL")
    material = os.urandom(32)
    for key in (one, other):
        import_material(kms_client, key, material)
    blob = kms_client.encrypt(KeyId=one, Plaintext=b"x")["CiphertextBlob"]
    with refusal("IncorrectKeyException"):
        kms_client.decrypt(CiphertextBlob=blob, KeyId=other)


# --- several materials ---


def test_new_material_waits_for_its_rotation(
    kms: KmsMock, kms_client: BaseClient, external: str, import_material: Any, refusal: Any
) -> None:
    first = import_material(kms_client, external, os.urandom(32))["KeyMaterialId"]
    blob = kms_client.encrypt(KeyId=external, Plaintext=b"old")["CiphertextBlob"]
    with refusal("KMSInvalidStateException"):
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
            "KeyId": external.partition("/")[2],
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


def test_a_key_needs_all_its_materials(
    kms: KmsMock, kms_client: BaseClient, external: str, import_material: Any, refusal: Any
) -> None:
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


def test_the_description_is_kept_when_none_is_given(
    kms: KmsMock, kms_client: BaseClient, external: str, import_material: Any
) -> None:
    material = os.urandom(32)
    import_material(kms_client, external, material, KeyMaterialDescription="from the vault")
    kms_client.delete_imported_key_material(KeyId=external)
    import_material(kms_client, external, material)
    entry = kms_client.list_key_rotations(KeyId=external, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"][0]
    assert entry["KeyMaterialDescription"] == "from the vault"


def test_pending_material_is_not_bound_to_the_key(
    kms: KmsMock, kms_client: BaseClient, external: str, import_material: Any, refusal: Any
) -> None:
    """API RotationsListEntry: it can be deleted and other material imported in its place."""
    first = import_material(kms_client, external, os.urandom(32))["KeyMaterialId"]
    pending = import_material(kms_client, external, os.urandom(32), ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    with refusal("KMSInvalidStateException"):
        import_material(kms_client, external, os.urandom(32), ImportType="NEW_KEY_MATERIAL")
    kms_client.delete_imported_key_material(KeyId=external, KeyMaterialId=pending)
    assert materials(kms_client, external) == {first: ("CURRENT", "IMPORTED")}
    assert state(kms_client, external) == "Enabled"
    expiring = import_material(
        kms_client, external, os.urandom(32), ImportType="NEW_KEY_MATERIAL", ValidTo=START + timedelta(days=1)
    )["KeyMaterialId"]
    assert expiring in materials(kms_client, external)
    kms.clock.advance(days=1)
    assert materials(kms_client, external) == {first: ("CURRENT", "IMPORTED")}


def test_a_rotation_under_way_comes_to_nothing_when_its_material_is_deleted(
    kms: KmsMock, kms_client: BaseClient, external: str, import_material: Any
) -> None:
    first = import_material(kms_client, external, os.urandom(32))["KeyMaterialId"]
    second = import_material(kms_client, external, os.urandom(32), ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    kms.delays.rotating = 60
    kms_client.rotate_key_on_demand(KeyId=external)
    kms_client.delete_imported_key_material(KeyId=external, KeyMaterialId=second)
    kms.clock.advance(minutes=1)
    assert materials(kms_client, external) == {first: ("CURRENT", "IMPORTED")}
    assert kms._service.state.events == []


def test_import_type_and_material_id_must_agree_with_the_material(
    kms: KmsMock, kms_client: BaseClient, external: str, import_material: Any, refusal: Any
) -> None:
    material = os.urandom(32)
    with refusal("IncorrectKeyMaterialException"):  # nothing to import again
        import_material(kms_client, external, material, ImportType="EXISTING_KEY_MATERIAL")
    with refusal("ValidationException"):
        import_material(kms_client, external, material, ImportType="NEW_KEY_MATERIAL", KeyMaterialId="0" * 64)
    with refusal("ValidationException"):  # the first import is one of new material if it does not say
        import_material(kms_client, external, material, KeyMaterialId="0" * 64)
    identity = import_material(kms_client, external, material)["KeyMaterialId"]
    with refusal("IncorrectKeyMaterialException"):  # known already
        import_material(kms_client, external, material, ImportType="NEW_KEY_MATERIAL")
    with refusal("IncorrectKeyMaterialException"):  # another id than that of the material
        import_material(kms_client, external, material, KeyMaterialId="0" * 64)
    import_material(kms_client, external, material, KeyMaterialId=identity)


@pytest.mark.parametrize(
    "members",
    [
        {"ImportType": "NEW_KEY_MATERIAL"},
        {"KeyMaterialDescription": "of 2030"},
        {"KeyMaterialId": "0" * 64},
    ],
    ids=lambda members: "API: symmetric only: " + next(iter(members)),
)
def test_members_for_symmetric_keys_only(
    kms: KmsMock,
    kms_client: BaseClient,
    new_key: Callable[..., str],
    import_material: Any,
    refusal: Any,
    members: dict[str, str],
) -> None:
    key = new_key("HMAC_256", "GENERATE_VERIFY_MAC", Origin="EXTERNAL")
    with refusal("UnsupportedOperationException"):
        import_material(kms_client, key, os.urandom(32), **members)


# --- deleting ---


def test_deleted_material_is_gone_at_once(
    kms: KmsMock, kms_client: BaseClient, external: str, import_material: Any
) -> None:
    material = os.urandom(32)
    identity = import_material(kms_client, external, material)["KeyMaterialId"]
    answer = kms_client.delete_imported_key_material(KeyId=external)
    assert (answer["KeyId"], answer["KeyMaterialId"]) == (external, identity)
    assert state(kms_client, external) == "PendingImport"
    kms_client.delete_imported_key_material(KeyId=external)  # API: no effect, no error


def test_deleting_where_there_is_nothing(kms: KmsMock, kms_client: BaseClient, external: str, refusal: Any) -> None:
    answer = kms_client.delete_imported_key_material(KeyId=external)
    assert (answer["KeyId"], "KeyMaterialId" in answer) == (external, False)
    with refusal("NotFoundException"):
        kms_client.delete_imported_key_material(KeyId=external, KeyMaterialId="0" * 64)


def test_deleting_does_not_end_a_pending_deletion(
    kms: KmsMock, kms_client: BaseClient, external: str, import_material: Any
) -> None:
    import_material(kms_client, external, os.urandom(32))
    kms_client.schedule_key_deletion(KeyId=external)
    kms_client.delete_imported_key_material(KeyId=external)
    assert state(kms_client, external) == "PendingDeletion"
    kms_client.cancel_key_deletion(KeyId=external)
    assert state(kms_client, external) == "PendingImport"


def test_an_import_enables_whatever_was_asked_for_before(
    kms: KmsMock, kms_client: BaseClient, external: str, import_material: Any
) -> None:
    """API ImportKeyMaterial: when it succeeds, the state of the key changes to Enabled."""
    material = os.urandom(32)
    import_material(kms_client, external, material)
    kms_client.disable_key(KeyId=external)
    import_material(kms_client, external, material)
    assert state(kms_client, external) == "Disabled"  # it had its material
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


def test_a_replica_waits_for_the_material_of_its_primary_key(
    kms: KmsMock, kms_client: BaseClient, pair: tuple[str, bytes, BaseClient], import_material: Any, refusal: Any
) -> None:
    key_id, material, abroad = pair
    assert state(abroad, key_id) == "PendingImport"
    with refusal("IncorrectKeyMaterialException"):
        import_material(abroad, key_id, os.urandom(32))
    import_material(abroad, key_id, material)
    assert state(abroad, key_id) == "Enabled"
    blob = kms_client.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    assert abroad.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_new_material_is_rotated_to_when_every_replica_has_it(
    kms: KmsMock, kms_client: BaseClient, pair: tuple[str, bytes, BaseClient], import_material: Any, refusal: Any
) -> None:
    """API ImportKeyMaterial: into the primary key as new, then into each replica as existing."""
    key_id, material, abroad = pair
    import_material(abroad, key_id, material)
    new = os.urandom(32)
    with refusal("UnsupportedOperationException"):
        import_material(abroad, key_id, new, ImportType="NEW_KEY_MATERIAL")
    identity = import_material(kms_client, key_id, new, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    everywhere = "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"
    assert materials(kms_client, key_id)[identity] == (everywhere, "IMPORTED")
    assert materials(abroad, key_id)[identity] == (everywhere, "PENDING_IMPORT")
    assert state(abroad, key_id) == "Enabled"
    with refusal("KMSInvalidStateException"):
        kms_client.rotate_key_on_demand(KeyId=key_id)
    import_material(abroad, key_id, new, ImportType="EXISTING_KEY_MATERIAL")
    assert materials(kms_client, key_id)[identity] == ("PENDING_ROTATION", "IMPORTED")
    kms_client.rotate_key_on_demand(KeyId=key_id)
    for client in (kms_client, abroad):
        assert materials(client, key_id)[identity] == ("CURRENT", "IMPORTED")
        assert state(client, key_id) == "Enabled"
    blob = kms_client.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    assert abroad.decrypt(CiphertextBlob=blob)["KeyMaterialId"] == identity


def test_pending_material_goes_everywhere_when_the_primary_key_loses_it(
    kms: KmsMock, kms_client: BaseClient, pair: tuple[str, bytes, BaseClient], import_material: Any
) -> None:
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


def test_a_replica_loses_its_material_alone(
    kms: KmsMock, kms_client: BaseClient, pair: tuple[str, bytes, BaseClient], import_material: Any
) -> None:
    key_id, material, abroad = pair
    import_material(abroad, key_id, material)
    abroad.delete_imported_key_material(KeyId=key_id)
    assert (state(abroad, key_id), state(kms_client, key_id)) == ("PendingImport", "Enabled")


def test_a_replica_made_later_has_to_import_everything(
    kms: KmsMock, kms_client: BaseClient, pair: tuple[str, bytes, BaseClient], import_material: Any
) -> None:
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
