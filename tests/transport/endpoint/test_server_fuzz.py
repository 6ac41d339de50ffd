"""Random and malformed requests: the HTTP endpoint refuses them and continues."""

from __future__ import annotations

import http.client
import json
import logging
import re
import socket
from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pytest_kmsmock import mock_kms

MALFORMED = b"GET / HTTP/1.1\r\nHost: \xff\r\nContent-Length: -1\r\n\r\n"


@pytest.fixture(scope="module", params=[False, True], ids=["", "signatures-checked"])
def fuzzed(request):
    with mock_kms() as kms, kms.serve(check_signatures=request.param) as server:
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


#: What stands between the method and the version: path and query, and what is neither.
TARGETS = st.one_of(
    st.just(b"/"),
    st.sampled_from(
        [
            b"", b"*", b"//", b"/..", b"/%", b"/%zz", b"/%ff", b"/%00", b"?", b"/?", b"/?%", b"/?a=%ff", b"/#a",
            b"http://kms.us-east-1.amazonaws.com/", b"http://[::1", b"https:///", b"/\xff", b"/ /", b"/" + b"a" * 5000,
            b"/?X-Amz-Algorithm", b"/?X-Amz-Algorithm=AWS4-HMAC-SHA512&X-Amz-Credential=%ff", b"/X-Amz-Algorithm",
            b"/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A/20260102/us-east-1/kms/aws4_request"
            b"&X-Amz-Date=20260102T030405Z&X-Amz-SignedHeaders=host;%ff&X-Amz-Signature=%e2%82%ac",
        ]
    ),
    st.binary(max_size=40).map(lambda value: b"/" + value.replace(b"\n", b"")),
    st.binary(max_size=40).map(lambda value: b"/?" + value.replace(b"\n", b"")),
)  # fmt: skip
METHODS = st.one_of(
    st.just(b"POST"),
    st.sampled_from(
        [b"GET", b"HEAD", b"OPTIONS", b"CONNECT", b"PRI", b"post", b"", b"POST / HTTP/9.9\r\n", b"A" * 300]
    ),
    st.binary(),
)
VERSIONS = st.one_of(st.just(b"HTTP/1.1"), st.sampled_from([b"HTTP/1.0", b"HTTP/2.0", b"HTTP/", b"", b"HTTP/1.1 x"]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=METHODS,
    target=TARGETS,
    version=VERSIONS,
    headers=st.lists(st.tuples(HEADER_NAMES, HEADER_VALUES), max_size=6),
    host=st.one_of(st.just(b"localhost"), st.sampled_from([b"", b"[::1", b"]", b"kms.us-east-1.amazonaws.com"]), HOSTS),
    body=BODIES,
)
@example(method=MALFORMED, target=b"/", version=b"HTTP/1.1", headers=[], host=b"localhost", body=b"")
@example(
    method=b"POST",
    target=b"/",
    version=b"HTTP/1.1",
    headers=[("Transfer-Encoding", b"chunked")],
    host=b"localhost",
    body=b"zz\r\n",
)
@example(
    method=b"POST",
    target=b"/",
    version=b"HTTP/1.1",
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
def test_random_requests(fuzzed, quiet, method, target, version, headers, host, body):
    lines = [b"Host: " + host, *(name.encode() + b": " + value for name, value in headers)]
    if not any(name == "Content-Length" for name, _ in headers):
        lines.append(b"Content-Length: %d" % len(body))
    check_answers(fuzzed, method + b" " + target + b" " + version + b"\r\n" + b"\r\n".join(lines) + b"\r\n\r\n" + body)
    quiet()


@pytest.fixture
def quiet(caplog, capfd):
    """Give a function that checks that nothing was logged as an error or written to stderr."""

    def check() -> None:
        assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
        assert capfd.readouterr().err == ""
        caplog.clear()

    return check


#: What is put into a right request, or cut out of it.
PIECES = st.one_of(
    st.sampled_from(
        [
            b"\r\n", b"\r", b"\n", b"\r\n\r\n", b"\0", b" ", b"\t", b":", b"\xff", b"%", b"0\r\n\r\n",
            b"ffffffffffffffff\r\n",
            b"Content-Length: 5\r\n", b"Content-Length: -5\r\n", b"Content-Length: 5, 6\r\n", b"Content-Length: +2\r\n",
            b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip, chunked\r\n", b"Expect: 100-continue\r\n",
            b"Expect: the-unexpected\r\n", b"Connection: close\r\n", b"Connection: Upgrade\r\nUpgrade: h2c\r\n",
            b"Host: another\r\n", b"X: huge\r\n", b"X: many\r\n", b" folded\r\n",
        ]
    ),
    st.binary(max_size=20),
)  # fmt: skip
LONG = {b"X: huge\r\n": b"X: " + b"a" * 300_000 + b"\r\n", b"X: many\r\n": b"X: a\r\n" * 2000}
CHANGES = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 30), PIECES), max_size=3)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=CHANGES, end=st.one_of(st.just(1.0), st.floats(0, 1)), times=st.integers(1, 3), raw=st.none() | st.binary()
)
def test_signed_requests_with_random_changes(fuzzed, sign, quiet, changes, end, times, raw):
    sent = right_request(fuzzed, sign) if raw is None else raw
    for where, length, token in changes:  # in the header lines, mostly
        piece = LONG.get(token, token)
        place = int(where * len(sent))
        line = sent.rfind(b"\n", 0, place) + 1 if piece.endswith(b"\r\n") else place
        sent = sent[:line] + piece + sent[line + (0 if piece.endswith(b"\r\n") else length) :]
    check_answers(fuzzed, (sent * times)[: int(end * len(sent) * times)])
    quiet()


