"""What in a state does not hang together, so that a damaged dump is refused where it is loaded.

Everything else in the fake KMS relies on what is asked here, and would fail far from the cause. Types are no matter
here: `record_codec` has seen to them. What a state must be like is in tables of rules, one for each kind of record: the
problem in words, and a function that says whether a record has it.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias, TypeVar

from pytest_kmsmock._kms.api.arns import KEY_ID, key_arn
from pytest_kmsmock._kms.api.service_model import fits
from pytest_kmsmock._kms.policy.documents import MalformedPolicy, PolicyKind
from pytest_kmsmock._kms.policy.policy import compile_policy
from pytest_kmsmock._kms.policy.principals import Principal
from pytest_kmsmock._kms.rules.custom_key_stores import (
    CLOUDHSM,
    CONNECTING,
    DISCONNECTING,
    EXTERNAL,
    FAILED,
    VPC,
)
from pytest_kmsmock._kms.rules.managed_keys import PREFIX
from pytest_kmsmock._kms.state.attached_policies import Iam
from pytest_kmsmock._kms.state.external_stores import Cluster, Outside, XksProxy
from pytest_kmsmock._kms.state.records import (
    Alias,
    CustomKeyStore,
    Grant,
    Key,
    KeyMaterial,
    LastUsage,
    MultiRegion,
)
from pytest_kmsmock._kms.state.state import Region, State
from pytest_kmsmock._runtime.checks import ACCOUNT_ID
from pytest_kmsmock._testing.views.backing_checks import checked
from pytest_kmsmock.errors import InvalidBacking

_T = TypeVar("_T")
#: Problems in words, and whether a record has them. A problem is only asked for when those before it are not there.
_Rules: TypeAlias = "Iterable[tuple[str, Callable[[_T], object]]]"

_REGION = re.compile(r"[a-z0-9-]+")
_ALIAS = re.compile(r"alias/.+", re.DOTALL)


#: Kind of record -> its texts that operations show -> their shapes in botocore's service model.
_SHAPES: Mapping[type, Mapping[str, str]] = {
    Key: {
        "usage": "KeyUsageType", "origin": "OriginType", "manager": "KeyManagerType", "description": "DescriptionType",
        "xks_key_id": "XksKeyIdType",
    },
    KeyMaterial: {
        "id": "BackingKeyIdType", "state": "KeyMaterialState", "rotation_type": "RotationType",
        "description": "KeyMaterialDescriptionType",
    },
    Alias: {"name": "AliasNameType"},
    Grant: {
        "id": "GrantIdType", "grantee": "PrincipalIdType", "grantee_service": "ServicePrincipalType",
        "retiree": "PrincipalIdType", "retiree_service": "ServicePrincipalType",
        "issuing_account": "AccountIdType", "source_arn": "GrantConstraintSourceArnType",
    },
    LastUsage: {"operation": "KeyLastUsageTrackingOperation"},
    CustomKeyStore: {
        "id": "CustomKeyStoreIdType", "name": "CustomKeyStoreNameType", "type": "CustomKeyStoreType",
        "state": "ConnectionStateType", "error_code": "ConnectionErrorCodeType",
    },
}  # fmt: skip


def contradictions(state: State) -> Iterator[tuple[str, str]]:
    """Say what does not hang together: where in the dump, and what.

    Args:
        state: a state as it was read from a dump, with what is in its Regions but without what follows from that.
    """
    places = [(region.account, region.name) for region in state.regions()]
    for index, region in enumerate(state.regions()):
        for problem in _of_region(region, state):
            yield f"regions[{index}]", problem
    for _, account, name, _ in state.timeline:
        if (account, name) not in places:
            yield "timeline", f"{name} of account {account} is not among the regions"
    for problem in _of_outside(state.outside):
        yield "outside", problem
    for problem in _of_iam(state.iam):
        yield "iam", problem
    recent = state.recent
    for problem in _of_policies(
        PolicyKind.KEY, {arn: [text for _, text in past] for arn, past in recent.policies.items()}
    ):
        yield "recent.policies", problem
    for _, grant in (entry for past in recent.gone_grants.values() for entry in past):
        for problem in _broken(_GRANT, grant, f"grant {grant.id}"):
            yield "recent.gone_grants", problem


def _broken(rules: _Rules[_T], record: _T, what: str) -> Iterator[str]:
    """Yield the first problem that a record has; the others may only follow from it."""
    values = ((field, getattr(record, field), shape) for field, shape in _SHAPES[type(record)].items())
    odd = (f"has the {field} {value!r}" for field, value, shape in values if not (value is None or fits(value, shape)))
    others = (problem.format(it=record) for problem, is_so in rules if is_so(record))
    found = next(itertools.chain(odd, others), None)
    if found is not None:
        yield f"{what} {found}"


# --- Regions and what is in them --------------------------------------------------------------------------------------


def _of_region(region: Region, state: State) -> Iterator[str]:
    if not ACCOUNT_ID.fullmatch(region.account) or not _REGION.fullmatch(region.name):
        yield f"{region.name!r} of {region.account!r} is no Region of an account"
    for store_id, store in region.custom_key_stores.items():
        if store.id != store_id:
            yield f"custom key store {store_id} is called {store.id}"
        yield from _broken(_STORE, store, f"custom key store {store_id}")
    for key_id, key in region.keys.items():
        if (key.id, key.account, key.region) != (key_id, region.account, region.name):
            yield f"key {key_id} stands where it does not belong"
        yield from _broken(_KEY, key, f"key {key_id}")
        for material in key.materials:
            yield from _broken(_MATERIAL, material, f"key material {material.id} of the key {key_id}")
        yield from _of_store(key, region)
        yield from _of_family(key, state)
        yield from _of_policies(PolicyKind.KEY, {f"key {key_id}": [key.policy]})
    for name, alias in region.aliases.items():
        if alias.name != name:
            yield f"alias {name} is called {alias.name}"
        yield from _broken(_ALIAS_RULES, alias, f"alias {name}")
        if alias.key_id is not None and alias.key_id not in region.keys:
            yield f"alias {name} names the key {alias.key_id}, which is missing"
    for what, holders in (("grants are", region.grants), ("a last usage is", region.last_usage)):
        for key_id in holders:
            if key_id not in region.keys:
                yield f"{what} of the key {key_id}, which is missing"
    for key_id, grants in region.grants.items():
        for grant_id, grant in grants.items():
            if (grant.id, grant.key_id, grant.key_arn) != (grant_id, key_id, region.keys[key_id].arn):
                yield f"grant {grant_id} stands where it does not belong"
            yield from _broken(_GRANT, grant, f"grant {grant_id}")
    for key_id, usage in region.last_usage.items():
        yield from _broken((), usage, f"the last usage of the key {key_id}")


def _lacks_material(key: Key) -> bool:
    """Say whether the generations of a key's material are such as no key has."""
    materials = key.materials
    if not materials:
        return key.origin != "EXTERNAL"
    return (
        len({material.id for material in materials}) != len(materials)
        or [material.state for material in materials].count("CURRENT") != 1
        or (key.origin != "EXTERNAL" and any(_is_imported(material) for material in materials))
        or any(material.secret.spec is not key.spec for material in materials if material.secret is not None)
    )


