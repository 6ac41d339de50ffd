"""Example policies of AWS's guides for KMS, with the outcomes that the guides describe.

They stand in `aws_examples/`, restated with the guides' principals, actions and conditions. `page` is a page of the KMS
Developer Guide (`kms/…`) or of the IAM User Guide (`iam/…`). `key` holds statements of the key policy (none if the
action has no key), `iam` those of the caller, `endpoint` those of the VPC endpoint; `allowed` and `denied` the
requests. A request that names no resource is for the key below. What a page leaves open, such as the statement that
lets IAM policies decide, is what it assumes. `rcp` are the resource control policies of the key's account, `org` is the
organization of a caller. What only calls know, as `grants` and what works across accounts, is `calls_only`:
`test_access.py` makes calls of all examples that have a key.

`aws_example_pages.json` lists pages of the KMS guide, as far as their names are known, and those of the IAM guide that
were found to matter, with the examples of each. `same` names policies of a page that are those of other examples,
`none` says why a page, or a policy of it, has none, and `not_read` what of it was not read. `kms/…` is short for
https://docs.aws.amazon.com/kms/latest/developerguide/….html and `iam/…` for
https://docs.aws.amazon.com/IAM/latest/UserGuide/….html; some pages are those of an earlier edition.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_kmsmock._kms.policy import (
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
PAGES = json.loads((Path(__file__).parent / "aws_example_pages.json").read_text(encoding="utf-8"))
LISTED = [(page["page"], example) for page in PAGES for example in page.get("examples", ())]
CASES = [
    pytest.param(example, id=f"{example['page']}: {example['example']}")
    for example in EXAMPLES
    if "calls_only" not in example
]


def outcomes(example):
    """Yield the requests of an example, and whether each is allowed."""
    for outcome in ("allowed", "denied"):
        for request in example.get(outcome, ()):
            yield request, outcome == "allowed"


def compiled(example, part, kind):
    if part not in example:
        return ()
    return (compile_policy(json.dumps({"Version": "2012-10-17", "Statement": example[part]}), kind),)


def lookup(context, principal):
    values = {name.lower(): tuple(v) if isinstance(v, list) else (v,) for name, v in context.items()}
    return lambda key: values[key] if key in values else principal.condition_value(key)


def test_there_are_examples_of_both_guides():
    assert sum(len(list(outcomes(*case.values))) for case in CASES) > 700
    assert {example["page"].split("/")[0] for example in EXAMPLES} == {"kms", "iam"}


def test_the_pages_list_the_examples_and_the_examples_name_listed_pages():
    named = [(example["page"], example["example"]) for example in EXAMPLES]
    assert sorted(LISTED) == sorted(named)
    assert len(set(named)) == len(named)


def test_every_example_has_requests_whose_outcome_is_known():
    assert [example for example in EXAMPLES if not example.get("allowed") and not example.get("denied")] == []


def test_every_page_is_listed_once_with_examples_or_where_they_are_or_why_there_are_none():
    names = [page["page"] for page in PAGES]
    assert names == sorted(set(names))
    assert [page for page in PAGES if not page.keys() & {"examples", "same", "none", "not_read"}] == []
    assert all(page.get("not_read") != "the page" for page in PAGES if page.get("examples"))
    assert [page for page in PAGES if "examples" in page and isinstance(page.get("none"), str)] == []


def test_policies_that_other_pages_have_too_are_examples():
    same = {example for page in PAGES for examples in page.get("same", {}).values() for example in examples}
    assert same - {f"{page}: {example}" for page, example in LISTED} == set()
    assert all(examples for page in PAGES for examples in page.get("same", {}).values())


@pytest.mark.parametrize("example", CASES)
def test_aws_s_example_has_the_outcomes_that_its_guide_names(example):
    policies = Policies(
        key=compiled(example, "key", PolicyKind.KEY),
        identity=compiled(example, "iam", PolicyKind.IDENTITY),
        resource_control=compiled(example, "rcp", PolicyKind.RESOURCE_CONTROL),
        vpc_endpoint=next(iter(compiled(example, "endpoint", PolicyKind.VPC_ENDPOINT)), None),
    )
    for asked, allowed in outcomes(example):
        principal = Principal.parse(asked["caller"], tags=asked.get("tags"), org_id=asked.get("org"))
        resource = asked.get("resource", KEY)
        account = resource.split(":")[4] if resource != "*" else ""
        context = lookup(asked.get("context", {}), principal)
        decision = evaluate(Request(principal, asked["action"], resource, account, context), policies)
        assert decision.allowed is allowed, "\n".join([str(asked), *map(str, decision.explain())])
