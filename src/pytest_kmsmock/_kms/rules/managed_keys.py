"""AWS managed keys: the predefined aliases `alias/aws/...`, and the keys that come to them on first use.

What the services' keys are like is in `managed_key_table`, which is imported when one is asked for. Source: Developer
Guide, "AWS managed keys" (https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-key).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_kmsmock._kms.state.records import Alias, Key
from pytest_kmsmock._kms.state.state import Region

from .key_factory import make_key

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_kmsmock._kms.call.operation import Call
    from pytest_kmsmock._kms.state.backend import Backend

PREFIX = "alias/aws/"


def predefined_aliases() -> list[str]:
    """Return the names of the aliases that ListAliases shows before they have a key, in order.

    Recorded: cloud-custodian, `test_kms_access_denied` (2021), `test_cross_account_kms_condition_keys_1` (2022).
    """
    from .managed_key_table import MANAGED_KEYS

    return [PREFIX + service for service, key in MANAGED_KEYS.items() if key.listed]


def show_predefined(region: Region) -> None:
    """Put the predefined aliases that have no key yet among the Region's aliases."""
    for name in predefined_aliases():
        if name not in region.aliases:
            region.put_alias(Alias(name, None, None, None))


def key_of_service_alias(call: Call, region: Region, name: str) -> Key | None:
    """Return the AWS managed key of a service's alias, made now if this is the alias's first use.

    None when there is no such service, or when the alias is another account's.
    """
    if not name.startswith(PREFIX) or region.account != call.caller.account:
        return None
    from .managed_key_table import MANAGED_KEYS

    service = name.removeprefix(PREFIX)
    return _make(call.service, region, call.now, service) if service in MANAGED_KEYS else None


def managed_key(fake: Backend, region: Region, service: str) -> Key:
    """Return the AWS managed key of a service in a Region, made now if it was never used.

    Args:
        fake: the fake KMS.
        region: where the key is.
        service: as in the alias: `s3` for `alias/aws/s3`.

    Raises:
        ValueError: for a service that has no such key.
    """
    from .managed_key_table import MANAGED_KEYS

    if not isinstance(service, str) or service not in MANAGED_KEYS:
        raise ValueError(f"AWS has no alias {PREFIX}{service}. The services are: {', '.join(MANAGED_KEYS)}.")
    entry = region.aliases.get(PREFIX + service)
    if entry is not None and entry.key_id is not None:
        return region.keys[entry.key_id]
    return _make(fake, region, fake.clock.now(), service)


def _make(fake: Backend, region: Region, now: datetime, service: str) -> Key:
    from .managed_key_table import MANAGED_KEYS, key_policy

    key = make_key(
        fake, region, now,
        policy=key_policy(service, region.account, region.name), manager="AWS",
        description=f"Default key that protects my {MANAGED_KEYS[service].protects} when no other key is defined",
    )  # fmt: skip
    region.put_alias(Alias(PREFIX + service, key.id, now, now))
    return key
