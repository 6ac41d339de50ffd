"""A suite as teams write it for moto alone: it knows nothing of this package."""

from __future__ import annotations

import json

import boto3
import pytest
from moto import mock_aws

REGION = "us-east-1"
ACCOUNT = "123456789012"


@pytest.fixture(autouse=True)
def aws(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield


@pytest.fixture
def kms():
    return boto3.client("kms")


@pytest.fixture
def key(kms):
    return kms.create_key(Description="app")["KeyMetadata"]["KeyId"]


@pytest.fixture
def stack():
    """Make a stack of some resources, and return its outputs."""

    def create(resources, outputs=None, name="app"):
        cloudformation = boto3.client("cloudformation")
        body = json.dumps({"Resources": resources, "Outputs": outputs or {}})
        cloudformation.create_stack(StackName=name, TemplateBody=body)
        found = cloudformation.describe_stacks(StackName=name)["Stacks"][0].get("Outputs", [])
        return {output["OutputKey"]: output["OutputValue"] for output in found}

    return create


@pytest.fixture
def assume():
    """Make a role with a policy, assume it, and return the arguments of a client."""

    def make(*actions, name="app"):
        iam = boto3.client("iam")
        trust = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}],
        }
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        if actions:
            policy = {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}],
            }
            iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=json.dumps(policy))
        made = boto3.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        return {
            "aws_access_key_id": made["AccessKeyId"],
            "aws_secret_access_key": made["SecretAccessKey"],
            "aws_session_token": made["SessionToken"],
        }

    return make
