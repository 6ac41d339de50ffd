"""Authorization by grants: grantees, operations, constraints, retiring principals; and grant tokens.

The operations on grants are in `_kms.operations.management.grants`. Sources: Developer Guide, "Grants in AWS KMS"
(https://docs.aws.amazon.com/kms/latest/developerguide/grants.html), and for constraints
https://docs.aws.amazon.com/kms/latest/APIReference/API_GrantConstraints.html
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.api.arns import parse_arn
from pytest_kmsmock._kms.call.operation import Call
from pytest_kmsmock._kms.policy.evaluation import ApplicableGrant
from pytest_kmsmock._kms.policy.principals import Match, PrincipalKind
from pytest_kmsmock._kms.state.records import Grant, Key

if TYPE_CHECKING:
    from pytest_kmsmock._kms.policy.principals import Principal
    from pytest_kmsmock._kms.state.state import Region

_ANY_KEY = ("CreateGrant", "RetireGrant", "DescribeKey")
_ENCRYPTS = ("Decrypt", "Encrypt", "ReEncryptFrom", "ReEncryptTo")
#: Grant operations on symmetric encryption keys, and on other keys by KeyUsage. The order of GENERATE_VERIFY_MAC is
#: captured from AWS KMS, 2026-09; the order of the others is inferred.
_SYMMETRIC = (
    *_ANY_KEY, *_ENCRYPTS, "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
)  # fmt: skip
_GRANTABLE: Mapping[str, tuple[str, ...]] = {
    "ENCRYPT_DECRYPT": (*_ANY_KEY, *_ENCRYPTS, "GetPublicKey"),
    "SIGN_VERIFY": (*_ANY_KEY, "GetPublicKey", "Sign", "Verify"),
    "GENERATE_VERIFY_MAC": (*_ANY_KEY, "GenerateMac", "VerifyMac"),
    "KEY_AGREEMENT": (*_ANY_KEY, "DeriveSharedSecret", "GetPublicKey"),
    "ENCAPSULATE_DECAPSULATE": (*_ANY_KEY, "Decapsulate", "Encapsulate", "GetPublicKey"),
}


def grantable(key: Key) -> tuple[str, ...]:
    """Return the operations that a grant on a key may allow, in AWS's order."""
    return _SYMMETRIC if key.spec.key_type == "symmetric" else _GRANTABLE[key.usage]


# --- grantees -----------------------------------------------------------------------------------------------------


def grantee_names(principal: Principal) -> tuple[str, ...]:
    """Return the grantees that include a principal: its ARN, its role, its account."""
    if principal.is_service:
        return (principal.arn,)
    names = (principal.arn, principal.issuer_arn, principal.account_arn)
    return tuple(dict.fromkeys(name for name in names if name is not None))


def grants_of_caller(call: Call, key: Key, home: Region) -> Sequence[Grant]:
    """Return the caller's grants on a key, including deleted ones that are still effective."""
    names = grantee_names(call.caller.principal)
    found = [grant for name in names for grant in home.grants_to(key.id, name)]
    if call.service.delays.eventual_consistency:
        gone = call.state.recent.gone_grants.get(key.arn, ())
        found += [grant for until, grant in gone if until > call.now and grant.holder in names]
    return found


def _match(principal: Principal, name: str) -> Match:
    """Return how closely a principal in a grant matches the caller: itself, the role of its session, its account."""
    if name == principal.arn:
        return Match.ISSUER if principal.kind is PrincipalKind.ROLE else Match.DIRECT
    if name == principal.issuer_arn:
        return Match.ISSUER
    return Match.ACCOUNT if name == principal.account_arn else Match.NONE


def grants_that_allow(call: Call, permission: str, own: Iterable[Grant]) -> Iterator[ApplicableGrant]:
    """Yield the grants that allow the caller a permission.

    Args:
        call: the call.
        permission: such as `kms:Encrypt`.
        own: the caller's grants on the key.
    """
    operation = permission.removeprefix("kms:")
    for grant in own:  # may be thousands: checking the operation first is fast
        if operation in grant.operations and all(holds(call, permission, grant) for holds, _ in _CHECKS):
            yield ApplicableGrant(grant.id, _match(call.caller.principal, grant.holder), grant.issuing_account)


