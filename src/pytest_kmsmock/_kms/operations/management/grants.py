"""Grants: creating, listing, retiring and revoking them. `_kms.permissions.grants` evaluates them.

See https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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
    """Create a grant on a key.

    A request with the name and parameters of an existing grant returns its id and another grant token.
    See https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html
    """
    kms_key = call.key
    requested = _requested_grant(call, kms_key)
    home = call.state.home(kms_key)
    grants = home.grants.get(kms_key.id, {})
    grant = next((grant for grant in grants.values() if _is_same(grant, requested)), None) if requested.name else None
    if grant is None and len(grants) >= GRANTS_PER_KEY:
        raise errors.GRANT_QUOTA(quota=GRANTS_PER_KEY, used=len(grants))
    call.stop_if_dry_run()
    if grant is None:
        grant = requested._replace(id=call.random(32).hex())
    token = new_token(call, kms_key, grant.id)
    home.put_grant(grant._replace(tokens=(*grant.tokens, token)))
    return {"GrantToken": token, "GrantId": grant.id}


def _requested_grant(call: Call, kms_key: Key) -> Grant:
    """Return the grant of a request, without id and tokens.

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
    grantee = _principal(call, grantee, errors.PRINCIPAL_ID_NOT_FOUND(parameter="GranteePrincipal"))
    retiree = _principal(call, retiree, errors.PRINCIPAL_ID_NOT_FOUND(parameter="RetiringPrincipal"))
    _check_operations(call.params["Operations"], kms_key)
    if equals is not None and subset is not None:
        raise errors.ONE_CONTEXT_CONSTRAINT()
    for context in (equals, subset):
        if context:
            _check_context(context, kms_key)
    return Grant(
        id="", key_arn=kms_key.arn, key_id=kms_key.id, tokens=(), name=call.params.get("Name", ""),
        created=call.now.replace(microsecond=0),
        operations=tuple(dict.fromkeys(call.params["Operations"])),
        issuing_account=call.caller.account, grantee=grantee, grantee_service=service,
        retiree=retiree, retiree_service=retiring_service,
        context_equals=equals or None, context_subset=subset or None, source_arn=constraints.get("SourceArn"),
    )  # fmt: skip


def _principal(call: Call, text: str | None, unknown_id: errors.KmsError) -> str | None:
    """Return the ARN of a principal, or the name of a service principal, by ARN, name or unique id.

    Raises:
        KmsError: `unknown_id` for an unknown unique id; `InvalidArnException` for any other string, a principal of
            another partition, and a principal that does not exist according to the test.
    """
    if text is None:
        return None
    if text[:4] in ("AIDA", "AROA"):
        found = arn_of_id(text)
        if found is None or call.state.iam.is_missing(Principal.parse(found)):
            raise unknown_id
        return found
    try:
        principal = Principal.parse(text)
    except MalformedPrincipal:
        raise errors.INVALID_PRINCIPAL_ARN(arn=text) from None
    except ValueError:
        raise errors.PRINCIPAL_NOT_FOUND(arn=text) from None
    here = text.startswith("arn:") and principal.partition == partition_of(call.region.name)
    if not (here or principal.is_service) or call.state.iam.is_missing(principal):
        raise errors.PRINCIPAL_NOT_FOUND(arn=text)
    return text


def _check_operations(names: Iterable[str], kms_key: Key) -> None:
    allowed = grantable(kms_key)
    not_grantable = [name for name in names if name not in allowed]
    if not_grantable:
        raise errors.OPERATIONS_NOT_GRANTABLE(
            operations=", ".join(not_grantable),
            # "a symmetric" for HMAC keys is captured from AWS KMS, 2026-09; the other one is inferred.
            key="an asymmetric" if kms_key.spec.key_type == "asymmetric" else "a symmetric",
            usage=kms_key.usage,
            valid=", ".join(allowed),
        )
    if set(names) == {"CreateGrant"}:
        raise errors.ONLY_CREATE_GRANT()


