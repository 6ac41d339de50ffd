"""The format in which KMS stores key policies: recorded policies, and properties for any policy."""

from __future__ import annotations

import json
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_kmsmock._kms.policy import (
    Policies,
    Principal,
    Request,
    compile_policy,
    console_key_policy,
    default_key_policy,
    evaluate,
)
from pytest_kmsmock._kms.policy.key_policy_format import _hash_bucket, format_key_policy

OWNER, OTHER = "644160558196", "111122223333"
ROOT = f"arn:aws:iam::{OWNER}:root"
ROLE = f"arn:aws:iam::{OWNER}:role/app"

#: GetKeyPolicy after the policy below had been put: cloud-custodian, `test_cross_account_kms` (2018).
RECORDED = """{
  "Version" : "2012-10-17",
  "Id" : "Lulu",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws:iam::644160558196:root"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  }, {
    "Sid" : "Enable Cross Account",
    "Effect" : "Allow",
    "Principal" : "*",
    "Action" : "kms:Encrypt",
    "Resource" : "*"
  } ]
}"""


def test_the_recorded_policy():
    put = {
        "Id": "Lulu",
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Enable IAM User Permissions", "Effect": "Allow", "Principal": {"AWS": [OWNER]},
                "Action": "kms:*", "Resource": "*",
            },
            {
                "Sid": "Enable Cross Account", "Effect": "Allow", "Principal": "*", "Action": ["kms:Encrypt"],
                "Resource": ["*"],
            },
        ],
    }  # fmt: skip
    assert format_key_policy(json.dumps(put), "aws") == RECORDED


def test_the_default_policy_comes_out_byte_for_byte():
    text = default_key_policy(OWNER)
    assert format_key_policy(text, "aws") == text
    assert format_key_policy(json.dumps(json.loads(text), sort_keys=True), "aws") == text


def test_the_policies_of_the_console_come_out_byte_for_byte():
    text = console_key_policy(OWNER, administrators=[ROLE], users=[ROLE, ROOT], other_accounts=[OTHER])
    assert format_key_policy(text, "aws") == text


