"""A law: no call leaves an active mock, whatever the environment, the config file, the profile and the client say.

Sockets and programs fail the test; the access keys of the environment and the files are real, and sign nothing.
"""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

import boto3
import botocore.loaders
import botocore.session
import pytest
from botocore import auth
from botocore.config import Config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_kmsmock import mock_kms

#: What fails when something leaves: a real signature, the network, a program.
LEFT = (AssertionError, pytest.fail.Exception, FileNotFoundError)
ELSEWHERE = "http://127.0.0.1:9"
REAL = "a real secret"
LOADER = botocore.loaders.create_loader()
VARIABLES = {
    "AWS_ENDPOINT_URL": ELSEWHERE,
    "AWS_ENDPOINT_URL_KMS": f"{ELSEWHERE}/kms",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_DEFAULT_REGION": "ap-south-1",
    "AWS_REGION": "eu-west-3",
    "AWS_ACCESS_KEY_ID": "AKIAUSERUSERUSERUSER",
    "AWS_SECRET_ACCESS_KEY": REAL,
    "AWS_SESSION_TOKEN": "token",
    "AWS_EC2_METADATA_DISABLED": "false",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.2/credentials",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere",
    "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/app",
    "AWS_MAX_ATTEMPTS": "5",
    "AWS_RETRY_MODE": "adaptive",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_USE_DUALSTACK_ENDPOINT": "true",
    "AWS_STS_REGIONAL_ENDPOINTS": "legacy",
    "AWS_CA_BUNDLE": "/nowhere",
    "HTTPS_PROXY": ELSEWHERE,
}
#: Lines of a profile.
LINES = {
    "region": "region = eu-central-1",
    "endpoint": f"endpoint_url = {ELSEWHERE}",
    "services": "services = dev",
    "keys": f"aws_access_key_id = AKIAFILEFILEFILEFILE\naws_secret_access_key = {REAL}",
    "program": "credential_process = no-such-program",
    "role": "role_arn = arn:aws:iam::123456789012:role/app\nsource_profile = other",
    "instance": "role_arn = arn:aws:iam::123456789012:role/app\ncredential_source = Ec2InstanceMetadata",
    "sign-on": "sso_start_url = https://x.awsapps.com\nsso_region = us-east-1\nsso_account_id = 1\nsso_role_name = app",
    "retries": "max_attempts = 1\nretry_mode = standard",
    "fips": "use_fips_endpoint = true",
    "dual-stack": "use_dualstack_endpoint = true",
}
SERVICES = f"[services dev]\nkms =\n  endpoint_url = {ELSEWHERE}\n"

profiles = st.sets(st.sampled_from(sorted(LINES)), max_size=5).filter(
    lambda names: len(names & {"role", "instance"}) < 2
)
machines = st.fixed_dictionaries({
    "variables": st.sets(st.sampled_from(sorted(VARIABLES)), max_size=7),
    "default": profiles,
    "other": profiles.filter(lambda names: "role" not in names),
})  # fmt: skip
uses = st.fixed_dictionaries({
    "profile": st.sampled_from([None, "default", "other"]),
    "made": st.sampled_from(["before", "inside", "in a cleared environment", "by the handle"]),
    "options": st.fixed_dictionaries({"wire": st.booleans()}, optional={"region": st.just("eu-north-1")}),
    "nested": st.booleans(),
})  # fmt: skip


@contextmanager
def machine(folder: Path, variables: set[str], default: set[str], other: set[str]) -> Iterator[None]:
    """Have an environment and files, on a machine whose network and programs fail the test."""

    def refuse(*args: object, **_: object) -> None:
        pytest.fail(f"left the process: {args}")

    def sign(self: auth.SigV4Auth, request: object) -> None:
        assert self.credentials.secret_key != REAL
        add_auth(self, request)

    add_auth = auth.SigV4Auth.add_auth
    text = "".join(
        f"[{head}]\n" + "".join(f"{LINES[name]}\n" for name in sorted(names))
        for head, names in (("default", default), ("profile other", other))
    )
    (folder / "config").write_text(text + SERVICES)
    kept = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    files = {"AWS_CONFIG_FILE": str(folder / "config"), "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none")}
    with ExitStack() as stack:
        stack.enter_context(
            patch.dict(os.environ, kept | files | {name: VARIABLES[name] for name in variables}, clear=True)
        )
        for owner, name in ((socket.socket, "connect"), (socket, "getaddrinfo"), (subprocess, "Popen")):
            stack.enter_context(patch.object(owner, name, refuse))
        stack.enter_context(patch.object(auth.SigV4Auth, "add_auth", sign))
        yield


def session_of(profile: str | None) -> boto3.Session:
    session = botocore.session.Session(profile=profile)
    session.register_component("data_loader", LOADER)  # else each session reads its files anew
    return boto3.Session(botocore_session=session)


def carry_out(folder: Path, machine_is: dict[str, set[str]], use: dict[str, object]) -> None:
    quick = Config(retries={"total_max_attempts": 1}, connect_timeout=1)
    with machine(folder, **machine_is), ExitStack() as stack:
        if use["made"] == "before":
            keys = {"aws_access_key_id": "AKIAREAL", "aws_secret_access_key": REAL, "region_name": "eu-west-1"}
            client = session_of(use["profile"]).client("kms", config=quick, **keys)
        if use["nested"]:
            stack.enter_context(mock_kms())
        kms = stack.enter_context(mock_kms(**use["options"]))
        if use["made"] == "by the handle":
            client = kms.client(config=quick)
        elif use["made"] == "in a cleared environment":
            files = {name: os.environ[name] for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")}
            stack.enter_context(patch.dict(os.environ, files, clear=True))
        if use["made"] in ("inside", "in a cleared environment"):
            client = session_of(use["profile"]).client("kms", config=quick)
        client.create_key()
        assert [call.operation for call in kms.calls] == ["CreateKey"]


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(machine_is=machines, use=uses)
def test_a_call_is_answered_by_the_mock(tmp_path, machine_is, use):
    carry_out(tmp_path, machine_is, use)


def test_without_a_mock_the_same_call_would_leave(tmp_path):
    """What the law is worth."""
    with mock_kms():
        pass
    for profile in ({"endpoint", "keys", "region"}, {"region", "program"}):
        with machine(tmp_path, set(), profile, set()), pytest.raises(LEFT):
            session_of(None).client("kms").list_keys()