def _is_imported(material: KeyMaterial) -> bool:
    """Say whether material is missing, expires or is described: only imported material does."""
    return material.secret is None or material.expires is not None or material.description is not None


_MATERIAL: _Rules[KeyMaterial] = (
    ("does not say how and when it was rotated", lambda it: (it.rotated is None) != (it.rotation_type is None)),
)


def _are_tags(tags: Mapping[str, str]) -> bool:
    return all(fits(name, "TagKeyType") and fits(value, "TagValueType") for name, value in tags.items())


def _rotates(key: Key) -> bool:
    return key.spec.key_type == "symmetric" and key.custom_key_store_id is None


_KEY: _Rules[Key] = (
    ("has no id of a key", lambda it: not KEY_ID.fullmatch(it.id)),
    ("has the ARN {it.arn}", lambda it: it.arn != key_arn(it.region, it.account, it.id)),
    ("of the spec {it.spec.name} has the usage {it.usage!r}", lambda it: it.usage not in it.spec.usages),
    ("has tags that no key has", lambda it: not _are_tags(it.tags)),
    (
        "is, or is not, a multi-Region key against its id",
        lambda it: it.id.startswith("mrk-") is not (it.multi_region is not None),
    ),
    ("has material that no such key has", _lacks_material),
    (
        "is deleted in {it.deletion.window_days} days",
        lambda it: it.deletion is not None and not 1 <= it.deletion.window_days <= 365,
    ),
    (
        "passes through the state {it.transition.state!r}",
        lambda it: it.transition is not None and it.transition.state not in ("Creating", "Updating"),
    ),
    (
        "is rotated, which such keys are not",
        lambda it: (it.rotation is not None and (not _rotates(it) or it.origin != "AWS_KMS"))
        or (it.on_demand is not None and not _rotates(it)),
    ),
    (
        "is rotated every {it.rotation.period_days} days from {it.rotation.next_date} on",
        lambda it: it.rotation is not None
        and (not 90 <= it.rotation.period_days <= 2560 or it.rotation.next_date < it.created),
    ),
    ("was rotated on demand {it.on_demand_rotations} times", lambda it: it.on_demand_rotations < 0),
)  # fmt: skip


