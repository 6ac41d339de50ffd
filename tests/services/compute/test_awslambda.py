"""Environment variables of Lambda functions under a KMS key beside moto.

The message of an invocation that is denied: recorded from AWS, 2025-02; that of CreateGrant: 2018 and 2019.
"""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

ARN = "arn:aws:lambda:us-east-1:123456789012:function:worker"
CONTEXT = {"aws:lambda:FunctionArn": ARN}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


@pytest.fixture
def aws():
    with mock_aws(config={"lambda": {"use_docker": False}}):
        yield


@pytest.fixture
def awslambda(world):
    iam = world.client("iam")
    iam.create_role(RoleName="worker", AssumeRolePolicyDocument=json.dumps(TRUST))
    return world.client("lambda")


def code():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("main.py", "def handler(event, context): return 1")
    return {"ZipFile": file.getvalue()}


def create(awslambda, key=None, **parameters):
    given = {} if key is None else {"KMSKeyArn": getattr(key, "arn", key)}
    return awslambda.create_function(
        FunctionName="worker", Role="arn:aws:iam::123456789012:role/worker", Runtime="python3.12",
        Handler="main.handler", Code=code(), **{"Environment": {"Variables": {"A": "b"}}, **given, **parameters},
    )  # fmt: skip


def test_who_may_encrypt_but_not_grant(world, awslambda):
    key = world.kms.create_key()
    allowed = {"Effect": "Allow", "Action": ["lambda:*", "iam:*", "kms:Encrypt"], "Resource": "*"}
    with world.as_role({"Version": "2012-10-17", "Statement": [allowed]}), pytest.raises(ClientError) as denied:
        create(awslambda, key)
    assert world.error_of(denied)[2].startswith(
        "Lambda was unable to configure access to your environment variables because the KMS key is invalid for "
        "CreateGrant. Please check your KMS key settings. KMS Exception: AccessDeniedException KMS Message: User: "
    )


def test_an_alias_is_no_key_for_a_grant(world, awslambda):
    # hashicorp/terraform#20813 (2019), ministryofjustice/modernisation-platform#8298 (2024-10)
    world.kms.create_key(alias="alias/app")
    with pytest.raises(ClientError) as refused:
        create(awslambda, "arn:aws:kms:us-east-1:123456789012:alias/app")
    assert world.error_of(refused) == (
        "InvalidParameterValueException", 400,
        "Lambda was unable to configure access to your environment variables because the KMS key is invalid for "
        "CreateGrant. Please check your KMS key settings. KMS Exception: InvalidArnException KMS Message: Key Aliases "
        "are not supported for this operation.",
    )  # fmt: skip
    assert awslambda.list_functions()["Functions"] == []


def test_a_refused_key_leaves_the_one_before(world, awslambda):
    first = world.kms.create_key()
    create(awslambda, first)
    second = world.kms.create_key()
    world.kms.faults.add("CreateGrant", error="LimitExceededException")
    with pytest.raises(awslambda.exceptions.InvalidParameterValueException):
        awslambda.update_function_configuration(FunctionName="worker", KMSKeyArn=second.arn)
    world.kms.calls.clear()
    assert awslambda.get_function_configuration(FunctionName="worker")["KMSKeyArn"] == first.arn
    assert [(call.operation, call.key.arn) for call in world.kms.calls] == [("Decrypt", first.arn)]


UNABLE = (
    "Lambda was unable to decrypt the environment variables because {why}. Please check the function's KMS key "
    "settings. KMS Exception: {code}KMS Message: {message} (Service: Kms, Status Code: 400, Request ID: {id})"
)
#: What happens to the key -> the answer of an invocation. Codes: the service model; messages inferred.
INVOKED = {
    "disabled": ("KMSDisabledException", 502, UNABLE, "the KMS key used is disabled"),
    "pending deletion": (
        "KMSInvalidStateException", 502, UNABLE, "the state of the KMS key used is not valid for Decrypt"
    ),
    "throttled": (
        "TooManyRequestsException", 429, "{message} (Service: Kms, Status Code: 400, Request ID: {id})", ""
    ),
}  # fmt: skip


@pytest.mark.parametrize("situation", INVOKED)
def test_invoking_with_a_key_that_cannot_be_used(world, awslambda, situation):
    key = world.kms.create_key()
    create(awslambda, key)
    case = world.spoil(situation, key.arn, "lambda")
    answer, status, text, why = INVOKED[situation]
    with pytest.raises(ClientError) as denied:
        awslambda.invoke(FunctionName="worker")
    code, message = case.error("Decrypt")
    request_id = denied.value.response["ResponseMetadata"]["RequestId"]
    assert world.error_of(denied) == (
        answer, status, text.format(why=why, code=code, message=message, id=request_id)
    )  # fmt: skip
    assert isinstance(denied.value, getattr(awslambda.exceptions, answer))


