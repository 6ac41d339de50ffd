"""Signature Version 4, against botocore's signer and AWS's published example."""

from __future__ import annotations

import json
from urllib.parse import quote, urlencode

import freezegun
import pytest
import time_machine
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from pytest_kmsmock._runtime.environment import DUMMY_ACCESS_KEY_ID, DUMMY_SECRET_ACCESS_KEY
from pytest_kmsmock._transport import http, sigv4
from pytest_kmsmock._transport.http_request import HttpRequest

MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)


def checked(kms_mock, request: HttpRequest) -> tuple[int, dict[str, object]]:
    answer = http.answer(kms_mock._core, request, check_signature=True)
    return answer.status, json.loads(answer.body)


def test_a_valid_signature_is_accepted(kms_mock, sign):
    assert checked(kms_mock, sign())[0] == 200


def test_the_published_example():
    # The signing key's derivation of AWS's "Signature Version 4 test suite" (get-vanilla-query-order-key-case): its
    # service is called `service`, so the scope is its own and only the canonical form is compared.
    request = HttpRequest(
        "GET",
        "https://example.amazonaws.com/?Param2=value2&Param1=value1",
        {"Host": "example.amazonaws.com", "X-Amz-Date": "20150830T123600Z"},
        b"",
    )
    assert sigv4._canonical(request, ("host", "x-amz-date")) == (
        "GET\n/\nParam1=value1&Param2=value2\nhost:example.amazonaws.com\nx-amz-date:20150830T123600Z\n\n"
        "host;x-amz-date\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )


@given(
    body=st.text(),
    query=st.dictionaries(st.from_regex(r"[A-Za-z_.~-]{1,5}", fullmatch=True), st.text("ab /+%=&ü", max_size=5)),
    value=st.from_regex(r"[!-~]+( +[!-~]+)*", fullmatch=True),
    secret=st.text(min_size=1),
)
def test_signatures_of_botocore_are_valid(body, query, value, secret):
    url = f"https://kms.us-east-1.amazonaws.com/?{urlencode(query, quote_via=quote, safe='')}"
    given_request = AWSRequest("POST", url, {"X-Other": value}, body.encode())
    SigV4Auth(Credentials("AKIA", secret), "kms", "us-east-1").add_auth(given_request)
    prepared = given_request.prepare()
    request = HttpRequest("POST", prepared.url, dict(prepared.headers), prepared.body)
    scope, signature = sigv4.read(request, "us-east-1")
    assert "x-other" in scope.signed_headers
    sigv4.check(scope, signature, request, secret)


@pytest.mark.parametrize(
    "request_changes",
    [
        pytest.param({"secret": "another"}, id="secret"),
        pytest.param({"body": '{"Limit": 1}'}, id="body"),
        pytest.param({"X_Amz_Target": "TrentService.ListAliases"}, id="header"),
        pytest.param({"url": "https://kms.us-east-1.amazonaws.com/?a=b"}, id="query"),
    ],
)
def test_a_wrong_signature_is_refused(kms_mock, sign, request_changes):
    right, other = sign(), sign(**request_changes)
    headers = right.headers | {"authorization": other.headers["authorization"]}
    mixed = HttpRequest("POST", right.url, headers, right.body)
    assert checked(kms_mock, mixed) == (400, {"__type": "InvalidSignatureException", "message": MISMATCH})
    assert http.answer(kms_mock._core, mixed).status == 200  # unless it is to be checked


def test_an_unknown_access_key_is_refused(kms_mock, sign):
    refused = checked(kms_mock, sign(access_key="AKIANOBODYNOBODY0000"))
    message = "The security token included in the request is invalid."
    assert refused == (400, {"__type": "UnrecognizedClientException", "message": message})


@pytest.mark.parametrize(
    ("minutes", "message"),
    [
        pytest.param(-6, "Signature expired: 20260102T025400Z is now earlier than 20260102T025500Z "
                     "(20260102T030000Z - 5 min.)", id="expired"),
        pytest.param(6, "Signature not yet current: 20260102T030600Z is still later than 20260102T030500Z "
                     "(20260102T030000Z + 5 min.)", id="not-yet-current"),
        pytest.param(-4, None, id="a-little-late"),
        pytest.param(4, None, id="a-little-early"),
    ],
)  # fmt: skip
def test_the_age_of_a_signature(kms_mock, sign, monkeypatch, minutes, message):
    now = 1767322800  # 2026-01-02T03:00:00Z
    x_amz_date = f"20260102T0{2 if minutes < 0 else 3}{minutes % 60:02}00Z"
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: _Fixed(x_amz_date))
    request = sign()
    monkeypatch.setattr("pytest_kmsmock._transport.sigv4.time.time", lambda: now)
    monkeypatch.setattr("pytest_kmsmock._transport.sigv4.machine_time", lambda: now)
    status, members = checked(kms_mock, request)
    assert status == (200 if message is None else 400)
    if message is not None:
        assert members == {"__type": "InvalidSignatureException", "message": message}


