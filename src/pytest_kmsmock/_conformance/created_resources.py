"""What a run created in an account or at an endpoint: what it may change, and what it deletes at its end."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError

#: The parameters that identify keys.
_KEY_PARAMETERS = ("KeyId", "TargetKeyId", "SourceKeyId", "DestinationKeyId")
_KEY_ID = re.compile(r"(?:.*:key/)?((?:mrk-[0-9a-f]{32})|(?:[0-9a-fA-F-]{36}))", re.DOTALL)
_ALIAS = re.compile(r"(?:arn:.*:)?(alias/.*)", re.DOTALL)
#: Names that an alias can have; any other is refused.
_ALIAS_NAME = re.compile(r"alias/[a-zA-Z0-9/_-]{1,250}")
#: Operations that change custom key stores: allowed only for a store that does not exist.
_STORE_OPERATIONS = {
    "ConnectCustomKeyStore",
    "DisconnectCustomKeyStore",
    "UpdateCustomKeyStore",
    "DeleteCustomKeyStore",
}
#: The operations that create keys, and where they are in the answers.
CREATING = {"CreateKey": "KeyMetadata", "ReplicateKey": "ReplicaKeyMetadata"}
#: The shortest waiting period that AWS allows.
_WINDOW_IN_DAYS = 7
#: Transient errors: throttling, and transitional key states.
_TRANSIENT = re.compile("ThrottlingException|.* is (creating|updating)\\.", re.DOTALL)
_ATTEMPTS = 8


class CreatedResources:
    """The keys and aliases that a run created, and names that no other key has.

    Attributes:
        keys: Region and id of each key, replica keys too, in the order in which they were made.
        unique: strings that only this run has: aliases with one of them in their names are its own.
        absent: ids that were made up, so that no key has them.
        lost_answer: whether no answer came to a call that may have created a key.
    """

    def __init__(self, sleep: Callable[[float], object] = time.sleep) -> None:
        self.keys: list[tuple[str, str]] = []
        self.unique: set[str] = set()
        self.absent: set[str] = set()
        self.lost_answer = False
        self._aliases: list[tuple[str, str]] = []
        self._sleep = sleep

    def veto(self, operation: str, params: Mapping[str, Any]) -> str:
        """Return why a call must not be made: it could change what this run did not create. Empty if it may be made.

        Args:
            operation: the operation.
            params: its parameters.
        """
        if operation == "CreateCustomKeyStore":
            return "a custom key store would be left behind"
        if operation in _STORE_OPERATIONS and params.get("CustomKeyStoreId") not in self.absent:
            return "this run created no custom key store"
        if params.get("BypassPolicyLockoutSafetyCheck"):
            return "a key policy could lock this run out of its key"
        for member in _KEY_PARAMETERS:
            named = params.get(member)
            if isinstance(named, str) and not self._is_own(named):
                return f"{member} {named!r} is not a key of this run"
        name = params.get("AliasName")
        if isinstance(name, str) and _ALIAS_NAME.fullmatch(name) and not self._has_own_name(name):
            return f"{name!r} is not an alias of this run"
        return ""

    def _is_own(self, named: str) -> bool:
        key = _KEY_ID.fullmatch(named)
        if key is not None:
            # No key has an id of zeros or in capitals: AWS generates neither.
            own = {key_id for _, key_id in self.keys} | self.absent
            return key[1] in own or key[1] != key[1].lower() or not key[1].strip("mrk-0")
        alias = _ALIAS.fullmatch(named)
        return alias is None or self._has_own_name(alias[1])

    def _has_own_name(self, alias: str) -> bool:
        return any(unique in alias for unique in self.unique) or alias == "alias/aws/nope"

    def note(self, operation: str, params: Mapping[str, Any], answer: Mapping[str, Any], region: str) -> None:
        """Record what a successful call created."""
        if operation in CREATING:
            made = answer[CREATING[operation]]
            self.keys.append((made["Arn"].split(":")[3], made["KeyId"]))
        elif operation == "CreateAlias":
            self._aliases.append((region, params["AliasName"]))

    def find(self, client: BaseClient, tag: Mapping[str, str]) -> None:
        """Record the keys of a Region that have a tag, also those whose answers were lost."""
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
            yield from self._try(name, region, lambda: client_for(region).delete_alias(AliasName=name))  # noqa: B023 - called at once
        self._aliases.clear()
        while self.keys:  # the latest first, so that replica keys come before their primary keys
            region, key_id = self.keys.pop()
            delete = {"KeyId": key_id, "PendingWindowInDays": _WINDOW_IN_DAYS}
            yield from self._try(key_id, region, lambda: client_for(region).schedule_key_deletion(**delete))  # noqa: B023 - called at once

    def _try(self, name: str, region: str, work: Callable[[], object]) -> Iterator[str]:
        problem = ""
        for attempt in range(_ATTEMPTS):
            problem = _problem(work)
            if not _TRANSIENT.match(problem):
                break
            self._sleep(0.5 * 2**attempt)
        if problem:
            yield f"{name} in {region}: {problem}"


def _problem(work: Callable[[], object]) -> str:
    """Return why something failed; empty if it succeeded, or was done before."""
    try:
        work()
    except ClientError as error:
        details = error.response["Error"]
        code, message = details["Code"], details.get("Message", "")
        is_gone = code == "NotFoundException" or "deletion" in message
        return "" if is_gone else f"{code}: {message}"
    except BotoCoreError as error:
        return str(error)
    return ""
