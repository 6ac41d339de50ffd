"""Aliases: creating, updating, deleting and listing them.

See https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html
"""

from __future__ import annotations

from collections.abc import Iterable

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.api.arns import alias_arn, parse_arn
from pytest_kmsmock._kms.call.operation import Call, Result, Target, operation
from pytest_kmsmock._kms.operations.pagination import paginate
from pytest_kmsmock._kms.operations.targets import alias, any_resource, find_key, key
from pytest_kmsmock._kms.rules.key_states import NOT_PENDING_DELETION, check_state
from pytest_kmsmock._kms.rules.managed_keys import PREFIX, add_predefined_aliases
from pytest_kmsmock._kms.state.records import Alias, Key
from pytest_kmsmock._kms.state.state import SortedNames

ALIASES_PER_KEY = 50
_ALIASES_PER_PAGE = 50
_START = "alias/"


def _new_target(call: Call) -> Iterable[Target]:
    """Find the new target key, which cannot be identified by an alias."""
    identifier = call.params["TargetKeyId"]
    arn = parse_arn(identifier)
    if identifier.startswith(_START) or (arn is not None and arn.is_alias):
        raise errors.ALIAS_OF_ALIAS()
    return key("TargetKeyId")(call)


def _old_target(call: Call) -> Iterable[Target]:
    """Find the current target key of the alias."""
    entry = call.region.aliases.get(call.params["AliasName"])
    if entry is None or entry.key_id is None:
        return ()
    found = call.region.keys[entry.key_id]
    return (Target(f"kms:{call.operation.name}", found.arn, found),)


def _alias(call: Call) -> Iterable[Target]:
    """Find the alias, and check that a customer can have one of this name."""
    name = call.params["AliasName"]
    if not name.startswith(_START) or name == _START:
        raise errors.ALIAS_PREFIX()
    if name.startswith(PREFIX):
        raise errors.NOT_AUTHORIZED()
    if ":" in name:
        raise errors.ALIAS_CHARACTERS(alias=name)
    return alias()(call)


@operation("CreateAlias", targets=[_alias, _new_target], states=NOT_PENDING_DELETION, customer_managed=True)
def create_alias(call: Call) -> Result:
    """Create an alias of a key.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html
    """
    name = call.params["AliasName"]
    if name in call.region.aliases:
        raise errors.ALIAS_EXISTS(arn=_arn(call, name))
    _check_quota(call, call.key)
    call.region.put_alias(Alias(name, call.key.id, call.now, call.now))
    return {}


@operation("UpdateAlias", targets=[_alias, _old_target, _new_target], customer_managed=True)
def update_alias(call: Call) -> Result:
    """Associate an alias with another key of the same type and usage.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateAlias.html
    """
    entry = _existing(call)
    new = call.target("TargetKeyId").key
    assert new is not None
    check_state(new, NOT_PENDING_DELETION, call.state)  # the old key may be pending deletion
    if entry.key_id is not None and entry.key_id != new.id:
        _check_same_kind(entry.name, call.region.keys[entry.key_id], new)
        _check_quota(call, new)
    call.region.put_alias(entry._replace(key_id=new.id, updated=call.now))
    return {}


@operation("DeleteAlias", targets=[_alias, _old_target])
def delete_alias(call: Call) -> Result:
    """Delete an alias.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_DeleteAlias.html
    """
    call.region.remove_alias(_existing(call).name)
    return {}


@operation("ListAliases", targets=[any_resource()])
def list_aliases(call: Call) -> Result:
    """List the aliases of the account in the Region, or those of one key.

    Only IAM policies allow it; the policy of the key in the request does not matter.
    See https://docs.aws.amazon.com/kms/latest/APIReference/API_ListAliases.html
    """
    region = call.region
    if "KeyId" in call.params:
        scope = _own_key(call).id
        names = SortedNames(sorted(region.aliases_of.get(scope, ()))).after
    else:
        add_predefined_aliases(region)
        scope, names = "", region.alias_names.after
    return paginate(
        call, "Aliases", names, lambda name: _show(call, region.aliases[name]),
        default=_ALIASES_PER_PAGE, scope=scope,
    )  # fmt: skip


def _own_key(call: Call) -> Key:
    found = find_key(call, call.params["KeyId"], "kms:ListAliases", aliases=False).key
    assert found is not None
    if found.account != call.caller.account:
        raise errors.KEY_NOT_FOUND(arn=found.arn)
    return found


def _show(call: Call, entry: Alias) -> dict[str, object]:
    shown: dict[str, object] = {"AliasName": entry.name, "AliasArn": _arn(call, entry.name)}
    if entry.key_id is not None:
        shown |= {
            "TargetKeyId": entry.key_id,
            "CreationDate": entry.created,
            "LastUpdatedDate": entry.updated,
        }
    return shown


def _existing(call: Call) -> Alias:
    name = call.params["AliasName"]
    entry = call.region.aliases.get(name)
    if entry is None:
        raise errors.ALIAS_NOT_FOUND(arn=_arn(call, name))
    return entry


def _check_same_kind(name: str, old: Key, new: Key) -> None:
    for what, before, after in (
        ("key type", old.spec.key_type, new.spec.key_type),
        ("key usage", old.usage, new.usage),
    ):
        if before != after:
            raise errors.ALIAS_CHANGES_USAGE(alias=name, what=what, old=before, new=after)


def _check_quota(call: Call, target: Key) -> None:
    used = len(call.region.aliases_of.get(target.id, ()))
    if used >= ALIASES_PER_KEY:
        raise errors.ALIAS_QUOTA(quota=ALIASES_PER_KEY, used=used)


def _arn(call: Call, name: str) -> str:
    return alias_arn(call.region.name, call.region.account, name)
