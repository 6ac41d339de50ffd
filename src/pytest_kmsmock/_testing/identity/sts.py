"""The operations of AWS STS that programs use with KMS: GetCallerIdentity, and sessions of roles and users.

Trust policies are not evaluated: every caller can assume every role, as in moto. The permissions of the session come
from the policies that `kms.iam` or a seed file attaches to the role.

See https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

from pytest_kmsmock._kms.api.errors import ErrorTemplate
from pytest_kmsmock._kms.policy.principals import PrincipalKind
from pytest_kmsmock.errors import InvalidPolicy, InvalidPrincipal

from .callers import make_caller
from .credentials import Credentials, Home, issue, issue_session

if TYPE_CHECKING:
    from pytest_kmsmock._kms.state.caller import Caller

Answer: TypeAlias = "dict[str, str | dict[str, str]]"

# (B): the messages of STS are inferred from those of other services of the query protocol.
NO_SUCH_ACTION = ErrorTemplate("InvalidAction", "Could not find operation {action} for version 2011-06-15")
_INVALID = ErrorTemplate("ValidationError", "{reason}")
_MALFORMED_POLICY = ErrorTemplate("MalformedPolicyDocument", "{reason}")
_FROM_A_SESSION = ErrorTemplate("AccessDenied", "Cannot call GetSessionToken with session credentials")

_ROLE = re.compile(r"arn:[\w-]+:iam::\d{12}:role/\S+")
_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
#: The default duration of a session, in seconds.
_ROLE_SECONDS, _USER_SECONDS = 3600, 43200


def call(action: str, parameters: Mapping[str, str], caller: Caller, home: Home, now: datetime) -> Answer:
    """Execute an operation of STS.

    Args:
        action: the operation.
        parameters: the parameters, in the form of the query protocol.
        caller: the caller.
        home: the mock's account and partition.
        now: the present time.

    Returns:
        The members of the response.

    Raises:
        KmsError: with the code and message of STS.
    """
    operation = _OPERATIONS.get(action)
    if operation is None:
        raise NO_SUCH_ACTION(action=action)
    return operation(parameters, caller, home, now)


def _get_caller_identity(_: Mapping[str, str], caller: Caller, __: Home, ___: datetime) -> Answer:
    return {"UserId": caller.principal.unique_id or "", "Account": caller.principal.account or "", "Arn": caller.arn}


def _assume_role(parameters: Mapping[str, str], _: Caller, home: Home, now: datetime) -> Answer:
    role, name = parameters.get("RoleArn", ""), parameters.get("RoleSessionName", "")
    if not _ROLE.fullmatch(role):
        raise _INVALID(reason=f"{role} is invalid")
    if not _SESSION_NAME.fullmatch(name):
        raise _INVALID(
            reason=f"1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy constraint: "
            r"Member must satisfy regular expression pattern: [\w+=,.@-]*"
        )
    tags = {
        value: parameters.get(f"{field.removesuffix('.Key')}.Value", "")
        for field, value in parameters.items()
        if field.startswith("Tags.member.") and field.endswith(".Key")
    }
    policies = (parameters["Policy"],) if "Policy" in parameters else ()
    try:
        session = make_caller(role, home, {"session_name": name, "session_policies": policies, "tags": tags})
    except InvalidPolicy as error:
        raise _MALFORMED_POLICY(reason=str(error)) from None
    except InvalidPrincipal as error:
        raise _INVALID(reason=str(error)) from None
    return {
        "Credentials": _shown(issue(session), parameters, _ROLE_SECONDS, now),
        "AssumedRoleUser": {"AssumedRoleId": session.principal.unique_id or "", "Arn": session.arn},
    }


def _get_session_token(parameters: Mapping[str, str], caller: Caller, _: Home, now: datetime) -> Answer:
    if caller.principal.kind is PrincipalKind.ASSUMED_ROLE:
        raise _FROM_A_SESSION()
    return {"Credentials": _shown(issue_session(caller), parameters, _USER_SECONDS, now)}


def _shown(credentials: Credentials, parameters: Mapping[str, str], seconds: int, now: datetime) -> dict[str, str]:
    given = parameters.get("DurationSeconds", str(seconds))
    if not given.isdecimal() or not 900 <= int(given) <= 129600:
        raise _INVALID(reason=f"The requested DurationSeconds {given} is invalid")
    expires = now + timedelta(seconds=int(given))
    return {
        "AccessKeyId": credentials.access_key_id,
        "SecretAccessKey": credentials.secret_access_key,
        "SessionToken": credentials.session_token or "",
        "Expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


_OPERATIONS: Mapping[str, Callable[[Mapping[str, str], Caller, Home, datetime], Answer]] = {
    "GetCallerIdentity": _get_caller_identity,
    "AssumeRole": _assume_role,
    "GetSessionToken": _get_session_token,
}
