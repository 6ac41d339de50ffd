"""KMS clients of a mock run no program and look nothing up for their credentials, whatever a test or a profile says."""

from __future__ import annotations

import os
import socket
import sys
from unittest.mock import patch

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import NoRegionError, ProfileNotFound

from pytest_kmsmock import mock_kms

REGION = "us-east-1"
PROGRAM = f'{sys.executable} -c \'open("{{ran}}", "w")\''
CONFIG = """\
[profile program]
region = eu-west-1
credential_process = {program}
[profile role]
role_arn = arn:aws:iam::123456789012:role/app
source_profile = program
[profile role-of-a-user]
role_arn = arn:aws:iam::123456789012:role/app
source_profile = user
[profile instance]
role_arn = arn:aws:iam::123456789012:role/app
credential_source = Ec2InstanceMetadata
[profile sign-on]
sso_start_url = https://example.awsapps.com/start
sso_region = us-east-1
sso_account_id = 123456789012
sso_role_name = app
[profile user]
aws_access_key_id = AKIAUSERUSERUSERUSER
aws_secret_access_key = secret
[profile plain]
region = eu-west-1
"""


@pytest.fixture
def ran(tmp_path, monkeypatch):
    """The file that the program writes; nothing can be looked up over the network."""

    def refuse(*args: object, **_: object) -> None:
        pytest.fail(f"looked up: {args}")

    file = tmp_path / "ran"
    (tmp_path / "config").write_text(CONFIG.format(program=PROGRAM.format(ran=file)))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    yield file
    assert not file.exists()


@pytest.mark.parametrize("wire", [False, True])
@pytest.mark.parametrize("profile", ["program", "role", "role-of-a-user", "instance", "sign-on", "user", "plain"])
def test_a_profile_runs_nothing(ran, profile, wire):
    with mock_kms(wire=wire) as kms:
        session = boto3.Session(profile_name=profile)
        if profile == "plain":  # nothing to look up: as on a machine without credentials
            os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://169.254.170.2/x"
        try:
            session.client("kms").create_key()
        finally:
            os.environ.pop("AWS_CONTAINER_CREDENTIALS_FULL_URI", None)
        assert kms.calls.last.caller.arn.endswith(":user/Administrator")
        assert kms.calls.last.region == REGION


@pytest.mark.parametrize("wire", [False, True])
@pytest.mark.parametrize("profile", [None, "program", "user"])
def test_a_cleared_environment_is_no_way_out(ran, profile, wire):
    files = {name: os.environ[name] for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")}
    files |= {} if profile is None else {"AWS_PROFILE": profile}
    with mock_kms(wire=wire) as kms:
        with patch.dict(os.environ, files, clear=True):
            boto3.Session().client("kms").create_key()
            botocore.session.Session().create_client("kms", "eu-north-1").create_key()
        assert [call.region for call in kms.calls] == [REGION, "eu-north-1"]
        assert "AWS_ACCESS_KEY_ID" in os.environ


@pytest.mark.parametrize("wire", [False, True])
def test_a_client_from_before_without_credentials_calls_in_a_cleared_environment(ran, monkeypatch, wire):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    before = boto3.Session().client("kms", region_name=REGION)
    with mock_kms(wire=wire) as kms, patch.dict(os.environ, clear=True):
        before.create_key()
        kms.client().list_keys()
        assert [call.operation for call in kms.calls] == ["CreateKey", "ListKeys"]


def test_what_is_said_in_code_counts(ran):
    with mock_kms(region="eu-central-1") as kms, patch.dict(os.environ, clear=True):
        key = {"aws_access_key_id": "AKIAX", "aws_secret_access_key": "x"}
        assert boto3.Session(**key).client("kms")._request_signer._credentials.access_key == "AKIAX"
        assert boto3.Session().client("kms", **key)._request_signer._credentials.access_key == "AKIAX"
        positional = (None, True, None, None, "AKIAY", "y")
        made = botocore.session.Session().create_client("kms", REGION, *positional)
        assert made._request_signer._credentials.access_key == "AKIAY"
        assert boto3.Session(region_name="eu-west-2").client("kms").meta.region_name == "eu-west-2"
        made = boto3.Session().client("kms", config=Config(region_name="eu-west-3"))
        assert made.meta.region_name == "eu-west-3"
        assert boto3.Session().client("kms").meta.region_name == kms.region


def credentials_of(client) -> tuple[str, str, str | None]:
    return tuple(client._request_signer._credentials.get_frozen_credentials()[:3])


def test_dummy_credentials_are_used_without_looking_for_them(monkeypatch):
    monkeypatch.setattr(botocore.session.Session, "_create_credential_resolver", lambda _: pytest.fail("looked"))
    with mock_kms():
        dummies = (os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"], None)
        assert credentials_of(boto3.Session().client("kms")) == dummies


def test_a_session_still_finds_the_dummy_credentials():
    with mock_kms():
        session = boto3.Session()
        found = credentials_of(session.client("kms"))
        assert session.get_credentials().method == "env"
        assert tuple(session.get_credentials().get_frozen_credentials()[:3]) == found


def test_credentials_of_the_test_take_the_place_of_the_dummy_credentials(ran, monkeypatch):
    with mock_kms():
        assert credentials_of(boto3.Session(profile_name="user").client("kms"))[0] == "AKIAUSERUSERUSERUSER"
        session = botocore.session.Session()
        session.set_credentials("AKIASET", "s", "t")
        assert credentials_of(session.create_client("kms", REGION)) == ("AKIASET", "s", "t")
        monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
        assert credentials_of(boto3.Session().client("kms"))[2] == "token"
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
        assert credentials_of(boto3.Session().client("kms"))[0] == "AKIAENV"


def test_a_region_alone_that_a_test_takes_away_is_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with mock_kms():
        monkeypatch.delenv("AWS_DEFAULT_REGION")
        with pytest.raises(NoRegionError):
            boto3.Session().client("kms")


def test_a_profile_that_does_not_exist_is_an_error_as_ever(ran, monkeypatch):
    with mock_kms(), pytest.raises(ProfileNotFound):
        botocore.session.Session(profile="none").create_client("kms", REGION)
    monkeypatch.setenv("AWS_PROFILE", "none")
    with mock_kms():
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        with pytest.raises(ProfileNotFound):
            botocore.session.Session().create_client("kms", REGION)


def test_a_program_is_run_without_a_mock_and_for_other_services(tmp_path, monkeypatch):
    with mock_kms():
        pass
    config, ran = tmp_path / "config", tmp_path / "ran"
    config.write_text(CONFIG.format(program=PROGRAM.format(ran=ran)))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))

    def runs(service: str) -> bool:
        with pytest.raises(Exception, match="Expecting value"):  # it prints no credentials
            boto3.Session(profile_name="program").client(service)
        existed = ran.exists()
        ran.unlink(missing_ok=True)
        return existed

    assert runs("kms")
    with mock_kms():
        assert runs("s3")
