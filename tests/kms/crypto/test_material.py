"""Common behaviour of all key families, over the cross product of spec, usage and algorithm."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping

import pytest
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)
from hypothesis import given
from hypothesis import strategies as st

from pytest_kmsmock._kms.api.key_specs import ENCRYPTION_ALGORITHMS, KEY_SPECS, SIGNING_ALGORITHMS, KeySpec
from pytest_kmsmock._kms.crypto import (
    InvalidMaterial,
    Material,
    MaterialError,
    UnsupportedUse,
    generate,
    load,
)
from pytest_kmsmock._kms.entropy.key_source import expand
from pytest_kmsmock.errors import KmsMockError, MissingExtra

#: Each operation of the interface as a call that is right for some family.
USES: Mapping[str, Callable[[Material], object]] = {
    "public key": lambda m: m.public_key_der(),
    "seal": lambda m: m.seal(bytes(12), b"m", b""),
    "unseal": lambda m: m.unseal(bytes(12), bytes(16), b""),
    "encrypt": lambda m: m.encrypt(m.spec.usages.get("ENCRYPT_DECRYPT", ("",))[0], b"m"),
    "decrypt": lambda m: m.decrypt("", b"m"),
    "sign": lambda m: m.sign(m.spec.usages.get("SIGN_VERIFY", ("",))[0], b"m", "RAW"),
    "verify": lambda m: m.verify(m.spec.usages.get("SIGN_VERIFY", ("",))[0], b"m", "RAW", b"s"),
    "mac": lambda m: m.mac(m.spec.usages.get("GENERATE_VERIFY_MAC", ("",))[0], b"m"),
    "derive": lambda m: m.derive(m.public_key_der()),
    "encapsulate": lambda m: m.encapsulate(),
    "decapsulate": lambda m: m.decapsulate(b"c"),
}
#: The operations each family lacks.
LACKS: Mapping[str, set[str]] = {
    "aes": set(USES) - {"seal", "unseal"},
    "rsa": set(USES) - {"public key", "encrypt", "decrypt", "sign", "verify"},
    "ec": set(USES) - {"public key", "sign", "verify", "derive"},
    "ed25519": set(USES) - {"public key", "sign", "verify"},
    "ml_dsa": set(USES) - {"public key", "sign", "verify"},
    "ml_kem": set(USES) - {"public key", "encapsulate", "decapsulate"},
    "hmac": set(USES) - {"mac"},
    "sm2": set(USES) - {"public key", "encrypt", "decrypt", "sign", "verify", "derive"},
}


HMACS = [name for name, spec in KEY_SPECS.items() if spec.family == "hmac"]


def public_bytes(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture(scope="session")
def materials(rsa_keys: Mapping[str, Material]) -> Mapping[str, Material]:
    made = {name: generate(spec) for name, spec in KEY_SPECS.items() if name not in rsa_keys}
    return {**made, **rsa_keys}


@pytest.fixture(scope="session")
def exported(materials: Mapping[str, Material]) -> Mapping[str, Material]:
    """The same material, loaded from what is exported of it: checking a large RSA key takes a tenth of a second."""
    return {name: load(material.spec, material.private_bytes()) for name, material in materials.items()}


def cells() -> Iterator[tuple[str, str, str]]:
    for spec in KEY_SPECS.values():
        for usage, algorithms in spec.usages.items():
            for algorithm in algorithms:
                yield spec.name, usage, algorithm


def check_encryption(material: Material, again: Material, algorithm: str) -> None:
    if algorithm == "SYMMETRIC_DEFAULT":
        assert again.unseal(bytes(12), material.seal(bytes(12), b"secret", b"aad"), b"aad") == b"secret"
        return
    row = ENCRYPTION_ALGORITHMS[algorithm]
    for plaintext in (b"s", bytes(row.plaintext_limits[material.spec.name])):
        ciphertext = material.encrypt(algorithm, plaintext)
        assert again.decrypt(algorithm, ciphertext) == plaintext
        if material.spec.family == "rsa":
            assert len(ciphertext) == material.spec.bits // 8


def check_signatures(material: Material, again: Material, algorithm: str) -> None:
    for message_type, length in SIGNING_ALGORITHMS[algorithm].message_types.items():
        message, other = b"a" * (length or 100), b"b" * (length or 100)
        signature = material.sign(algorithm, message, message_type)
        assert again.verify(algorithm, message, message_type, signature)
        assert not again.verify(algorithm, other, message_type, signature)
        assert not again.verify(algorithm, message, message_type, signature[:-1])
        assert not again.verify(algorithm, message, message_type, b"")


def check_macs(material: Material, again: Material, algorithm: str) -> None:
    assert material.mac(algorithm, b"message") == again.mac(algorithm, b"message")
    assert material.mac(algorithm, b"message") != again.mac(algorithm, b"massage")


def check_agreement(material: Material, again: Material, algorithm: str) -> None:
    peer = generate(material.spec)
    assert again.derive(peer.public_key_der()) == peer.derive(material.public_key_der())
    assert len(again.derive(peer.public_key_der())) == (material.spec.bits + 7) // 8


def check_encapsulation(material: Material, again: Material, algorithm: str) -> None:
    secret, ciphertext = material.encapsulate()
    assert again.decapsulate(ciphertext) == secret
    assert len(secret) == 32


CHECKS = {
    "ENCRYPT_DECRYPT": check_encryption,
    "SIGN_VERIFY": check_signatures,
    "GENERATE_VERIFY_MAC": check_macs,
    "KEY_AGREEMENT": check_agreement,
    "ENCAPSULATE_DECAPSULATE": check_encapsulation,
}


@pytest.mark.parametrize(("spec", "usage", "algorithm"), list(cells()))
def test_each_algorithm_of_each_spec_works_and_survives_export(
    materials: Mapping[str, Material], exported: Mapping[str, Material], spec: str, usage: str, algorithm: str
) -> None:
    CHECKS[usage](materials[spec], exported[spec], algorithm)


@pytest.mark.parametrize(
    ("spec", "usage", "algorithm"),
    [
        cell
        for cell in cells()
        if cell[1] in {"ENCRYPT_DECRYPT", "SIGN_VERIFY"} and cell[2] not in {"SYMMETRIC_DEFAULT", "ML_DSA_SHAKE_256"}
    ],
)
def test_ones_own_random_bytes_decide_signatures_and_ciphertexts(
    materials: Mapping[str, Material], spec: str, usage: str, algorithm: str
) -> None:
    material = materials[spec]
    if usage == "ENCRYPT_DECRYPT":
        first, again, other = (material.encrypt(algorithm, b"m", expand(seed)) for seed in (b"a", b"a", b"b"))
        assert first == again != other
        assert material.decrypt(algorithm, first) == material.decrypt(algorithm, other) == b"m"
        return
    for message_type, length in SIGNING_ALGORITHMS[algorithm].message_types.items():
        message = b"m" * (length or 100)
        first, again = (material.sign(algorithm, message, message_type, expand(b"a")) for _ in range(2))
        assert first == again
        assert material.verify(algorithm, message, message_type, first)


@pytest.mark.parametrize("spec", KEY_SPECS)
def test_unsupported_uses_raise_with_their_name(materials: Mapping[str, Material], spec: str) -> None:
    material = materials[spec]
    for use in LACKS[material.spec.family]:
        with pytest.raises(UnsupportedUse, match=f"^{spec} has no "):
            USES[use](material)


@pytest.mark.parametrize("spec", KEY_SPECS)
def test_supported_uses_work(materials: Mapping[str, Material], spec: str) -> None:
    material = materials[spec]
    # Those that are called with nonsense here are covered by the cross product.
    for use in set(USES) - LACKS[material.spec.family] - {"unseal", "decrypt", "decapsulate"}:
        USES[use](material)


@pytest.mark.parametrize("spec", sorted(set(KEY_SPECS) - {"SYMMETRIC_DEFAULT", "SM2", "ML_KEM_512"} - set(HMACS)))
def test_cryptography_reads_the_same_key_from_both_structures(materials: Mapping[str, Material], spec: str) -> None:
    private = load_der_private_key(materials[spec].private_bytes(), None)
    public = load_der_public_key(materials[spec].public_key_der())
    assert public_bytes(private.public_key()) == public_bytes(public) == materials[spec].public_key_der()


@pytest.mark.parametrize("spec", [name for name, spec in KEY_SPECS.items() if spec.family != "rsa"])
def test_material_is_a_function_of_the_random_bytes(spec: str) -> None:
    first, again, other = (
        generate(KEY_SPECS[spec], expand(seed)).private_bytes() for seed in (b"seed", b"seed", b"other")
    )
    assert first == again != other


@pytest.mark.parametrize("spec", KEY_SPECS.values(), ids=lambda spec: spec.name)
@given(data=st.binary(max_size=80).filter(lambda data: len(data) not in {16, 28, 32, 48, 64}))
def test_invalid_material_is_rejected(spec: KeySpec, data: bytes) -> None:
    with pytest.raises(InvalidMaterial):
        load(spec, data)


@pytest.mark.parametrize("spec", sorted(set(KEY_SPECS) - {"SYMMETRIC_DEFAULT", *HMACS}))
def test_private_keys_of_other_specs_are_refused(materials: Mapping[str, Material], spec: str) -> None:
    for other in set(KEY_SPECS) - {spec}:
        with pytest.raises(InvalidMaterial):
            load(KEY_SPECS[spec], materials[other].private_bytes())


@pytest.mark.parametrize("spec", sorted(set(KEY_SPECS) - {"SYMMETRIC_DEFAULT", *HMACS}))
def test_private_keys_with_anything_missing_or_added_are_refused(materials: Mapping[str, Material], spec: str) -> None:
    whole = materials[spec].private_bytes()
    for damaged in (whole[:-1], whole + b"\0", whole[1:], b"\x31" + whole[1:]):
        with pytest.raises(InvalidMaterial):
            load(KEY_SPECS[spec], damaged)


def test_material_is_shown_without_its_secret(materials: Mapping[str, Material]) -> None:
    assert repr(materials["HMAC_256"]) == "<HmacMaterial HMAC_256>"
    assert repr(materials["RSA_2048"]) == "<RsaMaterial RSA_2048>"


def test_material_never_changes(materials: Mapping[str, Material]) -> None:
    for material in materials.values():
        with pytest.raises(AttributeError):
            material.spec = KEY_SPECS["SM2"]


def test_errors_of_the_mathematics_are_value_errors() -> None:
    assert issubclass(InvalidMaterial, MaterialError)
    assert issubclass(MaterialError, ValueError)


@pytest.mark.parametrize(
    ("module", "act", "feature", "package"),
    [
        pytest.param(
            "kyber_py.ml_kem",
            lambda: generate(KEY_SPECS["ML_KEM_512"]),
            "ML_KEM_512",
            "kyber-py",
            id="ML-KEM-512",
        ),
        pytest.param(
            "cryptography.hazmat.primitives.asymmetric.mlkem",
            lambda: generate(KEY_SPECS["ML_KEM_768"]),
            "ML_KEM_768",
            "cryptography>=49",
            id="ML-KEM-768",
        ),
        pytest.param(
            "cryptography.hazmat.primitives.asymmetric.mldsa",
            lambda: generate(KEY_SPECS["ML_DSA_65"]),
            "ML_DSA_65",
            "cryptography>=49",
            id="ML-DSA",
        ),
        pytest.param(
            "Crypto.Hash",
            lambda: generate(KEY_SPECS["ECC_NIST_EDWARDS25519"]).sign("ED25519_PH_SHA_512", bytes(64), "DIGEST"),
            "ED25519_PH_SHA_512",
            "pycryptodome",
            id="Ed25519ph",
        ),
        pytest.param(
            "Crypto.PublicKey.RSA",
            lambda: generate(KEY_SPECS["RSA_2048"], expand(b"seed")),
            "RSA from seeded random bytes",
            "pycryptodome",
            id="seeded RSA",
        ),
    ],
)
def test_a_missing_package_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, module: str, act: Callable[[], object], feature: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delattr(module, raising=False)
    with pytest.raises(MissingExtra) as caught:
        act()
    assert isinstance(caught.value, KmsMockError)
    assert (caught.value.feature, caught.value.package) == (feature, package)
    assert str(caught.value) == (
        f"{feature} needs the package {package}, which is not installed: pip install 'pytest-kmsmock[algorithms]'"
    )
