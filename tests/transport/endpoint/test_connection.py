"""Many connections, slow clients and long calls do not block other clients."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
import requests

from pytest_kmsmock._kms.entropy import key_source
from pytest_kmsmock._kms.entropy.key_source import RSA_POOL
from pytest_kmsmock._transport.endpoint import server as endpoint
from pytest_kmsmock._transport.endpoint.connection import Connection, Outcome
from pytest_kmsmock._transport.json_protocol import HttpAnswer


def connection_to(server) -> socket.socket:
    url = urlsplit(server.endpoint_url)
    return socket.create_connection((url.hostname, url.port), timeout=10)


def message(server, sign, operation: str = "ListKeys", body: str = "{}") -> bytes:
    request = sign(operation, body, url=server.endpoint_url)
    headers = {"host": urlsplit(server.endpoint_url).netloc} | request.headers
    lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
    return f"POST / HTTP/1.1\r\n{''.join(lines)}\r\n".encode() + request.body


def test_more_than_1000_connections():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 4000:
        pytest.skip(f"this machine lets a process have {hard} files open")
    command = [sys.executable, "-m", "pytest_kmsmock", "serve", "--port", "0"]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process, contextlib.ExitStack() as idle:
            url = process.stdout.readline().removeprefix("AWS KMS: ").strip()
            for _ in range(1500):
                idle.enter_context(
                    socket.create_connection(("127.0.0.1", urlsplit(url).port), timeout=5)
                )  # fmt: skip
            assert requests.get(f"{url}/health", timeout=5).status_code == 200
            process.terminate()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_rsa_keys_are_made_while_others_are_answered(kms_mock, kms_server, sign, monkeypatch):
    making, go_on = threading.Event(), threading.Event()

    def slowly(bits: int) -> object:
        making.set()
        assert go_on.wait(10)
        return new_rsa_key(bits)

    new_rsa_key = key_source.new_rsa_key
    monkeypatch.setattr(key_source, "new_rsa_key", slowly)
    key_id = kms_mock.client().create_key()["KeyMetadata"]["KeyId"]
    with connection_to(kms_server) as slow, connection_to(kms_server) as fast:
        body = f'{{"KeyId": "{key_id}", "KeyPairSpec": "RSA_2048"}}'
        slow.sendall(message(kms_server, sign, "GenerateDataKeyPair", body))
        assert making.wait(10)
        fast.sendall(message(kms_server, sign))
        assert fast.recv(100).startswith(b"HTTP/1.1 200")
        go_on.set()
        assert slow.recv(100).startswith(b"HTTP/1.1 200")


def test_calls_that_make_rsa_keys_do_not_take_all_threads(kms_mock, sign, monkeypatch):
    go_on = threading.Event()

    class SlowPool:
        def prepare(self, _: int) -> None:
            assert go_on.wait(30)

    monkeypatch.setattr(endpoint, "RSA_POOL", SlowPool())
    server = kms_mock.serve()
    server._waits = True  # as with a state file
    with server, contextlib.ExitStack() as slow, connection_to(server) as fast:
        slow.callback(go_on.set)
        for _ in range(40):
            slow.enter_context(connection_to(server)).sendall(
                message(server, sign, "CreateKey", '{"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}')
            )
        while sum(connection._busy for connection in list(server._listener.connections)) < 40:
            time.sleep(0.005)
        fast.sendall(message(server, sign))
        assert fast.recv(100).startswith(b"HTTP/1.1 200")


def test_a_prepared_rsa_key_is_drawn(monkeypatch):
    pool = key_source.RsaPool()
    pool.prepare(2048)
    monkeypatch.setattr(key_source, "new_rsa_key", lambda *_: pytest.fail("none has to be made"))
    assert pool.draw(2048).key_size == 2048
    assert RSA_POOL is not pool


def test_the_pool_of_rsa_keys_has_a_limit(monkeypatch):
    pool = key_source.RsaPool()
    monkeypatch.setattr(key_source, "_MAX_PREPARED", 3)
    for _ in range(5):
        pool.prepare(2048)
    assert len(pool._free[2048]) == 3


def test_pipelined_requests_are_answered_in_order(kms_server, kms_mock, sign):
    kms_mock.faults.add("ListKeys", delay=0.1, times=1)
    sent = message(kms_server, sign) + message(kms_server, sign, "Nothing") * 200
    with connection_to(kms_server) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    statuses = [line.split(b" ")[1] for line in received.split(b"\r\n") if b"HTTP/1.1 " in line]
    assert statuses == [b"200"] + [b"400"] * 200


def test_the_server_stops_reading_from_a_client_that_does_not_read(kms_server, sign):
    one = message(kms_server, sign)
    with connection_to(kms_server) as connection:
        connection.settimeout(0.5)
        flood = one * 100_000
        with pytest.raises(TimeoutError):
            connection.sendall(flood)
        connection.settimeout(10)
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
    assert requests.get(f"{kms_server.endpoint_url}/health").ok


def test_a_request_to_upgrade_is_answered_in_http_1_1(kms_server, sign):
    one = message(kms_server, sign).replace(
        b"\r\n\r\n", b"\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n"
    )
    with connection_to(kms_server) as connection:
        connection.sendall(one)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert received.startswith(b"HTTP/1.1 200 OK")
    assert b"\r\nConnection: close\r\n" in received


def test_shutdown_waits_for_current_requests(kms_mock, sign):
    kms_mock.faults.add("ListKeys", delay=0.3, times=1)
    with kms_mock.serve() as server:
        connection = connection_to(server)
        connection.sendall(message(server, sign))
        while not kms_mock.calls:
            time.sleep(0.005)
    with connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 200")


def test_shutdown_has_a_time_limit(kms_mock, sign, monkeypatch):
    from pytest_kmsmock._transport.endpoint import listener

    monkeypatch.setattr(listener, "_SHUTDOWN_TIMEOUT", 0.1)
    kms_mock.faults.add("ListKeys", delay=30, times=1)
    begun = time.monotonic()
    with kms_mock.serve() as server:
        connection = connection_to(server)
        connection.sendall(message(server, sign))
        while not kms_mock.calls:
            time.sleep(0.005)
    with connection, contextlib.suppress(ConnectionError):
        assert connection.recv(100) == b""
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("body", ["{}", '{"KeySpec": "RSA_2048"}'], ids=["in-the-loop", "in-a-thread"])
def test_an_exception_of_the_mock_is_status_500(kms_server, sign, monkeypatch, caplog, body):
    monkeypatch.setattr("pytest_kmsmock._transport.http.answer", lambda *_, **__: 1 / 0)
    request = sign("CreateKey", body, url=kms_server.endpoint_url)
    response = requests.post(request.url, request.body, headers=request.headers)
    assert response.status_code == 500
    assert response.json() == {"__type": "InternalFailure", "message": "division by zero"}
    (record,) = caplog.records
    assert (record.name, record.getMessage()) == ("pytest_kmsmock.server", "CreateKey failed")


class Transport(asyncio.Transport):
    """Notes what is asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def pause_reading(self) -> None:
        self.asked.append("pause")

    def resume_reading(self) -> None:
        self.asked.append("resume")

    def is_closing(self) -> bool:
        return False

    def write(self, data) -> None:
        self.asked.append("write")

    def close(self) -> None:
        self.asked.append("close")

    def abort(self) -> None:
        self.asked.append("abort")


