"""The HTTP endpoint: its fixture, what it shares with the mock, many clients, and whatever a network may bring."""

from __future__ import annotations

import http.client
import json
import logging
import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import boto3
import pytest
import requests
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pytest_kmsmock import mock_kms
from pytest_kmsmock.errors import MissingExtra, NotActive

MALFORMED = b"GET / HTTP/1.1\r\nHost: \xff\r\nContent-Length: -1\r\n\r\n"


def test_it_shares_its_state_with_the_mock(kms_mock, kms_server):
    over_http = kms_mock.client(endpoint_url=kms_server.endpoint_url)
    key_id = over_http.create_key()["KeyMetadata"]["KeyId"]
    blob = over_http.encrypt(KeyId=key_id, Plaintext=b"over the wire")["CiphertextBlob"]
    assert kms_mock.client().decrypt(CiphertextBlob=blob)["Plaintext"] == b"over the wire"
    assert [call.operation for call in kms_mock.calls] == ["CreateKey", "Encrypt", "Decrypt"]


def test_answers_are_those_of_the_process(kms_mock, kms_server):
    key_id = kms_mock.client().create_key(Tags=[{"TagKey": "a", "TagValue": "b"}])["KeyMetadata"]["KeyId"]
    near, far = (client.describe_key(KeyId=key_id) for client in
                 (kms_mock.client(), kms_mock.client(endpoint_url=kms_server.endpoint_url)))  # fmt: skip
    assert near["KeyMetadata"] == far["KeyMetadata"]


def test_errors_are_those_of_the_process(kms_mock, kms_server, refusal):
    with refusal("NotFoundException", "Invalid keyId nobody"):
        kms_mock.client(endpoint_url=kms_server.endpoint_url).describe_key(KeyId="nobody")


def test_its_environment_points_another_process_here(kms_mock, kms_server):
    script = "import boto3; print(boto3.client('kms').create_key()['KeyMetadata']['KeyId'])"
    path = os.environ["PATH"]
    made = subprocess.run(
        [sys.executable, "-c", script],
        env={"PATH": path, **kms_server.environment},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert [key["KeyId"] for key in kms_mock.client().list_keys()["Keys"]] == [made]


def test_the_region_is_that_of_the_client(kms_mock, kms_server):
    client = boto3.client("kms", region_name="eu-central-1", endpoint_url=kms_server.endpoint_url)
    assert client.create_key()["KeyMetadata"]["Arn"].split(":")[3] == "eu-central-1"
    assert kms_mock.client().list_keys()["Keys"] == []


def test_signatures_are_checked_on_request(kms_mock, refusal):
    with kms_mock.serve(check_signatures=True) as server:
        assert kms_mock.client(endpoint_url=server.endpoint_url).list_keys()["Keys"] == []
        with refusal("UnrecognizedClientException", "The security token included in the request is invalid."):
            boto3.client(
                "kms",
                endpoint_url=server.endpoint_url,
                aws_access_key_id="AKIANOBODYNOBODY0000",
                aws_secret_access_key="?",
            ).list_keys()
        with pytest.raises(ClientError, match="InvalidSignatureException"):
            kms_mock.client(endpoint_url=server.endpoint_url, aws_secret_access_key="wrong").list_keys()


def test_two_servers_of_one_mock_and_a_third_of_another(kms_mock):
    with kms_mock.serve() as first, kms_mock.serve() as second, mock_kms(fresh=True) as other, other.serve() as third:
        kms_mock.client(endpoint_url=first.endpoint_url).create_key()
        assert len(kms_mock.client(endpoint_url=second.endpoint_url).list_keys()["Keys"]) == 1
        assert other.client(endpoint_url=third.endpoint_url).list_keys()["Keys"] == []


def test_it_serves_while_it_is_entered(kms_mock):
    server = kms_mock.serve()
    server.stop()  # nothing to stop
    with pytest.raises(NotActive, match="This server does not run"):
        _ = server.endpoint_url
    for _ in range(2):
        with server:
            assert requests.get(server.endpoint_url).status_code == 404
            url = server.endpoint_url
        with pytest.raises(requests.ConnectionError):
            requests.get(url)


def test_it_cannot_begin_after_its_mock():
    with mock_kms() as kms:
        pass
    with pytest.raises(NotActive, match="This mock is over"):
        kms.serve()


def test_a_port_in_use_is_an_error(kms_mock, kms_server):
    port = urlsplit(kms_server.endpoint_url).port
    with pytest.raises(OSError, match="Address already in use"):
        kms_mock.serve(port=port).start()


def test_ipv6(kms_mock):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return  # this machine has no IPv6
    with kms_mock.serve(host="::1") as server:
        assert server.endpoint_url.startswith("http://[::1]:")
        assert kms_mock.client(endpoint_url=server.endpoint_url).list_keys()["Keys"] == []


def test_waitress_is_named_when_it_is_missing(kms_mock, monkeypatch):
    monkeypatch.setitem(sys.modules, "waitress.server", None)
    with pytest.raises(MissingExtra, match=r"pip install 'pytest-kmsmock\[server\]'"):
        kms_mock.serve().start()


def test_a_body_beyond_all_measure_is_refused(kms_server):
    response = requests.post(kms_server.endpoint_url, data=b" " * (1 << 20) + b"{}")
    assert response.status_code == 413


def test_10_000_requests_from_8_connections_lose_nothing(kms_mock, kms_server, sign):
    address = urlsplit(kms_server.endpoint_url).netloc
    request = sign("CreateKey", url=f"http://{address}/")
    head = "".join(f"{name}: {value}\r\n" for name, value in ({"host": address} | request.headers).items())
    message = f"POST / HTTP/1.1\r\n{head}\r\n".encode() + request.body

    def create_keys(count: int) -> list[str]:
        host, _, port = address.partition(":")
        with socket.create_connection((host, int(port))) as connection, connection.makefile("rb") as answers:
            made = []
            for _ in range(count):
                connection.sendall(message)
                assert answers.readline() == b"HTTP/1.1 200 OK\r\n"
                length = 0
                while (line := answers.readline()) != b"\r\n":
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.partition(b":")[2])
                made.append(json.loads(answers.read(length))["KeyMetadata"]["KeyId"])
            return made

    with ThreadPoolExecutor(8) as threads:
        made = [key_id for part in threads.map(create_keys, [1250] * 8) for key_id in part]
    kept = {
        key["KeyId"] for page in kms_mock.client().get_paginator("list_keys").paginate() for key in page["Keys"]
    }  # fmt: skip
    assert len(made) == 10_000
    assert set(made) == kept


def test_faults_reach_clients_over_http(kms_mock, kms_server):
    client = kms_mock.client(endpoint_url=kms_server.endpoint_url)
    kms_mock.faults.add("ListKeys", error="ThrottlingException", times=1)
    assert client.list_keys()["ResponseMetadata"]["RetryAttempts"] == 1
    kms_mock.faults.add("ListKeys", error="ConnectionClosedError", times=1)
    assert client.list_keys()["ResponseMetadata"]["RetryAttempts"] == 1
    kms_mock.faults.add("ListKeys", delay=0.1, times=1)
    begun = time.monotonic()
    client.list_keys()
    assert time.monotonic() - begun >= 0.1


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
    body=BODIES,
)
@example(method=MALFORMED, headers=[], body=b"")
@example(method=b"POST", headers=[("Transfer-Encoding", b"chunked")], body=b"zz\r\n")
def test_whatever_comes_over_the_network(fuzzed, caplog, method, headers, body):
    lines = [b"Host: localhost", *(name.encode() + b": " + value for name, value in headers)]
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
