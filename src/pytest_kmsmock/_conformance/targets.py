"""Targets of scenarios in this process: this mock and moto. Endpoints and accounts are in `remote`."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Protocol

from botocore import exceptions, xform_name
from botocore.client import BaseClient
from botocore.config import Config
from botocore.session import Session

from pytest_kmsmock._kms.api.arns import partition_of
from pytest_kmsmock._mock import clients
from pytest_kmsmock._mock.decorator import mock_kms
from pytest_kmsmock._runtime import environment
from pytest_kmsmock._testing.identity.credentials import caller_of
from pytest_kmsmock.errors import TargetUnreachable

from . import templates
from .scenario import NEEDS, Principal, Scenario

if TYPE_CHECKING:
    from pytest_kmsmock._mock.kms_mock import KmsMock
    from pytest_kmsmock._testing.identity.credentials import Credentials

#: As AWS validates a request, not as botocore does; and one call is one request.
CONFIG = Config(parameter_validation=False, retries={"total_max_attempts": 1, "mode": "standard"})
#: Two Regions of each partition, since replica keys stay in theirs.
_REGIONS = {
    "aws": ("us-west-2", "us-east-1"),
    "aws-cn": ("cn-northwest-1", "cn-north-1"),
    "aws-us-gov": ("us-gov-east-1", "us-gov-west-1"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a target answered: an error with its message, or members."""

    error: str | None = None
    message: str = ""
    members: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection to a target for the calls of one scenario.

    Attributes:
        client: makes a client, for a Region and a principal's name.
        names: what `<name>` means there besides earlier answers.
        now: tells the time there.
        wait: lets time pass; None where nothing comes of it.
        veto: says why a call of an operation with parameters must not be made there; empty if it may be.
    """

    client: Callable[[str, str], BaseClient]
    names: Mapping[str, Any]
    now: Callable[[], datetime]
    wait: Callable[[timedelta], object] | None
    veto: Callable[[str, Mapping[str, Any]], str]

    def call(self, operation: str, params: Mapping[str, Any], region: str, by: str) -> Answer:
        """Call an operation, and return the answer whatever it is.

        Args:
            operation: the operation.
            params: its parameters.
            region: `first` or `other`.
            by: the principal who calls.

        Raises:
            TargetUnreachable: nobody answered.
        """
        client = self.client(str(self.names["other_region" if region == "other" else "region"]), by)
        try:
            answer = getattr(client, xform_name(operation))(**params)
        except exceptions.ClientError as error:
            details = error.response["Error"]
            return Answer(details.get("Code", ""), details.get("Message", ""))
        except (exceptions.ConnectionError, exceptions.HTTPClientError) as error:
            raise TargetUnreachable(f"{operation} got no answer from {client.meta.endpoint_url}: {error}") from error
        except Exception as error:  # also an answer, one that differs: moto raises NotImplementedError, for instance
            return Answer(type(error).__name__, str(error))
        answer.pop("ResponseMetadata", None)
        return Answer(members=answer)


class Target(Protocol):
    """Something that scenarios can run against.

    Attributes:
        name: as the command line has it.
        has: which of `NEEDS` it has.
    """

    name: str
    has: frozenset[str]

    def connect(self, scenario: Scenario, /) -> AbstractContextManager[Connection]:
        """Return a connection for the calls of a scenario, without resources of earlier scenarios."""

    def close(self) -> list[str]:
        """Delete what was created, and return what could not be deleted."""


def names_at(region: str, account: str | None = None, caller: str | None = None) -> dict[str, Any]:
    """Return what `<name>` means for a scenario; what is not known is left out."""
    partition = partition_of(region)
    details = {
        "account": account,
        "caller": caller,
        "region": region,
        "other_region": next(each for each in _REGIONS.get(partition, _REGIONS["aws"]) if each != region),
        "partition": partition,
        "unique": uuid.uuid4().hex[:12],
        "absent_key": str(uuid.uuid4()),
        "absent_store": f"cks-{uuid.uuid4().hex[:17]}",
    }
    return {name: value for name, value in details.items() if value is not None}


class Mock:
    """This mock, in process. It has everything that scenarios need."""

    name = "mock"
    has = NEEDS

    def __init__(self, region: str = environment.DEFAULT_REGION) -> None:
        self._region = region
        self._client = functools.cache(lambda region: _client(clients.session(), region))

    @contextmanager
    def connect(self, scenario: Scenario, /) -> Iterator[Connection]:
        """Return a mock that began empty, with the principals and delays of a scenario."""
        with mock_kms(fresh=True, region=self._region) as kms:
            for name, seconds in (scenario.delays or {}).items():
                setattr(kms.delays, name, seconds)
            names = names_at(self._region, kms.account, kms.credentials().arn)
            if "key stores" in scenario.needs:
                names |= {
                    "cluster": kms.key_stores.add_cluster().parameters,
                    "proxy": kms.key_stores.add_xks_proxy(keys=["external-key"]).parameters,
                }
            callers = {each.name: _introduce(kms, each, names) for each in scenario.principals}

            def client(region: str, by: str) -> BaseClient:
                if not by:
                    return self._client(region)
                return _client(clients.session(), region, callers[by])

            yield Connection(client, names, kms.clock.now, kms.clock.advance, no_veto)

    def close(self) -> list[str]:
        """Nothing has to be deleted."""
        return []


def _introduce(kms: KmsMock, principal: Principal, names: dict[str, Any]) -> Credentials:
    """Give a principal its policies, and the scenario its names: `<ada>`, `<ada_caller>` and `<ada_id>`."""
    arn, policies, session_policies, boundary = templates.resolve(
        [principal.arn, principal.policies, principal.session_policies, principal.boundary], names, kms.clock.now
    )
    if arn.startswith(("user/", "role/")):
        arn = f"arn:{names['partition']}:iam::{kms.account}:{arn}"
    if policies:
        kms.iam.attach(arn, *policies)
    if boundary is not None:
        kms.iam.boundary(arn, boundary)
    context: Any = {"session_policies": session_policies, "session_name": principal.session_name}
    made = kms.credentials(arn, **{name: value for name, value in context.items() if value})
    if principal.missing:
        kms.iam.missing(arn)
    caller = caller_of(made.access_key_id)
    assert caller is not None, made
    details = {"": arn, "_caller": made.arn, "_id": caller.principal.unique_id}
    names |= {f"{principal.name}{suffix}": value for suffix, value in details.items()}
    return made


class Moto:
    """moto, in process."""

    name = "moto"
    has = frozenset({"empty account"})

    def __init__(self, region: str = environment.DEFAULT_REGION) -> None:
        try:
            from pytest_kmsmock._moto import alone
        except ModuleNotFoundError as error:
            raise TargetUnreachable("moto is not installed: pip install moto") from error
        self._alone = alone
        self._region = region

    @contextmanager
    def connect(self, _: Scenario, /) -> Iterator[Connection]:
        """Return a moto that began empty."""
        with self._alone.mocked():
            names = names_at(self._region, self._alone.ACCOUNT_ID, self._alone.CALLER)
            make = functools.cache(functools.partial(_client, Session()))
            yield Connection(lambda region, _: make(region), names, utc_now, None, no_veto)

    def close(self) -> list[str]:
        """Nothing has to be deleted."""
        return []


#: Dummy credentials.
DUMMY_KEYS = {
    "aws_access_key_id": environment.DUMMY_ACCESS_KEY_ID,
    "aws_secret_access_key": environment.DUMMY_SECRET_ACCESS_KEY,
}


def _client(session: Session, region: str, signing: Mapping[str, str] = DUMMY_KEYS) -> BaseClient:
    return session.create_client("kms", region_name=region, config=CONFIG, **signing)


def no_veto(*_: object) -> str:
    """Allow all calls: the target has no other keys."""
    return ""


def utc_now() -> datetime:
    """Return the machine's time."""
    return datetime.now(timezone.utc)
