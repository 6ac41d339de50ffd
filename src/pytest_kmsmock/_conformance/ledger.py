"""What a run made in an account or at an endpoint: what it may touch, and what has to go afterwards."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

#: The members of requests that name keys.
_KEY_MEMBERS = ("KeyId", "TargetKeyId", "SourceKeyId", "DestinationKeyId")
_KEY_ID = re.compile(r"(?:.*:key/)?((?:mrk-[0-9a-f]{32})|(?:[0-9a-fA-F-]{36}))", re.DOTALL)
_ALIAS = re.compile(r"(?:arn:.*:)?(alias/.*)", re.DOTALL)
#: What makes something outside of KMS, or lets a key go out of hand.
_NEVER = {
    "CreateCustomKeyStore",
    "ConnectCustomKeyStore",
    "DisconnectCustomKeyStore",
    "UpdateCustomKeyStore",
    "DeleteCustomKeyStore",
}
#: The operations that make keys, and where they are in the answers.
MAKERS = {"CreateKey": "KeyMetadata", "ReplicateKey": "ReplicaKeyMetadata"}
#: The shortest that AWS allows.
_WINDOW_IN_DAYS = 7


class Ledger:
    """The keys and aliases that a run made, and what names no key of anybody.

    Attributes:
        keys: Region and id of each key, replica keys too, in the order in which they were made.
        unique: strings that only this run has: aliases with one of them in their names are its own.
        absent: ids that were made up, so that no key has them.
        lost: whether an answer never came that could have told of a new key.
    """

    def __init__(self) -> None:
        self.keys: list[tuple[str, str]] = []
        self.unique: set[str] = set()
        self.absent: set[str] = set()
        self.lost = False
        self._aliases: list[tuple[str, str]] = []

    def objection(self, operation: str, params: Mapping[str, Any], refused: bool) -> str:
        """Return why a call must not be made: it could touch what this run did not make. Empty if it may be.

        Args:
            operation: the operation.
            params: its parameters.
            refused: whether AWS is expected to refuse it.
        """
        if operation in _NEVER and not refused:
            return f"{operation} changes what is outside of KMS"
        if params.get("BypassPolicyLockoutSafetyCheck"):
            return "a key policy could lock this run out of its key"
        for member in _KEY_MEMBERS:
            named = params.get(member)
            if isinstance(named, str) and not self._is_own(named):
                return f"{member} {named!r} is no key that this run made"
        name = params.get("AliasName")
        if isinstance(name, str) and not refused and not self._has_own_name(name):
            return f"{name!r} is no alias of this run"
        return ""

    def _is_own(self, named: str) -> bool:
        key = _KEY_ID.fullmatch(named)
        if key is not None:
            # An id of zeros or in capitals is nobody's: AWS makes neither.
            own = {key_id for _, key_id in self.keys} | self.absent
            return key[1] in own or key[1] != key[1].lower() or not key[1].strip("mrk-0")
        alias = _ALIAS.fullmatch(named)
        return alias is None or self._has_own_name(alias[1])

    def _has_own_name(self, alias: str) -> bool:
        return any(unique in alias for unique in self.unique) or alias == "alias/aws/nope"

    def note(self, operation: str, params: Mapping[str, Any], answer: Mapping[str, Any], region: str) -> None:
        """Note what a call that succeeded has made."""
        if operation in MAKERS:
            made = answer[MAKERS[operation]]
            self.keys.append((made["Arn"].split(":")[3], made["KeyId"]))
        elif operation == "CreateAlias":
            self._aliases.append((region, params["AliasName"]))

    def find(self, client: BaseClient, tag: Mapping[str, str]) -> None:
        """Note the keys of a Region that have a tag, whether or not their answers came."""
        for page in client.get_paginator("list_keys").paginate():
            for key in page["Keys"]:
                with contextlib.suppress(ClientError):  # of keys of others nothing need be known
                    if tag in client.list_resource_tags(KeyId=key["KeyId"])["Tags"]:
                        self.keys.append((client.meta.region_name, key["KeyId"]))

    def clean_up(self, client_for: Callable[[str], BaseClient]) -> Iterator[str]:
        """Delete the aliases, and schedule the keys for deletion, replica keys before their primary keys.

        Args:
            client_for: makes a client for a Region.

        Yields:
            What could not be done, and why.
        """
        for region, name in self._aliases:
            yield from _try(name, region, lambda: client_for(region).delete_alias(AliasName=name))  # noqa: B023
        self._aliases.clear()
        while self.keys:  # the latest first, so that replica keys come before their primary keys
            region, key_id = self.keys.pop()
            yield from _try(key_id, region, lambda: _schedule_deletion(client_for(region), key_id))  # noqa: B023


def _schedule_deletion(client: BaseClient, key_id: str) -> None:
    client.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=_WINDOW_IN_DAYS)


def _try(name: str, region: str, work: Callable[[], object]) -> Iterator[str]:
    try:
        work()
    except ClientError as error:
        told = error.response["Error"]
        # It is on its way already, or went with something else.
        if told["Code"] != "NotFoundException" and "is pending" not in told.get("Message", ""):
            yield f"{name} in {region}: {told['Code']}: {told.get('Message', '')}"
    except BotoCoreError as error:
        yield f"{name} in {region}: {error}"
