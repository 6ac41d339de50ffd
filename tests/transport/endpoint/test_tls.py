"""TLS and the proxy of the HTTP endpoint: its certificate authority, trust, and the hosts that it acts as."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import time
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import freezegun
import pytest
import requests
from botocore.config import Config
from cryptography import x509

from pytest_kmsmock._transport.endpoint import authority, listener
from pytest_kmsmock.errors import InvalidOption


@pytest.fixture
def tls_server(kms_mock):
    with kms_mock.serve(tls=True) as server:
        yield server


def test_one_port_speaks_tls_and_http(kms_mock, tls_server):
    trusted = tls_server.environment["SSL_CERT_FILE"]
    assert tls_server.endpoint_url.startswith("https://127.0.0.1:")
    client = kms_mock.client(endpoint_url=tls_server.endpoint_url, verify=trusted)
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    assert client.encrypt(KeyId=key_id, Plaintext=b"over TLS")["CiphertextBlob"]
    localhost = tls_server.endpoint_url.replace("127.0.0.1", "localhost")
    assert requests.get(f"{localhost}/health", verify=trusted).status_code == 200
    assert requests.get(f"{tls_server.proxy_url}/health").status_code == 200
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"{tls_server.endpoint_url}/health", verify=True)


@pytest.mark.parametrize("name", ["kms", "kms.eu-west-1.amazonaws.com", "localhost"])
def test_the_certificate_is_for_the_requested_server_name(tls_server, name):
    context = ssl.create_default_context(cafile=tls_server.environment["SSL_CERT_FILE"])
    url = urlsplit(tls_server.proxy_url)
    plain = socket.create_connection((url.hostname, url.port), timeout=5)
    with context.wrap_socket(plain, server_hostname=name) as secured:
        assert secured.version().startswith("TLS")


def test_an_invalid_server_name_gets_no_certificate(tls_server):
    context = ssl.create_default_context(cafile=tls_server.environment["SSL_CERT_FILE"])
    url = urlsplit(tls_server.proxy_url)
    with socket.create_connection((url.hostname, url.port), timeout=5) as plain, pytest.raises(ssl.SSLError):
        context.wrap_socket(plain, server_hostname="a b")


def test_its_environment_makes_another_process_trust_it(kms_mock, tls_server, run_python):
    script = "import boto3; print(boto3.client('kms').create_key()['KeyMetadata']['KeyId'])"
    assert run_python(script, PATH=os.environ["PATH"], **tls_server.environment).strip() in kms_mock.keys
    assert {"AWS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"} <= set(tls_server.environment)


def proxied(server, region: str = "eu-west-1", **more) -> boto3.client:
    config = Config(proxies={"https": server.proxy_url}, retries={"total_max_attempts": 1})
    credentials = {"aws_access_key_id": "AKIA", "aws_secret_access_key": "x"}
    return boto3.client(
        "kms", region, config=config, verify=server.environment["SSL_CERT_FILE"], **credentials, **more
    )  # fmt: skip


PROXIED = """
import boto3
print(boto3.client("kms", "eu-west-1").create_key()["KeyMetadata"]["Arn"])
"""


def test_a_program_that_takes_no_endpoint_goes_through_the_proxy(kms_mock, tls_server, run_python):
    environment = {"PATH": os.environ["PATH"], **tls_server.environment, "HTTPS_PROXY": tls_server.proxy_url}
    del environment["AWS_ENDPOINT_URL_KMS"]
    assert run_python(PROXIED, **environment).startswith("arn:aws:kms:eu-west-1:")
    assert [call.operation for call in kms_mock.calls] == ["CreateKey"]


def connect(server, host: str) -> tuple[socket.socket, bytes]:
    url = urlsplit(server.proxy_url)
    connection = socket.create_connection((url.hostname, url.port), timeout=5)
    connection.sendall(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
    return connection, connection.recv(1000)


def test_the_proxy_acts_as_the_requested_host(tls_server):
    context = ssl.create_default_context(cafile=tls_server.environment["SSL_CERT_FILE"])
    for _ in range(20):  # the request may come with the end of the handshake, or after it
        connection, answer = connect(tls_server, "kms.ap-south-1.amazonaws.com")
        assert answer == b"HTTP/1.1 200 Connection established\r\n\r\n"
        with context.wrap_socket(connection, server_hostname="kms.ap-south-1.amazonaws.com") as secured:
            secured.sendall(b"GET /ping HTTP/1.1\r\nHost: kms.ap-south-1.amazonaws.com\r\nConnection: close\r\n\r\n")
            assert secured.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")


def test_shutdown_does_not_wait_for_a_handshake(kms_mock):
    begun = time.monotonic()
    with kms_mock.serve(tls=True) as server:
        connection, _ = connect(server, "kms.us-east-1.amazonaws.com")
    with connection:
        assert connection.recv(10) == b""
    assert time.monotonic() - begun < 4


@pytest.mark.parametrize("host", ["example.com", "s3.us-east-1.amazonaws.com", "127.0.0.1", "kms.example.com"])
def test_the_proxy_refuses_other_hosts(tls_server, host):
    connection, answer = connect(tls_server, host)
    with connection:
        assert answer.startswith(b"HTTP/1.1 403 Forbidden\r\n")
        assert b"only KMS endpoints of AWS" in answer


def test_without_tls_there_is_no_proxy(kms_server):
    connection, answer = connect(kms_server, "kms.us-east-1.amazonaws.com")
    with connection:
        assert answer.startswith(b"HTTP/1.1 403 Forbidden\r\n")


def test_invalid_handshakes(tls_server):
    url = urlsplit(tls_server.proxy_url)
    for sent in (
        b"\x16\x03\x01 no handshake",
        b"\x16",
        b"",
        b"CONNECT kms.us-east-1.amazonaws.com:443 HTTP/1.1\r\n\r\n",
    ):
        with socket.create_connection((url.hostname, url.port), timeout=5) as connection:
            connection.sendall(sent)
            if sent.startswith(b"CONNECT"):
                connection.recv(1000)
                connection.sendall(b"no handshake")
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1000)
    with socket.create_connection((url.hostname, url.port)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # reset when closed
    assert requests.get(f"{tls_server.proxy_url}/health").status_code == 200


def test_shutdown_does_not_wait_for_idle_connections(kms_mock):
    with kms_mock.serve(tls=True) as server:
        url = urlsplit(server.proxy_url)
        silent = socket.create_connection((url.hostname, url.port), timeout=5)
        assert requests.get(f"{server.proxy_url}/health").status_code == 200
    assert silent.recv(1) == b""
    silent.close()


def test_it_continues_after_running_out_of_file_descriptors(kms_mock, monkeypatch):
    accept, failed = listener._Loop.sock_accept, []

    async def fail_once(self, sock):
        if not failed:
            failed.append(True)
            raise OSError(24, "Too many open files")
        return await accept(self, sock)

    monkeypatch.setattr(listener._Loop, "sock_accept", fail_once)
    with kms_mock.serve(tls=True) as server:
        assert requests.get(f"{server.proxy_url}/health").ok
    assert failed


def test_a_client_that_disconnects_during_the_handshake(tls_server, monkeypatch):
    async def gone(self, transport, *_, **__):
        transport.abort()

    monkeypatch.setattr(listener._Loop, "start_tls", gone)
    connection, answer = connect(tls_server, "kms.us-east-1.amazonaws.com")
    with connection, contextlib.suppress(ConnectionError):
        assert answer.startswith(b"HTTP/1.1 200")
        assert connection.recv(10) == b""
    assert requests.get(f"{tls_server.proxy_url}/health").ok


# --- the certificate authority ------------------------------------------------------------------------------------


def test_the_authority_is_made_once(kms_mock, tmp_path):
    folder = tmp_path / "new" / "tls"
    certificates = set()
    for _ in range(2):
        with kms_mock.serve(tls_dir=folder) as server:
            assert server.environment["AWS_CA_BUNDLE"] == str(folder / "ca.pem")
            certificates.add((folder / "ca.pem").read_bytes())
            assert requests.get(f"{server.endpoint_url}/ping", verify=str(folder / "ca.pem")).ok
    assert len(certificates) == 1
    assert (folder / "ca-key.pem").stat().st_mode & 0o777 == 0o600
    (certificate,) = x509.load_pem_x509_certificates(certificates.pop())
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0


def test_without_a_folder_the_authority_is_removed_with_the_server(kms_mock):
    with kms_mock.serve(tls=True) as server:
        path = Path(server.environment["AWS_CA_BUNDLE"])
        assert path.exists()
    assert not path.exists()


def test_certificates_use_the_machines_time(kms_mock, tmp_path, run_python):
    with freezegun.freeze_time("2001-01-01"), kms_mock.serve(tls_dir=tmp_path) as server:
        script = f"import urllib.request; print(urllib.request.urlopen('{server.endpoint_url}/ping').status)"
        told = run_python(script, PATH=os.environ["PATH"], SSL_CERT_FILE=str(tmp_path / "ca.pem"))
    assert told == "200\n"


@pytest.mark.parametrize("content", ["no certificate", None])
def test_a_folder_without_an_authority_is_refused(kms_mock, tmp_path, content):
    if content is None:
        with kms_mock.serve(tls_dir=tmp_path):
            pass
        (tmp_path / "ca-key.pem").unlink()
    else:
        (tmp_path / "ca.pem").write_text(content)
    with pytest.raises(InvalidOption, match="holds no certificate authority"):
        kms_mock.serve(tls_dir=tmp_path).start()


def test_a_certificate_that_cannot_be_made_is_an_error_of_the_start(kms_mock, tmp_path, monkeypatch):
    def fail(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(authority.Authority, "_context", fail)
    with pytest.raises(OSError, match="no space left"):
        kms_mock.serve(tls=True, tls_dir=tmp_path).start()


def test_a_folder_that_cannot_be_made_is_refused(kms_mock, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"file/tls cannot hold .*: Not a directory. Give another folder as tls_dir"):
        kms_mock.serve(tls_dir=tmp_path / "file" / "tls").start()
