"""The form of CiphertextForRecipient, against answers that AWS gave."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from asn1crypto import cms
from hypothesis import given
from hypothesis import strategies as st

from pytest_kmsmock._kms.attestation.cms import enveloped_data

ANSWER = base64.b64decode((Path(__file__).parent / "recipient_vectors/ciphertext_for_recipient.b64").read_text())


def test_the_encoding_is_that_of_an_answer_of_aws_octet_for_octet() -> None:
    enveloped = cms.ContentInfo.load(ANSWER)["content"]
    recipient = enveloped["recipient_infos"][0].chosen
    content = enveloped["encrypted_content_info"]
    again = enveloped_data(
        key_identifier=recipient["rid"].native,
        encrypted_key=recipient["encrypted_key"].native,
        iv=content["content_encryption_algorithm"]["parameters"].native,
        content=content["encrypted_content"].native,
    )
    assert again == ANSWER


@pytest.mark.parametrize(
    ("length", "segments"),
    [
        pytest.param(16, [16], id="16"),
        pytest.param(992, [992], id="992"),
        pytest.param(1008, [1000, 8], id="1008"),
        pytest.param(2016, [1000, 1000, 16], id="2016"),
    ],
)
def test_long_content_is_split_into_segments(length: int, segments: list[int]) -> None:
    content = bytes(range(256)) * 8
    encoded = enveloped_data(key_identifier=b"k" * 32, encrypted_key=b"e" * 256, iv=b"i" * 16, content=content[:length])
    end = b"\0\0" * 5
    start = encoded.index(b"\xa0\x80\x04", 20) + 2
    body, found = encoded[start : -len(end)], []
    while body:
        assert body[0] == 0x04
        header, size = (2, body[1]) if body[1] < 0x80 else (2 + (body[1] & 0x7F), 0)
        size = size or int.from_bytes(body[2:header], "big")
        found.append(size)
        body = body[header + size :]
    assert found == segments


@given(content=st.binary(min_size=1, max_size=5000), encrypted_key=st.sampled_from([256, 384, 512]).map(bytes))
def test_another_parser_reads_what_was_written(content: bytes, encrypted_key: bytes) -> None:
    encoded = enveloped_data(key_identifier=b"k" * 32, encrypted_key=encrypted_key, iv=b"i" * 16, content=content)
    enveloped = cms.ContentInfo.load(encoded, strict=True)["content"]
    assert enveloped["version"].native == "v2"
    assert enveloped["recipient_infos"][0].chosen["version"].native == "v2"
    assert enveloped["recipient_infos"][0].chosen["encrypted_key"].native == encrypted_key
    assert enveloped["encrypted_content_info"]["encrypted_content"].native == content
