"""The mock's clock."""

from __future__ import annotations

import time
from copy import copy as copy_of
from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_kmsmock._kms.state.clock import EARLIEST, LATEST, Clock
from pytest_kmsmock._mock.kms_mock import KmsMock

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


def test_a_copied_clock_is_independent(machine):
    clock = Clock()
    clock.move_to(MOMENT)
    copy = copy_of(clock)
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


@pytest.mark.parametrize("step", [30, 1.5, "30 days"])
def test_a_step_needs_a_unit(step: object):
    with pytest.raises(TypeError, match=r"takes a timedelta or its keyword arguments, such as advance\(days=30\); got"):
        Clock().advance(step)  # this is what is tested


@pytest.mark.parametrize(
    ("units", "got"),
    [
        ({}, "nothing"),
        ({"day": 30}, "day=30"),
        ({"days": "30"}, "days='30'"),
        ({"days": None}, "days=None"),
        ({"days": True}, "days=True"),
        ({"days": float("nan")}, "days=nan"),
        ({"years": 1, "days": 1, "hours": "1"}, "years=1, hours='1'"),
    ],
)
def test_a_unit_is_one_and_has_a_number(units: dict[str, float], got: str):
    clock = Clock()
    before = clock.freeze()
    with pytest.raises(TypeError, match=rf"keyword arguments, such as advance\(days=30\); got {got}\.$"):
        clock.advance(**units)
    assert clock.now() == before


@pytest.mark.parametrize("when", [date(2030, 1, 1), 5, 1.5, None, timedelta(days=1)])
def test_a_time_is_a_datetime_or_a_string(when: object):
    with pytest.raises(
        TypeError, match=r"Expected a datetime such as .*, or a string such as '2030-01-01'; got .*advance"
    ):
        Clock().move_to(when)  # this is what is tested


def test_a_time_string_is_in_iso_8601():
    with pytest.raises(ValueError, match="Expected an ISO 8601 string such as '2030-01-01T12:00:00Z', got 'tomorrow'"):
        Clock().freeze("tomorrow")


@pytest.mark.parametrize("when", ["9000-01-02", "9999-12-31T23:59:59-12:00", "1969-12-31", "0001-01-01T00:00:00+12:00"])
def test_a_clock_stays_in_the_range_of_dates_of_aws(machine, when):
    clock = Clock()
    before = clock.now()
    with pytest.raises(ValueError, match="The clock moves from 1970-01-01 to 9000-01-01; got"):
        clock.move_to(when)
    with pytest.raises(ValueError, match="The clock moves from"):
        clock.freeze(when)
    assert not clock.frozen
    assert clock.now() == before


@pytest.mark.parametrize("step", [{"days": 10**9}, {"days": 10**6 * 4}, {"weeks": 10**12}])
def test_a_step_stays_in_range_too(machine, step):
    clock = Clock()
    before = clock.now()
    with pytest.raises(ValueError, match="9000-01-01"):
        clock.advance(**step)
    assert clock.now() == before


@pytest.mark.parametrize("end", [pytest.param(EARLIEST, id="1970"), pytest.param(LATEST, id="9000")])
def test_kms_works_at_both_ends_of_time(kms_mock: KmsMock, end: datetime):
    kms_mock.clock.freeze(end)
    client = kms_mock.client()
    key = client.create_key()["KeyMetadata"]
    assert key["CreationDate"] == end
    client.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=2560)
    assert client.get_key_rotation_status(KeyId=key["KeyId"])["NextRotationDate"] == end + timedelta(days=2560)
    assert client.schedule_key_deletion(KeyId=key["KeyId"])["DeletionDate"] == end + timedelta(days=30)
    assert client.get_parameters_for_import(
        KeyId=client.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"],
        WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048",
    )["ParametersValidTo"] == end + timedelta(hours=24)  # fmt: skip
