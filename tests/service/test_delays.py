"""How long passing states last: what a test can set."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime, timedelta, timezone

import pytest

from pytest_kmsmock.handle import KmsMock
from pytest_kmsmock.service.delays import LONGEST, Delays

START = datetime(2030, 1, 1, tzinfo=timezone.utc)


@pytest.mark.parametrize("duration", [0, 1.5, 3600, timedelta(minutes=20), LONGEST])
def test_seconds_and_timedeltas(duration: float | timedelta) -> None:
    delays = Delays(creating=duration)
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else duration
    assert Delays.end(START, delays.creating) == START + timedelta(seconds=seconds)


@pytest.mark.parametrize("name", [field.name for field in fields(Delays)])
def test_nothing_else_is_a_duration(name: str) -> None:
    delays = Delays()
    for wrong in ("5", None, True):
        with pytest.raises(TypeError, match=f"{name}: expected seconds or a timedelta, got {wrong!r}"):
            setattr(delays, name, wrong)
    for wrong in (-1, timedelta(days=-1), timedelta.max, float("inf"), float("nan")):
        with pytest.raises(ValueError, match=f"{name}: expected from no time to 3650 days, got"):
            setattr(delays, name, wrong)
    assert getattr(delays, name) == 0


def test_there_are_no_other_delays(kms_mock: KmsMock) -> None:
    with pytest.raises(AttributeError):
        kms_mock.delays.conecting = 5  # type: ignore[attr-defined]  # the typing error is what is tested
    with pytest.raises(TypeError, match="authorization: expected seconds"):
        kms_mock.eventual_consistency = "soon"  # type: ignore[assignment]  # so here
