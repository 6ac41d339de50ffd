"""Grants as permissions: what a grant allows, to whom, and under which constraints; and grant tokens.

The operations on grants are in `_kms.operations.management.grants`. Sources: Developer Guide, "Grants in AWS KMS"
(https://docs.aws.amazon.com/kms/latest/developerguide/grants.html), and for constraints
https://docs.aws.amazon.com/kms/latest/APIReference/API_GrantConstraints.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.api.arns import parse_arn
from pytest_kmsmock._kms.policy.decision import Policies, evaluate
from pytest_kmsmock._kms.policy.principals import PrincipalKind
from pytest_kmsmock._kms.state.records import Grant, Key

from .condition_keys import ENCRYPTION, encryption_context

if TYPE_CHECKING:
    from pytest_kmsmock._kms.call.operation import Call
    from pytest_kmsmock._kms.policy.decision import Request
    from pytest_kmsmock._kms.policy.principals import Principal
    from pytest_kmsmock._kms.state.state import Region

_ANY_KEY = frozenset({"CreateGrant", "DescribeKey", "RetireGrant"})
_ENCRYPTS = frozenset({"Decrypt", "Encrypt", "ReEncryptFrom", "ReEncryptTo"})
#: What a grant on a symmetric encryption key may allow; and on other keys, by KeyUsage.
_SYMMETRIC = _ANY_KEY | ENCRYPTION
_GRANTABLE: Mapping[str, frozenset[str]] = {
    "ENCRYPT_DECRYPT": _ANY_KEY | _ENCRYPTS | {"GetPublicKey"},
    "SIGN_VERIFY": _ANY_KEY | {"GetPublicKey", "Sign", "Verify"},
    "GENERATE_VERIFY_MAC": _ANY_KEY | {"GenerateMac", "VerifyMac"},
    "KEY_AGREEMENT": _ANY_KEY | {"DeriveSharedSecret", "GetPublicKey"},
    "ENCAPSULATE_DECAPSULATE": _ANY_KEY | {"Decapsulate", "Encapsulate", "GetPublicKey"},
}


def grantable(key: Key) -> frozenset[str]:
    """Return the operations that a grant on a key may allow."""
    return _SYMMETRIC if key.spec.key_type == "symmetric" else _GRANTABLE[key.usage]


# --- who a grant is for -------------------------------------------------------------------------------------------


def names_of(principal: Principal) -> tuple[str, ...]:
    """Return the names by which a grant can be a principal's: its own, its role's, its account's."""
    if principal.is_service:
        return (principal.arn,)
    names = (principal.arn, principal.issuer_arn, principal.account_arn)
    return tuple(dict.fromkeys(name for name in names if name is not None))


def candidates(call: Call, key: Key, home: Region) -> Sequence[Grant]:
    """Return the grants on a key of a Region that are the caller's, with those that count although taken back."""
    names = names_of(call.caller.principal)
    found = [grant for name in names for grant in home.grants_to(key.id, name)]
    if call.service.delays.eventual_consistency:
        gone = call.state.recent.gone_grants.get(key.arn, ())
        found += [grant for until, grant in gone if until > call.now and grantee_of(grant) in names]
    return found


def grantee_of(grant: Grant) -> str:
    """Return the principal or service that a grant is for."""
    return grant.grantee or grant.grantee_service or ""


def grant_that_allows(call: Call, request: Request, own: Iterable[Grant], policies: Policies) -> str | None:
    """Return the id of the first grant that allows a request; None if there is none.

    Args:
        call: the call.
        request: what is asked for.
        own: the caller's grants on the key.
        policies: the policies that bear on the request.
    """
    operation = request.action.removeprefix("kms:")
    for grant in own:
        if (
            operation in grant.operations
            and _is_known(call, grant)
            and _constraints_hold(call, request.action, grant)
            and (operation != "CreateGrant" or _may_pass_on(call, grant))
            and (not _is_for_account(request.principal, grant) or _delegated(request, policies))
        ):
            return grant.id
    return None


def _is_known(call: Call, grant: Grant) -> bool:
    """Say whether a grant has arrived everywhere, or the request names it by a token."""
    until = call.state.recent.new_grants.get(grant.id) if call.service.delays.eventual_consistency else None
    return until is None or until <= call.now or grant.id in granted_by_token(call)


def _is_for_account(principal: Principal, grant: Grant) -> bool:
    """Say whether a grant is for the account of a user or role, whose IAM policies then say who has it (B)."""
    return grant.grantee == principal.account_arn and principal.kind is not PrincipalKind.ROOT


