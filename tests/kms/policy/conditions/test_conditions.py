"""Every row's source is the IAM User Guide, "Condition operators" and "Multivalued context keys"."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_kmsmock._kms.policy.conditions import compile_condition
from pytest_kmsmock._kms.policy.conditions.operators import OPERATORS
from pytest_kmsmock._kms.policy.patterns import Variable, Wildcard

TAG = "aws:PrincipalTag/team"


def holds(operator, policy, request, *, key="k", variables=True, **others):
    values = policy if isinstance(policy, tuple) else (policy,)
    condition = compile_condition(operator, key, values, variables=variables)
    assert condition is not None
    context = {name.lower(): value for name, value in others.items()}
    if request is not None:
        context[key.lower()] = request if isinstance(request, tuple) else (request,)
    return condition.check(context.get)


MATCHING = [
    # operator, value of the policy, value of the request, whether the positive test matches
    ("StringEquals", "a", "a", True),
    ("StringEquals", "a", "A", False),
    ("StringEquals", "a*", "ab", False),
    ("StringEquals", "a*", "a*", True),
    ("StringEqualsIgnoreCase", "aB", "Ab", True),
    ("StringEqualsIgnoreCase", "a*", "ab", False),
    ("StringLike", "a*", "abc", True),
    ("StringLike", "a?c", "abc", True),
    ("StringLike", "a?c", "ac", False),
    ("StringLike", "?*", "a", True),
    ("StringLike", "?*", "", False),
    ("StringLike", "a?", "ab", True),
    ("StringLike", "a?", "abc", False),
    ("StringLike", "A*", "abc", False),
    ("StringLike", "arn:aws:someservice:*:111122223333:finance/*",
     "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt", True),
    ("ArnLike", "arn:aws:someservice:*:111122223333:finance/*",
     "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt", False),
    ("ArnEquals", "arn:aws:cloudtrail:*:111122223333:trail/*",
     "arn:aws:cloudtrail:us-west-2:111122223333:trail/finance", True),
    ("ArnLike", "arn:aws:iam::*:role/a:*", "arn:aws:iam::111122223333:role/a:b:c", True),
    ("ArnLike", "arn:aws:iam::1111?2223333:role/a", "arn:aws:iam::111122223333:role/a", True),
    ("ArnLike", "arn:aws:iam::111122223333:role/?", "arn:aws:iam::111122223333:role/ab", False),
    ("ArnLike", "arn:aws:iam::111122223333:role/A", "arn:aws:iam::111122223333:role/a", False),
    ("NumericEquals", "10", "10.0", True),
    ("NumericEquals", "10", "11", False),
    ("NumericEquals", "ten", "10", False),
    ("NumericEquals", "10", "ten", False),
    ("NumericEquals", "NaN", "NaN", False),
    ("NumericLessThan", "10", "9", True),
    ("NumericLessThan", "10", "10", False),
    ("NumericLessThanEquals", "1546257599.0", "1546257599", True),
    ("NumericGreaterThan", "-1", "0", True),
    ("NumericGreaterThan", "10", "10", False),
    ("NumericGreaterThanEquals", "10", "10", True),
    ("DateEquals", "2020-01-01", "2020-01-01T00:00:00Z", True),
    ("DateEquals", "2020", "2020-01-01T00:00Z", True),
    ("DateEquals", "2020-02", "2020-02-01", True),
    ("DateEquals", "2020-01-01T00:00:00Z", "1577836800", True),
    ("DateEquals", "2020-01-01T01:30:00+01:30", "1577836800", True),
    ("DateEquals", "2019-12-31T22:30:00-01:30", "1577836800", True),
    ("DateEquals", "2020-01-01T00:00:00.5Z", "1577836800.5", True),
    ("DateEquals", "2020-13-01", "2020-01-01", False),
    ("DateEquals", "yesterday", "2020-01-01", False),
    ("DateLessThan", "2020-06-30T23:59:59Z", "2020-06-30T23:59:58Z", True),
    ("DateLessThan", "2020-06-30T23:59:59Z", "2020-06-30T23:59:59Z", False),
    ("DateLessThanEquals", "2020-06-30T23:59:59Z", "2020-06-30T23:59:59Z", True),
    ("DateGreaterThan", "2020-04-01T00:00:00Z", "2020-04-01T00:00:01Z", True),
    ("DateGreaterThan", "2020-04-01T00:00:00Z", "2020-04-01T00:00:00Z", False),
    ("DateGreaterThanEquals", "2020-04-01T00:00:00Z", "2020-04-01T00:00:00Z", True),
    ("Bool", "true", "true", True),
    ("Bool", "True", "true", True),
    ("Bool", "false", "true", False),
    ("Bool", "yes", "yes", True),
    ("Bool", "yes", "true", False),
    ("BinaryEquals", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", True),
    ("BinaryEquals", "QUI=", "QUM=", False),
    ("BinaryEquals", "not base64!", "not base64!", False),
    ("BinaryEquals", "QUI=", "é", False),
    ("IpAddress", "2001:db8::1", "2001:db8::1", True),
    ("IpAddress", "2001:db8::1", "2001:db8::2", False),
    ("IpAddress", "203.0.113.0/24", "203.0.113.77", True),
    ("IpAddress", "203.0.113.0/24", "203.0.114.1", False),
    ("IpAddress", "203.0.113.5", "203.0.113.5", True),
    ("IpAddress", "203.0.113.5/24", "203.0.113.9", True),
    ("IpAddress", "2001:DB8:1234:5678::/64", "2001:db8:1234:5678::1", True),
    ("IpAddress", "2001:DB8:1234:5678::/64", "203.0.113.5", False),
    ("IpAddress", "everywhere", "203.0.113.5", False),
    ("IpAddress", "10.0.0.0/8", "10.0.0.0.1", False),
    ("IpAddress", "2001:db8::/64", "2001:db8", False),
    ("IpAddress", "fe80::/10", "fe80::1%eth0", False),
]  # fmt: skip
NEGATIONS = {
    "StringEquals": "StringNotEquals",
    "StringEqualsIgnoreCase": "StringNotEqualsIgnoreCase",
    "StringLike": "StringNotLike",
    "NumericEquals": "NumericNotEquals",
    "DateEquals": "DateNotEquals",
    "IpAddress": "NotIpAddress",
    "ArnEquals": "ArnNotEquals",
    "ArnLike": "ArnNotLike",
}
SAME = {"ArnEquals": "ArnLike", "ArnLike": "ArnEquals"}


def comparable(operator, request_value):
    """Say whether an operator compares a value: what is no address and no ARN meets the negation neither."""
    test = OPERATORS[operator].comparable
    return test is None or test(request_value)


@pytest.mark.parametrize(("operator", "policy", "request_value", "expected"), MATCHING)
def test_an_operator_compares_the_request_with_the_policy(operator, policy, request_value, expected):
    assert holds(operator, policy, request_value) is expected
    assert holds(operator + "IfExists", policy, request_value) is expected
    assert holds("ForAllValues:" + operator, policy, request_value) is expected
    assert holds("ForAnyValue:" + operator, policy, request_value) is expected
    if operator in NEGATIONS:
        assert holds(NEGATIONS[operator], policy, request_value) is (
            not expected and comparable(operator, request_value)
        )
    if operator in SAME:
        assert holds(SAME[operator], policy, request_value) is expected


# IAM User Guide, "ARN condition operators": six components. Observed of "not-an-arn" (test_observed_conditions).
@pytest.mark.parametrize("value", ["arn:aws:iam::111122223333", "urn:aws:iam::111122223333:group/a", "a:b:c:d:e:f"])
def test_what_is_no_arn_meets_neither_an_arn_operator_nor_its_negation(value):
    assert holds("ArnNotLike", "arn:aws:iam::*:user/*", value) is False
    assert holds("ArnLike", "arn:aws:iam::*:*", value) is False


def test_the_table_has_every_operator_of_the_iam_guide():
    documented = set(NEGATIONS) | set(NEGATIONS.values()) | {row[0] for row in MATCHING} | {"Null"}
    assert set(OPERATORS) == documented


@pytest.mark.parametrize("operator", sorted(set(OPERATORS) - {"Null"}))
def test_an_absent_key_fails_positive_operators_and_meets_negated_ones(operator):
    negated = "Not" in operator
    assert holds(operator, "x", None) is negated
    assert holds(operator + "IfExists", "x", None) is True
    assert holds("ForAllValues:" + operator, "x", None) is True
    assert holds("ForAnyValue:" + operator, "x", None) is False
    # repost.aws QU9HFmDzP0QGuU-fd7rS6B7w: a role with ForAnyValue:StringEqualsIfExists alone may do nothing.
    assert holds("ForAnyValue:" + operator + "IfExists", "x", None) is False


def test_several_values_of_the_policy_are_alternatives():
    assert holds("StringEquals", ("a", "b"), "b")
    assert not holds("StringEquals", ("a", "b"), "c")


def test_several_values_of_a_negated_operator_are_none_of_them():
    assert not holds("StringNotEquals", ("a", "b"), "b")
    assert holds("StringNotEquals", ("a", "b"), "c")


def test_no_value_in_the_policy_matches_nothing():
    assert not holds("StringEquals", (), "a")
    assert holds("StringNotEquals", (), "a")


@pytest.mark.parametrize(
    ("operator", "request_values", "expected"),
    [
        # IAM User Guide, the DynamoDB table of "Evaluation logic for condition set operators".
        pytest.param("ForAllValues:StringLike", ("PostDateTime", "UserName"), False, id="all: one is not listed"),
        pytest.param("ForAllValues:StringLike", ("PostDateTime", "Tags"), True, id="all: all are listed"),
        pytest.param("ForAllValues:StringLike", (), True, id="all: none requested"),
        pytest.param("ForAnyValue:StringLike", ("UserName", "PostDateTime"), True, id="any: one is listed"),
        pytest.param("ForAnyValue:StringLike", ("UserName",), False, id="any: none is listed"),
        pytest.param("ForAnyValue:StringLike", (), False, id="any: none requested"),
        pytest.param("ForAllValues:StringNotLike", ("UserName", "ID"), True, id="all not: none is listed"),
        pytest.param("ForAllValues:StringNotLike", ("UserName", "Tags"), False, id="all not: one is listed"),
        pytest.param("ForAnyValue:StringNotLike", ("UserName", "Tags"), True, id="any not: one is not listed"),
        pytest.param("ForAnyValue:StringNotLike", ("Message", "Tags"), False, id="any not: all are listed"),
        pytest.param("ForAnyValue:StringLikeIfExists", (), False, id="any if exists: present but empty"),
    ],
)
def test_set_operators_quantify_over_the_values_of_the_request(operator, request_values, expected):
    assert holds(operator, ("PostDateTime", "Message", "Tags"), request_values) is expected


@pytest.mark.parametrize(
    ("policy", "request_value", "expected"),
    [
        pytest.param("true", None, True, id="wants no key, none there"),
        pytest.param("true", "x", False, id="wants no key, one there"),
        pytest.param("false", "x", True, id="wants a key, one there"),
        pytest.param("false", None, False, id="wants a key, none there"),
        pytest.param("false", (), False, id="wants a key, one without value there"),
        pytest.param("maybe", None, False, id="no boolean"),
        pytest.param(("true", "false"), None, True, id="either"),
    ],
)
def test_null_asks_whether_the_key_is_there(policy, request_value, expected):
    assert holds("Null", policy, request_value) is expected


@pytest.mark.parametrize(
    "name",
    ["", "Equals", "stringequals", "NullIfExists", "ForSomeValues:StringEquals", "ForAllValues:", "StringEquals "],
)
def test_an_operator_that_iam_does_not_document_is_unknown(name):
    assert compile_condition(name, "k", ("v",), variables=True) is None


@pytest.mark.parametrize("key", ["kms:EncryptionContext:AppName", "KMS:encryptioncontext:APPNAME"])
def test_the_key_is_not_case_sensitive_and_the_value_is(key):
    # KMS Developer Guide, "Case sensitivity of the encryption context condition"
    condition = compile_condition("StringEquals", key, ("ExampleApp",), variables=True)
    assert condition is not None
    assert condition.check({"kms:encryptioncontext:appname": ("ExampleApp",)}.get)
    assert not condition.check({"kms:encryptioncontext:appname": ("exampleapp",)}.get)


@pytest.mark.parametrize(
    ("operator", "policy", "request_value", "team", "expected"),
    [
        pytest.param("StringEquals", "${aws:PrincipalTag/team}", "red", "red", True, id="equal"),
        pytest.param("StringEquals", "${aws:PrincipalTag/team}", "red", "blue", False, id="different"),
        pytest.param("StringLike", "x-${aws:PrincipalTag/team}-*", "x-red-1", "red", True, id="within a pattern"),
        pytest.param("StringNotEquals", "${aws:PrincipalTag/team}", "red", "blue", True, id="negated"),
        pytest.param("StringEquals", ("a", "${aws:PrincipalTag/team}"), "a", "red", True, id="beside a literal"),
        pytest.param("StringEquals", "${aws:PrincipalTag/team, 'red'}", "red", None, True, id="default"),
        pytest.param("StringEquals", "${aws:PrincipalTag/team}", "red", None, False, id="no value"),
        pytest.param("StringNotEquals", "${aws:PrincipalTag/team}", "red", None, True, id="no value, negated"),
        pytest.param("ForAllValues:StringEquals", "${aws:PrincipalTag/team}", "red", None, False, id="no value, all"),
        pytest.param("ForAnyValue:StringNotEquals", "${aws:PrincipalTag/team}", "red", None, True, id="no value, any"),
        pytest.param("StringNotEquals", ("${aws:PrincipalTag/team}", "red"), "red", None, False,
                     id="no value, beside a literal that matches"),
        pytest.param("StringEquals", ("${aws:PrincipalTag/team}", "red"), "red", None, True,
                     id="no value, beside a literal"),
        pytest.param("ArnNotLike", "arn:aws:iam::*:role/${aws:PrincipalTag/team}", "arn:aws:iam::1:role/red", None,
                     True, id="no value in an arn, negated"),
        pytest.param("Bool", "${aws:PrincipalTag/team}", "false", None, False, id="no value, bool"),
        pytest.param("ForAllValues:StringEquals", "${aws:PrincipalTag/team}", ("red", "red"), "red", True, id="all"),
        pytest.param("ArnLike", "arn:aws:iam::*:role/${aws:PrincipalTag/team}", "arn:aws:iam::1:role/red", "red", True,
                     id="arn"),
        pytest.param("NumericEquals", "${aws:PrincipalTag/team}", "1", "1", False, id="not with numbers"),
        pytest.param("IpAddress", "${aws:PrincipalTag/team}", "10.0.0.1", "10.0.0.1", False, id="not with addresses"),
    ],
)  # fmt: skip
def test_variables_act_with_string_and_arn_operators(operator, policy, request_value, team, expected):
    others = {} if team is None else {TAG: (team,)}
    assert holds(operator, policy, request_value, **others) is expected


def test_variables_do_not_act_in_version_2008():
    assert holds("StringEquals", "${aws:username}", "${aws:username}", variables=False)


@settings(deadline=None)
@given(
    st.sampled_from(sorted(OPERATORS)),
    st.lists(st.text(max_size=12), max_size=3),
    st.none() | st.lists(st.text(max_size=12), max_size=3),
)
def test_any_value_gives_an_answer(operator, policy, request_values):
    answer = holds(operator, tuple(policy), None if request_values is None else tuple(request_values))
    assert answer in (True, False) or ("Arn" in operator and answer is None)


VIA = "StringEquals kms:ViaService: the policy says 'a', 'b', the request "
TEAM = "StringEquals aws:ResourceTag/team: the policy says "


@pytest.mark.parametrize(
    ("key", "policy", "context", "expected"),
    [
        ("kms:ViaService", ("a", "b"), {}, f"{VIA}does not have it"),
        ("kms:ViaService", ("a", "b"), {"kms:viaservice": ("c",)}, f"{VIA}has 'c'"),
        ("kms:ViaService", ("a", "b"), {"kms:viaservice": ()}, f"{VIA}has no value"),
        (
            "kms:ViaService", (), {"kms:viaservice": ("c",)},
            "StringEquals kms:ViaService: the policy says nothing, the request has 'c'",
        ),
        (
            "aws:ResourceTag/team", ("${aws:PrincipalTag/team}",),
            {"aws:resourcetag/team": ("red",), TAG.lower(): ("blue",)},
            f"{TEAM}'${{aws:PrincipalTag/team}}' ('blue'), the request has 'red'",
        ),
        (
            "aws:ResourceTag/team", ("${aws:PrincipalTag/team}",), {"aws:resourcetag/team": ("red",)},
            f"{TEAM}'${{aws:PrincipalTag/team}}' (a variable without a value), the request has 'red'",
        ),
        (
            "aws:TagKeys", ("team",), {"aws:tagkeys": ("team",)},
            "StringEquals aws:TagKeys: the policy says 'team', the request has 'team'; a key of several values needs "
            "ForAllValues or ForAnyValue",
        ),
        (
            "saml:groups", ("team",), {"saml:groups": ("team", "other")},
            "StringEquals saml:groups: the policy says 'team', the request has 'team', 'other'; a key of several "
            "values needs ForAllValues or ForAnyValue",
        ),
    ],
)  # fmt: skip
def test_a_condition_describes_the_values_of_policy_and_request(key, policy, context, expected):
    condition = compile_condition("StringEquals", key, policy, variables=True)
    assert condition is not None
    assert condition.describe(context.get) == expected


@pytest.mark.parametrize("operator", ["ForAnyValue:StringEquals", "ForAllValues:StringLike", "Null"])
def test_no_set_operator_is_suggested_where_there_is_one_or_none_is_needed(operator):
    condition = compile_condition(operator, "aws:TagKeys", ("team",), variables=True)
    assert condition is not None
    described = condition.describe({"aws:tagkeys": ("team", "env")}.get)
    assert described == f"{operator} aws:TagKeys: the policy says 'team', the request has 'team', 'env'"


@pytest.mark.parametrize("operator", OPERATORS)
def test_which_operators_have_variables_and_wildcards(operator):
    """IAM User Guide, "Condition operators": each has a row "Policy variables"; wildcards are of Like and ARNs."""
    condition = compile_condition(operator, "aws:k", (f"arn:aws:iam::1:user/${{{TAG}}}*",), variables=True)
    assert condition is not None
    ((*_, last),) = condition.templates
    parts = condition.templates[0]
    assert any(isinstance(part, Variable) for part in parts) is operator.startswith(("String", "Arn", "Bool"))
    assert (last is Wildcard.MANY) is (operator.startswith("Arn") or operator.endswith("Like"))


@pytest.mark.parametrize(
    "key",
    [
        # IAM User Guide, "Global condition keys"; ArrayOfString in the Service Authorization Reference of KMS
        "aws:CalledVia", "aws:PrincipalOrgPaths", "aws:PrincipalServiceNamesList", "aws:ResourceOrgPaths",
        "aws:SourceOrgPaths", "aws:TagKeys", "aws:VpceOrgPaths", "kms:EncryptionContextKeys", "kms:GrantOperations",
        "kms:ResourceAliases",
    ],
)  # fmt: skip
def test_multivalued_keys_need_a_set_operator(key):
    # Observed on AWS with aws:TagKeys, September 2026
    assert holds("ForAnyValue:StringEquals", "a", "a", key=key) is True
    for operator in ("StringEquals", "StringNotEquals", "StringEqualsIfExists"):
        assert holds(operator, "a", "a", key=key) is False
        assert holds(operator, "b", "a", key=key) is False
    assert holds("StringEquals", f"${{{key}}}", "a", **{key: ("a",)}) is False


@pytest.mark.parametrize("operator", ["StringEquals", "StringNotEquals"])
def test_two_values_of_any_other_key_need_a_set_operator_too(operator):
    assert holds(operator, "a", ("a", "b"), key="saml:groups") is False
    assert holds(f"ForAnyValue:{operator}", "a", ("a", "b"), key="saml:groups") is True


def test_a_pattern_that_may_be_no_arn_is_not_blamed_if_it_is_one():
    condition = compile_condition("ArnLike", "aws:PrincipalArn", ("${aws:PrincipalTag/arn}",), variables=True)
    assert condition is not None
    role = "arn:aws:iam::111122223333:role/a"
    described = condition.describe({"aws:principalarn": (role,), "aws:principaltag/arn": (role,)}.get)
    assert described.endswith(f"the request has '{role}'")
