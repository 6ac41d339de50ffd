"""The pages of `docs/fidelity` that tell of each operation how its answers are known, made of the scenarios.

`make fidelity` writes them, `tests/conformance/test_pages.py` checks that they are current. With `--moto` the page that
counts this mock and moto is written too: that runs all scenarios against both, and takes a minute or more.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path

from pytest_kmsmock._conformance import report, runner, scenario_files, targets
from pytest_kmsmock._conformance.scenario import MARKS, Expected, Scenario, Source, Step
from pytest_kmsmock._kms.api.service_model import operation_names

FOLDER = Path(__file__).parents[1] / "docs" / "fidelity"
OPERATIONS_PAGE, MOTO_PAGE = "operations.md", "moto.md"
_MADE = "<!-- Made by `make fidelity` from the conformance scenarios. Edit those. -->\n\n"
_LONGEST = 300

#: Page -> its title, and the operations on it.
_PAGES = {
    "aliases": ("Aliases", "CreateAlias DeleteAlias ListAliases UpdateAlias"),
    "custom_key_stores": (
        "Custom key stores",
        "ConnectCustomKeyStore CreateCustomKeyStore DeleteCustomKeyStore "
        "DescribeCustomKeyStores DisconnectCustomKeyStore UpdateCustomKeyStore",
    ),
    "data_keys": (
        "Data keys",
        "GenerateDataKey GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext GenerateDataKeyWithoutPlaintext",
    ),
    "encapsulation": ("Encapsulation", "Decapsulate Encapsulate"),
    "encryption": ("Encryption", "Decrypt Encrypt ReEncrypt"),
    "grants": ("Grants", "CreateGrant ListGrants ListRetirableGrants RetireGrant RevokeGrant"),
    "imports": ("Imported key material", "DeleteImportedKeyMaterial GetParametersForImport ImportKeyMaterial"),
    "key_agreement": ("Key agreement", "DeriveSharedSecret"),
    "keys": (
        "Keys",
        "CancelKeyDeletion CreateKey DescribeKey DisableKey "
        "EnableKey ListKeys ScheduleKeyDeletion UpdateKeyDescription",
    ),
    "mac": ("MACs", "GenerateMac VerifyMac"),
    "multi_region": ("Multi-Region keys", "ReplicateKey UpdatePrimaryRegion"),
    "policies": ("Key policies", "GetKeyPolicy ListKeyPolicies PutKeyPolicy"),
    "public_keys": ("Public keys", "GetPublicKey"),
    "random_bytes": ("Random bytes", "GenerateRandom"),
    "rotation": (
        "Rotation",
        "DisableKeyRotation EnableKeyRotation GetKeyRotationStatus ListKeyRotations RotateKeyOnDemand",
    ),
    "signing": ("Signatures", "Sign Verify"),
    "tags": ("Tags", "ListResourceTags TagResource UntagResource"),
    "usage": ("Last use", "GetKeyLastUsage"),
}

Checked = tuple[Scenario, Step]


def pages(scenarios: Sequence[Scenario]) -> dict[str, str]:
    """Return the pages, by their names in the folder."""
    checked = [(each, step) for each in scenarios for step in each.steps if step.expected is not None]
    by_operation = {name: [pair for pair in checked if pair[1].operation == name] for name in sorted(operation_names())}
    found = {OPERATIONS_PAGE: _summary(by_operation)}
    for page, (title, operations) in _PAGES.items():
        sections = [_section(name, by_operation[name]) for name in operations.split()]
        found[f"operations/{page}.md"] = "\n".join((f"{_MADE}# {title}\n", *sections))
    return found


def _marks(checked: Iterable[Checked]) -> Counter[str]:
    return Counter(step.mark for _, step in checked)


def _summary(by_operation: Mapping[str, Sequence[Checked]]) -> str:
    everything = [pair for pairs in by_operation.values() for pair in pairs]
    sources = {each.source.name: each.source for _, step in everything for each in (*step.cited, *step.message_cited)}
    rows = [
        f"| [{name}](operations/{page}.md#{name.lower()}) | {_cells(_marks(by_operation[name]))} |"
        for page, (_, names) in _PAGES.items()
        for name in names.split()
    ]
    return "\n".join(
        (
            f"{_MADE}# Operations, and how their answers are known\n",
            "Each answer counted here is a step of a [conformance scenario](../conformance.md): a call in a situation,",
            "and AWS's error code with its message, or members of the answer. This mock answers all of them so; a test",
            "checks it. *Recorded*: AWS was seen to answer so. *Documented*: AWS says so. *Inferred*: neither, so the",
            "nearest known behavior stands in. Where an answer has several sources, the strongest counts, unless its",
            "message is known less well. Of answers that are not here nothing exact is known.\n",
            "| operation | recorded | documented | inferred |",
            "|---|---|---|---|",
            *rows,
            f"| in all | {_cells(_marks(everything))} |\n",
            "```{toctree}\n:hidden:",
            *(f"operations/{page}" for page in _PAGES),
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
        *(_row(file, ours, motos, lambda result: result.scenario.file) for file in _files(scenarios)),
        *(_row(mark, ours, motos, lambda result: result.step.mark) for mark in MARKS),
        _row("in all", ours, motos, lambda _: "in all"),
    ]
    return "\n".join(
        (
            f"{_MADE}# This mock and moto\n",
            f"What `pytest-kmsmock conformance` counts for this mock and for moto {metadata.version('moto')}:",
            "of the steps of all [scenarios](../conformance.md), how many are answered as AWS answers them, in code,",
            "message and members. Steps that need policies of principals, a clock that can be moved or clusters behind",
            "key stores count as not answered by moto, which has none of these.\n",
            "| scenarios | steps | this mock | moto |",
            "|---|---|---|---|",
            *rows,
            "",
        )
    )


def _files(scenarios: Sequence[Scenario]) -> list[str]:
    return list(dict.fromkeys(each.file for each in scenarios))


def _row(
    name: str,
    ours: Sequence[runner.Result],
    motos: Sequence[runner.Result],
    kind: Callable[[runner.Result], str],
) -> str:
    checked = [[each for each in results if each.step.expected and kind(each) == name] for results in (ours, motos)]
    agree = [sum(each.outcome == runner.AGREES for each in results) for results in checked]
    return f"| {name.replace('_', ' ')} | {len(checked[0])} | {agree[0]} | {agree[1]} |"


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
