"""Tests as users write them, fully annotated: what the public API is used for, once each. Type checkers read it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError
from typing_extensions import reveal_type

from pytest_kmsmock import (
    CallRecord,
    Calls,
    Credentials,
    Explanation,
    FakeEnclave,
    Fault,
    KeyView,
    KmsMock,
    KmsServer,
    LeastPrivilege,
    __version__,
    key_policy,
    mock_kms,
)
from pytest_kmsmock.errors import InvalidSeed


@pytest.fixture
def orders(kms_mock: KmsMock) -> KeyView:
    policy = key_policy(administrators="role/admin", users=["role/app"])
    return kms_mock.create_key(alias="alias/orders", tags={"team": "blue"}, policy=policy)


@pytest.fixture
def reporting(kms_mock: KmsMock) -> Iterator[Credentials]:
    with kms_mock.as_principal("role/reporting", session_name="nightly") as credentials:
        yield credentials


def test_clients(kms_mock: KmsMock, orders: KeyView) -> None:
    client = kms_mock.client()
    reveal_type(client)
    blob = client.encrypt(KeyId=orders.arn, Plaintext=b"x", EncryptionContext={"order": "7"})["CiphertextBlob"]
    assert kms_mock.decrypt(blob, context={"order": "7"}).plaintext == b"x"
    patient = kms_mock.client(region="eu-west-1", config=Config(retries={"total_max_attempts": 1}))
    with pytest.raises(patient.exceptions.NotFoundException):
        patient.describe_key(KeyId=orders.arn)
    for page in client.get_paginator("list_keys").paginate():
        assert page["Keys"]


def test_credentials(kms_mock: KmsMock, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = kms_mock.credentials("user/ada", mfa=True, source_ip="192.0.2.1")
    boto3.client("kms", **ada).list_keys()
    boto3.client("kms", region_name="eu-west-1", config=Config(), **ada).list_keys()
    boto3.Session(**kms_mock.credentials("role/app", tags={"team": "blue"})).client("kms").list_keys()
    kms_mock.client(principal=ada).list_keys()
    for name, value in ada.environment.items():
        monkeypatch.setenv(name, value)
    assert ada["aws_access_key_id"] == ada.access_key_id


async def test_asynchronous(kms_mock: KmsMock) -> None:
    async with kms_mock.async_client(region="eu-west-1") as client:
        await client.list_keys()
    async with mock_kms(fresh=True) as kms:
        assert not kms.calls


def test_decisions(kms_mock: KmsMock, orders: KeyView, reporting: Credentials) -> None:
    decision: Explanation = kms_mock.simulate("role/app", "kms:Decrypt", orders, EncryptionContext={"order": "7"})
    assert decision, decision.message
    kms_mock.iam.attach("role/reporting", {"Version": "2012-10-17", "Statement": []})
    with pytest.raises(ClientError) as denied:
        kms_mock.client(principal=reporting).encrypt(KeyId=orders.id, Plaintext=b"x")
    print(kms_mock.explain(denied), kms_mock.explain(denied.value), kms_mock.explain(kms_mock.calls[-1]))
    least: LeastPrivilege = kms_mock.least_privilege(portable=True)
    assert least.identity_policies


def test_calls(kms_mock: KmsMock, orders: KeyView) -> None:
    kms_mock.assert_called("Encrypt", times=1, EncryptionContext={"order": "7"})
    kms_mock.assert_not_called("Decrypt")
    calls: Calls = kms_mock.calls.of("Encrypt").on(orders.arn).refused
    call: CallRecord = calls[0]
    assert call.error is not None
    assert call.error.code == "DisabledException"
    assert kms_mock.cloudtrail_events()[0]["eventName"] == "Encrypt"


def is_large(call: CallRecord) -> bool:
    return len(call.params["Plaintext"]) > 100


def test_faults_and_time(kms_mock: KmsMock) -> None:
    fault: Fault = kms_mock.faults.add(["Encrypt", "Decrypt"], error=ReadTimeoutError, times=1, when=is_large)
    with kms_mock.faults.add("GenerateRandom", error="ThrottlingException"):
        assert not fault.exhausted
    kms_mock.clock.advance(days=7)
    kms_mock.clock.freeze("2026-01-01T00:00:00Z")
    kms_mock.delays.creating = 5
    kms_mock.request_quotas["CreateKey"] = 1


def test_files(kms_mock: KmsMock, kms_server: KmsServer, tmp_path: Path) -> None:
    with pytest.raises(InvalidSeed):
        kms_mock.seed(tmp_path / "keys.yaml")
    kms_mock.load(kms_mock.dump(tmp_path / "state.json"))
    boto3.client("kms", endpoint_url=kms_server.endpoint_url)


@mock_kms
def test_decorated() -> None:
    assert FakeEnclave().recipient()


@mock_kms(region="eu-west-1", account="111122223333", hygiene="error")
class TestDecorated:
    def test_it(self) -> None:
        with mock_kms(enforce_policies=False, endpoint_urls=["http://localhost:4566"]) as kms:
            assert kms.options.region == "eu-west-1"


@pytest.mark.kms_mock(deterministic=True)
def test_marked(kms_mock: KmsMock) -> None:
    print(__version__, kms_mock.active)


@mock_kms(region="eu-west-1")
def decorated(number: int) -> str:
    return str(number)


reveal_type(decorated)
