"""AWS managed keys: the predefined aliases `alias/aws/...`, and their keys, which are created on first use.

`managed_key_table` has the keys of the services, and is imported on first use. Source: Developer Guide, "AWS managed
keys" (https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-key).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kmsmock._kms.state.records import Alias, Key
from pytest_kmsmock._kms.state.state import Region
from pytest_kmsmock.errors import InvalidOption

from .key_factory import make_key

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_kmsmock._kms.call.operation import Call
    from pytest_kmsmock._kms.state.backend import Backend

PREFIX = "alias/aws/"


def predefined_aliases() -> list[str]:
    """Return the sorted names of the aliases that ListAliases has before their keys exist.

    Recorded: cloud-custodian, `test_kms_access_denied` (2021), `test_cross_account_kms_condition_keys_1` (2022).
    """
    from .managed_key_table import MANAGED_KEYS

    return [PREFIX + service for service, key in MANAGED_KEYS.items() if key.listed]


def add_predefined_aliases(region: Region) -> None:
    """Add predefined aliases without a key to the Region's aliases."""
    for name in predefined_aliases():
        if name not in region.aliases:
            region.put_alias(Alias(name, None, None, None))


def managed_key_of_alias(call: Call, region: Region, name: str) -> Key | None:
    """Return the AWS managed key of an alias, created on first use.

    None for other aliases, and for aliases of another account.
    """
    if not name.startswith(PREFIX) or region.account != call.caller.account:
        return None
    from .managed_key_table import MANAGED_KEYS

    service = name.removeprefix(PREFIX)
    return _create(call.service, region, call.now, service) if service in MANAGED_KEYS else None


def managed_key(backend: Backend, region: Region, service: str) -> Key:
    """Return the AWS managed key of a service in a Region, created on first use.

    Args:
        backend: the fake KMS.
        region: the Region of the key.
        service: the service as in the alias name, such as `s3` for `alias/aws/s3`.

    Raises:
        InvalidOption: for a service without an AWS managed key.
    """
    from .managed_key_table import MANAGED_KEYS

    if not isinstance(service, str) or service not in MANAGED_KEYS:
        raise InvalidOption(f"AWS has no alias {PREFIX}{service}. The services are: {', '.join(MANAGED_KEYS)}.")
    entry = region.aliases.get(PREFIX + service)
    if entry is not None and entry.key_id is not None:
        return region.keys[entry.key_id]
    return _create(backend, region, backend.clock.now(), service)


def _create(backend: Backend, region: Region, now: datetime, service: str) -> Key:
    from .managed_key_table import MANAGED_KEYS, key_policy

    key = make_key(
        backend, region, now,
        policy=key_policy(service, region.account, region.name), manager="AWS",
        description=f"Default key that protects my {MANAGED_KEYS[service].protects} when no other key is defined",
    )  # fmt: skip
    region.put_alias(Alias(PREFIX + service, key.id, now, now))
    return key
