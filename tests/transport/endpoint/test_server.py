"""The HTTP endpoint: its fixture, its options, the state that it shares with the mock, and many clients."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from urllib.parse import urlsplit

import boto3
import pytest
import requests
from botocore.exceptions import ClientError

from pytest_kmsmock import mock_kms
from pytest_kmsmock.errors import InvalidOption, MissingExtra, NotActive


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
    with refusal("NotFoundException", "Invalid keyId 'nobody'"):
        kms_mock.client(endpoint_url=kms_server.endpoint_url).describe_key(KeyId="nobody")


def test_its_environment_points_another_process_here(kms_mock, kms_server, run_python):
    script = "import boto3; print(boto3.client('kms').create_key()['KeyMetadata']['KeyId'])"
    made = run_python(script, PATH=os.environ["PATH"], **kms_server.environment).strip()
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


def test_signatures_of_presigned_urls_are_checked(kms_mock):
    headers = {"X-Amz-Target": "TrentService.ListKeys", "Content-Type": "application/x-amz-json-1.1"}
    with kms_mock.serve(check_signatures=True) as server:
        url = kms_mock.client(endpoint_url=server.endpoint_url).generate_presigned_url("list_keys")
        assert requests.post(url, headers=headers).json()["Keys"] == []
        refused = requests.post(url, headers=headers, data="{}")
        assert (refused.status_code, refused.json()["__type"]) == (400, "InvalidSignatureException")


def test_credentials_of_principals_are_known_with_their_tokens(kms_mock, refusal):
    role = kms_mock.credentials("assumed-role/Worker/session")
    with kms_mock.serve(check_signatures=True) as server:
        with refusal("AccessDeniedException"):
            boto3.client("kms", endpoint_url=server.endpoint_url, **role).list_keys()
        (call,) = kms_mock.calls
        assert call.caller.arn.endswith(":assumed-role/Worker/session")
        without_token = {name: value for name, value in role.items() if name != "aws_session_token"}
        with refusal("UnrecognizedClientException", "The security token included in the request is invalid."):
            boto3.client("kms", endpoint_url=server.endpoint_url, **without_token).list_keys()


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


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        pytest.param({"port": 65536}, "port must be between 0 and 65535, not 65536", id="port"),
        pytest.param({"host": ""}, "host must not be empty", id="every-address"),
    ],
)
def test_invalid_addresses_are_refused(kms_mock, address, problem):
    with pytest.raises(InvalidOption, match=problem):
        kms_mock.serve(**address)


def test_an_unknown_host_is_refused_at_start(kms_mock):
    with pytest.raises(InvalidOption, match=r"host 'no\.such\.host\.invalid' cannot be resolved"):
        kms_mock.serve(host="no.such.host.invalid").start()


def test_it_cannot_start_after_its_mock_has_ended():
    with mock_kms() as kms:
        pass
    with pytest.raises(NotActive, match="This mock has ended"):
        kms.serve()
    with mock_kms() as kms:
        server = kms.serve()
    with pytest.raises(NotActive, match="This mock has ended"):
        server.start()


@pytest.mark.parametrize("tls", [False, True])
def test_it_ends_with_its_mock(tls):
    threads = threading.active_count()
    with mock_kms() as kms:
        server = kms.serve(tls=tls)
        server.start()
        url = server.endpoint_url.replace("https", "http")
        assert requests.get(url).status_code == 404
    with pytest.raises(requests.ConnectionError):
        requests.get(url)
    assert threading.active_count() == threads
    with pytest.raises(NotActive, match="This server does not run"):
        _ = server.endpoint_url
    server.stop()


def test_starting_it_twice_has_no_effect(kms_mock):
    threads = threading.active_count()
    server = kms_mock.serve()
    server.start()
    url = server.endpoint_url
    server.start()
    assert server.endpoint_url == url
    server.stop()
    assert threading.active_count() == threads


def test_a_server_that_cannot_start_does_not_run(kms_mock, kms_server):
    server = kms_mock.serve(port=urlsplit(kms_server.endpoint_url).port)
    for _ in range(2):
        with pytest.raises(OSError, match="Address already in use"):
            server.start()
    with pytest.raises(NotActive, match="This server does not run"):
        _ = server.endpoint_url


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


def test_httptools_is_named_when_it_is_missing(kms_mock, monkeypatch):
    monkeypatch.setitem(sys.modules, "httptools", None)
    for module in ("listener", "connection"):
        monkeypatch.delitem(sys.modules, f"pytest_kmsmock._transport.endpoint.{module}", raising=False)
    with pytest.raises(MissingExtra, match=r"pip install 'pytest-kmsmock\[server\]'"):
        kms_mock.serve().start()


def test_the_answer_to_head_has_no_body(kms_server):
    with requests.Session() as session:
        for _ in range(2):  # by one connection, on which a body would be taken for the next answer
            response = session.head(kms_server.endpoint_url)
            assert (response.status_code, response.headers["Content-Length"], response.content) == (404, "29", b"")
        assert session.get(kms_server.endpoint_url).content == b"<UnknownOperationException/>\n"


def test_a_huge_body_is_refused(kms_server):
    response = requests.post(kms_server.endpoint_url, data=b" " * (1 << 20) + b"{}")
    assert response.status_code == 413


@pytest.mark.slow
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


def test_requests_that_wait_for_a_thread_are_not_logged(kms_mock, kms_server, sign, caplog):
    kms_mock.faults.add("ListKeys", delay=0.05, times=20)
    request = sign(url=kms_server.endpoint_url)
    with ThreadPoolExecutor(20) as threads:
        posts = [threads.submit(requests.post, request.url, request.body, headers=request.headers) for _ in range(20)]
    assert {post.result().status_code for post in posts} == {200}
    assert not caplog.records


def test_idle_connections_do_not_block_others(kms_server):
    url = urlsplit(kms_server.endpoint_url)
    with ExitStack() as idle:
        for _ in range(200):
            idle.enter_context(socket.create_connection((url.hostname, url.port), timeout=5))
        assert requests.get(kms_server.endpoint_url, timeout=5).status_code == 404


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
