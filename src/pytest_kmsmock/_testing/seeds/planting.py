"""Creates seeded keys with chosen ids and material, for `KmsMock.create_key` and seed files.

The operations of the fake KMS create them on a copy of the state, so that AWS's validation applies and an error changes
nothing; no policies are evaluated, and no calls are recorded. `seed_files` reads seed files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from pytest_kmsmock._kms.api.arns import KEY_ID, key_arn, partition_of
from pytest_kmsmock._kms.api.errors import KmsError
from pytest_kmsmock._kms.api.key_specs import KEY_SPECS
from pytest_kmsmock._kms.api.service_model import misspelt_region, service_description
from pytest_kmsmock._kms.crypto import InvalidMaterial
from pytest_kmsmock._kms.entropy.key_source import LazyMaterial
from pytest_kmsmock._kms.policy.kinds import PolicyKind
from pytest_kmsmock._kms.rules.imported_material import material_id, store_material
from pytest_kmsmock._kms.state.caller import Caller, administrator
from pytest_kmsmock._kms.state.records import KeyMaterial
from pytest_kmsmock._runtime.checks import ACCOUNT_ID, REGION, did_you_mean
from pytest_kmsmock._testing.identity.policy_text import malformation, malformation_hint, written_policy
from pytest_kmsmock.errors import InvalidPolicy, InvalidSeed

from .key_material import load_material, material_bytes
from .key_seed import KeySeed

if TYPE_CHECKING:
    from pytest_kmsmock._kms.crypto import Material
    from pytest_kmsmock._kms.engine.fake_kms import FakeKms
    from pytest_kmsmock._kms.state.records import CustomKeyStore, Key
    from pytest_kmsmock._kms.state.state import Region
    from pytest_kmsmock._testing.identity.policy_text import Document


#: Returns the place of a seed for error messages, or of a part of it, such as `.policy.Statement[1].Effect`.
PlaceOf: TypeAlias = Callable[[str], str]

_SHORT_PRINCIPAL = re.compile("(role|user)/.+")
#: Parameters of CreateGrant that seeds do not accept: those of the call, and the key.
_NOT_OF_GRANTS = frozenset({"KeyId", "DryRun", "GrantTokens"})


def plant(
    service: FakeKms,
    seeds: Iterable[tuple[PlaceOf, KeySeed]],
    *,
    account: str,
    region: str,
    prepare: Callable[[FakeKms, str, str], None] | None = None,
    complete: Callable[[FakeKms], None] | None = None,
) -> list[Key]:
    """Create keys: all of them or none.

    Args:
        service: the fake KMS.
        seeds: the keys, each with its place.
        account: the account of keys that do not name one.
        region: the Region of keys that do not name one.
        prepare: creates what the keys need, given the draft, the account and the Region.
        complete: creates what needs the keys, given the draft.

    Returns:
        Their records, in the same order.

    Raises:
        InvalidSeed: AWS would refuse a key; then nothing has changed.
    """
    with service.lock:
        draft = service.fork(service.random)
        # The draft uses the same source: material of its keys may be generated later.
        draft.keys, draft.enforce_policies = service.keys, False
        if prepare is not None:
            prepare(draft, account, region)
        planted = [_Planting(draft, place, seed, account, region).carry_out() for place, seed in seeds]
        if complete is not None:
            complete(draft)
        draft.state.events = service.state.events
        service.state = draft.state
    return [home.keys[key_id] for home, key_id in planted]


def only(where: str) -> PlaceOf:
    """Return the place of a seed whose parts have none of their own."""
    return lambda _part: where


def check_home(account: str, regions: Iterable[str], where: str) -> None:
    """Validate an account and Regions.

    Raises:
        InvalidSeed: with its place.
    """
    if not re.fullmatch(ACCOUNT_ID, account):
        raise InvalidSeed(f"{where}: account must be 12 digits, not {account!r}")
    for name in regions:
        if not re.fullmatch(REGION, name):
            raise InvalidSeed(f"{where}: region must be a Region such as 'eu-west-1', not {name!r}")
        meant = misspelt_region(name)
        if meant is not None:
            raise InvalidSeed(f"{where}: unknown Region {name!r}. Did you mean {meant!r}?")


class _Planting:
    """Creates one key in a draft."""

    def __init__(self, draft: FakeKms, place: PlaceOf, seed: KeySeed, account: str, region: str) -> None:
        self.draft, self.place, self.seed = draft, place, seed
        self.account = account if seed.account is None else seed.account
        self.region = region if seed.region is None else seed.region
        check_home(self.account, (self.region, *seed.replicas), place(""))
        self.caller: Caller = administrator(self.account, partition_of(self.region))
        self.home = draft.state.region(self.account, self.region)

    def carry_out(self) -> tuple[Region, str]:
        """Create the key with everything that belongs to it; return its Region and id."""
        seed = self.seed
        material = None if seed.material is None else self.read_material(seed.material)
        key_id = self.create()
        if material is not None:
            self.put(self.home, key_id, material)
        for replica in seed.replicas:
            self.call("ReplicateKey", KeyId=key_id, ReplicaRegion=replica, BypassPolicyLockoutSafetyCheck=True)
            home = self.draft.state.region(self.account, replica)
            if material is not None and seed.origin == "EXTERNAL":
                self.put(home, key_id, material)
            self.draft.state.change_key(home.keys[key_id], transition=None)  # end `Creating`
        for alias in (() if seed.alias is None else (seed.alias,)) + tuple(seed.aliases):
            self.call("CreateAlias", AliasName=alias, TargetKeyId=key_id)
        for index, grant in enumerate(seed.grants):
            self.check_params(grant, "CreateGrantRequest", f"grants[{index}]")
            self.call("CreateGrant", **{**grant, "KeyId": key_id})
        if seed.rotation_period_in_days is not None:
            self.call("EnableKeyRotation", KeyId=key_id, RotationPeriodInDays=seed.rotation_period_in_days)
        if not seed.enabled:
            self.call("DisableKey", KeyId=key_id)
        if seed.pending_window_in_days is not None:
            self.call("ScheduleKeyDeletion", KeyId=key_id, PendingWindowInDays=seed.pending_window_in_days)
        return self.home, key_id

    def create(self) -> str:
        """Create the key with CreateKey, and set the chosen id."""
        seed = self.seed
        is_related = bool(seed.replicas) or (seed.key_id or "").startswith("mrk-")
        if is_related and seed.multi_region is False:
            raise self.wrong("one with replicas or an mrk- key_id is a multi-Region key: leave multi_region out")
        multi_region = seed.multi_region or is_related
        self.check_id(multi_region=multi_region)
        store = self.store()
        answer = self.call(
            "CreateKey",
            KeySpec=seed.spec,
            KeyUsage=self.usage(),
            Origin=seed.origin if store is None else store.type,
            CustomKeyStoreId=None if store is None else store.id,
            XksKeyId=seed.xks_key_id,
            Description=seed.description,
            Tags=[{"TagKey": name, "TagValue": value} for name, value in (seed.tags or {}).items()],
            Policy=self.policy(),
            MultiRegion=multi_region,
            BypassPolicyLockoutSafetyCheck=True,
        )
        given: str = answer["KeyMetadata"]["KeyId"]
        if seed.key_id is None:
            return given
        key = self.home.keys[given]
        self.draft.state.remove_key(key)
        self.draft.state.add_key(key._replace(id=seed.key_id, arn=key_arn(self.region, self.account, seed.key_id)))
        return seed.key_id

    def store(self) -> CustomKeyStore | None:
        """Return the custom key store of the key."""
        wanted, seed = self.seed.key_store, self.seed
        if wanted is None:
            return None
        stores = self.home.custom_key_stores.values()
        store = next((store for store in stores if wanted in (store.name, store.id)), None)
        if store is None:
            known = [store.name for store in stores]
            hint = f"{did_you_mean(wanted, known)} Choose from: {', '.join(known)}" if known else " There are none"
            raise self.wrong(f"unknown custom key store {wanted!r} in {self.region}.{hint}")
        if seed.material is not None or seed.origin not in ("AWS_KMS", store.type):
            raise self.wrong(f"a key in the key store {wanted!r} takes no material, and its origin is {store.type}")
        return store

    def check_id(self, *, multi_region: bool) -> None:
        key_id = self.seed.key_id
        if key_id is None:
            return
        if not KEY_ID.fullmatch(key_id) or key_id.startswith("mrk-") is not multi_region:
            form = "mrk- and 32 hexadecimal digits" if multi_region else "a UUID"
            raise self.wrong(f"key_id must be {form} in lower case, not {key_id!r}")
        if key_id in self.home.keys:
            raise self.wrong(f"there is already a key {key_id} in {self.region} of account {self.account}")

    def usage(self) -> str | None:
        """Return the KeyUsage, which AWS requires; by default the only one of the spec."""
        spec = KEY_SPECS.get(self.seed.spec)
        if self.seed.usage is not None or spec is None:
            return self.seed.usage
        if len(spec.usages) > 1:
            raise self.wrong(f"{spec.name} needs a usage: {' or '.join(spec.usages)}")
        return next(iter(spec.usages))

    def policy(self) -> str | None:
        try:
            return None if self.seed.policy is None else written_policy(cast("Document", self.seed.policy))
        except InvalidPolicy as error:
            raise self.wrong(str(error), ".policy") from None

    def check_params(self, given: object, shape_name: str, where: str) -> None:
        """Refuse unknown parameters: ignoring a misspelt constraint would widen a grant."""
        shape = service_description()["shapes"][shape_name]
        if shape["type"] != "structure" or not isinstance(given, Mapping):
            return  # CreateGrant validates the types
        known = [name for name in shape["members"] if name not in _NOT_OF_GRANTS]
        for name, value in given.items():
            if name not in known:
                hint = did_you_mean(name, known) or f" Choose from: {', '.join(known)}."
                raise self.wrong(f"{where} has an unknown parameter {name!r}.{hint}")
            if value is None:
                raise self.wrong(f"{where}.{name} is empty: leave it out, or give it a value")
            self.check_params(value, shape["members"][name]["shape"], f"{where}.{name}")

    def read_material(self, given: object) -> Material:
        spec = KEY_SPECS.get(self.seed.spec)
        if spec is None:
            raise self.wrong(f"unknown key spec {self.seed.spec!r}. Choose from: {', '.join(KEY_SPECS)}")
        try:
            data = material_bytes(given)
            length = spec.import_lengths.get(partition_of(self.region), spec.import_lengths.get(""))
            if length is not None and len(data) != length:
                raise InvalidMaterial(f"{spec.name} needs {length} bytes, not {len(data)}")
            return load_material(spec, data)
        except (TypeError, ValueError) as error:
            raise self.wrong(f"material is not {spec.name} key material: {error}") from None

    def put(self, home: Region, key_id: str, material: Material) -> None:
        """Set the material of a key. Its id is derived from key and material, so that old ciphertexts stay valid."""
        key = home.keys[key_id]
        entry = KeyMaterial(material_id(key, material), LazyMaterial.of(material))
        if key.origin == "EXTERNAL":
            store_material(self.draft.state, key, entry)
        else:
            self.draft.state.change_key(key, materials=(entry,))

    def call(self, operation: str, **params: object) -> Any:
        given = {name: value for name, value in params.items() if value is not None and value != []}
        try:
            return self.draft.call(operation, given, self.caller, self.region)
        except KmsError as refusal:
            part, hint = "", self.hint(operation, params)
            if refusal.code == "MalformedPolicyDocumentException":
                malformed = malformation(params["Policy"], PolicyKind.KEY)
                part = f".policy.{malformed.place if malformed else ''}".rstrip(".")
                hint = malformation_hint(malformed) if malformed else ""
            raise self.wrong(f"AWS refuses {operation}: {refusal.code}: {refusal.message}{hint}", part) from None

    def hint(self, operation: str, params: Mapping[str, object]) -> str:
        """Return what to write instead of a parameter that AWS refuses, after AWS's message; empty if unknown."""
        if operation == "CreateKey" and params["KeySpec"] not in KEY_SPECS:
            return did_you_mean(params["KeySpec"], KEY_SPECS).replace(" Did you mean ", ". Did you mean spec=")
        alias = str(params.get("AliasName", "alias/"))
        if not alias.startswith("alias/"):
            return f". Did you mean 'alias/{alias.lstrip('/')}'?"
        if alias.startswith("alias/aws/"):  # AWS sends no message
            return "The prefix alias/aws/ is reserved for AWS managed keys; managed_key() creates these."
        for name in ("GranteePrincipal", "RetiringPrincipal"):
            if _SHORT_PRINCIPAL.fullmatch(str(params.get(name))):
                arn = f"arn:{partition_of(self.region)}:iam::{self.account}:{params[name]}"
                return f". {name} needs the whole ARN: {arn}"
        return ""

    def wrong(self, reason: str, part: str = "") -> InvalidSeed:
        return InvalidSeed(f"{self.place(part)}: {reason}")
