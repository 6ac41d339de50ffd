"""Whole suites, run by pytest as users run theirs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from processes import run_python
from tables import Row, Table
from timing import Effort

_CLIENT = 'boto3.client("kms", region_name="us-east-1")'
_CALLS = """
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    blob = client.encrypt(KeyId=key_id, Plaintext=b"secret", EncryptionContext={"test": str(number)})["CiphertextBlob"]
    assert client.decrypt(CiphertextBlob=blob, EncryptionContext={"test": str(number)})["Plaintext"] == b"secret"
"""
_MOTO_FIXTURE = f"""
from moto import mock_aws

@pytest.fixture
def client():
    with mock_aws():
        yield {_CLIENT}
"""


class _Suite(NamedTuple):
    """A module of tests.

    Attributes:
        fixture: the fixture that each test takes, if any.
        test: what each test does.
        top: what stands above the tests.
        ours: whether our plugin runs them.
    """

    fixture: str
    test: str
    top: str = ""
    ours: bool = True

    def run(self, count: int, *arguments: str) -> float:
        """Return the seconds that so many tests take, from the start of the process to its end."""
        with tempfile.TemporaryDirectory() as folder:
            source = (
                f"import boto3\nimport pytest\n{self.top}\n"
                f'@pytest.mark.parametrize("number", range({count}))\n'
                f"def test_it({self.fixture and self.fixture + ', '}number):\n    {self.test}\n"
            )
            (Path(folder) / "test_suite.py").write_text(source)
            plugin = ("-p", "pytest_kmsmock.plugin") if self.ours else ()
            command = ("-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin, *arguments, folder)
            seconds, output = run_python(*command)
        assert f"{count} passed" in output, output[-2000:]
        return seconds


_SHARED = _Suite("", "pass", f"client = {_CLIENT}", ours=False)
_OWN = _Suite("", _CLIENT, ours=False)
_BY_FIXTURE = _Suite("kms_client", f"client = kms_client{_CALLS}")
_MOTO = _Suite("client", _CALLS, _MOTO_FIXTURE, ours=False)

# --- what a test takes more ---------------------------------------------------------------------------------------

#: What is compared: three calls with a client, and the same suite that makes none; the milliseconds that a test may
#: take more.
_BESIDE: dict[str, tuple[_Suite, _Suite, float | None]] = {
    "a client of the module": (_SHARED, _Suite("kms_mock", _CALLS, f"client = {_CLIENT}"), 1.0),
    "a client of `kms_client`": (_OWN, _BY_FIXTURE, 1.3),
    "a client that the test makes": (_OWN, _Suite("kms_mock", f"client = {_CLIENT}{_CALLS}"), None),
}


def tables(effort: Effort) -> Iterator[Table]:
    """Measure suites in turn."""
    best: dict[_Suite, float] = {}
    for _ in range(effort.suites):
        for suite in dict.fromkeys(suite for without, ours, _ in _BESIDE.values() for suite in (without, ours)):
            seconds = suite.run(effort.tests)
            best[suite] = min(seconds, best.get(suite, seconds))
    rows = []
    for what, (without, ours, most) in _BESIDE.items():
        base, mine = (best[suite] / effort.tests * 1e3 for suite in (without, ours))
        target, met = ("", None) if most is None else (f"≤ {most}", mine - base <= most)
        rows.append(Row(what, (f"{base:.2f}", f"{mine:.2f}", f"{mine - base:.2f}"), target, met))
    yield Table("Suites of 500 tests", ("no calls ms", "three calls ms", "more ms"), rows)


# --- a large suite ------------------------------------------------------------------------------------------------


def large_tables(effort: Effort) -> Iterator[Table]:
    """Measure a large suite in one process and in two, and what two bring for tests that only make a client."""
    few, more = effort.moto_tests
    rows, alone, parallel = [], 0.0, ("-p", "xdist", "-n", "2")
    for name, arguments, target in (("one process", (), "≥ 10"), ("-n 2", parallel, "≥ 10, ≥ 1.6")):
        mine = min(_BY_FIXTURE.run(effort.large, *arguments) for _ in range(effort.large_suites))
        small, larger = (_MOTO.run(count, *arguments) for count in effort.moto_tests)
        theirs = small + (larger - small) / (more - few) * (effort.large - few)
        alone = alone or mine
        met = theirs >= 10 * mine and ("1.6" not in target or alone >= 1.6 * mine)
        figures = (f"{mine:.1f}", f"{theirs:.0f}", f"{theirs / mine:.0f}", f"{alone / mine:.2f}")
        rows.append(Row(name, figures, target, met))
    one, two = (min(_OWN.run(effort.large, *way) for _ in range(effort.large_suites)) for way in ((), parallel))
    rows.append(Row("-n 2, without a mock", (f"{two:.1f}", "", "", f"{one / two:.2f}")))
    heads = ("ours s", "moto s", "moto / ours", "one process / ours")
    yield Table("A suite of 2,000 tests", heads, rows)
