"""`KmsMock.least_privilege()`: the smallest policies that allow recorded calls.

AWS evaluates the IAM policies of the principal and the key policy. Within an account either is enough for a key, if the
key policy enables IAM policies, as the default key policy does; across accounts both are needed. Aliases and operations
without a key need IAM policies.

See https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html and
https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-encryption-context
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pytest_kmsmock._kms.policy.principals import Principal, PrincipalKind
from pytest_kmsmock._runtime.checks import check_path, did_you_mean
from pytest_kmsmock.errors import UnknownKey, UnknownPrincipal

from .required_permissions import Permission

_T = TypeVar("_T")

#: A policy or a statement, as JSON.
Json = dict[str, object]

_VERSION = "2012-10-17"
_CONTEXT = "kms:EncryptionContext:"
#: Encryption context of S3 objects, which is generalized to all objects of a bucket.
_OBJECTS = f"{_CONTEXT}aws:s3:arn"

#: Condition keys of a statement, each with its allowed values.
_Allowed = frozenset[tuple[str, frozenset[str]]]


class ByArn(Mapping[str, _T]):
    """A mapping from ARNs. A look-up also takes the part after the account (`role/app`), and the id of a key.

    Args:
        found: the values by ARN.
        kind: what the ARNs name, for messages.
        error: the class of the error for unknown names.
    """

    __slots__ = ("_error", "_found", "_kind")

    def __init__(self, found: Mapping[str, _T], kind: str, error: type[UnknownPrincipal | UnknownKey]) -> None:
        self._found, self._kind, self._error = found, kind, error

    def __getitem__(self, name: str) -> _T:
        """Return the value of an ARN, a short name, or an object with an ARN.

        Raises:
            UnknownPrincipal, UnknownKey: a KeyError that lists the ARNs.
        """
        wanted = str(getattr(name, "arn", name))
        arns = [arn for arn in self._found if wanted == arn or arn.endswith((f":{wanted}", f":key/{wanted}"))]
        if len(arns) == 1:
            return self._found[arns[0]]
        if arns:
            raise self._error(f"{wanted!r} could be any of these, give its ARN: {', '.join(arns)}.")
        known = [arn.split(":", 5)[-1] for arn in self._found]
        hint = did_you_mean(wanted.split(":", 5)[-1], known)
        there = f"Choose from: {', '.join(self._found)}." if known else "No recorded call needs such a policy."
        raise self._error(f"Unknown {self._kind} {wanted!r}.{hint} {there}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        return repr(self._found)


@dataclass(frozen=True, slots=True)
class LeastPrivilege:
    """The smallest policies that allow some calls.

    Attributes:
        identity_policies: ARN of a user or role -> the IAM policy it needs. Root users need none. A look-up takes
            `role/app` too.
        key_policy_statements: ARN of a key -> the statements that its key policy needs for all principals that used it.
            A look-up takes the key id too.
    """

    identity_policies: Mapping[str, Json]
    key_policy_statements: Mapping[str, list[Json]]

    def to_json(self) -> str:
        """Return both as one JSON document, indented."""
        document = {
            "IdentityPolicies": dict(self.identity_policies),
            "KeyPolicyStatements": dict(self.key_policy_statements),
        }
        return json.dumps(document, indent=2) + "\n"

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write them to a file as JSON.

        Raises:
            InvalidOption: `path` is not a path.
            OSError: the file cannot be written.
        """
        check_path(path, "write(): path")
        Path(path).write_text(self.to_json(), encoding="utf-8")

    def __str__(self) -> str:
        return self.to_json()


def least_privilege(needed: Iterable[Permission]) -> LeastPrivilege:
    """Return the smallest policies that allow exactly these permissions."""
    by_principal: dict[str, set[Permission]] = defaultdict(set)
    by_key: dict[str, set[Permission]] = defaultdict(set)
    for permission in needed:
        if _has_policies(permission.principal):
            by_principal[permission.principal].add(permission)
        if permission.key:
            by_key[permission.key].add(permission)
    policies: dict[str, Json] = {
        principal: {"Version": _VERSION, "Statement": _identity_statements(by_principal[principal])}
        for principal in sorted(by_principal)
    }
    statements = {key: _key_statements(by_key[key]) for key in sorted(by_key)}
    return LeastPrivilege(ByArn(policies, "principal", UnknownPrincipal), ByArn(statements, "key", UnknownKey))


def _has_policies(principal: str) -> bool:
    """Say whether IAM policies can be attached: to users and roles, not to root users and AWS services."""
    return Principal.parse(principal).kind not in (PrincipalKind.ROOT, PrincipalKind.SERVICE)


