"""`dump` and `load`: the whole state of a fake KMS as one JSON document.

What is in a dump follows from the attributes of `_kms.state.state` and their types; how a record is written is in
`codec`. A document carries a digest of itself, so that one that was damaged or changed is refused where it is loaded,
and not found out far from the cause; states by hand are for seeds. It is read as a whole before anything changes.
"""

from __future__ import annotations

import errno
import hashlib
import heapq
import json
import os
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from pytest_kmsmock._kms.engine.fake_kms import FakeKms
from pytest_kmsmock._kms.state.clock import Clock
from pytest_kmsmock._kms.state.state import Region, SortedNames, State
from pytest_kmsmock.errors import InvalidDump

from .codec import Misfit, decode, decode_attributes, encode_attributes

FORMAT = "pytest-kmsmock"
VERSION = 2
#: Documents of this version have no digest; they are read all the same.
_WITHOUT_DIGEST = 1

_SEED = "This looks like a seed file, which kms_mock.seed({path!r}) or the option seed={path!r} reads"

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
        document = {
            "format": FORMAT,
            "version": VERSION,
            "time": service.clock.now().isoformat(),
            "frozen": service.clock.frozen,
            "regions": [encode_attributes(region, skip=_DERIVED) for region in regions],
            **encode_attributes(state, skip=_HISTORY),
        }
    return document | {"digest": _digest(document)}


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
        raise InvalidDump(f"the dump is damaged: {misfit}") from None
    except RecursionError:
        raise InvalidDump("the dump is damaged: it is nested too deeply") from None
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
    for region in state.regions():
        _put_in_order(region)
    return state, when, frozen


def write(document: Mapping[str, Any], path: str | os.PathLike[str], indent: int | None = 1) -> None:
    """Write a dump to a file, as a whole or not at all. Only its owner may read it: it holds secret key material.

    Args:
        document: what `dump` gave.
        path: the file. It is replaced in one step when all is on the disk, so that a reader or a crash meets the old
            file or the new one; several writers do not meet each other's unfinished files.
        indent: spaces by which parts are set off; None for all on one line, which takes a quarter of the time.

    Raises:
        OSError: it cannot be written. What was there is there still.
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "The directory does not exist", str(target.parent))
    number, unfinished = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(json.dumps(document, indent=indent) + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(unfinished).replace(target)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise


def read(path: str | os.PathLike[str]) -> object:
    """Read a dump from a file.

    Args:
        path: the file; of whatever is no path of a file, the error says what is needed.

    Raises:
        InvalidDump: the file cannot be read, or is no JSON.
    """
    if not isinstance(path, str | os.PathLike):
        raise InvalidDump(f"load() takes what dump() gave, or the path of a file that it wrote, not {path!r}")
    if os.fspath(path).lower().endswith((".yaml", ".yml")):
        raise InvalidDump(f"{path}: a dump is JSON, which dump() wrote. {_SEED.format(path=os.fspath(path))}")
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise InvalidDump(f"{path}:{error.lineno}: invalid or incomplete JSON: {error.msg}") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise InvalidDump(f"{path}:{line}: invalid UTF-8: {error.reason}") from None
    except RecursionError:
        raise InvalidDump(f"{path}: not a dump: it is nested too deeply") from None
    except (OSError, ValueError) as error:  # a number too long for Python, a path with a null byte
        raise InvalidDump(f"{path}: cannot be read: {error}") from None


def _checked_header(document: object) -> Mapping[str, Any]:
    if not isinstance(document, Mapping) or document.get("format") != FORMAT:
        hint = f". {_SEED.format(path='keys.json')}" if isinstance(document, Mapping) and "keys" in document else ""
        raise InvalidDump(f'this is not a dump of a mock: it has no "format": "{FORMAT}"{hint}')
    version = document.get("version")
    if type(version) is not int or version not in (_WITHOUT_DIGEST, VERSION):  # True is 1 to Python
        raise InvalidDump(f"the dump is of version {version!r}; this release of pytest-kmsmock reads version {VERSION}")
    content = {name: value for name, value in document.items() if name != "digest"}
    if version == VERSION and document.get("digest") != _digest(content):
        raise InvalidDump(
            "the dump is damaged, or was changed after it was written: its digest does not match. "
            "To write a state by hand, write a seed file"
        )
    return {name: value for name, value in content.items() if name not in ("format", "version")}


def _digest(document: Mapping[str, Any]) -> str:
    """Return the digest of a document without its own; whitespace and order of a file do not count.

    Raises:
        InvalidDump: the document is not what JSON has.
    """
    try:
        text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidDump(f"the dump is damaged: {error}") from None
    return hashlib.sha256(text.encode()).hexdigest()


def _read_region(state: State, entry: object, where: str) -> None:
    given = decode(entry, dict[str, Any], where)
    account, name = (decode(given.get(part), str, f"{where}.{part}") for part in ("account", "name"))
    decode_attributes(state.region(account, name), given, where, skip=_DERIVED)


def _put_in_order(region: Region) -> None:
    """Work out what follows from the keys, aliases and grants of a Region."""
    region.key_ids = SortedNames(sorted(region.keys))
    aliases, region.aliases = region.aliases, {}
    for alias in aliases.values():
        region.put_alias(alias)
    grants, region.grants = region.grants, {}
    for grant in (grant for of_key in grants.values() for grant in of_key.values()):
        region.put_grant(grant)


def _set(clock: Clock, when: datetime, *, frozen: bool) -> None:
    if frozen:
        clock.freeze(when)
    else:
        clock.unfreeze()
        clock.move_to(when)
