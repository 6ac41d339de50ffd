"""The example policies of AWS's guides that are about keys, each with the outcomes that the guide names.

They stand in `aws_examples/`, restated with the guides' principals, actions and conditions. `page` is a page of the KMS
Developer Guide (`kms/…`) or of the IAM User Guide (`iam/…`). `key` holds statements of the key policy (none if the
action has no key), `iam` those of the caller, `endpoint` those of the VPC endpoint; `allowed` and `denied` the
requests. A request that names no resource is for the key below. What a page leaves open, such as the statement that
lets IAM policies decide, is what it assumes.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_kmsmock.service.authorization import (
    Policies,
    PolicyKind,
    Principal,
    Request,
    compile_policy,
    evaluate,
)

KEY = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
FILES = sorted((Path(__file__).parent / "aws_examples").glob("*.json"))
EXAMPLES = [example for path in FILES for example in json.loads(path.read_text(encoding="utf-8"))]
CASES = [
    pytest.param(
        example,
        request,
        outcome == "allowed",
        id=f"{example['page']}: {example['example']}: {outcome} {number}",
    )
    for example in EXAMPLES
    for outcome in ("allowed", "denied")
    for number, request in enumerate(example.get(outcome, ()), start=1)
]


def compiled(example, part, kind):
    if part not in example:
        return ()
    return (compile_policy(json.dumps({"Version": "2012-10-17", "Statement": example[part]}), kind),)


def lookup(context, principal):
    values = {name.lower(): tuple(v) if isinstance(v, list) else (v,) for name, v in context.items()}
    return lambda key: values[key] if key in values else principal.condition_value(key)


def test_there_are_examples_of_both_guides():
    assert len(CASES) > 250
    assert {example["page"].split("/")[0] for example in EXAMPLES} == {"kms", "iam"}


@pytest.mark.parametrize(("example", "asked", "allowed"), CASES)
def test_aws_s_example_has_the_outcome_that_its_guide_names(example, asked, allowed):
    principal = Principal.parse(asked["caller"], tags=asked.get("tags"))
    resource = asked.get("resource", KEY)
    account = resource.split(":")[4] if resource != "*" else ""
    context = lookup(asked.get("context", {}), principal)
    policies = Policies(
        key=compiled(example, "key", PolicyKind.KEY),
        identity=compiled(example, "iam", PolicyKind.IDENTITY),
        vpc_endpoint=next(iter(compiled(example, "endpoint", PolicyKind.VPC_ENDPOINT)), None),
    )
    decision = evaluate(Request(principal, asked["action"], resource, account, context), policies)
    assert decision.allowed is allowed, "\n".join(map(str, decision.explain()))
