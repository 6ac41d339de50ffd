"""Finders of a call's targets: key ids, key ARNs, alias names and alias ARNs in requests.

Functions that return a `Finder` are for an operation's `targets`. Source of the rules: Developer Guide, "Key
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
from pytest_kmsmock._kms.rules.managed_keys import managed_key_of_alias


def key(parameter: str = "KeyId", *, aliases: bool = False, permission: str | None = None) -> Finder:
    """Return a finder of the key that a request parameter identifies.

    Args:
        parameter: the request parameter.
        aliases: whether the operation accepts alias names and alias ARNs.
        permission: the IAM action, by default that of the operation.
    """

    def find(call: Call) -> Iterable[Target]:
        action = permission or f"kms:{call.operation.name}"
        return (find_key(call, call.params[parameter], action, aliases=aliases, parameter=parameter),)

    return find


def alias(parameter: str = "AliasName") -> Finder:
    """Return a finder of the alias in a request parameter, which need not exist."""

    def find(call: Call) -> Iterable[Target]:
        name = call.params[parameter]
        arn = alias_arn(call.region.name, call.region.account, name)
        return (Target(f"kms:{call.operation.name}", arn, parameter=parameter),)

    return find


def any_resource() -> Finder:
    """Return a finder for a permission on `*`, which only IAM policies can allow."""

    def find(call: Call) -> Iterable[Target]:
        return (Target(f"kms:{call.operation.name}", "*"),)

    return find


def tagged_key(call: Call) -> Iterable[Target]:
    """Find the permission to tag a key that the call creates, which only IAM policies can allow.

    See https://docs.aws.amazon.com/kms/latest/developerguide/tag-permissions.html
    """
    if not call.params.get("Tags"):
        return ()
    arn = placeholder_key_arn(call.region.name, call.region.account, multi_region=bool(call.params.get("MultiRegion")))
    return (Target("kms:TagResource", arn, creates_key=True),)


def find_key(call: Call, identifier: str, permission: str, *, aliases: bool, parameter: str | None = None) -> Target:
    """Return the key of a key identifier.

    Raises:
        KmsError: `NotFoundException` or `InvalidArnException`; `AccessDeniedException` for a nonexistent key of another
            account, since AWS does not disclose whether it exists.
    """
    region = call.region
    found = region.keys.get(identifier)
    if found is not None:
        return Target(permission, found.arn, found, parameter=parameter)
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
        return find(call, arn.account, arn.name, permission, parameter)
    if identifier.startswith("alias/"):
        if not aliases:
            raise errors.ALIASES_NOT_SUPPORTED()
        return _by_alias(call, region.account, identifier, permission, parameter)
    raise errors.INVALID_KEY_ID(key_id=identifier)


def _malformed(call: Call, arn: str) -> errors.KmsError:
    """Return the error for a malformed ARN; only some operations have InvalidArnException."""
    template = errors.INVALID_ARN
    modelled = template.code in modelled_errors(call.operation.name)
    return template(arn=arn) if modelled else errors.ARN_NOT_FOUND(arn=arn)


def _by_arn(call: Call, account: str, key_id: str, permission: str, parameter: str | None) -> Target:
    region = call.state.region(account, call.region.name)
    found = region.keys.get(key_id)
    if found is None:
        if not KEY_ID_ANY_CASE.fullmatch(key_id):
            raise errors.INVALID_KEY_ID_IN_ARN(key_id=key_id)
        if account != call.caller.account:
            raise errors.KEY_NOT_VISIBLE(caller=call.caller.arn, action=permission)
        raise errors.KEY_NOT_FOUND(arn=key_arn(region.name, account, key_id))
    return Target(permission, found.arn, found, parameter=parameter)


def _by_alias(call: Call, account: str, name: str, permission: str, parameter: str | None) -> Target:
    region = call.state.region(account, call.region.name)
    found = alias_target(call, region, name) or managed_key_of_alias(call, region, name)
    if found is None:
        if account != call.caller.account:
            raise errors.KEY_NOT_VISIBLE(caller=call.caller.arn, action=permission)
        raise errors.ALIAS_NOT_FOUND(arn=alias_arn(region.name, account, name))
    return Target(permission, found.arn, found, alias=name, parameter=parameter)
