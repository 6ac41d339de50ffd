"""KMS and IAM resources of templates in a mock. Source: the reference of each type of CloudFormation."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from tests.iac.conftest import ACCOUNT, REGION, allow, policy, reasons

from pytest_kmsmock._iac.cloudformation.other_services import OTHER_SERVICES
from pytest_kmsmock._iac.cloudformation.types import TYPES
from pytest_kmsmock.errors import InvalidSeed

KEY = {"Type": "AWS::KMS::Key"}


def key(**properties):
    return {"Type": "AWS::KMS::Key", "Properties": properties}


def test_a_key_with_all_its_properties(deployed):
    kms = deployed(
        {
            "Key": key(
                Description="signs",
                KeySpec="RSA_2048",
                KeyUsage="SIGN_VERIFY",
                Enabled="false",
                PendingWindowInDays=7,
                Tags=[{"Key": "team", "Value": "payments"}],
                KeyPolicy=policy(allow("kms:*", Principal={"AWS": int(ACCOUNT)})),
            )
        }
    )
    made = kms.keys[kms.deployed("Key")]
    assert (made.spec, made.usage, made.state) == ("RSA_2048", "SIGN_VERIFY", "Disabled")
    assert (dict(made.tags), made.metadata["Description"]) == ({"team": "payments"}, "signs")
    assert made.policy["Statement"][0]["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}


@pytest.mark.parametrize(
    ("properties", "period"),
    [({"EnableKeyRotation": True}, 365), ({"EnableKeyRotation": "true", "RotationPeriodInDays": "90"}, 90), ({}, None)],
)
def test_rotation(deployed, properties, period):
    kms = deployed({"Key": key(**properties)})
    status = kms.client().get_key_rotation_status(KeyId=kms.deployed("Key"))
    assert status.get("RotationPeriodInDays") == period


def test_imported_material_is_pending(deployed):
    kms = deployed({"Key": key(Origin="EXTERNAL")})
    assert kms.keys[kms.deployed("Key")].state == "PendingImport"


def test_an_alias(deployed):
    kms = deployed(
        {
            "Key": KEY,
            "Alias": {
                "Type": "AWS::KMS::Alias",
                "Properties": {"AliasName": "alias/app", "TargetKeyId": {"Ref": "Key"}},
            },
        }
    )
    assert kms.keys["alias/app"].arn == kms.deployed("Key")
    assert kms.deployed("Alias") == f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/app"


def test_an_alias_of_a_key_in_no_file_is_listed(resources, deployed):
    alias = {
        "Type": "AWS::KMS::Alias",
        "Properties": {"AliasName": "alias/app", "TargetKeyId": "1234abcd-12ab-34cd-56ef-1234567890ab"},
    }
    kms = deployed({"Alias": alias})
    [told] = kms._core.deployments[0].unknowns
    assert told.reason.startswith("its key is not in the given files, so it is not created: ")


def test_a_replica_of_another_region(write, deployed):
    kms = deployed({"Key": key(MultiRegion=True)})
    replica = {
        "Type": "AWS::KMS::ReplicaKey",
        "Properties": {
            "PrimaryKeyArn": {"Ref": "Primary"},
            "Description": "copy",
            "Enabled": False,
            "KeyPolicy": policy(allow("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})),
            "Tags": [{"Key": "a", "Value": "b"}],
        },
    }
    file = write("b.json", {"Parameters": {"Primary": {"Type": "String"}}, "Resources": {"Replica": replica}})
    kms.deploy(file, region="eu-west-1", parameters={"Primary": kms.deployed("Key")})
    described = kms.client(region="eu-west-1").describe_key(KeyId=kms.deployed("Replica"))["KeyMetadata"]
    assert (described["Description"], described["Enabled"]) == ("copy", False)
    assert described["MultiRegionConfiguration"]["PrimaryKey"]["Region"] == "us-east-1"


@pytest.mark.parametrize(
    ("primary", "told", "made"),
    [
        (f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/mrk-{'1' * 32}", "a placeholder is created", 2),
        ("none", "it is not created", 0),
    ],
)
def test_a_replica_of_a_key_elsewhere(deployed, primary, told, made):
    kms = deployed({"Replica": {"Type": "AWS::KMS::ReplicaKey", "Properties": {"PrimaryKeyArn": primary}}})
    [unknown] = kms._core.deployments[0].unknowns
    assert unknown.reason.endswith(told)
    assert sum(len(region.keys) for region in kms._service.state.regions()) == made


ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}


@pytest.mark.parametrize(
    "declared",
    [
        pytest.param(
            {"Role": {"Type": "AWS::IAM::Role", "Properties": {"Policies": [{"PolicyDocument": "P"}]}}}, id="inline"
        ),
        pytest.param(
            {
                "Role": {"Type": "AWS::IAM::Role"},
                "Policy": {
                    "Type": "AWS::IAM::Policy",
                    "Properties": {"Roles": [{"Ref": "Role"}], "PolicyDocument": "P"},
                },
            },
            id="policy",
        ),
        pytest.param(
            {
                "Role": {"Type": "AWS::IAM::Role"},
                "Policy": {
                    "Type": "AWS::IAM::RolePolicy",
                    "Properties": {"RoleName": {"Ref": "Role"}, "PolicyDocument": "P"},
                },
            },
            id="role policy",
        ),
        pytest.param(
            {
                "Role": {"Type": "AWS::IAM::Role", "Properties": {"ManagedPolicyArns": [{"Ref": "Policy"}]}},
                "Policy": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": "P"}},
            },
            id="managed policy that a role names",
        ),
        pytest.param(
            {
                "Role": {"Type": "AWS::IAM::Role"},
                "Policy": {
                    "Type": "AWS::IAM::ManagedPolicy",
                    "Properties": {"Roles": [{"Ref": "Role"}], "PolicyDocument": "P"},
                },
            },
            id="managed policy that names a role",
        ),
        pytest.param(
            {
                "Role": {"Type": "AWS::IAM::User", "Properties": {"Groups": [{"Ref": "Group"}]}},
                "Group": {"Type": "AWS::IAM::Group", "Properties": {"Policies": [{"PolicyDocument": "P"}]}},
            },
            id="group of a user",
        ),
        pytest.param(
            {
                "Role": {"Type": "AWS::IAM::User"},
                "Group": {"Type": "AWS::IAM::Group"},
                "Policy": {
                    "Type": "AWS::IAM::GroupPolicy",
                    "Properties": {"GroupName": {"Ref": "Group"}, "PolicyDocument": "P"},
                },
                "Members": {
                    "Type": "AWS::IAM::UserToGroupAddition",
                    "Properties": {"GroupName": {"Ref": "Group"}, "Users": [{"Ref": "Role"}]},
                },
            },
            id="users of a group",
        ),
        pytest.param(
            {
                "Role": {
                    "Type": "AWS::IAM::Role",
                    "Properties": {"Policies": {"Fn::If": ["Yes", [{"PolicyDocument": "P"}], {"Ref": "AWS::NoValue"}]}},
                },
            },
            id="conditional list",
        ),
        pytest.param(
            {
                "Role": {
                    "Type": "AWS::IAM::Role",
                    "Properties": {
                        "Policies": [
                            {
                                "Fn::If": [
                                    "Yes",
                                    {"PolicyDocument": {"Fn::If": ["Yes", "P", {}]}},
                                    {"Ref": "AWS::NoValue"},
                                ]
                            },
                            {"Fn::If": ["Yes", {"Ref": "AWS::NoValue"}, {"PolicyDocument": "P"}]},
                        ]
                    },
                },
            },
            id="conditional policies",
        ),
        pytest.param(
            {
                "Role": {
                    "Type": "AWS::IAM::Role",
                    "Properties": {"Fn::If": ["Yes", {"Policies": [{"PolicyDocument": "P"}]}, {}]},
                }
            },
            id="conditional properties",
        ),
    ],
)
def test_policies_of_principals(deployed, declared):
    document = policy(allow(["kms:Encrypt"], {"Fn::GetAtt": ["Key", "Arn"]}))

    def filled(value):
        if isinstance(value, dict):
            return {name: filled(item) for name, item in value.items()}
        if isinstance(value, list):
            return [filled(item) for item in value]
        return document if value == "P" else value

    kms = deployed({"Key": KEY, **filled(declared)}, Conditions={"Yes": {"Fn::Equals": ["a", "a"]}})
    assert kms.simulate(kms.deployed("Role"), "kms:Encrypt", kms.deployed("Key"))
    assert not kms.simulate(kms.deployed("Role"), "kms:Decrypt", kms.deployed("Key"))


def test_policies_of_roles_elsewhere(deployed):
    document = policy(allow("kms:Encrypt"))
    kms = deployed(
        {
            "Key": KEY,
            "Policy": {"Type": "AWS::IAM::Policy", "Properties": {"Roles": ["imported"], "PolicyDocument": document}},
        }
    )
    assert kms.simulate("role/imported", "kms:Encrypt", kms.deployed("Key"))


def test_permissions_boundaries(deployed):
    kms = deployed(
        {
            "Key": KEY,
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "Policies": [{"PolicyDocument": policy(allow("kms:*"))}],
                    "PermissionsBoundary": {"Ref": "Limit"},
                },
            },
            "Limit": {
                "Type": "AWS::IAM::ManagedPolicy",
                "Properties": {"PolicyDocument": policy(allow("kms:Encrypt"))},
            },
        }
    )
    assert kms.simulate(kms.deployed("Role"), "kms:Encrypt", kms.deployed("Key"))
    refused = kms.simulate(kms.deployed("Role"), "kms:Decrypt", kms.deployed("Key"))
    assert "because no permissions boundary allows" in refused.message
    assert any("permissions boundary (app.template.json:" in line and "Limit" in line for line in refused.lines)


def test_statements_that_a_condition_leaves_out(deployed):
    statements = {"Fn::If": ["Yes", [allow("kms:Encrypt")], []]}
    left_out = {"Version": "2012-10-17", "Statement": [{"Fn::If": ["Yes", {"Ref": "AWS::NoValue"}, allow("kms:*")]}]}
    kms = deployed(
        {
            "Key": KEY,
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "Policies": [
                        {"PolicyDocument": {"Version": "2012-10-17", "Statement": statements}},
                        {"PolicyDocument": left_out},
                    ]
                },
            },
        },
        Conditions={"Yes": {"Fn::Equals": ["a", "a"]}},
    )
    assert len(kms._service.state.iam.identity[kms.deployed("Role")]) == 1


def test_the_role_of_a_session_may_have_a_path(deployed):
    kms = deployed(
        {
            "Key": KEY,
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "Path": "/app/",
                    "RoleName": "worker",
                    "Policies": [{"PolicyDocument": policy(allow("kms:Encrypt"))}],
                },
            },
        }
    )
    with kms.as_principal(kms.deployed("worker")):
        kms.client().encrypt(KeyId=kms.deployed("Key"), Plaintext=b"x")
        with pytest.raises(ClientError, match="no identity-based policy allows the kms:ListKeys action"):
            kms.client().list_keys()


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ({"X": {"Type": "AWS::KMS::Rotation"}}, "AWS::KMS::Rotation is not supported: it has no effect here"),
        ({"X": {"Type": "AWS::IAM::OIDCProvider"}}, None),
        (
            {"X": {"Type": "AWS::Some::Thing", "Properties": {"A": [{"KmsKeyId": "x"}]}}},
            "KmsKeyId of AWS::Some::Thing has no effect here",
        ),
        (
            {"X": {"Type": "AWS::SQS::Queue", "Properties": {"KmsMasterKeyId": {"Ref": "P"}}}},
            "this parameter has no value: give it with kms_mock.deploy(parameters={'P': ...}) or `parameters` in a "
            "file that lists stacks, or with check-policies --parameter P=...; used by X (line 8)",
        ),
    ],
)
def test_unsupported_resources_and_settings_are_listed(resources, declared, told):
    deployment = resources(declared, Parameters={"P": {"Type": "String"}})
    assert reasons(deployment) == ([] if told is None else [told])
    assert reasons(deployment, decides=True) == ([told] if told and "AWS::KMS" in told else [])


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ({"Key": key(KeySpec="RSA_1024")}, "app.template.json:3, Key: AWS refuses CreateKey: ValidationException"),
        (
            {"Key": key(EnableKeyRotation=True, RotationPeriodInDays="x")},
            "app.template.json:3, Key: RotationPeriodInDays must be a number, not 'x'",
        ),
        ({"Key": {**KEY, "Properties": [1]}}, "app.template.json:3, Key: Properties must be a mapping"),
        ({"Key": key(KeyPolicy="text")}, "app.template.json:3, Key: a policy document must be a mapping, not 'text'"),
        (
            {"Key": key(KeyPolicy=policy({"Effect": "Perhaps"}))},
            "app.template.json:3, Key: AWS refuses CreateKey: MalformedPolicyDocument",
        ),
        (
            {
                "Role": {
                    "Type": "AWS::IAM::Role",
                    "Properties": {"Policies": [{"PolicyDocument": policy(allow("kms:*", 5))}]},
                }
            },
            "app.template.json:3, Role: AWS refuses this",
        ),
    ],
)
def test_invalid_resources_are_errors(deployed, declared, told):
    with pytest.raises(InvalidSeed, match=told.replace(".", r"\.")):
        deployed(declared)


def test_a_document_that_a_parameter_gives(resources):
    declared = {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"Policies": [{"PolicyDocument": {"Ref": "AWS::NoValue"}}]}}
    }
    assert resources(declared).items[0].inline == ()


def test_every_type_of_the_tables_is_one():
    assert set(OTHER_SERVICES) - {"AWS::SNS::Subscription"} <= set(TYPES)


@pytest.mark.parametrize(
    ("given", "allowed"), [({}, True), ({"tags": {"team": "other"}}, False), ({"tags": {"more": "x"}}, True)]
)
def test_tags_of_a_role_are_principal_tags(deployed, given, allowed):
    condition = {"StringEquals": {"aws:PrincipalTag/team": "payments"}}
    role = {
        "Policies": [{"PolicyDocument": policy(allow("kms:Encrypt", Condition=condition))}],
        "Tags": [{"Key": "team", "Value": "payments"}],
    }
    kms = deployed({"Key": KEY, "Role": {"Type": "AWS::IAM::Role", "Properties": role}})
    with kms.as_principal(kms.deployed("Role"), **given):
        try:
            kms.client().encrypt(KeyId=kms.deployed("Key"), Plaintext=b"x")
        except ClientError:
            assert not allowed
        else:
            assert allowed
    with kms.as_principal(kms.credentials(kms.deployed("Role"))):
        kms.client().encrypt(KeyId=kms.deployed("Key"), Plaintext=b"x")


@pytest.mark.parametrize(
    ("kind", "properties", "told"),
    [
        ("AWS::Organizations::Policy", {"Content": policy(allow(["s3:*", "KMS:Decrypt"]))}, True),
        ("AWS::SSO::PermissionSet", {"InlinePolicy": '{"Statement": [{"Action": "kms:Decrypt"}]}'}, True),
        ("Custom::AWS", {"Create": '{"service":"KMS","action":"createGrant"}'}, True),
        ("Custom::Other", {"Create": '{"service":"S3"}'}, False),
        ("AWS::S3::BucketPolicy", {"PolicyDocument": policy(allow("s3:*"))}, False),
    ],
)
def test_other_resources_that_affect_permissions(resources, kind, properties, told):
    reason = f"{kind} affects permissions on KMS, and has no effect here"
    found = resources({"X": {"Type": kind, "Properties": properties}})
    assert reasons(found, decides=True) == ([reason] if told else [])


def test_the_arn_of_a_replica(resources):
    primary = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/mrk-{'1' * 32}"
    replica = {"Type": "AWS::KMS::ReplicaKey", "Properties": {"PrimaryKeyArn": primary}}
    inline = [{"PolicyDocument": policy(allow("kms:Decrypt", {"Fn::GetAtt": ["Replica", "Arn"]}))}]
    found = resources({"Replica": replica, "Role": {"Type": "AWS::IAM::Role", "Properties": {"Policies": inline}}})
    statement = found.items[1].inline[0].content["Statement"][0]
    assert statement["Resource"] == f"arn:aws:kms:{REGION}:{ACCOUNT}:key/mrk-{'1' * 32}"


def test_an_alias_that_aws_refuses(deployed):
    alias = {"Type": "AWS::KMS::Alias", "Properties": {"AliasName": "app", "TargetKeyId": {"Ref": "Key"}}}
    with pytest.raises(InvalidSeed, match=r"json:6, Alias: AWS refuses CreateAlias: ValidationException"):
        deployed({"Key": KEY, "Alias": alias})


def test_a_name_that_a_condition_leaves_out(resources):
    role = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": {"Ref": "AWS::NoValue"}}}
    assert resources({"Role": role}).items[0].name.startswith("app-Role-")


@pytest.mark.parametrize("kind", ["AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"])
def test_a_policy_that_a_condition_leaves_empty(resources, kind):
    document = {"Version": "2012-10-17", "Statement": [{"Ref": "AWS::NoValue"}]}
    properties = {"PolicyDocument": document, "Roles": ["a"], "RoleName": "a"}
    assert resources({"Policy": {"Type": kind, "Properties": properties}}).items == ()


def test_an_invalid_statement(deployed):
    inline = [{"PolicyDocument": {"Version": "2012-10-17", "Statement": ["text"]}}]
    with pytest.raises(InvalidSeed, match="AWS refuses this"):
        deployed({"Role": {"Type": "AWS::IAM::Role", "Properties": {"Policies": inline}}})


def test_an_error_names_parameters_without_a_value_first(deployed):
    principal = {"AWS": {"Ref": "Other"}}
    with pytest.raises(InvalidSeed) as raised:
        deployed(
            {
                "Key": key(KeyPolicy=policy(allow("kms:*", Principal=principal), allow("kms:*", Principal=principal))),
                "Role": {"Type": "AWS::IAM::Role", "Properties": {"PermissionsBoundary": {"Ref": "Elsewhere"}}},
            },
            Parameters={"Other": {"Type": "String"}, "Elsewhere": {"Type": "String"}},
            Transform=[{"Name": {"Ref": "Macro"}}],
        )
    assert str(raised.value).splitlines() == [
        "app.template.json:3, Other: this parameter has no value: give it with "
        "kms_mock.deploy(parameters={'Other': ...}) or `parameters` in a file that lists stacks, or with "
        "check-policies --parameter Other=...; used by Key (line 24)",
        "With placeholders, app.template.json:18, Key: AWS refuses CreateKey: MalformedPolicyDocumentException: Policy "
        "contains a statement with one or more invalid principals. (statement 1)",
        "Not understood, which may be the reason:",
        "  app.template.json:6, Elsewhere: this parameter has no value: give it with "
        "kms_mock.deploy(parameters={'Elsewhere': ...}) or `parameters` in a file that lists stacks, or with "
        "check-policies --parameter Elsewhere=...; used by Role (line 48)",
        "  app.template.json:1, Transform {'Ref': 'Macro'}: this macro is not supported: what it would add is missing",
    ]
