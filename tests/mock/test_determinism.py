"""`mock_kms(deterministic=True)`: the same in every run, in every order and at every depth."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timezone
from typing import Any

import pytest

from pytest_kmsmock import KmsMock, mock_kms
from pytest_kmsmock._kms.api.key_specs import KEY_SPECS

START = datetime(2026, 1, 1, tzinfo=timezone.utc)


def story(kms: KmsMock) -> list[Any]:
    """Do a bit of everything, and return what came of it."""
    client = kms.client()
    key = client.create_key(Description="first")["KeyMetadata"]
    key_id = key["KeyId"]
    encrypted = client.encrypt(KeyId=key_id, Plaintext=b"secret", EncryptionContext={"a": "b"})
    return [
        key,
        encrypted["CiphertextBlob"],
        encrypted["ResponseMetadata"]["RequestId"],
        client.generate_data_key(KeyId=key_id, KeySpec="AES_256")["Plaintext"],
        client.generate_random(NumberOfBytes=20)["Plaintext"],
        client.generate_data_key_pair(KeyId=key_id, KeyPairSpec="ECC_NIST_P256")["PrivateKeyCiphertextBlob"],
        client.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"],
    ]


def test_two_mocks_tell_the_same_story() -> None:
    with mock_kms(deterministic=True) as first:
        expected = story(first)
    with mock_kms(deterministic=True) as second:
        assert story(second) == expected


def test_two_processes_tell_the_same_story(run_python):
    told = run_python("""
        from pytest_kmsmock import mock_kms
        with mock_kms(deterministic=True) as kms:
            key = kms.client().create_key()["KeyMetadata"]["KeyId"]
            print(key, kms.client().encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"].hex(), end="")
    """)
    with mock_kms(deterministic=True) as kms:
        key = kms.client().create_key()["KeyMetadata"]["KeyId"]
        blob = kms.client().encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert told == f"{key} {blob.hex()}"


def test_without_the_option_nothing_repeats() -> None:
    with mock_kms() as first:
        before = story(first)
    with mock_kms() as second:
        assert all(one != other for one, other in zip(before, story(second), strict=True))


def test_bytes_are_not_used_twice() -> None:
    with mock_kms(deterministic=True) as kms:
        key, blob, _, data_key, random, pair, other_key = story(kms)
        assert len({blob, data_key, random, pair}) == 4
        blobs = {kms.client().encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"] for _ in range(10)}
        assert len(blobs) == 10
    assert key["KeyId"] != other_key


def test_a_nested_mock_repeats_nothing_of_the_outer_one() -> None:
    with mock_kms(deterministic=True) as outer:
        first = outer.client().create_key()["KeyMetadata"]["KeyId"]
        with mock_kms() as inner:  # inherits the option
            nested = inner.client().create_key()["KeyMetadata"]["KeyId"]
            with mock_kms() as innermost:
                deepest = innermost.client().create_key()["KeyMetadata"]["KeyId"]
                assert set(innermost.keys) == {first, nested, deepest}
    assert len({first, nested, deepest}) == 3


def test_what_a_nested_mock_does_changes_nothing_for_the_outer_one() -> None:
    def keys(*, nested: bool) -> list[str]:
        with mock_kms(deterministic=True) as kms:
            made = [kms.client().create_key()["KeyMetadata"]["KeyId"]]
            if nested:
                with mock_kms() as inner:
                    story(inner)
            return [*made, kms.client().create_key()["KeyMetadata"]["KeyId"]]

    assert keys(nested=True) == keys(nested=False)


def test_a_nested_mock_sees_the_same_wherever_the_outer_one_stands() -> None:
    with mock_kms(deterministic=True) as outer:
        with mock_kms() as inner:
            before = inner.client().create_key()["KeyMetadata"]["KeyId"]
        story(outer)
        with mock_kms() as inner:
            assert inner.client().create_key()["KeyMetadata"]["KeyId"] == before


def test_a_fresh_mock_inside_another_is_as_if_alone() -> None:
    with mock_kms(deterministic=True) as alone:
        expected = story(alone)
    with mock_kms(deterministic=True), mock_kms(fresh=True, deterministic=True) as fresh:
        assert story(fresh) == expected


def test_refused_calls_do_not_change_what_later_ones_get() -> None:
    def key(*, refused: int) -> str:
        with mock_kms(deterministic=True) as kms:
            client = kms.client()
            for _ in range(refused):
                with pytest.raises(client.exceptions.NotFoundException):
                    client.describe_key(KeyId="alias/missing")
            return str(client.create_key()["KeyMetadata"]["KeyId"])

    assert key(refused=3) == key(refused=0)


def test_the_clock_stands_still() -> None:
    with mock_kms(deterministic=True) as kms:
        key = kms.client().create_key()["KeyMetadata"]
        assert key["CreationDate"] == kms.clock.now() == START
        kms.clock.advance(days=1)
        with mock_kms() as inner:
            assert inner.clock.now() == datetime(2026, 1, 2, tzinfo=timezone.utc)
    with mock_kms(), mock_kms(deterministic=True) as kms:
        assert kms.clock.now() == START


def test_the_option_can_be_switched_off_inside() -> None:
    def key() -> str:
        with mock_kms(deterministic=True), mock_kms(deterministic=False) as kms:
            return str(kms.client().create_key()["KeyMetadata"]["KeyId"])

    assert key() != key()


def _materials() -> dict[str, str]:
    with mock_kms(deterministic=True) as kms:
        for spec in KEY_SPECS:
            region = "cn-north-1" if spec == "SM2" else None
            usage = next(iter(KEY_SPECS[spec].usages))
            kms.create_key(alias=f"alias/{spec}", spec=spec, usage=usage, region=region)
        china = f"arn:aws-cn:kms:cn-north-1:{kms.account}:alias/SM2"
        return {
            spec: hashlib.sha256(kms.keys[china if spec == "SM2" else f"alias/{spec}"].material()).hexdigest()
            for spec in KEY_SPECS
            if spec not in ("RSA_3072", "RSA_4096")  # as RSA_2048, but slower
        }


def test_key_material_of_every_family_is_the_same() -> None:
    materials = _materials()
    assert materials == _materials()
    assert len(set(materials.values())) == len(materials)


def test_material_does_not_depend_on_which_key_is_used_first() -> None:
    def materials(*, reverse: bool) -> list[bytes]:
        with mock_kms(deterministic=True) as kms:
            keys = [kms.create_key(), kms.create_key(spec="HMAC_256"), kms.create_key()]
            for key in reversed(keys) if reverse else keys:
                key.material()
            return [key.material() for key in keys]

    assert materials(reverse=True) == materials(reverse=False)


SIGNATURES = [
    pytest.param("ECC_NIST_P256", "ECDSA_SHA_256", id="ECDSA"),
    pytest.param("ECC_NIST_EDWARDS25519", "ED25519_SHA_512", id="Ed25519"),
    pytest.param("RSA_2048", "RSASSA_PSS_SHA_256", id="PSS"),
    pytest.param("RSA_2048", "RSASSA_PKCS1_V1_5_SHA_256", id="PKCS1"),
    pytest.param("SM2", "SM2DSA", id="SM2"),
]


@pytest.mark.parametrize(("spec", "algorithm"), SIGNATURES)
def test_signatures_are_the_same_and_valid(spec: str, algorithm: str) -> None:
    def sign() -> bytes:
        region = "cn-north-1" if spec == "SM2" else "us-east-1"
        with mock_kms(deterministic=True, region=region) as kms:
            key = kms.create_key(spec=spec, usage="SIGN_VERIFY")
            given = {"KeyId": key.id, "Message": b"message", "SigningAlgorithm": algorithm}
            signature = kms.client().sign(**given)["Signature"]
            assert kms.client().verify(**given, Signature=signature)["SignatureValid"]
            return bytes(signature)

    assert sign() == sign()


@pytest.mark.parametrize(
    ("spec", "algorithm"),
    [
        pytest.param("RSA_2048", "RSAES_OAEP_SHA_1", id="OAEP SHA-1"),
        pytest.param("RSA_2048", "RSAES_OAEP_SHA_256", id="OAEP SHA-256"),
        pytest.param("SM2", "SM2PKE", id="SM2"),
    ],
)
def test_ciphertexts_of_public_keys_are_the_same_and_can_be_decrypted(spec: str, algorithm: str) -> None:
    def encrypt() -> list[bytes]:
        region = "cn-north-1" if spec == "SM2" else "us-east-1"
        with mock_kms(deterministic=True, region=region) as kms:
            given = {"KeyId": kms.create_key(spec=spec, usage="ENCRYPT_DECRYPT").id, "EncryptionAlgorithm": algorithm}
            blobs = [kms.client().encrypt(**given, Plaintext=b"x")["CiphertextBlob"] for _ in range(2)]
            assert kms.client().decrypt(**given, CiphertextBlob=blobs[0])["Plaintext"] == b"x"
            return blobs

    first, second = encrypt()
    assert first != second
    assert encrypt() == [first, second]


def test_without_the_option_ecdsa_signatures_differ_as_awss_do(kms_mock: KmsMock) -> None:
    key = kms_mock.create_key(spec="ECC_NIST_P256", usage="SIGN_VERIFY").id
    given = {"KeyId": key, "Message": b"message", "SigningAlgorithm": "ECDSA_SHA_256"}
    assert kms_mock.client().sign(**given)["Signature"] != kms_mock.client().sign(**given)["Signature"]


TESTS = """
import pytest

def key(kms):
    return kms.client().create_key()["KeyMetadata"]["KeyId"]

def test_a(kms_mock):
    print("a", key(kms_mock), "|")

def test_b(kms_mock):
    print("b", key(kms_mock), "|")

def test_c(session_kms_mock, kms_mock):
    print("s", session_kms_mock.create_key().id, "|")
    print("c", key(kms_mock), "|")

def test_d(kms_mock):
    kms_mock.client().generate_random(NumberOfBytes=5)
    print("d", key(kms_mock), "|")
"""


def test_the_order_of_tests_changes_nothing(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nkms_mock_deterministic = yes\nasyncio_default_fixture_loop_scope = function\n")
    pytester.makepyfile(TESTS)

    def told(*names: str) -> dict[str, str]:
        run = pytester.runpytest_inprocess(
            "-s", "-p", "no:randomly", *(f"{pytester._name}.py::{name}" for name in names)
        )
        run.assert_outcomes(passed=len(names))
        return dict(re.findall(r"([abcds]) ([0-9a-f-]{36}) \|", run.stdout.str()))

    first = told("test_a", "test_b", "test_c", "test_d")
    assert set(first) == set("abcds")
    assert told("test_d", "test_c", "test_a", "test_b") == first
    assert first["a"] == first["b"] == first["c"] != first["s"]
    assert first["d"] != first["a"]
