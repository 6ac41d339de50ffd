"""The permissions that recorded calls needed: who, which action, on which resource, under which encryption context.

What policies are made of them is in `least_privilege`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_kmsmock._kms.api.arns import alias_arn
from pytest_kmsmock._kms.state.attached_policies import policy_holder
from pytest_kmsmock._testing.audit.encryption_contexts import encryption_context

if TYPE_CHECKING:
    from pytest_kmsmock._kms.call.operation import Target
    from pytest_kmsmock._kms.engine.call_record import CallRecord
    from pytest_kmsmock._kms.state.state import State

#: The AWS Encryption SDK puts a new public key under this name into the encryption context of each message.
#: Source: https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/concepts.html#encryption-context
_NEW_IN_EVERY_MESSAGE = "aws-crypto-public-key"

#: (condition key, value) pairs that must all hold, in order.
Conditions = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, order=True)
class Permission:
    """One permission that a call needed.

    Attributes:
        principal: who needs it: the ARN of a user or role (for its sessions too), of a root user, or the name of an AWS
            service.
        action: such as `kms:ReEncryptFrom`.
        resource: the ARN that an IAM policy names: of a key or an alias, or `*`.
        key: the ARN of the key whose policy has a say, or of its alias if the key goes by that; empty if no key is
            concerned.
        alias: the name of the alias that the key is told by; empty if it is told by its ARN, or is none.
        account: the account that owns the key; empty if no key is concerned.
        context: the encryption context, in order.
        request: further condition keys of the request with their values, in order: the AWS service that calls for the
            principal, or the resource on whose behalf a service calls.
    """

    principal: str
    action: str
    resource: str
    key: str = ""
    alias: str = ""
    account: str = ""
    context: Conditions = ()
    request: Conditions = ()


def permissions(calls: Iterable[CallRecord], aliases: Mapping[str, Iterable[str]] | None = None) -> set[Permission]:
    """Return the permissions that calls needed: those that were carried out, and those refused for other reasons.

    Args:
        calls: the calls, oldest first.
        aliases: key ARN -> the aliases that it had before the calls. If given, keys are told by their aliases, and keys
            that the calls themselves created are told as any key: a policy that is written beforehand cannot know
            their ids. If None, every key is told by its ARN.
    """
    names = _Names(aliases) if aliases is not None else None
    found: set[Permission] = set()
    for record in calls:
        if record.authorized:
            found |= {_permission(record, target, names) for target in record.targets if not _is_open(record, target)}
        if names is not None and not record.refused:
            names.learn(record)
    return found


def aliases_before(state: State, calls: Iterable[CallRecord]) -> dict[str, list[str]]:
    """Return the aliases that keys had before some calls, by key ARN.

    Args:
        state: the state after the calls.
        calls: the calls, of which those count that made or changed an alias. An alias that was there before and has
            been deleted since is not found.
    """
    touched = {
        alias_arn(record.region, record.account, record.params["AliasName"])
        for record in calls
        if record.operation in ("CreateAlias", "UpdateAlias") and not record.refused
    }
    return {
        region.keys[key_id].arn: [name for name in names if alias_arn(region.name, region.account, name) not in touched]
        for region in state.regions()
        for key_id, names in region.aliases_of.items()
    }


class _Names:
    """Which aliases and which keys there were at each moment of a list of calls."""

    def __init__(self, aliases: Mapping[str, Iterable[str]]) -> None:
        self._aliases = {arn: list(names) for arn, names in aliases.items()}
        self._created: set[str] = set()

    @staticmethod
    def context(context: Conditions) -> Conditions:
        """Return an encryption context without what is new in every message."""
        return tuple(pair for pair in context if pair[0] != _NEW_IN_EVERY_MESSAGE)

    def of(self, target: Target) -> tuple[str, bool]:
        """Return the alias that a key is told by, empty if it has none, and whether the calls created the key."""
        assert target.key is not None
        known = self._aliases.get(target.key.arn, ())
        alias = target.alias if target.alias is not None else next(iter(known), "")
        return alias, target.key.arn in self._created

    def learn(self, record: CallRecord) -> None:
        """Note what a call that was carried out created, named or renamed."""
        if record.operation in ("CreateKey", "ReplicateKey"):
            self._created |= set(_new_keys(record))
        elif record.operation in ("CreateAlias", "UpdateAlias", "DeleteAlias"):
            name = record.params["AliasName"]
            arn = alias_arn(record.region, record.account, name)
            for key_arn, names in self._aliases.items():
                if name in names and _home(key_arn) == _home(arn):
                    names.remove(name)
            key = next((target.key for target in record.targets if target.parameter == "TargetKeyId"), None)
            if key is not None:
                self._aliases.setdefault(key.arn, []).append(name)


def _new_keys(record: CallRecord) -> Iterator[str]:
    for member in ("KeyMetadata", "ReplicaKeyMetadata"):
        metadata = (record.result or {}).get(member)
        if isinstance(metadata, Mapping):
            yield str(metadata["Arn"])


def _home(arn: str) -> str:
    """Return an ARN up to its account."""
    return arn.rpartition(":")[0]


def _permission(record: CallRecord, target: Target, names: _Names | None) -> Permission:
    principal = policy_holder(record.caller.principal)
    key = target.key
    if key is None:
        # Nobody can know the id of a key before it is made; that of a replica is its primary key's.
        unknown = target.creates_key and (names is not None or record.operation != "ReplicateKey")
        return Permission(principal, target.permission, f"{_home(target.arn)}:key/*" if unknown else target.arn)
    context = tuple(_in_general(record, encryption_context(record, target)))
    resource, alias, known_as = key.arn, "", key.arn
    if names is not None:
        alias, created = names.of(target)
        context = names.context(context)
        any_key = f"{_home(key.arn)}:key/*"
        if alias:
            resource, known_as = any_key, f"{_home(key.arn)}:{alias}"
        elif created:
            resource = known_as = any_key
    return Permission(
        principal, target.permission, resource, known_as, alias, key.account, context, _of_request(record)
    )


def _is_open(record: CallRecord, target: Target) -> bool:
    """Say whether nobody needs the permission: AWS managed keys let everybody in who comes through their service."""
    return record.via is not None and target.key is not None and target.key.manager == "AWS"


#: What of the encryption contexts of AWS services is another one for each thing that they protect: what to demand in
#: its place, as a pattern. None demands nothing.
_GENERAL: Mapping[str, Callable[[str], str] | None] = {
    "aws:s3:arn": lambda arn: f"{arn.partition('/')[0]}/*" if "/" in arn else arn,
    "SecretVersionId": None,
    "aws:ebs:id": None,
    "aws:rds:db-id": None,
}


def _in_general(record: CallRecord, context: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield what to demand of an encryption context: of a service's, what all that it protects has in common."""
    for name, value in sorted(context.items()):
        general = _GENERAL.get(name, _as_it_is) if record.via is not None else _as_it_is
        if general is not None:
            yield name, general(value)


def _as_it_is(value: str) -> str:
    return value


def _of_request(record: CallRecord) -> Conditions:
    caller = record.caller
    if caller.principal.is_service:
        sources = {"aws:SourceAccount": "aws:sourceaccount", "aws:SourceArn": "aws:sourcearn"}
        return tuple((name, caller.context[key][0]) for name, key in sources.items() if key in caller.context)
    service = caller.via_service(record.region)
    return () if service is None else (("kms:ViaService", service),)
