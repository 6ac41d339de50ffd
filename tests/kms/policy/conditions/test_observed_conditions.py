"""What AWS decided on conditions: captured in calls of a role session in September 2026.

The session policy of the role had the condition, once in its only Allow and once in a Deny. `real` rows are calls of
iam:TagUser, here decided as kms:TagResource; `sim` rows are SimulateCustomPolicy, for what was not called; where the
simulator differs from calls, calls count. A condition that is `closed` denied the request in both forms.
"""

from __future__ import annotations

import json

import pytest

from pytest_kmsmock._kms.policy import (
    MalformedPolicy,
    Policies,
    PolicyKind,
    Principal,
    Request,
    compile_policy,
    evaluate,
)

KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
SESSION = Principal.parse("arn:aws:sts::111122223333:assumed-role/app/session")
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
VALUE, TEAM, TAG_KEYS, PATTERN = "aws:RequestTag/value", "aws:RequestTag/team", "aws:TagKeys", "aws:RequestTag/pattern"
HOLDS, FAILS, CLOSED = "holds", "fails", "closed"


def compiled(*statements: object, kind: PolicyKind = PolicyKind.SESSION) -> tuple[object, ...]:
    return (compile_policy(json.dumps({"Version": "2012-10-17", "Statement": statements}), kind),)


def outcome(condition: dict[str, dict[str, object]], context: dict[str, object]) -> str:
    values = {key.lower(): tuple(given) if isinstance(given, list) else (given,) for key, given in context.items()}
    allow = compiled(EVERYTHING | {"Condition": condition})
    deny = compiled(EVERYTHING, EVERYTHING | {"Effect": "Deny", "Condition": condition})
    identity = compiled(EVERYTHING, kind=PolicyKind.IDENTITY)
    key = compiled(EVERYTHING | {"Principal": {"AWS": "111122223333"}}, kind=PolicyKind.KEY)
    request = Request(SESSION, "kms:TagResource", KEY, "111122223333", values.get)
    allowed = tuple(
        evaluate(request, Policies(key=key, identity=identity, session=session)).allowed for session in (allow, deny)
    )
    return {(True, False): HOLDS, (False, True): FAILS, (False, False): CLOSED}[allowed]


def real(expected: str, operator: str, key: str, policy: object, note: str = "", **context: object):
    return pytest.param(operator, key, policy, context, expected, id=f"real {operator} {policy} {context} {note}")


def value(expected: str, operator: str, policy: object, given: str | None):
    """A row about the value of a tag of the request; None if the request does not have it."""
    context = {} if given is None else {VALUE: given}
    return pytest.param(operator, VALUE, policy, context, expected, id=f"real {operator} {policy!r} {given!r}")


def both(outcome: str, operator: str, policy: object, *given: str):
    """Rows of an operator and its negation, for each value: of numbers and dates one of the two holds."""
    other = {HOLDS: FAILS, FAILS: HOLDS}[outcome]
    negation = {
        "IpAddress": "NotIpAddress", "NumericEquals": "NumericNotEquals", "DateEquals": "DateNotEquals",
        "StringEqualsIgnoreCase": "StringNotEqualsIgnoreCase", "StringLike": "StringNotLike", "ArnLike": "ArnNotLike",
    }[operator]  # fmt: skip
    return [
        row
        for text in given
        for row in (value(outcome, operator, policy, text), value(other, negation, policy, text))
    ]  # fmt: skip


def neither(operator: str, negation: str, policy: object, *given: str):
    return [value(FAILS, name, policy, text) for text in given for name in (operator, negation)]


def tag_keys(expected: str, operator: str, *given: list[str], policy: object = "team", **context: object):
    return [
        pytest.param(operator, TAG_KEYS, policy, {TAG_KEYS: keys, **context}, expected, id=f"real {operator} {keys}")
        for keys in given
    ]


def quantified(operator: str, policy: object, expected: dict[str, str], sets: list[list[str]]):
    return [
        pytest.param(f"{name}:{operator}", TAG_KEYS, policy, {TAG_KEYS: keys} if keys else {},
                     HOLDS if answer == "T" else FAILS, id=f"real {name}:{operator} {keys}")
        for name, answers in expected.items()
        for keys, answer in zip(sets, answers, strict=True)
    ]  # fmt: skip


