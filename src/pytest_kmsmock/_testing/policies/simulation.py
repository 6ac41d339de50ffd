"""`KmsMock.simulate`: evaluates a permission of a principal without a call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from pytest_kmsmock._kms.api.arns import parse_arn
from pytest_kmsmock._kms.api.errors import KmsError
from pytest_kmsmock._kms.api.service_model import service_description
from pytest_kmsmock._kms.call.operation import OPERATIONS, Call, Operation, Target
from pytest_kmsmock._kms.operations.targets import find_key
from pytest_kmsmock._kms.permissions.access import access_request, decide
from pytest_kmsmock._kms.permissions.grants import grants_by_token
from pytest_kmsmock._kms.rules.timeline import settle
from pytest_kmsmock._runtime.checks import closest, did_you_mean
from pytest_kmsmock._testing.views.near_misses import alike
from pytest_kmsmock.errors import InvalidSimulation

from .explanation import Explanation
from .permission_names import permission_names

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_kmsmock._kms.engine.fake_kms import FakeKms
    from pytest_kmsmock._kms.policy.decision import Decision
    from pytest_kmsmock._kms.state.caller import Caller

#: Permissions on `*`, or on other resources than keys. Source: Developer Guide, "AWS KMS permissions".
WITHOUT_KEY = frozenset({
    "ConnectCustomKeyStore", "CreateCustomKeyStore", "CreateKey", "DeleteCustomKeyStore", "DescribeCustomKeyStores",
    "DisconnectCustomKeyStore", "GenerateRandom", "ListAliases", "ListKeys", "ListRetirableGrants",
    "UpdateCustomKeyStore",
})  # fmt: skip
_ON_ALIASES = frozenset({"CreateAlias", "DeleteAlias", "UpdateAlias"})
#: The permissions of ReEncrypt -> the parameter that names the other key.
_RE_ENCRYPT = {"ReEncryptFrom": "DestinationKeyId", "ReEncryptTo": "SourceKeyId"}
#: What KMS itself does, as the service-linked role of multi-Region keys.
#: https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-auth-slr.html
_SYNCHRONIZE = Operation("SynchronizeMultiRegionKey", lambda _call: {})


def simulate(
    service: FakeKms, caller: Caller, action: str, key: str | None, region: str, params: Mapping[str, object]
) -> Explanation:  # fmt: skip
    """Evaluate a permission of a principal without a call.

    Args:
        service: the fake KMS.
        caller: the principal, with the condition keys of the request in its context.
        action: the permission, such as `kms:Encrypt` or `kms:ReEncryptFrom`.
        key: the key, or for permissions on aliases the alias; None for permissions without a key.
        region: the Region called, unless the key's ARN names another.
        params: parameters of the request that conditions use, such as `EncryptionContext`.

    Raises:
        InvalidSimulation: the permission, key, alias or a parameter does not exist, or a parameter is missing.
    """
    name = _permission(action)
    operation = OPERATIONS.get("ReEncrypt" if name in _RE_ENCRYPT else name, _SYNCHRONIZE)
    _check_params(operation, params)
    arn = parse_arn(key or "")
    with service.lock:
        now: datetime = service.clock.now()
        settle(service, now)
        place = service.state.region(caller.account, region if arn is None else arn.region)
        call = Call(service, service.state, operation, dict(params), caller, place, now, "simulated")
        try:
            targets = tuple(_targets(call, name, key))
            call.targets = (*targets, *_other_key(call, name))
            grants_by_token(call)  # an invalid token is refused, needed or not
            return Explanation(tuple(_decisions(call, targets)))
        except KmsError as refusal:
            close = alike(key, place, 1) if isinstance(key, str) and arn is None else []
            answer = f"{str(refusal).removesuffix('.')}. Did you mean {close[0]!r}?" if close else str(refusal)
            raise InvalidSimulation(f"kms:{name} cannot be simulated: AWS would answer {answer}") from None


def _permission(action: object) -> str:
    """Return the name of a permission as AWS writes it; IAM ignores case.

    Raises:
        InvalidSimulation: KMS has no such permission.
    """
    known = permission_names()
    vendor, _, name = str(action).rpartition(":")
    if isinstance(action, str) and action.lower() in ("kms:reencrypt", "reencrypt"):
        raise InvalidSimulation(
            "kms:ReEncrypt is not a permission: simulate kms:ReEncryptFrom on the key that decrypts, and "
            "kms:ReEncryptTo on the key that encrypts."
        )
    found = known.get(name.lower()) if isinstance(action, str) and vendor.lower() in ("", "kms") else None
    if found is None:
        close = closest(name, known.values())
        hint = f" Did you mean 'kms:{close[0]}'?" if close else ""
        raise InvalidSimulation(f"Unknown KMS permission {action!r}; expected one such as 'kms:Encrypt'.{hint}")
    return found


def _check_params(operation: Operation, params: Mapping[str, object]) -> None:
    """Validate the names of parameters, and their values as botocore does."""
    if not params:
        return
    if operation is _SYNCHRONIZE:
        raise InvalidSimulation(
            f"kms:{operation.name} is a permission without an operation, so it takes no parameters."
        )
    from botocore.model import ServiceModel
    from botocore.validate import ParamValidator

    shape = ServiceModel(service_description(), "kms").operation_model(operation.name).input_shape
    for name, value in params.items():
        if name not in shape.members:
            hint = did_you_mean(name, [*shape.members, "principal", "action", "key", "context", "region"])
            raise InvalidSimulation(f"Unknown parameter {name!r} of {operation.name}.{hint}")
        problems = ParamValidator().validate(value, shape.members[name])
        if problems.has_errors():
            raise InvalidSimulation(f"{name} of {operation.name}: {problems.generate_report()}")


def _targets(call: Call, name: str, key: str | None) -> Iterable[Target]:
    """Return the resources that the permission is needed for.

    Raises:
        InvalidSimulation: the key, alias or grant is missing, or the permission has none.
        KmsError: AWS's error for an identifier.
    """
    permission = f"kms:{name}"
    if name in WITHOUT_KEY:
        if key is not None:
            raise InvalidSimulation(f"{permission} is not a permission on a key: leave the key out.")
        if name == "ListRetirableGrants" and call.params:
            return _found(call)
        return (Target(permission, "*"),)
    if name in _ON_ALIASES:
        return _on_alias(call, key)
    if key is not None and "KeyId" in call.params:
        raise InvalidSimulation(f"{permission}: the key is given twice: {key} and {call.params['KeyId']}.")
    key = call.params.get("KeyId") if key is None else key
    if name == "RetireGrant":
        return _on_grant(call, key)
    if key is None:
        raise InvalidSimulation(f"{permission} is a permission on a key: give the key.")
    return (find_key(call, key, permission, aliases=True),)


def _found(call: Call) -> list[Target]:
    targets: list[Target] = []
    for find in call.operation.targets:
        targets += find(call)
        call.targets = tuple(targets)
    return targets


def _on_alias(call: Call, key: str | None) -> list[Target]:
    """Return an alias and its keys: a change of the alias needs permission on all of them."""
    name = call.operation.name
    arn = parse_arn(key or "")
    if key is not None:
        named = key if arn is None else arn.name
        param = "AliasName" if named.startswith("alias/") else "TargetKeyId"
        if (name, param) == ("DeleteAlias", "TargetKeyId"):
            raise InvalidSimulation("kms:DeleteAlias is a permission on an alias and on its key: give the alias.")
        if param in call.params:
            raise InvalidSimulation(f"kms:{name}: {param} is given twice: {key} and {call.params[param]}.")
        call.params[param] = named if param == "AliasName" else key
    needed = ("AliasName",) if name == "DeleteAlias" else ("AliasName", "TargetKeyId")
    missing = [param for param in needed if param not in call.params]
    if missing:
        raise InvalidSimulation(
            f"kms:{name} is a permission on an alias and on its key: give {' and '.join(missing)} too."
        )
    alias = call.params["AliasName"]
    if name != "CreateAlias" and alias not in call.region.aliases:
        raise InvalidSimulation(f"{alias} does not exist in {call.region.name} of account {call.region.account}.")
    return _found(call)


def _on_grant(call: Call, key: str | None) -> list[Target]:
    """Return the target of a grant, which says who may retire it."""
    if "GrantToken" not in call.params and (key is None or "GrantId" not in call.params):
        raise InvalidSimulation(
            "kms:RetireGrant is decided by a grant: give GrantId (and the key), or GrantToken, as a parameter."
        )
    if "GrantToken" not in call.params and key is not None:
        call.params["KeyId"] = find_key(call, key, "kms:RetireGrant", aliases=True).arn
    return _found(call)


def _other_key(call: Call, name: str) -> Iterable[Target]:
    """Yield the other key of ReEncrypt, if a parameter names it: `kms:ReEncryptOnSameKey` compares the two."""
    param = _RE_ENCRYPT.get(name, "")
    if param in call.params:
        yield find_key(call, call.params[param], "kms:ReEncrypt", aliases=True)


def _decisions(call: Call, targets: Iterable[Target]) -> Iterable[Decision]:
    """Yield the decisions on targets, up to the first denial."""
    for target in targets:
        decision = decide(access_request(call, target))
        yield decision
        if not decision.allowed:
            return
