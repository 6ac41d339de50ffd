"""Nothing gets past a mock to the real KMS, whichever HTTP library it uses."""

from __future__ import annotations

import http.client
import socket
import urllib.request

import pytest

from pytest_kmsmock import mock_kms
from pytest_kmsmock._runtime import network_guard
from pytest_kmsmock._transport.hooks import installation, name_resolution
from pytest_kmsmock.errors import RealKmsConnection

HOSTS = [
    "kms.us-east-1.amazonaws.com",
    "KMS.eu-west-1.amazonaws.com.",
    "kms-fips.us-gov-west-1.amazonaws.com",
    "kms.cn-north-1.amazonaws.com.cn",
    "kms.us-east-1.api.aws",
    "vpce-0a1b2c3d4e5f67890-abcdefgh.kms.us-east-1.vpce.amazonaws.com",
]


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What reaches the system's resolver; nothing is found there."""
    names: list[object] = []

    def look_up(host: object, *_: object, **__: object) -> list[object]:
        names.append(host)
        raise socket.gaierror("no network in tests")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return names


@pytest.mark.parametrize("host", [*HOSTS, HOSTS[0].encode()], ids=str)
def test_a_kms_endpoint_is_not_looked_up_inside_a_mock(looked_up, host):
    with mock_kms(), pytest.raises(RealKmsConnection, match=r"past the active mock.*\n.*kms_server"):
        socket.getaddrinfo(host, 443)
    assert looked_up == []


@pytest.mark.parametrize("host", ["s3.us-east-1.amazonaws.com", "example.com", "kms.example.com", None])
def test_everything_else_is_looked_up(looked_up, host):
    with mock_kms(), pytest.raises(socket.gaierror):
        socket.getaddrinfo(host, 443)
    assert looked_up == [host]


def test_http_libraries_are_stopped(looked_up):
    with mock_kms():
        connection = http.client.HTTPSConnection("kms.us-east-1.amazonaws.com")
        with pytest.raises(RealKmsConnection, match=r"^Test .*test_http_libraries_are_stopped"):
            connection.request("POST", "/")
        with pytest.raises(RealKmsConnection):
            urllib.request.urlopen("https://kms.eu-west-1.amazonaws.com/")
    assert looked_up == []


def test_after_the_last_mock_the_resolver_is_as_before(looked_up):
    before = socket.getaddrinfo
    with mock_kms():
        with mock_kms():
            assert socket.getaddrinfo is not before
        assert socket.getaddrinfo is not before
    assert socket.getaddrinfo is before


def test_whoever_replaces_the_resolver_inside_a_mock_keeps_it(looked_up, monkeypatch):
    with mock_kms():

        def own(*_: object) -> str:
            return "own"

        monkeypatch.setattr(socket, "getaddrinfo", own)
    assert socket.getaddrinfo is own


def test_blocked_calls_are_stopped_too(looked_up, monkeypatch):
    monkeypatch.setattr(network_guard, "blocking", True)
    installation.install()
    try:
        with mock_kms():
            pass
        with pytest.raises(RealKmsConnection, match="kms_mock_block_real_calls is on"):
            socket.getaddrinfo(HOSTS[0], 443)
        monkeypatch.setattr(network_guard, "allowed", True)
        with pytest.raises(socket.gaierror):
            socket.getaddrinfo(HOSTS[0], 443)
    finally:
        name_resolution.restore()


def test_what_a_test_puts_in_its_place_inside_a_mock_does_not_outlast_the_test(monkeypatch):
    before = socket.getaddrinfo
    with mock_kms():
        with monkeypatch.context() as patched:
            patched.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("looked up"))
            with mock_kms():
                pass
        socket.getaddrinfo("localhost", 1)
    assert socket.getaddrinfo is before
