"""`dump` and `load`: the whole state of a fake KMS as one JSON document.

What is in a dump follows from the attributes of `service.state` and their types; how a record is written is
`record_codec`'s. A document is read as a whole before anything changes.
"""

from __future__ import annotations

import heapq
import json
import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from ..errors import InvalidDump
from ..service.clock import Clock
from ..service.identifiers import key_arn
from ..service.service import FakeKms
from ..service.state import Region, SortedNames, State
from .record_codec import Misfit, decode, decode_attributes, encode_attributes

FORMAT = "pytest-kmsmock"
VERSION = 1

#: What follows from the aliases and keys of a Region, and is worked out again.
_DERIVED = frozenset({"key_ids", "alias_names", "aliases_of"})
#: What happened, as the calls did: no part of the state.
_HISTORY = frozenset({"events"})


def dump(service: FakeKms) -> dict[str, Any]:
    """Return the whole state of a fake KMS: everything that `json.dumps` takes, secret material too.

    Args:
        service: the fake KMS. Key material that was not needed so far is made now.
    """
    with service.lock:
        state = service.state
        regions = sorted(state.regions(), key=lambda region: (region.account, region.name))
        return {
            "format": FORMAT,
            "version": VERSION,
            "time": service.clock.now().isoformat(),
            "frozen": service.clock.frozen,
            "regions": [encode_attributes(region, skip=_DERIVED) for region in regions],
            **encode_attributes(state, skip=_HISTORY),
        }


def load(service: FakeKms, document: object) -> None:
    """Replace the whole state of a fake KMS by that of a dump, and set its clock to the time of the dump.

    Args:
        service: the fake KMS.
        document: what `dump` gave.

    Raises:
        InvalidDump: the document is no dump, or of another version, or damaged; then nothing has changed.
    """
    given = dict(_checked_header(document))
    try:
        state, when, frozen = _read(given)
    except Misfit as misfit:
        raise InvalidDump(f"the dump is damaged: {misfit}") from misfit
    with service.lock:
        state.events = service.state.events
        service.state = state
        _set(service.clock, when, frozen=frozen)


def _read(given: dict[str, Any]) -> tuple[State, datetime, bool]:
    """Return the state, the time, and whether the clock was frozen."""
    when = decode(given.pop("time", None), datetime, "time")
    frozen = decode(given.pop("frozen", None), bool, "frozen")
    regions = decode(given.pop("regions", None), list[Any], "regions")
    state = State()
    decode_attributes(state, given, "", skip=_HISTORY)
    heapq.heapify(state.timeline)
    for index, entry in enumerate(regions):
        _read_region(state, entry, f"regions[{index}]")
    return state, when, frozen


def write(document: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write a dump to a file, as a whole or not at all."""
    target = Path(path)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    unfinished.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    unfinished.replace(target)


def read(path: str | os.PathLike[str]) -> object:
    """Read a dump from a file.

    Raises:
        InvalidDump: the file cannot be read, or is no JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidDump(f"{path}: cannot be read: {error}") from error
    except json.JSONDecodeError as error:
        raise InvalidDump(f"{path}:{error.lineno}: no JSON, or not all of it: {error.msg}") from error


def _checked_header(document: object) -> Mapping[str, Any]:
    if not isinstance(document, Mapping) or document.get("format") != FORMAT:
        raise InvalidDump(f'this is no dump of a mock: it does not say "format": "{FORMAT}"')
    version = document.get("version")
    if version != VERSION:
        raise InvalidDump(f"the dump is of version {version!r}; this release of pytest-kmsmock reads version {VERSION}")
    return {name: value for name, value in document.items() if name not in ("format", "version")}


def _read_region(state: State, entry: object, where: str) -> None:
    given = decode(entry, dict[str, Any], where)
    account, name = (decode(given.get(part), str, f"{where}.{part}") for part in ("account", "name"))
    region = state.region(account, name)
    decode_attributes(region, given, where, skip=_DERIVED)
    for problem in _contradictions(region):
        raise Misfit(where, problem)
    region.key_ids = SortedNames(sorted(region.keys))
    aliases, region.aliases = region.aliases, {}
    for alias in aliases.values():
        region.put_alias(alias)
    grants, region.grants = region.grants, {}
    for grant in (grant for of_key in grants.values() for grant in of_key.values()):
        region.put_grant(grant)


def _contradictions(region: Region) -> Iterator[str]:
    """Say what does not hang together. Everything else relies on this, and would fail far from the cause."""
    for key_id, key in region.keys.items():
        if (key.id, key.account, key.region) != (key_id, region.account, region.name):
            yield f"key {key_id} stands where it does not belong"
        if key.arn != key_arn(region.name, region.account, key_id):
            yield f"key {key_id} has the ARN {key.arn}"
        if key.custom_key_store_id is not None and key.custom_key_store_id not in region.custom_key_stores:
            yield f"key {key_id} is in the custom key store {key.custom_key_store_id}, which is missing"
    for name, alias in region.aliases.items():
        if alias.name != name:
            yield f"alias {name} is called {alias.name}"
        if alias.key_id is not None and alias.key_id not in region.keys:
            yield f"alias {name} names the key {alias.key_id}, which is missing"
    for what, holders in (("grants are", region.grants), ("a last usage is", region.last_usage)):
        for key_id in holders:
            if key_id not in region.keys:
                yield f"{what} of the key {key_id}, which is missing"


def _set(clock: Clock, when: datetime, *, frozen: bool) -> None:
    if frozen:
        clock.freeze(when)
    else:
        clock.unfreeze()
        clock.move_to(when)