def _delegated(request: Request, policies: Policies) -> bool:
    return evaluate(request, replace(policies, key=())).allowed


# --- constraints --------------------------------------------------------------------------------------------------


def _constraints_hold(call: Call, permission: str, grant: Grant) -> bool:
    if grant.source_arn is not None and permission != "kms:CreateGrant":
        given = call.caller.context.get("aws:sourcearn", ())
        # DescribeKey need not say on whose behalf it is called; if it does, it must be this resource.
        if (given or permission != "kms:DescribeKey") and grant.source_arn not in given:
            return False
    if permission.removeprefix("kms:") not in ENCRYPTION:
        return True
    context = _folded(encryption_context(call, permission))
    if grant.context_equals is not None and _folded(grant.context_equals) != context:
        return False
    return grant.context_subset is None or _folded(grant.context_subset) <= context


def _folded(context: Mapping[str, str]) -> set[tuple[str, str]]:
    """Return the pairs of an encryption context as constraints compare them: keys without regard to case."""
    return {(key.lower(), value) for key, value in context.items()}


def _may_pass_on(call: Call, parent: Grant) -> bool:
    """Say whether a grant allows to create the grant that is asked for: it must give no more, as strictly or more so.

    See https://docs.aws.amazon.com/kms/latest/developerguide/create-grant-overview.html
    """
    constraints = call.params.get("Constraints") or {}
    if not set(call.params.get("Operations") or ()) <= set(parent.operations):
        return False
    if parent.source_arn is not None and constraints.get("SourceArn") != parent.source_arn:
        return False
    equals, subset = constraints.get("EncryptionContextEquals"), constraints.get("EncryptionContextSubset")
    if parent.context_equals is not None and (equals is None or _folded(equals) != _folded(parent.context_equals)):
        return False
    if parent.context_subset is None:
        return True
    wanted = _folded(parent.context_subset)
    return any(wanted <= _folded(context) for context in (equals, subset) if context is not None)


# --- who may retire a grant ---------------------------------------------------------------------------------------


def may_retire(request: Request, grant: Grant, policies: Policies) -> str | None:
    """Return the id of a grant if it lets the caller retire it: by itself, or by IAM in one of its accounts.

    See https://docs.aws.amazon.com/kms/latest/developerguide/grant-delete.html
    """
    principal = request.principal
    entitled = [name for name in (grant.retiree, grant.retiree_service) if name is not None]
    if "RetireGrant" in grant.operations:
        entitled.append(grantee_of(grant))
    names = names_of(principal)
    issuer = f"arn:{principal.partition}:iam::{grant.issuing_account}:root"
    own = [name for name in names if name != principal.account_arn or principal.kind is PrincipalKind.ROOT]
    if any(name in own for name in (*entitled, issuer)):
        return grant.id
    accounts = {name.split(":")[4] for name in (*entitled, issuer) if name.startswith("arn:")}
    if principal.account in accounts and _delegated(request, policies):
        return grant.id
    return None


# --- tokens -------------------------------------------------------------------------------------------------------

_START = b"\x01\x0a\x40"  # AWS's grant tokens begin like this too, with 64 hexadecimal digits after it
_NONCE_BYTES = 64
_FIXED = len(_START) + 64 + _NONCE_BYTES


def new_token(call: Call, key: Key, grant_id: str) -> str:
    """Return a new grant token: opaque to the caller, and different each time."""
    backing = hashlib.sha256(key.arn.encode()).hexdigest().encode()
    content = _START + backing + call.random(_NONCE_BYTES) + f"{key.arn} {grant_id}".encode()
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def grant_of_token(call: Call, token: str) -> Grant:
    """Return the grant that a token is for.

    Raises:
        KmsError: `InvalidGrantTokenException` for anything that is no token of a grant that there is.
    """
    try:
        content = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        key_arn, _, grant_id = content[_FIXED:].decode().partition(" ")
    except (binascii.Error, ValueError):
        raise errors.INVALID_GRANT_TOKEN() from None
    arn = parse_arn(key_arn)
    if arn is not None:
        grants = call.state.region(arn.account, arn.region).grants.get(arn.name, {})
        grant = grants.get(grant_id)
        if grant is not None and token in grant.tokens:
            return grant
    raise errors.INVALID_GRANT_TOKEN()


def granted_by_token(call: Call) -> frozenset[str]:
    """Return the ids of the grants that the request names by their tokens; they are read once.

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
