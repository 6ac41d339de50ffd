"""Pages of a list: `Limit` and `Marker` in, `NextMarker` and `Truncated` out.

A marker is opaque to the caller and bound to its operation and to what was listed: a marker of another list, or one
that was tampered with, is refused, as AWS refuses it.
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
    limit = call.params.get("Limit", default)
    bound = (call.operation.name, call.region.account, call.region.name, scope)
    marker = call.params.get("Marker")
    entries: Iterable[tuple[str, object]] = (
        (name, entry)
        for name in names(None if marker is None else _read_marker(marker, bound))
        if (entry := show(name)) is not None
    )
    page = list(itertools.islice(entries, limit + 1))
    result: Result = {member: [entry for _, entry in page[:limit]], "Truncated": len(page) > limit}
    if len(page) > limit:
        result["NextMarker"] = _marker(page[limit - 1][0], bound)
    return result


def after_in(names: Iterable[str]) -> Callable[[str | None], Iterator[str]]:
    """Make `names` for a short list that stands in its own order and loses no entries while it is read."""
    ordered = list(names)

    def after(name: str | None) -> Iterator[str]:
        if name is None:
            return iter(ordered)
        return iter(ordered[ordered.index(name) + 1 :] if name in ordered else ())

    return after


def _marker(last: str, bound: tuple[str, ...]) -> str:
    """Return the marker after an entry: a digest of it and of the list that it is bound to, and its name."""
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
