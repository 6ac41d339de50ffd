"""What the environment and the config file of a developer's machine say about KMS does not count inside a mock."""

from __future__ import annotations

import boto3
import pytest
from botocore.config import Config

from pytest_kmsmock import mock_kms
from pytest_kmsmock._transport.hooks import configuration

#: Nobody listens there.
LOCALSTACK = "http://127.0.0.1:9"
QUICK = Config(retries={"total_max_attempts": 1}, connect_timeout=2)
FILES = {
    "plain": f"[default]\nregion = eu-west-1\nendpoint_url = {LOCALSTACK}\n",
    "services": f"[default]\nservices = dev\n\n[services dev]\nkms =\n  endpoint_url = {LOCALSTACK}\n",
}


@pytest.fixture(params=["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_KMS", *FILES])
def configured(request, monkeypatch, tmp_path):
    """An endpoint that the machine names: owenlamont/aiomoto#75, localstack/awscli-local#76 report the confusion."""
    if request.param in FILES:
        (tmp_path / "config").write_text(FILES[request.param])
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    else:
        monkeypatch.setenv(request.param, LOCALSTACK)


def test_a_client_of_the_mock_has_the_endpoint_of_aws(configured, kms_client):
    assert kms_client.meta.endpoint_url == "https://kms.us-east-1.amazonaws.com"
    assert kms_client.list_keys()["Keys"] == []


def test_a_client_that_the_code_makes_is_answered(configured, kms_mock):
    assert boto3.Session().client("kms", config=QUICK).list_keys()["Keys"] == []
    assert len(kms_mock.calls) == 1


def test_a_client_from_before_the_mock_is_answered_at_its_endpoint(configured):
    credentials = {"aws_access_key_id": "AKIAX", "aws_secret_access_key": "x", "region_name": "us-east-1"}
    client = boto3.Session().client("kms", config=QUICK, **credentials)
    assert client.meta.endpoint_url == LOCALSTACK
    with mock_kms() as kms:
        assert client.list_keys()["Keys"] == []
        assert len(kms.calls) == 1


def test_clients_of_other_services_keep_their_endpoint(monkeypatch, kms_mock):
    monkeypatch.setenv("AWS_ENDPOINT_URL", LOCALSTACK)
    assert boto3.Session().client("s3").meta.endpoint_url == LOCALSTACK


def test_retries_go_as_botocore_does_by_default(monkeypatch, tmp_path):
    (tmp_path / "config").write_text("[default]\nretry_mode = standard\nmax_attempts = 1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    with mock_kms() as kms:
        kms.faults.add("CreateKey", error="ThrottlingException", times=2)
        answer = boto3.Session().client("kms").create_key()
    assert answer["ResponseMetadata"]["RetryAttempts"] == 2


def test_a_profile_that_does_not_exist_names_no_endpoint(monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "nope")
    assert not configuration.is_configured("https://example.com")