def element(condition):
    """Return the Condition of a policy as KMS writes it."""
    statement = {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*", "Condition": condition}
    return json.loads(format_key_policy(json.dumps({"Statement": statement}), "aws"))["Statement"][0]["Condition"]


@pytest.mark.parametrize(
    ("names", "source"),
    [
        (["kms:CallerAccount", "kms:ViaService"], "cloud-custodian, test_cross_account_kms_condition_keys_1 (2022)"),
        (
            ["kms:EncryptionContext:aws:ses:rule-name", "kms:EncryptionContext:aws:ses:message-id"],
            "FogSecurity/aws-managed-kms-keys, ses (2025)",
        ),
    ],
)
def test_the_order_of_condition_keys(names, source):
    for order in (names, names[::-1]):
        assert list(element({"StringEquals": dict.fromkeys(order, "x")})["StringEquals"]) == names, source


@pytest.mark.parametrize(
    "operators",
    [
        ["StringEquals", "ForAllValues:StringEquals", "Bool"],
        ["StringEquals", "StringLike"],
        ["StringEquals", "Null"],
        ["StringEquals", "ArnLike"],
    ],
)
def test_the_order_of_operators(operators):
    """FogSecurity/aws-managed-kms-keys (2025): acm, dynamodb, ses, sns."""
    for order in (operators, operators[::-1]):
        assert list(element({operator: {"aws:SourceArn": "true"} for operator in order})) == operators


@pytest.mark.parametrize(
    ("text", "hashed"),
    [
        ("hello", 99162322),
        ("Aa", 2112),
        ("BB", 2112),  # the textbook collision
        ("", 0),
        ("\U0001f600", 31 * 0xD83D + 0xDE00),
    ],
)
def test_buckets_are_those_of_javas_hash_table(text, hashed):
    """The values of `java.lang.String.hashCode` are well known; `java.util.HashMap` folds them."""
    for size in (16, 32, 1 << 32):
        assert _hash_bucket(text, size) == (hashed ^ hashed >> 16) % size


def test_a_larger_hash_table_has_more_buckets():
    """Java's HashMap of up to 12 entries has 16 places, of up to 24 entries 32. Inferred."""
    # The first two are in the other order in 32 places.
    keys = ["kms:ViaService", "aws:SourceArn", *(f"kms:EncryptionContext:{letter}" for letter in "abcdefghijklmnopqr")]
    for count, size in ((2, 16), (12, 16), (13, 32), (20, 32)):
        shown = list(element({"StringEquals": dict.fromkeys(keys[:count], "x")})["StringEquals"])
        assert shown == sorted(keys[:count], key=lambda key: _hash_bucket(key, size))


def test_condition_values_are_strings():
    condition = {"Bool": {"aws:SecureTransport": True}, "NumericLessThan": {"aws:MultiFactorAuthAge": [300, 0.5]}}
    assert element(condition) == {
        "Bool": {"aws:SecureTransport": "true"},
        "NumericLessThan": {"aws:MultiFactorAuthAge": ["300", "0.5"]},
    }


def test_account_ids_become_arns_of_the_partition():
    statement = {"Effect": "Deny", "NotPrincipal": {"AWS": [OWNER, ROLE], "Service": ["s3.amazonaws.com"]}}
    text = format_key_policy(
        json.dumps({"Statement": [statement | {"Action": "kms:*", "Resource": "*", "Sid": None}]}), "aws-cn"
    )
    (shown,) = json.loads(text)["Statement"]
    assert shown["NotPrincipal"] == {"AWS": [f"arn:aws-cn:iam::{OWNER}:root", ROLE], "Service": "s3.amazonaws.com"}
    assert "Sid" not in shown


def test_empty_lists_and_objects():
    """Accepted without effect (API reference, PutKeyPolicy). How KMS writes them is inferred from its JSON writer."""
    statement = {"Effect": "Allow", "Principal": "*", "Action": [], "Resource": "*", "Condition": {}}
    text = format_key_policy(json.dumps({"Statement": statement}), "aws")
    assert '"Action" : [ ]' in text
    assert '"Condition" : { }' in text


# --- laws ---------------------------------------------------------------------------------------------------------


def one_or_more(values):
    return st.one_of(values, st.lists(values, min_size=1, max_size=3, unique=True))


NAMES = st.sampled_from([OWNER, ROOT, ROLE, OTHER, f"arn:aws:iam::{OTHER}:user/Bob", "*"])
PRINCIPALS = st.one_of(
    st.just("*"),
    st.fixed_dictionaries(
        {"AWS": one_or_more(NAMES)},
        optional={"Service": one_or_more(st.sampled_from(["s3.amazonaws.com", "sns.amazonaws.com"]))},
    ),
)
KEYS = st.sampled_from(["kms:ViaService", "kms:CallerAccount", "aws:PrincipalArn", "aws:k"])
VALUES = st.one_of(st.booleans(), st.sampled_from([OTHER, OWNER, 'é " \\ \n', "s3.us-east-1.amazonaws.com"]))
CONDITIONS = st.dictionaries(
    st.sampled_from(["StringEquals", "StringNotEquals", "StringLike", "ForAnyValue:StringEquals", "Null", "Bool"]),
    st.dictionaries(KEYS, one_or_more(VALUES), min_size=1),
    max_size=3,
)


@st.composite
def statements(draw):
    made = {
        "Effect": draw(st.sampled_from(["Allow", "Deny"])),
        draw(st.sampled_from(["Principal", "NotPrincipal"])): draw(PRINCIPALS),
        draw(st.sampled_from(["Action", "NotAction"])): draw(
            one_or_more(st.sampled_from(["kms:*", "kms:Encrypt", "kms:Describe*", "s3:*"]))
        ),
        draw(st.sampled_from(["Resource", "NotResource"])): draw(one_or_more(st.sampled_from(["*", "arn:aws:kms:*"]))),
    }
    if draw(st.booleans()):
        made["Sid"] = draw(st.text(st.characters(max_codepoint=255, exclude_categories=("Cc", "Cs"))))
    if draw(st.booleans()):
        made["Condition"] = draw(CONDITIONS)
    return dict(draw(st.permutations(list(made.items()))))


POLICIES = st.fixed_dictionaries(
    {"Statement": st.one_of(statements(), st.lists(statements(), min_size=1, max_size=3))},
    optional={"Version": st.sampled_from(["2008-10-17", "2012-10-17"]), "Id": st.text(max_size=5)},
).map(json.dumps)


def meaning(value, name=""):
    """Return JSON without what KMS does not keep: lists of one, account ids, types of values."""
    if isinstance(value, dict):
        return {key: meaning(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [meaning(item, name) for item in value]
    if isinstance(value, bool):
        return [str(value).lower()]
    if name == "AWS" and value in (OWNER, OTHER):
        return [f"arn:aws:iam::{value}:root"]
    return [value]


def flat(value):
    if isinstance(value, dict):
        return {key: flat(item) for key, item in value.items()}
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict | list):
        return flat(value[0])
    return [flat(item) for item in value] if isinstance(value, list) else value


@given(POLICIES)
def test_formatting_keeps_the_meaning(text):
    assert flat(meaning(json.loads(format_key_policy(text, "aws")))) == flat(meaning(json.loads(text)))


@given(POLICIES)
def test_formatting_twice_changes_nothing(text):
    once = format_key_policy(text, "aws")
    assert format_key_policy(once, "aws") == once


@given(POLICIES)
def test_decisions_are_the_same(text):
    before, after = compile_policy(text), compile_policy(format_key_policy(text, "aws"))
    context = {"kms:calleraccount": (OWNER,), "aws:k": (OTHER,)}.get
    for caller, action in product((ROOT, ROLE, f"arn:aws:iam::{OTHER}:user/Bob"), ("kms:Encrypt", "kms:DescribeKey")):
        request = Request(Principal.parse(caller), action, f"arn:aws:kms:us-east-1:{OWNER}:key/k", OWNER, context)
        decided = [evaluate(request, Policies(key=(policy,))).denial for policy in (before, after)]
        assert decided[0] is decided[1]