def explain_inapplicable(call: Call, permission: str, grants: Iterable[Grant], more: int) -> Iterator[tuple[str, str]]:
    """Yield (grant id, reason) for grants that do not allow the caller a permission.

    Args:
        call: the call.
        permission: such as `kms:Encrypt`.
        grants: grants on the key.
        more: number of further grants on the key.
    """
    names = grantee_names(call.caller.principal)
    for grant in grants:
        if grant.holder not in names:
            yield grant.id, f"is for {grant.holder}"
            continue
        failed = next((why for holds, why in _CHECKS if not holds(call, permission, grant)), None)
        if failed is not None:
            yield grant.id, failed(call, permission, grant)
    if more:
        yield "…", f"and {more} more are for other principals"


def _allows_operation(_call: Call, permission: str, grant: Grant) -> bool:
    return permission.removeprefix("kms:") in grant.operations


def _is_effective(call: Call, _permission: str, grant: Grant) -> bool:
    """Whether eventual consistency is reached for a grant, or the request has its grant token."""
    until = call.state.recent.new_grants.get(grant.id) if call.service.delays.eventual_consistency else None
    return until is None or until <= call.now or grant.id in grants_by_token(call)


# --- constraints --------------------------------------------------------------------------------------------------


def _constraints_hold(call: Call, permission: str, grant: Grant) -> bool:
    if grant.source_arn is not None and permission != "kms:CreateGrant":
        from_request_context = call.caller.context.get("aws:sourcearn", ())
        # DescribeKey does not need aws:SourceArn; if the request has it, it must be this resource.
        if (from_request_context or permission != "kms:DescribeKey") and grant.source_arn not in from_request_context:
            return False
    if grant.context_equals is None and grant.context_subset is None:
        return True
    from .condition_keys import ENCRYPTION  # imported here and below, for such constraints are rare
    from .condition_values import encryption_context_of

    if permission.removeprefix("kms:") not in ENCRYPTION:
        return True
    context = _case_folded(encryption_context_of(call, permission))
    if grant.context_equals is not None and _case_folded(grant.context_equals) != context:
        return False
    return grant.context_subset is None or _case_folded(grant.context_subset) <= context


def _case_folded(context: Mapping[str, str]) -> set[tuple[str, str]]:
    """Return the pairs of an encryption context as constraints compare them: keys are case-insensitive."""
    return {(key.lower(), value) for key, value in context.items()}


def _allows_child_grant(call: Call, permission: str, parent: Grant) -> bool:
    """Whether a grant allows the requested CreateGrant: same or fewer operations, same or stricter constraints.

    See https://docs.aws.amazon.com/kms/latest/developerguide/create-grant-overview.html
    """
    if permission != "kms:CreateGrant":
        return True
    constraints = call.params.get("Constraints") or {}
    if not set(call.params.get("Operations") or ()) <= set(parent.operations):
        return False
    if parent.source_arn is not None and constraints.get("SourceArn") != parent.source_arn:
        return False
    equals, subset = constraints.get("EncryptionContextEquals"), constraints.get("EncryptionContextSubset")
    if parent.context_equals is not None and (
        equals is None or _case_folded(equals) != _case_folded(parent.context_equals)
    ):
        return False
    if parent.context_subset is None:
        return True
    wanted = _case_folded(parent.context_subset)
    return any(wanted <= _case_folded(context) for context in (equals, subset) if context is not None)


def _describe_constraints(call: Call, permission: str, grant: Grant) -> str:
    from .condition_values import encryption_context_of

    wanted = {
        "EncryptionContextEquals": grant.context_equals,
        "EncryptionContextSubset": grant.context_subset,
        "SourceArn": grant.source_arn,
    }
    constraints = ", ".join(f"{name} {value}" for name, value in wanted.items() if value is not None)
    has = f"the encryption context {dict(encryption_context_of(call, permission))}"
    if grant.source_arn is not None:
        has += f" and aws:SourceArn {', '.join(call.caller.context.get('aws:sourcearn', ())) or '(absent)'}"
    return f"has the constraint {constraints}; the request has {has}"


