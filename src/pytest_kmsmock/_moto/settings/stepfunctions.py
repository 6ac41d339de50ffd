"""State machines of Step Functions, and their executions."""

from __future__ import annotations

from typing import Any

from pytest_kmsmock._record import Record

from . import Api, read


class StateMachine(Record):
    """A state machine.

    Attributes:
        arn: its ARN, without a version.
        role: the ARN of its execution role.
        key: the `kmsKeyId` of its `encryptionConfiguration`; empty if it is under a key that AWS owns.
    """

    arn: str
    role: str
    key: str


def machine(api: Api, arn: str) -> StateMachine | None:
    """Return a state machine by its ARN, or by that of one of its executions; None if there is none."""
    parts = arn.split(":")
    named = ":".join((*parts[:5], "stateMachine", parts[6])) if len(parts) > 6 else arn
    return read(lambda: _moto_machine(named), lambda: _api_machine(api, named))


def fail(execution: str, error: str, cause: str) -> None:
    """Let an execution of moto's in this process have failed."""

    def inside() -> None:
        parts = execution.split(":")
        found = _fake_machine(":".join((*parts[:5], "stateMachine", parts[6])))
        for each in found.executions:
            if each.execution_arn == execution:
                each.status, each.error, each.cause = "FAILED", error, cause

    read(inside, lambda: None)


def _fake_machine(arn: str) -> Any:
    from moto.stepfunctions.models import stepfunctions_backends

    _, _, _, region, account, *_ = arn.split(":")
    return next((each for each in stepfunctions_backends[account][region].state_machines if each.arn == arn), None)


def _moto_machine(arn: str) -> StateMachine | None:
    found = _fake_machine(arn)
    return None if found is None else StateMachine(arn, found.roleArn, _key(found.encryptionConfiguration))


def _api_machine(api: Api, arn: str) -> StateMachine | None:
    described = api("DescribeStateMachine", stateMachineArn=arn)
    if "Error" in described:
        return None
    return StateMachine(arn, described["roleArn"], _key(described.get("encryptionConfiguration")))


def _key(configuration: Any) -> str:
    key: str = (configuration or {}).get("kmsKeyId") or ""
    return key
