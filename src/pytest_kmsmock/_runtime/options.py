"""The options of a mock, for the decorator, context manager, marker, ini file and command line."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pytest_kmsmock._record import Record
from pytest_kmsmock.errors import InvalidOption

from .checks import FORMS, check_form, check_path, check_type, did_you_mean, is_whole

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_ACCOUNT = "123456789012"

__tracebackhide__ = (
    True  # pytest hides frames of this module, so that wrong options show the user's line, also at import
)

#: The names of the hygiene checks of `_mock.hygiene`.
HYGIENE_CHECKS = (
    "unused-data-key",
    "no-encryption-context",
    "deprecated-algorithm",
    "wildcard-principal",
    "unknown-permission",
    "key-left-enabled",
)


class Options(Record):
    """Options of a mock.

    Attributes:
        region: the default Region of clients made under the mock. By default the user's `AWS_DEFAULT_REGION`,
            else `us-east-1`. Calls to all other Regions are answered too.
        account: the account of the default caller, 12 digits.
        enforce_policies: whether key policies, IAM policies and grants are enforced.
        fresh: whether a nested mock starts empty, not with a copy of the outer one's state.
        wire: whether every call goes through botocore's whole request path (signing, HTTP objects, parsing). Slower;
            for tests of hooks on the request.
        deterministic: whether ids, key material, random bytes and ciphertexts are the same in every run, and the clock
            is frozen; for snapshot tests.
        seed: what the mock starts with: a YAML or JSON file of keys, or templates, plans and states (CloudFormation,
            CDK, SAM, Terraform), of which there may be several in a list. A relative path starts from the working
            directory in code and on the command line, from pytest's rootdir in a marker and in an ini file.
        seed_strict: whether to fail if a template, plan or state has something that affects KMS and is not understood;
            by default it is listed at the end of the run.
        request_quotas: whether KMS throttles calls by AWS's quotas per second, on the mock's clock.
        hygiene: whether to check for questionable uses of KMS when the mock ends: `off`,
            `warn` (`KmsHygieneWarning`) or `error` (`KmsHygieneError`).
        hygiene_checks: the names of the checks, all by default; see the page on hygiene checks.
        unused_faults: how to report faults that never fire: `off`, `warn` (`UnusedFaultsWarning`) or
            `error` (`UnusedFaults`).
        share_with_children: whether processes that a test starts by `multiprocessing` with spawn or forkserver reach
            the mock: it is served on a local port (extra `server`). By default their KMS calls are blocked. Forked
            processes have a copy of the mock.
        moto_policies: whether the policies of moto's IAM apply to KMS calls of its users and roles; otherwise these may
            do everything that key policies let IAM allow.
        max_calls: the maximum number of calls in `KmsMock.calls`; the oldest are dropped first.
        endpoint_urls: further endpoints at which the mock answers KMS, besides those of AWS; such as
            `http://localhost:4566`. Calls to other services there are not affected.
        services: the AWS services, as botocore names them, whose KMS calls are made when moto answers them, as on AWS:
            `all` of those in `SERVICES` by default, `off` for none.
    """

    region: str | None = None
    account: str = DEFAULT_ACCOUNT
    enforce_policies: bool = True
    fresh: bool = False
    wire: bool = False
    deterministic: bool = False
    seed: str | os.PathLike[str] | tuple[str, ...] | None = None
    seed_strict: bool = False
    request_quotas: bool = False
    hygiene: str = "off"
    hygiene_checks: tuple[str, ...] = ()
    unused_faults: str = "off"
    share_with_children: bool = False
    moto_policies: bool = True
    max_calls: int = 1_000_000
    endpoint_urls: tuple[str, ...] = ()
    services: tuple[str, ...] = ("all",)


#: What `pytest --help` says of each option.
HELP: Mapping[str, str] = {
    "region": "default Region of clients made under the mock",
    "account": "account of the default caller",
    "enforce_policies": "enforce policies and grants",
    "fresh": "start empty, even inside another mock",
    "wire": "send every call through botocore's whole request path",
    "deterministic": "the same ids, key material and ciphertexts in every run",
    "seed": "file of keys, or template, plan or state, that the mock begins with",
    "seed_strict": "fail if something in a template, plan or state is not understood",
    "request_quotas": "throttle calls by AWS's quotas per second",
    "hygiene": "check for questionable uses of KMS: off, warn or error",
    "hygiene_checks": "hygiene checks to run, by default all",
    "unused_faults": "report faults that never fire: off, warn or error",
    "share_with_children": "let spawned child processes reach the mock, over HTTP",
    "moto_policies": "apply the policies of moto's IAM to calls of its users and roles",
    "max_calls": "maximum number of calls to keep",
    "endpoint_urls": "endpoints that the mock answers besides AWS's",
    "services": "AWS services whose KMS calls are made beside moto: names, all or off",
}


def inherited(options: Options) -> Options:
    """Return the options that a nested mock inherits."""
    return options._replace(fresh=False, seed=None)


def changed(options: Options, given: Mapping[str, Any], where: str) -> Options:
    """Return options with some changed.

    Args:
        options: the options.
        given: option names and values.
        where: where they were given, for the error message.

    Raises:
        InvalidOption: an unknown name or a wrong value.
    """
    if not given:
        return options
    values: dict[str, Any] = {name: _fit(name, value, where) for name, value in given.items()}
    if "hygiene_checks" in values:
        _check_names(values["hygiene_checks"], where)
    if "services" in values:
        _check_services(values["services"], where)
    for address in values.get("endpoint_urls", ()):
        if not _is_address(address):
            raise InvalidOption(
                f"{where}: endpoint_urls must be addresses such as 'http://localhost:4566', not {address!r}."
            )
    if values.get("seed") is not None:
        from pathlib import Path

        values["seed"] = seed_from(Path.cwd(), values["seed"])
    return options._replace(**values)


def seed_from(folder: Path, seed: Any) -> str | tuple[str, ...]:
    """Return a seed with its relative paths resolved against a folder."""
    if isinstance(seed, list | tuple):
        return tuple(str(folder / path) for path in seed)
    return str(folder / seed)


def _is_address(text: str) -> bool:
    from urllib.parse import urlsplit  # takes long to import

    try:
        return bool(re.fullmatch(r"(?i:https?)://[^/?#\s]+(/[^?#\s]*)?", text) and urlsplit(text).port != 0)
    except ValueError:  # brackets without an IPv6 address, or no port
        return False


def _fit(name: str, value: object, where: str) -> object:
    defaults = Options._field_defaults
    if name not in defaults:
        raise InvalidOption(
            f"{where}: unknown option {name!r}.{did_you_mean(name, defaults)} Choose from: {', '.join(defaults)}."
        )
    default = defaults[name]
    if value is None and default is None:
        return None
    if name in FORMS:
        check_form(name, value, where)
    elif name == "seed":
        _check_seed(value, where)
    elif isinstance(default, bool):
        check_type(value, bool, f"{where}: {name}")
    elif isinstance(default, int):
        return _number(name, value, where)
    elif isinstance(default, tuple):
        if isinstance(value, str):
            return (value,)
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
            raise InvalidOption(f"{where}: {name} must be a string or a list of strings, not {value!r}.")
        return tuple(value)
    return value


def _check_seed(seed: object, where: str) -> None:
    for path in seed if isinstance(seed, list | tuple) else [seed]:
        check_path(path, f"{where}: seed")


#: Service, as botocore names it -> the module of `_services` that makes its KMS calls.
SERVICES: Mapping[str, str] = {
    "backup": "resources.backup",
    "dynamodb": "storage.dynamodb",
    "ec2": "resources.ec2",
    "ecr": "resources.ecr",
    "efs": "resources.efs",
    "events": "messaging.events",
    "firehose": "streams.firehose",
    "kinesis": "streams.kinesis",
    "lambda": "compute.awslambda",
    "logs": "streams.logs",
    "rds": "resources.rds",
    "redshift": "resources.redshift",
    "s3": "storage.s3",
    "secretsmanager": "secrets.secretsmanager",
    "sns": "messaging.sns",
    "sqs": "messaging.sqs",
    "ssm": "secrets.ssm",
    "stepfunctions": "compute.stepfunctions",
}


def _check_services(names: tuple[str, ...], where: str) -> None:
    known = (*SERVICES, "all", "off")
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known)
            raise InvalidOption(f"{where}: unknown service {name!r}.{hint} Choose from: {', '.join(known)}.")
    if "off" in names and len(names) > 1:
        raise InvalidOption(f"{where}: services: 'off' cannot be combined with {names!r}.")


def _number(name: str, value: object, where: str) -> int:
    number = int(value) if isinstance(value, str) and value.isdecimal() else value  # from ini file or command line
    if not is_whole(number) or number < 1:
        raise InvalidOption(f"{where}: {name} must be a whole number from 1 on, not {value!r}.")
    return number


def _check_names(names: object, where: str) -> None:
    """Validate names of hygiene checks."""
    assert isinstance(names, tuple)
    for name in names:
        if name not in HYGIENE_CHECKS:
            known = ", ".join(HYGIENE_CHECKS)
            raise InvalidOption(
                f"{where}: unknown hygiene check {name!r}.{did_you_mean(name, HYGIENE_CHECKS)} Choose from: {known}."
            )
