"""KMS calls by raw HTTP: AWS's protocol errors."""

from __future__ import annotations

import json

import pytest

from pytest_kmsmock._transport import http
from pytest_kmsmock._transport.http_request import HttpRequest

NO_PROTOCOL = (404, "text/xml", b"<UnknownOperationException/>\n")


def changed(request: HttpRequest, **headers: str | None) -> HttpRequest:
    """Return a request with other headers than it was signed with; None takes one away."""
    others = {name.replace("_", "-"): value for name, value in headers.items()}
    kept = {**{name.title(): value for name, value in request.headers.items()}, **others}
    return HttpRequest(
        request.method, request.url, {name: value for name, value in kept.items() if value is not None}, request.body
    )


def test_a_signed_request_is_answered(kms_mock, sign):
    answer = http.answer(kms_mock._core, sign("CreateKey", '{"Description": "raw"}'))
    assert (answer.status, answer.reason) == (200, "OK")
    assert json.loads(answer.body)["KeyMetadata"]["Description"] == "raw"
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"
    (call,) = kms_mock.calls
    assert answer.headers["x-amzn-requestid"] == call.request_id


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Content_Type": "application/x-amz-json-1.0"}, id="json-1.0"),
        pytest.param({"Content_Type": "application/x-amz-json-1.1; charset=utf-8"}, id="with-charset"),
    ],
)
def test_forms_that_are_accepted(kms_mock, sign, headers):
    assert http.answer(kms_mock._core, sign(**headers)).status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(kms_mock, sign, method):
    answer = http.answer(kms_mock._core, sign(method=method))
    assert (answer.status, answer.headers["content-type"], answer.body) == NO_PROTOCOL


@pytest.mark.parametrize(
    "content_type",
    [None, "", "application/json", "text/plain", "application/x-www-form-urlencoded", "application/cbor"],
)
def test_other_content_types_are_refused(kms_mock, sign, content_type):
    answer = http.answer(kms_mock._core, changed(sign(), Content_Type=content_type))
    assert (answer.status, answer.headers["content-type"], answer.body) == NO_PROTOCOL


@pytest.mark.parametrize(
    "target", [None, "", "ListKeys", "TrentService.", "TrentService.NoSuchThing", "DynamoDB_20120810.ListTables"]
)
def test_another_target_is_an_unknown_operation(kms_mock, sign, target):
    # Status and body as recorded in aws/aws-sdk-net#1536 and mhart/kinesis#22, services of the same protocol.
    answer = http.answer(kms_mock._core, changed(sign(), X_Amz_Target=target))
    assert (answer.status, answer.body) == (400, b'{"__type":"UnknownOperationException"}')
    assert list(kms_mock.calls) == []


@pytest.mark.parametrize(
    ("authorization", "code", "message"),
    [
        pytest.param(None, "MissingAuthenticationTokenException", "Missing Authentication Token", id="missing"),
        pytest.param("", "MissingAuthenticationTokenException", "Missing Authentication Token", id="empty"),
        pytest.param(
            "AWS4-HMAC-SHA256",
            "IncompleteSignatureException",
            "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter."
            " Authorization header requires 'SignedHeaders' parameter. Authorization=AWS4-HMAC-SHA256",
            id="bare",
        ),
        pytest.param(
            "Bearer abc",
            "IncompleteSignatureException",
            "'abc' not a valid key=value pair (missing equal-sign) in Authorization header: 'Bearer abc'.",
            id="bearer",
        ),
        pytest.param(
            "AWS4-HMAC-SHA256 Credential=AKIA, SignedHeaders=host, Signature=00",
            "IncompleteSignatureException",
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'AKIA'",
            id="credential",
        ),
        pytest.param(
            "AWS4-HMAC-SHA256 Credential=A/20260102/us-east-1/kms/aws5, SignedHeaders=host, Signature=00",
            "InvalidSignatureException",
            "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5'.",
            id="terminator",
        ),
        pytest.param(
            "AWS4-HMAC-SHA256 Credential=A/20260102/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00",
            "InvalidSignatureException",
            "Credential should be scoped to correct service: 'kms'.",
            id="service",
        ),
        pytest.param(
            "AWS4-HMAC-SHA256 Credential=A/20260102/us-west-2/kms/aws4_request, SignedHeaders=host, Signature=00",
            "InvalidSignatureException",
            "Credential should be scoped to a valid region, not 'us-west-2'.",
            id="region-of-another-endpoint",
        ),
        pytest.param(
            "AWS4-HMAC-SHA256 Credential=A/20260103/us-east-1/kms/aws4_request, SignedHeaders=host, Signature=00",
            "InvalidSignatureException",
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            "'20260103' != '20260102', from '20260102T030405Z'.",
            id="date",
        ),
        pytest.param(
            "AWS4-HMAC-SHA256 Credential=A/20260102/us-east-1/kms/aws4_request, SignedHeaders=x-amz-date, Signature=00",
            "InvalidSignatureException",
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
            id="host-not-signed",
        ),
    ],
)  # texts: IAM User Guide, Troubleshoot Signature Version 4
def test_the_shape_of_a_signature(kms_mock, sign, authorization, code, message):
    answer = http.answer(kms_mock._core, changed(sign(), Authorization=authorization, X_Amz_Date="20260102T030405Z"))
    assert (answer.status, json.loads(answer.body)) == (400, {"__type": code, "message": message})
    assert list(kms_mock.calls) == []