TEAMS = [[], ["team"], ["env"], ["team", "env"]]
NUMBERS = [[], ["no-number"], ["1"], ["no-number", "1"], ["1", "2"]]
ARN, ROLE = "arn:aws:iam::111122223333:user/alice", "arn:aws:iam::111122223333:role/alice"
USERS = "arn:aws:iam::*:user/*"

ROWS = [
    # --- a key of several values without a set operator never holds once it is there
    *tag_keys(FAILS, "StringEquals", ["team"], ["team", "env"]),
    *tag_keys(FAILS, "StringNotEquals", ["env"], ["team"], ["team", "env"]),
    *tag_keys(FAILS, "StringEqualsIfExists", ["team"], ["env"], ["team", "env"]),
    *tag_keys(FAILS, "StringNotEqualsIfExists", ["team"], ["env"], ["team", "env"]),
    pytest.param("StringEquals", TAG_KEYS, "team", {}, FAILS, id="real StringEquals, no tags"),
    pytest.param("StringNotEquals", TAG_KEYS, "team", {}, HOLDS, id="real StringNotEquals, no tags"),
    pytest.param("StringEqualsIfExists", TAG_KEYS, "team", {}, HOLDS, id="real StringEqualsIfExists, no tags"),
    pytest.param("StringNotEqualsIfExists", TAG_KEYS, "team", {}, HOLDS, id="real StringNotEqualsIfExists, no tags"),
    # --- set operators
    *quantified("StringEquals", "team", {"ForAnyValue": "FTFT", "ForAllValues": "TTFF"}, TEAMS),
    *quantified("StringNotEquals", "team", {"ForAnyValue": "FFTT", "ForAllValues": "TFTF"}, TEAMS),
    *quantified("NumericEquals", "1", {"ForAnyValue": "FFTTT", "ForAllValues": "TFTFF"}, NUMBERS),
    *quantified("NumericNotEquals", "1", {"ForAnyValue": "FTFTT", "ForAllValues": "TTFFF"}, NUMBERS),
    real(HOLDS, "ForAllValues:StringEquals", TEAM, "capture", "absent"),
    real(FAILS, "ForAllValues:StringEquals", TEAM, "capture", **{TEAM: ""}),
    real(HOLDS, "ForAllValues:StringEquals", TEAM, "capture", **{TEAM: "capture"}),
    real(HOLDS, "ForAnyValue:StringEquals", TEAM, "", **{TEAM: ""}),
    real(FAILS, "ForAnyValue:StringEquals", TEAM, "", **{TEAM: "capture"}),
    real(FAILS, "ForAnyValue:StringEquals", TEAM, "", "absent"),
    # --- variables: that of a key of several values has no value, and its default does not act
    real(FAILS, "StringEquals", VALUE, "${aws:TagKeys}", **{VALUE: "team", TAG_KEYS: ["team"]}),
    real(HOLDS, "StringNotEquals", VALUE, "${aws:TagKeys}", **{VALUE: "team", TAG_KEYS: ["team"]}),
    real(HOLDS, "StringNotEquals", VALUE, "${aws:TagKeys}", **{VALUE: "team", TAG_KEYS: ["team", "env"]}),
    real(HOLDS, "StringNotEquals", VALUE, "${aws:TagKeys}", **{VALUE: "team", TAG_KEYS: ["env"]}),
    real(FAILS, "StringEquals", VALUE, "${aws:TagKeys, 'fallback'}", **{VALUE: "fallback", TAG_KEYS: ["team"]}),
    real(HOLDS, "StringNotEquals", VALUE, "${aws:TagKeys, 'fallback'}", **{VALUE: "fallback", TAG_KEYS: ["team"]}),
    real(HOLDS, "StringNotEquals", VALUE, "${aws:TagKeys, 'fallback'}", **{VALUE: "team", TAG_KEYS: ["team"]}),
    real(HOLDS, "StringNotEquals", VALUE, "${aws:TagKeys, 'fallback'}", **{VALUE: "team", TAG_KEYS: ["team", "env"]}),
    real(HOLDS, "StringEqualsIgnoreCase", VALUE, "${aws:RequestTag/pattern}", **{VALUE: "PrOd", PATTERN: "pRoD"}),
    real(FAILS, "StringLike", VALUE, "${aws:RequestTag/pattern}?", **{VALUE: "abcd", PATTERN: "a*"}),
    real(HOLDS, "StringLike", VALUE, "${aws:RequestTag/pattern}?", **{VALUE: "a*d", PATTERN: "a*"}),
    # --- Null and Bool: what is not "true" is false
    *[value(FAILS, "Null", "true", given) for given in ("", "capture")],
    *[value(HOLDS, "Null", "false", given) for given in ("", "capture")],
    value(HOLDS, "Null", "true", None),
    value(FAILS, "Null", "false", None),
    value(HOLDS, "Null", "yes", "capture"),
    *[value(HOLDS, "Bool", "false", given) for given in ("yes", "1", "", " true ", "false", "False")],
    value(HOLDS, "Bool", "yes", "false"),
    *[value(HOLDS, "Bool", "true", given) for given in ("true", "True", "TRUE")],
    *[value(FAILS, "Bool", "true", given) for given in ("yes", "1", "", " true ", "False")],
    value(HOLDS, "Bool", "TRUE", "true"),
    # --- numbers: exact decimals; what is no number equals nothing
    *both(FAILS, "NumericEquals", "1", "no-number", "", "NaN", "Infinity"),
    *both(HOLDS, "NumericEquals", "1", "01", "+1", "1.0", "1e0"),
    *[row for policy in ("01", "+1", "1.") for row in both(HOLDS, "NumericEquals", policy, "1")],
    *both(FAILS, "NumericEquals", "9007199254740993", "9007199254740992"),
    value(HOLDS, "NumericLessThan", "9007199254740993", "9007199254740992"),
    *both(FAILS, "NumericEquals", "NaN", "NaN", "1"),
    # --- dates: to the millisecond, in UTC if there is no zone
    *both(HOLDS, "DateEquals", "2030-01-01T00:00:00Z", "1893456000", "+1893456000", "2030-01-01",
          "2030-01-01T00:00:00", "2030-01-01T00:00:00.0001Z"),
    *both(HOLDS, "DateEquals", "2030-01-01T00:00:00.1231Z", "2030-01-01T00:00:00.1239Z"),
    *both(FAILS, "DateEquals", "2030-01-01T00:00:00Z", "not-a-date", ""),
    *both(FAILS, "DateEquals", "not-a-date", "not-a-date", "2030-01-01"),
    # --- base64 as it is written
    value(HOLDS, "BinaryEquals", "YQ==", "YQ=="),
    *[value(FAILS, "BinaryEquals", "YQ==", given) for given in ("YR==", "YQ", "no-binary", "", " YQ==")],
    # --- IP addresses: what is none meets neither operator; IPv4-mapped is IPv4; IPv6 ranges have no host bits
    *neither("IpAddress", "NotIpAddress", "192.0.2.0/24", "not-an-ip", "", "192.0.2.1/32", "192.0.513", "3221225985",
             "192.0.2.256"),
    *neither("IpAddress", "NotIpAddress", "not-an-ip", "not-an-ip"),
    *both(FAILS, "IpAddress", "not-an-ip", "192.0.2.1"),
    *both(HOLDS, "IpAddress", "192.0.2.0/24", "::ffff:192.0.2.1", "::FFFF:c000:201"),
    *both(FAILS, "IpAddress", "::/0", "::ffff:192.0.2.1", "::ffff:c000:201", "192.0.2.1"),
    *both(FAILS, "IpAddress", "::ffff:c000:200/120", "::ffff:192.0.2.1", "::ffff:c000:201"),
    *both(FAILS, "IpAddress", "192.0.2.0/0", "2001:db8::1"),
    *both(HOLDS, "IpAddress", "192.0.2.5/24", "192.0.2.1"),
    *both(FAILS, "IpAddress", "2001:db8::5/64", "2001:db8::1", "2001:db8::5"),
    *both(FAILS, "IpAddress", "2001:db8::5/127", "2001:db8::4", "2001:db8::5"),
    *both(FAILS, "IpAddress", "2001:db8::1/0", "2001:db8::1"),
    *both(HOLDS, "IpAddress", ["2001:db8::5/64", "2001:db8::/64"], "2001:db8::1"),
    *both(HOLDS, "IpAddress", ["not-an-ip", "192.0.2.0/24"], "192.0.2.1"),
    *neither("IpAddress", "NotIpAddress", "2001:db8::/64", "2001:db8::192.0.2.1"),
    *both(FAILS, "IpAddress", "2001:db8::192.0.2.0/120", "2001:db8::c000:201"),
    *both(HOLDS, "IpAddress", "192.000.002.0/24", "192.0.2.1"),
    *both(HOLDS, "IpAddress", "192.0.2.0/+24", "192.0.2.1"),
    *both(HOLDS, "IpAddress", "192.0.2.0/024", "192.0.2.1"),
    *both(HOLDS, "IpAddress", "192.0.2.0/24", "192.000.002.1"),
    *both(HOLDS, "IpAddress", "2001:db8::/64", "2001:db8:::1", "2001:db8::1:", ":2001:db8::1"),
    *both(HOLDS, "IpAddress", "::/0", ":::"),
    # --- ARNs: what is none meets neither operator; against a pattern that is none, the request is denied
    value(HOLDS, "ArnLike", USERS, ARN),
    value(FAILS, "ArnLike", USERS, ROLE),
    value(HOLDS, "ArnNotLike", USERS, ROLE),
    *neither("ArnLike", "ArnNotLike", USERS, "not-an-arn", ""),
    value(CLOSED, "ArnLike", "not-an-arn", ARN),
    value(CLOSED, "ArnNotLike", "not-an-arn", ARN),
    value(FAILS, "ArnLike", "not-an-arn", "not-an-arn"),
    real(CLOSED, "ArnLike", VALUE, "${aws:RequestTag/pattern}", **{VALUE: ARN, PATTERN: "not-an-arn"}),
    real(FAILS, "ArnLike", VALUE, "${aws:RequestTag/pattern}", **{VALUE: "not-an-arn", PATTERN: "not-an-arn"}),
    real(CLOSED, "ArnNotLike", VALUE, "${aws:RequestTag/pattern}", **{VALUE: ARN, PATTERN: "not-an-arn"}),
    real(FAILS, "ArnNotLike", VALUE, "${aws:RequestTag/pattern}", **{VALUE: "not-an-arn", PATTERN: "not-an-arn"}),
    value(CLOSED, "ArnLike", ["not-an-arn", USERS], ARN),
    value(HOLDS, "ArnLike", [USERS, "not-an-arn"], ARN),
    # --- case is folded character by character, as far as U+FFFF
    *both(HOLDS, "StringEqualsIgnoreCase", "PrOd", "pRoD"),
    *both(HOLDS, "StringEqualsIgnoreCase", "\u00c9", "\u00e9"),
    *both(HOLDS, "StringEqualsIgnoreCase", "K", "\u212a"),
    *both(HOLDS, "StringEqualsIgnoreCase", "\u00df", "\u1e9e"),
    *both(FAILS, "StringEqualsIgnoreCase", "\u00df", "SS"),
    *both(FAILS, "StringEqualsIgnoreCase", "I", "\u0131"),
    *both(FAILS, "StringEqualsIgnoreCase", "i", "\u0130"),
    *both(FAILS, "StringEqualsIgnoreCase", "s", "\u017f"),
    *both(FAILS, "StringEqualsIgnoreCase", "\u03a3", "\u03c2"),
    *both(HOLDS, "StringEqualsIgnoreCase", "\u039f\u03a3", "\u03bf\u03c2"),
    *both(FAILS, "StringEqualsIgnoreCase", "\u039f\u03a3", "\u03bf\u03c3"),
    *both(HOLDS, "StringEqualsIgnoreCase", "\u039f\u03a3\u0391", "\u03bf\u03c3\u03b1"),
    *both(FAILS, "StringEqualsIgnoreCase", "\U00010400", "\U00010428"),
    # --- wildcards count UTF-16 units
    *both(FAILS, "StringLike", "?", "\U00010400"),
    *both(HOLDS, "StringLike", "??", "\U00010400"),
    *both(HOLDS, "StringLike", "a*b", "a/b", "a:b"),
    *both(HOLDS, "StringLike", "a?b", "a/b", "a:b"),
    *both(HOLDS, "StringLike", "a[b]c", "a[b]c"),
    *both(FAILS, "StringLike", "a[b]c", "abc"),
]  # fmt: skip

