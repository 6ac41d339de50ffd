"""The command `pytest-kmsmock conformance`."""

from __future__ import annotations

import json
import os
import signal

import pytest

from pytest_kmsmock._cli.main import main


@pytest.fixture
def aws(kms_mock, endpoints_of_aws):
    """Let `--target aws` find this project's own server."""
    return kms_mock


def test_this_mock(capsys):
    assert main(["conformance", "aliases/aliases"]) == 0
    told = capsys.readouterr().out
    assert told.splitlines()[1].split() == ["aliases", "9", "0", "0", "0"]


def test_moto_and_the_differences_as_json(tmp_path, capsys):
    file = tmp_path / "differences.json"
    assert main(["conformance", "aliases/aliases", "--target", "moto", "--json", str(file)]) == 1
    assert "aliases/aliases, step 4 (ListAliases) at aliases.yaml" in capsys.readouterr().out
    document = json.loads(file.read_text())
    assert document["target"] == "moto"
    assert document["differences"][0]["operation"] == "ListAliases"


def test_an_endpoint(kms_mock, kms_server, capsys):
    assert main(["conformance", "aliases/aliases", "--target", kms_server.endpoint_url]) == 0
    assert {key.state for key in kms_mock.keys.values()} == {"PendingDeletion"}


def test_moto_server(moto_server):
    assert main(["conformance", "a key by default", "--target", moto_server]) == 1


def test_an_endpoint_that_goes_away(kms_mock, kms_server, capsys):
    """What was found out before is told, and what was made is taken away."""
    kms_mock.faults.add("ListAliases", error="ConnectionClosedError")
    assert main(["conformance", "aliases/aliases", "--target", kms_server.endpoint_url]) == 2
    told = capsys.readouterr()
    assert told.out.splitlines()[1].split() == ["aliases", "1", "0", "0", "0"]
    assert "pytest-kmsmock: ListAliases got no answer from http://127.0.0.1:" in told.err
    assert {key.state for key in kms_mock.keys.values()} == {"PendingDeletion"}


def test_a_recording(tmp_path, capsys):
    file = tmp_path / "recorded.yaml"
    assert main(["conformance", "aliases/aliases", "--record", str(file)]) == 0
    assert main(["conformance", "--scenarios", str(file)]) == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["--target", "nowhere"],
            "--target must be mock, moto, aws or a URL such as http://localhost:4566, not 'nowhere'.",
        ),
        (
            ["--target", "https://kms.eu-west-1.amazonaws.com"],
            "https://kms.eu-west-1.amazonaws.com is an endpoint of AWS. Use --target aws, which first shows what it "
            "creates and costs.",
        ),
        (["--region", "here"], "conformance: region must be a Region such as 'eu-west-1', not 'here'."),
    ],
)
def test_bad_arguments(capsys, arguments, told):
    assert main(["conformance", *arguments]) == 2
    assert told in capsys.readouterr().err


def test_unknown_scenarios(capsys):
    assert main(["conformance", "nothing"]) == 2
    assert "Unknown scenario 'nothing'." in capsys.readouterr().err


def test_nothing_is_created_in_an_account_without_yes(aws, capsys):
    assert main(["conformance", "aliases/aliases", "--target", "aws"]) == 2
    told = capsys.readouterr().out
    assert told.startswith("Account 123456789012 (aws), as ")
    assert told.endswith("Nothing was done. Add --yes to go ahead.\n")
    assert not aws.calls


def test_an_account(aws, capsys, tmp_path):
    file = tmp_path / "recorded.yaml"
    assert main(["conformance", "aliases/aliases", "--target", "aws", "--yes", "--record", str(file)]) == 0
    assert [(key.state, key.aliases) for key in aws.keys.values()] == [("PendingDeletion", ())] * 2
    assert {tuple(key.tags) for key in aws.keys.values()} == {("pytest-kmsmock-conformance",)}
    assert "mark: recorded" in file.read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_lets_the_call_end_and_takes_everything_away(aws, capsys, number):
    """The signal comes while CreateKey is under way, and again while keys are taken away."""
    before = signal.getsignal(number)

    def interrupt(call) -> bool:
        os.kill(os.getpid(), number)
        return True

    aws.faults.add("CreateKey", delay=0.2, when=interrupt, times=1)
    aws.faults.add("ScheduleKeyDeletion", delay=0.2, when=interrupt, times=1)
    assert main(["conformance", "keys/*", "--target", "aws", "--yes"]) == 130
    aws.faults.assert_all_used()
    assert [key.state for key in aws.keys.values()] == ["PendingDeletion"]
    assert signal.getsignal(number) is before


def test_what_is_left_behind_is_printed(aws, capsys):
    aws.faults.add("ScheduleKeyDeletion", error="AccessDeniedException", message="no", when=_is_the_last, times=1)
    assert main(["conformance", "a key by default", "--target", "aws", "--yes"]) == 1
    assert "pytest-kmsmock: left behind: " in capsys.readouterr().err


def _is_the_last(call) -> bool:
    return call.params["PendingWindowInDays"] == 7
