"""Calls that go by wire beside moto reach this KMS only, and calls that moto answers are no real calls."""

from __future__ import annotations

import sys

import boto3
import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto import mock_aws
from moto.kms.models import kms_backends

from pytest_kmsmock import mock_kms
from pytest_kmsmock._runtime import network_guard
from pytest_kmsmock._transport.hooks import installation
from pytest_kmsmock.errors import RealKmsCall

REGION = "us-east-1"


def client():
    return boto3.client("kms", region_name=REGION)


def keys_of_moto():
    return list(dict.get(kms_backends, "123456789012", {}).get(REGION, type("Unused", (), {"keys": {}})).keys)


@pytest.mark.parametrize("order", ["moto outside", "moto inside"])
def test_moto_does_not_carry_out_what_is_answered_here(order):
    first, second = (mock_aws(), mock_kms(wire=True)) if order == "moto outside" else (mock_kms(wire=True), mock_aws())
    with first, second:
        key = client().create_key()["KeyMetadata"]["KeyId"]
        assert client().describe_key(KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"]  # moto gives none
        assert keys_of_moto() == []


def test_operations_that_moto_lacks_work_by_wire(kms):
    kms.faults.add("DescribeCustomKeyStores", error="KMSInternalException", times=1)
    answer = client().describe_custom_key_stores()
    assert answer["CustomKeyStores"] == []
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1


def test_request_quotas(kms):
    with mock_kms(request_quotas=True):
        client().create_key()
    assert keys_of_moto() == []


def test_a_request_by_hand(kms):
    url = f"https://kms.{REGION}.amazonaws.com/"
    headers = {"X-Amz-Target": "TrentService.CreateKey", "Content-Type": "application/x-amz-json-1.1"}
    signed = AWSRequest("POST", url, headers, b"{}")
    SigV4Auth(Credentials("AKIAIOSFODNN7EXAMPLE", "secret"), "kms", REGION).add_auth(signed)
    assert requests.post(url, b"{}", headers=dict(signed.headers), timeout=5).ok
    assert [call.operation for call in kms.calls] == ["CreateKey"]
    assert keys_of_moto() == []


def test_moto_answers_again_when_the_mock_has_ended():
    with mock_aws():
        with mock_kms(wire=True):
            client().create_key()
        client().create_key()
        assert len(client().list_keys()["Keys"]) == 1


@pytest.fixture
def guard(monkeypatch):
    monkeypatch.setattr(network_guard, "blocking", True)
    with mock_kms():  # lays the hooks
        pass


def test_the_guard_lets_calls_pass_that_moto_answers(guard):
    with mock_aws():
        assert client().list_keys()["Keys"] == []


def test_the_guard_does_not_when_moto_leaves_kms_alone(guard):
    with (
        mock_aws(config={"core": {"passthrough": {"services": ["kms"], "urls": []}}}),
        pytest.raises(RealKmsCall, match="called KMS ListKeys outside a mock"),
    ):
        client().list_keys()


def test_the_guard_refuses_again_when_moto_has_ended(guard, monkeypatch):
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # one of an earlier mock would have its credentials
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        pass
    with pytest.raises(RealKmsCall):
        client().list_keys()


def test_laying_the_hook_again_changes_nothing(kms):
    module = sys.modules["moto.core.botocore_stubber"]
    before = module.BotocoreStubber.process_request
    installation._keep_moto_away(module, False)
    assert module.BotocoreStubber.process_request is before
    assert len(network_guard.others) == 1
