"""Grants: making, listing, retiring and revoking them. What they allow is in `_kms.permissions.grants`.

See https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.api.arns import partition_of
from pytest_kmsmock._kms.call.operation import Call, Result, Target, operation
from pytest_kmsmock._kms.operations.pagination import paginate
from pytest_kmsmock._kms.operations.targets import find_key, key
from pytest_kmsmock._kms.permissions.grants import grant_of_token, grantable, new_token
from pytest_kmsmock._kms.policy.principals import MalformedPrincipal, Principal, arn_of_id
from pytest_kmsmock._kms.rules.key_states import CREATES_GRANT
from pytest_kmsmock._kms.state.records import Grant, Key
from pytest_kmsmock._kms.state.state import SortedNames

GRANTS_PER_KEY = 50_000
_GRANTS_PER_PAGE = 50
_PAIRS_PER_CONSTRAINT = 8
_CHARACTERS_PER_CONSTRAINT = 384


@operation("CreateGrant", targets=[key()], states=CREATES_GRANT, grantable=True, cross_account=True)
def create_grant(call: Call) -> Result:
    """Give a principal permission for operations on a key.

    A request like an earlier one, with the same name, gives the earlier grant's id and a further token.
    See https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html
    """
    asked = call.key
    wanted = _read(call, asked)
    home = call.state.home(asked)
    grants = home.grants.get(asked.id, {})
    grant = next((grant for grant in grants.values() if _is_same(grant, wanted)), None) if wanted.name else None
    if grant is None and len(grants) >= GRANTS_PER_KEY:
        raise errors.GRANT_QUOTA(quota=GRANTS_PER_KEY, used=len(grants))
    call.stop_if_dry_run()
    if grant is None:
        grant = replace(wanted, id=call.random(32).hex())
    token = new_token(call, asked, grant.id)
    home.put_grant(replace(grant, tokens=(*grant.tokens, token)))
    return {"GrantToken": token, "GrantId": grant.id}


def _read(call: Call, asked: Key) -> Grant:
    """Return the grant that a request wants, without id and tokens.

    Raises:
        KmsError: `ValidationException` or `InvalidArnException`.
    """
    grantee, service = call.params.get("GranteePrincipal"), call.params.get("GranteeServicePrincipal")
    retiree, retiring_service = call.params.get("RetiringPrincipal"), call.params.get("RetiringServicePrincipal")
    constraints = call.params.get("Constraints") or {}
    equals, subset = constraints.get("EncryptionContextEquals"), constraints.get("EncryptionContextSubset")
    if (grantee is None) == (service is None):
        raise errors.ONE_GRANTEE_PRINCIPAL()
    if retiree is not None and retiring_service is not None:
        raise errors.ONE_RETIRING_PRINCIPAL()
    if service is not None and ("SourceArn" not in constraints or not (retiree or retiring_service)):
        raise errors.GRANTEE_SERVICE()
    grantee = _principal(call, grantee, errors.PRINCIPAL_ID_NOT_FOUND(member="GranteePrincipal"))
    retiree = _principal(call, retiree, errors.PRINCIPAL_ID_NOT_FOUND(member="RetiringPrincipal"))
    _check_operations(call.params["Operations"], asked)
    if equals is not None and subset is not None:
        raise errors.ONE_CONTEXT_CONSTRAINT()
    for context in (equals, subset):
        if context:
            _check_context(context, asked)
    return Grant(
        id="", key_arn=asked.arn, key_id=asked.id, tokens=(), name=call.params.get("Name", ""),
        created=call.now.replace(microsecond=0),
        operations=tuple(dict.fromkeys(call.params["Operations"])),
        issuing_account=call.caller.account, grantee=grantee, grantee_service=service,
        retiree=retiree, retiree_service=retiring_service,
        context_equals=equals or None, context_subset=subset or None, source_arn=constraints.get("SourceArn"),
    )  # fmt: skip


def _principal(call: Call, text: str | None, unknown_id: errors.KmsError) -> str | None:
    """Return the ARN, or the service name, of a principal that a request names, by its unique id too.

    Raises:
        KmsError: `unknown_id`, or `InvalidArnException` for what names no principal of this partition, and for whom the
            test says does not exist.
    """
    if text is None:
        return None
    if text[:4] in ("AIDA", "AROA"):
        found = arn_of_id(text)
        if found is None or call.state.iam.lacks(Principal.parse(found)):
            raise unknown_id
        return found
    try:
        principal = Principal.parse(text)
    except MalformedPrincipal:
        raise errors.INVALID_PRINCIPAL_ARN(arn=text) from None
    except ValueError:
        raise errors.PRINCIPAL_NOT_FOUND(arn=text) from None
    here = text.startswith("arn:") and principal.partition == partition_of(call.region.name)
    if not (here or principal.is_service) or call.state.iam.lacks(principal):
        raise errors.PRINCIPAL_NOT_FOUND(arn=text)
    return text


def _check_operations(names: Iterable[str], asked: Key) -> None:
    allowed = grantable(asked)
    refused = [name for name in names if name not in allowed]
    if refused:
        raise errors.OPERATIONS_NOT_GRANTABLE(
            operations=", ".join(refused),
            # "a symmetric" of HMAC keys captured from AWS KMS, 2026-09; the other one is inferred.
            key="an asymmetric" if asked.spec.key_type == "asymmetric" else "a symmetric",
            usage=asked.usage,
            valid=", ".join(allowed),
        )
    if set(names) == {"CreateGrant"}:
        raise errors.ONLY_CREATE_GRANT()


def _check_context(context: Mapping[str, str], asked: Key) -> None:
    if asked.spec.key_type != "symmetric":
        raise errors.CONTEXT_CONSTRAINT_NOT_FOR_KEY()
    if len(context) > _PAIRS_PER_CONSTRAINT:
        raise errors.INVALID(reason=f"A grant constraint can have at most {_PAIRS_PER_CONSTRAINT} pairs.")
    if sum(len(name) + len(value) for name, value in context.items()) > _CHARACTERS_PER_CONSTRAINT:
        raise errors.INVALID(reason=f"A grant constraint cannot exceed {_CHARACTERS_PER_CONSTRAINT} characters.")


def _is_same(grant: Grant, wanted: Grant) -> bool:
    """Say whether a grant is the one that a retried request asked for; the order of its operations is no matter."""
    alike = replace(wanted, id=grant.id, tokens=grant.tokens, created=grant.created, operations=grant.operations)
    return grant == alike and set(grant.operations) == set(wanted.operations)


@operation("ListGrants", targets=[key()], cross_account=True)
def list_grants(call: Call) -> Result:
    """List the grants of a key, in the order of their ids.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_ListGrants.html
    """
    grantee, service, grant_id = (
        call.params.get("GranteePrincipal"),
        call.params.get("GranteeServicePrincipal"),
        call.params.get("GrantId"),
    )
    if grantee is not None and service is not None:
        raise errors.ONE_GRANTEE_PRINCIPAL()
    _check_service_filter(call, service)
    grantee = _principal(call, grantee, errors.FILTER_PRINCIPAL_NOT_FOUND())
    home = call.state.home(call.key)
    grants: Iterable[Grant] = home.grants.get(call.key.id, {}).values()
    if grantee is not None or service is not None:
        grants = home.grants_to(call.key.id, grantee or service or "")
    found = {grant.id: grant for grant in grants if grant_id in (None, grant.id)}
    scope = f"{call.key.arn} {grantee} {service} {grant_id}"
    return _page(call, found, scope)


def _check_service_filter(call: Call, service: str | None) -> None:
    if service is not None and not call.caller.principal.is_service:
        raise errors.SERVICE_FILTER()


def _page(call: Call, grants: Mapping[str, Grant], scope: str) -> Result:
    names = SortedNames(sorted(grants)).after
    return paginate(
        call, "Grants", names, lambda name: _show(call, grants[name]), default=_GRANTS_PER_PAGE, scope=scope
    )  # fmt: skip


def _show_principal(call: Call, name: str | None) -> str | None:
    """Return a principal as lists show it: by its unique id if it is gone. Captured from AWS KMS, 2026-09."""
    iam = call.state.iam
    if name is None or not iam.missing:
        return name
    principal = Principal.parse(name)
    return principal.unique_id if iam.lacks(principal) else name


def _show(call: Call, grant: Grant) -> dict[str, object]:
    """Return a grant as lists show it; its tokens are never shown."""
    partition = grant.key_arn.split(":")[1]
    constraints = {
        "EncryptionContextSubset": grant.context_subset,
        "EncryptionContextEquals": grant.context_equals,
        "SourceArn": grant.source_arn,
    }
    shown: dict[str, object | None] = {
        "KeyId": grant.key_arn,
        "GrantId": grant.id,
        "Name": grant.name,
        "CreationDate": grant.created,
        "GranteePrincipal": _show_principal(call, grant.grantee),
        "GranteeServicePrincipal": grant.grantee_service,
        "RetiringPrincipal": _show_principal(call, grant.retiree),
        "RetiringServicePrincipal": grant.retiree_service,
        "IssuingAccount": f"arn:{partition}:iam::{grant.issuing_account}:root",
        "Operations": list(grant.operations),
        "Constraints": {name: value for name, value in constraints.items() if value is not None} or None,
    }
    return {name: value for name, value in shown.items() if value is not None}


def _retiring_principal(call: Call) -> Iterable[Target]:
    """Find what ListRetirableGrants is authorised on: the retiring principal itself, of the caller's own account."""
    principal, service = call.params.get("RetiringPrincipal"), call.params.get("RetiringServicePrincipal")
    if (principal is None) == (service is None):
        raise errors.ONE_RETIRING_PRINCIPAL_TO_LIST()
    _check_service_filter(call, service)
    if principal is None:
        return (Target("kms:ListRetirableGrants", "*"),)
    found = _principal(call, principal, errors.RETIRING_PRINCIPAL_NOT_FOUND(principal=principal))
    assert found is not None
    named = Principal.parse(found)
    if named.account != call.caller.account and not named.is_service:
        raise errors.KEY_NOT_VISIBLE(caller=call.caller.arn, action="kms:ListRetirableGrants")
    call.notes["retiree"] = found
    return (Target("kms:ListRetirableGrants", found),)


