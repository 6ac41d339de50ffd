"""`mock_kms(deterministic=True)`: the random stream and the clock of a deterministic mock.

`_kms.entropy.drbg` generates the bytes. A mock's stream depends only on how the mock was created: not on earlier tests,
not on what the mock around it has drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

from pytest_kmsmock._kms.entropy.drbg import Drbg

#: The time of a deterministic mock until the test moves its clock.
START = datetime(2026, 1, 1, tzinfo=timezone.utc)


def stream(place: str, around: Sequence[str]) -> Drbg:
    """Return the stream of a new mock.

    Mocks that are created in the same way get the same bytes, except if one is nested in the other: it shares the keys
    of the outer mock, so its own ids must differ. A session's mock around a test's mock changes nothing, since the two
    are created in different ways.

    Args:
        place: how the mock is created: `mock_kms`, or the scope of its fixture.
        around: how the mocks whose state it inherits were created, innermost first.
    """
    return Drbg(place, str(around.count(place)))
