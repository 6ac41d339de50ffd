"""Who is measured: this mock, moto, and botocore answered by constants; and the calls that each makes."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

os.environ |= {"AWS_ACCESS_KEY_ID": "AKIAKMSMOCKDEFAULT00", "AWS_SECRET_ACCESS_KEY": "pytest-kmsmock"}

import boto3
import botocore.session
from botocore.awsrequest import AWSResponse
from moto import mock_aws

from pytest_kmsmock import mock_kms
from pytest_kmsmock._transport import http
from pytest_kmsmock._transport.http_request import HttpRequest

REGION = "us-east-1"
#: All clients but moto's come from one session, which has loaded the models once.
SESSION = botocore.session.Session()

Subject = Callable[[], AbstractContextManager[Any]]


def new_client(service: str = "kms", **credentials: str) -> Any:
    """Return a client of the shared session."""
    return SESSION.create_client(service, region_name=REGION, **credentials)


@contextmanager
def ours() -> Iterator[Any]:
    with mock_kms():
        yield new_client()


@contextmanager
def ours_by_handle() -> Iterator[Any]:
    """Give the client that the fixture `kms_client` gives."""
    with mock_kms() as kms:
        yield kms.client()


@contextmanager
def ours_by_boto3() -> Iterator[Any]:
    with mock_kms():
        yield boto3.client("kms", region_name=REGION)


@contextmanager
def ours_by_wire() -> Iterator[Any]:
    with mock_kms(wire=True):
        yield new_client()


@contextmanager
def moto() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("kms", region_name=REGION)


class _Raw:
    def __init__(self, body: bytes) -> None:
        self.body = body

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.body


@contextmanager
def constant() -> Iterator[Any]:
    """Botocore answered by constants at before-send: the floor of the wire. Each is a real answer, headers and all."""
    # Of nobody: with the mock's own credentials the client would be told that its mock has ended.
    client = new_client(aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="secret")
    answers: dict[str, tuple[dict[str, str], bytes]] = {}

    def record(request: Any, **_: Any) -> None:
        sent = HttpRequest(request.method, request.url, request.headers, request.body)
        _, headers, body = http.answer(kms._core, sent)
        answers[request.headers["X-Amz-Target"]] = (dict(headers), body)

    def answer(request: Any, **_: Any) -> AWSResponse:
        headers, body = answers[request.headers["X-Amz-Target"]]
        return AWSResponse(request.url, 200, headers, _Raw(body))

    with mock_kms(wire=True) as kms:
        client.meta.events.register_first("before-send.kms", record)
        for call in calls_of(client).values():
            call()
        client.meta.events.unregister("before-send.kms", record)
    client.meta.events.register_first("before-send.kms", answer)
    yield client


SUBJECTS: dict[str, Subject] = {"ours": ours, "ours by wire": ours_by_wire, "moto": moto, "constant": constant}


def _key(client: Any, **kind: str) -> str:
    key_id: str = client.create_key(**kind)["KeyMetadata"]["KeyId"]
    return key_id


def _encrypt(client: Any) -> Callable[[], Any]:
    key_id, context = _key(client), {"purpose": "benchmark"}
    return lambda: client.encrypt(KeyId=key_id, Plaintext=b"x" * 32, EncryptionContext=context)


def _decrypt(client: Any) -> Callable[[], Any]:
    encrypt, context = _encrypt(client), {"purpose": "benchmark"}
    blobs = itertools.cycle([encrypt()["CiphertextBlob"] for _ in range(30)])
    return lambda: client.decrypt(CiphertextBlob=next(blobs), EncryptionContext=context)


def _generate_data_key(client: Any) -> Callable[[], Any]:
    key_id = _key(client)
    return lambda: client.generate_data_key(KeyId=key_id, KeySpec="AES_256")


def _describe_key(client: Any) -> Callable[[], Any]:
    key_id = _key(client)
    return lambda: client.describe_key(KeyId=key_id)


def _create_key(client: Any) -> Callable[[], Any]:
    create: Callable[[], Any] = client.create_key
    return create


def _sign(client: Any) -> Callable[[], Any]:
    key_id = _key(client, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    return lambda: client.sign(KeyId=key_id, Message=b"x" * 32, SigningAlgorithm="ECDSA_SHA_256")


#: The calls that are measured: each function makes what its call needs, and returns the call.
CALLS: dict[str, Callable[[Any], Callable[[], Any]]] = {
    "Encrypt": _encrypt,
    "Decrypt": _decrypt,
    "GenerateDataKey": _generate_data_key,
    "DescribeKey": _describe_key,
    "CreateKey": _create_key,
    "Sign P-256": _sign,
}


def calls_of(client: Any) -> dict[str, Callable[[], Any]]:
    """Return the calls that are measured, ready to be made."""
    return {name: ready(client) for name, ready in CALLS.items()}
