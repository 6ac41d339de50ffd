"""`dump` and `load`: the whole state of a fake KMS as one JSON document.

The attributes of `_kms.state.state` and their types determine its content; `codec` encodes records. A document has a
digest, so that a damaged or edited one is refused when it is loaded; seed files are for states written by hand. It is
read completely before anything changes.
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
from pytest_kmsmock._runtime.checks import unreadable
from pytest_kmsmock.errors import InvalidDump

from .codec import Misfit, decode, decode_attributes, encode_attributes

FORMAT = "pytest-kmsmock"
VERSION = 2
#: Documents of this version have no digest, and can be read.
_WITHOUT_DIGEST = 1

_SEED = "This looks like a seed file, which kms_mock.seed({path!r}) or the option seed={path!r} reads"

#: Attributes that are derived from the aliases and keys of a Region.
_DERIVED = frozenset({"key_ids", "alias_names", "aliases_of"})
#: History, like the calls: not part of the state.
_HISTORY = frozenset({"events"})


def dump(service: FakeKms) -> dict[str, Any]:
    """Return the whole state of a fake KMS in JSON types, including secret key material.

    Args:
        service: the fake KMS. Key material that was not needed so far is generated.
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
    """Replace the whole state of a fake KMS with a dump, and set its clock to the time of the dump.

    Args:
        service: the fake KMS.
        document: a document that `dump` returned.

    Raises:
        InvalidDump: not a dump, an unsupported version, or damaged; then nothing has changed.
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
    """Write a dump to a file atomically. Only its owner may read it: it has secret key material.

    Args:
        document: a document that `dump` returned.
        path: the file. It is replaced in one step, so that readers find the old file or the new one, also after a
            crash; each writer has its own temporary file. A link stays, and so does what is no regular file, such as
            `/dev/stdout`: it is written to.
        indent: the indentation in spaces; None for one line, which takes a quarter of the time.

    Raises:
        OSError: it cannot be written; an existing file is unchanged.
    """
    text = json.dumps(document, indent=indent) + "\n"
    target = Path(path)
    if target.exists() and not (target.is_file() or target.is_dir()):
        target.write_text(text, encoding="utf-8")
        return
    target = target.resolve()
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "The directory does not exist", str(target.parent))
    number, unfinished = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(unfinished).replace(target)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise


def read(path: str | os.PathLike[str]) -> object:
    """Read a dump from a file.

    Args:
        path: the file.

    Raises:
        InvalidDump: not a path, or the file cannot be read or is not JSON.
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
    except (OSError, ValueError) as error:  # ValueError: a number too long for Python, or a path with a null byte
        raise InvalidDump(unreadable(path, error)) from None


def _checked_header(document: object) -> Mapping[str, Any]:
    if not isinstance(document, Mapping) or document.get("format") != FORMAT:
        hint = f". {_SEED.format(path='keys.json')}" if isinstance(document, Mapping) and "keys" in document else ""
        raise InvalidDump(f'this is not a dump of a mock: it has no "format": "{FORMAT}"{hint}')
    version = document.get("version")
    if type(version) is not int or version not in (_WITHOUT_DIGEST, VERSION):  # True equals 1
        raise InvalidDump(f"the dump is of version {version!r}; this release of pytest-kmsmock reads version {VERSION}")
    content = {name: value for name, value in document.items() if name != "digest"}
    if version == VERSION and document.get("digest") != _digest(content):
        raise InvalidDump(
            "the dump is damaged, or was changed after it was written: its digest does not match. "
            "To write a state by hand, write a seed file"
        )
    return {name: value for name, value in content.items() if name not in ("format", "version")}


def _digest(document: Mapping[str, Any]) -> str:
    """Return the digest of a document, which must not contain it; independent of whitespace and order.

    Raises:
        InvalidDump: the document has values of other types than JSON.
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
    """Restore the indexes of the keys, aliases and grants of a Region."""
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