def _of_store(key: Key, region: Region) -> Iterator[str]:
    """Say what is wrong with the custom key store of a key."""
    store_id = key.custom_key_store_id
    if store_id is None:
        if key.origin in (CLOUDHSM, EXTERNAL):
            yield f"key {key.id} has the origin {key.origin} and is in no custom key store"
    elif store_id not in region.custom_key_stores:
        yield f"key {key.id} is in the custom key store {store_id}, which is missing"
    elif region.custom_key_stores[store_id].type != key.origin or key.spec.name != "SYMMETRIC_DEFAULT":
        yield f"key {key.id} is in the custom key store {store_id}, which has no such keys"
    if (key.xks_key_id is not None) is not (key.origin == EXTERNAL):
        yield f"key {key.id} of the origin {key.origin} has the external key {key.xks_key_id}"


def _of_family(key: Key, state: State) -> Iterator[str]:
    """Say what is wrong with the related keys of a multi-Region key."""
    if key.multi_region is None:
        return
    names = _names(key.multi_region)
    if key.region not in names or len(set(names)) != len(names):
        yield f"key {key.id} is not, or not once, among its related keys"
    regions = {region.name: region for region in state.regions() if region.account == key.account}
    for name in names:
        other = regions[name].keys.get(key.id) if name in regions else None
        if other is None:
            yield f"key {key.id} has a related key in {name}, which is missing"
        elif (other.multi_region, other.spec, other.usage, other.origin) != (
            key.multi_region, key.spec, key.usage, key.origin,
        ):  # fmt: skip
            yield f"key {key.id} and its related key in {name} do not agree"


def _names(related: MultiRegion) -> tuple[str, ...]:
    return (related.primary, *related.replicas)


_ALIAS_RULES: _Rules[Alias] = (
    ("has no name of an alias", lambda it: not _ALIAS.fullmatch(it.name)),
    ("names no key", lambda it: it.key_id is None and not it.name.startswith(PREFIX)),
    (
        "does not say when it was made",
        lambda it: it.key_id is not None and (it.created is None or it.updated is None),
    ),
)


def _is_no_principal(text: str | None) -> bool:
    if text is None:
        return False
    try:
        Principal.parse(text)
    except ValueError:
        return True
    return not text.startswith("arn:")


_GRANT: _Rules[Grant] = (
    (
        "is of operations that there are not",
        lambda it: not it.operations or not all(fits(name, "GrantOperation") for name in it.operations),
    ),
    ("is for nobody, or for two", lambda it: (it.grantee is None) is (it.grantee_service is None)),
    ("is for {it.grantee!r}, who is no principal", lambda it: _is_no_principal(it.grantee)),
    ("is retired by {it.retiree!r}, who is no principal", lambda it: _is_no_principal(it.retiree)),
)


