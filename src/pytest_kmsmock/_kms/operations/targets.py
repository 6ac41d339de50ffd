"""Finding what a call is about: key ids, key ARNs, alias names and alias ARNs in requests.

Each function here makes a `Finder` for an operation's `targets`. Source of the rules: Developer Guide, "Key
identifiers (KeyId)" (https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id).
"""

from __future__ import annotations

from collections.abc import Iterable

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.api.arns import (
    KEY_ID_ANY_CASE,
    alias_arn,
    key_arn,
    parse_arn,
    placeholder_key_arn,
)
from pytest_kmsmock._kms.api.service_model import modelled_errors
from pytest_kmsmock._kms.call.consistency import alias_target
from pytest_kmsmock._kms.call.operation import Call, Finder, Target
from pytest_kmsmock._kms.rules.managed_keys import key_of_service_alias


def key(member: str = "KeyId", *, aliases: bool = False, permission: str | None = None) -> Finder:
    """Make a finder of the key that a request member names.

    Args:
        member: the request member.
        aliases: whether the operation takes alias names and alias ARNs.
        permission: the IAM action, by default that of the operation.
    """

    def find(call: Call) -> Iterable[Target]:
        action = permission or f"kms:{call.operation.name}"
        return (find_key(call, call.params[member], action, aliases=aliases, member=member),)

    return find


def alias(member: str = "AliasName") -> Finder:
    """Make a finder of the alias that a request member names; it need not exist."""

    def find(call: Call) -> Iterable[Target]:
        name = call.params[member]
        arn = alias_arn(call.region.name, call.region.account, name)
        return (Target(f"kms:{call.operation.name}", arn, member=member),)

    return find


def anything() -> Finder:
    """Make a finder for a permission on `*`, which only IAM policies can give."""

    def find(call: Call) -> Iterable[Target]:
        return (Target(f"kms:{call.operation.name}", "*"),)

    return find


def tagged_key(call: Call) -> Iterable[Target]:
    """Find the key that a call makes with tags: IAM policies must allow to tag it, its own policy is not there yet.

    See https://docs.aws.amazon.com/kms/latest/developerguide/tag-permissions.html
    """
    if not call.params.get("Tags"):
        return ()
    arn = placeholder_key_arn(call.region.name, call.region.account, multi_region=bool(call.params.get("MultiRegion")))
    return (Target("kms:TagResource", arn, new=True),)


def find_key(call: Call, identifier: str, permission: str, *, aliases: bool, member: str | None = None) -> Target:
    """Return the key that an identifier names.

    Raises:
        KmsError: `NotFoundException` or `InvalidArnException`; `AccessDeniedException` for another account's key that
            does not exist, since AWS does not tell who may not know.
    """
    region = call.region
    found = region.keys.get(identifier)
    if found is not None:
        return Target(permission, found.arn, found, member=member)
    if KEY_ID_ANY_CASE.fullmatch(identifier):
        raise errors.KEY_NOT_FOUND(arn=key_arn(region.name, region.account, identifier))
    if identifier.startswith("arn:"):
        arn = parse_arn(identifier)
        if arn is None:
            raise _malformed(call, identifier)
        if arn.is_alias and not aliases:
            raise errors.ALIASES_NOT_SUPPORTED()
        if arn.region != region.name:
            raise errors.ARN_OF_OTHER_REGION(region=arn.region)
        find = _by_alias if arn.is_alias else _by_arn
        return find(call, arn.account, arn.name, permission, member)
    if identifier.startswith("alias/"):
        if not aliases:
            raise errors.ALIASES_NOT_SUPPORTED()
        return _by_alias(call, region.account, identifier, permission, member)
    raise errors.INVALID_KEY_ID(key_id=identifier)


def _malformed(call: Call, arn: str) -> errors.KmsError:
    """Return the refusal of an ARN that is none of KMS; only some operations have an exception for it."""
    text = errors.INVALID_ARN
    known = text.code in modelled_errors(call.operation.name)
    return text(arn=arn) if known else errors.ARN_NOT_FOUND(arn=arn)


def _by_arn(call: Call, account: str, key_id: str, permission: str, member: str | None) -> Target:
    region = call.state.region(account, call.region.name)
    found = region.keys.get(key_id)
    if found is None:
        if not KEY_ID_ANY_CASE.fullmatch(key_id):
            raise errors.INVALID_KEY_ID_IN_ARN(key_id=key_id)
        if account != call.caller.account:
            raise errors.KEY_NOT_VISIBLE(caller=call.caller.arn, action=permission)
        raise errors.KEY_NOT_FOUND(arn=key_arn(region.name, account, key_id))
    return Target(permission, found.arn, found, member=member)


def _by_alias(call: Call, account: str, name: str, permission: str, member: str | None) -> Target:
    region = call.state.region(account, call.region.name)
    found = alias_target(call, region, name) or key_of_service_alias(call, region, name)
    if found is None:
        if account != call.caller.account:
            raise errors.KEY_NOT_VISIBLE(caller=call.caller.arn, action=permission)
        raise errors.ALIAS_NOT_FOUND(arn=alias_arn(region.name, account, name))
    return Target(permission, found.arn, found, alias=name, member=member)
