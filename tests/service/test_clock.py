"""The mock's clock."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_kmsmock.service.clock import Clock

MOMENT = datetime(2024, 2, 29, 12, 0, 0, 123_000, timezone.utc)
MILLISECONDS = st.integers(0, 4_000_000_000_000)


@pytest.fixture
def machine(monkeypatch):
    """The machine's time, which a test sets."""

    class Machine:
        now = 1_700_000_000.25

    monkeypatch.setattr(time, "time", lambda: Machine.now)
    return Machine


def test_it_shows_the_time_of_the_machine(machine):
    assert Clock().now() == datetime(2023, 11, 14, 22, 13, 20, 250_000, timezone.utc)
    machine.now += 60
    assert Clock().now() == datetime(2023, 11, 14, 22, 14, 20, 250_000, timezone.utc)


def test_it_shows_whole_milliseconds(machine):
    machine.now = 1_700_000_000.1239
    assert Clock().now().microsecond == 123_000


def test_advancing(machine):
    clock = Clock()
    start = clock.now()
    assert clock.advance(days=30, hours=1) == start + timedelta(days=30, hours=1)
    assert clock.advance(timedelta(minutes=1), seconds=1) == start + timedelta(days=30, hours=1, minutes=1, seconds=1)
    machine.now += 1
    assert clock.now() == start + timedelta(days=30, hours=1, minutes=1, seconds=2)


def test_advancing_goes_forward_only():
    with pytest.raises(ValueError, match=r"advance\(\) moves forward; got -1 day, 0:00:00. Use move_to\(\)"):
        Clock().advance(days=-1)


@pytest.mark.parametrize(
    "when",
    [
        MOMENT,
        MOMENT.replace(tzinfo=None),  # taken as UTC
        "2024-02-29T12:00:00.123Z",
        "2024-02-29T12:00:00.123",
        MOMENT.astimezone(timezone(timedelta(hours=5))),
    ],
)
@pytest.mark.parametrize("frozen", [True, False])
def test_moving(machine, when, frozen):
    clock = Clock()
    if frozen:
        clock.freeze()
    assert clock.move_to(when) == MOMENT
    machine.now += 1
    assert clock.now() == MOMENT + timedelta(seconds=0 if frozen else 1)


def test_freezing(machine):
    clock = Clock()
    clock.unfreeze()  # nothing to do
    assert not clock.frozen
    stopped = clock.freeze()
    assert clock.frozen
    machine.now += 10
    assert clock.now() == stopped
    assert clock.advance(seconds=5) == stopped + timedelta(seconds=5)
    assert clock.freeze(MOMENT) == MOMENT
    assert clock.unfreeze() == MOMENT
    machine.now += 1
    assert clock.now() == MOMENT + timedelta(seconds=1)


def test_a_copy_moves_on_its_own(machine):
    clock = Clock()
    clock.move_to(MOMENT)
    copy = clock.copy()
    assert copy.now() == MOMENT
    copy.freeze()
    clock.advance(days=1)
    assert (copy.now(), clock.now()) == (MOMENT, MOMENT + timedelta(days=1))


@given(MILLISECONDS, st.booleans())
def test_every_millisecond_can_be_set(milliseconds, frozen):
    moment = datetime.fromtimestamp(0, timezone.utc) + timedelta(milliseconds=milliseconds)
    clock = Clock()
    if frozen:
        assert clock.freeze(moment) == moment
    else:
        assert moment <= clock.move_to(moment) < moment + timedelta(seconds=10)
