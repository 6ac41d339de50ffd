"""Responses as botocore takes them."""

from __future__ import annotations

import pytest

from pytest_kmsmock._transport.hooks.responses import Answer

HEADERS = {"x-amzn-requestid": "1", "content-type": "application/x-amz-json-1.1"}


def test_headers_are_read_by_name_in_any_case():
    headers = Answer("https://kms.us-east-1.amazonaws.com/", 200, HEADERS).headers
    assert headers["X-Amzn-RequestId"] == headers.get("x-amzn-requestid") == "1"
    assert "Content-Type" in headers
    assert "Date" not in headers
    assert 1 not in headers
    assert headers.get("Date", "never") == "never"
    with pytest.raises(KeyError):
        headers["Date"]


def test_a_body_is_read_as_botocore_and_urllib3_read_it():
    answer = Answer("https://kms.us-east-1.amazonaws.com/", 200, HEADERS, b"{}")
    assert answer.content == b"{}"
    assert answer.text == "{}"
    assert b"".join(answer.raw.stream()) == b"{}"


def test_a_call_that_never_became_http_has_no_body():
    assert Answer("https://kms.us-east-1.amazonaws.com/", 200, HEADERS).raw is None
