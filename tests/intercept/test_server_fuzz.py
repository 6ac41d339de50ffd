"""Whatever may come over a network: the HTTP endpoint refuses it in form and goes on."""

from __future__ import annotations

import http.client
import json
import logging
import socket
from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pytest_kmsmock import mock_kms

MALFORMED = b"GET / HTTP/1.1\r\nHost: \xff\r\nContent-Length: -1\r\n\r\n"


@pytest.fixture(scope="module")
def fuzzed():
    with mock_kms() as kms, kms.serve() as server:
        kms.client().create_key()
        yield server


HEADER_NAMES = st.sampled_from(
    [
        "Authorization",
        "X-Amz-Target",
        "X-Amz-Date",
        "Content-Type",
        "Content-Length",
        "Transfer-Encoding",
        "Expect",
        "X",
    ]
)
HEADER_VALUES = st.one_of(
    st.sampled_from(
        [
            b"application/x-amz-json-1.1", b"TrentService.Encrypt", b"TrentService.ListKeys", b"20260102T030405Z",
            b"AWS4-HMAC-SHA256 Credential=A/20260102/us-east-1/kms/aws4_request, SignedHeaders=host, Signature=00",
            b"chunked", b"100-continue", b"0", b"5", b"99999999999999999999",
        ]
    ),
    st.binary(max_size=40).map(lambda value: value.replace(b"\r", b"").replace(b"\n", b"")),
)  # fmt: skip
HOSTS = st.binary(max_size=40).map(lambda value: value.replace(b"\r", b"").replace(b"\n", b""))
BODIES = st.one_of(
    st.binary(max_size=200),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["KeyId", "Plaintext", "Limit", "x"]), inner),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode()),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.one_of(st.just(b"POST"), st.sampled_from([b"GET", b"HEAD", b"", b"POST / HTTP/9.9\r\n"]), st.binary()),
    headers=st.lists(st.tuples(HEADER_NAMES, HEADER_VALUES), max_size=6),
    host=st.one_of(st.just(b"localhost"), st.sampled_from([b"", b"[::1", b"]", b"kms.us-east-1.amazonaws.com"]), HOSTS),
    body=BODIES,
)
@example(method=MALFORMED, headers=[], host=b"localhost", body=b"")
@example(method=b"POST", headers=[("Transfer-Encoding", b"chunked")], host=b"localhost", body=b"zz\r\n")
@example(
    method=b"POST",
    headers=[
        ("X-Amz-Target", b"TrentService.ListKeys"),
        ("Content-Type", b"application/x-amz-json-1.1"),
        ("X-Amz-Date", b"20260102T030405Z"),
        ("Authorization", b"AWS4-HMAC-SHA256 Credential=A/20260102/us-east-1/kms/aws4_request, "
                          b"SignedHeaders=host, Signature=00"),
    ],
    host=b"[::1",
    body=b"{}",
)  # fmt: skip
def test_whatever_comes_over_the_network(fuzzed, caplog, method, headers, host, body):
    lines = [b"Host: " + host, *(name.encode() + b": " + value for name, value in headers)]
    if not any(name == "Content-Length" for name, _ in headers):
        lines.append(b"Content-Length: %d" % len(body))
    check_answers(fuzzed, method + b" / HTTP/1.1\r\n" + b"\r\n".join(lines) + b"\r\n\r\n" + body)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    operation=st.sampled_from(["ListKeys", "Encrypt", "Decrypt", "CreateKey", "CreateGrant", "TagResource", "Sign"]),
    body=BODIES,
)
def test_whatever_stands_in_a_signed_request(fuzzed, sign, operation, body):
    url = urlsplit(fuzzed.endpoint_url)
    request = sign(operation, url=fuzzed.endpoint_url)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=5)
    connection.request("POST", "/", body, request.headers | {"content-length": str(len(body))})
    with connection.getresponse() as response:
        answer = response.read()
    connection.close()
    assert response.status in (200, 400), answer
    assert isinstance(json.loads(answer or b"{}"), dict)


def check_answers(server, sent: bytes) -> None:
    url = urlsplit(server.endpoint_url)
    with socket.create_connection((url.hostname, url.port), timeout=5) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        try:
            while chunk := connection.recv(65536):
                received += chunk
        except ConnectionResetError:
            pass  # it has refused and closed while we were still sending
    statuses = [line.split()[1] for line in received.split(b"\r\n") if line.startswith(b"HTTP/1.")]
    assert all(status < b"500" or status == b"501" for status in statuses), received
    assert b"Traceback" not in received
    assert requests.get(server.endpoint_url).text == "<UnknownOperationException/>\n"
