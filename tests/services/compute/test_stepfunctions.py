"""State machines of Step Functions under a KMS key beside moto. Codes: the service model."""

from __future__ import annotations

import json

import pytest

ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:orders"
ROLE = "arn:aws:iam::123456789012:role/machine"
DEFINITION = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})


@pytest.fixture
def states(world):
    return world.client("stepfunctions")


def under(key):
    return {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": getattr(key, "arn", key)}


def create(states, key=None):
    given = {} if key is None else {"encryptionConfiguration": under(key)}
    return states.create_state_machine(name="orders", definition=DEFINITION, roleArn=ROLE, **given)


@pytest.mark.parametrize(("situation", "state"), [("disabled", "DISABLED"), ("pending deletion", "PENDING_DELETION")])
def test_the_state_of_a_key_is_told(world, states, situation, state):
    key = world.kms.create_key()
    create(states, key)
    world.spoil(situation, key.arn, "states")
    with pytest.raises(states.exceptions.KmsInvalidStateException) as denied:
        states.describe_state_machine(stateMachineArn=ARN)
    assert denied.value.response["kmsKeyState"] == state
    states.describe_state_machine(stateMachineArn=ARN, includedData="METADATA_ONLY")  # needs no key


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


def test_the_machine_of_an_execution(world, states):
    # includedData of DescribeStateMachineForExecution: "callers must have kms:Decrypt permission"
    create(states, world.kms.create_key())
    execution = states.start_execution(stateMachineArn=ARN)["executionArn"]
    with world.as_role(world.ALL_BUT_KMS):
        with pytest.raises(states.exceptions.KmsAccessDeniedException, match="kms:Decrypt"):
            states.describe_state_machine_for_execution(executionArn=execution)
        states.describe_state_machine_for_execution(executionArn=execution, includedData="METADATA_ONLY")


def test_a_machine_that_gets_a_key_that_aws_owns(world, states):
    key = world.kms.create_key()
    create(states, key)
    world.kms.client().disable_key(KeyId=key.id)
    states.update_state_machine(stateMachineArn=ARN, encryptionConfiguration={"type": "AWS_OWNED_KEY"})
    assert states.describe_state_machine(stateMachineArn=ARN)["definition"] == DEFINITION
    assert [call.operation for call in world.kms.calls] == ["DescribeKey", "GenerateDataKey", "DisableKey"]


def test_an_update_that_is_refused_leaves_the_key_before(world, states):
    first = world.kms.create_key()
    create(states, first)
    second = world.kms.create_key()
    with pytest.raises(states.exceptions.ValidationException):  # no description without publish
        states.update_state_machine(stateMachineArn=ARN, versionDescription="1", encryptionConfiguration=under(second))
    world.kms.calls.clear()
    assert states.describe_state_machine(stateMachineArn=ARN)["definition"] == DEFINITION
    assert [(call.operation, call.key.arn) for call in world.kms.calls] == [("Decrypt", first.arn)]


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
