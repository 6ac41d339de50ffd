"""The encrypted data keys that services store beside the data, and those that they cache.

They belong to the mock in which they were generated; nested mocks see them. What was encrypted while no mock was active
has none: a substitute under the key that the service names takes its place, so that policies and key states apply.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from pytest_kmsmock._kms.api.arns import KEY_ID, key_arn, parse_arn
from pytest_kmsmock._kms.formats.ciphertext_blob import DATA_KEY, ENCRYPTED, seal, undecryptable
from pytest_kmsmock._kms.rules.managed_keys import PREFIX, managed_key

from .protected import DataKey

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_kmsmock._kms.engine.fake_kms import FakeKms
    from pytest_kmsmock._kms.state.records import Key
    from pytest_kmsmock._transport.gate import Gate

    from .protected import Protected

_LENGTH = 32
_NO_MATERIAL = bytes(32).hex()


_kept: MutableMapping[Gate, dict[tuple[str, ...], DataKey]] = WeakKeyDictionary()


def keep(mock: Gate, name: tuple[str, ...], data_key: DataKey) -> None:
    """Store the data key of a resource, in place of an earlier one."""
    _kept.setdefault(mock, {})[name] = data_key


def kept(mock: Gate, name: tuple[str, ...]) -> DataKey | None:
    """Return the stored data key of a resource; None if no mock that is active here has it."""
    holder: Gate | None = mock
    while holder is not None:
        found = _kept.get(holder, {}).get(name)
        if found is not None:
            return found
        holder = holder.outer
    return None


_cached: MutableMapping[Gate, dict[tuple[object, ...], tuple[datetime, DataKey]]] = WeakKeyDictionary()


def cache(mock: Gate, requester: tuple[object, ...], data_key: DataKey, until: datetime) -> None:
    """Cache the data key of a requester until a time of the mock's clock."""
    _cached.setdefault(mock, {})[requester] = (until, data_key)


def cached(mock: Gate, requester: tuple[object, ...]) -> DataKey | None:
    """Return the cached data key of a requester; None if there is none, or it has expired."""
    until, data_key = _cached.get(mock, {}).get(requester, (None, None))
    return data_key if until is not None and mock.service.clock.now() < until else None


def substitute(fake: FakeKms, protected: Protected, account: str) -> DataKey:
    """Return a data key like the one that a service would have stored, generated without a KMS call.

    Args:
        fake: the fake KMS.
        protected: the resource.
        account: the account of a bare key id or alias.
    """
    key = _find(fake, protected.key, protected.region, protected.account or account)
    context: Mapping[str, str] = protected.context
    if key is None:
        arn = parse_arn(protected.key)
        name = arn.name if arn is not None else protected.key
        key_id = name if KEY_ID.fullmatch(name) else "00000000-0000-4000-8000-000000000000"
        blob = undecryptable(key_id, _NO_MATERIAL, _LENGTH, fake.random, DATA_KEY)
        return DataKey(blob, key_arn(protected.region, protected.account or account, key_id), context)
    current = key.current
    if current is None or current.secret is None or key.spec.key_type != "symmetric" or key.custom_key_store_id:
        blob = undecryptable(key.id, _NO_MATERIAL, _LENGTH, fake.random, DATA_KEY)
    else:
        plaintext = protected.params.get("Plaintext")
        kind = ENCRYPTED if isinstance(plaintext, bytes) else DATA_KEY
        inside = plaintext if isinstance(plaintext, bytes) else fake.random(_LENGTH)
        blob = seal(current.secret.get(), key, current.id, inside, context, fake.random, kind)
    return DataKey(blob, key.arn, context)


def _find(fake: FakeKms, identifier: str, region: str, account: str) -> Key | None:
    arn = parse_arn(identifier)
    home = fake.state.region(account if arn is None else arn.account, region if arn is None else arn.region)
    name = identifier if arn is None else arn.name
    alias = home.aliases.get(name)
    if (alias is None or alias.key_id is None) and name.startswith(PREFIX):
        return home.keys[managed_key(fake, home, name.removeprefix(PREFIX)).id]
    return home.keys.get(name if alias is None or alias.key_id is None else alias.key_id)
