"""AWS Lambda: environment variables under a KMS key.

The caller that configures a function encrypts them, and grants their use to the execution role; Lambda decrypts them
as that role before the code runs. Source: AWS Lambda Developer Guide, "Securing Lambda environment variables"
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html). The messages of CreateGrant and
of an invocation that is denied are recorded from AWS, 2018 to 2025; the others follow the service model, and are
inferred.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from typing import Any

from pytest_kmsmock._kms.api.arns import partition_of
from pytest_kmsmock._kms.state.caller import Caller
from pytest_kmsmock._moto.settings import awslambda as settings
from pytest_kmsmock._moto.settings.awslambda import Function
from pytest_kmsmock._services.error_mapping import JAVA_SDK_2, ErrorMapping, ErrorTemplate, ServiceError
from pytest_kmsmock._services.protected import DataKey, Protected
from pytest_kmsmock._services.request import Request
from pytest_kmsmock._services.table import CREATE_GRANT, DECRYPT, ENCRYPT, Rule, Service, Step

_MANAGED_KEY = "alias/aws/lambda"
_GRANTED = ("Decrypt", "Encrypt")
#: The limit of Encrypt, and of Lambda for all variables together.
_MOST_BYTES = 4096


def _protected(request: Request, function: Function) -> Protected:
    plaintext = json.dumps(dict(function.variables)).encode()[:_MOST_BYTES]
    return Protected(
        function.key or _MANAGED_KEY, {"aws:lambda:FunctionArn": function.arn}, request.region, (function.name,),
        request.account, {"Plaintext": plaintext},
    )  # fmt: skip


# --- configuration -----------------------------------------------------------------------------------------------


def _known(request: Request) -> Function | None:
    return settings.function(request.api, request.access_key, request.region, request.params["FunctionName"])


def _created(request: Request) -> Iterable[Protected]:
    """Find the environment variables of a new function."""
    params = request.params
    variables = params.get("Environment", {}).get("Variables", {})
    if not variables or _known(request) is not None:
        return ()
    name = params["FunctionName"]
    arn = f"arn:{partition_of(request.region)}:lambda:{request.region}:{request.account}:function:{name}"
    return (_protected(request, Function(arn, name, params["Role"], params.get("KMSKeyArn", ""), variables)),)


def _updated(request: Request) -> Iterable[Protected]:
    """Find the environment variables of a function whose variables, key or role change."""
    known, params = _known(request), request.params
    if known is None or not {"Environment", "KMSKeyArn", "Role"} & params.keys():
        return ()
    variables = params["Environment"].get("Variables", {}) if "Environment" in params else known.variables
    changed = known._replace(key=params.get("KMSKeyArn", known.key), variables=variables)
    return (_protected(request, changed),) if variables else ()


def _granted(request: Request) -> Iterator[Protected]:
    """Find the encrypted variables, with the grant for the execution role."""
    encrypted: Protected | None = request.notes.get("encrypted")
    if encrypted is None:
        return
    role = request.params.get("Role") or getattr(_known(request), "role", "")
    constraint = {"EncryptionContextEquals": dict(encrypted.context)}
    granted = {"GranteePrincipal": role, "Operations": list(_GRANTED), "Constraints": constraint}
    yield encrypted._replace(params=granted)


def _note(request: Request, protected: Protected, data_key: DataKey) -> None:
    # with the ARN of an alias, CreateGrant fails (hashicorp/terraform#20813, 2019; modernisation-platform#8298, 2024)
    request.notes["encrypted"] = protected._replace(key=data_key.arn) if protected.key == _MANAGED_KEY else protected
    request.notes["data_key"] = data_key


def _keep(request: Request) -> None:
    if "encrypted" in request.notes:
        request.keep(request.notes["encrypted"].name, request.notes["data_key"])


_THROTTLED = ErrorTemplate("TooManyRequestsException", status=429)


def _for(operation: str) -> ErrorMapping:
    """Return the error mapping of a KMS operation for callers that configure a function."""
    message = (
        "Lambda was unable to configure access to your environment variables because the KMS key is invalid for "
        f"{operation}. Please check your KMS key settings. KMS Exception: {{code}} KMS Message: {{message}}"
    )
    return ErrorMapping(
        {"ThrottlingException": _THROTTLED},
        otherwise=ErrorTemplate("InvalidParameterValueException", message),
    )


# --- reads ----------------------------------------------------------------------------------------------------


def _configuration(request: Request) -> MutableMapping[str, Any]:
    configuration: MutableMapping[str, Any] = request.answer.get("Configuration", request.answer)
    return configuration


def _shown(request: Request) -> Iterable[Protected]:
    """Find the environment variables in a response."""
    function = _known(request) if "Environment" in _configuration(request) else None
    return () if function is None else (_protected(request, function),)


def _without_variables(request: Request, error: ServiceError) -> dict[str, Any]:
    _configuration(request)["Environment"] = {"Error": {"ErrorCode": error.code, "Message": error.message}}
    return {name: value for name, value in request.answer.items() if name != "ResponseMetadata"}


_HIDDEN = ErrorMapping(
    {},
    otherwise=ErrorTemplate(
        "{code}",
        "Lambda was unable to decrypt your environment variables. Please check your KMS key settings. "
        "KMS Exception: {code} KMS Message: {message}",
    ),
    suffix=JAVA_SDK_2,
)


# --- invocations ----------------------------------------------------------------------------------------------------


def _invoked(request: Request) -> Iterable[Protected]:
    """Find the environment variables of an invoked function."""
    function = None if request.params.get("InvocationType") == "DryRun" else _known(request)
    if function is None or not function.variables:
        return ()
    request.notes["function"] = function
    return (_protected(request, function),)


def _execution_role(request: Request, _protected: Protected) -> Caller:
    function: Function = request.notes["function"]
    return request.mock.role_session(function.role, function.name).forwarded_by(request.via)


def _accepted(request: Request, _error: ServiceError) -> dict[str, Any] | None:
    """Accept an asynchronous invocation; only a synchronous one returns the error."""
    is_asynchronous = request.params.get("InvocationType") == "Event"
    return {"StatusCode": 202, "Payload": io.BytesIO()} if is_asynchronous else None


def _unable(why: str, code: str) -> ErrorTemplate:
    message = (
        f"Lambda was unable to decrypt the environment variables because {why}. Please check the function's KMS key "
        "settings. KMS Exception: {code}KMS Message: {message}"
    )
    return ErrorTemplate(code, message, 502)


_INVOKED = ErrorMapping(
    {
        "AccessDeniedException": _unable("KMS access was denied", "KMSAccessDeniedException"),
        "DisabledException": _unable("the KMS key used is disabled", "KMSDisabledException"),
        "NotFoundException": _unable("the KMS key was not found", "KMSNotFoundException"),
        "ThrottlingException": _THROTTLED,
    },
    otherwise=_unable("the state of the KMS key used is not valid for Decrypt", "KMSInvalidStateException"),
    suffix=JAVA_SDK_2,
)


def _configures(find: Callable[[Request], Iterable[Protected]]) -> Rule:
    """Return the rule of an operation that encrypts variables and grants their use to the execution role."""
    encrypts = Step(find, (ENCRYPT,), then=_note, errors=_for("Encrypt"))
    return Rule(before=(encrypts, Step(_granted, (CREATE_GRANT,), errors=_for("CreateGrant"))), answered=_keep)


_SHOWS = Rule(after=(Step(_shown, (DECRYPT,), on_error=_without_variables),))

SERVICE = Service(
    "lambda",
    {
        "CreateFunction": _configures(_created),
        "UpdateFunctionConfiguration": _configures(_updated),
        "GetFunction": _SHOWS,
        "GetFunctionConfiguration": _SHOWS,
        "Invoke": Rule(before=(Step(_invoked, (DECRYPT,), who=_execution_role, errors=_INVOKED, on_error=_accepted),)),
    },
    _HIDDEN,
)