def _check_context(context: Mapping[str, str], kms_key: Key) -> None:
    if kms_key.spec.key_type != "symmetric":
        raise errors.CONTEXT_CONSTRAINT_NOT_FOR_KEY()
    if len(context) > _PAIRS_PER_CONSTRAINT:
        raise errors.INVALID(reason=f"A grant constraint can have at most {_PAIRS_PER_CONSTRAINT} pairs.")
    if sum(len(name) + len(value) for name, value in context.items()) > _CHARACTERS_PER_CONSTRAINT:
        raise errors.INVALID(reason=f"A grant constraint cannot exceed {_CHARACTERS_PER_CONSTRAINT} characters.")


def _is_same(grant: Grant, requested: Grant) -> bool:
    """Whether a grant equals that of a (retried) request; the order of operations does not matter."""
    comparable = requested._replace(
        id=grant.id, tokens=grant.tokens, created=grant.created, operations=grant.operations
    )
    return grant == comparable and set(grant.operations) == set(requested.operations)


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
    """Return a principal as in lists: by its unique id if it is deleted. Captured from AWS KMS, 2026-09."""
    iam = call.state.iam
    if name is None or not iam.missing:
        return name
    principal = Principal.parse(name)
    return principal.unique_id if iam.is_missing(principal) else name


def _show(call: Call, grant: Grant) -> dict[str, object]:
    """Return a grant as in lists, without tokens."""
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
    """Find the resource of ListRetirableGrants: the retiring principal, in the caller's account."""
    principal, service = call.params.get("RetiringPrincipal"), call.params.get("RetiringServicePrincipal")
    if (principal is None) == (service is None):
        raise errors.ONE_RETIRING_PRINCIPAL_TO_LIST()
    _check_service_filter(call, service)
    if principal is None:
        return (Target("kms:ListRetirableGrants", "*"),)
    found = _principal(call, principal, errors.RETIRING_PRINCIPAL_NOT_FOUND(principal=principal))
    assert found is not None
    retiree = Principal.parse(found)
    if retiree.account != call.caller.account and not retiree.is_service:
        raise errors.KEY_NOT_VISIBLE(caller=call.caller.arn, action="kms:ListRetirableGrants")
    call.notes["retiree"] = found
    return (Target("kms:ListRetirableGrants", found),)


@operation("ListRetirableGrants", targets=[_retiring_principal])
def list_retirable_grants(call: Call) -> Result:
    """List the grants in the Region with a retiring principal, on keys of any account.

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
    """Find the grant by token, or by key ARN and grant id, and add it to the call's notes as `grant`."""
    token, key_arn, grant_id = call.params.get("GrantToken"), call.params.get("KeyId"), call.params.get("GrantId")
    if token is not None and key_arn is None and grant_id is None:
        grant = grant_of_token(call, token)
        found = call.state.region(*_owner_and_region(grant)).keys[grant.key_id]
        target = Target("kms:RetireGrant", found.arn, found)
    elif token is None and key_arn is not None and grant_id is not None:
        if not key_arn.startswith(("arn:", "alias/")):
            raise errors.ARN_NOT_FOUND(arn=key_arn)  # key ids are not accepted. Observed on AWS KMS, 2026
        target = find_key(call, key_arn, "kms:RetireGrant", aliases=False, parameter="KeyId")
        grant = _existing(call, target.key, grant_id)
    else:
        raise errors.RETIRE_GRANT_PARAMETERS()
    call.notes["grant"] = grant
    return (target,)


def _owner_and_region(grant: Grant) -> tuple[str, str]:
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
    """Retire a grant that is no longer needed. The grant itself has the principals that may do so.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_RetireGrant.html
    """
    return _delete(call, call.notes["grant"])


@operation("RevokeGrant", targets=[key()], cross_account=True)
def revoke_grant(call: Call) -> Result:
    """Revoke a grant.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_RevokeGrant.html
    """
    return _delete(call, _existing(call, call.key, call.params["GrantId"]))


def _delete(call: Call, grant: Grant) -> Result:
    call.stop_if_dry_run()
    call.state.home(call.key).remove_grant(grant)
    return {}
