"""Options and arguments of the wrong type."""

from __future__ import annotations

import pytest

from pytest_kmsmock._runtime.checks import check_type
from pytest_kmsmock._runtime.options import HELP, Options, changed
from pytest_kmsmock.errors import InvalidFault, InvalidOption


@pytest.mark.parametrize(("value", "kind"), [(True, bool), (1, int), ("x", str), (1.5, (int, float))])
def test_what_is_of_the_type_passes(value, kind):
    check_type(value, kind, "it")


@pytest.mark.parametrize(
    ("value", "kind"), [("no", bool), (0, bool), (None, bool), (True, int), (True, (int, float)), (b"x", str)]
)
def test_what_is_not_is_refused_in_words(value, kind):
    with pytest.raises(InvalidOption) as refused:
        check_type(value, kind, "serve(): it", "what is wanted")
    assert str(refused.value) == f"serve(): it must be what is wanted, not {value!r}."


def test_the_error_is_that_of_the_caller():
    with pytest.raises(InvalidFault, match=r"^it must be True or False, not 'no'\.$"):
        check_type("no", bool, "it", error=InvalidFault)


def test_a_seed_of_none_is_no_seed():
    assert changed(Options(), {"seed": None}, "mock_kms()") == Options()


def test_services_are_names_of_services():
    assert changed(Options(), {"services": "s3"}, "mock_kms()").services == ("s3",)
    assert changed(Options(), {"services": ["s3", "sqs"]}, "mock_kms()").services == ("s3", "sqs")
    with pytest.raises(InvalidOption, match=r"^ini file: unknown service 's33'\. Did you mean 's3'\? Choose from: "):
        changed(Options(), {"services": ["s33"]}, "ini file")
    with pytest.raises(InvalidOption, match=r"'off' cannot be combined with"):
        changed(Options(), {"services": ["off", "s3"]}, "mock_kms()")


def test_each_option_has_a_help_text():
    assert tuple(HELP) == Options._fields
