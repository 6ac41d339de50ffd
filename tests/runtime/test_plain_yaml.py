from __future__ import annotations

import re

import pytest
import yaml

from pytest_kmsmock._runtime.plain_yaml import place_of, plain_loader

LOADERS = [yaml.SafeLoader, *([yaml.CSafeLoader] if hasattr(yaml, "CSafeLoader") else [])]


@pytest.mark.parametrize("base", LOADERS)
def test_dates_are_strings(base):
    assert yaml.load("a: 2012-10-17\nb: 1", plain_loader(base)) == {"a": "2012-10-17", "b": 1}
    assert yaml.load("a: 2012-10-17", base)["a"].year == 2012  # PyYAML's own loader is left as it is


@pytest.mark.parametrize("base", LOADERS)
@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        pytest.param("a: 1\nb: !!int x", 2, "'x' is not a valid int", id="a value that does not fit its tag"),
        pytest.param("a: [1\n", 2, "did not find|expected", id="syntax"),
        pytest.param("a: 1\nb: \x00", 2, "not allowed", id="a character that YAML does not have"),
    ],
)
def test_an_error_has_a_line(base, text, line, problem):
    with pytest.raises(yaml.YAMLError) as refused:
        yaml.load(text, plain_loader(base))
    where, what = place_of(refused.value, text)
    assert where == line
    assert re.search(problem, what)


def test_an_error_without_a_place_is_of_the_first_line():
    assert place_of(yaml.YAMLError("odd"), "a") == (1, "odd")
