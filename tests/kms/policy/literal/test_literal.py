"""The literal evaluator against what AWS decided in September 2026, and against examples of the IAM guide."""
# ruff: noqa: RUF001 - letters that look alike are there on purpose

from __future__ import annotations

from typing import Any

import pytest

from .conditions import RequestDeniedError, holds

CONTEXT = {
    "aws:requesttag/prefix": "a",
    "aws:requesttag/pattern": "a*",
    "aws:requesttag/not-an-arn": "not-an-arn",
    "aws:requesttag/user": "arn:aws:iam::*:user/*",
}
USER, ROLE = "arn:aws:iam::123456789012:user/alice", "arn:aws:iam::123456789012:role/app"
USERS = "arn:aws:iam::*:user/*"
ONE, MANY = ["team"], ["team", "env"]


def decides(operator: str, patterns: Any, value: Any) -> bool | str:
    """Return whether a condition on one key holds; None as a value is an absent key."""
    context = CONTEXT | ({} if value is None else {"aws:tagkeys" if isinstance(value, list) else "k:v": value})
    key = "aws:TagKeys" if isinstance(value, list) else "k:v"
    try:
        return holds(operator, key, patterns if isinstance(patterns, list) else [patterns], context, True)
    except RequestDeniedError:
        return "closed"


Row = tuple[str, Any, Any, Any]
MULTIVALUED: list[Row] = [
    *(
        (operator, "team", value, False)
        for operator in ("StringEquals", "StringEqualsIfExists")
        for value in (ONE, MANY)
    ),
    *(
        (operator, "team", value, False)
        for operator in ("StringNotEquals", "StringNotEqualsIfExists")
        for value in (["env"], ONE)
    ),
    ("StringEquals", "team", [], False),
    ("StringNotEquals", "team", [], True),
    ("StringEqualsIfExists", "team", [], True),
    ("StringNotEqualsIfExists", "team", [], True),
]
SETS: list[Row] = [
    (f"{qualifier}:{operator}", "team", value, expected)
    for value, row in (([], "FTFT"), (ONE, "TTFF"), (["env"], "FFTT"), (MANY, "TFTF"))
    for (qualifier, operator), expected in zip(
        ((q, o) for o in ("StringEquals", "StringNotEquals") for q in ("ForAnyValue", "ForAllValues")),
        (letter == "T" for letter in row),
        strict=True,
    )
]
SETS += [
    ("ForAnyValue:NumericEquals", "1", ["no-number", "2"], False),
    ("ForAnyValue:NumericNotEquals", "1", ["no-number", "1"], True),
    ("ForAllValues:NumericNotEquals", "1", ["no-number", "2"], True),
    ("ForAllValues:StringEquals", "capture", None, True),
    ("ForAllValues:StringEquals", "capture", "", False),
    ("ForAllValues:StringEquals", "capture", "capture", True),
    ("ForAnyValue:StringEquals", "", "", True),
    ("ForAnyValue:StringEquals", "", "capture", False),
    ("ForAnyValue:StringEquals", "", None, False),
    # https://repost.aws/questions/QU9HFmDzP0QGuU-fd7rS6B7w/foranyvalue-stringequalsifexists-behaving-unexpectedly
    ("ForAnyValue:StringEqualsIfExists", "team", [], False),
]
VARIABLES: list[Row] = [
    ("StringEqualsIgnoreCase", "${aws:RequestTag/pattern}", "A*", True),
    ("StringLike", "${aws:RequestTag/pattern}?", "a*b", True),
    ("StringLike", "${aws:RequestTag/pattern}?", "abb", False),
    # "Policy variables with no value": the guide's example of an absent tag.
    ("StringEquals", "${aws:PrincipalTag/team}", "blue", False),
    ("StringNotEquals", "${aws:PrincipalTag/team}", "blue", True),
    ("StringEquals", "${aws:PrincipalTag/team, 'blue'}", "blue", True),
    ("StringLike", "${*}${?}${$}", "*?$", True),
    ("StringLike", "${*}", "a", False),
]
STRINGS: list[Row] = [
    *(
        ("StringEqualsIgnoreCase", text, value, True)
        for text, value in (("prod", "PrOd"), ("É", "é"), ("K", "\u212a"), ("ß", "ẞ"), ("ΟΣ", "ος"))
    ),
    *(
        ("StringEqualsIgnoreCase", text, value, False)
        for text, value in (("ß", "SS"), ("I", "ı"), ("i", "İ"), ("s", "ſ"), ("Σ", "ς"), ("ΟΣ", "οσ"), ("𐐀", "𐐨"))
    ),
    ("StringEqualsIgnoreCase", "ΟΣΑ", "οσα", True),
    ("StringLike", "?", "𐐀", False),
    ("StringLike", "??", "𐐀", True),
    ("StringEquals", "é", "e\u0301", False),
    ("StringLike", "a\\*b", "a*b", False),
    *(("StringLike", text, value, True) for text in ("a*b", "a?b") for value in ("a/b", "a:b", "a\nb")),
    ("StringLike", "[b]", "b", False),
    ("StringNotEquals", "a", None, True),
]
NULLS_AND_FLAGS: list[Row] = [
    *(("Null", "true", value, value is None) for value in ("", "capture", None)),
    *(("Null", "false", value, value is not None) for value in ("", "capture", None)),
    ("Null", "yes", "capture", True),
    *(("Bool", "false", value, True) for value in ("yes", "1", "", " true ", "false", "False")),
    *(("Bool", "true", value, False) for value in ("yes", "1", "", " true ", "false")),
    *(("Bool", "true", value, True) for value in ("true", "True", "TRUE")),
    ("Bool", "yes", "false", True),
    ("Bool", "TRUE", "true", True),
]
NUMBERS: list[Row] = [
    *(("NumericEquals", "1", value, False) for value in ("no-number", "", "NaN", "Infinity")),
    *(("NumericNotEquals", "1", value, True) for value in ("no-number", "", "NaN", "Infinity")),
    *(("NumericEquals", "1", value, True) for value in ("01", "+1", "1.0", "1e0")),
    *(("NumericEquals", text, "1", True) for text in ("01", "+1", "1.")),
    ("NumericEquals", "9007199254740993", "9007199254740992", False),
    ("NumericLessThan", "9007199254740993", "9007199254740992", True),
    ("NumericEquals", "NaN", "1", False),
    ("NumericNotEquals", "NaN", "1", True),
]
NEW_YEAR = "2030-01-01T00:00:00Z"
DATES: list[Row] = [
    *(
        ("DateEquals", NEW_YEAR, value, True)
        for value in ("1893456000", "+1893456000", "2030-01-01", "2030-01-01T00:00:00")
    ),
    ("DateEquals", NEW_YEAR, "2030-01-01T00:00:00.0001Z", True),
    ("DateEquals", "2030-01-01T00:00:00.1231Z", "2030-01-01T00:00:00.1239Z", True),
    ("DateEquals", NEW_YEAR, "2030-01-01T02:30:00+02:30", True),
    *(("DateEquals", NEW_YEAR, value, False) for value in ("not-a-date", "")),
    *(("DateNotEquals", NEW_YEAR, value, True) for value in ("not-a-date", "")),
]
BINARIES: list[Row] = [
    ("BinaryEquals", "YQ==", value, value == "YQ==") for value in ("YQ==", "YR==", "YQ", "no-binary", "", " ")
]
#: Range, address, IpAddress, NotIpAddress.
ADDRESSES = [
    *(("192.0.2.0/24", value, False, False) for value in ("not-an-ip", "", "192.0.2.1/32", "192.0.513", "3221225985")),
    ("not-an-ip", "192.0.2.1", False, True),
    ("not-an-ip", "not-an-ip", False, False),
    *(("192.0.2.0/24", value, True, False) for value in ("::ffff:192.0.2.1", "::FFFF:c000:201", "192.000.002.1")),
    ("::/0", "::ffff:192.0.2.1", False, True),
    ("::ffff:c000:200/120", "::ffff:c000:201", False, True),
    ("192.0.2.0/0", "2001:db8::1", False, True),
    ("::/0", "192.0.2.1", False, True),
    ("192.0.2.5/24", "192.0.2.1", True, False),
    ("192.0.2.0/+24", "192.0.2.1", True, False),
    ("192.0.2.0/024", "192.0.2.1", True, False),
    ("2001:db8::5/64", "2001:db8::5", False, True),
    ("2001:db8::5/127", "2001:db8::5", False, True),
    ("2001:db8::1/0", "2001:db8::5", False, True),
    (["2001:db8::5/64", "2001:db8::/64"], "2001:db8::5", True, False),
    (["not-an-ip", "192.0.2.0/24"], "192.0.2.1", True, False),
    ("2001:db8::/64", "2001:db8::192.0.2.1", False, False),
    ("2001:db8::192.0.2.0/120", "2001:db8::c000:201", False, True),
]
#: Pattern, value, ArnLike, ArnNotLike.
ARNS = [
    (USERS, USER, True, False),
    (USERS, ROLE, False, True),
    (USERS, "not-an-arn", False, False),
    (USERS, "", False, False),
    ("not-an-arn", USER, "closed", "closed"),
    ("not-an-arn", "not-an-arn", False, False),
    ("${aws:RequestTag/not-an-arn}", USER, "closed", "closed"),
    ("${aws:RequestTag/not-an-arn}", "not-an-arn", False, False),
    (["not-an-arn", USERS], USER, "closed", "closed"),
    ([USERS, "not-an-arn"], USER, True, False),
    # The guide's example: an asterisk stays within its component.
    (
        "arn:aws:someservice:*:111122223333:finance/*",
        "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt",
        False,
        True,
    ),
]

