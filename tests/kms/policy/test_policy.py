from __future__ import annotations

import json
import sys
import time

import pytest

from pytest_kmsmock._kms.policy import Match, PolicyKind, Principal, compile_policy
from pytest_kmsmock._kms.policy import policy as policy_module

ACCOUNT = "111122223333"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ALICE = Principal.parse(f"arn:aws:iam::{ACCOUNT}:user/Alice")


def compiled(*statements, kind=PolicyKind.IDENTITY):
    return compile_policy(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}), kind)


def allows(policy, action="kms:Encrypt", resource=KEY, **context):
    return policy.allows(ALICE, action, resource, context.get)


def denies(policy, action="kms:Encrypt", resource=KEY, **context):
    return policy.denies(ALICE, action, resource, context.get)


def allow(**changes):
    statement = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"} | changes
    return {name: value for name, value in statement.items() if value is not ...}


def test_compiled_policies_are_cached():
    text = json.dumps({"Statement": allow()})
    assert compile_policy(text, PolicyKind.IDENTITY) is compile_policy(text, PolicyKind.IDENTITY)
    assert compile_policy(text, PolicyKind.IDENTITY) is not compile_policy(text, PolicyKind.SERVICE_CONTROL)


@pytest.mark.parametrize(
    ("changes", "action", "allowed"),
    [
        pytest.param({}, "kms:Encrypt", True, id="wildcard"),
        pytest.param({"Action": "KMS:encrypt"}, "kms:Encrypt", True, id="actions are not case-sensitive"),
        pytest.param({"Action": "kms:GenerateDataKey*"}, "kms:GenerateDataKeyPair", True, id="verb"),
        pytest.param({"Action": "kms:?ncrypt"}, "kms:Encrypt", True, id="one character"),
        pytest.param({"Action": ["kms:Sign", "kms:Verify"]}, "kms:Verify", True, id="list"),
        pytest.param({"Action": "*"}, "kms:Encrypt", True, id="everything"),
        pytest.param({"Action": "s3:*"}, "kms:Encrypt", False, id="another service"),
        pytest.param({"Action": ..., "NotAction": "kms:Delete*"}, "kms:Encrypt", True, id="not action"),
        pytest.param({"Action": ..., "NotAction": "kms:Enc*"}, "kms:Encrypt", False, id="not action, listed"),
        pytest.param({"Action": ..., "NotAction": "*"}, "kms:Encrypt", False, id="not everything"),
    ],
)
def test_a_statement_covers_actions(changes, action, allowed):
    assert bool(allows(compiled(allow(**changes)), action)) is allowed


@pytest.mark.parametrize(
    ("changes", "resource", "allowed"),
    [
        pytest.param({"Resource": KEY}, KEY, True, id="key ARN"),
        pytest.param({"Resource": KEY.replace("key", "KEY")}, KEY, False, id="resources are case-sensitive"),
        pytest.param({"Resource": "arn:aws:kms:*:111122223333:key/*"}, KEY, True, id="wildcards"),
        pytest.param({"Resource": "arn:aws:kms:us-west-2:*"}, KEY, False, id="another Region"),
        pytest.param({"Resource": ["arn:aws:s3:::b", KEY]}, KEY, True, id="list"),
        pytest.param({"Resource": "arn:aws:kms:*:*:key/*"}, "*", False, id="no resource"),
        pytest.param({"Resource": "*"}, "*", True, id="no resource, everything"),
        pytest.param({"Resource": ..., "NotResource": "arn:aws:kms:*:*:alias/*"}, KEY, True, id="not resource"),
        pytest.param({"Resource": ..., "NotResource": ["*"]}, KEY, False, id="not everything"),
        pytest.param({"Resource": ..., "NotResource": KEY}, KEY, False, id="not resource, listed"),
    ],
)
def test_a_statement_covers_resources(changes, resource, allowed):
    assert bool(allows(compiled(allow(**changes)), resource=resource)) is allowed


@pytest.mark.parametrize(
    ("element", "name", "allowed"),
    [
        ("Resource", "1234abcd-12ab-34cd-56ef-1234567890ab", True),
        ("Resource", "other", False),
        ("Resource", None, False),
        ("NotResource", "1234abcd-12ab-34cd-56ef-1234567890ab", False),
        ("NotResource", "other", True),
        # IAM User Guide: an entry with a variable that has no value "will not match any resource".
        ("NotResource", None, True),
    ],
)
def test_a_resource_may_have_variables(element, name, allowed):
    changes = {"Resource": ..., element: "arn:aws:kms:us-east-1:111122223333:key/${aws:PrincipalTag/key}"}
    context = {} if name is None else {"aws:principaltag/key": (name,)}
    assert bool(allows(compiled(allow(**changes)), **context)) is allowed


