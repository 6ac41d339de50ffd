"""SAM's functions and state machines: what roles they get. Source: aws/serverless-application-model, 2026-05."""

from __future__ import annotations

import pytest
from tests.iac.conftest import ACCOUNT, REGION, allow, policy, reasons

from pytest_kmsmock._iac.cloudformation import sam
from pytest_kmsmock._iac.model import Principal, ServiceResource

KEY = {"Type": "AWS::KMS::Key"}
FUNCTION = "AWS::Serverless::Function"


def function(**properties):
    return {"Type": FUNCTION, "Properties": properties}


def role_of(deployment):
    return next(item for item in deployment.items if isinstance(item, Principal) and item.place.resource == "FnRole")


def statements(role):
    return [statement for document in role.inline for statement in document.content["Statement"]]


def test_a_function_gets_a_role(resources):
    role = role_of(resources({"Fn": function()}, Transform=sam.TRANSFORM))
    assert role.managed == ("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",)
    assert role.inline == ()
    assert "lambda.amazonaws.com" in role.trust


def test_policies_of_a_function(resources):
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/limit"
    role = role_of(
        resources(
            {
                "Key": KEY,
                "Fn": function(
                    Policies=[
                        "AWSLambdaVPCAccessExecutionRole",
                        "arn:aws:iam::aws:policy/ReadOnlyAccess",
                        "Other",
                        {"Ref": "Policy"},
                        {"Statement": [allow("kms:Sign")], "Version": "2012-10-17"},
                        {"KMSDecryptPolicy": {"KeyId": {"Ref": "Key"}}},
                        {"SQSPollerPolicy": {"QueueName": "jobs"}},
                    ],
                    RolePath="/app/",
                    PermissionsBoundary=boundary,
                ),
                "Policy": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": policy()}},
            },
            Transform=sam.TRANSFORM,
        )
    )
    assert role.managed[1:4] == (
        "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole",
        "arn:aws:iam::aws:policy/ReadOnlyAccess",
        "arn:aws:iam::aws:policy/Other",
    )
    assert [statement["Action"] for statement in statements(role)] == ["kms:Sign", ["kms:Decrypt"]]
    assert statements(role)[1]["Resource"].startswith(f"arn:aws:kms:{REGION}:{ACCOUNT}:key/")
    assert ":role/app/" in role.arn
    assert role.boundary == boundary


@pytest.mark.parametrize("name", sorted(sam.KMS_TEMPLATES))
def test_policy_templates_about_kms(resources, name):
    role = role_of(resources({"Key": KEY, "Fn": function(Policies={name: {"KeyId": {"Ref": "Key"}}})}))
    assert statements(role)[0]["Action"] == list(sam.KMS_TEMPLATES[name])


@pytest.mark.parametrize("given", [{"Unknown_Policy": {}}, {"Unknown_Policy": "x"}])
def test_unknown_policy_templates_are_listed(resources, given):
    deployment = resources({"Fn": function(Policies=[given])})
    assert reasons(deployment) == ["the policy template Unknown_Policy is unknown"]


def test_a_policy_template_without_its_parameters(resources):
    role = role_of(resources({"Fn": function(Policies={"KMSDecryptPolicy": None})}))
    assert statements(role)[0]["Resource"].endswith(":key/None")


def test_a_function_with_a_role_of_its_own(resources):
    deployment = resources({"Fn": function(Role=f"arn:aws:iam::{ACCOUNT}:role/app", Policies=["ReadOnlyAccess"])})
    assert not [item for item in deployment.items if isinstance(item, Principal)]


def test_secrets_of_event_sources(resources):
    events = {
        "Kafka": {"Type": "SelfManagedKafka", "Properties": {"SecretsManagerKmsKeyId": "1234abcd"}},
        "Api": {"Type": "Api", "Properties": {"Path": "/"}},
        "Broken": "x",
    }
    role = role_of(resources({"Fn": function(Events=events)}))
    assert statements(role) == [allow(["kms:Decrypt"], f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd")]


def test_globals(resources):
    shared = {
        "Function": {"KmsKeyArn": {"Fn::GetAtt": ["Key", "Arn"]}, "PermissionsBoundary": "arn:aws:iam::1:policy/b"}
    }
    deployment = resources({"Key": KEY, "Fn": function()}, Globals=shared)
    assert role_of(deployment).boundary == "arn:aws:iam::1:policy/b"
    [made] = [item for item in deployment.items if isinstance(item, ServiceResource)]
    assert made.calls[0][2]["KMSKeyArn"].startswith("arn:aws:kms:")


def test_state_machines(resources):
    machine = {"Type": "AWS::Serverless::StateMachine", "Properties": {"Policies": [{"Statement": allow("kms:Sign")}]}}
    role = role_of(resources({"Fn": machine}))
    assert (role.managed, statements(role)) == ((), [allow("kms:Sign")])
    assert "states.amazonaws.com" in role.trust


def test_functions_whose_condition_does_not_hold(resources):
    never = {"Never": {"Fn::Equals": ["a", "b"]}}
    assert (
        resources({"Fn": {**function(), "Condition": "Never"}, "Key": KEY}, Conditions=never).items[0].place.resource
        == "Key"
    )


def test_simple_tables(resources):
    deployment = resources(
        {
            "A": {"Type": "AWS::Serverless::SimpleTable"},
            "B": {
                "Type": "AWS::Serverless::SimpleTable",
                "Properties": {"PrimaryKey": {"Name": "n", "Type": "Number"}},
            },
        }
    )
    first, second = [item.calls[0][2] for item in deployment.items]
    assert first["AttributeDefinitions"] == [{"AttributeName": "id", "AttributeType": "S"}]
    assert second["AttributeDefinitions"] == [{"AttributeName": "n", "AttributeType": "N"}]