SCOPE = "AWS4-HMAC-SHA256 Credential=A/20260102/us-east-1/kms/aws4_request, SignedHeaders=host, Signature=00"


@pytest.mark.parametrize(
    ("date", "x_amz_date", "message"),
    [
        pytest.param(
            None,
            None,
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
            f"Authorization={SCOPE}",
            id="none",
        ),
        pytest.param(
            None,
            "yesterday",
            "Date must be in ISO-8601 'basic format'. Got 'yesterday'. See http://en.wikipedia.org/wiki/ISO_8601",
            id="malformed",
        ),
        pytest.param("Fri, 02 Jan 2026 03:04:05 GMT", None, None, id="of-http"),
    ],
)
def test_the_time_of_a_signature(kms_mock, sign, date, x_amz_date, message):
    answer = http.answer(kms_mock._core, changed(sign(), Authorization=SCOPE, Date=date, X_Amz_Date=x_amz_date))
    if message is None:
        assert answer.status == 200
    else:
        assert json.loads(answer.body) == {"__type": "IncompleteSignatureException", "message": message}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("{", id="cut-off"),
        pytest.param("[]", id="list"),
        pytest.param("null", id="null"),
        pytest.param('"text"', id="text"),
        pytest.param('{"Limit": NaN}', id="not-a-number"),
        pytest.param('{"Marker": "\\ud800"}', id="half-a-surrogate-pair"),
        pytest.param("[" * 100_000, id="deep"),
        pytest.param("\udce4".encode("utf-8", "surrogateescape").decode("latin-1") + "{", id="no-utf-8"),
    ],
)
def test_a_body_that_is_not_a_json_object(kms_mock, sign, body):
    answer = http.answer(kms_mock._core, sign(body=body))
    assert (answer.status, json.loads(answer.body)["__type"]) == (400, "SerializationException")


def test_a_body_that_is_not_utf_8(kms_mock, sign):
    request = sign()
    answer = http.answer(kms_mock._core, HttpRequest("POST", request.url, request.headers, b'{"Marker": "\xff"}'))
    assert json.loads(answer.body)["__type"] == "SerializationException"


def test_an_empty_body_has_no_members(kms_mock, sign):
    assert http.answer(kms_mock._core, sign(body="")).status == 200


def test_a_surrogate_pair_is_a_string(kms_mock, sign):
    answer = http.answer(kms_mock._core, sign("CreateKey", '{"Description": "\\ud83d\\udd11"}'))
    assert json.loads(answer.body)["KeyMetadata"]["Description"] == "\N{KEY}"


def test_the_region_is_that_of_the_url_else_of_the_signature(kms_mock, sign):
    for url, region in (
        ("https://kms.eu-west-1.amazonaws.com/", "eu-west-1"),
        ("http://127.0.0.1:8080/", "ap-south-1"),
    ):
        answer = http.answer(kms_mock._core, sign("CreateKey", url=url, region=region))
        assert json.loads(answer.body)["KeyMetadata"]["Arn"].split(":")[3] == region


def test_a_url_without_a_region_needs_a_valid_one_in_the_signature(kms_mock, sign):
    answer = http.answer(kms_mock._core, sign(url="http://127.0.0.1:8080/", region="nowhere"))
    assert json.loads(answer.body) == {
        "__type": "InvalidSignatureException",
        "message": "Credential should be scoped to a valid region, not 'nowhere'.",
    }
