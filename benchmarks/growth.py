"""What grows with what is in a mock, and what must not: keys, aliases, grants, statements, memory."""

from __future__ import annotations

import gc
import json
import statistics
import tracemalloc
from collections.abc import Callable
from typing import Any

from timing import timed

from pytest_kmsmock import KmsMock, mock_kms
from pytest_kmsmock._kms.policy import Policies, Principal, Request, compile_policy, evaluate

REGION = "us-east-1"
FEW, MANY = 100, 100_000


def _called(kms: KmsMock, operation: str, **members: object) -> Any:
    """Make a call without a client, so that only our own time counts."""
    return kms._service.call(operation, members, kms._caller(), REGION)


def _median(call: Callable[[], object]) -> float:
    call()
    return statistics.median(timed(call, 20) for _ in range(15))


def keys() -> dict[str, tuple[float, float]]:
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

        for target in (FEW, MANY):
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


def memory(count: int = 5_000) -> float:
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


def grants(count: int = 10_000) -> dict[str, float]:
    """Return the seconds of a Decrypt that a grant allows, on a key with many grants."""
    result = {}
    for name, grantee in {"to as many users": "user/{}", "all to the caller": "user/9999"}.items():
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


def statements(count: int = 1_000) -> dict[str, float]:
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
