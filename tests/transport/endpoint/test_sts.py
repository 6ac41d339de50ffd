"""AWS STS at the HTTP endpoint: the caller's identity, and sessions, whose credentials KMS accepts."""

from __future__ import annotations

import json
import re

import boto3
import pytest
import requests
from botocore.exceptions import ClientError

from pytest_kmsmock import KmsMock

ROLE = "arn:aws:iam::123456789012:role/worker"
ENCRYPT_ONLY = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*"}}


@pytest.fixture(params=[False, True], ids=["", "signatures-checked"])
def server(kms_mock, request):
    with kms_mock.serve(check_signatures=request.param) as server:
        yield server


def client(server, service: str, kms: KmsMock, **given) -> boto3.client:
    credentials = given or kms.credentials()
    return boto3.client(service, "us-east-1", endpoint_url=server.endpoint_url, **credentials)


def keys_of(answer) -> dict[str, str]:
    given = answer["Credentials"]
    return {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }


def test_get_caller_identity(kms_mock, server):
    identity = client(server, "sts", kms_mock).get_caller_identity()
    assert (identity["Account"], identity["Arn"]) == ("123456789012", "arn:aws:iam::123456789012:user/Administrator")
    assert re.fullmatch(r"AIDA[A-Z0-9]{17}", identity["UserId"])
    ada = client(server, "sts", kms_mock, **kms_mock.credentials("user/ada")).get_caller_identity()
    assert ada["Arn"] == "arn:aws:iam::123456789012:user/ada"
    assert len(kms_mock.calls) == 0


def test_a_session_of_a_role_may_do_what_the_role_may(kms_mock, server, refusal):
    key = kms_mock.create_key()
    kms_mock.iam.attach("role/worker", ENCRYPT_ONLY)
    sts = client(server, "sts", kms_mock)
    answer = sts.assume_role(
        RoleArn=ROLE, RoleSessionName="job", DurationSeconds=900, Tags=[{"Key": "a", "Value": "b"}]
    )
    assert answer["AssumedRoleUser"]["Arn"] == "arn:aws:sts::123456789012:assumed-role/worker/job"
    assert answer["AssumedRoleUser"]["AssumedRoleId"].endswith(":job")
    assert answer["Credentials"]["Expiration"].timestamp() > kms_mock.clock.timestamp() + 800
    session = client(server, "kms", kms_mock, **keys_of(answer))
    blob = session.encrypt(KeyId=key.id, Plaintext=b"x")["CiphertextBlob"]
    with refusal("AccessDeniedException"):
        session.decrypt(CiphertextBlob=blob)
    who = client(server, "sts", kms_mock, **keys_of(answer)).get_caller_identity()
    assert who["Arn"] == answer["AssumedRoleUser"]["Arn"]
    with pytest.raises(ClientError, match=r"AccessDenied.*Cannot call GetSessionToken with session credentials"):
        client(server, "sts", kms_mock, **keys_of(answer)).get_session_token()


def test_a_session_policy_limits_the_session(kms_mock, server, refusal):
    kms_mock.iam.attach("role/worker", {"Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}})
    answer = client(server, "sts", kms_mock).assume_role(
        RoleArn=ROLE, RoleSessionName="job", Policy=json.dumps(ENCRYPT_ONLY)
    )
    with refusal("AccessDeniedException"):
        client(server, "kms", kms_mock, **keys_of(answer)).create_key()


def test_a_session_token_of_a_user_calls_as_the_user(kms_mock, server):
    kms_mock.iam.attach("user/ada", ENCRYPT_ONLY)
    ada = client(server, "sts", kms_mock, **kms_mock.credentials("user/ada"))
    answer = ada.get_session_token()
    assert answer["Credentials"]["AccessKeyId"].startswith("ASIA")
    assert keys_of(ada.get_session_token()) == keys_of(answer)
    key = kms_mock.create_key()
    client(server, "kms", kms_mock, **keys_of(answer)).encrypt(KeyId=key.id, Plaintext=b"x")
    assert kms_mock.calls[-1].caller.arn.endswith(":user/ada")


@pytest.mark.parametrize(
    ("operation", "parameters", "code"),
    [
        pytest.param("assume_role", {"RoleArn": "arn:aws:iam::1:user/x0000", "RoleSessionName": "job"},
                     "ValidationError", id="no-role"),
        pytest.param("assume_role", {"RoleArn": ROLE, "RoleSessionName": "a b"}, "ValidationError", id="name"),
        pytest.param("assume_role", {"RoleArn": "arn:xx:iam::123456789012:role/a", "RoleSessionName": "job"},
                     "ValidationError", id="partition"),
        pytest.param("assume_role", {"RoleArn": ROLE, "RoleSessionName": "job", "Policy": "{}}"},
                     "MalformedPolicyDocument", id="policy"),
        pytest.param("assume_role", {"RoleArn": ROLE, "RoleSessionName": "job", "DurationSeconds": 999999},
                     "ValidationError", id="too-long"),
        pytest.param("get_federation_token", {"Name": "fed"}, "InvalidAction", id="not-built"),
    ],
)  # fmt: skip
def test_sts_errors(kms_mock, kms_server, operation, parameters, code):
    with pytest.raises(ClientError) as refused:
        getattr(client(kms_server, "sts", kms_mock), operation)(**parameters)
    assert refused.value.response["Error"]["Code"] == code
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_unknown_credentials(kms_mock, server):
    unknown = {"aws_access_key_id": "AKIANOBODYNOBODY0000", "aws_secret_access_key": "?"}
    sts = client(server, "sts", kms_mock, **unknown)
    if server._check_signatures:
        with pytest.raises(ClientError) as refused:
            sts.get_caller_identity()
        assert refused.value.response["Error"]["Code"] == "InvalidClientTokenId"
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    else:
        assert sts.get_caller_identity()["Arn"].endswith(":user/Administrator")


def test_an_unsigned_sts_request(kms_server):
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8", "Origin": "http://localhost"}
    response = requests.post(kms_server.endpoint_url, "Action=GetCallerIdentity&Version=2011-06-15", headers=headers)
    assert response.status_code == 403
    assert "<Code>MissingAuthenticationToken</Code>" in response.text
    assert response.headers["Access-Control-Allow-Origin"] == "*"
