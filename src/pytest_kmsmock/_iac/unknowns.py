"""What was not understood in files: joined by its cause, and kept for the end of a test run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pytest_kmsmock.errors import InvalidSeed

from .model import Place, Unknown

#: In the order in which it was met; each entry once, however many tests begin with its file.
_met: dict[str, None] = {}


def by_cause(unknowns: Iterable[Unknown]) -> list[Unknown]:
    """Return each unknown once: first parameters without a value, each with the resources that use it; then others."""
    causes: dict[Place, list[Unknown]] = {}
    others: dict[Unknown, None] = {}
    for unknown in unknowns:
        if unknown.cause is None:
            others[unknown] = None
        else:
            causes.setdefault(unknown.cause, []).append(unknown)
    return [*(_joined(cause, found) for cause, found in causes.items()), *others]


def _joined(cause: Place, unknowns: Sequence[Unknown]) -> Unknown:
    users: dict[tuple[str, str], Place] = {}
    for place, *_ in unknowns:
        users.setdefault((place.file, place.resource), place)
    names = (
        f"{place.resource} (line {place.line})" if place.file == cause.file else str(place)
        for place in users.values()
    )  # fmt: skip
    reason = f"{unknowns[0].reason}; used by {', '.join(names)}"
    return Unknown(cause, reason, any(unknown.decides for unknown in unknowns), cause, tuple(users.values()))


def check_strict(unknowns: Iterable[Unknown]) -> None:
    """Check that everything that decides about KMS is understood.

    Raises:
        InvalidSeed: with all that is not.
    """
    grave = [f"\n  {unknown}" for unknown in unknowns if unknown.decides]
    if grave:
        raise InvalidSeed(f"Not understood, and the deployment is strict (strict=True, seed_strict):{''.join(grave)}")


def explained(error: InvalidSeed, unknowns: Iterable[Unknown]) -> InvalidSeed:
    """Return an error with what was not understood: parameters without a value that its resource uses come first."""
    grave = [unknown for unknown in unknowns if unknown.decides]
    causes = [unknown for unknown in grave if any(f", {user.resource}: " in str(error) for user in unknown.users)]
    others = [f"\n  {unknown}" for unknown in grave if unknown not in causes]
    return InvalidSeed(
        "".join(f"{cause}\n" for cause in causes)
        + ("With placeholders, " if causes else "")
        + str(error)
        + (f"\nNot understood, which may be the reason:{''.join(others)}" if others else "")
    )


def tell(unknowns: Iterable[Unknown]) -> None:
    """Remember what was not understood."""
    _met.update(dict.fromkeys(map(str, unknowns)))


def take() -> list[str]:
    """Return all that was met, and forget it."""
    found = list(_met)
    _met.clear()
    return found
