"""`check-policies --matrix`: permissions of deployed roles and users on deployed keys, as text and as a page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from string import Template
from typing import TYPE_CHECKING

from pytest_kmsmock._iac.deployment import named
from pytest_kmsmock._iac.model import Key, Principal, Replica
from pytest_kmsmock._kms.api.arns import partition_of
from pytest_kmsmock._record import Record
from pytest_kmsmock._testing.identity.callers import make_caller
from pytest_kmsmock._testing.identity.credentials import Home
from pytest_kmsmock._testing.policies.simulation import simulate

if TYPE_CHECKING:
    from pytest_kmsmock._mock.core import MockCore

#: The actions that are shown, by the KeyUsage of a key.
_ACTIONS = {
    "ENCRYPT_DECRYPT": ("Encrypt", "Decrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo"),
    "SIGN_VERIFY": ("Sign", "Verify", "GetPublicKey"),
    "GENERATE_VERIFY_MAC": ("GenerateMac", "VerifyMac"),
    "KEY_AGREEMENT": ("DeriveSharedSecret", "GetPublicKey"),
    "ENCAPSULATE_DECAPSULATE": ("Encapsulate", "Decapsulate", "GetPublicKey"),
}
_COMMON_ACTIONS = ("DescribeKey", "CreateGrant", "PutKeyPolicy", "ScheduleKeyDeletion")


class Cell(Record):
    """One permission of one principal on one key.

    Attributes:
        principal: the resource that declares the principal.
        key: the resource that declares the key.
        action: the permission, such as `kms:Decrypt`.
        allowed: whether it is allowed.
        why: the explanation, line by line.
    """

    principal: str
    key: str
    action: str
    allowed: bool
    why: tuple[str, ...]


def cells(core: MockCore, actions: Sequence[str] = ()) -> list[Cell]:
    """Return the whole matrix.

    Args:
        core: a mock with what was deployed.
        actions: the permissions to look at; by default those that go with the usage of each key.

    Raises:
        InvalidSimulation: for what is no permission on a key.
    """
    home = Home(core.options.account, partition_of(core.region))
    found = []
    for principal, declared in named(core.deployments, Principal):
        if isinstance(declared, Principal) and declared.kind == "group":
            continue
        caller = core.service.state.iam.with_tags(make_caller(principal, home, {}))
        for key, item in named(core.deployments, Key, Replica):
            usage = _usage(core, key)
            if usage is None:  # not created: it is listed under what was not understood
                continue
            for action in actions or _ACTIONS[usage] + _COMMON_ACTIONS:
                explanation = simulate(core.service, caller, action, key, core.region, {})
                steps = tuple(str(step) for decision in explanation.decisions for step in decision.explain())
                found.append(
                    Cell(declared.place.resource, item.place.resource, f"kms:{action.rpartition(':')[2]}",
                         explanation.allowed, steps)
                )  # fmt: skip
    return found


def _usage(core: MockCore, arn: str) -> str | None:
    """Return the KeyUsage of a key; None if it was not created."""
    _, _, _, region, account, resource = arn.split(":", 5)
    key = core.service.state.region(account, region).keys.get(resource.rpartition("/")[2])
    return None if key is None else key.usage


def _rows(found: Iterable[Cell]) -> dict[tuple[str, str], dict[str, Cell]]:
    rows: dict[tuple[str, str], dict[str, Cell]] = {}
    for cell in found:
        rows.setdefault((cell.principal, cell.key), {})[cell.action] = cell
    return rows


def _columns(found: Iterable[Cell]) -> list[str]:
    return list(dict.fromkeys(cell.action for cell in found))


def table(found: Sequence[Cell]) -> Iterator[str]:
    """Yield the matrix as lines: a row for each principal and key, then why."""
    columns, rows = _columns(found), _rows(found)
    if not rows:
        yield "The files declare no role or user, or no key: there is nothing to show."
        return
    heading = ["principal", "key", *(column.removeprefix("kms:") for column in columns)]
    lines = [heading]
    for (principal, key), row in rows.items():
        lines.append([principal, key, *(_sign(row.get(column)) for column in columns)])
    widths = [max(len(line[index]) for line in lines) for index in range(len(heading))]
    for line in lines:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
    yield ""
    for cell in found:
        why = reason(cell)
        if cell.allowed or "explicit deny" in why:  # all other refusals are for want of a statement
            yield f"{cell.principal}, {cell.key}, {cell.action}: {_sign(cell)}: {why}"


def _sign(cell: Cell | None) -> str:
    return "" if cell is None else "yes" if cell.allowed else "no"


def reason(cell: Cell) -> str:
    """Return the reason in one line: the statements that apply, or AWS's message."""
    *steps, decision = cell.why
    if cell.allowed:
        return "; ".join(step.removeprefix("+ ") for step in steps if step.startswith("+ "))
    return re.split(" because |(?= with an explicit deny)", decision)[-1].strip()


_STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; margin: 2em; }
table { border-collapse: collapse; }
th, td { border: 1px solid #ccc; padding: .3em .6em; text-align: left; vertical-align: top; }
.yes { background: #e3f6e3; } .no { background: #fbe5e5; }
summary { cursor: pointer; } pre { white-space: pre-wrap; max-width: 60em; }
"""
_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>KMS permissions</title>
<style>$style</style>
</head>
<body>
<h1>KMS permissions of $files</h1>
<table>
<thead><tr>$heading</tr></thead>
<tbody>
$rows
</tbody>
</table>
</body>
</html>
""")


def page(found: Sequence[Cell], files: Sequence[str]) -> str:
    """Return the matrix as a page, with the whole explanation in each cell."""
    columns = _columns(found)
    heading = "".join(f"<th>{escape(name)}</th>" for name in ("principal", "key", *columns))
    rows = "\n".join(
        f"<tr><th>{escape(principal)}</th><th>{escape(key)}</th>{''.join(map(_html, map(row.get, columns)))}</tr>"
        for (principal, key), row in _rows(found).items()
    )
    return _PAGE.substitute(style=_STYLE, files=escape(", ".join(files)), heading=heading, rows=rows)


def _html(cell: Cell | None) -> str:
    if cell is None:
        return "<td></td>"
    sign, why = _sign(cell), escape("\n".join(cell.why))
    return f'<td class="{sign}"><details><summary>{sign}</summary><pre>{why}</pre></details></td>'
