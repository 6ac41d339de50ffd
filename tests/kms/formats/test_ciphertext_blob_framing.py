"""The framing of ciphertext blobs, read by asn1crypto, which knows nothing of how this project writes them.

The measure is a blob that AWS publishes: the response of GenerateDataKey in awsdocs/aws-doc-code-examples,
`ruby/example_code/s3` (its spec of an upload with client-side encryption).
"""

from __future__ import annotations

import base64
import os
from typing import Any

import pytest
from asn1crypto import cms, core
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pytest_kmsmock import mock_kms

PUBLISHED = base64.b64decode(
    "AQIDAHh58pZkpaY6Ifx4UPd9kZBp2ssaYk/T1eiY2dnLv9dP1QHFZ71+8g1Yq0ikFTvgjbzgAAAAfjB8BgkqhkiG9w0BBwagbzBtAgEAMGgGCSqGSIb3"
    "DQEHATAeBglghkgBZQMEAS4wEQQMgGqjmfp6p9q3pqgsAgEQgDufNsOEtJJUAsZ6QkJoVUQz9tWgYQ0HMHNtXSObHsRbw6QejNCtGJAxip4/9HJWbmo8"
    "V+s+7+NEXAMPLE=="
)
HEADER_BYTES = 5 + 32 + 1 + 16
NONCE = slice(108, 120)  # of a blob of 184 bytes
#: What is not the same in two blobs of keys of one Region: material, key, nonce, and what is sealed.
RANDOM = [*range(5, 37), *range(38, HEADER_BYTES), *range(108, 120), *range(125, 184)]


class Parameters(core.Sequence):
    """GCMParameters of RFC 5084, which asn1crypto leaves open."""

    _fields = [("nonce", core.OctetString), ("tag_length", core.Integer, {"default": 12})]  # noqa: RUF012 - their form


def read(blob: bytes) -> dict[str, Any]:
    """Take a blob apart as RFC 5652 (CMS) and RFC 5084 (AES-GCM in CMS) say, and as DER: in one way only."""
    length = int.from_bytes(blob[HEADER_BYTES : HEADER_BYTES + 4], "big")
    der = blob[HEADER_BYTES + 4 :]
    assert len(der) == length
    info = cms.ContentInfo.load(der, strict=True)
    content = info["content"]["encrypted_content_info"]
    algorithm = content["content_encryption_algorithm"]
    parameters = algorithm["parameters"].parse(spec=Parameters)
    found = {
        "start": blob[:5],
        "material": blob[5:37],
        "kind of key": blob[37],
        "key": blob[38:HEADER_BYTES],
        "content type": info["content_type"].native,
        "version": info["content"]["version"].native,
        "inner content type": content["content_type"].native,
        "algorithm": algorithm["algorithm"].native,
        "nonce": parameters["nonce"].native,
        "tag bytes": parameters["tag_length"].native,
        "sealed": content["encrypted_content"].native,
    }
    assert info.dump(force=True) == der, "asn1crypto writes the same content in other bytes"
    return found


@pytest.fixture(scope="module")
def client():
    with mock_kms(fresh=True) as kms:
        yield kms.client()


@pytest.fixture(scope="module")
def key(client):
    return client.create_key()["KeyMetadata"]


def test_the_published_blob_is_read():
    """The reader is right about AWS's own blob, so it may judge ours."""
    found = read(PUBLISHED)
    assert found["start"] == bytes((1, 2, 3, 0, 0x78))
    assert (found["content type"], found["version"], found["inner content type"]) == ("encrypted_data", "v0", "data")
    assert (found["algorithm"], found["tag bytes"]) == ("aes256_gcm", 16)
    assert len(found["sealed"]) == 32 + 16 + 11  # data key, tag, and what AWS adds


def test_a_data_key_differs_from_the_published_one_in_random_bytes_only(client, key):
    blob = client.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256")["CiphertextBlob"]
    assert len(blob) == len(PUBLISHED)
    assert [at for at in range(len(blob)) if blob[at] != PUBLISHED[at] and at not in RANDOM] == []


@settings(max_examples=30)
@example(1)
@example(4096)
# Where a DER length takes one byte more: of the outermost element, of those within, of what is sealed.
@example(127 - 16 - 11)
@example(128 - 16 - 11)
@example(255 - 16 - 11)
@example(256 - 16 - 11)
@given(st.integers(1, 4096))
def test_blobs_of_every_length_are_cms(client, key, length):
    blob = client.encrypt(KeyId=key["KeyId"], Plaintext=os.urandom(length))["CiphertextBlob"]
    found = read(blob)
    published = read(PUBLISHED)
    for part in ("content type", "version", "inner content type", "algorithm", "tag bytes", "kind of key"):
        assert found[part] == published[part], part
    assert found["start"] == bytes((1, 2, 2, 0, 0x78))
    assert found["key"].hex() == key["KeyId"].replace("-", "")
    assert found["material"].hex() == key["CurrentKeyMaterialId"]
    assert (len(found["nonce"]), len(found["sealed"])) == (12, length + 16 + 11)


def test_a_multi_region_key_is_marked_as_one(client):
    """What AWS writes there is not known: that it is another byte than for a key of one Region is inferred."""
    key_id = client.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    found = read(client.encrypt(KeyId=key_id, Plaintext=bytes(32))["CiphertextBlob"])
    assert (found["kind of key"], found["key"].hex()) == (2, key_id.removeprefix("mrk-"))


def test_each_blob_has_a_nonce_of_its_own(client, key):
    blobs = [client.encrypt(KeyId=key["KeyId"], Plaintext=bytes(32))["CiphertextBlob"] for _ in range(20)]
    assert len({blob[NONCE] for blob in blobs}) == len(blobs)
    assert {read(blob)["nonce"] for blob in blobs} == {blob[NONCE] for blob in blobs}
