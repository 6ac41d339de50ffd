"""freezegun and time-machine: the libraries that move the machine's time move the mock's clock with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta, timezone

import freezegun
import pytest
import time_machine

from pytest_kmsmock import mock_kms

START = datetime(2030, 1, 1, tzinfo=timezone.utc)
#: Moves the time on.
Travel = Callable[[timedelta], object]


@contextmanager
def by_freezegun() -> Iterator[Travel]:
    with freezegun.freeze_time("2030-01-01") as frozen:
        yield frozen.tick


@contextmanager
def by_time_machine() -> Iterator[Travel]:
    with time_machine.travel("2030-01-01T00:00Z", tick=False) as traveller:
        yield traveller.shift


LIBRARIES = pytest.mark.parametrize("library", [by_freezegun, by_time_machine])
WIRE = pytest.mark.parametrize("wire", [False, True])


@LIBRARIES
@WIRE
def test_keys_live_by_the_time_that_the_library_shows(
    library: Callable[[], AbstractContextManager[Travel]], wire: bool
) -> None:
    with mock_kms(wire=wire) as kms, library() as travel:
        client = kms.client()
        key = client.create_key()["KeyMetadata"]
        assert key["CreationDate"] == START == kms.clock.now()
        client.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=90)
        travel(timedelta(days=90))
        assert len(client.list_key_rotations(KeyId=key["KeyId"])["Rotations"]) == 1
        date = client.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)["DeletionDate"]
        assert date == START + timedelta(days=97)
        travel(timedelta(days=7))
        with pytest.raises(client.exceptions.NotFoundException):
            client.describe_key(KeyId=key["KeyId"])


@LIBRARIES
def test_the_mocks_clock_moves_on_top_of_it(library: Callable[[], AbstractContextManager[Travel]]) -> None:
    with library() as travel, mock_kms() as kms:
        assert kms.clock.advance(days=1) == START + timedelta(days=1)
        travel(timedelta(days=1))
        assert kms.clock.now() == START + timedelta(days=2)
        assert kms.clock.move_to(datetime(2031, 1, 1, tzinfo=timezone.utc)) == datetime(2031, 1, 1, tzinfo=timezone.utc)
        kms.clock.freeze()
        travel(timedelta(days=1))
        assert kms.clock.now() == datetime(2031, 1, 1, tzinfo=timezone.utc)
