"""Reading scenario files: YAML to `Scenario`s. Errors name file, scenario and step.

`docs/conformance.md` describes the form. Which references and generated values a step may have is in `templates`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

from pytest_kmsmock._kms.api.service_model import service_description
from pytest_kmsmock._runtime.checks import did_you_mean, is_number
from pytest_kmsmock.errors import InvalidScenario

from . import templates
from .located_yaml import read
from .scenario import MARKS, NEEDS, Cited, Expected, Principal, Scenario, Source, Step

#: The scenarios of this project.
FOLDER = Path(__file__).with_name("scenarios")
#: The sources that several files name; a file may have further ones of its own.
_SHARED = "sources.yaml"

_FILE = {"sources", "parts", "scenarios"}
_SOURCE = {"mark", "title", "date", "url"}
_SCENARIO = {"name", "source", "steps", "principals", "delays", "needs"}
_EXPECTED = {"error", "message", "answer", "members", "absent"}
_STEP = {"as", "case", "region", "by", "source", "message_source", "within", "wait", *_EXPECTED}
_PRINCIPAL = {"arn", "policies", "session_policies", "boundary", "session_name", "missing"}
_DELAYS = {"creating", "updating", "rotating"}
#: The longest wait where the clock cannot be moved.
_MAX_WAIT = timedelta(minutes=10)
_UNITS = {"seconds", "minutes", "hours", "days"}


class _Unknown(InvalidScenario):
    """An operation or a member is not in the service model of the installed botocore."""


class _Location:
    """A location in a file, which raises errors with it."""

    def __init__(self, path: Path, scenario: str = "", step: str = "") -> None:
        self._path, self._scenario, self._step = path, scenario, step

    def __call__(self, line: int) -> str:
        return f"{self._path.name}:{line}"

    def inside(self, scenario: str, step: str = "") -> _Location:
        return _Location(self._path, scenario, step)

    def fail(self, line: int, reason: str, error: type[InvalidScenario] = InvalidScenario) -> NoReturn:
        context = [f"scenario {self._scenario!r}"] * bool(self._scenario) + [self._step] * bool(self._step)
        raise error(": ".join([f"{self._path}:{line}", *([", ".join(context)] if context else []), reason]))


def read_folder(folder: Path = FOLDER) -> list[Scenario]:
    """Return the scenarios of a file, or of all files of a folder in the order of their names.

    Args:
        folder: the folder or the file; by default the folder of this project's scenarios.

    Raises:
        InvalidScenario: something is wrong with one; with file, line, scenario and step.
    """
    files = sorted(folder.glob("*.yaml")) if folder.is_dir() else [folder]
    found = [scenario for file in files if file.name != _SHARED for scenario in _read_file(file)]
    if not found:
        raise InvalidScenario(f"{folder} has no scenarios: give a scenario file, or a folder of *.yaml files.")
    return found


@functools.cache
def shared_sources() -> Mapping[str, Source]:
    """Return the sources that all files may name."""
    path = FOLDER / _SHARED
    return _sources(_Location(path), read(path))


def _read_file(path: Path) -> Iterator[Scenario]:
    where, document = _Location(path), read(path)
    _check_names(where, document, 1, _FILE, "a scenario file")
    sources = {**shared_sources(), **_sources(where, document.get("sources") or {})}
    listed = document.get("scenarios")
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        where.fail(1, "scenarios must be a list of mappings")
    seen: set[str] = set()
    for given in listed:
        try:
            scenario = _scenario(where, given, sources)
        except _Unknown:
            if path.parent != FOLDER:
                raise
            continue  # the installed botocore is older than this release; a test reads all with the newest
        if scenario.name in seen:
            where.fail(given.line, f"scenario {scenario.name!r} occurs twice")
        seen.add(scenario.name)
        yield scenario


def _sources(where: _Location, given: Any) -> dict[str, Source]:
    found = {}
    for name, source in given.items():
        _check_names(where, source, getattr(given, "line", 1), _SOURCE, f"source {name!r}")
        if source.get("mark") not in MARKS:
            where.fail(source.line, f"source {name!r}: mark must be one of {', '.join(MARKS)}")
        if not source.get("title") or (source["mark"] != "inferred" and not source.get("date")):
            where.fail(source.line, f"source {name!r} needs a title, and a date unless it is inferred")
        found[name] = Source(name, **{key: str(value) for key, value in source.items()})
    return found


def _scenario(where: _Location, given: Any, sources: Mapping[str, Source]) -> Scenario:
    name = given.get("name")
    if not isinstance(name, str):
        where.fail(given.line, "a scenario needs a name")
    where = where.inside(name)
    _check_names(where, given, given.line, _SCENARIO, "a scenario")
    known = {*templates.BUILT_IN}
    principals = {}
    for each, described in (given.get("principals") or {}).items():
        principals[each] = _principal(where, each, described, known)
        known |= {each, f"{each}_caller", f"{each}_id"}
    default = _cited(where, given, sources)
    steps = []
    for number, step in enumerate(_steps(where, given, given.get("steps")), 1):
        steps.append(_step(where.inside(name, f"step {number}"), name, number, step, sources, default, known))
        known.add(steps[-1].name)
        by = steps[-1].by
        if by and by not in principals:
            where.inside(name, f"step {number}").fail(
                step.line, f"principals has no {by!r}.{did_you_mean(by, principals)}"
            )
    delays = given.get("delays")
    if delays is not None:
        _check_names(where, delays, given.line, _DELAYS, "delays")
    return Scenario(
        file=Path(where(0)).stem,
        name=name,
        place=where(given.line),
        steps=tuple(steps),
        principals=tuple(principals.values()),
        delays=delays,
        needs=_needs(where, given, steps),
    )


def _needs(where: _Location, given: Any, steps: Sequence[Step]) -> frozenset[str]:
    needs = set(given.get("needs") or ())
    if not needs <= NEEDS:
        where.fail(given.line, f"needs must be some of {', '.join(sorted(NEEDS))}")
    if given.get("principals"):
        needs.add("principals")
    if given.get("delays"):
        needs.add("time")
    needs |= {"time" if step.wait <= _MAX_WAIT else "clock" for step in steps if step.wait is not None}
    return frozenset(needs)


def _principal(where: _Location, name: str, given: Any, known: Iterable[str]) -> Principal:
    _check_names(where, given, 1, _PRINCIPAL, f"principal {name!r}")
    _check_references(where, given, given.values(), known)
    lists = {key: tuple(given[key]) for key in ("policies", "session_policies") if key in given}
    return Principal(name, **{**given, **lists})


def _steps(where: _Location, scenario: Any, given: Any) -> Iterator[Any]:
    """Yield the steps. A list among them is the steps of a part that several scenarios share."""
    if not isinstance(given, list) or not given:
        where.fail(scenario.line, "steps must be a list of steps")
    for step in given:
        if isinstance(step, list):
            yield from _steps(where, scenario, step)
        elif isinstance(step, dict):
            yield step
        else:
            where.fail(scenario.line, f"a step is a mapping with an operation, not {step!r}")


def _step(
    where: _Location,
    scenario: str,
    number: int,
    given: Any,
    sources: Mapping[str, Source],
    default: tuple[Cited, ...],
    known: Iterable[str],
) -> Step:
    operation = _operation(where, given)
    where = where.inside(scenario, f"step {number} ({operation or 'wait'})")
    params = given.get(operation) or {}
    if not isinstance(params, dict):
        where.fail(given.line, f"the parameters must be a mapping, not {params!r}")
    expected = _expected(where, given, operation)
    cited = _cited(where, given, sources) or (default if expected is not None else ())
    if expected is not None and not cited:
        where.fail(given.line, "an expected answer needs a source")
    _check_shape(where, given, operation, "input", params)
    _check_references(where, given, (params, *(given.get(name) for name in _EXPECTED)), known)
    within = given.get("within", 0)
    if not is_number(within) or given.get("region", "first") not in ("first", "other"):
        where.fail(given.line, "within must be a number of seconds, and region 'first' or 'other'")
    return Step(
        number=number,
        place=where(given.line),
        operation=operation,
        params=params,
        name=str(given.get("as", "")),
        case=str(given.get("case", "")),
        region=given.get("region", "first"),
        by=str(given.get("by", "")),
        expected=expected,
        cited=cited,
        message_cited=_cited(where, given, sources, "message_source"),
        within=within,
        wait=_wait(where, given),
    )


def _check_references(where: _Location, given: Any, values: Iterable[Any], known: Iterable[str]) -> None:
    try:
        templates.check(tuple(values), known)
    except ValueError as error:
        where.fail(given.line, str(error))


def _operation(where: _Location, given: Any) -> str:
    """Return the operation of a step; empty if it is a wait."""
    operations = [name for name in given if name not in _STEP]
    if not operations and "wait" in given:
        return ""
    if len(operations) != 1 or "wait" in given:
        where.fail(given.line, f"a step has one operation or `wait`, not {', '.join(operations) or 'none'}")
    known = service_description()["operations"]
    if operations[0] not in known:
        reason = f"Unknown operation or field {operations[0]!r}."
        where.fail(given.line, reason + did_you_mean(operations[0], [*known, *_STEP]), _Unknown)
    return str(operations[0])


def _expected(where: _Location, given: Any, operation: str) -> Expected | None:
    if not _EXPECTED & given.keys():
        return None
    if "error" in given and given.keys() & {"answer", "members", "absent"}:
        where.fail(given.line, "a step expects an error or an answer, not both")
    if "message" in given and "error" not in given:
        where.fail(given.line, "a message belongs to an error")
    answer, members = given.get("answer"), given.get("members")
    if (answer is not None and not isinstance(answer, dict)) or not isinstance(members, list | None):
        where.fail(given.line, "answer must be a mapping, and members a list of names")
    _check_shape(where, given, operation, "output", answer or {}, members or ())
    absent = tuple(given.get("absent") or ())
    return Expected(
        given.get("error"), given.get("message"), answer, None if members is None else tuple(members), absent
    )


def _check_shape(where: _Location, given: Any, operation: str, kind: str, *named: Iterable[str]) -> None:
    """Check that an operation has the given parameters or members."""
    if not operation:
        return
    model = service_description()
    shape = model["operations"][operation].get(kind)
    known = model["shapes"][shape["shape"]]["members"] if shape else {}
    for name in (name for names in named for name in names):
        if name not in known and not name.startswith("$"):
            hint = did_you_mean(name, known)
            what = "parameter" if kind == "input" else "member of the answer"
            where.fail(given.line, f"Unknown {what} {name!r}.{hint}", _Unknown)


def _wait(where: _Location, given: Any) -> timedelta | None:
    wait = given.get("wait")
    if wait is None:
        return None
    _check_names(where, wait, given.line, _UNITS, "a wait")
    if not all(is_number(number) for number in wait.values()):
        where.fail(given.line, f"a wait is a number of {', '.join(sorted(_UNITS))}, not {dict(wait)}")
    return timedelta(**wait)


def _cited(where: _Location, given: Any, sources: Mapping[str, Source], field: str = "source") -> tuple[Cited, ...]:
    named = given.get(field, [])
    found = []
    for each in named if isinstance(named, list) else [named]:
        name, _, place = str(each).partition(",")
        if name not in sources:
            where.fail(given.line, f"Unknown source {name!r}.{did_you_mean(name, sources)}")
        found.append(Cited(sources[name], place.strip()))
    return tuple(found)


def _check_names(where: _Location, given: Any, line: int, known: set[str], what: str) -> None:
    if not isinstance(given, dict):
        where.fail(line, f"{what} must be a mapping with {', '.join(sorted(known))}")
    for name in given:
        if name not in known:
            where.fail(getattr(given, "line", line), f"{what} has no {name!r}.{did_you_mean(name, known)}")
