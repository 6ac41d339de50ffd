"""AWS Step Functions: state machines and activities under a KMS key.

Callers that create or read them need permission through the service; executions use the key as the execution role,
without `kms:ViaService`. Source: Step Functions Developer Guide, "Data at rest encryption in Step Functions"
(https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html); codes: the service model. That an
execution fails when its role may not use the key is documented, with which error is inferred.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pytest_kmsmock._kms.api.arns import partition_of
from pytest_kmsmock._kms.state.caller import Caller
from pytest_kmsmock._moto.settings import stepfunctions as settings
from pytest_kmsmock._moto.settings.stepfunctions import StateMachine
from pytest_kmsmock._services.error_mapping import ErrorMapping, ErrorTemplate, ServiceError
from pytest_kmsmock._services.protected import DataKey, Protected
from pytest_kmsmock._services.request import Request
from pytest_kmsmock._services.table import DECRYPT, DESCRIBE_KEY, GENERATE_DATA_KEY, Rule, Service, Step


def _protected(request: Request, kind: str, arn: str, key: str) -> Protected:
    return Protected(key, {f"aws:states:{kind}Arn": arn}, request.region, (arn,), request.account)


def _wanted_key(request: Request) -> str:
    key: str = (request.params.get("encryptionConfiguration") or {}).get("kmsKeyId") or ""
    return key


def _arn(request: Request, kind: str) -> str:
    name = request.params["name"]
    return f"arn:{partition_of(request.region)}:states:{request.region}:{request.account}:{kind}:{name}"


def _created(request: Request) -> Iterable[Protected]:
    """Find the state machine that CreateStateMachine creates."""
    arn, key = _arn(request, "stateMachine"), _wanted_key(request)
    is_there = key and settings.machine(request.api, arn) is not None
    return () if not key or is_there else (_protected(request, "stateMachine", arn, key),)


def _created_activity(request: Request) -> Iterable[Protected]:
    key = _wanted_key(request)
    return (_protected(request, "activity", _arn(request, "activity"), key),) if key else ()


def _updated(request: Request) -> Iterable[Protected]:
    """Find the state machine that UpdateStateMachine changes."""
    arn = request.params["stateMachineArn"]
    machine = settings.machine(request.api, arn)
    if machine is None:
        return ()
    key = _wanted_key(request) if "encryptionConfiguration" in request.params else machine.key
    return (_protected(request, "stateMachine", arn, key),) if key else ()


def _read(request: Request) -> Iterable[Protected]:
    """Find the state machine whose definition or execution is read."""
    params = request.params
    if params.get("includedData") == "METADATA_ONLY":
        return ()
    return _of(request, settings.machine(request.api, params.get("stateMachineArn") or params["executionArn"]))


def _of(request: Request, machine: StateMachine | None) -> Iterable[Protected]:
    if machine is None or not machine.key:
        return ()
    return (_protected(request, "stateMachine", machine.arn, machine.key),)


def _started(request: Request) -> Iterable[Protected]:
    """Find the state machine of a new execution."""
    machine = settings.machine(request.api, request.answer["executionArn"])
    request.notes["machine"] = machine
    return _of(request, machine)


def _execution_role(request: Request, _protected: Protected) -> Caller:
    machine: StateMachine = request.notes["machine"]
    return request.mock.role_session(machine.role, request.answer["executionArn"].rpartition(":")[2])


def _fail(request: Request, error: ServiceError) -> dict[str, Any]:
    """Fail the execution; StartExecution succeeds."""
    settings.fail(request.answer["executionArn"], "States.Runtime", error.message)
    return {"executionArn": request.answer["executionArn"], "startDate": request.answer["startDate"]}


def _note(request: Request, protected: Protected, data_key: DataKey) -> None:
    request.notes["encrypted"] = protected.name, data_key


def _keep(request: Request) -> None:
    if "encrypted" in request.notes:
        request.keep(*request.notes["encrypted"])


_READS = Rule(after=(Step(_read, (DECRYPT,)),))
_STATE = ErrorTemplate("KmsInvalidStateException", members={"kmsKeyState": "{state}"})
_CONFIGURED = ErrorMapping(
    {
        "AccessDeniedException": ErrorTemplate("KmsAccessDeniedException"),
        "ThrottlingException": ErrorTemplate("KmsThrottlingException"),
    },
    otherwise=ErrorTemplate("InvalidEncryptionConfiguration"),
)


def _configures(find: Callable[[Request], Iterable[Protected]]) -> Rule:
    """Return the rule of an operation that encrypts a definition, which is kept once the machine has it."""
    encrypts = Step(find, (DESCRIBE_KEY, GENERATE_DATA_KEY), then=_note, errors=_CONFIGURED)
    return Rule(before=(encrypts,), answered=_keep)


SERVICE = Service(
    "states",
    {
        "CreateStateMachine": _configures(_created),
        "UpdateStateMachine": _configures(_updated),
        "CreateActivity": Rule(before=(Step(_created_activity, (DESCRIBE_KEY,), errors=_CONFIGURED),)),
        "DescribeStateMachine": _READS,
        "DescribeStateMachineForExecution": _READS,
        "DescribeExecution": _READS,
        "GetExecutionHistory": _READS,
        "StartExecution": Rule(
            after=(Step(_started, (GENERATE_DATA_KEY, DECRYPT), who=_execution_role, on_error=_fail),)
        ),
    },
    ErrorMapping(
        {
            "AccessDeniedException": ErrorTemplate("KmsAccessDeniedException"),
            "DisabledException": _STATE,
            "KMSInvalidStateException": _STATE,
            "ThrottlingException": ErrorTemplate("KmsThrottlingException"),
        },
        otherwise=ErrorTemplate("KmsAccessDeniedException"),
    ),
)