class Idle:
    """A listener whose answers come when they are told to."""

    def __init__(self) -> None:
        self.connections: set[Connection] = set()
        self.finished: list[Callable[[Outcome], None]] = []

    def pool_of(self, _: object) -> str:
        return "waiting"

    def answer_in(self, _: str, __: object, finished: Callable[[Outcome], None]) -> None:
        self.finished.append(finished)


def test_flow_control_of_a_connection():
    listener, transport = Idle(), Transport()
    connection = Connection(listener)
    connection.connection_made(transport)
    connection.pause_writing()
    connection.resume_writing()
    assert transport.asked == ["pause", "resume"]
    connection.data_received(b"GET /ping HTTP/1.1\r\n\r\n" * 100)
    assert transport.asked[2:] == ["pause"]
    connection.data_received(b"")
    # It goes away while it is answered: whatever comes of that has no effect.
    connection.connection_lost(None)
    (finished,) = listener.finished
    finished(Outcome(HttpAnswer(200, {}, b"")))
    connection.abort()
    connection.finish()
    connection.pause_writing()
    connection.connection_lost(None)
    assert transport.asked[3:] == ["close"]
    assert listener.connections == set()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param([b"GET / HTTP/1.1\r\nX: "] + [b"a" * 100_000] * 5, 431, id="header-without-an-end"),
        pytest.param(
            [b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"] + [b"20000\r\n" + b"a" * 0x20000 + b"\r\n"] * 9,
            413,
            id="chunks-without-an-end",
        ),
    ],
)
def test_unlimited_headers_and_bodies_are_refused(kms_server, sent, status):
    received = b""
    with connection_to(kms_server) as connection:
        with contextlib.suppress(ConnectionError):  # it closes on what it does not want to read
            for part in sent:
                connection.sendall(part)
                time.sleep(0.02)
        with contextlib.suppress(ConnectionError):
            received = connection.recv(100)
    assert received == b"" or received.startswith(f"HTTP/1.1 {status} ".encode())
    assert requests.get(f"{kms_server.endpoint_url}/health").ok