ROWS = [*MULTIVALUED, *SETS, *VARIABLES, *STRINGS, *NULLS_AND_FLAGS, *NUMBERS, *DATES, *BINARIES]
ROWS += [("IpAddress", patterns, value, expected) for patterns, value, expected, _ in ADDRESSES]
ROWS += [("NotIpAddress", patterns, value, expected) for patterns, value, _, expected in ADDRESSES]
ROWS += [("ArnLike", patterns, value, expected) for patterns, value, expected, _ in ARNS]
ROWS += [("ArnNotEquals", patterns, value, expected) for patterns, value, _, expected in ARNS]


@pytest.mark.parametrize(("operator", "patterns", "value", "expected"), ROWS)
def test_conditions_hold_as_on_aws(operator: str, patterns: Any, value: Any, expected: Any):
    assert decides(operator, patterns, value) == expected


@pytest.mark.parametrize(
    ("operator", "pattern", "expected"),
    [
        # A variable of a multivalued key never has a value, and its default is not used.
        ("StringEquals", "${aws:TagKeys}", False),
        ("StringNotEquals", "${aws:TagKeys}", True),
        ("StringEquals", "${aws:TagKeys, 'team'}", False),
        ("StringNotEquals", "${aws:TagKeys, 'team'}", True),
    ],
)
def test_multivalued_keys_are_no_variables(operator: str, pattern: str, expected: bool):
    context = {"aws:tagkeys": ["team"], "aws:requesttag/team": "team"}
    assert holds(operator, "aws:RequestTag/team", [pattern], context, True) is expected


def test_old_policies_have_no_variables():
    assert holds("StringEquals", "aws:username", ["${aws:username}"], {"aws:username": "${aws:username}"}, False)
