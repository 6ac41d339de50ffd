"""The permissions that recorded calls needed: principal, action, resource and encryption context.

`least_privilege` builds policies from them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_kmsmock._kms.api.arns import alias_arn
from pytest_kmsmock._kms.state.attached_policies import policy_holder
from pytest_kmsmock._testing.audit.encryption_contexts import encryption_context

if TYPE_CHECKING:
    from pytest_kmsmock._kms.call.operation import Target
    from pytest_kmsmock._kms.engine.call_record import CallRecord
    from pytest_kmsmock._kms.state.state import State

#: The AWS Encryption SDK adds a new public key with this name to the encryption context of each message.
#: Source: https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/concepts.html#encryption-context
_NEW_IN_EVERY_MESSAGE = "aws-crypto-public-key"

#: Pairs of condition key and value that must all match, in order.
Conditions = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, order=True)
class Permission:
    """One permission that a call needed.

    Attributes:
        principal: the ARN of a user, a role (also for its sessions) or a root user, or the name of an AWS service.
        action: such as `kms:ReEncryptFrom`.
        resource: the Resource of an IAM policy: the ARN of a key or an alias, or `*`.
        key: the ARN of the key whose key policy applies, or of its alias if that identifies the key; empty without a
            key.
        alias: the alias that identifies the key; empty if its ARN does, or without a key.
        account: the account that owns the key; empty without a key.
        context: the encryption context, in order.
        request: further condition keys of the request with their values, in order: the AWS service that calls for the
            principal, or the resource for which a service calls.
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
    """Return the permissions that calls needed which policies allowed, whether they succeeded or not.

    Args:
        calls: the calls, oldest first.
        aliases: key ARN -> the aliases that it had before the calls. If given, aliases identify keys, and keys that the
            calls created become any key, since a policy cannot know their ids beforehand. If None, ARNs identify keys.
    """
    names = _Names(aliases) if aliases is not None else None
    granted: set[tuple[str, str]] = set()
    found: set[Permission] = set()
    for record in calls:
        if record.authorized:
            needed = (target for target in record.targets if not _is_open(record, target, granted))
            found |= {_permission(record, target, names) for target in needed}
        if record.operation == "CreateGrant" and record.via is not None and not record.refused:
            granted |= {(record.params["GranteePrincipal"], key.arn) for key in record.keys}
        if names is not None and not record.refused:
            names.learn(record)
    return found


def aliases_before(state: State, calls: Iterable[CallRecord]) -> dict[str, list[str]]:
    """Return the aliases that keys had before some calls, by key ARN.

    Args:
        state: the state after the calls.
        calls: the calls; those that created or changed an alias count. An alias that existed before and was deleted
            since is not found.
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
    """The aliases and keys that exist at each point of a list of calls."""

    def __init__(self, aliases: Mapping[str, Iterable[str]]) -> None:
        self._aliases = {arn: list(names) for arn, names in aliases.items()}
        self._created: set[str] = set()

    @staticmethod
    def context(context: Conditions) -> Conditions:
        """Return an encryption context without values that are new in every message."""
        return tuple(pair for pair in context if pair[0] != _NEW_IN_EVERY_MESSAGE)

    def of(self, target: Target) -> tuple[str, bool]:
        """Return the alias that identifies a key, empty if it has none, and whether the calls created the key."""
        assert target.key is not None
        known = self._aliases.get(target.key.arn, ())
        alias = target.alias if target.alias is not None else next(iter(known), "")
        return alias, target.key.arn in self._created

    def learn(self, record: CallRecord) -> None:
        """Record the keys and aliases that a successful call created or changed."""
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
        # The id of a new key is not known beforehand; a replica has that of its primary key.
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


def _is_open(record: CallRecord, target: Target, granted: Collection[tuple[str, str]]) -> bool:
    """Say whether no policy is needed: AWS managed keys allow everyone who calls through their service, or by a grant.

    Args:
        record: the call.
        target: one of its targets.
        granted: grantees and keys of the grants that services have created.
    """
    if target.key is None:
        return False
    if record.via is not None and target.key.manager == "AWS":
        return True
    names = (record.caller.arn, policy_holder(record.caller.principal))
    return any((name, target.key.arn) in granted for name in names)


#: Values of encryption contexts of AWS services that differ for each resource -> the pattern to require instead.
#: None requires nothing.
_GENERAL: Mapping[str, Callable[[str], str] | None] = {
    "aws:s3:arn": lambda arn: f"{arn.partition('/')[0]}/*" if "/" in arn else arn,
    "SecretVersionId": None,
    "aws:ebs:id": None,
    "aws:elasticfilesystem:filesystem:id": None,
    "aws:rds:db-id": None,
    "aws:redshift:createtime": None,
}


def _in_general(record: CallRecord, context: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield what to require of an encryption context: of a service's, what all its resources have in common."""
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
