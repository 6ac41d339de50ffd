"""The command `check-policies`: exit codes, what it prints, and the matrix."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pytest_kmsmock._cli.main import main
from pytest_kmsmock._kms.api.key_specs import KEY_SPECS
from pytest_kmsmock._kms.call.operation import OPERATIONS

DATA = Path(__file__).parents[1] / "iac" / "data"
PAYMENTS = str(DATA / "cdk.out")
ASK = ["check-policies", PAYMENTS, "--as", "WorkerRole", "--do", "kms:Decrypt", "--on", "DataKey"]


@pytest.mark.parametrize(
    ("more", "code", "verdict"),
    [
        (["--via", "s3"], 0, "allowed"),
        ([], 1, "refused"),
        (["--via", "s3", "--do", "kms:Sign"], 1, "refused"),
        (["--via", "s3", "--context", "a=b=c"], 0, "allowed"),
    ],
)
def test_a_question(capsys, more, code, verdict):
    assert main([*ASK, *more]) == code
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("kms:Decrypt on arn:aws:kms:us-east-1:123456789012:key/")
    assert any(line.endswith(verdict) for line in lines)
    assert any("Payments.template.json:" in line and "WorkerRoleDefaultPolicy6B1C3D7A" in line for line in lines)


@pytest.mark.parametrize("principal", ["role/none", "arn:aws:iam::111122223333:user/ann", "Payments/WorkerRole"])
@pytest.mark.parametrize("key", ["alias/payments", "DataKeyAlias"])
def test_other_names(capsys, principal, key):
    assert main(["check-policies", PAYMENTS, "--as", principal, "--do", "DescribeKey", "--on", key]) == 1
    assert "refused" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["check-policies", PAYMENTS], "check-policies needs --as, --do and --on, or --matrix"),
        ([*ASK, "--html", "a.html"], "--html needs --matrix"),
        (["check-policies", PAYMENTS, "--matrix", "--via", "s3"], "--matrix takes neither --via nor --context"),
        ([*ASK[:3], "Nobody", *ASK[4:]], "No resource 'Nobody' was deployed."),
        (["check-policies", "none.json", "--matrix"], "none.json does not exist in "),
        ([*ASK, "--region", "x"], "check-policies: region must be a Region"),
        (
            ["check-policies", PAYMENTS, "--as", "DataKey", "--do", "kms:Sign", "--on", "WorkerRole"],
            "--as takes a role or user, and --on a key or an alias, not arn:aws:kms:us-east-1:123456789012:key/",
        ),
        ([*ASK, "--parameter", "a=b"], "no template has a parameter 'a'."),
    ],
)
def test_invalid_questions(capsys, arguments, told):
    assert main(arguments) == 2
    assert told in capsys.readouterr().err


def test_pairs(capsys):
    with pytest.raises(SystemExit):
        main([*ASK, "--context", "a"])
    assert "expected NAME=VALUE, got 'a'" in capsys.readouterr().err


def test_what_is_not_understood_is_printed(tmp_path, capsys):
    managed = ["arn:aws:iam::aws:policy/New"]
    role = {"Type": "AWS::IAM::Role", "Properties": {"ManagedPolicyArns": managed}}
    file = tmp_path / "app.json"
    file.write_text(json.dumps({"Resources": {"Role": role, "Key": {"Type": "AWS::KMS::Key"}}}))
    ask = ["check-policies", str(file), "--as", "Role", "--do", "kms:Sign", "--on", "Key"]
    assert main(ask) == 1
    assert "not understood:\n  app.json:1, Role: the AWS managed policy New is unknown" in capsys.readouterr().err
    assert main([*ask, "--strict"]) == 2
    assert "Not understood, and the deployment is strict" in capsys.readouterr().err


def test_the_matrix(capsys):
    assert main(["check-policies", PAYMENTS, "--matrix"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:4] == ["principal", "key", "Encrypt", "Decrypt"]
    cells = {tuple(line.split()[:2]): line.split()[2:] for line in lines[1:7]}
    assert cells["ReportRole3C8D1E5F", "DataKey8A5E1D0C"][:3] == ["no", "yes", "no"]
    assert cells["WorkerRole2D8E4F60", "ArchiveKey6D4B2F18"][:3] == ["no", "yes", "no"]
    assert any("ReportRole3C8D1E5F, DataKey8A5E1D0C, kms:Decrypt: yes: resource-based policy" in line for line in lines)


def test_the_matrix_of_some_actions(capsys):
    assert main(["check-policies", PAYMENTS, "--matrix", "--do", "kms:Decrypt"]) == 0
    assert capsys.readouterr().out.splitlines()[0].split() == ["principal", "key", "Decrypt"]


def test_keys_of_each_usage(capsys):
    assert main(["check-policies", str(DATA / "terraform" / "state.json"), "--matrix"]) == 0
    heading, *rows = capsys.readouterr().out.splitlines()[:7]
    assert "Sign" in heading.split()
    assert len(rows) == 6


def test_denials_in_the_matrix(tmp_path, capsys):
    everything = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
    denial = {"Effect": "Deny", "Action": "kms:Decrypt", "Resource": "*"}
    inline = [{"PolicyDocument": {"Version": "2012-10-17", "Statement": [everything, denial]}}]
    file = tmp_path / "app.json"
    file.write_text(json.dumps({"Resources": {
        "Role": {"Type": "AWS::IAM::User", "Properties": {"Policies": inline}},
        "Group": {"Type": "AWS::IAM::Group"},
        "Key": {"Type": "AWS::KMS::Key"},
    }}))  # fmt: skip
    assert main(["check-policies", str(file), "--matrix"]) == 0
    out = capsys.readouterr().out
    assert "Role, Key, kms:Decrypt: no: with an explicit deny in an identity-based policy" in out
    assert "Group" not in out


@pytest.mark.parametrize(
    ("usage", "spec"),
    {usage: spec.name for spec in KEY_SPECS.values() if spec.is_in("aws") for usage in spec.usages}.items(),
)
def test_the_matrix_of_every_usage(tmp_path, capsys, usage, spec):
    file = tmp_path / "app.json"
    properties = {"KeySpec": spec, "KeyUsage": usage}
    file.write_text(json.dumps({"Resources": {
        "User": {"Type": "AWS::IAM::User"}, "Key": {"Type": "AWS::KMS::Key", "Properties": properties},
    }}))  # fmt: skip
    assert main(["check-policies", str(file), "--matrix"]) == 0
    assert set(capsys.readouterr().out.splitlines()[0].split()[2:-4]) <= {*OPERATIONS, "ReEncryptFrom", "ReEncryptTo"}


def test_a_replica_that_is_not_created_is_not_in_the_matrix(tmp_path, capsys):
    file = tmp_path / "app.json"
    replica = {"Type": "AWS::KMS::ReplicaKey", "Properties": {"PrimaryKeyArn": {"Ref": "Primary"}}}
    file.write_text(json.dumps({
        "Parameters": {"Primary": {"Type": "String"}},
        "Resources": {"User": {"Type": "AWS::IAM::User"}, "Replica": replica, "Key": {"Type": "AWS::KMS::Key"}},
    }))  # fmt: skip
    for more in ([], ["--do", "kms:Decrypt"]):
        assert main(["check-policies", str(file), "--matrix", *more]) == 0
        told = capsys.readouterr()
        assert "User" in told.out
        assert "Replica" not in told.out
        assert "Replica: its primary key 'arn:aws:placeholder:::primary' is not in the given files" in told.err


def test_an_empty_matrix(tmp_path, capsys):
    file = tmp_path / "app.json"
    file.write_text('{"Resources": {}}')
    assert main(["check-policies", str(file), "--matrix"]) == 0
    assert capsys.readouterr().out == "The files declare no role or user, or no key: there is nothing to show.\n"


def test_the_page(tmp_path, capsys):
    page = tmp_path / "matrix.html"
    assert main(["check-policies", PAYMENTS, "--matrix", "--html", str(page)]) == 0
    assert f"written to {page}" in capsys.readouterr().out
    text = page.read_text()
    HTMLParser().feed(text)
    assert text.count("<details>") == 4 * 9
    assert '<td class="yes"><details><summary>yes</summary><pre>' in text
    assert "WorkerRoleDefaultPolicy6B1C3D7A), statement 2 in line" in text
    assert "default-src 'none'" in text


def test_an_empty_cell_of_the_page(tmp_path):
    page = tmp_path / "matrix.html"
    assert main(["check-policies", str(DATA / "terraform" / "state.json"), "--matrix", "--html", str(page)]) == 0
    assert "<td></td>" in page.read_text()