class _Fixed:
    """A time that botocore signs with."""

    def __init__(self, text: str) -> None:
        self._text = text

    def strftime(self, _: str) -> str:
        return self._text


def test_signatures_do_not_use_the_mocks_clock(kms_mock, sign):
    kms_mock.clock.advance(days=400)
    assert checked(kms_mock, sign())[0] == 200


def test_the_signature_of_a_known_request():
    # Independent of botocore: computed with openssl's `dgst -mac HMAC` along the five steps of the documentation.
    headers = {
        "Host": "kms.us-east-1.amazonaws.com",
        "Authorization": "AWS4-HMAC-SHA256 Credential=AKIA/20260102/us-east-1/kms/aws4_request, "
        "SignedHeaders=host, Signature=x",
        "X-Amz-Date": "20260102T030405Z",
    }
    request = HttpRequest("POST", "https://kms.us-east-1.amazonaws.com/", headers, b"{}")
    scope, _ = sigv4.read(request, "us-east-1")
    assert sigv4.calculate(scope, request, DUMMY_SECRET_ACCESS_KEY) == EXPECTED


EXPECTED = b"41b538833a5d79197324eeae87e5fc56cef4d10ba9807cfb59c9fa785feccbca"


def test_signers_may_order_and_space_the_parameters_as_they_like(kms_mock, sign):
    request = sign()
    algorithm, _, parameters = request.headers["authorization"].partition(" ")
    unusual = f"{algorithm} {',  '.join(reversed(parameters.split(', ')))},"
    assert (
        checked(kms_mock, HttpRequest("POST", request.url, request.headers | {"authorization": unusual}, request.body))[
            0
        ]
        == 200
    )


@pytest.mark.parametrize(
    "algorithm",
    [
        pytest.param("AWS4-HMAC-SHA512", id="sha-512"),
        pytest.param("AWS4-HMAC-SHA25", id="misspelt"),  # text: mhart/dynalite
        pytest.param("aws4-hmac-sha256", id="lower-case"),
        pytest.param("Basic", id="another-scheme"),
        # The service model of KMS has `auth: [aws.auth#sigv4]`, and no endpoint rule that names sigv4a.
        pytest.param("AWS4-ECDSA-P256-SHA256", id="sigv4a"),
    ],
)
def test_only_sigv4_is_accepted(kms_mock, sign, present, algorithm):
    header, query = sign(), present()
    authorization = header.headers["authorization"].replace(sigv4.ALGORITHM, algorithm)
    for request in (
        HttpRequest("POST", header.url, header.headers | {"authorization": authorization}, header.body),
        HttpRequest("POST", query.url.replace(sigv4.ALGORITHM, algorithm), query.headers, query.body),
    ):
        answer = http.answer(kms_mock._core, request)
        assert (answer.status, json.loads(answer.body)) == (
            400,
            {"__type": "IncompleteSignatureException", "message": f"Unsupported AWS 'algorithm': '{algorithm}'."},
        )


def test_sigv4a_is_refused(kms_mock, sign):
    request = sign()
    date = request.headers["x-amz-date"]
    headers = request.headers | {
        "x-amz-region-set": "*",
        "authorization": f"AWS4-ECDSA-P256-SHA256 Credential=AKIA/{date[:8]}/kms/aws4_request, "
        "SignedHeaders=host;x-amz-date;x-amz-region-set, Signature=3045",
    }
    assert checked(kms_mock, HttpRequest("POST", request.url, headers, request.body)) == (
        400,
        {
            "__type": "IncompleteSignatureException",
            "message": "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'.",
        },
    )


