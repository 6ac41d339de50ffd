"""What the environment holds while a mock is active, and afterwards."""

from __future__ import annotations

import os

import boto3
import pytest

from pytest_kmsmock import mock_kms

NAMES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_EC2_METADATA_DISABLED")


def environment() -> dict[str, str | None]:
    return {name: os.environ.get(name) for name in NAMES}


def test_everything_that_is_missing_stands_in_and_goes_again():
    before = environment()
    with mock_kms():
        assert all(environment().values())
        assert boto3.client("kms").meta.region_name == "us-east-1"
    assert environment() == before


def test_what_the_user_has_stays(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAUSERUSERUSERUSER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "sa-east-1")
    with mock_kms() as kms:
        assert environment() | {"AWS_EC2_METADATA_DISABLED": None} == {
            "AWS_ACCESS_KEY_ID": "AKIAUSERUSERUSERUSER",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "sa-east-1",
            "AWS_EC2_METADATA_DISABLED": None,
        }
        assert kms.region == "sa-east-1"
        assert boto3.client("kms").create_key()["KeyMetadata"]["Arn"].split(":")[3] == "sa-east-1"


def test_half_of_the_users_credentials_is_none(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAUSERUSERUSERUSER")
    with mock_kms():
        assert os.environ["AWS_ACCESS_KEY_ID"] != "AKIAUSERUSERUSERUSER"
        boto3.client("kms").list_keys()
    assert os.environ["AWS_ACCESS_KEY_ID"] == "AKIAUSERUSERUSERUSER"
    assert "AWS_SECRET_ACCESS_KEY" not in os.environ


def test_a_region_that_is_asked_for_wins_and_nests(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "sa-east-1")
    with mock_kms(region="eu-west-1"):
        assert boto3.session.Session().region_name == "eu-west-1"
        with mock_kms(region="eu-north-1"):
            assert boto3.session.Session().region_name == "eu-north-1"
            with mock_kms() as kms:
                assert kms.region == "eu-north-1"
        assert boto3.session.Session().region_name == "eu-west-1"
    assert os.environ["AWS_DEFAULT_REGION"] == "sa-east-1"


def test_what_the_test_changes_meanwhile_is_left_alone():
    with mock_kms():
        os.environ["AWS_DEFAULT_REGION"] = "ap-south-1"
    assert os.environ.pop("AWS_DEFAULT_REGION") == "ap-south-1"


@pytest.mark.parametrize("taken_away", ["AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION"])
def test_variables_taken_away_meanwhile_do_not_disturb(taken_away):
    with mock_kms():
        del os.environ[taken_away]
    assert taken_away not in os.environ
