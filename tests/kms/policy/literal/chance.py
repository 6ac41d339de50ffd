"""Random choices for generating cases, from one generator, so that a number always generates the same case."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


class Chance:
    """What both makers choose by."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def maybe(self, probability: float) -> bool:
        return self._chance.random() < probability

    def one(self, choices: Iterable[Any]) -> Any:
        return self._chance.choice(tuple(choices))

    def some(self, choices: Sequence[Any], least: int) -> list[Any]:
        return self._chance.sample(tuple(choices), self._chance.randint(least, len(choices)))

    def scalar(self, entries: list[Any]) -> Any:
        """Write a list of one as its only entry, at times."""
        return entries[0] if len(entries) == 1 and self.maybe(0.7) else entries

    def some_of(self, choices: Mapping[str, Sequence[Any]], probability: float) -> dict[str, Any]:
        """Choose some names, and a value for each."""
        return {name: self.one(values) for name, values in choices.items() if self.maybe(probability)}
