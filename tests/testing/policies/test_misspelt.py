"""Hints at misspelt names in explanations."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from pytest_kmsmock import mock_kms

ENCRYPT = "kms:Encrypt"


def statement(effect="Allow", action=ENCRYPT, **condition):
    entry = {"Effect": effect, "Action": action, "Resource": "*"}
    return entry | ({"Condition": {"StringEquals": condition}} if condition else {})


def hints(kms, principal, *statements):
    if statements:
        kms.iam.attach(principal, {"Version": "2012-10-17", "Statement": list(statements)})
    lines = kms.simulate(principal, ENCRYPT, kms.create_key()).lines
    return [line.strip() for line in lines if line.startswith("  ! ")]


@pytest.mark.parametrize(
    ("key", "suggestion"),
    [
        ("kms:EncryptionContxt:a", " Did you mean 'kms:EncryptionContext:a'?"),
        ("kms:EncryptionContext", " Did you mean 'kms:EncryptionContext:'?"),
        ("kms:viaServce", " Did you mean 'kms:ViaService'?"),
        ("kms:Quux", ""),
        ("aws:SourceArm", " Did you mean 'aws:SourceArn'?"),
        ("aws:ResourceTags/team", " Did you mean 'aws:ResourceTag/team'?"),
        ("aws:Quux", ""),
    ],
)
def test_an_unknown_condition_key_is_named_with_the_statement(kms_mock, key, suggestion):
    assert hints(kms_mock, "role/app", statement(), statement(), statement(**{key: "b"})) == []  # it is allowed
    assert hints(kms_mock, "role/other", statement(action="kms:Decrypt"), statement(**{key: "b"})) == [
        f"! identity-based policy, statement 2: unknown condition key {key!r}.{suggestion}"
    ]


def test_unknown_names_of_a_deny_are_told_although_the_request_is_allowed(kms_mock):
    denies = statement("Deny", **{"kms:ViaServce": "s3.us-east-1.amazonaws.com"})
    assert hints(kms_mock, "role/app", statement(), statement("Deny", "kms:Encrpt"), denies) == [
        "! identity-based policy, statement 2: unknown KMS permission 'kms:Encrpt'. Did you mean 'kms:Encrypt'?",
        "! identity-based policy, statement 3: unknown condition key 'kms:ViaServce'. Did you mean 'kms:ViaService'?",
    ]


@pytest.mark.parametrize(
    "key",
    [
        "kms:EncryptionContext:a", "KMS:VIASERVICE", "kms:RecipientAttestation:PCR0", "aws:PrincipalTag/team",
        "aws:sourcearn", "ec2:SourceInstanceArm",
    ],
)  # fmt: skip
def test_known_condition_keys_and_those_of_other_services_are_no_hint(kms_mock, key):
    assert hints(kms_mock, "role/app", statement(**{key: "b"})) == []


@pytest.mark.parametrize(
    ("holder", "principal", "expected"),
    [
        pytest.param("role/app", "role/ap", "role/app", id="misspelt"),
        pytest.param("role/app", "user/app", "role/app", id="user instead of role"),
        pytest.param("role/team/app", "role/app", "role/team/app", id="path"),
        pytest.param(
            "arn:aws:iam::111122223333:role/app", "role/app", "arn:aws:iam::111122223333:role/app", id="account"
        ),
        pytest.param("role/reader", "role/writer", None, id="another name"),
        pytest.param("role/app", "123456789012", None, id="root user"),
    ],
)
def test_a_principal_without_policies_is_compared_with_those_that_have_some(holder, principal, expected):
    with mock_kms() as kms:
        kms.iam.attach(holder, {"Version": "2012-10-17", "Statement": [statement()]})
        told = [] if expected is None else [f"! Policies are attached to {expected}. Did you mean that?"]
        kms.iam.service_control({"Version": "2012-10-17", "Statement": [statement("Deny")]})
        assert hints(kms, principal) == told
        kms.iam.detach(holder)
        assert hints(kms, principal) == []


TEMPLATE = """
Resources:
  WorkerRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]
      Policies:
        - PolicyName: p
          PolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "kms:*", Resource: "*"}]}
"""


def test_the_name_of_a_deployed_role_in_its_file_leads_to_its_arn(kms_mock, tmp_path):
    (tmp_path / "app.yaml").write_text(TEMPLATE)
    kms_mock.deploy(tmp_path / "app.yaml")
    assert hints(kms_mock, "role/WorkerRole") == [
        "! A deployed principal has this name in its file: kms_mock.deployed('WorkerRole') is its ARN."
    ]
    assert hints(kms_mock, kms_mock.deployed("WorkerRole")) == []
    assert hints(kms_mock, "role/Worker") == []  # kms_mock.deployed() would not find a part of the name


def test_the_digits_of_an_id_of_cdk_are_no_part_of_the_name(kms_mock, tmp_path):
    (tmp_path / "app.yaml").write_text(TEMPLATE.replace("WorkerRole", "WorkerRoleB17D4096"))
    kms_mock.deploy(tmp_path / "app.yaml")
    assert hints(kms_mock, "role/WorkerRole") == [
        "! A deployed principal has this name in its file: kms_mock.deployed('WorkerRole') is its ARN."
    ]
    assert kms_mock.deployed("WorkerRole") == kms_mock.deployed("WorkerRoleB17D4096")


def test_policies_that_the_caller_gets_after_its_call_are_no_hint(kms_mock):
    key = kms_mock.create_key()
    with pytest.raises(ClientError) as denied:
        kms_mock.client(principal="role/app").encrypt(KeyId=key.id, Plaintext=b"x")
    kms_mock.iam.attach("role/app", {"Version": "2012-10-17", "Statement": [statement()]})
    assert "! " not in str(kms_mock.explain(denied))


def test_the_section_of_calls_has_the_hints(pytester, few_plugins):
    pytester.makepyfile("""
        def test_it(kms_mock):
            kms_mock.create_key(alias="alias/app")
            allowed = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
            kms_mock.iam.attach("role/app", {"Version": "2012-10-17", "Statement": [allowed]})
            kms_mock.client(principal="role/ap").encrypt(KeyId="alias/app", Plaintext=b"x")
    """)
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    result.stdout.fnmatch_lines([
        "     - identity-based policies: arn:aws:iam::123456789012:role/ap has none",
        "     - grants: no grant allows the request",
        "     ! Policies are attached to role/app. Did you mean that?",
    ])  # fmt: skip
