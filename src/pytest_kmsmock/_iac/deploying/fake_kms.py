"""A deployment in a fake KMS: key stores, keys, replicas, aliases, policies, principals, grants; all or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pytest_kmsmock._kms.api.arns import KEY_ID, key_arn, parse_arn
from pytest_kmsmock._kms.api.errors import KmsError
from pytest_kmsmock._kms.policy.evaluation import Origin
from pytest_kmsmock._kms.state.caller import administrator
from pytest_kmsmock._testing.seeds.key_seed import KeySeed, seed_of
from pytest_kmsmock._testing.seeds.planting import only, plant
from pytest_kmsmock._testing.views.key_store_console import KeyStores
from pytest_kmsmock.errors import InvalidSeed

from ..model import (
    Alias,
    Deployment,
    Document,
    Grant,
    Item,
    Key,
    KeyPolicy,
    KeyStore,
    Place,
    Principal,
    Replica,
    Stack,
    Unknown,
)
from ..unknowns import check_strict
from .attached_policies import attach

if TYPE_CHECKING:
    from pytest_kmsmock._kms.engine.fake_kms import FakeKms
    from pytest_kmsmock._kms.state.records import Key as KeyRecord
    from pytest_kmsmock._testing.seeds.planting import PlaceOf

#: Error codes of keys that do not exist.
_KEY_NOT_FOUND = ("NotFoundException", "InvalidArnException")


def deploy_to_kms(service: FakeKms, deployment: Deployment, *, strict: bool) -> tuple[list[KeyRecord], list[Unknown]]:
    """Create all that files declare.

    Args:
        service: the fake KMS.
        deployment: what the files declare.
        strict: whether it is an error if something is not understood that decides about KMS.

    Returns:
        The records of the keys, and what could not be made.

    Raises:
        InvalidSeed: AWS would refuse something, or it is not understood; then nothing has changed.
    """
    making = _Deployer(deployment, service, strict=strict)
    home = next((item.stack for item in deployment.items), Stack("", "123456789012", "us-east-1"))
    keys = plant(
        service, making.seeds(), account=home.account, region=home.region,
        prepare=making.prepare, complete=making.complete,
    )  # fmt: skip
    return keys, making.unknowns


class _Deployer:
    def __init__(self, deployment: Deployment, service: FakeKms, *, strict: bool) -> None:
        self.deployment, self.items, self.service, self.strict = deployment, deployment.items, service, strict
        self.unknowns: list[Unknown] = []

    def seeds(self) -> list[tuple[PlaceOf, KeySeed]]:
        """Return the keys, and stand-ins for primary keys of replicas that are in no file."""
        found: dict[str, tuple[PlaceOf, KeySeed]] = {}
        for item in self.items:
            if isinstance(item, Key):
                found[_arn(item.stack, item.id)] = (only(str(item.place)), self._seed(item))
        for item in self.items:
            primary = parse_arn(item.primary) if isinstance(item, Replica) else None
            if isinstance(item, Replica) and item.primary not in found and not self._has(self.service, item):
                if primary is None or not primary.name.startswith("mrk-"):
                    self._note(
                        item.place, f"its primary key {item.primary!r} is not in the given files: it is not created"
                    )
                    continue
                self._note(
                    item.place, f"its primary key {item.primary} is not in the given files: a placeholder is created"
                )
                seed = KeySeed(key_id=primary.name, multi_region=True, account=primary.account, region=primary.region)
                found[item.primary] = (only(str(item.place)), seed)
        return list(found.values())

    def _seed(self, key: Key) -> KeySeed:
        where = str(key.place)
        given = {name: value for name, value in key.settings.items() if value is not None}
        policy = None if key.policy is None else key.policy.text
        here = {"key_id": key.id, "account": key.stack.account, "region": key.stack.region}
        if not KEY_ID.fullmatch(key.id):
            raise InvalidSeed(f"{where}: {key.id!r} is not a key id")
        return seed_of(given | here | ({} if policy is None else {"policy": policy}), where)

    def prepare(self, draft: FakeKms, _account: str, _region: str) -> None:
        """Make stand-ins for custom key stores, those too that are in no file."""
        stores = {item.id: item for item in self.items if isinstance(item, KeyStore)}
        for item in self.items:
            wanted = item.settings.get("key_store") if isinstance(item, Key) else None
            if isinstance(item, Key) and wanted is not None and wanted not in stores:
                self._note(
                    item.place, f"the custom key store {wanted} is not in the given files: a stand-in is created"
                )
                stores[wanted] = KeyStore(item.place, item.stack, wanted, item.settings.get("xks_key_id") is not None)
        for store in stores.values():
            console = KeyStores(draft, store.stack.account, store.stack.region)
            external = [
                item.settings["xks_key_id"]
                for item in self.items
                if isinstance(item, Key)
                and item.settings.get("key_store") == store.id
                and "xks_key_id" in item.settings
            ]
            backing = console.add_xks_proxy(keys=external) if store.external else None
            console.add_store(backing, name=store.id)

    def complete(self, draft: FakeKms) -> None:
        """Make what comes after the keys."""
        for item in self.items:
            if isinstance(item, Replica) and self._has(draft, item):
                self._replica(draft, item)
        for item in self.items:
            call = _call_of(item)
            if call is not None:
                self._call(draft, item, *call)
        attach(draft.state.iam, self.items, self.unknowns.append)
        self._check_grantees()
        draft.state.iam.origins = {**draft.state.iam.origins, **self._origins(draft)}
        if self.strict:
            check_strict(self.unknowns)

    def _has(self, service: FakeKms, replica: Replica) -> bool:
        """Say whether the primary key of a replica is there."""
        primary = parse_arn(replica.primary)
        return primary is not None and primary.name in service.state.region(primary.account, primary.region).keys

    def _replica(self, draft: FakeKms, item: Replica) -> None:
        primary = parse_arn(item.primary)
        assert primary is not None
        params = {
            "KeyId": item.primary,
            "ReplicaRegion": item.stack.region,
            "Description": item.settings.get("description") or None,
            "Policy": None if item.policy is None else item.policy.text,
            "Tags": [{"TagKey": name, "TagValue": value} for name, value in item.settings.get("tags", {}).items()]
            or None,
            "BypassPolicyLockoutSafetyCheck": True,
        }
        self._call(draft, item, "ReplicateKey", params, primary.region)
        key = draft.state.region(item.stack.account, item.stack.region).keys[primary.name]
        draft.state.change_key(key, transition=None)
        if item.settings.get("enabled") is False:
            self._call(draft, item, "DisableKey", {"KeyId": key.id})

    def _call(
        self, draft: FakeKms, item: Item, operation: str, params: Mapping[str, Any], region: str | None = None
    ) -> None:  # fmt: skip
        given = {name: value for name, value in params.items() if value is not None}
        caller = administrator(item.stack.account, item.stack.partition)
        try:
            draft.call(operation, given, caller, region or item.stack.region)
        except KmsError as refusal:
            if refusal.code in _KEY_NOT_FOUND:
                self._note(item.place, f"its key is not in the given files, so it is not created: {refusal.message}")
                return
            raise InvalidSeed(f"{item.place}: AWS refuses {operation}: {refusal.code}: {refusal.message}") from refusal

    def _check_grantees(self) -> None:
        """Note grants for roles and users that the files do not have, where they have others of the account."""
        here = {item.arn: item for item in self.items if isinstance(item, Principal)}
        accounts = {item.stack.account for item in here.values()}
        for item in self.items:
            grantee = str(item.params["GranteePrincipal"]) if isinstance(item, Grant) else ""
            parts = grantee.split(":")
            if len(parts) > 5 and parts[2] == "iam" and parts[4] in accounts and grantee not in here:
                reason = f"the grantee {grantee} is not in the given files: AWS refuses a grant for a role that is gone"
                self._note(item.place, reason)

    def _origins(self, draft: FakeKms) -> dict[str, dict[str, Origin]]:
        """Return where the policies of keys are written; that of a key without one is written with the key."""
        policies = {_named_key(item.key, item.stack): item.policy for item in self.items if isinstance(item, KeyPolicy)}
        found: dict[str, dict[str, Origin]] = {}
        for item in self.items:
            if not isinstance(item, Key | Replica):
                continue
            key_id = item.id if isinstance(item, Key) else item.primary.rpartition("/")[2]
            record = draft.state.region(item.stack.account, item.stack.region).keys.get(key_id)
            if record is not None:
                document = policies.get(record.arn) or item.policy or Document("", item.place)
                found[record.arn] = {"": Document("", item.place).origin, record.policy: document.origin}
        return found

    def _note(self, place: Place, reason: str) -> None:
        self.unknowns.append(Unknown(place, reason))


def _arn(stack: Stack, key_id: str) -> str:
    return key_arn(stack.region, stack.account, key_id)


def _named_key(name: str, stack: Stack) -> str:
    return name if name.startswith("arn:") else _arn(stack, name)


def _call_of(item: Item) -> tuple[str, Mapping[str, Any]] | None:
    """Return the operation that creates an item after the keys, with its parameters; None if none does."""
    match item:
        case Alias():
            return "CreateAlias", {"AliasName": item.name, "TargetKeyId": item.target}
        case KeyPolicy():
            params = {"KeyId": item.key, "Policy": item.policy.text, "BypassPolicyLockoutSafetyCheck": True}
            return "PutKeyPolicy", params
        case Grant():
            return "CreateGrant", item.params
    return None
