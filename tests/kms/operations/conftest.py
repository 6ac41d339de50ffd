"""Keys for the tests of operations, and their secrets for independent implementations."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from botocore.client import BaseClient

from pytest_kmsmock._kms.rules.key_use import current_material
from pytest_kmsmock._mock.kms_mock import KmsMock

NewKey = Callable[..., str]
PrivateBytes = Callable[[str], bytes]


@pytest.fixture
def new_key(kms_client: BaseClient) -> NewKey:
    """Make a key and return its ARN: `new_key("RSA_2048", "SIGN_VERIFY")`, further members of CreateKey by name."""

    def make(
        spec: str = "SYMMETRIC_DEFAULT",
        usage: str = "ENCRYPT_DECRYPT",
        *,
        client: BaseClient = kms_client,
        **members: object,
    ) -> str:
        arn: str = client.create_key(KeySpec=spec, KeyUsage=usage, **members)["KeyMetadata"]["Arn"]
        return arn

    return make


@pytest.fixture
def private_bytes(kms_mock: KmsMock) -> PrivateBytes:
    """Return what no caller of KMS ever sees: a key's secret, raw or in PKCS#8."""

    def read(arn: str) -> bytes:
        _, _, _, region, account, resource = arn.split(":")
        key = kms_mock._service.state.region(account, region).keys[resource.removeprefix("key/")]
        return current_material(key).private_bytes()

    return read


@pytest.fixture
def china(kms_mock: KmsMock) -> BaseClient:
    """A client for a China Region, which alone have SM2."""
    return kms_mock.client(region="cn-north-1")
