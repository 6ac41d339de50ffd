"""`make bench`: this mock, moto, and botocore answered by constants, in one run, against the targets of the project.

The subjects take turns, round by round, so that the machine's drift cancels. The least of a subject's figures counts,
which is the one that other processes disturbed least; but the median where moto makes RSA keys, since how long one
takes is chance. What is measured is what users run: no switches exist for benchmarks. The tables are Markdown;
`docs/performance.md` shows those of one run.
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple

import growth
import services
from moto import mock_aws
from subjects import SUBJECTS, calls_of, moto, ours_by_handle
from suite import MOTO_TESTS, TESTS, suites
from timing import timed

from pytest_kmsmock import mock_kms

ROUNDS = 20
#: Figures of each round, and the calls in a row that each is the mean of; moto's take longer.
_FIGURES, _CALLS, _MOTO_CALLS = 4, 10, 3


class Row(NamedTuple):
    """A line of a table: what was measured, the figures, and whether the target is met; None if there is none."""

    what: str
    figures: tuple[str, ...]
    target: str = ""
    met: bool | None = None


def show(title: str, heads: tuple[str, ...], rows: list[Row]) -> list[Row]:
    """Print a table."""
    verdicts = {True: "yes", False: "**no**", None: ""}
    lines = [(row.what, *row.figures, row.target, verdicts[row.met]) for row in rows]
    table = [("", *heads, "target", "met"), *lines]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    print(f"\n## {title}\n")
    for number, line in enumerate(table):
        print("| " + " | ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True)) + " |")
        if number == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    sys.stdout.flush()
    return rows


# --- calls --------------------------------------------------------------------------------------------------------


def per_call(rounds: int) -> dict[str, dict[str, float]]:
    """Return the seconds of each call by subject."""
    found: dict[str, dict[str, float]] = {}
    for _ in range(rounds):
        for name, subject in SUBJECTS.items():
            with subject() as client:
                for operation, call in calls_of(client).items():
                    call()
                    count = _MOTO_CALLS if name == "moto" else _CALLS
                    seconds = min(timed(call, count) for _ in range(_FIGURES))
                    best = found.setdefault(operation, {})
                    best[name] = min(seconds, best.get(name, seconds))
    return found


def call_rows(rounds: int) -> tuple[list[Row], list[Row]]:
    default, wire = [], []
    for operation, seconds in per_call(rounds).items():
        floor, own, by_wire, theirs = (seconds[name] for name in ("constant", "ours", "ours by wire", "moto"))
        figures = (f"{floor * 1e6:.0f}", f"{own * 1e6:.0f}", f"{own / floor:.2f}", f"{theirs / own:.1f}")
        met = own <= 0.5 * floor and theirs >= 4 * own
        default.append(Row(operation, figures, "≤ 0.5, ≥ 4", met))
        figures = (f"{floor * 1e6:.0f}", f"{by_wire * 1e6:.0f}", f"{by_wire / floor:.2f}", f"{theirs / floor:.2f}")
        wire.append(Row(operation, figures, "≤ 1.2", by_wire <= 1.2 * floor))
    return default, wire


# --- a test's cycle -----------------------------------------------------------------------------------------------


def _symmetric(client: Any) -> None:
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    client.decrypt(CiphertextBlob=client.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"])


def _rsa_4096(client: Any) -> None:
    key_id = client.create_key(KeySpec="RSA_4096", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    client.sign(KeyId=key_id, Message=b"x", SigningAlgorithm="RSASSA_PSS_SHA_256")


def _nothing(_: Any) -> None:
    """Enter and leave only."""


@contextmanager
def _bare(mock: Callable[[], AbstractContextManager[Any]]) -> Iterator[None]:
    with mock():
        yield


_CYCLES: dict[str, tuple[Callable[[Any], None], dict[str, Callable[[], Any]], float]] = {
    "symmetric key: create, encrypt, decrypt": (_symmetric, {"ours": ours_by_handle, "moto": moto}, 20),
    "RSA_4096: create, sign": (_rsa_4096, {"ours": ours_by_handle, "moto": moto}, 50),
    "enter and leave": (_nothing, {"ours": lambda: _bare(mock_kms), "moto": lambda: _bare(mock_aws)}, 0),
}
_MOST_TO_ENTER = 0.3e-3  # seconds
#: Tests in a row, as in a suite.
_TESTS = {"ours": 10, "moto": 3}


def cycle_rows(rounds: int) -> list[Row]:
    rows = []
    for name, (work, subjects, wanted) in _CYCLES.items():
        taken: dict[str, list[float]] = {}
        for _ in range(max(3, rounds // 4)):
            for subject, enter in subjects.items():
                gc.collect()  # nobody pays for what the other left behind
                for number in range(_TESTS[subject]):
                    start = time.perf_counter()
                    with enter() as client:
                        work(client)
                    seconds = time.perf_counter() - start
                    if number:  # the first pays for imports, for the first RSA key, and for coming after the other
                        taken.setdefault(subject, []).append(seconds)
        mine = min(taken["ours"])
        theirs = (statistics.median if work is _rsa_4096 else min)(taken["moto"])
        figures = (f"{mine * 1e3:.2f}", f"{theirs * 1e3:.1f}", f"{theirs / mine:.0f}")
        if wanted:
            rows.append(Row(name, figures, f"≥ {wanted:.0f}", theirs >= wanted * mine))
        else:
            rows.append(Row(name, figures, "≤ 0.3 ms", mine <= _MOST_TO_ENTER))
    rows.append(_nested())
    return rows


def _nested() -> Row:
    def enter_and_leave() -> None:
        with mock_kms():
            pass

    with mock_kms() as kms:
        client = kms.client()
        for number in range(1_000):
            key_id = client.create_key()["KeyMetadata"]["KeyId"]
            client.create_alias(AliasName=f"alias/{number}", TargetKeyId=key_id)
        seconds = min(timed(enter_and_leave, 20) for _ in range(10))
    return Row(
        "enter and leave inside a mock with 1,000 keys", (f"{seconds * 1e3:.2f}", "", ""), "≤ 0.3 ms",
        seconds <= _MOST_TO_ENTER,
    )  # fmt: skip


# --- other services -----------------------------------------------------------------------------------------------

_MOST_MORE = {"S3 put and get without a key": 60e-6, "S3 put and get with SSE-KMS": 300e-6}


def service_rows(rounds: int) -> list[Row]:
    rows = []
    for name, without, beside in services.seconds(rounds):
        figures = (f"{without * 1e6:.0f}", f"{beside * 1e6:.0f}", f"{(beside - without) * 1e6:.0f}")
        most = _MOST_MORE.get(name)
        rows.append(
            Row(name, figures) if most is None else Row(name, figures, f"≤ {most * 1e6:.0f}", beside - without <= most)
        )
    return rows


# --- growth -------------------------------------------------------------------------------------------------------


def growth_rows() -> list[Row]:
    rows = []
    for name, (few, many) in growth.keys().items():
        figures = (f"{few * 1e6:.0f}", f"{many * 1e6:.0f}", f"{many / few:.2f}")
        creates = name.startswith("CreateKey")
        rows.append(
            Row(name, figures, "≤ 300 µs", many <= 300e-6)
            if creates
            else Row(name, figures, "≤ 1.5", many <= 1.5 * few)
        )
    return rows


def size_rows() -> list[Row]:
    size = growth.memory()
    rows = [
        Row("memory of a symmetric key, with the record of its call", (f"{size:.0f} bytes",), "≤ 4096", size <= 4096)
    ]
    for name, seconds in growth.grants().items():
        rows.append(
            Row(
                f"Decrypt by a grant, 10,000 on the key, {name}",
                (f"{seconds * 1e6:.0f} µs",),
                "≤ 1000",
                seconds <= 1e-3,
            )
        )
    for name, seconds in growth.statements().items():
        rows.append(
            Row(f"decision on 1,000 statements {name}", (f"{seconds * 1e6:.0f} µs",), "≤ 1000", seconds <= 1e-3)
        )
    return rows


# --- start-up and suites ------------------------------------------------------------------------------------------

_FIRST_TEST = """
import time
import botocore.session
client = botocore.session.Session().create_client("kms", region_name="us-east-1")
start = time.perf_counter()
from pytest_kmsmock import mock_kms
with mock_kms():
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    client.decrypt(CiphertextBlob=client.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"])
print(time.perf_counter() - start)
"""


def start_up_rows(repeats: int = 30) -> list[Row]:
    """Measure processes, with the bytecode of all modules in place as it is where packages are installed."""
    with tempfile.TemporaryDirectory() as cache:
        environment = os.environ | {
            "PYTHONPYCACHEPREFIX": cache, "PYTHONDONTWRITEBYTECODE": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        }  # fmt: skip

        def run(*arguments: str) -> tuple[float, str]:
            start = time.perf_counter()
            done = subprocess.run(
                [sys.executable, *arguments], check=True, env=environment, capture_output=True, text=True, cwd=cache
            )
            return time.perf_counter() - start, done.stdout

        # With a module that is no plugin in place of ours: pytest looks for it in the same places.
        pytest_run = ("-m", "pytest", "--version", "--version", "-p")
        kinds = {
            "bare": ("-c", "pass"),
            "package": ("-c", "from pytest_kmsmock import mock_kms"),
            "pytest": (*pytest_run, "json"),
            "plugin": (*pytest_run, "pytest_kmsmock.plugin"),
        }
        best: dict[str, float] = {}
        for number in range(repeats):
            for name, arguments in kinds.items():
                seconds, _ = run(*arguments)
                if number:
                    best[name] = min(seconds, best.get(name, seconds))
        first = min(float(run("-c", _FIRST_TEST)[1]) for _ in range(repeats // 2))
    package, plugin = best["package"] - best["bare"], best["plugin"] - best["pytest"]
    return [
        Row("importing the package, over bare Python", (f"{package * 1e3:.1f} ms",), "≤ 15 ms", package <= 15e-3),
        Row("the plugin in a pytest run that never uses KMS", (f"{plugin * 1e3:.1f} ms",), "≤ 10 ms", plugin <= 10e-3),
        Row("the first test of a process, beyond botocore and its client", (f"{first * 1e3:.0f} ms",)),
    ]


def suite_rows() -> list[Row]:
    return [
        Row(name, (f"{mine:.1f}", f"{theirs:.0f}", f"{theirs / mine:.0f}"), "≥ 10", theirs >= 10 * mine)
        for name, (mine, theirs) in suites().items()
    ]


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of the tables of calls and cycles")
    parser.add_argument("--quick", action="store_true", help="calls and cycles only")
    options = parser.parse_args()
    start = time.perf_counter()
    print(f"Python {platform.python_version()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")

    default, wire = call_rows(options.rounds)
    done = show("Calls", ("constant µs", "ours µs", "ours / constant", "moto / ours"), default)
    done += show("Calls by wire", ("constant µs", "ours µs", "ours / constant", "moto / constant"), wire)
    done += show("A test's cycle", ("ours ms", "moto ms", "moto / ours"), cycle_rows(options.rounds))
    done += show("Other services, beside moto", ("without µs", "with µs", "more µs"), service_rows(options.rounds))
    if not options.quick:
        done += show("Growth", ("100 keys µs", "100,000 keys µs", "ratio"), growth_rows())
        done += show("Sizes", ("ours",), size_rows())
        done += show("Start-up", ("ours",), start_up_rows())
        title = f"A suite of {TESTS:,} tests (moto's from suites of {MOTO_TESTS[0]} and {MOTO_TESTS[1]} tests)"
        done += show(title, ("ours s", "moto s", "moto / ours"), suite_rows())
    missed = sum(row.met is False for row in done)
    print(f"\n{missed or 'No'} of {len(done)} targets missed; {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
