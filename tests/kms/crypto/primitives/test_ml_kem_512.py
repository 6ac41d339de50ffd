"""ML-KEM-512 against published vectors; what all parameter sets have in common is in test_ml_kem."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from kyber_py.ml_kem import ML_KEM_512

from pytest_kmsmock._kms.api.key_specs import KEY_SPECS
from pytest_kmsmock._kms.crypto import DecryptionFailed, Material, generate
from pytest_kmsmock._kms.crypto.primitives.ml_kem_512 import MLKEM512PrivateKey, MLKEM512PublicKey

FOLDER = Path(__file__).parents[1] / "vectors"
VECTORS = json.loads((FOLDER / "ml_kem_512.json").read_text())
ACVP = json.loads((FOLDER / "ml_kem_512_acvp.json").read_text())


def material_of(seed: str) -> Material:
    return generate(KEY_SPECS["ML_KEM_512"], lambda length: bytes.fromhex(seed)[:length])


def encapsulation_key(material: Material) -> bytes:
    return material.public_key_der()[-800:]


@pytest.mark.parametrize("case", VECTORS["kat"])
def test_known_answers(case: dict[str, str]) -> None:
    material = material_of(case["seed"])
    assert encapsulation_key(material).hex() == case["ek"]
    assert material.decapsulate(bytes.fromhex(case["c"])).hex() == case["K"]
    assert material.decapsulate(bytes.fromhex(case["altered_c"])).hex() == case["altered_K"]


@pytest.mark.parametrize("case", VECTORS["mlkem_512"], ids=lambda case: f"wycheproof-{case['tcId']}")
def test_wycheproof_decapsulation(case: dict[str, str]) -> None:
    if case["result"] == "valid":
        material = material_of(case["seed"])
        assert encapsulation_key(material).hex() == case["ek"]
        assert material.decapsulate(bytes.fromhex(case["c"])).hex() == case["K"]
    else:
        # The seed is the wrong one here, too short.
        with pytest.raises(ValueError, match="64 bytes"):
            MLKEM512PrivateKey.from_seed_bytes(bytes.fromhex(case["seed"]))


def acvp_id(case: dict[str, str]) -> str:
    return f"acvp-{case['tcId']}"


@pytest.mark.parametrize("case", ACVP["keyGen"], ids=acvp_id)
def test_acvp_key_generation(case: dict[str, str]) -> None:
    key = MLKEM512PrivateKey.from_seed_bytes(bytes.fromhex(case["d"] + case["z"]))
    assert key.public_key().public_bytes_raw().hex() == case["ek"]
    assert key._decapsulation_key.hex() == case["dk"]
    assert encapsulation_key(material_of(case["d"] + case["z"])).hex() == case["ek"]


@pytest.mark.parametrize("case", ACVP["encapsulation"], ids=acvp_id)
def test_acvp_encapsulation(case: dict[str, str]) -> None:
    kem = copy.copy(ML_KEM_512)
    kem.random_bytes = lambda length: bytes.fromhex(case["m"])[:length]
    secret, ciphertext = MLKEM512PublicKey(kem, bytes.fromhex(case["ek"])).encapsulate()
    assert (secret.hex(), ciphertext.hex()) == (case["k"], case["c"])


@pytest.mark.parametrize("case", ACVP["decapsulation"], ids=lambda case: f"{acvp_id(case)}-{case['reason']}")
def test_acvp_decapsulation(case: dict[str, str]) -> None:
    # NIST gives the key without its seed; the ciphertexts called modified are rejected implicitly.
    key = MLKEM512PrivateKey(ML_KEM_512, b"", b"", bytes.fromhex(case["dk"]))
    assert key.decapsulate(bytes.fromhex(case["c"])).hex() == case["k"]


def test_the_key_keeps_its_seed() -> None:
    seed = VECTORS["kat"][0]["seed"]
    assert material_of(seed).private_bytes()[-64:].hex() == seed


def test_a_ciphertext_of_another_length_is_invalid() -> None:
    with pytest.raises(DecryptionFailed):
        material_of(VECTORS["kat"][0]["seed"]).decapsulate(bytes(767))


def test_the_public_key_is_shown_without_the_library() -> None:
    shown = repr(MLKEM512PrivateKey.from_seed_bytes(bytes(64)).public_key())
    assert shown.startswith("MLKEM512PublicKey(_encapsulation_key=b")
