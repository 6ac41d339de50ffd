"""AWS managed policies by their public text, and what is not known of others."""

from __future__ import annotations

import json

import pytest
from tests.iac.conftest import ACCOUNT

from pytest_kmsmock._iac.policies import affects_kms, aws_managed, aws_managed_names
from pytest_kmsmock._kms.policy.kinds import PolicyKind
from pytest_kmsmock._kms.policy.policy import compile_policy

AWS = "arn:aws:iam::aws:policy/"


def role(*managed, **more):
    return {"Type": "AWS::IAM::Role", "Properties": {"ManagedPolicyArns": list(managed), **more}}


def told(kms):
    return [str(each) for each in kms._core.deployments[0].unknowns]


@pytest.mark.parametrize(
    ("name", "action", "allowed"),
    [
        ("AdministratorAccess", "kms:Decrypt", True),
        ("PowerUserAccess", "kms:Decrypt", True),
        ("ReadOnlyAccess", "kms:DescribeKey", True),
        ("ReadOnlyAccess", "kms:Decrypt", False),
        ("service-role/AWSLambdaBasicExecutionRole", "kms:Decrypt", False),
    ],
)
def test_aws_managed_policies(deployed, name, action, allowed):
    kms = deployed({"Key": {"Type": "AWS::KMS::Key"}, "Role": role(f"{AWS}{name}")})
    explanation = kms.simulate(kms.deployed("Role"), action, kms.deployed("Key"))
    assert explanation.allowed is allowed
    assert told(kms) == []
    if allowed:
        [policy] = [line for line in explanation.lines if "AWS managed policy" in line and line.startswith("  +")]
        assert f"(app.template.json:6, Role (AWS managed policy {name}))" in policy


def test_policies_that_are_not_known(deployed):
    kms = deployed({"Role": role(f"{AWS}NewPolicy", f"arn:aws:iam::{ACCOUNT}:policy/ours")})
    assert told(kms) == [
        "app.template.json:3, Role: the AWS managed policy NewPolicy is unknown: it is ignored",
        f"app.template.json:3, Role: the managed policy arn:aws:iam::{ACCOUNT}:policy/ours is not in the given "
        "files: it is ignored",
    ]


def test_a_policy_whose_parameter_has_no_value_is_listed_once(deployed):
    kms = deployed(
        {"Role": role({"Ref": "Shared"}, PermissionsBoundary={"Ref": "Limit"})},
        Parameters={"Limit": {"Type": "String"}, "Shared": {"Type": "String"}},
    )
    assert [line.partition(": ")[0] for line in told(kms)] == [
        "app.template.json:6, Shared",
        "app.template.json:3, Limit",
    ]


@pytest.mark.parametrize(
    ("boundary", "allowed"), [("ReadOnlyAccess", False), ("AmazonS3FullAccess", False), ("AdministratorAccess", True)]
)
def test_an_aws_managed_policy_as_boundary(deployed, boundary, allowed):
    inline = {
        "PolicyDocument": {
            "Version": "2012-10-17",
            "Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*"},
        }
    }
    kms = deployed(
        {
            "Key": {"Type": "AWS::KMS::Key"},
            "Role": role(Policies=[inline], PermissionsBoundary=f"{AWS}{boundary}"),
        }
    )
    assert kms.simulate(kms.deployed("Role"), "kms:Decrypt", kms.deployed("Key")).allowed is allowed


def test_the_table_holds_policies_about_kms():
    names = list(aws_managed_names())
    assert len(names) == len(set(names)) > 1000
    for name in names:
        document = aws_managed(f"{AWS}{name}")
        assert document is not None
        if document:
            assert all(map(affects_kms, document["Statement"])), name
            compile_policy(json.dumps(document), PolicyKind.IDENTITY)


@pytest.mark.parametrize(
    ("statement", "bears"),
    [
        ({"Action": "kms:Decrypt"}, True),
        ({"Action": ["s3:*", "KMS:*"]}, True),
        ({"Action": "*"}, True),
        ({"Action": "k*:Decrypt"}, True),
        ({"NotAction": "s3:*"}, True),
        ({"Action": "s3:*"}, False),
        ({}, False),
        ("text", False),
    ],
)
def test_which_statements_affect_kms(statement, bears):
    assert affects_kms(statement) is bears
