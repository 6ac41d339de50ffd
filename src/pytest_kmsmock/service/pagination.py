"""Pages of a list: `Limit` and `Marker` in, `NextMarker` and `Truncated` out.

A marker is opaque to the caller and bound to its operation and to what was listed: a marker of another list is
refused, as AWS refuses it.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import json
from collections.abc import Callable, Iterable, Iterator

from . import errors
from .operation import Call, Result


def paginate(
    call: Call, member: str, names: Callable[[str | None], Iterator[str]], show: Callable[[str], object | None],
    *, default: int, scope: str = "",
) -> Result:  # fmt: skip
    """Return one page of a list.

    Args:
        call: the call; `Limit` and `Marker` are read from its request.
        member: the member of the answer that holds the entries, such as `Keys`.
        names: gives the names that come after a name, in order; all for None.
        show: turns a name into an entry, or None to leave it out.
        default: how many entries a page has without `Limit`.
        scope: what is listed, when an operation lists several things; a marker works for its own scope only.

    Raises:
        KmsError: `InvalidMarkerException` for a marker that this list did not give.
    """
    limit = call.get("Limit", default)
    bound = [call.operation.name, call.region.account, call.region.name, scope]
    marker = call.get("Marker")
    entries: Iterable[tuple[str, object]] = (
        (name, entry)
        for name in names(None if marker is None else _read_marker(marker, bound))
        if (entry := show(name)) is not None
    )
    page = list(itertools.islice(entries, limit + 1))
    result: Result = {member: [entry for _, entry in page[:limit]], "Truncated": len(page) > limit}
    if len(page) > limit:
        last = page[limit - 1][0]
        result["NextMarker"] = base64.b64encode(json.dumps([*bound, last]).encode()).decode()
    return result


def after_in(names: Iterable[str]) -> Callable[[str | None], Iterator[str]]:
    """Make `names` for a short list that stands in its own order."""
    ordered = list(names)

    def after(name: str | None) -> Iterator[str]:
        if name is None:
            return iter(ordered)
        return iter(ordered[ordered.index(name) + 1 :] if name in ordered else ())

    return after


def _read_marker(marker: str, bound: list[str]) -> str:
    try:
        *found, last = json.loads(base64.b64decode(marker, validate=True))
    except (binascii.Error, ValueError, TypeError):
        raise errors.INVALID_MARKER() from None
    if found != bound or not isinstance(last, str):
        raise errors.INVALID_MARKER()
    return last
