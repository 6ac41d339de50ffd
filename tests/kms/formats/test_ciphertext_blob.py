"""The ciphertext blob: its length, its first bytes, and that any modification is detected.

What public samples of AWS's blobs show is asserted; the format itself is AWS's secret.
"""

from __future__ import annotations

import base64
import json
import os

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from pytest_kmsmock import mock_kms
from pytest_kmsmock._kms.api.key_specs import KEY_SPECS
from pytest_kmsmock._kms.crypto import DecryptionFailed, generate
from pytest_kmsmock._kms.formats.ciphertext_blob import (
    DATA_KEY,
    ENCRYPTED,
    canonical,
    decrypt_envelope,
    parse,
    seal,
    undecryptable,
)

CONTEXTS = st.dictionaries(st.text(max_size=8), st.text(min_size=1, max_size=8), max_size=4)
MATERIAL_ID = bytes(range(32)).hex()
SECRET = generate(KEY_SPECS["SYMMETRIC_DEFAULT"], os.urandom)


class _Key:
    """As much of a key as a blob needs."""

    def __init__(self, key_id: str) -> None:
        self.id = key_id


SINGLE = _Key("1234abcd-12ab-34cd-56ef-1234567890ab")
MULTI = _Key("mrk-1234abcd12ab34cd56ef1234567890ab")


def sealed(plaintext=b"plain", context=None, key=SINGLE, kind=ENCRYPTED):
    return seal(SECRET, key, MATERIAL_ID, plaintext, context, os.urandom, kind)


# --- through the client ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def client():
    with mock_kms(fresh=True) as kms:
        yield kms.client()


@pytest.fixture(scope="module")
def key_id(client):
    return client.create_key()["KeyMetadata"]["KeyId"]


def test_a_blob_of_encrypt_begins_as_awss(client, key_id):
    """Many public samples begin AQICAH."""
    for length in (1, 32, 4096):
        blob = client.encrypt(KeyId=key_id, Plaintext=bytes(length))["CiphertextBlob"]
        assert base64.b64encode(blob).startswith(b"AQICAH")


def test_a_blob_of_a_data_key_begins_as_awss(client, key_id):
    """Many public samples begin AQIDAH."""
    for make in (client.generate_data_key, client.generate_data_key_without_plaintext):
        assert base64.b64encode(make(KeyId=key_id, KeySpec="AES_256")["CiphertextBlob"]).startswith(b"AQIDAH")


def test_the_blob_of_a_32_byte_plaintext_has_184_bytes(client, key_id):
    """Commonly seen; a 16-byte data key has 168."""
    assert len(client.encrypt(KeyId=key_id, Plaintext=bytes(32))["CiphertextBlob"]) == 184
    for spec, length in (("AES_256", 184), ("AES_128", 168)):
        assert len(client.generate_data_key(KeyId=key_id, KeySpec=spec)["CiphertextBlob"]) == length


