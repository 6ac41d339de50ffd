"""What runs say of files of infrastructure: in a failing test, at the end, and the difference of policies."""

from __future__ import annotations

import json

import pytest

TEMPLATE = {
    "Resources": {
        "Key": {"Type": "AWS::KMS::Key"},
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "ManagedPolicyArns": ["arn:aws:iam::aws:policy/New"],
                "Policies": [
                    {
                        "PolicyDocument": {
                            "Version": "2012-10-17",
                            "Statement": [{"Effect": "Allow", "Action": ["kms:Encrypt", "kms:Sign"], "Resource": "*"}],
                        }
                    }
                ],
            },
        },
    }
}
TESTS = """
import pytest

pytestmark = pytest.mark.kms_mock(seed="app.template.json")

def test_the_role_reads(kms_mock):
    with kms_mock.as_principal(kms_mock.deployed("Role")):
        client = kms_mock.client()
        blob = client.encrypt(KeyId=kms_mock.deployed("Key"), Plaintext=b"x")["CiphertextBlob"]
        client.decrypt(CiphertextBlob=blob)

def test_another(kms_mock):
    assert kms_mock.deployed("Key")

def test_without(request):
    pass
"""


@pytest.fixture
def run(pytester: pytest.Pytester, few_plugins: None):
    pytester.makepyfile(test_app=TESTS)
    (pytester.path / "app.template.json").write_text(json.dumps(TEMPLATE, indent=1))
    return lambda *arguments: pytester.runpytest("-p", "no:cacheprovider", *arguments).stdout


def test_a_failing_test_names_file_and_statement(run):
    run().fnmatch_lines([
        "*- *policy (app.template.json:6, Role), statement 1 in line 17: its Action*not cover kms:Decrypt",
        "Not understood, which may be the reason:",
        "  app.template.json:6, Role: the AWS managed policy New is unknown: it is ignored",
    ])  # fmt: skip


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_what_is_not_understood_is_listed_once_and_the_difference_of_policies(run, workers):
    out = run("--kms-policy-diff", *workers)
    out.fnmatch_lines(["*KMS: not understood in files of infrastructure*"])
    listed = out.str().partition("KMS: not understood in files of infrastructure")[2]
    assert listed.count("the AWS managed policy New is unknown") == 1
    out.fnmatch_lines([
        "permissions that tests used and the files lack (1):",
        "  + app.template.json:6, Role: allow kms:Decrypt on arn:aws:kms:*:key/* for *:role/app-Role-*",
        "permissions that the files give and no test used (1):",
        "  - app.template.json:6, Role, statement 1 in line 17: kms:Sign",
    ])  # fmt: skip


def test_the_difference_without_a_template(pytester, few_plugins):
    pytester.makepyfile("def test_a(kms_client):\n    kms_client.create_key()\n")
    pytester.runpytest("-p", "no:cacheprovider", "--kms-policy-diff").stdout.fnmatch_lines([
        "Nothing was deployed, so there are no policies to compare with. Give a CloudFormation, CDK or SAM template, "
        "or a Terraform plan or state, as seed=..., kms_mock_seed or to kms_mock.deploy()."
    ])  # fmt: skip


def test_strict_by_ini_file_and_command_line(run, pytester):
    pytester.makeini("[pytest]\nkms_mock_seed_strict = true\n")
    assert "the deployment is strict" in run().str()
    assert "the deployment is strict" not in run("--kms-seed-strict", "no").str()


def test_several_files_in_an_ini_file(pytester, few_plugins):
    key = {"Resources": {"Key": {"Type": "AWS::KMS::Key"}}}
    (pytester.path / "a.json").write_text(json.dumps(key))
    (pytester.path / "b.json").write_text(json.dumps(key))
    pytester.makeini("[pytest]\nkms_mock_seed =\n    a.json\n    b.json\n")
    pytester.makepyfile("def test_a(kms_mock):\n    assert kms_mock.deployed('a/Key') != kms_mock.deployed('b/Key')\n")
    pytester.runpytest("-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_several_files_in_a_marker(pytester, few_plugins):
    key = {"Resources": {"Key": {"Type": "AWS::KMS::Key"}}}
    for name in ("a.json", "b.json"):
        (pytester.path / name).write_text(json.dumps(key))
    pytester.makepyfile(
        "import pytest\n"
        "@pytest.mark.kms_mock(seed=['a.json', 'b.json'])\n"
        "def test_a(kms_mock):\n    assert len(kms_mock.keys) == 2\n"
        "@pytest.mark.kms_mock(seed=['a.json', 5])\n"
        "def test_b(kms_mock):\n    pass\n"
    )
    result = pytester.runpytest("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*seed must be the path of a file, not 5.*"])
