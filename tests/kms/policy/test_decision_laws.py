"""The laws of decisions, for any policies of a small vocabulary."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from pytest_kmsmock._kms.policy import (
    ApplicableGrant,
    Denial,
    Match,
    Policies,
    PolicyKind,
    Principal,
    Request,
    compile_policy,
    evaluate,
)

ACCOUNT = "111122223333"
OTHER = "444455556666"
KEY = f"arn:aws:kms:us-west-2:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
USER = f"arn:aws:iam::{ACCOUNT}:user/Alice"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Reader"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/Reader/build"
FEDERATED = f"arn:aws:sts::{ACCOUNT}:federated-user/Eve"
STRANGER = f"arn:aws:iam::{OTHER}:user/Bob"


GRANT = ApplicableGrant("g", Match.DIRECT, ACCOUNT)


def given_by(grant):
    return () if grant is None else (grant,)


def policy(kind, statements):
    return compile_policy(json.dumps({"Version": "2012-10-17", "Statement": statements}), kind)


def statement(principal, effect, action, resource, condition):
    found = {"Effect": effect, "Action": action, "Resource": resource, "Condition": condition}
    return found if principal is None else found | {"Principal": principal if principal == "*" else {"AWS": principal}}


# Statements vary in effect, action, resource, principal and condition; the context in one key.
ACTIONS = st.sampled_from(["kms:*", "kms:Encrypt", "kms:Decrypt", "kms:?ncrypt", "s3:*"])
RESOURCES = st.sampled_from(["*", KEY, "arn:aws:kms:*:*:key/*", "arn:aws:kms:*:*:alias/*"])
CONDITIONS = st.sampled_from(
    [{}, {"Bool": {"aws:k": "true"}}, {"StringNotEquals": {"aws:k": "true"}}, {"Null": {"aws:k": "true"}},
     {"ForAllValues:StringEquals": {"aws:k": ["true"]}}]
)  # fmt: skip
CALLERS = st.sampled_from([USER, ROOT, SESSION, FEDERATED, STRANGER]).map(Principal.parse)
PRINCIPALS = st.sampled_from(["*", USER, ROOT, ROLE, SESSION, FEDERATED, STRANGER, OTHER])


def statements_of(effects, *, principals):
    effect = st.sampled_from(effects)
    return st.builds(statement, PRINCIPALS if principals else st.none(), effect, ACTIONS, RESOURCES, CONDITIONS)


BOTH = ["Allow", "Deny"]
KEY_STATEMENTS = st.lists(statements_of(BOTH, principals=True), min_size=1, max_size=4)
IDENTITY_STATEMENTS = st.lists(statements_of(BOTH, principals=False), min_size=1, max_size=3)
CONTEXTS = st.sampled_from([None, ("true",), ("false",), ("true", "false"), ()])


def decide(caller, context, key_statements, identity_statements, grant=None):
    request = Request(caller, "kms:Encrypt", KEY, ACCOUNT, {"aws:k": context}.get)
    policies = Policies((policy(PolicyKind.KEY, key_statements),), (policy(PolicyKind.IDENTITY, identity_statements),))
    return evaluate(request, policies, lambda: given_by(grant))


def allowed(*case, **options):
    return decide(*case, **options).allowed


@given(CALLERS, CONTEXTS, KEY_STATEMENTS, IDENTITY_STATEMENTS, statements_of(["Deny"], principals=True))
def test_adding_a_deny_never_allows(caller, context, in_key, in_identity, deny):
    if allowed(caller, context, [*in_key, deny], in_identity):
        assert allowed(caller, context, in_key, in_identity)


@given(CALLERS, CONTEXTS, KEY_STATEMENTS, IDENTITY_STATEMENTS, statements_of(["Allow"], principals=True))
def test_adding_an_allow_never_denies(caller, context, in_key, in_identity, allow):
    if allowed(caller, context, in_key, in_identity):
        assert allowed(caller, context, [*in_key, allow], in_identity)


@given(CALLERS, CONTEXTS, KEY_STATEMENTS, IDENTITY_STATEMENTS, st.randoms(use_true_random=False))
def test_the_order_of_statements_is_irrelevant(caller, context, in_key, in_identity, random):
    expected = allowed(caller, context, in_key, in_identity)
    random.shuffle(in_key)
    random.shuffle(in_identity)
    assert allowed(caller, context, in_key, in_identity) is expected


@given(CALLERS, CONTEXTS, KEY_STATEMENTS, IDENTITY_STATEMENTS)
def test_a_grant_never_denies(caller, context, in_key, in_identity):
    if allowed(caller, context, in_key, in_identity):
        assert allowed(caller, context, in_key, in_identity, grant=GRANT)


@given(CALLERS, CONTEXTS, KEY_STATEMENTS, IDENTITY_STATEMENTS)
def test_an_explanation_agrees_with_the_decision(caller, context, in_key, in_identity):
    decision = decide(caller, context, in_key, in_identity)
    steps = decision.explain()
    assert steps[-1].matched is decision.allowed
    explicit = decision.denial in {Denial.RESOURCE_EXPLICIT, Denial.IDENTITY_EXPLICIT}
    if any(step.matched and step.text.startswith("denies") for step in steps[:-1]):
        assert explicit or decision.denial is Denial.OTHER_ACCOUNT
    else:
        assert not explicit


# What a decision may be asked about: caller, action, resource, owner, context, and the grant that there is.
ASKED = st.tuples(
    CALLERS,
    st.sampled_from(["kms:Encrypt", "kms:Decrypt"]),
    st.sampled_from([KEY, KEY.replace("1234abcd", "abcd1234"), "*"]),
    st.sampled_from([ACCOUNT, OTHER, ""]),
    CONTEXTS,
    st.sampled_from([None, GRANT]),
)


@given(st.lists(ASKED, min_size=2, max_size=6), KEY_STATEMENTS, IDENTITY_STATEMENTS, st.booleans())
def test_earlier_decisions_do_not_change_a_decision(asked, in_key, in_identity, has_key):
    def policies():
        of_key = (policy(PolicyKind.KEY, in_key),) if has_key else ()
        return Policies(of_key, (policy(PolicyKind.IDENTITY, in_identity),))

    def denial(by, caller, action, resource, owner, context, grant):
        return evaluate(
            Request(caller, action, resource, owner, {"aws:k": context}.get), by, lambda: given_by(grant)
        ).denial

    remembering = policies()
    assert [denial(remembering, *case) for case in asked] == [denial(policies(), *case) for case in asked]
