"""Delays: durations of transitional states that a test can set."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from pytest_kmsmock import mock_kms
from pytest_kmsmock._kms.state.delays import MAX_DURATION, Delays, end_of
from pytest_kmsmock._mock.kms_mock import KmsMock

START = datetime(2030, 1, 1, tzinfo=timezone.utc)


@pytest.mark.parametrize("duration", [0, 1.5, 3600, timedelta(minutes=20), MAX_DURATION])
def test_seconds_and_timedeltas(duration: float | timedelta) -> None:
    delays = Delays(creating=duration)
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else duration
    assert end_of(START, delays.creating) == START + timedelta(seconds=seconds)


@pytest.mark.parametrize("name", Delays.__annotations__)
def test_other_types_are_not_durations(name: str) -> None:
    delays = Delays()
    for wrong in ("5", None, True):
        with pytest.raises(TypeError, match=f"{name}: expected seconds or a timedelta, got {wrong!r}"):
            setattr(delays, name, wrong)
    for wrong in (-1, timedelta(days=-1), timedelta.max, float("inf"), float("nan")):
        with pytest.raises(ValueError, match=f"{name}: expected 0 to 3650 days, got"):
            setattr(delays, name, wrong)
    assert getattr(delays, name) == 0


def test_there_are_no_other_delays(kms_mock: KmsMock) -> None:
    with pytest.raises(AttributeError):
        kms_mock.delays.conecting = 5  # type: ignore[attr-defined]  # a mistyped name is what is tested


def test_an_invalid_duration_is_reported_with_its_name(kms_mock: KmsMock) -> None:
    with pytest.raises(TypeError, match=r"^eventual_consistency: expected seconds"):
        kms_mock.delays.eventual_consistency = "5"  # what is tested
    with pytest.raises(ValueError, match=r"^eventual_consistency: expected 0 to"):
        kms_mock.delays.eventual_consistency = -1
    with pytest.raises(TypeError, match=r"^eventual_consistency: expected seconds"):
        Delays(eventual_consistency="5")
    assert kms_mock.delays.eventual_consistency == 0


def test_nested_mocks_have_the_delays_of_the_outer_one_and_keep_their_own(kms_mock: KmsMock) -> None:
    kms_mock.delays.creating = 5
    with mock_kms() as inner:
        assert repr(inner.delays) == "Delays(creating=5)"
        inner.delays.creating, inner.delays.updating = 6, timedelta(seconds=7)
    assert (kms_mock.delays.creating, kms_mock.delays.updating) == (5, 0)
