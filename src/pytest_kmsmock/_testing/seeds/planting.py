"""Keys that a test begins with, with ids and material of its choice: `KmsMock.create_key` and seed files.

A seed is planted by AWS's own operations on a copy of the state, so that AWS's rules hold and nothing is ever half
made; no policy decides about it, and it is not among the calls. How seed files are read is in `seed_files`.
"""

from __future__ import annotations

import base64
import binascii
import functools
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from pytest_kmsmock._kms.api.arns import KEY_ID, key_arn, partition_of
from pytest_kmsmock._kms.api.errors import KmsError
from pytest_kmsmock._kms.api.key_specs import KEY_SPECS, KeySpec
from pytest_kmsmock._kms.api.service_model import service_description
from pytest_kmsmock._kms.crypto import InvalidMaterial, load
from pytest_kmsmock._kms.crypto.primitives import der
from pytest_kmsmock._kms.entropy.key_source import LazyMaterial
from pytest_kmsmock._kms.rules.imported_material import material_id, put_material
from pytest_kmsmock._kms.state.caller import Caller, administrator
from pytest_kmsmock._kms.state.records import KeyMaterial
from pytest_kmsmock._runtime.checks import ACCOUNT_ID, REGION, did_you_mean
from pytest_kmsmock._testing.dumps.codec import Misfit, decode
from pytest_kmsmock.errors import InvalidSeed

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from pytest_kmsmock._kms.crypto import Material
    from pytest_kmsmock._kms.engine.fake_kms import FakeKms
    from pytest_kmsmock._kms.state.records import CustomKeyStore, Key
    from pytest_kmsmock._kms.state.state import Region

