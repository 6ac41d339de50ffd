"""boto3's default session is after the last mock what it was before."""

from __future__ import annotations

import boto3
import pytest

from pytest_kmsmock import mock_kms


@pytest.fixture(autouse=True)
def credentials_of_the_developer(tmp_path, monkeypatch):
    (tmp_path / "credentials").write_text("[default]\naws_access_key_id = AKIADEVELOPER\naws_secret_access_key = s\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # as in a process that has made no client yet


def access_key(client):
    return client._request_signer._credentials.access_key


def test_it_does_not_keep_the_dummy_credentials():
    """The bug of getmoto/moto#2575 and #3140."""
    with mock_kms():
        boto3.client("kms").create_key()
    assert access_key(boto3.client("s3")) == "AKIADEVELOPER"


def test_one_that_was_there_is_back():
    boto3.setup_default_session(region_name="eu-north-1")
    before = boto3.DEFAULT_SESSION
    with mock_kms():
        boto3.setup_default_session(region_name="eu-south-1")
    assert boto3.DEFAULT_SESSION is before


def test_of_mocks_that_end_in_another_order_the_last_puts_it_back():
    before = boto3.DEFAULT_SESSION
    first, second = mock_kms(), mock_kms()
    first.start()
    boto3.setup_default_session()
    second.start()
    first.stop()
    second.stop()
    assert boto3.DEFAULT_SESSION is before
