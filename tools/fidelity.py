"""The pages of `docs/fidelity` that tell of each operation how its answers are known, made from the conformance scenarios.

`make fidelity` writes them, `tests/conformance/test_pages.py` checks that they are current. With `--moto` the page that
counts this mock and moto is written too: that runs all scenarios against both, and takes a minute or more.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pytest_kmsmock._conformance import report, runner, scenario_files, targets
from pytest_kmsmock._conformance.scenario import MARKS, Expected, Scenario, Source, Step
from pytest_kmsmock._kms.call.operation import OPERATIONS
from pytest_kmsmock._kms.operations import load

FOLDER = Path(__file__).parents[1] / "docs" / "fidelity"
OPERATIONS_PAGE, MOTO_PAGE = "operations.md", "moto.md"
_MADE = "<!-- Made by `make fidelity` from the conformance scenarios. Edit those. -->\n\n"
_LONGEST = 300

#: Module of the operations -> what its page is called.
_TITLES = {
    "aliases": "Aliases",
    "custom_key_stores": "Custom key stores",
    "data_keys": "Data keys",
    "encapsulation": "Encapsulation",
    "encryption": "Encryption",
    "grants": "Grants",
    "imports": "Imported key material",
    "key_agreement": "Key agreement",
    "keys": "Keys",
    "mac": "MACs",
    "multi_region": "Multi-Region keys",
    "policies": "Key policies",
    "public_keys": "Public keys",
    "random_bytes": "Random bytes",
    "rotation": "Rotation",
    "signing": "Signatures",
    "tags": "Tags",
    "usage": "Last use",
}

Checked = tuple[Scenario, Step]


def pages(scenarios: Sequence[Scenario]) -> dict[str, str]:
    """Return the pages, by their names in the folder."""
    load()
    checked = [(each, step) for each in scenarios for step in each.steps if step.expected is not None]
    by_operation = {name: [pair for pair in checked if pair[1].operation == name] for name in sorted(OPERATIONS)}
    by_module: dict[str, list[str]] = {}
    for name in by_operation:
        by_module.setdefault(OPERATIONS[name].run.__module__.rpartition(".")[2], []).append(name)
    found = {OPERATIONS_PAGE: _summary(by_operation, by_module)}
    for module, operations in by_module.items():
        sections = [_section(name, by_operation[name]) for name in operations]
        found[f"operations/{module}.md"] = "\n".join((f"{_MADE}# {_TITLES[module]}\n", *sections))
    return found


def _marks(checked: Iterable[Checked]) -> Counter[str]:
    return Counter(step.mark for _, step in checked)


def _summary(by_operation: Mapping[str, Sequence[Checked]], by_module: Mapping[str, Sequence[str]]) -> str:
    everything = _marks(pair for pairs in by_operation.values() for pair in pairs)
    sources = {
        each.source.name: each.source
        for pairs in by_operation.values()
        for _, step in pairs
        for each in (*step.cited, *step.message_cited)
    }
    rows = [
        f"| [{name}](operations/{module}.md#{name.lower()}) | {_cells(_marks(by_operation[name]))} |"
        for module, names in sorted(by_module.items(), key=lambda item: _TITLES[item[0]])
        for name in names
    ]
    return "\n".join(
        (
            f"{_MADE}# Operations, and how their answers are known\n",
            "Each answer counted here is a step of a [conformance scenario](../conformance.md): a call in a situation, and AWS's",
            "error code with its message, or members of the answer. This mock answers all of them so; a test checks it. *Recorded*:",
            "AWS was seen to answer so. *Documented*: AWS says so. *Inferred*: neither, so the nearest known behavior stands in.",
            "Where an answer has several sources, the strongest counts. Answers that are not here are not known to be exact.\n",
            "| operation | recorded | documented | inferred |",
            "|---|---|---|---|",
            *rows,
            f"| in all | {_cells(everything)} |\n",
            "```{toctree}\n:hidden:",
            *(f"operations/{module}" for module in sorted(by_module, key=lambda each: _TITLES[each])),
            "```\n",
            "## Sources\n",
            "| source | mark | date |",
            "|---|---|---|",
            *sorted((_source_row(each) for each in sources.values()), key=str.lower),
            "",
        )
    )


def _cells(marks: Counter[str]) -> str:
    return " | ".join(str(marks[mark]) for mark in MARKS)


def _source_row(source: Source) -> str:
    title = f"[{_cell(source.title)}]({source.url})" if source.url else _cell(source.title)
    return f"| {title} | {source.mark} | {source.date} |"


def _section(operation: str, checked: Sequence[Checked]) -> str:
    marks = _marks(checked)
    told = ", ".join(f"{marks[mark]} {mark}" for mark in MARKS if marks[mark])
    rows = [
        f"| {_cell(step.case or scenario.name)} | {_answer(step.expected or Expected())} | {_how(step)} |"
        for scenario, step in checked
    ]
    return "\n".join((f"## {operation}\n", f"{told}.\n", "| situation | answer | known |", "|---|---|---|", *rows, ""))


def _answer(expected: Expected) -> str:
    if expected.error is not None:
        if expected.message is None:
            return f"`{expected.error}`"
        message = expected.message if isinstance(expected.message, str) else expected.message["$matches"]
        return f"`{expected.error}`: {_code(message)}" if message else f"`{expected.error}` without a message"
    if expected.members is not None:
        return ", ".join(f"`{name}`" for name in expected.members) if expected.members else "empty"
    names = ", ".join(f"`{name}`" for name in expected.answer or {} if not name.startswith("$"))
    return f"succeeds: {names}" if names else "succeeds"


def _how(step: Step) -> str:
    known = [f"{each.source.mark}: {_cell(str(each))}" for each in step.cited]
    return "<br>".join((*known, *(f"message {each.source.mark}: {_cell(str(each))}" for each in step.message_cited)))


def _code(text: str) -> str:
    short = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    fence = "``" if "`" in short else "`"
    return f"{fence}{_cell(short, escape=False)}{fence}"


def _cell(text: str, *, escape: bool = True) -> str:
    line = " ".join(text.split()).replace("|", "\\|")
    for character in "<>*_[]" if escape else "":
        line = line.replace(character, f"\\{character}")
    return line


def moto_page(scenarios: Sequence[Scenario]) -> str:
    """Return the page that counts this mock and moto."""
    ours = list(runner.run(scenarios, targets.Mock()))
    motos = list(runner.run(scenarios, targets.Moto()))
    rows = [
        (
            name,
            *(_agreeing(each for each in results if each.counts and chosen(each, name)) for results in (ours, motos)),
        )
        for names, chosen in (
            (dict.fromkeys(each.file for each in scenarios), _is_of_file),
            (MARKS, _is_of_mark),
            (("in all",), _is_any),
        )
        for name in names
    ]
    return "\n".join(
        (
            f"{_MADE}# This mock and moto\n",
            f"What `pytest-kmsmock conformance` counts for this mock and for moto {importlib.metadata.version('moto')}: of the steps of all",
            "[scenarios](../conformance.md), how many are answered as AWS answers them, in code, message and members. Steps that need",
            "policies of principals, a clock that can be moved or clusters behind key stores count as not answered by moto, which",
            "has none of these.\n",
            "| scenarios | steps | this mock | moto |",
            "|---|---|---|---|",
            *(
                f"| {name.replace('_', ' ')} | {total} | {agree} | {motos_agree} |"
                for name, (agree, total), (motos_agree, _) in rows
            ),
            "",
        )
    )


def _agreeing(results: Iterable[runner.Result]) -> tuple[int, int]:
    counts = Counter(each.outcome for each in results if each.step.expected is not None)
    return counts[runner.AGREES], counts.total()


def _is_of_file(result: runner.Result, name: str) -> bool:
    return result.scenario.file == name


def _is_of_mark(result: runner.Result, name: str) -> bool:
    return result.step.mark == name


def _is_any(_: runner.Result, __: str) -> bool:
    return True


def main() -> None:
    """Write the pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moto", action="store_true", help="run the scenarios against moto too")
    given = parser.parse_args()
    scenarios = scenario_files.read_folder()
    written = pages(scenarios) | ({MOTO_PAGE: moto_page(scenarios)} if given.moto else {})
    (FOLDER / "operations").mkdir(exist_ok=True)
    for old in (FOLDER / "operations").glob("*.md"):
        old.unlink()
    for name, text in written.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    print(report.table(list(runner.run(scenarios, targets.Mock()))), file=sys.stderr)


if __name__ == "__main__":
    main()
