"""The page of `--kms-report=FILE.html`: one file that loads nothing else.

The folder `page` has its template. This module inserts the data, so that no string of a test can become markup or code:
as JSON without `<`, with a Content-Security-Policy that allows only the page's own script.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from importlib.resources import files
from string import Template

from .entries import ItemEntry
from .totals import OperationTotal, totals


def page(tests: Sequence[ItemEntry]) -> str:
    """Return the page as HTML.

    Args:
        tests: the tests of the run, in the order of the report.
    """
    style, script = _part("page.css"), _part("page.js")
    policy = f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}"
    return Template(_part("page.html")).substitute(policy=policy, style=style, script=script, data=_data(tests))


def _part(name: str) -> str:
    return files(__package__).joinpath("page").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """Return the source expression that allows one inline script or style.

    See https://www.w3.org/TR/CSP3/#grammardef-hash-source
    """
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _data(tests: Sequence[ItemEntry]) -> str:
    total = totals(tests)
    data = {
        "generated": datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        "tests": tests,
        "totals": {
            "tests": total.tests,
            "operations": [_numbers(operation) for operation in total.operations],
            "overall": _numbers(total.overall),
            "unused_keys": [unused._asdict() for unused in total.unused_keys],
        },
    }
    # "</script>" and "<!--" would end or change the element; JSON can write "<" as an escape.
    return json.dumps(data).replace("<", "\\u003c")


def _numbers(total: OperationTotal) -> dict[str, object]:
    return asdict(total) | {"tests": len(total.tests)}
