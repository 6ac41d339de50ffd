"""Raw requests: how they are signed and sent without a client."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from pytest_kmsmock._runtime.environment import DUMMY_ACCESS_KEY_ID, DUMMY_SECRET_ACCESS_KEY
from pytest_kmsmock._transport.http_request import HttpRequest

Sign = Callable[..., HttpRequest]


@pytest.fixture
def sign() -> Sign:
    """Give a function that makes a KMS request signed by botocore."""

    def make(
        operation: str = "ListKeys",
        body: str = "{}",
        *,
        url: str = "https://kms.us-east-1.amazonaws.com/",
        method: str = "POST",
        region: str = "us-east-1",
        service: str = "kms",
        access_key: str = DUMMY_ACCESS_KEY_ID,
        secret: str = DUMMY_SECRET_ACCESS_KEY,
        **headers: str,
    ) -> HttpRequest:
        given = {"X-Amz-Target": f"TrentService.{operation}", "Content-Type": "application/x-amz-json-1.1"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        request = AWSRequest(method, url, headers=given, data=body)
        SigV4Auth(Credentials(access_key, secret), service, region).add_auth(request)
        prepared = request.prepare()
        return HttpRequest(method, prepared.url, dict(prepared.headers), prepared.body)

    return make


@pytest.fixture
def present() -> Sign:
    """Give a function that makes a KMS request whose signature botocore has put into the query."""

    def make(
        operation: str = "ListKeys",
        body: str = "{}",
        *,
        url: str = "https://kms.us-east-1.amazonaws.com/",
        region: str = "us-east-1",
        access_key: str = DUMMY_ACCESS_KEY_ID,
        secret: str = DUMMY_SECRET_ACCESS_KEY,
        token: str | None = None,
    ) -> HttpRequest:
        headers = {
            "X-Amz-Target": f"TrentService.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
            # botocore would move a body into the query; so it gets the hash of one only.
            "X-Amz-Content-SHA256": hashlib.sha256(body.encode()).hexdigest(),
        }
        request = AWSRequest("POST", url, headers=headers)
        SigV4QueryAuth(Credentials(access_key, secret, token), "kms", region).add_auth(request)
        return HttpRequest("POST", request.prepare().url, dict(request.headers), body)

    return make
