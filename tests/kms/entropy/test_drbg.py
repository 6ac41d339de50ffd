"""Deterministic random bytes."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from pytest_kmsmock._kms.entropy.drbg import Drbg

NAMES = st.lists(st.text(max_size=5), max_size=3).map(tuple)


def test_a_stream_is_a_function_of_its_names() -> None:
    # Written down, so that a change of the stream (which breaks users' stored snapshots) does not go unnoticed.
    assert Drbg("function", "0")(8).hex() == Drbg("function", "0")(8).hex() == "af6562e1c3a58452"


@given(first=NAMES, second=NAMES)
def test_streams_of_other_names_are_other_streams(first: tuple[str, ...], second: tuple[str, ...]) -> None:
    assert (Drbg(*first)(16) == Drbg(*second)(16)) is (first == second)


def test_a_stream_does_not_repeat_itself() -> None:
    stream = Drbg("x")
    assert len({stream(16) for _ in range(1000)}) == 1000


def test_lengths_are_as_asked_for() -> None:
    assert [len(Drbg("x")(length)) for length in (0, 1, 31, 1024)] == [0, 1, 31, 1024]


def test_a_child_stream_is_independent_of_the_parent_position() -> None:
    fresh, used = Drbg("x"), Drbg("x")
    used(100)
    assert fresh.child("y")(16) == used.child("y")(16) == Drbg("x", "y")(16)
    assert repr(used.child("y")) == "Drbg('x', 'y')"


def test_threads_never_get_the_same_bytes() -> None:
    stream, drawn = Drbg("x"), []
    threads = [threading.Thread(target=lambda: drawn.extend(stream(16) for _ in range(200))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(drawn)) == 800
