"""`mock_kms(deterministic=True)`: which stream of bytes a mock draws from, and where its clock stands.

The bytes themselves are `_kms.entropy.drbg`'s. A mock's stream depends on how the mock was made and on nothing else:
not on the tests before it, not on what was drawn in the mock around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

from pytest_kmsmock._kms.entropy.drbg import Drbg

#: Where the clock of a deterministic mock stands until the test moves it.
START = datetime(2026, 1, 1, tzinfo=timezone.utc)


def stream(place: str, around: Sequence[str]) -> Drbg:
    """Return the stream of a new mock.

    Mocks made in the same way get the same bytes, except one inside the other: it shares the outer one's keys, so its
    own ids must differ. A session's mock around a test's mock changes nothing, for they are made in different ways.

    Args:
        place: how the mock is made: `mock_kms`, or the scope of its fixture.
        around: how the mocks whose state it begins with were made, the nearest first.
    """
    return Drbg(place, str(around.count(place)))