SIMULATED = [
    pytest.param("StringEquals", VALUE, "\u00e9", {VALUE: "e\u0301"}, FAILS, id="sim no normalization"),
    pytest.param("StringLike", VALUE, "a\\*b", {VALUE: "a*b"}, FAILS, id="sim no escapes"),
    pytest.param("StringLike", VALUE, "a?b", {VALUE: "a\nb"}, HOLDS, id="sim a line feed is a character"),
    pytest.param("StringNotEquals", VALUE, "x", {}, HOLDS, id="sim StringNotEquals, absent"),
    pytest.param("ForAllValues:StringEquals", VALUE, "x", {}, HOLDS, id="sim ForAllValues, absent"),
    pytest.param("StringNotEqualsIfExists", VALUE, "x", {}, HOLDS, id="sim StringNotEqualsIfExists, absent"),
]


@pytest.mark.parametrize(("operator", "key", "policy", "context", "expected"), ROWS + SIMULATED)
def test_conditions_are_evaluated_as_by_aws(operator, key, policy, context, expected):
    assert outcome({operator: {key: policy}}, context) == expected


def stored(operator: str, policy: str, kind: PolicyKind) -> bool:
    statement: dict[str, object] = EVERYTHING | {"Condition": {operator: {VALUE: policy}}}
    if kind.names_principals:
        statement |= {"Principal": "*"}
    if kind is PolicyKind.RESOURCE_CONTROL:
        statement |= {"Effect": "Deny", "Action": "kms:*"}
    try:
        compiled(statement, kind=kind)
    except MalformedPolicy:
        return False
    return True


