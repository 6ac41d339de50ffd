from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_kmsmock._kms.policy.patterns import (
    Variable,
    Wildcard,
    constant,
    matcher,
    parse_template,
    pattern_text,
    resolve,
    utf16,
)


def absent(_key):
    return None


def glob(text):
    return matcher(parse_template(text, variables=False))


def naive(pattern: str, text: str) -> bool:
    """Match by the definition: `*` takes any number of characters, `?` takes one."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(naive(pattern[1:], text[i:]) for i in range(len(text) + 1))
    return bool(text) and pattern[0] in {"?", text[0]} and naive(pattern[1:], text[1:])


def naive_arn(pattern: str, text: str) -> bool:
    """Match as the Arn operators are documented: six components, each on its own."""
    wanted, found = pattern.split(":", 5), text.split(":", 5)
    return len(wanted) == len(found) and all(map(naive, wanted, found))


@settings(deadline=None)
@given(st.text("ab:*?", max_size=8), st.text("ab:*?", max_size=8))
def test_the_matcher_agrees_with_the_definition_of_wildcards(pattern, text):
    assert glob(pattern)(text) is naive(pattern, text)


@settings(deadline=None)
@given(st.text("a:*?", max_size=12), st.text("ab:", max_size=12))
def test_the_arn_matcher_agrees_with_matching_component_by_component(pattern, text):
    compiled = matcher(parse_template(pattern, variables=False), arn=True)
    # Fewer than six components on one side only cannot be an ARN; the documentation speaks of six.
    if pattern.count(":") >= 5 and text.count(":") >= 5:
        assert compiled(text) is naive_arn(pattern, text)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "b", ":", "*", "?"]), max_size=10).map("".join))
def test_the_arn_matcher_agrees_with_the_components_of_whole_arns(tail):
    text = "arn:aws:kms:eu-west-1:111122223333:key/a:b"
    for head in ("arn:aws:kms:*:*:", "a*:aws:*", "arn:*:kms:eu-*-?:1111*3:", "*:*:*:*:*:"):
        pattern = head + tail
        if pattern.count(":") >= 5:
            assert matcher(parse_template(pattern, variables=False), arn=True)(text) is naive_arn(pattern, text)


@settings(deadline=None)
@given(st.text(max_size=20))
def test_a_string_without_wildcards_matches_itself_only(text):
    pattern = parse_template(text, variables=False, wildcards=False)
    assert matcher(pattern)(text)
    assert not matcher(pattern)(text + "x")
    assert pattern_text(pattern) == text


@settings(deadline=None)
@given(st.text(max_size=20))
def test_special_characters_of_regular_expressions_are_literals(text):
    assert glob(f"*{re.sub('[*?]', '', text)}*x")(re.sub("[*?]", "", text) + "x")


def test_many_wildcards_do_not_take_exponential_time():
    compiled = glob("*a" * 200 + "*b")
    start = time.perf_counter()
    assert not compiled("a" * 5000)
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "home/${aws:username}/*", ("home/", Variable("aws:username", None), "/", Wildcard.MANY), id="variable"
        ),
        pytest.param("${ aws:UserName }", (Variable("aws:username", None),), id="key names are not case-sensitive"),
        pytest.param("${aws:userid, 'anonymous'}", (Variable("aws:userid", "anonymous"),), id="default"),
        pytest.param("${aws:PrincipalTag/team,''}", (Variable("aws:principaltag/team", ""),), id="empty default"),
        pytest.param("${*}${?}${$}", ("*", "?", "$"), id="special characters are literals"),
        pytest.param("$x{y}", ("$x{y}",), id="no variable"),
        pytest.param("${", ("${",), id="unfinished"),
        pytest.param("", (), id="empty"),
    ],
)
def test_templates_are_split_as_the_iam_guide_describes_variables(text, expected):
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    assert parse_template(text, variables=True) == expected


def test_version_2008_treats_variables_as_literals():
    template = parse_template("${aws:username}", variables=False)
    assert template == ("${aws:username}",)
    assert constant(template) == template


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        pytest.param("a/${k}", ("v",), "a/v", id="value"),
        pytest.param("a/${k}", None, None, id="absent without default"),
        pytest.param("a/${k, 'd'}", None, "a/d", id="absent with default"),
        pytest.param("a/${k, 'd'}", ("v",), "a/v", id="value wins over default"),
        pytest.param("a/${k}", ("v", "w"), None, id="several values are no value"),
        pytest.param("a/${k, 'd'}", ("v", "w"), None, id="several values with default"),
    ],
)
def test_variables_take_their_values_from_the_request(text, values, expected):
    pattern = resolve(parse_template(text, variables=True), {"k": values}.get)
    assert (pattern and pattern_text(pattern)) == expected


def test_wildcards_in_a_value_do_not_act():
    pattern = resolve(parse_template("key/${k}*", variables=True), {"k": ("*",)}.get)
    assert pattern is not None
    assert matcher(pattern)("key/*1")
    assert not matcher(pattern)("key/abc")


def test_escaped_wildcards_do_not_act():
    pattern = resolve(parse_template("a${*}b${?}", variables=True), absent)
    assert pattern is not None
    assert matcher(pattern)("a*b?")
    assert not matcher(pattern)("axxbx")


@pytest.mark.parametrize(
    ("text", "units"),
    [("", 0), ("aé", 2), ("\uffff", 1), ("\U00010000", 2), ("a\U00010400", 3), ("\ud800\U00010400", 3)],
)
def test_characters_are_utf16_units(text, units):
    # Observed on AWS, September 2026
    assert len(utf16(text)) == units