@operation("ListRetirableGrants", targets=[_retiring_principal])
def list_retirable_grants(call: Call) -> Result:
    """List the grants in the Region that a principal may retire, whichever account's key they are on.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_ListRetirableGrants.html
    """
    principal, service = call.notes.get("retiree"), call.params.get("RetiringServicePrincipal")
    found = {
        grant.id: grant
        for region in call.state.regions()
        if region.name == call.region.name
        for grants in region.grants.values()
        for grant in grants.values()
        if (grant.retiree == principal if principal is not None else grant.retiree_service == service)
    }
    return _page(call, found, f"{principal} {service}")


def _grant_to_retire(call: Call) -> Iterable[Target]:
    """Find the grant of a token, or of a key ARN and a grant id; the call's note `grant` has it."""
    token, key_arn, grant_id = call.params.get("GrantToken"), call.params.get("KeyId"), call.params.get("GrantId")
    if token is not None and key_arn is None and grant_id is None:
        grant = grant_of_token(call, token)
        found = call.state.region(*_place(grant)).keys[grant.key_id]
        target = Target("kms:RetireGrant", found.arn, found)
    elif token is None and key_arn is not None and grant_id is not None:
        if not key_arn.startswith(("arn:", "alias/")):
            raise errors.ARN_NOT_FOUND(arn=key_arn)  # a key id is not taken. Observed on AWS KMS, 2026
        target = find_key(call, key_arn, "kms:RetireGrant", aliases=False, member="KeyId")
        grant = _existing(call, target.key, grant_id)
    else:
        raise errors.RETIRE_GRANT_PARAMETERS()
    call.notes["grant"] = grant
    return (target,)


def _place(grant: Grant) -> tuple[str, str]:
    _, _, _, region, account, _ = grant.key_arn.split(":")
    return account, region


def _existing(call: Call, owner: Key | None, grant_id: str) -> Grant:
    assert owner is not None
    grant = call.state.home(owner).grants.get(owner.id, {}).get(grant_id)
    if grant is None:
        raise errors.GRANT_NOT_FOUND(grant_id=grant_id)
    return grant


@operation("RetireGrant", targets=[_grant_to_retire], grantable=True, cross_account=True)
def retire_grant(call: Call) -> Result:
    """Delete a grant that is done with. The grant itself says who may.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_RetireGrant.html
    """
    return _delete(call, call.notes["grant"])


@operation("RevokeGrant", targets=[key()], cross_account=True)
def revoke_grant(call: Call) -> Result:
    """Delete a grant to take back its permissions.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_RevokeGrant.html
    """
    return _delete(call, _existing(call, call.key, call.params["GrantId"]))


def _delete(call: Call, grant: Grant) -> Result:
    call.stop_if_dry_run()
    call.state.home(call.key).drop_grant(grant)
    return {}
