"""The fake enclave for test authors."""

from __future__ import annotations

import base64
import doctest
import hashlib
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_kmsmock import enclave as module
from pytest_kmsmock._kms.attestation.document import InvalidAttestation, encrypt_for_recipient, parse_attestation
from pytest_kmsmock.enclave import FakeEnclave
from pytest_kmsmock.errors import CannotDecrypt, InvalidOption, MissingExtra

ENCLAVE = FakeEnclave()
VECTORS = Path(__file__).parent / "kms/attestation/recipient_vectors"


def vector(name: str) -> bytes:
    return base64.b64decode((VECTORS / f"{name}.b64").read_text())


def test_the_example_in_the_docstring_is_right() -> None:
    assert doctest.testmod(module).failed == 0
    assert doctest.testmod(module).attempted > 0


# --- documents ---


def test_openssl_accepts_the_chain_and_the_signature(tmp_path: Path) -> None:
    header, unprotected, payload, signature = cbor2.loads(ENCLAVE.attestation_document(nonce=b"n" * 400))
    assert (header, unprotected) == (bytes.fromhex("a1013822"), {})
    fields = cbor2.loads(payload)
    names = ["root", "region", "instance"]
    for name, der in zip([*names, "signer"], [*fields["cabundle"], fields["certificate"]], strict=True):
        certificate = x509.load_der_x509_certificate(der)
        (tmp_path / name).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "others").write_bytes((tmp_path / "region").read_bytes() + (tmp_path / "instance").read_bytes())
    key = certificate.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (tmp_path / "key").write_bytes(key)
    # Sig_structure of RFC 9052, 4.4, written by hand: a list of four, each with its CBOR head
    to_verify = b"\x84\x6aSignature1\x44" + header + b"\x40\x59" + len(payload).to_bytes(2, "big") + payload
    (tmp_path / "signed").write_bytes(to_verify)
    r, s = int.from_bytes(signature[:48], "big"), int.from_bytes(signature[48:], "big")
    (tmp_path / "signature").write_bytes(encode_dss_signature(r, s))
    for command in (
        "openssl verify -CAfile root -untrusted others signer",
        "openssl dgst -sha384 -verify key -signature signature signed",
    ):
        subprocess.run(command.split(), cwd=tmp_path, capture_output=True, check=True)


def test_a_document_has_the_fields_of_one_of_aws() -> None:
    ours = cbor2.loads(cbor2.loads(ENCLAVE.attestation_document())[2])
    of_aws = cbor2.loads(cbor2.loads(vector("attestation_document"))[2])
    assert list(ours) == list(of_aws)
    assert list(ours["pcrs"]) == list(of_aws["pcrs"])
    assert {name: type(value) for name, value in ours.items() if name != "public_key"} == {
        name: type(value) for name, value in of_aws.items() if name != "public_key"
    }


def test_registers_not_given_are_zeros_and_the_default_ones_are_not() -> None:
    assert FakeEnclave({3: b"3" * 48}).pcrs == {**dict.fromkeys(range(16), bytes(48)), 3: b"3" * 48}
    measured = [number for number, value in FakeEnclave().pcrs.items() if any(value)]
    assert measured == [0, 1, 2]
    assert FakeEnclave().pcrs == FakeEnclave().pcrs


def test_a_nitrotpm_has_24_registers_and_its_own_module_id() -> None:
    instance = FakeEnclave(kind="NitroTPM", private_key=ENCLAVE.private_key)
    attestation = parse_attestation(instance.attestation_document())
    assert attestation.kind == "NitroTPM"
    assert list(attestation.pcrs) == list(range(24))
    assert [number for number, value in instance.pcrs.items() if any(value)] == [4, 7]
    assert attestation.module_id == "i-0123456789abcdef0-tpm0000000000000000"


@pytest.mark.parametrize(
    ("kind", "pcrs", "message"),
    [
        pytest.param("NitroEnclave", {32: bytes(48)}, "no PCR32: registers are 0 to 31", id="pcr-32"),
        pytest.param("NitroTPM", {24: bytes(48)}, "no PCR24: registers are 0 to 23", id="nitrotpm-pcr-24"),
        pytest.param("NitroEnclav", None, "kind must be one of NitroEnclave, NitroTPM, not 'NitroEnclav'", id="kind"),
        pytest.param(["NitroTPM"], None, "kind must be one of NitroEnclave, NitroTPM, not ", id="kinds"),
        pytest.param("NitroEnclave", {0: bytes(32)}, "PCR0 must be a SHA-384 value of 48 bytes, not 32", id="sha-256"),
        pytest.param("NitroEnclave", {0: "00" * 48}, r"PCR0 must be bytes, such as bytes.fromhex\(...\)", id="hex"),
        pytest.param("NitroEnclave", [bytes(48)], "pcrs must be a mapping of the numbers of registers", id="list"),
    ],
)
def test_registers_that_cannot_be_are_refused(kind: Any, pcrs: Any, message: str) -> None:
    with pytest.raises(InvalidOption, match=message):
        FakeEnclave(pcrs, kind=kind)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: FakeEnclave(module_id=5), "module_id must be a string, not 5"),
        (lambda: FakeEnclave(private_key="pem"), "private_key must be an RSA private key of `cryptography`, not 'pem'"),
        (lambda: FakeEnclave(not_after="2030-01-01"), "not_after must be a datetime, not '2030-01-01'"),
        (lambda: ENCLAVE.recipient(nonce="once"), "nonce must be bytes, not 'once'"),
        (lambda: ENCLAVE.attestation_document(user_data=5), "user_data must be bytes, not 5"),
    ],
)
def test_values_of_other_types_are_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidOption, match=message):
        call()


