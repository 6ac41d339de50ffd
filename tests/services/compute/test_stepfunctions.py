"""State machines of Step Functions under a KMS key beside moto. Codes: the service model."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:orders"
ROLE = "arn:aws:iam::123456789012:role/machine"
CONTEXT = {"aws:states:stateMachineArn": ARN}
DEFINITION = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})


@pytest.fixture
def states(world):
    return world.client("stepfunctions")


def under(key):
    return {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": getattr(key, "arn", key)}


def create(states, key=None):
    given = {} if key is None else {"encryptionConfiguration": under(key)}
    return states.create_state_machine(name="orders", definition=DEFINITION, roleArn=ROLE, **given)


def code_of(case, otherwise):
    return {
        "AccessDeniedException": "KmsAccessDeniedException", "ThrottlingException": "KmsThrottlingException"
    }.get(case.situation.code, otherwise)  # fmt: skip


def test_configuring(world, states, write_situation):
    case = world.writing(write_situation, "states")
    with case.as_role():
        code = case.situation.code
        if code is None:
            create(states, case.key)
            states.update_state_machine(stateMachineArn=ARN, definition=DEFINITION)
            assert world.made() == [("DescribeKey", "states"), ("GenerateDataKey", "states")] * 2
            assert world.kms.calls[1].params["EncryptionContext"] == CONTEXT
            return
        with pytest.raises(ClientError) as denied:
            create(states, case.key)
    operation = "GenerateDataKey" if code in ("DisabledException", "KMSInvalidStateException") else "DescribeKey"
    assert world.error_of(denied) == (code_of(case, "InvalidEncryptionConfiguration"), 400, case.message(operation))
    assert states.list_state_machines()["stateMachines"] == []


def test_reading(world, states, read_situation):
    key = world.kms.create_key()
    create(states, key)
    execution = states.start_execution(stateMachineArn=ARN)["executionArn"]
    case = world.spoil(read_situation, key.arn, "states")
    reads = [
        lambda: states.describe_state_machine(stateMachineArn=ARN),
        lambda: states.describe_execution(executionArn=execution),
        lambda: states.get_execution_history(executionArn=execution),
    ]
    with case.as_role():
        for read in reads:
            if case.situation.code is None:
                read()
                assert world.made()[-1] == ("Decrypt", "states")
                continue
            with pytest.raises(ClientError) as denied:
                read()
            code = code_of(case, "KmsInvalidStateException")
            assert world.error_of(denied) == (code, 400, case.message("Decrypt"))
            if code == "KmsInvalidStateException":
                state = "DISABLED" if case.situation.code == "DisabledException" else "PENDING_DELETION"
                assert denied.value.response["kmsKeyState"] == state
    before = len(world.kms.calls)
    states.describe_state_machine(stateMachineArn=ARN, includedData="METADATA_ONLY")
    assert len(world.kms.calls) == before


def test_the_execution_role_works_without_via_service(world, states):
    key = world.kms.create_key()
    create(states, key)
    world.kms.iam.attach("role/machine", {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": key.arn,
         "Condition": {"Null": {"kms:ViaService": "true"}}}]})  # fmt: skip
    execution = states.start_execution(stateMachineArn=ARN, name="first")["executionArn"]
    role = "arn:aws:sts::123456789012:assumed-role/machine/first"
    assert [(call.operation, call.caller.arn) for call in world.kms.calls[-2:]] == [
        ("GenerateDataKey", role), ("Decrypt", role)
    ]  # fmt: skip
    assert states.describe_execution(executionArn=execution)["status"] == "RUNNING"
    world.kms.iam.detach("role/machine")
    world.kms.iam.attach("role/machine", world.ALL_BUT_KMS)
    execution = states.start_execution(stateMachineArn=ARN, name="second")["executionArn"]
    failed = states.describe_execution(executionArn=execution)
    assert (failed["status"], failed["error"]) == ("FAILED", "States.Runtime")
    assert "is not authorized to perform: kms:GenerateDataKey" in failed["cause"]
    assert states.describe_execution(executionArn=execution.replace("second", "first"))["status"] == "RUNNING"


def test_activities(world, states):
    states.create_activity(name="plain")
    key = world.kms.create_key()
    states.create_activity(name="secret", encryptionConfiguration=under(key))
    assert world.made() == [("DescribeKey", "states")]


def test_no_kms(world, states):
    create(states)
    states.start_execution(stateMachineArn=ARN)
    states.describe_state_machine(stateMachineArn=ARN)
    with pytest.raises(states.exceptions.StateMachineDoesNotExist):
        states.describe_state_machine(stateMachineArn=ARN + "-other")
    with pytest.raises(states.exceptions.StateMachineDoesNotExist):
        states.update_state_machine(stateMachineArn=ARN + "-other", encryptionConfiguration=under("alias/none"))
    assert len(world.kms.calls) == 0
