"""Targets over the network: an endpoint, an AWS account. A run changes only what it created, and deletes it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from pytest_kmsmock._kms.api.arns import partition_of
from pytest_kmsmock._runtime.checks import did_you_mean
from pytest_kmsmock.errors import InvalidOption, TargetUnreachable

from .created_resources import CREATING, CreatedResources
from .scenario import Scenario
from .targets import CONFIG, DUMMY_KEYS, Answer, Connection, names_at, utc_now

#: The tag of every key that a run makes in an account, with the run as its value.
TAG_KEY = "pytest-kmsmock-conformance"
_CONFIG = CONFIG.merge(Config(connect_timeout=10, read_timeout=30))
_ATTEMPTS = 6
#: USD, by https://aws.amazon.com/kms/pricing in 2026: a key by the hour, until its deletion is scheduled; a request of
#: the most expensive kind; a data key pair of RSA.
_KEY_HOUR, _REQUEST, _RSA_PAIR = 1 / 730, 0.15 / 10_000, 12 / 10_000


@dataclass(frozen=True, slots=True)
class RemoteConnection(Connection):
    """A connection over the network that records what calls create.

    Attributes:
        created: what the run made.
        tag: the value of the tag of new keys; None where keys are not tagged.
        pause: waits for some seconds.
    """

    created: CreatedResources
    tag: str | None
    pause: Callable[[float], object]

    def call(self, operation: str, params: Mapping[str, Any], region: str, by: str) -> Answer:
        """Call an operation, again if it is throttled.

        Raises:
            TargetUnreachable: nobody answered.
        """
        if operation == "CreateKey" and self.tag is not None:
            params = {**params, "Tags": [*(params.get("Tags") or ()), _tag(self.tag)]}
        try:
            answer = self._call_with_retries(operation, params, region, by)
        except TargetUnreachable:
            self.created.lost_answer |= operation in CREATING
            raise
        if answer.error is None:
            self.created.note(operation, params, answer.members, str(self.names[_NAMES[region]]))
            if operation == "ReplicateKey" and self.tag is not None:  # not in its request, whose answer would show it
                replica = {"KeyId": answer.members["ReplicaKeyMetadata"]["KeyId"], "Tags": [_tag(self.tag)]}
                there = "first" if params["ReplicaRegion"] == self.names["region"] else "other"
                self._call_with_retries("TagResource", replica, there, "")
        return answer

    def _call_with_retries(self, operation: str, params: Mapping[str, Any], region: str, by: str) -> Answer:
        answer = Connection.call(self, operation, params, region, by)
        for attempt in range(_ATTEMPTS):
            if answer.error != "ThrottlingException":
                break
            self.pause(2**attempt)
            answer = Connection.call(self, operation, params, region, by)
        return answer


_NAMES = {"first": "region", "other": "other_region"}


def _tag(value: str) -> dict[str, str]:
    return {"TagKey": TAG_KEY, "TagValue": value}


def _session(profile: str | None) -> Session:
    """Return a session with the credentials of a profile.

    Raises:
        InvalidOption: there is no such profile.
    """
    known = Session().available_profiles
    if profile is not None and profile not in known:
        hint = did_you_mean(profile, known) or f" Choose from: {', '.join(known) or '(it has none)'}."
        raise InvalidOption(f"--profile: the AWS configuration has no profile {profile!r}.{hint}")
    return Session(profile=profile)


class Endpoint:
    """Anything that answers KMS calls at a URL."""

    has: frozenset[str] = frozenset()

    def __init__(self, url: str, region: str, profile: str | None, pause: Callable[[float], object]) -> None:
        self.name = url
        self._region, self._pause = region, pause
        self._session = _session(profile)
        arguments = {"endpoint_url": url, "config": _CONFIG, **(DUMMY_KEYS if profile is None else {})}
        self._client = functools.cache(lambda region: self._session.create_client("kms", region, **arguments))
        self._created = CreatedResources()
        self._account: str | None = None
        self._caller: str | None = None
        self._tag: str | None = None

    @contextmanager
    def connect(self, _: Scenario, /) -> Iterator[Connection]:
        """Return a connection to the endpoint. What earlier scenarios created still exists."""
        if self._account is None:  # an endpoint does not say who is calling, but everybody may act as the root user
            self._account = self._find_account()
            self._caller = f"arn:{partition_of(self._region)}:iam::{self._account}:root"
        names = names_at(self._region, self._account, self._caller)
        self._created.unique.add(names["unique"])
        self._created.absent |= {names["absent_key"], names["absent_store"]}
        yield self._connection(names)

    def close(self) -> list[str]:
        """Delete the aliases and schedule the keys for deletion; return what could not be done."""
        if self._created.lost_answer and self._tag is not None:
            here = names_at(self._region)
            for region in (here["region"], here["other_region"]):
                self._created.find(self._client(region), _tag(self._tag))
        return list(self._created.clean_up(self._client))

    def _connection(self, names: dict[str, Any]) -> RemoteConnection:
        wait = (lambda time: self._pause(time.total_seconds())) if "time" in self.has else None
        return RemoteConnection(
            lambda region, _: self._client(region),
            names,
            utc_now,
            wait,
            self._created.veto,
            self._created,
            self._tag,
            self._pause,
        )  # fmt: skip

    def _find_account(self) -> str:
        """Create a key to find out the account."""
        answer = self._connection(names_at(self._region)).call("CreateKey", {}, "first", "")
        if answer.error is not None:
            raise TargetUnreachable(f"CreateKey failed at {self.name}: {answer.error}: {answer.message}")
        return str(answer.members["KeyMetadata"]["Arn"]).split(":")[4]


class Account(Endpoint):
    """An AWS account."""

    has = frozenset({"time"})

    def __init__(self, region: str, profile: str | None, pause: Callable[[float], object], run: str) -> None:
        super().__init__("aws", region, profile, pause)
        self._client = functools.cache(lambda region: self._session.create_client("kms", region, config=_CONFIG))
        self._tag = run
        try:
            identity = self._session.create_client("sts", region_name=region, config=_CONFIG).get_caller_identity()
        except (BotoCoreError, ClientError) as error:
            raise TargetUnreachable(f"GetCallerIdentity failed: {error}") from error
        self._account, self._caller = identity["Account"], identity["Arn"]

    def announcement(self, scenarios: Sequence[Scenario]) -> str:
        """Return what a run creates and costs, to be confirmed before it begins."""
        steps = [step for each in scenarios if each.needs <= self.has for step in each.steps]
        keys = sum(step.operation in ("CreateKey", "ReplicateKey") for step in steps)
        pairs = sum(str(step.params.get("KeyPairSpec")).startswith("RSA") for step in steps)
        cost = keys * _KEY_HOUR + len(steps) * _REQUEST + pairs * _RSA_PAIR
        others = names_at(self._region)["other_region"]
        return "\n".join(
            (
                f"Account {self._account} ({partition_of(self._region)}), as {self._caller}:",
                f"- calls KMS in {self._region} and {others};",
                f"- creates up to {keys} KMS keys, tagged {TAG_KEY}={self._tag}, and aliases for some of them;",
                "- schedules all of them for deletion in 7 days when it ends, or is interrupted; changes no other key;",
                f"- sends some {len(steps)} requests, and costs about {cost:.2f} USD (keys for an hour, no free tier).",
            )
        )
