"""KMS and IAM resources of a file of infrastructure, in any language: plain records with their location."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from pytest_kmsmock._kms.api.arns import partition_of
from pytest_kmsmock._kms.policy.evaluation import Origin
from pytest_kmsmock._record import Record

#: A policy, or a part of one, as JSON has it.
Json: TypeAlias = "dict[str, Any]"


class Place(Record):
    """Where something is declared.

    Attributes:
        file: the path of the file.
        line: the line; 0 if lines of the file mean nothing, as in Terraform's JSON.
        resource: the logical id, or Terraform's address.
    """

    file: str
    line: int
    resource: str

    def __str__(self) -> str:
        name = Path(self.file).name
        return f"{name}{f':{self.line}' if self.line else ''}, {self.resource}"


class Unknown(Record):
    """Something that was not understood.

    Attributes:
        place: where it is.
        reason: what was not understood, and the consequence.
        decides: whether it may change a decision on KMS; otherwise it only has no effect here.
        cause: the parameter without a value that it follows from, if any; then `reason` is about that parameter.
        users: the resources that use that parameter.
    """

    place: Place
    reason: str
    decides: bool = True
    cause: Place | None = None
    users: tuple[Place, ...] = ()

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


class Stack(Record):
    """Where resources are deployed.

    Attributes:
        name: the name of the stack.
        account: the account id.
        region: the Region.
    """

    name: str
    account: str
    region: str

    @property
    def partition(self) -> str:
        """The partition, such as `aws-cn`."""
        return partition_of(self.region)


@dataclass(frozen=True, slots=True)
class Document:
    """A policy document.

    Attributes:
        text: the document, as JSON.
        place: what declares it.
        lines: the line of each statement, as far as the file has lines.
    """

    text: str
    place: Place
    lines: tuple[int, ...] = ()

    @property
    def origin(self) -> Origin:
        """Where explanations say that it is written."""
        return Origin(Path(self.place.file).name, self.place.resource, self.place.line, self.lines)

    @property
    def content(self) -> Json:
        """The parsed document."""
        read: Json = json.loads(self.text)
        return read


@dataclass(frozen=True, slots=True)
class Key:
    """A KMS key.

    Attributes:
        place: what declares it.
        stack: where it is.
        id: its key id.
        settings: fields of a `KeySeed`, other than policy and place.
        policy: its key policy; None for the default one.
    """

    place: Place
    stack: Stack
    id: str
    settings: Mapping[str, Any] = field(hash=False)
    policy: Document | None = None


@dataclass(frozen=True, slots=True)
class Replica:
    """A replica key of a multi-Region key; `primary` is the ARN of that. The rest is as for `Key`."""

    place: Place
    stack: Stack
    primary: str
    settings: Mapping[str, Any] = field(hash=False)
    policy: Document | None = None


@dataclass(frozen=True, slots=True)
class Alias:
    """An alias with its target, a key id or ARN."""

    place: Place
    stack: Stack
    name: str
    target: str


@dataclass(frozen=True, slots=True)
class KeyPolicy:
    """A key policy that is declared separately from its key."""

    place: Place
    stack: Stack
    key: str
    policy: Document


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant, with the parameters of CreateGrant."""

    place: Place
    stack: Stack
    params: Mapping[str, Any] = field(hash=False)


@dataclass(frozen=True, slots=True)
class KeyStore:
    """A custom key store, replaced by a stand-in.

    Attributes:
        place: what declares it.
        stack: where it is.
        id: what keys call it.
        external: whether it is an external key store, else one on CloudHSM.
    """

    place: Place
    stack: Stack
    id: str
    external: bool = False


@dataclass(frozen=True, slots=True)
class Principal:
    """A role, user or group.

    Attributes:
        place: what declares it.
        stack: where it is.
        kind: `role`, `user` or `group`.
        name: its name, without path.
        arn: its ARN.
        inline: its inline policies.
        managed: the ARNs of its managed policies.
        boundary: the ARN of its permissions boundary.
        groups: the names of the groups of a user.
        trust: its trust policy, for moto.
        tags: its tags, which are principal tags of requests.
    """

    place: Place
    stack: Stack
    kind: str
    name: str
    arn: str
    inline: tuple[Document, ...] = ()
    managed: tuple[str, ...] = ()
    boundary: str | None = None
    groups: tuple[str, ...] = ()
    trust: str = ""
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class ManagedPolicy:
    """A customer managed policy."""

    place: Place
    stack: Stack
    name: str
    arn: str
    document: Document


@dataclass(frozen=True, slots=True)
class Attachment:
    """A policy of principals that is declared separately from them.

    Attributes:
        place: what declares it.
        stack: where it is.
        kind: `role`, `user` or `group`.
        name: the name of the principal.
        policy: the document, or the ARN of a managed policy.
    """

    place: Place
    stack: Stack
    kind: str
    name: str
    policy: Document | str


@dataclass(frozen=True, slots=True)
class Membership:
    """Users of a group."""

    place: Place
    stack: Stack
    group: str
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServiceResource:
    """A resource of another service, to be created in moto.

    Attributes:
        place: what declares it.
        stack: where it is.
        id: its identifier in its service's API: a name, a URL or an ARN.
        calls: the API calls that create it: botocore's name of the service, operation and parameters, in order.
    """

    place: Place
    stack: Stack
    id: str
    calls: tuple[tuple[str, str, Mapping[str, Any]], ...] = field(default=(), hash=False)


Item: TypeAlias = (
    "Alias | Attachment | Grant | Key | KeyPolicy | KeyStore | ManagedPolicy | Membership | Principal | Replica | "
    "ServiceResource"
)


@dataclass(frozen=True, slots=True)
class Deployment:
    """Everything that some files declare.

    Attributes:
        items: the resources, in the order of the files.
        unknowns: what was not understood.
    """

    items: tuple[Item, ...]
    unknowns: tuple[Unknown, ...] = ()