def test_errors_of_signatures_are_reported_in_the_order_of_aws(kms_mock, sign):
    # Order and texts: mhart/dynalite, index.js, which notes what DynamoDB answers.
    request = sign()
    steps = [
        ("AWS9 Credential=a/b/c/d/e, SignedHeaders=date, Signature=0",
         "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."),
        ("AWS9 Credential=a/b/c/d, SignedHeaders=Host, Signature=0", "Unsupported AWS 'algorithm': 'AWS9'."),
        ("AWS4-HMAC-SHA256 Credential=a/b/c/d, SignedHeaders=host, Signature=0",
         "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'a/b/c/d'"),
        ("AWS4-HMAC-SHA256 Credential=a/b/c/d/e/, SignedHeaders=host, Signature=0",
         "Credential should be scoped to a valid region, not 'c'. Credential should be scoped to correct service: "
         "'kms'. Credential should be scoped with a valid terminator: 'aws4_request', not 'e'. "
         "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: 'b' != "
         "'20260102', from '20260102T030405Z'."),
    ]  # fmt: skip
    for authorization, message in steps:
        headers = request.headers | {"authorization": authorization, "x-amz-date": "20260102T030405Z"}
        answer = http.answer(kms_mock._core, HttpRequest("POST", request.url, headers, request.body))
        assert json.loads(answer.body)["message"] == message


def test_a_signature_in_the_query_passes(kms_mock, present):
    assert checked(kms_mock, present())[0] == 200
    status, members = checked(kms_mock, present("CreateKey", '{"Description": "by query"}'))
    assert (status, members["KeyMetadata"]["Description"]) == (200, "by query")


def test_a_presigned_url_of_boto3_is_accepted(kms_mock):
    url = kms_mock.client().generate_presigned_url("list_keys")
    headers = {"X-Amz-Target": "TrentService.ListKeys", "Content-Type": "application/x-amz-json-1.1"}
    assert checked(kms_mock, HttpRequest("POST", url, headers, b""))[0] == 200


#: Documented: every `x-amz-` header of a request has to be signed. Inferred: the text, from that of the header `Host`.
NOT_SIGNED = "'X-Amz-Target' must be a 'SignedHeader' in the AWS Authorization."


@pytest.mark.parametrize("operation", ["ListKeys", "ListAliases"])
def test_an_operation_that_is_not_signed_is_refused(kms_mock, operation):
    signed = AWSRequest(
        "POST", "https://kms.us-east-1.amazonaws.com/", {"Content-Type": "application/x-amz-json-1.1"}, "{}"
    )
    SigV4Auth(Credentials(DUMMY_ACCESS_KEY_ID, DUMMY_SECRET_ACCESS_KEY), "kms", "us-east-1").add_auth(signed)
    headers = dict(signed.headers) | {"X-Amz-Target": f"TrentService.{operation}"}
    refused = checked(kms_mock, HttpRequest("POST", signed.url, headers, b"{}"))
    assert refused == (400, {"__type": "InvalidSignatureException", "message": NOT_SIGNED})


def test_another_operation_than_the_signed_one_is_refused(kms_mock, sign):
    request = sign("ListKeys")
    headers = request.headers | {"x-amz-target": "TrentService.ListAliases"}
    refused = checked(kms_mock, HttpRequest("POST", request.url, headers, request.body))
    assert refused == (400, {"__type": "InvalidSignatureException", "message": MISMATCH})


def test_a_session_token_beside_the_credentials_of_a_user_is_refused(kms_mock, sign):
    user = kms_mock.credentials("user/ada")
    keys = {"access_key": user.access_key_id, "secret": user.secret_access_key}
    assert checked(kms_mock, sign(**keys))[1]["__type"] == "AccessDeniedException"
    assert checked(kms_mock, sign(**keys, X_Amz_Security_Token="x"))[1]["__type"] == "UnrecognizedClientException"


def test_a_session_token_need_not_be_signed(kms_mock, sign):
    role = kms_mock.credentials("assumed-role/Worker/session")
    request = sign(access_key=role.access_key_id, secret=role.secret_access_key)
    headers = request.headers | {"x-amz-security-token": role.session_token}
    refused = checked(kms_mock, HttpRequest("POST", request.url, headers, request.body))
    assert refused[1]["__type"] == "AccessDeniedException"


