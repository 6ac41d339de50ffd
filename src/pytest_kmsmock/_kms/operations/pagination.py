"""Pagination of lists: `Limit`, `Marker`, `NextMarker` and `Truncated`.

A marker is opaque and bound to its operation and list. As on AWS, a marker of another list and a modified marker are
invalid.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.call.operation import Call, Result

_DIGEST_BYTES = 16


def paginate(
    call: Call, entries_field: str, names: Callable[[str | None], Iterator[str]], show: Callable[[str], object | None],
    *, default: int, scope: str = "",
) -> Result:  # fmt: skip
    """Return one page of a list.

    Args:
        call: the call; `Limit` and `Marker` are read from its request.
        entries_field: the field of the response that has the entries, such as `Keys`.
        names: yields the names after a given name, in order; all names for None.
        show: returns the entry of a name; None to omit it.
        default: the number of entries per page without `Limit`.
        scope: identifies the list, for operations with several; markers are bound to it.

    Raises:
        KmsError: `InvalidMarkerException` for a marker of another list.
    """
    limit = call.params.get("Limit", default)
    bound = (call.operation.name, call.region.account, call.region.name, scope)
    marker = call.params.get("Marker")
    entries: Iterable[tuple[str, object]] = (
        (name, entry)
        for name in names(None if marker is None else _read_marker(marker, bound))
        if (entry := show(name)) is not None
    )
    page = list(itertools.islice(entries, limit + 1))
    result: Result = {entries_field: [entry for _, entry in page[:limit]], "Truncated": len(page) > limit}
    if len(page) > limit:
        result["NextMarker"] = _marker(page[limit - 1][0], bound)
    return result


def in_given_order(names: Iterable[str]) -> Callable[[str | None], Iterator[str]]:
    """Return a `names` function for a short list in a given order, whose entries are not removed between pages."""
    ordered = list(names)

    def after(name: str | None) -> Iterator[str]:
        if name is None:
            return iter(ordered)
        return iter(ordered[ordered.index(name) + 1 :] if name in ordered else ())

    return after


def _marker(last: str, bound: tuple[str, ...]) -> str:
    """Return the marker after an entry: its name, and a digest that binds it to the list."""
    digest = hashlib.blake2b("\0".join((*bound, last)).encode(), digest_size=_DIGEST_BYTES).digest()
    return base64.b64encode(digest + last.encode()).decode()


def _read_marker(marker: str, bound: tuple[str, ...]) -> str:
    try:
        last = base64.b64decode(marker)[_DIGEST_BYTES:].decode()
    except ValueError:
        raise errors.INVALID_MARKER() from None
    if marker != _marker(last, bound):
        raise errors.INVALID_MARKER()
    return last
