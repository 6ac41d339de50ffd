"""Parsing policy documents: from JSON to compiled statements, with AWS's errors for malformed documents.

`policy` evaluates the statements. The caller checks that the named principals exist.

Grammar: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, TypeAlias, cast

from .kinds import (
    POLICY_TYPE_MISMATCH,
    MalformedPolicy,
    PolicyKind,
    check_actions,
    check_condition_key,
    check_stored,
    read_resources,
)
from .principals import SERVICE_NAME, Principal, PrincipalElement, PrincipalKind
from .statements import PatternElement, Statement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conditions import Condition

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"


INVALID_PRINCIPALS = "Policy contains a statement with one or more invalid principals."
_VERSIONS = ("2008-10-17", "2012-10-17")
_PAIRS = (("Action", "NotAction"), ("Resource", "NotResource"), ("Principal", "NotPrincipal"))
_ELEMENTS = {"Sid", "Effect", "Condition", *(name for pair in _PAIRS for name in pair)}
_ACTION = r"\*|[^:]+:[^:]+"
_WITHOUT_VENDOR = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
# For policies of IAM and AWS Organizations. A Sid of a key policy may have spaces, as those of the console do.
_SID = r"[0-9A-Za-z]*"


def parse_document(text: str, kind: PolicyKind) -> tuple[Statement, ...]:
    """Parse a policy document.

    Args:
        text: The JSON document.
        kind: The kind of policy.

    Returns:
        Its statements, in order.

    Raises:
        MalformedPolicy: If AWS rejects the document.
    """
    document = load_json(text, kind)
    if not isinstance(document, dict):
        raise MalformedPolicy("Policies must be valid JSON and the first byte must be '{'")
    allowed = {"Version", "Id", "Statement"} if kind.names_principals else {"Version", "Statement"}
    _check_fields(document, allowed)
    variables = _version(document, kind) == _VERSIONS[1]
    if not isinstance(document.get("Id", ""), str):
        raise _invalid("Id", document["Id"])
    if "Statement" not in document:
        raise MalformedPolicy("Missing required field Statement")
    found = document["Statement"]
    entries = found if isinstance(found, list) else [found]
    if not entries:
        raise MalformedPolicy("Missing required field Statement")
    number = 0
    statements = []
    try:
        for number, entry in enumerate(entries, start=1):
            statements.append(_statement(number, entry, kind, variables=variables))
    except MalformedPolicy as malformed:
        index = f"[{number - 1}]" if isinstance(found, list) else ""
        malformed.statement, malformed.place = number, f"Statement{index}.{malformed.place}".rstrip(".")
        raise
    if not kind.names_principals:
        sids = [statement.sid for statement in statements if statement.sid]
        if len(set(sids)) < len(sids):
            raise MalformedPolicy("Statement IDs (SID) in a single policy must be unique.")
    return tuple(statements)


def _version(document: dict[str, Json], kind: PolicyKind) -> Json:
    version = document.get("Version", _VERSIONS[0])
    if version not in _VERSIONS:
        raise MalformedPolicy("The policy must contain a valid version string")
    if kind is PolicyKind.BOUNDARY and version != _VERSIONS[1]:
        # Recorded for managed policies: Meteor-Community-Packages/Meteor-CollectionFS#630
        raise MalformedPolicy("Policy document must be version 2012-10-17 or greater.")
    return version


def load_json(text: str, kind: PolicyKind) -> Json:
    """Parse the JSON of a policy.

    Raises:
        MalformedPolicy: If it is not JSON; without a message for key policies: aws/aws-sdk-ruby#1784.
    """
    try:
        return cast("Json", json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant))
    except MalformedPolicy:
        raise
    except (ValueError, RecursionError):
        # Python also raises ValueError for integers with too many digits.
        raise MalformedPolicy("" if kind is PolicyKind.KEY else "This policy contains invalid Json") from None


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    result = dict(pairs)
    if len(result) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise MalformedPolicy(f"Duplicate field {repeated}")
    return result


def _no_constant(name: str) -> None:
    # Python's parser also accepts NaN and Infinity, which are not JSON.
    raise ValueError(name)


def _check_fields(found: dict[str, Json], allowed: set[str]) -> None:
    unknown = next((name for name in found if name not in allowed), None)
    if unknown is not None:
        raise MalformedPolicy(f"Unknown field {unknown}", unknown, unknown, sorted(allowed))


def _invalid(field: str, value: Json) -> MalformedPolicy:
    return MalformedPolicy(f"Invalid value for field {field}", field, value)


def _statement(number: int, entry: Json, kind: PolicyKind, *, variables: bool) -> Statement:
    if not isinstance(entry, dict):
        raise MalformedPolicy("Invalid value for field Statement")
    _check_fields(entry, _ELEMENTS)
    effect = entry.get("Effect")
    if effect is None:
        raise MalformedPolicy("Missing required field Effect")
    if effect not in ("Allow", "Deny"):
        raise MalformedPolicy(f"Invalid effect: {effect}", "Effect", effect, ("Allow", "Deny"))
    sid = entry.get("Sid")
    if sid is not None and not isinstance(sid, str):
        raise _invalid("Sid", sid)
    if sid is not None and not kind.names_principals and not re.fullmatch(_SID, sid):
        raise MalformedPolicy(
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression "
            "[0-9A-Za-z]*",
            "Sid",
        )
    for one, other in _PAIRS:
        if one in entry and other in entry:
            raise MalformedPolicy(f"Statement cannot contain both {one} and {other}")
    if kind is PolicyKind.RESOURCE_CONTROL:
        _check_resource_control(entry)
    return Statement(
        number,
        sid,
        effect == "Deny",
        _principal(entry, kind),
        _actions(entry, kind),
        _resources(entry, kind, variables=variables),
        tuple(_conditions(entry.get("Condition", {}), kind, variables=variables)),
    )


def _check_resource_control(entry: dict[str, Json]) -> None:
    """Check that a statement of a resource control policy denies listed actions to everyone.

    See https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html

    Raises:
        MalformedPolicy: With the message of AWS Organizations.
    """
    everyone = entry.get("Principal", "*") in ("*", {"AWS": "*"})
    if entry["Effect"] != "Deny" or not everyone or "NotPrincipal" in entry or "NotAction" in entry:
        raise MalformedPolicy(POLICY_TYPE_MISMATCH)


def _strings(value: Json, field: str) -> tuple[str, ...]:
    """Return the strings of a string or a list of strings."""
    entries = value if isinstance(value, list) else [value]
    if not all(isinstance(entry, str) for entry in entries):
        raise _invalid(field, next(entry for entry in entries if not isinstance(entry, str)))
    return cast("tuple[str, ...]", tuple(entries))


def _actions(entry: dict[str, Json], kind: PolicyKind) -> PatternElement | None:
    name = "NotAction" if "NotAction" in entry else "Action"
    if entry.get(name, []) == []:
        if kind is PolicyKind.KEY:
            return None  # accepted without effect: documentation of PutKeyPolicy's Policy parameter
        raise MalformedPolicy("Policy statement must contain actions.")
    texts = _strings(entry[name], name)
    for text in texts:
        if not re.fullmatch(_ACTION, text):
            several = text.count(":") > 1
            reason = "Actions/Condition can contain only one colon." if several else _WITHOUT_VENDOR
            raise MalformedPolicy(reason, name)
    check_actions(texts, kind)
    return PatternElement.compile(name, texts, variables=False, fold=True)


def _resources(entry: dict[str, Json], kind: PolicyKind, *, variables: bool) -> PatternElement | None:
    name = "NotResource" if "NotResource" in entry else "Resource"
    if entry.get(name, []) == []:
        if kind is PolicyKind.KEY:
            return None
        raise MalformedPolicy("Policy statement must contain resources.")
    texts = _strings(entry[name], name)
    if kind is not PolicyKind.KEY:
        texts = read_resources(texts, kind)
    return PatternElement.compile(name, texts, variables=variables, fold=False)


def _principal(entry: dict[str, Json], kind: PolicyKind) -> PrincipalElement | None:
    name = "NotPrincipal" if "NotPrincipal" in entry else "Principal"
    if not kind.names_principals:
        if name in entry:
            raise MalformedPolicy("Policy document should not specify a principal.")
        return None
    if name not in entry:
        raise MalformedPolicy("Missing required field Principal")
    negated = name == "NotPrincipal"
    value = entry[name]
    if value == "*":
        return PrincipalElement(everyone=True, negated=negated)
    if not isinstance(value, dict):
        raise MalformedPolicy('Invalid policy syntax: Principal must be "*" or an object')
    listed = {"AWS": (), "Service": (), "Federated": (), "CanonicalUser": ()} | {
        principal_type: _strings(names, name) for principal_type, names in value.items()
    }
    if len(listed) > 4 or not any(listed.values()):
        raise MalformedPolicy(INVALID_PRINCIPALS)
    accounts, arns = set[str](), set[str]()
    for text in listed["AWS"]:
        _add_aws_principal(text, accounts, arns)
    if any(not re.fullmatch(SERVICE_NAME, text) for text in listed["Service"]):
        raise MalformedPolicy(INVALID_PRINCIPALS)
    return PrincipalElement(
        "*" in arns,
        frozenset(accounts),
        frozenset(arns),
        frozenset(listed["Service"]),
        frozenset(listed["Federated"]),
        negated,
        frozenset(text.split(":")[1] for text in listed["AWS"] if text.startswith("arn:")),
    )


def _add_aws_principal(text: str, accounts: set[str], arns: set[str]) -> None:
    """Add an entry of `AWS` to the accounts or to the ARNs."""
    if text == "*":
        arns.add(text)
        return
    try:
        principal = Principal.parse(text)
    except ValueError:
        raise MalformedPolicy(INVALID_PRINCIPALS) from None
    if principal.is_service:
        raise MalformedPolicy(INVALID_PRINCIPALS)
    if principal.kind is PrincipalKind.ROOT:
        accounts.add(principal.account)
    else:
        arns.add(text)


def _conditions(block: Json, kind: PolicyKind, *, variables: bool) -> Iterator[Condition]:
    if not isinstance(block, dict):
        raise MalformedPolicy("Invalid value for field Condition", "Condition")
    if not block:
        return
    from .conditions import OPERATORS, compile_condition  # most policies have none

    for operator, keys in block.items():
        if not isinstance(keys, dict):
            raise MalformedPolicy("Invalid value for field Condition", "Condition")
        for key, value in keys.items():
            if ":" not in key.strip(":"):
                raise MalformedPolicy(_WITHOUT_VENDOR)
            if kind is PolicyKind.KEY:
                check_condition_key(operator, key)
            condition = compile_condition(operator, key, _values(value), variables=variables)
            if condition is None:
                place = f"Condition.{operator}"
                raise MalformedPolicy(f"Invalid Condition type : {operator}", place, operator, OPERATORS)
            check_stored(operator, kind, stored=condition.stored)
            yield condition


def _values(value: Json) -> tuple[str, ...]:
    entries = value if isinstance(value, list) else [value]
    texts = []
    for entry in entries:
        if isinstance(entry, bool):
            texts.append("true" if entry else "false")
        elif isinstance(entry, (str, int, float)):
            texts.append(str(entry))
        else:
            raise MalformedPolicy("Invalid value for field Condition", "Condition")
    return tuple(texts)
