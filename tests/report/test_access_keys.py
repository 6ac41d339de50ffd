"""Access keys that nobody is known by are told of once, at the end of a run."""

from __future__ import annotations

import pytest

from pytest_kmsmock._runtime import environment

SOURCE = """
    import boto3
    import pytest

    def call(access_key):
        boto3.client(
            "kms", region_name="us-east-1", aws_access_key_id=access_key, aws_secret_access_key="s"
        ).list_keys()

    @pytest.mark.parametrize("number", range(3))
    def test_a_stranger(kms_mock, number):
        call("AKIASTRANGER00000000")

    def test_another(kms_mock):
        call("ASIASTRANGER00000000")

    @pytest.mark.parametrize("dummy", ["testing", "AKIAIOSFODNN7EXAMPLE", "AKIAI44QH8DHBEXAMPLE", "FOOBARKEY"])
    def test_a_dummy(kms_mock, dummy):
        call(dummy)

    def test_somebody(kms_mock):
        call(kms_mock.credentials("root").access_key_id)

    def test_who_is_told_to_be_somebody(kms_mock):
        with kms_mock.as_principal("root"):
            call("AKIASTRANGER00000001")

    def test_what_the_environment_has(kms_mock, monkeypatch):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIASTRANGER00000002")
        call("AKIASTRANGER00000002")
"""


@pytest.fixture(autouse=True)
def _nobody_is_known(monkeypatch):
    monkeypatch.setattr(environment, "unknown_access_keys", {})


@pytest.mark.parametrize("workers", [pytest.param((), id="one-process"), pytest.param(("-n", "2"), id="xdist")])
def test_strangers_are_named_once(run, workers):
    result = run(SOURCE, *workers)
    result.assert_outcomes(passed=11)
    result.stdout.re_match_lines(
        [r"=+ unknown access keys =+", r"KMS calls were signed with access keys that neither .*"]
    )
    told = sorted(line for line in result.outlines if "STRANGER" in line)
    assert len(told) == 2
    assert told[0].startswith("  AKIASTRANGER00000000 (first in test_it.py::test_a_stranger[")
    assert told[1] == "  ASIASTRANGER00000000 (first in test_it.py::test_another)"


def test_without_any_nothing_is_said(run):
    result = run("def test_nothing(kms_client): kms_client.list_keys()")
    result.stdout.no_fnmatch_line("*unknown access keys*")
