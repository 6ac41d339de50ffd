"""Functions of Lambda."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_kmsmock._record import Record

from . import Api, account_of, read


class Function(Record):
    """A function.

    Attributes:
        arn: its ARN, without a version.
        name: its name.
        role: the ARN of its execution role.
        key: its `KMSKeyArn`; empty if there is none.
        variables: its environment variables.
    """

    arn: str
    name: str
    role: str
    key: str
    variables: Mapping[str, str]


def function(api: Api, access_key: str | None, region: str, name: str) -> Function | None:
    """Return a function by its name, ARN or partial ARN; None if there is none."""
    parts = name.split(":")
    named = parts[parts.index("function") + 1] if "function" in parts else parts[0]
    return read(lambda: _moto_function(account_of(access_key), region, named), lambda: _api_function(api, named))


def _moto_function(account: str, region: str, name: str) -> Function | None:
    from moto.awslambda.utils import get_backend  # there are two: functions run in Docker, or not at all

    backend: Any = get_backend(account, region)
    latest = next((each for each in backend.list_functions() if each.function_name == name), None)
    if latest is None:
        return None
    arn = f"arn:{latest.partition}:lambda:{region}:{account}:function:{name}"
    return Function(arn, name, latest.role, latest.kms_key_arn or "", latest.environment_vars or {})


def _api_function(api: Api, name: str) -> Function | None:
    found = api("GetFunctionConfiguration", FunctionName=name)
    if "Error" in found:
        return None
    variables = found.get("Environment", {}).get("Variables", {})
    return Function(found["FunctionArn"], name, found["Role"], found.get("KMSKeyArn", ""), variables)
