"""The package and the literal evaluator on thousands of cases.

`KMS_POLICY_CASES` is the number of cases, `KMS_POLICY_SEED` the first one: see `make differential`.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from contextlib import suppress
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from pytest_kmsmock import mock_kms

from .cases import make_case
from .comparison import attach, compare, compare_in, create_key, credentials, detach, named_key, prepare, reduced
from .context import Case, key_arn
from .decision import decide
from .vocabulary import CALLERS, OPERATIONS, RARE_OPERATIONS

CHUNKS = 10
CASES = int(os.environ.get("KMS_POLICY_CASES", "1000"))
FIRST = int(os.environ.get("KMS_POLICY_SEED", "0"))
METHODS = {
    "Encrypt": ("encrypt", {"Plaintext": b"x"}),
    "Decrypt": ("decrypt", {"CiphertextBlob": b"x"}),
    "GenerateDataKey": ("generate_data_key", {"KeySpec": "AES_256"}),
    "DescribeKey": ("describe_key", {}),
    "TagResource": ("tag_resource", {}),
    "CreateGrant": ("create_grant", {}),
    "ListGrants": ("list_grants", {}),
    "GetKeyPolicy": ("get_key_policy", {}),
    "EnableKeyRotation": ("enable_key_rotation", {}),
    "ScheduleKeyDeletion": ("schedule_key_deletion", {}),
    "CreateAlias": ("create_alias", {}),
    "DeleteAlias": ("delete_alias", {}),
    "CreateKey": ("create_key", {}),
    "ListKeys": ("list_keys", {}),
}


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_the_package_decides_as_the_literal_evaluator(chunk: int):
    for number in range(FIRST + chunk, FIRST + CASES, CHUNKS):
        found = compare(make_case(number))
        if not found.agrees:
            smallest = reduced(found.case, lambda case: not compare(case).agrees)
            pytest.fail(f"case {number}, reduced:\n{compare(smallest)}", pytrace=False)


@pytest.mark.parametrize("chunk", range(4))
def test_decisions_follow_policy_changes(chunk: int):
    """What is remembered of policies must not outlive them: policies of one case replace those of another."""
    numbers = range(FIRST + chunk, FIRST + CASES // 3, 4)
    for start in range(0, len(numbers), 25):
        key: dict[str, Any] | None = None
        grants: list[Any] = []
        with mock_kms() as kms:
            client = kms.client()
            for number in numbers[start : start + 25]:
                case = dict(make_case(number))
                if case["key"] and key is None:
                    key, grants = case["key"], case["grants"]
                    create_key(kms, case)
                if case["key"]:
                    with kms.as_principal(key["account"]), suppress(ClientError):
                        put_policy(client, key, case["key"]["policy"])
                    named = case["key"]["named"]
                    case |= {"key": {**key, "named": named if named in key["aliases"] else None}, "grants": grants}
                    if case["action"] == "kms:DeleteAlias":
                        continue  # the alias may be another key's, or of another account
                attach(kms, case)
                found = compare_in(kms, case)
                assert found.agrees, f"case {number}, after those from {numbers[start]}:\n{found}"
                detach(kms, case)


def put_policy(client: BaseClient, key: dict[str, Any], policy: Any) -> None:
    """Give a key another policy, if the one that it has lets the caller do so."""
    arn = key_arn({"key": key})
    client.put_key_policy(KeyId=arn, Policy=json.dumps(policy), BypassPolicyLockoutSafetyCheck=True)
    key["policy"] = policy


@pytest.mark.parametrize("chunk", range(4))
def test_calls_are_decided_as_simulations(chunk: int):
    with mock_kms() as kms:
        client = kms.client()
        for number in range(FIRST + chunk, FIRST + 200, 4):
            case = make_case(number)
            if case["action"] == "kms:CreateKey":
                case["members"].clear()  # tags would need kms:TagResource, too
            with mock_kms() as inner:
                prepare(inner, case)
                caller = credentials(inner, case)
                simulated = inner.simulate(caller, case["action"], named_key(case), **case["members"])
                with inner.as_principal(caller):
                    assert is_allowed(client, case) is simulated.allowed, f"case {number}: {case}\n{simulated}"


def is_allowed(client: BaseClient, case: Case) -> bool:
    """Call KMS as a case says; whatever else it refuses, the policies have allowed the call."""
    method, others = METHODS[case["action"].removeprefix("kms:")]
    named = named_key(case)
    key = {} if named is None else {"TargetKeyId" if method == "create_alias" else "KeyId": named}
    try:
        getattr(client, method)(**key, **others, **case["members"])
    except ClientError as error:
        return error.response["Error"]["Code"] != "AccessDeniedException"
    return True


def test_generated_cases_cover_all_kinds():
    seen: Counter[Any] = Counter()
    for number in range(1000):
        case = make_case(number)
        seen[case["action"]] += 1
        seen[case["caller"]["principal"]] += 1
        seen.update(kind for kind in ("identity", "boundary", "session", "scp", "rcp", "vpce", "grants") if case[kind])
        seen[decide(case).allowed] += 1
    assert {f"kms:{name}" for name in (*OPERATIONS, *RARE_OPERATIONS)} <= set(seen)
    assert {caller["principal"] for caller in CALLERS} <= set(seen)
    assert min(seen.values()) > 10
    assert min(seen[True], seen[False]) > 200


def test_a_case_is_reduced_to_what_matters():
    case = next(case for case in map(make_case, range(100)) if len(case["identity"]) > 1)
    smallest = reduced(case, lambda candidate: bool(candidate["identity"][0]["Statement"]))
    assert len(smallest["identity"]) == 1
    assert not any(smallest[kind] for kind in ("boundary", "session", "scp", "rcp", "vpce", "grants"))