_CLUSTER = {"CloudHsmClusterId": "CloudHsmClusterIdType", "TrustAnchorCertificate": "TrustAnchorCertificateType"}
_PROXY = {
    "Connectivity": "XksProxyConnectivityType",
    "UriEndpoint": "XksProxyUriEndpointType",
    "UriPath": "XksProxyUriPathType",
    "AccessKeyId": "XksProxyAuthenticationAccessKeyIdType",
}
_ENDPOINT_SERVICE = {
    "VpcEndpointServiceName": "XksProxyVpcEndpointServiceNameType",
    "VpcEndpointServiceOwner": "AccountIdType",
}


def _lacks_settings(store: CustomKeyStore) -> bool:
    """Say whether a store does not know what it stands on."""
    if store.type == CLOUDHSM:
        return not _are(store.settings, _CLUSTER)
    proxy = store.settings.get("XksProxyConfiguration")
    if set(store.settings) != {"XksProxyConfiguration"} or not isinstance(proxy, Mapping):
        return True
    return not _are(proxy, _PROXY | _ENDPOINT_SERVICE if proxy.get("Connectivity") == VPC else _PROXY)


def _are(settings: Mapping[str, object], shapes: Mapping[str, str]) -> bool:
    return set(settings) == set(shapes) and all(fits(value, shapes[name]) for name, value in settings.items())


_STORE: _Rules[CustomKeyStore] = (
    ("has no error code", lambda it: it.error_code is None and it.state == FAILED),
    (
        "does not say until when it is {it.state}",
        lambda it: (it.state in (CONNECTING, DISCONNECTING)) is not (it.state_until is not None),
    ),
    ("has settings that no such store has", _lacks_settings),
)


# --- outside of KMS ---------------------------------------------------------------------------------------------------


def _of_outside(outside: Outside) -> Iterator[str]:
    for cluster_id, cluster in outside.clusters.items():
        if cluster.id != cluster_id:
            yield f"cluster {cluster_id} is called {cluster.id}"
        yield from _unlike_aws(cluster)
    for (endpoint, path), proxy in outside.proxies.items():
        if (proxy.endpoint, proxy.path) != (endpoint, path):
            yield f"proxy {endpoint}{path} is at {proxy.endpoint}{proxy.path}"
        yield from _unlike_aws(proxy)
        for key_id, key in proxy.keys.items():
            if key.id != key_id:
                yield f"external key {key_id} is called {key.id}"
            if key.secret.spec.name != "SYMMETRIC_DEFAULT":
                yield f"external key {key_id} is a {key.secret.spec.name}"
    for code in outside.connect_failures.values():
        if not fits(code, "ConnectionErrorCodeType"):
            yield f"{code!r} is no ConnectionErrorCode"


def _unlike_aws(backing: Cluster | XksProxy) -> Iterator[str]:
    try:
        checked(backing)
    except InvalidBacking as problem:
        yield str(problem)


def _of_iam(iam: Iam) -> Iterator[str]:
    yield from _of_policies(PolicyKind.IDENTITY, iam.identity)
    yield from _of_policies(PolicyKind.BOUNDARY, {holder: [text] for holder, text in iam.boundaries.items()})
    for account, levels in iam.service_control.items():
        for level in levels:
            yield from _of_policies(PolicyKind.SERVICE_CONTROL, {account: level})
    yield from _of_policies(PolicyKind.RESOURCE_CONTROL, iam.resource_control)
    yield from _of_policies(PolicyKind.VPC_ENDPOINT, {name: [text] for name, text in iam.vpc_endpoints.items()})


def _of_policies(kind: PolicyKind, texts: Mapping[str, Iterable[str]]) -> Iterator[str]:
    for holder, policies in texts.items():
        for reason in filter(None, map(functools.partial(_refusal, kind), policies)):
            yield f"a {kind.value} of {holder} is none: {reason}"


def _refusal(kind: PolicyKind, text: str) -> str | None:
    """Return why AWS would refuse a policy; None if it takes it."""
    try:
        compile_policy(text, kind)
    except MalformedPolicy as malformed:
        return malformed.reason
    return None
