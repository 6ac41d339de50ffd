"""Single calls, beside botocore answered by constants: in a loop, by wire, and cold."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

from subjects import CALLS, SUBJECTS, calls_of, constant, new_client
from tables import Row, Table
from timing import Effort, timed

from pytest_kmsmock import mock_kms

#: Figures of each round, and the calls in a row that each is the mean of; moto's take longer.
_FIGURES, _COUNT, _MOTO_COUNT = 4, 10, 3


def tables(effort: Effort) -> Iterator[Table]:
    """Measure calls in a loop, by default and by wire, and in bursts."""
    default, wire = [], []
    for operation, seconds in _in_a_loop(effort.rounds).items():
        floor, own, by_wire, theirs = (seconds[name] for name in ("constant", "ours", "ours by wire", "moto"))
        figures = (f"{floor * 1e6:.0f}", f"{own * 1e6:.0f}", f"{own / floor:.2f}", f"{theirs / own:.1f}")
        met = own <= 0.5 * floor and theirs >= 4 * own
        default.append(Row(operation, figures, "≤ 0.5, ≥ 4", met))
        figures = (f"{floor * 1e6:.0f}", f"{by_wire * 1e6:.0f}", f"{by_wire / floor:.2f}", f"{theirs / floor:.2f}")
        wire.append(Row(operation, figures, "≤ 1.2", by_wire <= 1.2 * floor))
    yield Table("Calls", ("constant µs", "ours µs", "ours / constant", "moto / ours"), default)
    yield Table("Calls by wire", ("constant µs", "ours µs", "ours / constant", "moto / constant"), wire)
    heads = ("constant µs", "ours µs", "ours / constant", "of the first call")
    yield Table("Cold calls", heads, list(_cold_rows(effort.bursts)))


def _in_a_loop(rounds: int) -> dict[str, dict[str, float]]:
    """Return the seconds of each call by subject."""
    found: dict[str, dict[str, float]] = {}
    for _ in range(rounds):
        for name, subject in SUBJECTS.items():
            with subject() as client:
                for operation, call in calls_of(client).items():
                    call()
                    count = _MOTO_COUNT if name == "moto" else _COUNT
                    seconds = min(timed(call, count) for _ in range(_FIGURES))
                    best = found.setdefault(operation, {})
                    best[name] = min(seconds, best.get(name, seconds))
    return found


# --- cold calls ---------------------------------------------------------------------------------------------------

_MOST_COLD = {"Sign P-256": 0.55}
_MOST_COLD_OF_OTHERS = 0.5


def _cold_rows(bursts: int) -> Iterator[Row]:
    """Measure bursts of calls, each in a test of its own, with other work before it.

    The client is one for all tests, and has made the call before. The median of the bursts counts: the least would be
    the warmest.
    """
    client, work = new_client(), _other_work()
    taken: dict[str, dict[str, list[tuple[float, float]]]] = {}
    with constant() as answered:
        floor = calls_of(answered)
        for call in floor.values():
            call()
        with mock_kms():
            for call in calls_of(client).values():
                call()
        for _ in range(bursts):
            for operation, ready in CALLS.items():
                seconds = taken.setdefault(operation, {"constant": [], "ours": []})
                work()
                seconds["constant"].append(_burst(floor[operation]))
                with mock_kms():
                    call = ready(client)
                    work()
                    seconds["ours"].append(_burst(call))
    for operation, seconds in taken.items():
        (first, each), (own_first, own) = (map(statistics.median, zip(*seconds[name], strict=True)) for name in seconds)
        most = _MOST_COLD.get(operation, _MOST_COLD_OF_OTHERS)
        figures = (f"{each * 1e6:.0f}", f"{own * 1e6:.0f}", f"{own / each:.2f}", f"{own_first / first:.2f}")
        yield Row(operation, figures, f"≤ {most}", own <= most * each)


def _burst(call: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds of the first call, and those of each, in processor time: other processes may interrupt."""
    first = timed(call, 1, time.thread_time)
    return first, (first + timed(call, _COUNT - 1, time.thread_time) * (_COUNT - 1)) / _COUNT


def _other_work() -> Callable[[], None]:
    """Return what a test does besides: it walks some 30 MB of objects, and calls another service."""
    objects: list[Any] = [{"number": number, "text": str(number)} for number in range(100_000)]
    sts = new_client("sts")
    answer = (_Answer(), {"UserId": "AIDA"})
    sts.meta.events.register("before-call.sts", lambda **_: answer)

    def work() -> None:
        assert sum(len(each["text"]) + each["number"] for each in objects)
        for _ in range(3):
            sts.get_caller_identity()

    return work


class _Answer:
    status_code = 200