def test_the_execution_role_decrypts_by_the_grant(world, awslambda):
    key = world.kms.create_key()
    create(awslambda, key)
    (grant,) = world.kms.client().list_grants(KeyId=key.id)["Grants"]
    assert grant["GranteePrincipal"] == "arn:aws:iam::123456789012:role/worker"
    assert grant["Constraints"] == {"EncryptionContextEquals": CONTEXT}
    awslambda.invoke(FunctionName=ARN)
    call = world.kms.calls[-1]
    assert (call.operation, call.caller.arn, call.caller.forwarding_service) == (
        "Decrypt", "arn:aws:sts::123456789012:assumed-role/worker/worker", "lambda"
    )  # fmt: skip
    # the failure that is reported most: the grant is gone
    world.kms.client().revoke_grant(KeyId=key.id, GrantId=grant["GrantId"])
    with pytest.raises(awslambda.exceptions.KMSAccessDeniedException) as denied:
        awslambda.invoke(FunctionName="worker")
    request_id = denied.value.response["ResponseMetadata"]["RequestId"]
    assert world.error_of(denied) == (
        "KMSAccessDeniedException", 502,
        "Lambda was unable to decrypt the environment variables because KMS access was denied. Please check the "
        "function's KMS key settings. KMS Exception: AccessDeniedExceptionKMS Message: User: "
        "arn:aws:sts::123456789012:assumed-role/worker/worker is not authorized to perform: kms:Decrypt on resource: "
        f"{key.arn} because no identity-based policy allows the kms:Decrypt action "
        f"(Service: Kms, Status Code: 400, Request ID: {request_id})",
    )  # fmt: skip
    answer = awslambda.invoke(FunctionName="worker", InvocationType="Event")
    assert (answer["StatusCode"], answer["Payload"].read()) == (202, b"")
    awslambda.invoke(FunctionName="worker", InvocationType="DryRun")
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key.arn}]}
    world.client("iam").put_role_policy(RoleName="worker", PolicyName="decrypt", PolicyDocument=json.dumps(policy))
    awslambda.invoke(FunctionName="worker")


def test_updating(world, awslambda):
    create(awslambda, Environment={"Variables": {}})
    assert len(world.kms.calls) == 0
    awslambda.update_function_configuration(FunctionName="worker", Timeout=9, KMSKeyArn=world.kms.create_key().arn)
    assert len(world.kms.calls) == 0  # there is nothing to encrypt
    key = world.kms.create_key()
    awslambda.update_function_configuration(
        FunctionName="worker", Environment={"Variables": {"A": "b"}}, KMSKeyArn=key.arn
    )
    assert world.made() == [("Encrypt", "lambda"), ("CreateGrant", "lambda")]
    awslambda.update_function_configuration(FunctionName="worker", Timeout=9)
    awslambda.update_function_configuration(FunctionName="worker", KMSKeyArn=world.kms.create_key().arn)
    assert len(world.made()) == 4
    world.kms.faults.add("Encrypt", error="DisabledException")
    with pytest.raises(awslambda.exceptions.InvalidParameterValueException):
        awslambda.update_function_configuration(FunctionName="worker", KMSKeyArn=key.arn)
    with pytest.raises(awslambda.exceptions.ResourceNotFoundException):
        awslambda.update_function_configuration(FunctionName="none", KMSKeyArn=key.arn)


@pytest.mark.parametrize("operation", ["get_function", "get_function_configuration"])
def test_showing(world, awslambda, operation):
    key = world.kms.create_key()
    create(awslambda, key)

    def environment():
        answer = getattr(awslambda, operation)(FunctionName="worker")
        return answer.get("Configuration", answer)["Environment"]

    assert environment() == {"Variables": {"A": "b"}}
    with world.as_role(world.ALL_BUT_KMS):
        hidden = environment()
    assert hidden["Error"]["ErrorCode"] == "AccessDeniedException"
    assert "is not authorized to perform: kms:Decrypt on resource: " + key.arn in hidden["Error"]["Message"]
    assert "Variables" not in hidden


def test_the_managed_key(world, awslambda):
    with world.as_role(world.ALL_BUT_KMS):
        create(awslambda)
    awslambda.invoke(FunctionName="worker")
    assert {call.key.arn for call in world.kms.calls} == {world.kms.managed_key("lambda")}


def test_functions_without_variables_and_ones_that_are_not_there(world, awslambda):
    create(awslambda, Environment={"Variables": {}})
    awslambda.get_function(FunctionName="worker")
    awslambda.invoke(FunctionName="worker")
    awslambda.invoke(FunctionName="none")  # moto answers where nothing is run
    with pytest.raises(awslambda.exceptions.ResourceConflictException):
        create(awslambda)
    assert len(world.kms.calls) == 0


def test_a_role_that_nobody_has_policies_for_is_allowed_everything(world):
    role = "arn:aws:iam::123456789012:role/service/made-up"
    assert world.kms._core.role_session(role, "worker").administrator
    world.kms.iam.attach(role, world.ALL_BUT_KMS)
    caller = world.kms._core.role_session(role, "worker")
    assert (caller.administrator, caller.arn) == (False, "arn:aws:sts::123456789012:assumed-role/made-up/worker")
