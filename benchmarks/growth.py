"""What grows with what is in a mock, and what must not: keys, aliases, grants, statements, memory."""

from __future__ import annotations

import gc
import json
import statistics
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

from tables import Row, Table
from timing import Effort, timed

from pytest_kmsmock import KmsMock, mock_kms
from pytest_kmsmock._kms.policy import Policies, Principal, Request, compile_policy, evaluate

REGION = "us-east-1"
_FEW = 100


def tables(effort: Effort) -> Iterator[Table]:
    """Measure a mock with many keys, then keys and policies with much in them."""
    rows = []
    for name, (few, many) in _keys(effort.keys).items():
        figures = (f"{few * 1e6:.0f}", f"{many * 1e6:.0f}", f"{many / few:.2f}")
        creates = name.startswith("CreateKey")
        target, met = ("≤ 300 µs", many <= 300e-6) if creates else ("≤ 1.5", many <= 1.5 * few)
        rows.append(Row(name, figures, target, met))
    yield Table("Growth", ("100 keys µs", "100,000 keys µs", "ratio"), rows)

    size = _memory()
    rows = [
        Row("memory of a symmetric key, with the record of its call", (f"{size:.0f} bytes",), "≤ 4096", size <= 4096)
    ]
    large = {f"Decrypt by a grant, 10,000 on the key, {name}": taken for name, taken in _grants(effort.grants).items()}
    large |= {f"decision on 1,000 statements {name}": taken for name, taken in _statements(effort.statements).items()}
    rows += [Row(name, (f"{taken * 1e6:.0f} µs",), "≤ 1000", taken <= 1e-3) for name, taken in large.items()]
    yield Table("Sizes", ("ours",), rows)


def _called(kms: KmsMock, operation: str, **members: object) -> Any:
    """Make a call without a client, so that only our own time counts."""
    return kms._service.call(operation, members, kms._caller(), REGION)


def _median(call: Callable[[], object]) -> float:
    call()
    return statistics.median(timed(call, 20) for _ in range(15))


def _keys(most: int) -> dict[str, tuple[float, float]]:
    """Return the seconds of calls in a mock with few keys and in one with many, each key with an alias."""
    found: dict[str, list[float]] = {}
    made = 0
    with mock_kms() as kms:
        client, caller = kms.client(), kms._caller()

        def make() -> None:
            nonlocal made
            key_id = kms._service.call("CreateKey", {}, caller, REGION)["KeyMetadata"]["KeyId"]
            alias = {"AliasName": f"alias/k{made:06}", "TargetKeyId": key_id}
            kms._service.call("CreateAlias", alias, caller, REGION)
            made += 1

        for target in (_FEW, most):
            seconds = timed(make, target - made)
            some_id = next(reversed(kms._service.state.region(kms.account, REGION).keys))
            found.setdefault("CreateKey and CreateAlias, our own time", []).append(seconds)
            for name, call in {
                "DescribeKey by id": lambda: client.describe_key(KeyId=some_id),  # noqa: B023
                "DescribeKey by alias": lambda: client.describe_key(KeyId="alias/k000050"),
                "a page of ListKeys": client.list_keys,
                "a page of ListAliases": client.list_aliases,
            }.items():
                found.setdefault(name, []).append(_median(call))
    return {name: (few, many) for name, (few, many) in found.items()}


def _memory(count: int = 5_000) -> float:
    """Return the bytes that a symmetric key takes, the record of its CreateKey call with it."""
    with mock_kms() as kms:
        _called(kms, "CreateKey")
        gc.collect()
        tracemalloc.start()
        for _ in range(count):
            _called(kms, "CreateKey")
        gc.collect()
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return size / count


def _grants(count: int) -> dict[str, float]:
    """Return the seconds of a Decrypt that a grant allows, on a key with many grants."""
    result = {}
    for name, grantee in {"to as many users": "user/{}", "all to the caller": f"user/{count - 1}"}.items():
        with mock_kms() as kms:
            key_id = _called(kms, "CreateKey")["KeyMetadata"]["KeyId"]
            blob = _called(kms, "Encrypt", KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
            caller = kms._caller(f"user/{count - 1}")
            for number in range(count):
                principal = f"arn:aws:iam::{kms.account}:{grantee.format(number)}"
                # The one that allows it is the last.
                operations = ["Decrypt" if number == count - 1 else "Encrypt"]
                _called(kms, "CreateGrant", KeyId=key_id, GranteePrincipal=principal, Operations=operations)
            decrypt = {"CiphertextBlob": blob}
            result[name] = _median(lambda: kms._service.call("Decrypt", decrypt, caller, REGION))  # noqa: B023
    return result


def _statements(count: int) -> dict[str, float]:
    """Return the seconds of a decision on a policy with many statements: with and without conditions to be checked."""
    result = {}
    caller = Principal.parse("arn:aws:iam::123456789012:user/last")
    request = Request(caller, "kms:Decrypt", "arn:aws:kms:us-east-1:123456789012:key/k", "123456789012")
    for name, others in {"about others": "user/{}", "about the caller, with a condition": "user/last"}.items():
        listed: list[dict[str, object]] = [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::123456789012:{others.format(number)}"},
                "Action": "kms:Decrypt",
                "Resource": "*",
                "Condition": {"StringEquals": {"kms:EncryptionContext:tenant": str(number)}},
            }
            for number in range(count)
        ]
        policy = compile_policy(json.dumps({"Version": "2012-10-17", "Statement": listed}))
        policies = Policies(key=(policy,))
        result[name] = _median(lambda: evaluate(request, policies))  # noqa: B023
    return result
