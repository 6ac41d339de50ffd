"""What starting costs: importing the package, a pytest run that never uses KMS, and the first test of a process."""

from __future__ import annotations

from collections.abc import Iterator

from processes import run_python
from tables import Row, Table
from timing import Effort

#: A module that is no plugin takes the place of ours: pytest looks for it in the same places.
_PYTEST = ("-m", "pytest", "--version", "--version", "-p")
_PROCESSES = {
    "bare": ("-c", "pass"),
    "package": ("-c", "from pytest_kmsmock import mock_kms"),
    "pytest": (*_PYTEST, "json"),
    "plugin": (*_PYTEST, "pytest_kmsmock.plugin"),
}

_CLIENT = """
import time
import boto3
client = boto3.client("kms", region_name="us-east-1", aws_access_key_id="1", aws_secret_access_key="1")
"""
_CALLS = """
key_id = client.create_key()["KeyMetadata"]["KeyId"]
client.decrypt(CiphertextBlob=client.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"])
print(time.perf_counter() - start)
"""
#: The three calls, answered by botocore's own event before signing: what they cost without any mock.
_FLOOR = f"""{_CLIENT}
class Answer:
    status_code = 200
start = time.perf_counter()
answer = (Answer(), {{"KeyMetadata": {{"KeyId": "1"}}, "CiphertextBlob": b"x"}})
client.meta.events.register("before-call.kms", lambda **_: answer){_CALLS}"""
_FIRST_TEST = f"""{_CLIENT}
start = time.perf_counter()
from pytest_kmsmock import mock_kms
mock = mock_kms()
mock.start(){_CALLS}"""
#: Programs that print the seconds that they measure.
_FIRST_CALLS = {"floor": _FLOOR, "first": _FIRST_TEST}


def tables(effort: Effort) -> Iterator[Table]:
    """Measure processes in turn."""
    best: dict[str, float] = {}
    for number in range(effort.processes):
        taken = {name: run_python(*arguments)[0] for name, arguments in _PROCESSES.items()}
        if number % 2 == 0:
            taken |= {name: float(run_python("-c", program)[1]) for name, program in _FIRST_CALLS.items()}
        best |= {name: min(seconds, best.get(name, seconds)) for name, seconds in taken.items()}
    rows = [
        _row("importing the package, over bare Python", best["package"] - best["bare"], 15),
        _row("the plugin in a pytest run that never uses KMS", best["plugin"] - best["pytest"], 10),
        _row("the first test of a process, beyond botocore and its client", best["first"] - best["floor"], 30),
    ]
    yield Table("Start-up", ("ours",), rows)


def _row(what: str, seconds: float, most: int) -> Row:
    return Row(what, (f"{seconds * 1e3:.1f} ms",), f"≤ {most} ms", seconds * 1e3 <= most)
