"""The difference between the permissions that tests needed and those that deployed policies give, with what to change.

`PolicyUsage` records what tests did as sets of plain tuples, which pytest-xdist can send and which add up over tests.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_kmsmock._kms.api.arns import parse_arn
from pytest_kmsmock._kms.policy.evaluation import Denial
from pytest_kmsmock._kms.policy.kinds import PolicyKind
from pytest_kmsmock._kms.policy.policy import compile_policy
from pytest_kmsmock._kms.state.attached_policies import policy_holder
from pytest_kmsmock._record import Record

if TYPE_CHECKING:
    from pytest_kmsmock._kms.engine.call_record import CallRecord
    from pytest_kmsmock._kms.policy.decision import Decision
    from pytest_kmsmock._kms.policy.evaluation import Origin, Request
    from pytest_kmsmock._kms.policy.policy import Policy
    from pytest_kmsmock._kms.policy.statements import Statement
    from pytest_kmsmock._kms.state.attached_policies import Iam

_AWS_MANAGED = "AWS managed policy"
#: What to do where nothing was deployed.
WHAT_TO_GIVE = (
    "Give a CloudFormation, CDK or SAM template, or a Terraform plan or state, as seed=..., kms_mock_seed or to "
    "kms_mock.deploy()."
)


class Entry(Record):
    """An action of a statement of a deployed policy.

    Attributes:
        place: file, line and resource.
        statement: the statement, with its line.
        action: the action, as the statement has it.
    """

    place: str
    statement: str
    action: str

    def __str__(self) -> str:
        return f"{self.place}, {self.statement}: {self.action}"


class MissingPermission(Record):
    """A permission that a test needed and no deployed policy gives, or one denies.

    Attributes:
        place: file, line and resource of what to change.
        change: what to do there.
        action: the action.
        resource: the ARN of the key.
        principal: the ARN of the principal that needs it.
    """

    place: str
    change: str
    action: str
    resource: str
    principal: str

    def __str__(self) -> str:
        return f"{self.place}: {self.change} {self.action} on {self.resource} for {self.principal}"


@dataclass
class PolicyUsage:
    """What tests needed, and what files give."""

    missing: set[MissingPermission] = field(default_factory=set)
    used: set[Entry] = field(default_factory=set)
    given: set[Entry] = field(default_factory=set)
    files: set[tuple[str]] = field(default_factory=set)

    def add(self, calls: Iterable[CallRecord], iam: Iam) -> None:
        """Add what calls needed, and what the policies of a mock give."""
        self.given |= set(_given(iam))
        self.files |= {(origin.file,) for origins in iam.origins.values() for origin in origins.values()}
        for record in calls:
            for decision in record.decisions:
                if decision.allowed:
                    self.used |= set(_used(decision))
                else:
                    self.missing |= set(_missing(decision))

    def merge(self, data: Mapping[str, Iterable[Iterable[str]]]) -> None:
        """Add what another process found, as `data` gives it."""
        self.missing |= {MissingPermission(*fields) for fields in data["missing"]}
        self.used |= {Entry(*fields) for fields in data["used"]}
        self.given |= {Entry(*fields) for fields in data["given"]}
        self.files |= {(file,) for (file,) in data["files"]}

    @property
    def data(self) -> dict[str, list[tuple[str, ...]]]:
        """All of it, in values that JSON has."""
        return {name: [tuple(entry) for entry in entries] for name, entries in vars(self).items()}


@dataclass(frozen=True)
class PolicyDiff:
    """The difference between what tests needed and what deployed policies give.

    Attributes:
        missing: permissions that tests used and the files lack, each with what to change where.
        unused: permissions that the files give and no test used, each with its statement.
        files: the names of the files.
    """

    missing: tuple[str, ...]
    unused: tuple[str, ...]
    files: tuple[str, ...]

    @classmethod
    def of(cls, usage: PolicyUsage) -> PolicyDiff:
        """Return the difference."""
        files = tuple(sorted(file for (file,) in usage.files))
        return cls(tuple(map(str, sorted(usage.missing))), tuple(map(str, sorted(usage.given - usage.used))), files)

    @property
    def lines(self) -> list[str]:
        """The difference, a line for each permission."""
        if not self.files:
            return [f"Nothing was deployed, so there are no policies to compare with. {WHAT_TO_GIVE}"]
        return [
            f"permissions that tests used and the files lack ({len(self.missing)}):",
            *(f"  + {entry}" for entry in self.missing),
            f"permissions that the files give and no test used ({len(self.unused)}):",
            *(f"  - {entry}" for entry in self.unused),
        ]

    def __bool__(self) -> bool:
        return bool(self.missing or self.unused)

    def __str__(self) -> str:
        return "\n".join(self.lines)


def _origin(request: Request, policy: Policy) -> Origin | None:
    holder = request.resource if policy.kind is PolicyKind.KEY else policy_holder(request.principal)
    return request.origins.get(holder, {}).get(policy.text)


def _statement(origin: Origin, statement: Statement) -> str:
    line = origin.statement(statement.number)
    return f"statement {statement.number} in {line}" if line else f"statement {statement.number}"


def _applies(statement: Statement, request: Request) -> bool:
    return statement.explain_mismatch(request.principal, request.action, request.resource, request.context) is None


def _used(decision: Decision) -> Iterator[Entry]:
    """Yield all entries that allow a request: the author may rely on any of them."""
    request = decision.request
    for policy in (*decision.policies.key, *decision.policies.identity):
        origin = _origin(request, policy)
        for statement in policy.statements if origin is not None else ():
            if not statement.deny and _applies(statement, request):
                assert origin is not None
                for action in _actions(statement):
                    if action == "NotAction" or fnmatch.fnmatchcase(request.action.lower(), action.lower()):
                        yield Entry(str(origin), _statement(origin, statement), action)


def _actions(statement: Statement) -> Iterator[str]:
    """Yield the actions of a statement that have to do with KMS."""
    if statement.action is None:
        return
    if statement.action.negated:
        yield "NotAction"
        return
    for text in statement.action.entries:
        if text == "*" or text.lower().startswith("kms:"):
            yield text


def _given(iam: Iam) -> Iterator[Entry]:
    """Yield what the policies of roles and users give, and key policies to others than whole accounts."""
    for holder, texts in iam.origins.items():
        is_key = parse_arn(holder) is not None
        for text in texts if is_key else iam.identity.get(holder, ()):
            origin = texts.get(text)
            if text and origin is not None and _AWS_MANAGED not in origin.resource:
                kind = PolicyKind.KEY if is_key else PolicyKind.IDENTITY
                for statement in compile_policy(text, kind).statements:
                    if not statement.deny and not _is_for_accounts(statement):
                        for action in _actions(statement):
                            yield Entry(str(origin), _statement(origin, statement), action)


def _is_for_accounts(statement: Statement) -> bool:
    """Say whether a statement of a key policy lets IAM policies decide: those give what it allows."""
    principal = statement.principal
    return principal is not None and bool(principal.accounts) and not (principal.arns or principal.services)


#: What to change, and where, by why a request was refused.
_CHANGES = {
    Denial.IDENTITY: ("identity", "allow"),
    Denial.RESOURCE: ("key", "allow"),
    Denial.OTHER_ACCOUNT: ("key", "allow"),
    Denial.BOUNDARY: ("boundary", "allow"),
}


def _missing(decision: Decision) -> Iterator[MissingPermission]:
    """Yield what to change so that a request is allowed, as far as that is in a file."""
    assert decision.denial is not None
    request = decision.request
    principal = policy_holder(request.principal)
    denying = list(_denying(decision))
    for place in denying:
        yield MissingPermission(place, "do not deny", request.action, request.resource, principal)
    kind, change = _CHANGES.get(decision.denial, ("", ""))
    if denying or not kind:
        return
    policies = {
        "identity": decision.policies.identity,
        "key": decision.policies.key,
        "boundary": () if decision.policies.boundary is None else (decision.policies.boundary,),
    }[kind]
    origins = [
        origin for policy in policies if (origin := _origin(request, policy)) and _AWS_MANAGED not in origin.resource
    ]
    holder = request.origins.get(request.resource if kind == "key" else principal, {})
    origin = origins[0] if origins else holder.get("")
    if origin is not None:
        yield MissingPermission(str(origin), change, request.action, request.resource, principal)


def _denying(decision: Decision) -> Iterator[str]:
    request = decision.request
    for policy in decision.policies.denying:
        origin = _origin(request, policy)
        for statement in policy.statements if origin is not None else ():
            if statement.deny and _applies(statement, request):
                assert origin is not None
                yield f"{origin}, {_statement(origin, statement)}"