NOT_STORED = [
    ("NumericEquals", "NaN"), ("NumericEquals", "no-number"), ("DateEquals", "not-a-date"), ("ArnLike", "not-an-arn"),
    ("IpAddress", "not-an-ip"), ("BinaryEquals", "no-binary"), ("IpAddress", "::ffff:192.0.2.0/120"),
    ("IpAddress", "::ffff:192.0.2.1"), ("IpAddress", "::192.0.2.0/120"), ("IpAddress", "2001:db8::5/64"),
    ("IpAddress", "2001:db8::192.0.2.0/120"), ("IpAddress", "192.0.2.0/33"), ("IpAddress", "2001:db8::/129"),
    ("IpAddress", "2001:db8::5/127"), ("IpAddress", "2001:db8::1/0"), ("IpAddress", "::ffff:192.0.2.0/24"),
]  # fmt: skip
STORED = [
    ("Bool", "yes"), ("Bool", "TRUE"), ("Null", "yes"), ("Null", "TRUE"), ("NumericEquals", "01"),
    ("IpAddress", "192.0.2.5/24"), ("IpAddress", "192.000.002.1"), ("IpAddress", "192.0.2.0/024"),
    ("IpAddress", "192.0.2.0/+24"), ("IpAddress", "::ffff:c000:200/120"), ("IpAddress", "2001:db8:::1/128"),
]  # fmt: skip
KINDS = [pytest.param(kind, id=kind.value) for kind in PolicyKind if kind is not PolicyKind.SESSION]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("operator", "policy"), NOT_STORED)
def test_iam_does_not_store_values_that_are_none_of_the_operator(operator, policy, kind):
    """Observed with PutUserPolicy; of the other kinds of policies it is inferred."""
    assert not stored(operator, policy, kind)


@pytest.mark.parametrize("kind", PolicyKind)
@pytest.mark.parametrize(("operator", "policy"), STORED)
def test_iam_stores_what_it_can_read(operator, policy, kind):
    assert stored(operator, policy, kind)


@pytest.mark.parametrize(("operator", "policy"), NOT_STORED)
def test_sts_rejects_session_policies_for_invalid_base64_only(operator, policy):
    """Observed with AssumeRole."""
    assert stored(operator, policy, PolicyKind.SESSION) is (operator != "BinaryEquals")
