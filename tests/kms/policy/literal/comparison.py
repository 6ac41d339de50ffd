"""Asks the package, through its public API, and the literal evaluator about a case; reduces disagreements."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pytest_kmsmock import Credentials, Explanation, KmsMock, mock_kms

from .context import Case, caller_of, key_arn
from .decision import Verdict, decide
from .vocabulary import ENDPOINT

_DENIED = re.compile(r"with an explicit deny in an? ([\w -]*(?:policy|boundary))")
#: What callers of other accounts are told.
_STRANGER = "no resource-based policies allow access, or a resource-based policy explicitly denies access"
_LACKING = re.compile(r"because no ([\w -]*(?:policy|boundary)) allows")


@dataclass(frozen=True)
class Comparison:
    """What both say of a case: print it.

    Attributes:
        case: the case.
        verdict: the decision of the literal evaluator.
        explanation: the decision of the package.
    """

    case: Case
    verdict: Verdict
    explanation: Explanation

    @property
    def agrees(self) -> bool:
        """Whether both decide the same, for reasons that go together."""
        return self.verdict.allowed is self.explanation.allowed and (self.verdict.allowed or self._reason_fits())

    def _reason_fits(self) -> bool:
        """Tell whether AWS's message names a kind of policy that denies the request, or that does not allow it."""
        message, bearing = self.explanation.message, self.verdict.denying | self.verdict.lacking
        if _STRANGER in message:
            return caller_of(self.case).account != self.case["key"]["account"] and "resource-based policy" in bearing
        denied, lacking = _DENIED.search(message), _LACKING.search(message)
        if denied is not None:
            return denied[1] in self.verdict.denying
        return not self.verdict.denying and lacking is not None and lacking[1] in self.verdict.lacking

    def __str__(self) -> str:
        words = {True: "allowed", False: "denied"}
        lines = [
            json.dumps(self.case, indent=1, ensure_ascii=False),
            f"literal evaluator: {words[self.verdict.allowed]}",
            *(f"  {reason}" for reason in self.verdict.reasons),
            f"pytest-kmsmock: {words[self.explanation.allowed]}",
            *(f"  {line}" for line in self.explanation.lines),
        ]
        return "\n".join(lines)


def attach(kms: KmsMock, case: Case) -> None:
    """Attach the policies of a case, those that are not key policies."""
    caller = caller_of(case)
    holder = caller.source or caller.arn
    if case["identity"]:
        kms.iam.attach(holder, *case["identity"])
    if case["boundary"]:
        kms.iam.boundary(holder, case["boundary"])
    for level in case["scp"]:
        kms.iam.service_control(*level, account=caller.account, full_access=False)
    if case["rcp"]:
        kms.iam.resource_control(*case["rcp"], account=case["key"]["account"])
    if case["vpce"]:
        kms.iam.vpc_endpoint_policy(ENDPOINT, case["vpce"])


def detach(kms: KmsMock, case: Case) -> None:
    """Take the policies of a case away again."""
    caller = caller_of(case)
    holder = caller.source or caller.arn
    if case["identity"]:
        kms.iam.detach(holder)
    if case["boundary"]:
        kms.iam.boundary(holder, None)
    if case["scp"]:
        kms.iam.service_control(account=caller.account)
    if case["rcp"]:
        kms.iam.resource_control(account=case["key"]["account"])
    kms.iam.vpc_endpoint_policy(ENDPOINT, None)


def create_key(kms: KmsMock, case: Case) -> None:
    """Create the key of a case, with its grants."""
    key = case["key"]
    kms.create_key(
        key_id=key["id"],
        account=key["account"],
        tags=key["tags"],
        aliases=key["aliases"],
        policy=key["policy"],
        grants=case["grants"],
    )


def credentials(kms: KmsMock, case: Case) -> Credentials:
    """Return the credentials of a case's caller."""
    sessions = {"session_policies": case["session"]} if case["session"] else {}
    return kms.credentials(**case["caller"], **sessions)


def prepare(kms: KmsMock, case: Case) -> None:
    """Set a mock up as a case says."""
    attach(kms, case)
    if case["key"]:
        create_key(kms, case)


def named_key(case: Case) -> str | None:
    """Return how the request names its key: by its ARN, or by the ARN of an alias; not if by the member AliasName."""
    if case["key"] is None or case["action"] == "kms:DeleteAlias":
        return None
    arn, alias = key_arn(case), case["key"]["named"]
    return arn if alias is None else f"{arn.rpartition(':')[0]}:{alias}"


def compare(case: Case) -> Comparison:
    """Ask both about a case, in a mock of its own."""
    with mock_kms() as kms:
        prepare(kms, case)
        return compare_in(kms, case)


def compare_in(kms: KmsMock, case: Case) -> Comparison:
    """Ask both about a case, in a mock that is set up for it."""
    explanation = kms.simulate(credentials(kms, case), case["action"], named_key(case), **case["members"])
    return Comparison(case, decide(case), explanation)


def reduced(case: Case, interesting: Callable[[Case], bool]) -> Case:
    """Leave out of a case what can be left out: parts of mappings and lists, while it stays interesting."""
    smaller = True
    while smaller:
        smaller = False
        for candidate in _without_one(case):
            try:
                found = interesting(candidate)
            except Exception:  # it is no case any more
                continue
            if found:
                case, smaller = candidate, True
                break
    return case


def _without_one(case: Case) -> Iterator[Case]:
    """Give copies of a case with one entry of a mapping or a list left out, the greatest first.

    Versions stay, and lists of a policy keep an entry: without them it would mean something else.
    """
    for path in sorted(_paths(case), key=len):
        candidate: Any = copy.deepcopy(case)
        holder = candidate
        for step in path[:-1]:
            holder = holder[step]
        *before, last = path
        if not before and last != "caller":
            empty = type(holder[last])() if isinstance(holder[last], list | dict) else None
            if holder[last] == empty:
                continue
            holder[last] = empty
        elif last == "Version" or (len(before) > 1 and isinstance(holder, list) and len(holder) == 1):
            continue
        else:
            del holder[last]
        yield candidate


def _paths(node: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    entries = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, entry in entries:
        yield (*before, step)
        yield from _paths(entry, (*before, step))