def test_signatures_use_the_machines_time_or_the_frozen_one(kms_mock, sign):
    real = sign()
    with freezegun.freeze_time("2001-01-01"):
        assert checked(kms_mock, real)[0] == 200  # by a program beside the test
        frozen = sign()
        assert frozen.headers["x-amz-date"].startswith("2001")
        assert checked(kms_mock, frozen)[0] == 200
    assert "Signature expired" in checked(kms_mock, frozen)[1]["message"]
    with time_machine.travel("2001-01-01T00:00:00Z"):
        assert checked(kms_mock, real)[0] == 200


def test_a_session_token_in_the_query(kms_mock, present):
    role = kms_mock.credentials("assumed-role/Worker/session")
    keys = {"access_key": role["aws_access_key_id"], "secret": role["aws_secret_access_key"]}
    status, members = checked(kms_mock, present(**keys, token=role["aws_session_token"]))
    assert (status, members["__type"]) == (400, "AccessDeniedException")
    assert kms_mock.calls[-1].caller.arn.endswith(":assumed-role/Worker/session")
    assert checked(kms_mock, present(**keys, token="another"))[1]["__type"] == "UnrecognizedClientException"
    assert checked(kms_mock, present(**keys))[1]["__type"] == "UnrecognizedClientException"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda request: (request.url + "&Another=1", request.body), id="query"),
        pytest.param(lambda request: (request.url, request.body + b" "), id="body"),
        pytest.param(lambda request: (request.url[:-1] + "g", request.body), id="value"),
    ],
)
def test_a_wrong_signature_in_the_query_is_refused(kms_mock, present, change):
    right = present()
    url, body = change(right)
    mixed = HttpRequest("POST", url, right.headers, body)
    assert checked(kms_mock, mixed) == (400, {"__type": "InvalidSignatureException", "message": MISMATCH})
    assert http.answer(kms_mock._core, mixed).status == 200


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        pytest.param(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20260102T030405Z",
            "IncompleteSignatureException",
            "AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters must include "
            "'X-Amz-Signature'. AWS query-string parameters must include 'X-Amz-SignedHeaders'. Re-examine the "
            "query-string parameters.",
            id="incomplete",
        ),
        pytest.param(
            "X-Amz-Algorithm=",
            "IncompleteSignatureException",
            "AWS query-string parameters must include 'X-Amz-Algorithm'. AWS query-string parameters must include "
            "'X-Amz-Credential'. AWS query-string parameters must include 'X-Amz-Signature'. AWS query-string "
            "parameters must include 'X-Amz-SignedHeaders'. AWS query-string parameters must include 'X-Amz-Date'. "
            "Re-examine the query-string parameters.",
            id="empty",
        ),
        pytest.param("X-Amz-Signature=0", "MissingAuthenticationTokenException", "Missing Authentication Token",
                     id="no-algorithm"),
        pytest.param("a=X-Amz-Algorithm", "MissingAuthenticationTokenException", "Missing Authentication Token",
                     id="algorithm-as-a-value"),
        pytest.param(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F20260102%2Fus-east-1%2Fs3%2Faws4_request"
            "&X-Amz-Date=20260102T030405Z&X-Amz-SignedHeaders=host&X-Amz-Signature=0",
            "InvalidSignatureException",
            "Credential should be scoped to correct service: 'kms'.",
            id="service",
        ),
    ],
)  # fmt: skip
def test_the_shape_of_a_signature_in_the_query(kms_mock, sign, query, code, message):
    request = sign()
    headers = {name: value for name, value in request.headers.items() if name != "authorization"}
    answer = http.answer(kms_mock._core, HttpRequest("POST", f"{request.url}?{query}", headers, request.body))
    assert (answer.status, json.loads(answer.body)) == (400, {"__type": code, "message": message})


def test_one_signature_is_enough(kms_mock, sign, present):
    request = present()
    both = HttpRequest("POST", request.url, request.headers | sign().headers, request.body)
    answer = http.answer(kms_mock._core, both)
    assert json.loads(answer.body) == {
        "__type": "InvalidSignatureException",
        "message": "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
    }