def right_request(server, sign, operation: str = "ListKeys", body: bytes = b"{}", **headers: str) -> bytes:
    """Return a signed request as bytes; a header that is None is left out."""
    request = sign(operation, body.decode(), url=server.endpoint_url)
    given = {"host": urlsplit(server.endpoint_url).netloc} | request.headers
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}\r\n" for name, value in given.items() if value is not None]
    return f"POST / HTTP/1.1\r\n{''.join(lines)}\r\n".encode() + body


CHUNKED = {"transfer_encoding": "chunked", "content_length": None}


@pytest.mark.parametrize(
    ("change", "statuses"),
    [
        pytest.param(lambda right: right(), [200], id="right"),
        pytest.param(lambda right: right() * 3, [200, 200, 200], id="pipelined"),
        pytest.param(
            lambda right: right() + right(body=b"{") + right(), [200, 400, 200], id="pipelined-with-a-bad-one"
        ),
        pytest.param(lambda right: right(expect="100-continue"), [100, 200], id="expect-continue"),
        pytest.param(lambda right: right(**CHUNKED)[:-2] + b"2\r\n{}\r\n0\r\n\r\n", [200], id="chunked"),
        pytest.param(lambda right: right(**CHUNKED)[:-2] + b"zz\r\n{}\r\n0\r\n\r\n", [400], id="chunks-without-a-size"),
        pytest.param(lambda right: right(**CHUNKED)[:-2] + b"2\r\n{}{}\r\n0\r\n\r\n", [400], id="chunk-too-long"),
        pytest.param(lambda right: right(**CHUNKED)[:-2] + b"2\r\n{", [], id="chunks-cut-off"),
        pytest.param(lambda right: right(**CHUNKED)[:-2] + b"-2\r\n{}\r\n0\r\n\r\n", [400], id="negative-chunk"),
        pytest.param(lambda right: right(transfer_encoding="gzip"), [400], id="another-transfer-encoding"),
        pytest.param(lambda right: right(content_length="200"), [], id="body-cut-off"),
        pytest.param(lambda right: right(content_length="-2"), [400], id="negative-length"),
        pytest.param(lambda right: right(content_length="two"), [400], id="length-in-words"),
        pytest.param(lambda right: right(content_length="2, 3"), [400], id="two-lengths"),
        pytest.param(lambda right: right().replace(b" HTTP/1.1", b" HTTP/1.0"), [200], id="http-1.0"),
        pytest.param(lambda _: b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n", [400], id="tls"),
        pytest.param(lambda _: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400], id="http-2"),
        pytest.param(lambda right: b"\r\n\r\n" + right(), [200], id="empty-lines-first"),
        pytest.param(lambda right: right()[:50], [], id="header-cut-off"),
        pytest.param(lambda right: right().replace(b"POST /", b"POST http://[::1"), [400], id="half-an-address"),
        pytest.param(lambda _: b"", [], id="nothing"),
    ],
)
def test_forms_of_http(kms_server, sign, quiet, change, statuses):
    sent = change(lambda **changes: right_request(kms_server, sign, **changes))
    assert [status for status in check_answers(kms_server, sent) if status] == statuses
    quiet()


def test_a_huge_header_is_refused(kms_server, sign, quiet):
    statuses = check_answers(kms_server, right_request(kms_server, sign, x="a" * 300_000))
    # The answer is lost where the server closes the connection on what it has not read.
    assert [status for status in statuses if status] in ([431], [])
    quiet()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    operation=st.sampled_from(["ListKeys", "Encrypt", "Decrypt", "CreateKey", "CreateGrant", "TagResource", "Sign"]),
    body=BODIES,
)
def test_signed_requests_with_random_bodies(fuzzed, sign, operation, body):
    url = urlsplit(fuzzed.endpoint_url)
    request = sign(operation, url=fuzzed.endpoint_url)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=5)
    connection.request("POST", "/", body, request.headers | {"content-length": str(len(body))})
    with connection.getresponse() as response:
        answer = response.read()
    connection.close()
    assert response.status in (200, 400), answer  # 400 by all means where signatures are checked: the body is another
    assert isinstance(json.loads(answer or b"{}"), dict)


def check_answers(server, sent: bytes) -> list[int]:
    """Send bytes, check that the answers are no failures and that the server goes on; return their statuses."""
    url = urlsplit(server.endpoint_url)
    with socket.create_connection((url.hostname, url.port), timeout=5) as connection:
        received = b""
        try:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            while chunk := connection.recv(65536):
                received += chunk
        except TimeoutError:
            raise
        except OSError:
            pass  # it has refused and closed while we were still sending
    statuses = [int(status) for status in re.findall(rb"HTTP/1\.\d (\d+)", received)]
    assert all(status < 500 or status == 501 for status in statuses), received
    assert b"Traceback" not in received
    assert requests.get(server.endpoint_url).text == "<UnknownOperationException/>\n"
    return statuses