#: Checks of a caller's grant, each with the reason why the grant does not apply if the check fails.
_CHECKS: tuple[tuple[Callable[[Call, str, Grant], bool], Callable[[Call, str, Grant], str]], ...] = (
    (_allows_operation, lambda _call, permission, grant:
        f"allows {', '.join(grant.operations)}, not {permission.removeprefix('kms:')}"),
    (_is_effective, lambda _call, _permission, _grant:
        "is not effective yet (eventual consistency), and the request does not have its grant token"),
    (_constraints_hold, _describe_constraints),
    (_allows_child_grant, lambda _call, _permission, grant:
        f"allows CreateGrant only for {', '.join(grant.operations)}, with constraints at least as strict as its own"),
)  # fmt: skip


# --- retiring principals ------------------------------------------------------------------------------------------


def explain_not_retirable(grant: Grant) -> Iterator[tuple[str, str]]:
    """Yield (grant id, reason) with the principals that may retire the grant."""
    yield grant.id, f"may be retired by {', '.join(_may_retire(grant))}"


def _may_retire(grant: Grant) -> list[str]:
    """Return the principals that may retire a grant: retiring principals, some grantees, and last the issuing account.

    A denial names the policies that the first one of them lacks.
    """
    partition = grant.key_arn.split(":")[1]
    grantee = grant.holder if "RetireGrant" in grant.operations else None
    entitled = (grant.retiree, grant.retiree_service, grantee, f"arn:{partition}:iam::{grant.issuing_account}:root")
    return [name for name in entitled if name is not None]


def grants_to_retire(principal: Principal, grant: Grant) -> Iterator[ApplicableGrant]:
    """Yield the grant once for each principal that may retire it and that matches the caller.

    See https://docs.aws.amazon.com/kms/latest/developerguide/grant-delete.html
    """
    for name in _may_retire(grant):
        match = _match(principal, name)
        if not match and name.startswith("arn:") and name.split(":")[4] == principal.account:
            match = Match.ACCOUNT  # another principal of the account: IAM policies must allow it too
        if match:
            yield ApplicableGrant(grant.id, match, grant.issuing_account)


# --- tokens -------------------------------------------------------------------------------------------------------

_START = b"\x01\x0a\x40"  # as in AWS's grant tokens, before 64 hexadecimal digits
_NONCE_BYTES = 64
_FIXED = len(_START) + 64 + _NONCE_BYTES


def new_token(call: Call, key: Key, grant_id: str) -> str:
    """Return a new grant token: opaque and unique."""
    backing = hashlib.sha256(key.arn.encode()).hexdigest().encode()
    content = _START + backing + call.random(_NONCE_BYTES) + f"{key.arn} {grant_id}".encode()
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def grant_of_token(call: Call, token: str) -> Grant:
    """Return the grant of a grant token.

    Raises:
        KmsError: `InvalidGrantTokenException` for a token without an existing grant.
    """
    try:
        content = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        key_arn, _, grant_id = content[_FIXED:].decode().partition(" ")
    except ValueError:  # binascii.Error is one
        raise errors.INVALID_GRANT_TOKEN() from None
    arn = parse_arn(key_arn)
    if arn is not None:
        grants = call.state.region(arn.account, arn.region).grants.get(arn.name, {})
        grant = grants.get(grant_id)
        if grant is not None and token in grant.tokens:
            return grant
    raise errors.INVALID_GRANT_TOKEN()


def grants_by_token(call: Call) -> frozenset[str]:
    """Return the ids of the grants whose tokens the request has; cached per call.

    Raises:
        KmsError: `InvalidGrantTokenException`.
    """
    known: frozenset[str] | None = call.notes.get("grants by token")
    if known is None:
        known = frozenset(_read_tokens(call))
        call.notes["grants by token"] = known
    return known


def _read_tokens(call: Call) -> Iterator[str]:
    for token in call.params.get("GrantTokens", ()):
        yield grant_of_token(call, token).id
