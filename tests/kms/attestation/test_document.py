"""Attestation documents and CiphertextForRecipient, on KMS's side."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import subprocess
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cbor2
import pytest
from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_kmsmock._kms.attestation.document import (
    InvalidAttestation,
    attestation_condition_values,
    encrypt_for_recipient,
    parse_attestation,
)
from pytest_kmsmock.enclave import FakeEnclave
from pytest_kmsmock.errors import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Callable

VECTORS = Path(__file__).parent / "recipient_vectors"
OF_AWS = base64.b64decode((VECTORS / "attestation_document.b64").read_text())
NO_KEY = "public_key is missing"  # the last thing that is checked
ES384 = bytes.fromhex("a1013822")
ENCLAVE = FakeEnclave()
TPM = FakeEnclave(kind="NitroTPM", private_key=ENCLAVE.private_key)


def spki(key: Any) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def modulus() -> int:
    return ENCLAVE.private_key.public_key().public_numbers().n


def fields_of(document: bytes) -> dict[str, Any]:
    return cbor2.loads(cbor2.loads(document)[2])


def sign(payload: Any, *, key: Any = None, header: Any = ES384) -> list[Any]:
    """The parts of a signed document, of a payload that may be wrong in any way."""
    body = payload if isinstance(payload, bytes) else cbor2.dumps(payload)
    signature = (key or ENCLAVE._signing_key).sign(
        cbor2.dumps(["Signature1", header, b"", body]), ec.ECDSA(hashes.SHA384())
    )
    r, s = decode_dss_signature(signature)
    return [header, {}, body, r.to_bytes(48, "big") + s.to_bytes(48, "big")]


def changed(enclave: FakeEnclave = ENCLAVE, /, **changes: Any) -> bytes:
    """A correctly signed document with other fields; `...` removes one."""
    fields = {**fields_of(enclave.attestation_document()), **changes}
    fields = {name: value for name, value in fields.items() if value is not ...}
    return cbor2.dumps(sign(fields, key=enclave._signing_key))


# --- a document that AWS signed ---


@pytest.mark.parametrize(
    "at",
    [
        pytest.param(None, id="without-a-time"),
        pytest.param(datetime(2021, 4, 26, 5, tzinfo=timezone.utc), id="while-it-was-valid"),
    ],
)
def test_a_document_of_aws_is_valid_except_for_its_missing_public_key(at: datetime | None) -> None:
    with pytest.raises(InvalidAttestation, match=NO_KEY):
        parse_attestation(OF_AWS, at=at)


@pytest.mark.parametrize("hour", [pytest.param(3, id="before"), pytest.param(8, id="after")])
def test_a_document_of_aws_is_not_valid_outside_its_three_hours(hour: int) -> None:
    with pytest.raises(InvalidAttestation, match="expired or is not valid yet"):
        parse_attestation(OF_AWS, at=datetime(2021, 4, 26, hour, tzinfo=timezone.utc))


@given(position=st.integers(0, len(OF_AWS) - 1), bit=st.integers(0, 7))
@settings(deadline=None)
def test_a_document_of_aws_with_a_changed_bit_is_not_valid(position: int, bit: int) -> None:
    damaged = bytearray(OF_AWS)
    damaged[position] ^= 1 << bit
    with pytest.raises(InvalidAttestation) as refused:
        parse_attestation(bytes(damaged))
    assert NO_KEY not in str(refused.value)


# --- documents of the fake enclave ---


def test_what_the_document_says_is_returned() -> None:
    enclave = FakeEnclave({0: b"0" * 48, 8: b"8" * 48}, module_id="i-1-enc2", private_key=ENCLAVE.private_key)
    attestation = parse_attestation(enclave.attestation_document(nonce=b"once", user_data=b""))
    assert attestation.kind == "NitroEnclave"
    assert attestation.module_id == "i-1-enc2"
    assert attestation.digest == "SHA384"
    assert attestation.pcrs[0] == b"0" * 48
    assert attestation.pcrs[8] == b"8" * 48
    assert attestation.nonce == b"once"
    assert attestation.user_data == b""
    assert attestation.public_key == ENCLAVE.private_key.public_key()
    assert attestation.certificate == fields_of(enclave.attestation_document())["certificate"]
    assert abs(attestation.timestamp / 1000 - datetime.now(timezone.utc).timestamp()) < 60


@pytest.mark.parametrize(
    "document",
    [
        # RFC 9052: a COSE_Sign1 structure may be tagged
        pytest.param(lambda: cbor2.dumps(cbor2.CBORTag(18, cbor2.loads(ENCLAVE.attestation_document()))), id="tagged"),
        pytest.param(lambda: changed(nonce=..., user_data=...), id="optional-fields-left-out"),
        pytest.param(lambda: changed(nonce=bytes(512), user_data=bytes(512)), id="longest-optional-fields"),
        pytest.param(lambda: changed(pcrs={31: bytes(32)}), id="one-register-of-32-bytes"),
        pytest.param(lambda: changed(pcrs={n: bytes(64) for n in range(32)}), id="all-registers-of-64-bytes"),
        # some of AWS's documents have a payload of this form
        pytest.param(
            lambda: cbor2.dumps(
                sign(
                    b"\xbf"
                    + b"".join(map(cbor2.dumps, sum(fields_of(ENCLAVE.attestation_document()).items(), ())))
                    + b"\xff"
                )
            ),
            id="indefinite-length-map",
        ),
    ],
)
def test_every_allowed_form_is_valid(document: Callable[[], bytes]) -> None:
    assert parse_attestation(document()).public_key == ENCLAVE.private_key.public_key()


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        pytest.param(lambda: b"", "document is not CBOR", id="empty"),
        pytest.param(lambda: b"not a document", "document is not CBOR", id="text"),
        pytest.param(lambda: ENCLAVE.attestation_document() + b"\0", "followed by other bytes", id="longer"),
        pytest.param(lambda: ENCLAVE.attestation_document()[:-1], "document is not CBOR", id="shorter"),
        pytest.param(lambda: cbor2.dumps({}), "not a COSE_Sign1", id="map"),
        pytest.param(lambda: cbor2.dumps([ES384, {}, b""]), "not a COSE_Sign1", id="three-parts"),
        pytest.param(lambda: cbor2.dumps(cbor2.CBORTag(98, [ES384, {}, b"", b""])), "not a COSE_Sign1", id="tag-98"),
        pytest.param(lambda: cbor2.dumps(sign({}, header=bytes.fromhex("a10126"))), "header", id="es256"),
        pytest.param(lambda: cbor2.dumps([ES384, {4: b"k"}, b"", bytes(96)]), "header", id="unprotected-header"),
        pytest.param(lambda: cbor2.dumps([ES384, {}, "", bytes(96)]), "wrong type or length", id="text-payload"),
        pytest.param(lambda: cbor2.dumps([ES384, {}, b"", bytes(95)]), "wrong type or length", id="short-signature"),
        pytest.param(lambda: cbor2.dumps(sign(b"\xff\xff")), "payload is not CBOR", id="payload-not-cbor"),
        pytest.param(lambda: cbor2.dumps(sign([])), "not a map", id="payload-list"),
        pytest.param(lambda: cbor2.dumps(sign(b"\xa0\0")), "payload is followed", id="payload-longer"),
        pytest.param(
            lambda: cbor2.dumps([*cbor2.loads(ENCLAVE.attestation_document())[:3], bytes(96)]),
            "signature is not that",
            id="signature-of-zeros",
        ),
        pytest.param(
            lambda: cbor2.dumps(sign(fields_of(ENCLAVE.attestation_document()), key=TPM._signing_key)),
            "signature is not that",
            id="signed-by-another",
        ),
    ],
)
def test_a_document_with_a_wrong_envelope_is_not_valid(document: Callable[[], bytes], reason: str) -> None:
    with pytest.raises(InvalidAttestation, match=reason):
        parse_attestation(document())


# "3.2.2. Syntactical validation" of AWS's attestation process
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        *(
            pytest.param({name: ...}, f"{name} is missing", id=f"no-{name}")
            for name in ("module_id", "digest", "timestamp", "certificate", "cabundle", "public_key")
        ),
        *(
            pytest.param({name: None}, f"{name} is missing", id=f"null-{name}")
            for name in ("module_id", "digest", "timestamp", "certificate", "cabundle", "public_key")
        ),
        pytest.param({"pcrs": ...}, "one field of pcrs", id="no-pcrs"),
        pytest.param({"nitrotpm_pcrs": {0: bytes(48)}}, "one field of pcrs", id="both-kinds-of-pcrs"),
        pytest.param({"more": 1}, "do not have", id="unknown-field"),
        pytest.param({"module_id": ""}, "module_id has", id="empty-module-id"),
        pytest.param({"module_id": b"i-1"}, "module_id has", id="module-id-bytes"),
        pytest.param({"digest": "SHA256"}, "not SHA384", id="digest-sha256"),
        pytest.param({"digest": "SHA-384"}, "digest has", id="digest-other-name"),
        pytest.param({"timestamp": 0}, "timestamp has", id="timestamp-0"),
        pytest.param({"timestamp": True}, "timestamp has", id="timestamp-true"),
        pytest.param({"timestamp": 1 << 64}, "timestamp has", id="timestamp-9-bytes"),
        pytest.param({"timestamp": 1.5}, "timestamp has", id="timestamp-float"),
        pytest.param({"pcrs": None}, "not a map", id="pcrs-null"),
        pytest.param({"pcrs": {}}, "not a map", id="pcrs-empty"),
        pytest.param({"pcrs": [bytes(48)]}, "not a map", id="pcrs-list"),
        pytest.param({"pcrs": {32: bytes(48)}}, "wrong number", id="pcr-32"),
        pytest.param({"pcrs": {-1: bytes(48)}}, "wrong number", id="pcr-minus-1"),
        pytest.param({"pcrs": {"0": bytes(48)}}, "wrong number", id="pcr-text-number"),
        pytest.param({"pcrs": {False: bytes(48)}}, "wrong number", id="pcr-false"),
        pytest.param({"pcrs": {0: bytes(20)}}, "wrong type or length", id="pcr-sha1"),
        pytest.param({"pcrs": {0: "0" * 48}}, "wrong type or length", id="pcr-text"),
        pytest.param({"certificate": b""}, "certificate has", id="empty-certificate"),
        pytest.param({"certificate": bytes(1025)}, "certificate has", id="long-certificate"),
        pytest.param({"certificate": bytes(9)}, "not a chain", id="certificate-of-zeros"),
        pytest.param({"cabundle": []}, "cabundle has", id="empty-cabundle"),
        pytest.param({"cabundle": [b""]}, "cabundle has a", id="cabundle-empty-certificate"),
        pytest.param({"cabundle": ["root"]}, "cabundle has a", id="cabundle-text"),
        pytest.param({"cabundle": [bytes(9)]}, "not a chain", id="cabundle-zeros"),
        pytest.param({"public_key": b""}, "public_key has", id="empty-public-key"),
        pytest.param({"public_key": bytes(1025)}, "public_key has", id="long-public-key"),
        pytest.param({"public_key": bytes(294)}, "not a DER-encoded", id="public-key-of-zeros"),
        pytest.param({"user_data": bytes(513)}, "user_data has", id="long-user-data"),
        pytest.param({"user_data": "text"}, "user_data has", id="user-data-text"),
        pytest.param({"nonce": bytes(513)}, "nonce has", id="long-nonce"),
    ],
)
def test_a_document_with_a_wrong_field_is_not_valid(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidAttestation, match=reason):
        parse_attestation(changed(**changes))


def test_a_nitrotpm_has_only_24_registers() -> None:
    with pytest.raises(InvalidAttestation, match="wrong number"):
        parse_attestation(changed(TPM, nitrotpm_pcrs={24: bytes(48)}))


@pytest.mark.parametrize(
    "public_key",
    [
        pytest.param(lambda: spki(ec.generate_private_key(ec.SECP256R1()).public_key()), id="ec"),
        pytest.param(lambda: spki(ed25519.Ed25519PrivateKey.generate().public_key()), id="ed25519"),
        pytest.param(lambda: spki(rsa.generate_private_key(65537, 1024).public_key()), id="rsa-1024"),
        pytest.param(
            lambda: ENCLAVE.private_key.public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.PKCS1
            ),
            id="rsa-pkcs1",
        ),
        pytest.param(lambda: spki(rsa.RSAPublicNumbers(65537, modulus() - 1).public_key()), id="rsa-even-modulus"),
    ],
)
def test_the_public_key_must_be_rsa_in_a_subject_public_key_info(public_key: Callable[[], bytes]) -> None:
    with pytest.raises(InvalidAttestation, match="not the SubjectPublicKeyInfo of an RSA key"):
        parse_attestation(changed(public_key=public_key()))


# --- chains of certificates ---

KEYS = [ec.generate_private_key(ec.SECP384R1()) for _ in range(3)]


def certificate(
    subject: int,
    issuer: int,
    *,
    ca: bool,
    sign: bool | None = None,
    path: int | None = None,
    key: Any = None,
    extensions: bool = True,
    until: datetime = datetime(9999, 1, 1, tzinfo=timezone.utc),
) -> bytes:
    usage = ["digital_signature", *["content_commitment", "key_encipherment", "data_encipherment"]]
    usage += ["key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"]
    wanted = {"key_cert_sign": ca, "digital_signature": not ca} if sign is None else {"crl_sign": True}
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name.from_rfc4514_string(f"CN={subject}"))
        .issuer_name(x509.Name.from_rfc4514_string(f"CN={issuer}"))
        .public_key((key or KEYS[subject]).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2000, 1, 1, tzinfo=timezone.utc))
        .not_valid_after(until)
    )
    if extensions:
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=path), critical=True)
        builder = builder.add_extension(x509.KeyUsage(**{use: wanted.get(use, False) for use in usage}), critical=True)
    return builder.sign(KEYS[issuer], hashes.SHA384()).public_bytes(serialization.Encoding.DER)


ROOT, MIDDLE, LEAF = (
    certificate(0, 0, ca=True),
    certificate(1, 0, ca=True, path=0),
    certificate(2, 1, ca=False),
)
RSA_LEAF = {"key": ENCLAVE.private_key}
P256_LEAF = {"key": ec.generate_private_key(ec.SECP256R1())}
SOON = datetime(2001, 1, 1, tzinfo=timezone.utc)


def with_chain(bundle: list[bytes], leaf: bytes) -> bytes:
    fields = {**fields_of(ENCLAVE.attestation_document()), "cabundle": bundle, "certificate": leaf}
    return cbor2.dumps(sign(fields, key=KEYS[2]))


# "3.2.3. Semantical validation" of AWS's attestation process
@pytest.mark.parametrize(
    ("bundle", "leaf", "reason"),
    [
        pytest.param([MIDDLE, ROOT], LEAF, "not a chain", id="wrong-order"),
        pytest.param([ROOT], LEAF, "not a chain", id="no-intermediate"),
        pytest.param([MIDDLE], LEAF, "not a chain", id="no-root"),
        pytest.param([ROOT, MIDDLE, MIDDLE], LEAF, "not a chain", id="one-too-many"),
        pytest.param(
            [ROOT, certificate(1, 0, ca=True, extensions=False)],
            LEAF,
            "not a chain",
            id="authority-without-extensions",
        ),
        pytest.param(
            [ROOT, MIDDLE],
            certificate(2, 1, ca=False, extensions=False),
            "not a chain",
            id="signer-without-extensions",
        ),
        pytest.param([ROOT, certificate(1, 0, ca=False)], LEAF, "may not issue", id="no-authority"),
        pytest.param([ROOT, certificate(1, 0, ca=True, sign=False)], LEAF, "may not issue", id="usage-not-cert-sign"),
        pytest.param([certificate(0, 0, ca=True, path=0), MIDDLE], LEAF, "may not issue", id="path-too-long"),
        pytest.param([ROOT, MIDDLE], certificate(2, 1, ca=True), "may not sign", id="signer-is-an-authority"),
        pytest.param([ROOT, MIDDLE], certificate(2, 1, ca=False, sign=False), "may not sign", id="usage-not-signature"),
        pytest.param([ROOT, MIDDLE], certificate(2, 1, ca=False, **P256_LEAF), "P-384", id="signer-p256"),
        pytest.param([ROOT, MIDDLE], certificate(2, 1, ca=False, **RSA_LEAF), "P-384", id="signer-rsa"),
    ],
)
def test_a_document_with_a_wrong_chain_is_not_valid(bundle: list[bytes], leaf: bytes, reason: str) -> None:
    with pytest.raises(InvalidAttestation, match=reason):
        parse_attestation(with_chain(bundle, leaf))


def test_any_root_certificate_is_accepted_because_a_fake_enclave_has_its_own() -> None:
    assert parse_attestation(with_chain([ROOT, MIDDLE], LEAF)).certificate == LEAF


@pytest.mark.parametrize(
    ("bundle", "leaf"),
    [
        pytest.param([certificate(0, 0, ca=True, until=SOON), MIDDLE], LEAF, id="root"),
        pytest.param([ROOT, certificate(1, 0, ca=True, until=SOON)], LEAF, id="intermediate"),
        pytest.param([ROOT, MIDDLE], certificate(2, 1, ca=False, until=SOON), id="signer"),
    ],
)
def test_every_certificate_must_be_valid_at_the_time_given(bundle: list[bytes], leaf: bytes) -> None:
    document = with_chain(bundle, leaf)
    assert parse_attestation(document)
    assert parse_attestation(document, at=SOON)
    with pytest.raises(InvalidAttestation, match="expired"):
        parse_attestation(document, at=SOON.replace(year=2002))


# --- no input raises anything else ---

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.binary(max_size=60),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.integers(-2, 40) | st.text(max_size=8), inner, max_size=4)
        | st.builds(cbor2.CBORTag, st.integers(0, 300), inner)
    ),
    max_leaves=8,
)
FIELD_NAMES = sorted(fields_of(ENCLAVE.attestation_document()))


@given(st.binary(max_size=200) | st.binary(max_size=80).map(lambda tail: bytes.fromhex("8444a1013822a0") + tail))
@settings(deadline=None)
def test_bytes_that_are_not_a_document_raise_only_invalid_attestation(document: bytes) -> None:
    with pytest.raises(InvalidAttestation):
        parse_attestation(document)


@given(VALUES, VALUES, VALUES, VALUES)
@settings(deadline=None)
def test_structures_that_are_not_a_document_raise_only_invalid_attestation(a: Any, b: Any, c: Any, d: Any) -> None:
    for message in (
        [a, b, c, d],
        [ES384, {}, c, d],
        [ES384, {}, cbor2.dumps(c), bytes(96)],
        cbor2.CBORTag(18, a),
    ):
        with pytest.raises(InvalidAttestation):
            parse_attestation(cbor2.dumps(message))


@given(name=st.sampled_from(FIELD_NAMES), value=VALUES)
@settings(deadline=None)
def test_signed_documents_with_any_field_changed_raise_only_invalid_attestation(name: str, value: Any) -> None:
    with contextlib.suppress(InvalidAttestation):
        parse_attestation(changed(**{name: value}))


@given(which=st.sampled_from(["certificate", "public_key", "cabundle"]), data=st.data())
@settings(deadline=None)
def test_damaged_certificates_and_keys_raise_only_invalid_attestation(which: str, data: st.DataObject) -> None:
    original = fields_of(ENCLAVE.attestation_document())[which]
    damaged = bytearray(original if isinstance(original, bytes) else original[0])
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    change = bytes(damaged) if isinstance(original, bytes) else [bytes(damaged), *original[1:]]
    with contextlib.suppress(InvalidAttestation):
        attestation = parse_attestation(changed(**{which: change}))
        assert encrypt_for_recipient(attestation, b"secret")


# --- condition keys ---


def test_condition_values_of_an_enclave() -> None:
    values = attestation_condition_values(parse_attestation(ENCLAVE.attestation_document()))
    prefix = "kms:RecipientAttestation:"
    assert values[f"{prefix}PCR0"] == hashlib.sha384(b"NitroEnclave PCR0").hexdigest()
    assert values[f"{prefix}PCR15"] == "00" * 48
    # AWS, "Condition keys for Nitro Enclaves": "The ImageSha384 value corresponds to PCR0"
    assert values[f"{prefix}ImageSha384"] == values[f"{prefix}PCR0"]
    assert set(values) == {f"{prefix}ImageSha384", *(f"{prefix}PCR{n}" for n in range(16))}


def test_condition_values_of_a_nitrotpm() -> None:
    values = attestation_condition_values(parse_attestation(TPM.attestation_document()))
    prefix = "kms:RecipientAttestation:NitroTPMPCR"
    assert values[f"{prefix}4"] == hashlib.sha384(b"NitroTPM PCR4").hexdigest()
    assert set(values) == {f"{prefix}{n}" for n in range(24)}


def test_a_register_that_is_not_in_the_document_has_no_condition_value() -> None:
    values = attestation_condition_values(parse_attestation(changed(pcrs={3: b"\xab" * 48})))
    assert values == {"kms:RecipientAttestation:PCR3": "ab" * 48}


# --- CiphertextForRecipient ---


@pytest.mark.parametrize("length", [1, 16, 32, 1217, 2375])  # the last two are PKCS#8 RSA keys of 2048 and 4096 bits
def test_the_openssl_command_opens_the_ciphertext(length: int, tmp_path: Path) -> None:
    plaintext = (bytes(range(256)) * 10)[:length]
    attestation = parse_attestation(ENCLAVE.attestation_document())
    (tmp_path / "answer").write_bytes(encrypt_for_recipient(attestation, plaintext))
    (tmp_path / "key").write_bytes(
        ENCLAVE.private_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    command = ["openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in", "answer", "-inkey", "key"]
    opened = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    assert opened.stdout == plaintext


def test_the_ciphertext_uses_the_algorithms_of_aws() -> None:
    attestation = parse_attestation(ENCLAVE.attestation_document())
    enveloped = cms.ContentInfo.load(encrypt_for_recipient(attestation, b"secret"), strict=True)["content"]
    (recipient,) = enveloped["recipient_infos"].native
    oaep = recipient["key_encryption_algorithm"]
    assert oaep["algorithm"] == "rsaes_oaep"
    assert oaep["parameters"]["hash_algorithm"]["algorithm"] == "sha256"
    assert oaep["parameters"]["mask_gen_algorithm"]["parameters"]["algorithm"] == "sha256"
    content = enveloped["encrypted_content_info"]
    assert content["content_type"].native == "data"
    assert content["content_encryption_algorithm"]["algorithm"].native == "aes256_cbc"


def test_the_key_identifier_is_the_digest_of_the_public_key_as_in_an_answer_of_aws() -> None:
    der = base64.b64decode((VECTORS / "recipient_key.b64").read_text())
    key = serialization.load_der_private_key(der, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    of_aws = base64.b64decode((VECTORS / "ciphertext_for_recipient.b64").read_text())
    enclave = FakeEnclave(private_key=key)
    ours = encrypt_for_recipient(parse_attestation(enclave.attestation_document()), b"secret")
    identifiers = [
        cms.ContentInfo.load(answer)["content"]["recipient_infos"][0].chosen["rid"].native for answer in (of_aws, ours)
    ]
    assert identifiers == [hashlib.sha256(spki(key.public_key())).digest()] * 2


def test_two_responses_share_no_key_and_no_iv() -> None:
    attestation = parse_attestation(ENCLAVE.attestation_document())
    first, second = (
        cms.ContentInfo.load(encrypt_for_recipient(attestation, b"secret"))["content"]["encrypted_content_info"].native
        for _ in range(2)
    )
    assert first["encrypted_content"] != second["encrypted_content"]
    assert first["content_encryption_algorithm"]["parameters"] != second["content_encryption_algorithm"]["parameters"]


def test_without_cbor2_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    document = ENCLAVE.attestation_document()
    monkeypatch.setitem(__import__("sys").modules, "cbor2", None)
    with pytest.raises(MissingExtra, match=r"Recipient.*pip install 'pytest-kmsmock\[nitro\]'"):
        parse_attestation(document)
