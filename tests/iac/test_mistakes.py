"""Files with a value of another type anywhere: they are read, or refused as files; nothing else happens."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
import yaml
from tests.iac.conftest import DATA

from pytest_kmsmock import mock_kms
from pytest_kmsmock._iac.reading import parse
from pytest_kmsmock.errors import InvalidSeed, KmsMockError

FILES = ["cdk.out/Payments.template.json", "sam/template.yaml", "terraform/plan.json", "terraform/state.json"]
VALUES: list[Any] = [
    None,
    True,
    7,
    "text",
    "",
    [],
    {},
    [1, "a"],
    {"Ref": "Key"},
    {"Fn::If": ["a", 1, 2]},
    [[{}]],
    {"a": None},
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return where everything stands in nested mappings and lists."""
    found = [path] if path else []
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in inside:
        found += places(item, (*path, name))
    return found


def spoiled(content: Any, chance: random.Random) -> Any:
    """Return a copy with another value somewhere."""
    changed = copy.deepcopy(content)
    *way, last = chance.choice(places(changed))
    holder = changed
    for name in way:
        holder = holder[name]
    holder[last] = copy.deepcopy(chance.choice(VALUES))
    return changed


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("seed", range(3))
def test_other_values_anywhere(write, file, seed):
    chance = random.Random(f"{file} {seed}")
    content = parse(file, (DATA / file).read_text())
    name = file.rpartition("/")[2].replace(".yaml", ".json")
    for _ in range(25):
        text = json.dumps(spoiled(content, chance))
        try:
            with mock_kms() as kms:
                kms.seed([write(name, text)])
        except KmsMockError as error:
            assert isinstance(error, InvalidSeed), text  # noqa: PT017 - some are refused, some are not


def test_a_resource_that_is_no_mapping(write):
    with (
        pytest.raises(InvalidSeed, match=r"app\.yaml:\d+: "),
        mock_kms(seed=write("app.yaml", "Resources: {A: [], B: 5}")),
    ):
        pass


def test_a_type_that_is_a_mapping(write):
    content = yaml.safe_dump({"Resources": {"A": {"Type": {"Ref": "x"}}}})
    with pytest.raises(InvalidSeed, match="the resource A has no Type"), mock_kms(seed=write("app.yaml", content)):
        pass