def _identity_statements(needed: Collection[Permission]) -> list[Json]:
    rules = {(permission.action, permission.resource, _conditions(permission, by_alias=True)) for permission in needed}
    return [
        {"Effect": "Allow", "Action": _short(actions), "Resource": _short(resources), **_condition_block(allowed)}
        for actions, resources, allowed in _merge(rules)
    ]


def _key_statements(needed: Collection[Permission]) -> list[Json]:
    rules = {
        (permission.action, permission.principal, _conditions(permission, by_alias=False)) for permission in needed
    }
    # The Resource of a key policy is always this key; its statements list principals.
    return [
        {
            "Effect": "Allow",
            "Principal": _principal_element(principals),
            "Action": _short(actions),
            "Resource": "*",
            **_condition_block(allowed),
        }
        for actions, principals, allowed in _merge(rules)
    ]


def _principal_element(principals: Iterable[str]) -> Json:
    element: dict[str, list[str]] = defaultdict(list)
    for principal in principals:
        element["Service" if Principal.parse(principal).is_service else "AWS"].append(principal)
    return {kind: _short(names) for kind, names in element.items()}


def _short(texts: Iterable[str]) -> str | list[str]:
    """Return a list as policies write it: a single string as it is."""
    found = sorted(texts)
    return found[0] if len(found) == 1 else found


def _conditions(permission: Permission, *, by_alias: bool) -> _Allowed:
    pairs: dict[str, tuple[str, frozenset[str]]] = {}
    for name, value in permission.context:
        # Condition keys ignore case, so of "a" and "A" only one can be required.
        pairs.setdefault(f"{_CONTEXT}{name}".lower(), (f"{_CONTEXT}{name}", frozenset({_literal(value)})))
    found = set(pairs.values())
    found |= {(name, frozenset({_literal(value)})) for name, value in permission.request}
    if by_alias and permission.alias:
        found.add(("kms:ResourceAliases", frozenset({permission.alias})))
    return frozenset(found)


def _literal(text: str) -> str:
    """Return a value as a policy literal: `${` would start a policy variable.

    See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-specialchars
    """
    return text.replace("${", "${$}{")


def _condition_block(allowed: _Allowed) -> Json:
    block: dict[str, Json] = defaultdict(dict)
    for key, values in sorted(allowed, key=lambda pair: pair[0]):
        # A key may have several aliases, so this condition key is multivalued.
        operator = "ForAnyValue:StringEquals" if key == "kms:ResourceAliases" else "StringEquals"
        if key == _OBJECTS and any(value.endswith("/*") for value in values):
            operator = "StringLike"
        block[operator][key] = _short(values)
    return {"Condition": dict(block)} if block else {}


# --- merging rules into few statements that allow exactly the same -------------------------------------------------

_Rule = tuple[str, str, _Allowed]
_Merged = tuple[list[str], list[str], _Allowed]


def _merge(rules: Collection[_Rule]) -> list[_Merged]:
    """Merge rules into statements (actions, resources or principals, conditions) that allow exactly the same."""
    scopes: dict[tuple[str, str], set[_Allowed]] = defaultdict(set)  # (action, resource) -> alternative conditions
    for action, resource, allowed in rules:
        scopes[action, resource].add(allowed)
    actions: dict[tuple[str, frozenset[_Allowed]], set[str]] = defaultdict(set)
    for (action, resource), alternatives in scopes.items():
        actions[resource, frozenset(_join_values(_without_redundant(alternatives)))].add(action)
    resources: dict[tuple[frozenset[str], frozenset[_Allowed]], set[str]] = defaultdict(set)
    for (resource, joined), names in actions.items():
        resources[frozenset(names), joined].add(resource)
    merged = [
        (sorted(names), sorted(places), allowed) for (names, joined), places in resources.items() for allowed in joined
    ]
    return sorted(merged, key=lambda each: (each[1], each[0], _in_order(each[2])))


def _in_order(allowed: _Allowed) -> list[tuple[str, list[str]]]:
    return sorted((key, sorted(values)) for key, values in allowed)


def _without_redundant(alternatives: Collection[_Allowed]) -> set[_Allowed]:
    """Remove alternatives that a less restrictive one includes."""
    return {one for one in alternatives if not any(other < one for other in alternatives)}


def _join_values(alternatives: set[_Allowed]) -> set[_Allowed]:
    """Join alternatives that differ only in the values of one condition key."""
    joined = set(alternatives)
    for key in sorted({key for allowed in alternatives for key, _ in allowed}):
        groups: dict[_Allowed, set[str]] = defaultdict(set)
        untouched: set[_Allowed] = set()
        for allowed in joined:
            values = dict(allowed).get(key)
            if values is None:
                untouched.add(allowed)
            else:
                groups[allowed - {(key, values)}] |= values
        joined = untouched | {rest | {(key, frozenset(values))} for rest, values in groups.items()}
    return joined