_PEM = re.compile(r"\s*-----BEGIN ([A-Z0-9 ]+)-----\s*(.+?)\s*-----END \1-----\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class KeySeed:
    """A key to begin with. `docs/seeds.md` describes the fields; `KmsMock.create_key` has the same as arguments.

    `material` is bytes or text, `policy` text or a mapping; they are checked when the key is planted.
    """

    alias: str | None = None
    aliases: tuple[str, ...] = ()
    spec: str = "SYMMETRIC_DEFAULT"
    usage: str | None = None
    key_id: str | None = None
    material: object = None
    origin: str = "AWS_KMS"
    key_store: str | None = None
    xks_key_id: str | None = None
    description: str = ""
    tags: Mapping[str, str] | None = None
    policy: object = None
    multi_region: bool | None = None
    replicas: tuple[str, ...] = ()
    enabled: bool = True
    rotation_period_in_days: int | None = None
    pending_window_in_days: int | None = None
    grants: tuple[Mapping[str, object], ...] = ()
    account: str | None = None
    region: str | None = None


#: The members of CreateGrant that a seed has no use for: they are about the call, or say again which key it is.
_NOT_OF_GRANTS = frozenset({"KeyId", "DryRun", "GrantTokens"})


def seed_of(given: Mapping[str, object], where: str) -> KeySeed:
    """Return a key to begin with, of values that are what its fields want.

    Args:
        given: the fields; lists may be tuples.
        where: where they were given, for the error message.

    Raises:
        InvalidSeed: a value is none of its field's type.
    """
    try:
        seed: KeySeed = decode({name: _plain(value) for name, value in given.items()}, KeySeed, "")
    except Misfit as misfit:
        value = given.get(misfit.where)
        hint = f"; write [{value!r}]" if isinstance(value, str) and "a list" in misfit.reason else ""
        raise InvalidSeed(f"{where}: {misfit}{hint}") from None
    except RecursionError:
        raise InvalidSeed(f"{where}: this is nested too deeply, or holds itself") from None
    return seed


def _plain(value: object) -> object:
    """Return a value with the types that JSON has: no tuples, no other mappings, no enumerations of texts."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Mapping):
        return {_plain(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def plant(
    service: FakeKms,
    seeds: Iterable[tuple[str, KeySeed]],
    *,
    account: str,
    region: str,
    prepare: Callable[[FakeKms, str, str], None] | None = None,
) -> list[Key]:
    """Make keys, all of them or none.

    Args:
        service: the fake KMS.
        seeds: the keys, each with where it was given, for error messages.
        account: the account of keys that do not name one.
        region: the Region of keys that do not name one.
        prepare: makes what has to be there before the keys, given the draft, the account and the Region.

    Returns:
        Their records, in the same order.

    Raises:
        InvalidSeed: a key cannot be made; then nothing has changed.
    """
    with service.lock:
        draft = service.fork(service.random)
        # The draft draws from the same source: material of its keys may be made long after.
        draft.keys, draft.enforce_policies = service.keys, False
        if prepare is not None:
            prepare(draft, account, region)
        planted = [_Planting(draft, where, seed, account, region).carry_out() for where, seed in seeds]
        draft.state.events = service.state.events
        service.state = draft.state
    return [home.keys[key_id] for home, key_id in planted]


def check_home(account: str, regions: Iterable[str], where: str) -> None:
    """Refuse what is no account or no Region.

    Raises:
        InvalidSeed: with where it was given.
    """
    if not ACCOUNT_ID.fullmatch(account):
        raise InvalidSeed(f"{where}: account must be 12 digits, not {account!r}")
    for name in regions:
        if not REGION.fullmatch(name):
            raise InvalidSeed(f"{where}: region must be a Region such as 'eu-west-1', not {name!r}")


class _Planting:
    """One key on its way into a draft."""

    def __init__(self, draft: FakeKms, where: str, seed: KeySeed, account: str, region: str) -> None:
        self.draft, self.where, self.seed = draft, where, seed
        self.account = account if seed.account is None else seed.account
        self.region = region if seed.region is None else seed.region
        check_home(self.account, (self.region, *seed.replicas), where)
        self.caller: Caller = administrator(self.account, partition_of(self.region))
        self.home = draft.state.region(self.account, self.region)

    def carry_out(self) -> tuple[Region, str]:
        """Make the key with all that belongs to it, and say where it is."""
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
            self.draft.state.change_key(home.keys[key_id], transition=None)  # it has been `Creating` long enough
        for alias in (() if seed.alias is None else (seed.alias,)) + tuple(seed.aliases):
            self.call("CreateAlias", AliasName=alias, TargetKeyId=key_id)
        for index, grant in enumerate(seed.grants):
            self.check_members(grant, "CreateGrantRequest", f"grants[{index}]")
            self.call("CreateGrant", **{**grant, "KeyId": key_id})
        if seed.rotation_period_in_days is not None:
            self.call("EnableKeyRotation", KeyId=key_id, RotationPeriodInDays=seed.rotation_period_in_days)
        if not seed.enabled:
            self.call("DisableKey", KeyId=key_id)
        if seed.pending_window_in_days is not None:
            self.call("ScheduleKeyDeletion", KeyId=key_id, PendingWindowInDays=seed.pending_window_in_days)
        return self.home, key_id

    def create(self) -> str:
        """Make the key by CreateKey, and give it the id that was chosen."""
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
        self.draft.state.drop_key(key)
        self.draft.state.add_key(key._replace(id=seed.key_id, arn=key_arn(self.region, self.account, seed.key_id)))
        return seed.key_id

    def store(self) -> CustomKeyStore | None:
        """Return the custom key store that the key is to be in."""
        wanted, seed = self.seed.key_store, self.seed
        if wanted is None:
            return None
        stores = self.home.custom_key_stores.values()
        store = next((store for store in stores if wanted in (store.name, store.id)), None)
        if store is None:
            known = ", ".join(store.name for store in stores) or "none"
            raise self.wrong(f"there is no custom key store {wanted!r} in {self.region}; there are: {known}")
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
        """Return the KeyUsage; a spec that has only one need not say it, though AWS wants it said."""
        spec = KEY_SPECS.get(self.seed.spec)
        if self.seed.usage is not None or spec is None:
            return self.seed.usage
        if len(spec.usages) > 1:
            raise self.wrong(f"{spec.name} needs a usage: {' or '.join(spec.usages)}")
        return next(iter(spec.usages))

    def policy(self) -> str | None:
        policy = self.seed.policy
        if policy is None or isinstance(policy, str):
            return policy
        if not isinstance(policy, Mapping):
            raise self.wrong(f"policy must be JSON text or a mapping, not {policy!r}")
        try:
            return json.dumps(policy)
        except (TypeError, ValueError) as error:
            raise self.wrong(f"policy cannot be written as JSON: {error}") from error

    def check_members(self, given: object, shape_name: str, where: str) -> None:
        """Refuse members that there are not: left out, they would make a grant wider than it was meant."""
        shape = service_description()["shapes"][shape_name]
        if shape["type"] != "structure" or not isinstance(given, Mapping):
            return  # CreateGrant itself looks at the types
        known = [name for name in shape["members"] if name not in _NOT_OF_GRANTS]
        for name, value in given.items():
            if name not in known:
                hint = did_you_mean(name, known) or f" Choose from: {', '.join(known)}."
                raise self.wrong(f"{where} has an unknown member {name!r}.{hint}")
            if value is None:
                raise self.wrong(f"{where}.{name} is empty: leave it out, or give it a value")
            self.check_members(value, shape["members"][name]["shape"], f"{where}.{name}")

    def read_material(self, given: object) -> Material:
        spec = KEY_SPECS.get(self.seed.spec)
        if spec is None:
            raise self.wrong(f"there is no key spec {self.seed.spec!r}; the specs are {', '.join(KEY_SPECS)}")
        try:
            data = material_bytes(given)
            length = spec.import_lengths.get(partition_of(self.region), spec.import_lengths.get(""))
            if length is not None and len(data) != length:
                raise InvalidMaterial(f"{spec.name} needs {length} bytes, not {len(data)}")
            return _load(spec, data)
        except (TypeError, ValueError) as error:
            raise self.wrong(f"material is no {spec.name} key material: {error}") from error

    def put(self, home: Region, key_id: str, material: Material) -> None:
        """Let the material be the key's. Its id follows from key and material, so that old ciphertexts stay good."""
        key = home.keys[key_id]
        entry = KeyMaterial(material_id(key, material), LazyMaterial.of(material))
        if key.origin == "EXTERNAL":
            put_material(self.draft.state, key, entry)
        else:
            self.draft.state.change_key(key, materials=(entry,))

    def call(self, operation: str, **members: object) -> Any:
        given = {name: value for name, value in members.items() if value is not None and value != []}
        try:
            return self.draft.call(operation, given, self.caller, self.region)
        except KmsError as refusal:
            raise self.wrong(f"AWS refuses {operation}: {refusal.code}: {refusal.message}") from refusal

    def wrong(self, reason: str) -> InvalidSeed:
        return InvalidSeed(f"{self.where}: {reason}")


def material_bytes(given: object) -> bytes:
    """Return key material as ImportKeyMaterial has it: a raw secret or PKCS#8 DER.

    Args:
        given: just that; or PEM, as text or bytes; or base64 text.

    Raises:
        TypeError: it is neither bytes nor text.
        ValueError: the text is neither PEM nor base64, or an encrypted key.
    """
    if isinstance(given, bytes | bytearray):
        pem = bytes(given).lstrip().startswith(b"-----BEGIN ")
        return _from_pem(bytes(given).decode("ascii")) if pem else bytes(given)
    if not isinstance(given, str):
        raise TypeError(f"bytes or text are needed, not {type(given).__name__}")
    if "-----BEGIN " in given:
        return _from_pem(given)
    try:
        return base64.b64decode("".join(given.split()), validate=True)
    except binascii.Error as error:
        raise ValueError(f"the text is neither PEM nor base64: {error}") from error


def _from_pem(text: str) -> bytes:
    """Return the PKCS#8 DER in a PEM text; the older forms of RSA and EC keys are rewritten."""
    match = _PEM.fullmatch(text)
    if match is None:
        raise ValueError("the PEM text is damaged, or holds more than a private key")
    label, body = match.groups()
    if label == "PRIVATE KEY":
        return base64.b64decode("".join(body.split()), validate=True)
    if label not in ("RSA PRIVATE KEY", "EC PRIVATE KEY") or "ENCRYPTED" in body:
        raise ValueError(f"a PEM {label} is not taken: give the private key, not encrypted")
    return _written(serialization.load_pem_private_key(text.strip().encode(), password=None))


@functools.lru_cache(maxsize=256)
def _load(spec: KeySpec, data: bytes) -> Material:
    """Load material; remembered, as every test of a run may begin with the same keys and RSA keys take their time."""
    try:
        return load(spec, data)
    except InvalidMaterial:
        rewritten = _seed_form(data) or _pkcs8(data)
        if rewritten is None:
            raise
        return load(spec, rewritten)


def _seed_form(data: bytes) -> bytes | None:
    """Return an ML-DSA or ML-KEM key as its seed, of one that holds seed and expanded key, as OpenSSL writes it.

    See https://www.rfc-editor.org/rfc/rfc9881#name-private-key-format ("both").
    """
    try:
        _, rest = der.take_integer(der.only(data, der.SEQUENCE))
        algorithm, rest = der.take(rest, der.SEQUENCE)
        seed, _ = der.take(der.only(der.only(rest, der.OCTET_STRING), der.SEQUENCE), der.OCTET_STRING)
    except der.InvalidDer:
        return None
    return der.encode_pkcs8_seed(der.encode(der.SEQUENCE, algorithm), seed)


def _pkcs8(data: bytes) -> bytes | None:
    """Return the PKCS#8 form of an RSA or EC key in its older form (PKCS#1, SEC 1)."""
    try:
        key = serialization.load_der_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return _written(key)


def _written(key: PrivateKeyTypes) -> bytes:
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )  # fmt: skip


def apply_seed(service: FakeKms, path: str | os.PathLike[str], *, account: str, region: str) -> list[Key]:
    """Make the keys of a seed file, all of them or none.

    Args:
        service: the fake KMS.
        path: the file, YAML or JSON.
        account: the account of keys for which the file names none.
        region: the Region of keys for which the file names none.

    Returns:
        Their records, in the order of the file.

    Raises:
        InvalidSeed: with the line and the reason; then nothing has changed.
    """
    from .seed_files import read_seed_file  # PyYAML, for those who have a seed file

    if not isinstance(path, str | os.PathLike):
        raise InvalidSeed(f"seed() takes the path of a file, not {path!r}")
    document = read_seed_file(os.fspath(path))
    return plant(
        service,
        document.seeds,
        account=account if document.account is None else document.account,
        region=region if document.region is None else document.region,
        prepare=document.surroundings.make,
    )