def test_the_recipient_parameter_has_a_document_with_nonce_and_user_data() -> None:
    recipient = ENCLAVE.recipient(nonce=b"n", user_data=b"u")
    assert recipient["KeyEncryptionAlgorithm"] == "RSAES_OAEP_SHA_256"
    attestation = parse_attestation(recipient["AttestationDocument"])
    assert (attestation.nonce, attestation.user_data) == (b"n", b"u")


def test_key_and_certificates_are_made_once() -> None:
    enclave = FakeEnclave()
    first, second = (parse_attestation(enclave.attestation_document()) for _ in range(2))
    assert first.certificate == second.certificate
    assert first.public_key == second.public_key
    assert enclave.private_key.key_size == 2048


def test_certificates_can_expire() -> None:
    now = datetime.now(timezone.utc).replace(microsecond=0)
    enclave = FakeEnclave(private_key=ENCLAVE.private_key, not_after=now + timedelta(hours=3))
    document = enclave.attestation_document()
    assert parse_attestation(document, at=now)
    with pytest.raises(InvalidAttestation, match="expired"):
        parse_attestation(document, at=now + timedelta(hours=4))


# --- CiphertextForRecipient ---


@given(plaintext=st.binary(max_size=4096))
@settings(deadline=None)
def test_what_kms_encrypts_for_the_enclave_is_opened(plaintext: bytes) -> None:
    attestation = parse_attestation(ENCLAVE.attestation_document())
    assert ENCLAVE.decrypt(encrypt_for_recipient(attestation, plaintext)) == plaintext


@pytest.mark.parametrize("size", [3072, 4096])
def test_larger_keys_work(size: int) -> None:
    enclave = FakeEnclave(private_key=rsa.generate_private_key(65537, size))
    attestation = parse_attestation(enclave.attestation_document())
    assert enclave.decrypt(encrypt_for_recipient(attestation, b"secret")) == b"secret"


def test_an_answer_of_aws_is_opened() -> None:
    key = serialization.load_der_private_key(vector("recipient_key"), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    data_key = FakeEnclave(private_key=key).decrypt(vector("ciphertext_for_recipient"))
    assert data_key.hex() == "3be82c440f06cb4d44c4c2ec3bf30d472407d3a9125aa4c1842b98f6bdd26e41"


def test_openssl_writes_what_is_opened(tmp_path: Path) -> None:
    """The other form of the same structure: DER, by another program."""
    key = ENCLAVE.private_key
    identifier = hashlib.sha256(
        key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    (tmp_path / "key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (tmp_path / "plain").write_bytes(b"secret")
    for command in (
        "openssl req -x509 -new -key key -subj /CN=recipient -out certificate -addext "
        f"subjectKeyIdentifier={identifier.hexdigest()}",
        "openssl cms -encrypt -binary -keyid -aes-256-cbc -in plain -outform DER -out answer "
        "-recip certificate "
        "-keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256 -keyopt rsa_mgf1_md:sha256",
    ):
        subprocess.run(command.split(), cwd=tmp_path, capture_output=True, check=True)
    assert ENCLAVE.decrypt((tmp_path / "answer").read_bytes()) == b"secret"


def test_an_answer_for_another_enclave_is_refused() -> None:
    attestation = parse_attestation(ENCLAVE.attestation_document())
    with pytest.raises(CannotDecrypt, match="for the key of another enclave"):
        FakeEnclave().decrypt(encrypt_for_recipient(attestation, b"secret"))


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"secret", id="plaintext"),
        pytest.param(bytes.fromhex("300b06092a864886f70d010701"), id="other-cms-content"),
        pytest.param(bytes.fromhex("308006092a864886f70d010703a0800000"), id="cut"),
    ],
)
def test_what_is_no_ciphertext_for_recipient_is_refused(answer: bytes) -> None:
    with pytest.raises(CannotDecrypt, match="not a CiphertextForRecipient"):
        ENCLAVE.decrypt(answer)


@pytest.mark.parametrize("part", [b"\x04\x82\x01\x00", b"\x04\x10"], ids=["encrypted key", "initialization vector"])
def test_an_altered_answer_is_refused(part: bytes) -> None:
    answer = encrypt_for_recipient(parse_attestation(ENCLAVE.attestation_document()), b"secret")
    at = answer.index(part) + len(part)
    with pytest.raises(CannotDecrypt, match="was altered"):
        ENCLAVE.decrypt(answer[:at] + bytes(255 - byte for byte in answer[at : at + 16]) + answer[at + 16 :])


@pytest.mark.parametrize(
    ("name", "call"),
    [
        pytest.param("cbor2", lambda: ENCLAVE.attestation_document(), id="cbor2"),
        pytest.param("asn1crypto", lambda: ENCLAVE.decrypt(b""), id="asn1crypto"),
    ],
)
def test_without_the_extra_the_error_says_what_to_install(name: str, call: Any, monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "asn1crypto.cms", raising=False)
    with pytest.raises(MissingExtra, match=rf"FakeEnclave needs the package {name}.*pytest-kmsmock\[nitro\]"):
        call()


def test_importing_the_module_imports_none_of_the_extra(run_python):
    run_python("import pytest_kmsmock.enclave, sys; assert not sys.modules.keys() & {'cbor2', 'asn1crypto'}")