def test_blobs_of_one_key_begin_alike(client, key_id):
    """Five bytes, then 32 that tell the key."""
    blobs = [client.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"] for _ in range(2)]
    other = client.encrypt(KeyId=client.create_key()["KeyMetadata"]["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    assert blobs[0][:37] == blobs[1][:37] != other[:37]
    assert blobs[0] != blobs[1]


@given(CONTEXTS, CONTEXTS)
@example({"a": "b"}, {"A": "b"})
@example({"a": "b"}, {"a": "B"})
@example({"a": "bc"}, {"ab": "c"})
@example({"a": "b"}, {})
@example({"": "b"}, {})
def test_another_context_is_noticed(client, key_id, context, other):
    """Keys and values are case sensitive; the match is exact: Developer Guide, "Encryption context"."""
    assume(context != other)
    blob = client.encrypt(KeyId=key_id, Plaintext=b"plain", EncryptionContext=context)["CiphertextBlob"]
    with pytest.raises(client.exceptions.InvalidCiphertextException) as refused:
        client.decrypt(CiphertextBlob=blob, EncryptionContext=other)
    assert refused.value.response["Error"]["Message"] == ""


def test_the_blob_does_not_contain_the_context(client, key_id):
    """Developer Guide, "Encryption context"."""
    context = {"department-of-secrets": "very-secret-purpose"}
    blob = client.encrypt(KeyId=key_id, Plaintext=b"plain", EncryptionContext=context)["CiphertextBlob"]
    for text in ("department-of-secrets", "very-secret-purpose", json.dumps(context)):
        assert text.encode() not in blob


# --- the envelope itself -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [ENCRYPTED, DATA_KEY])
@pytest.mark.parametrize("key", [SINGLE, MULTI], ids=["single", "multi-Region"])
@given(plaintext=st.binary(max_size=5000), context=CONTEXTS)
@settings(max_examples=40)
def test_an_envelope_is_parsed_into_its_parts(key, kind, plaintext, context):
    envelope = parse(sealed(plaintext, context, key, kind))
    assert (envelope.kind, envelope.key_id, envelope.material_id) == (kind, key.id, MATERIAL_ID)
    assert decrypt_envelope(envelope, SECRET, context) == plaintext


def test_every_length_comes_apart():
    """The frame grows by bytes of length; there is no plaintext between two sizes of it."""
    overheads = set()
    for length in range(4097):
        blob = sealed(bytes(length))
        assert parse(blob) is not None, length
        overheads.add(len(blob) - length)
    # "Overhead over the plaintext is constant plus DER length growth"
    assert max(overheads) - min(overheads) <= 10  # five lengths, each of one to three bytes


@given(st.binary(max_size=300))
def test_other_bytes_are_not_an_envelope(blob):
    assert parse(blob) is None


@given(st.data())
def test_every_byte_of_an_envelope_counts(data):
    blob = sealed()
    at = data.draw(st.integers(0, len(blob) - 1))
    changed = blob[:at] + bytes((blob[at] ^ data.draw(st.integers(1, 255)),)) + blob[at + 1 :]
    envelope = parse(changed)
    if envelope is not None:
        with pytest.raises(DecryptionFailed):
            decrypt_envelope(envelope, SECRET, None)


@given(st.integers(0, 400))
def test_a_part_of_an_envelope_is_malformed(length):
    blob = sealed()
    assume(length != len(blob))
    assert parse(blob[:length] if length < len(blob) else blob + bytes(length - len(blob))) is None


@given(CONTEXTS, CONTEXTS)
def test_contexts_have_bytes_of_their_own(context, other):
    assert (canonical(context) == canonical(other)) is (context == other)


def test_no_context_and_an_empty_one_are_the_same():
    assert canonical(None) == canonical({}) == b""


@pytest.mark.parametrize("context", [{"a": "\ud800"}, {"\udfff": "b"}])
def test_a_context_may_have_lone_surrogates(context):
    """JSON can escape half of a surrogate pair, and Python's reader gives it as it is."""
    assert decrypt_envelope(parse(sealed(context=context)), SECRET, context) == b"plain"
    with pytest.raises(DecryptionFailed):
        decrypt_envelope(parse(sealed(context=context)), SECRET, {"a": "b"})


@pytest.mark.parametrize("at", [0, 1, 2, 3, 4, 37])
@given(other=st.integers(0, 255))
def test_a_blob_with_another_first_byte_is_malformed(at, other):
    blob = bytearray(sealed())
    assume(blob[at] != other and (at, other) not in {(2, ENCRYPTED), (2, DATA_KEY), (37, 1), (37, 2)})
    blob[at] = other
    assert parse(bytes(blob)) is None


@pytest.mark.parametrize("kind", [ENCRYPTED, DATA_KEY])
@given(length=st.integers(0, 4096))
def test_an_undecryptable_blob_looks_like_any_other(kind, length):
    blob = undecryptable(SINGLE.id, MATERIAL_ID, length, os.urandom, kind)
    envelope = parse(blob)
    assert (envelope.kind, envelope.key_id, envelope.material_id) == (kind, SINGLE.id, MATERIAL_ID)
    assert len(blob) == len(sealed(bytes(length), kind=kind))
    with pytest.raises(DecryptionFailed):
        decrypt_envelope(envelope, SECRET, None)