def test_version_2008_has_no_variables():
    text = json.dumps({"Statement": allow(Resource="arn:aws:kms:::${aws:username}")})
    policy = compile_policy(text, PolicyKind.IDENTITY)
    assert policy.allows(ALICE, "kms:Encrypt", "arn:aws:kms:::${aws:username}", {}.get)
    assert not policy.allows(ALICE, "kms:Encrypt", "arn:aws:kms:::Alice", {"aws:username": ("Alice",)}.get)


@pytest.mark.parametrize(
    ("changes", "context", "denied"),
    [
        pytest.param({}, {}, True, id="always"),
        pytest.param({"Action": "kms:Decrypt"}, {}, False, id="another action"),
        pytest.param({"Resource": "arn:aws:s3:::*"}, {}, False, id="another resource"),
        pytest.param({"Condition": {"Bool": {"aws:k": "false"}}}, {"aws:k": ("false",)}, True, id="condition holds"),
        pytest.param({"Condition": {"Bool": {"aws:k": "false"}}}, {"aws:k": ("true",)}, False, id="condition fails"),
    ],
)
def test_a_policy_denies_whatever_else_it_allows(changes, context, denied):
    policy = compiled(allow(), allow(Effect="Deny", **changes))
    assert denies(policy, **context) is denied
    assert allows(policy, **context) is Match.DIRECT


def test_a_deny_allows_nothing():
    condition = {"Bool": {"aws:k": "true"}}
    for changes in ({}, {"Condition": condition}):
        policy = compiled(allow(Effect="Deny", **changes))
        assert allows(policy, **{"aws:k": ("true",)}) is Match.NONE


def test_the_context_is_read_only_if_it_decides():
    def unexpected(key):
        raise AssertionError(key)

    conditional = allow(Condition={"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}})
    policy = compiled(conditional, allow())
    assert policy.allows(ALICE, "kms:Encrypt", KEY, unexpected)
    assert not policy.denies(ALICE, "kms:Encrypt", KEY, unexpected)


def test_the_closest_statement_that_allows_counts():
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    alice = {"AWS": ALICE.arn}
    when = {"Bool": {"aws:k": "true"}}
    policy = compiled(allow(Principal=root), allow(Principal=alice, Condition=when), kind=PolicyKind.KEY)
    assert allows(policy) is Match.ACCOUNT
    assert allows(policy, **{"aws:k": ("true",)}) is Match.DIRECT


def test_the_policy_lists_the_principals_it_names():
    principal = {"AWS": [ALICE.arn, "444455556666", "*"], "Service": "s3.amazonaws.com"}
    policy = compiled(allow(Principal=principal), kind=PolicyKind.KEY)
    assert policy.principals == {ALICE.arn}
    assert policy.partitions == {"aws"}
    assert compiled(allow()).principals == compiled(allow()).partitions == frozenset()


@pytest.mark.parametrize(
    ("statements", "unconditional"),
    [
        pytest.param([{}], True, id="everything"),
        pytest.param([{"Action": "kms:Sign"}], True, id="another action"),
        pytest.param([{"Resource": "arn:aws:kms:*:*:key/*"}], False, id="some resources"),
        pytest.param([{"Condition": {"Bool": {"aws:k": "true"}}}], False, id="sometimes"),
        pytest.param([{"Condition": {"Bool": {"aws:k": "true"}}}, {}], True, id="always, and sometimes"),
        pytest.param([{}, {"Effect": "Deny"}], False, id="denied"),
    ],
)
def test_whether_resource_or_context_matter(statements, unconditional):
    policy = compiled(*(allow(**changes) for changes in statements))
    assert policy.is_unconditional(ALICE, "kms:Encrypt") is unconditional


def test_a_policy_limits_its_cache(monkeypatch):
    monkeypatch.setattr(policy_module, "_MAX_PLANS", 2)
    policy = compiled(allow(Sid="Forgets"))
    for action in ("kms:Encrypt", "kms:Decrypt", "kms:Sign", "kms:Encrypt"):
        assert allows(policy, action)
        assert len(policy._plans) <= 2


@pytest.mark.parametrize(
    "statements",
    [
        pytest.param([{"Action": f"kms:Do{i}", "Resource": f"arn:aws:kms:*:*:key/{i}*"} for i in range(1000)],
                     id="of different actions"),
        pytest.param([{"Condition": {"StringEquals": {"aws:k": f"v{i}"}}} for i in range(1000)],
                     id="of the same action"),
    ],
)  # fmt: skip
def test_a_thousand_statements_take_less_than_a_millisecond(statements):
    policy = compiled(*(allow(**changes) for changes in statements))
    took = []
    for _ in range(50):
        start = time.perf_counter()
        denies(policy, "kms:Do7")
        allows(policy, "kms:Do7", **{"aws:k": ("v999",)})
        took.append(time.perf_counter() - start)
    # Tools that watch each line, such as coverage, take more time than the code itself.
    assert min(took) < (0.001 if sys.gettrace() is None else 0.01)
