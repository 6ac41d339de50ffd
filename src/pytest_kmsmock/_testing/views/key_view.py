"""`kms_mock.keys` and `kms_mock.decrypt`: inspect keys and ciphertexts, including key material.

This makes no calls: it needs no permission, works in any key state, and does not count as use of a key.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from pytest_kmsmock._kms.api.arns import parse_arn
from pytest_kmsmock._kms.crypto import DecryptionFailed
from pytest_kmsmock._kms.formats import ciphertext_blob
from pytest_kmsmock._kms.operations.ciphertexts import SYMMETRIC_DEFAULT
from pytest_kmsmock._kms.rules.key_metadata import key_metadata
from pytest_kmsmock._kms.rules.key_states import key_state
from pytest_kmsmock._kms.rules.timeline import settle
from pytest_kmsmock._kms.state.records import Grant, Key, KeyMaterial, LastUsage, Rotation
from pytest_kmsmock._runtime.arguments import check_arguments
from pytest_kmsmock.errors import CannotDecrypt, UnknownKey

from . import near_misses

if TYPE_CHECKING:
    from pytest_kmsmock._kms.engine.call_record import CallRecord
    from pytest_kmsmock._kms.engine.fake_kms import FakeKms
    from pytest_kmsmock._kms.state.state import Region


@check_arguments("key.")
class KeyView:
    """A key, always in its current state.

    A test gets one from `kms_mock.keys[...]` or `kms_mock.create_key(...)`.

    Attributes:
        id: the key id.
        account: the account that owns it.
        region: its Region.
    """

    __slots__ = ("_service", "account", "id", "region")

    def __init__(self, service: FakeKms, key: Key) -> None:
        self._service = service
        self.id, self.account, self.region = key.id, key.account, key.region

    @property
    def record(self) -> Key:
        """The full record of the key.

        Raises:
            UnknownKey: the key has been deleted.
        """
        key = self._home.keys.get(self.id)
        if key is None:
            raise UnknownKey(f"The key {self.id} in {self.region} has been deleted.")
        return key

    @property
    def _home(self) -> Region:
        settle(self._service, self._service.clock.now())
        return self._service.state.region(self.account, self.region)

    @property
    def arn(self) -> str:
        """The key ARN."""
        return self.record.arn

    @property
    def alias(self) -> str | None:
        """The alias, the oldest if there are several; None if there is none."""
        return next(iter(self.aliases), None)

    @property
    def aliases(self) -> tuple[str, ...]:
        """The aliases, each with its `alias/`, oldest first."""
        return self._home.aliases_of.get(self.id, ())

    @property
    def spec(self) -> str:
        """The KeySpec, such as `RSA_2048`."""
        return self.record.spec.name

    @property
    def usage(self) -> str:
        """The KeyUsage, such as `ENCRYPT_DECRYPT`."""
        return self.record.usage

    @property
    def origin(self) -> str:
        """The Origin, such as `AWS_KMS`."""
        return self.record.origin

    @property
    def state(self) -> str:
        """The KeyState, such as `Enabled`."""
        return key_state(self.record, self._service.state)

    @property
    def description(self) -> str:
        """The description."""
        return self.record.description

    @property
    def created(self) -> datetime:
        """When it was created."""
        return self.record.created

    @property
    def deletion_date(self) -> datetime | None:
        """When it will be deleted; None without a scheduled deletion, or while it waits for replica keys."""
        deletion = self.record.deletion
        return None if deletion is None else deletion.date

    @property
    def tags(self) -> dict[str, str]:
        """The tags."""
        return dict(self.record.tags)

    @property
    def policy(self) -> dict[str, Any]:
        """The key policy as a mapping; `record.policy` is its JSON string."""
        return cast("dict[str, Any]", json.loads(self.record.policy))

    @property
    def grants(self) -> tuple[Grant, ...]:
        """The grants, oldest first."""
        return tuple(self._home.grants.get(self.id, {}).values())

    @property
    def rotation(self) -> Rotation | None:
        """The automatic rotation: its period in days and its next date; None if it is disabled."""
        return self.record.rotation

    @property
    def materials(self) -> tuple[KeyMaterial, ...]:
        """All key material, oldest first."""
        return self.record.materials

    @property
    def rotations(self) -> tuple[KeyMaterial, ...]:
        """The key material of rotations, oldest first."""
        return tuple(material for material in self.materials if material.rotated is not None)

    @property
    def last_usage(self) -> LastUsage | None:
        """Its last successful cryptographic operation: name, time and request id; None if there was none."""
        return self._home.last_usage.get(self.id)

    @property
    def metadata(self) -> dict[str, Any]:
        """The `KeyMetadata` of DescribeKey."""
        return key_metadata(self.record, self._service.state)

    def material(self, material_id: str | None = None) -> bytes:
        """Return the key material: raw bytes of symmetric and HMAC keys, PKCS#8 DER of private keys.

        Args:
            material_id: a key material id; the current one by default.

        Raises:
            UnknownKey: the key material does not exist, is not imported, or was deleted.
        """
        record = self.record
        found = record.current if material_id is None else record.material(material_id)
        if found is None or found.secret is None:
            which = "current key material" if material_id is None else f"key material {material_id}"
            raise UnknownKey(f"The key {self.id} has no {which}: it is {self.state}.")
        return found.secret.get().private_bytes()

    def public_key(self) -> bytes:
        """Return the public key of GetPublicKey, DER SubjectPublicKeyInfo.

        Raises:
            UnknownKey: the key is symmetric, or its material is not imported or was deleted.
        """
        record = self.record
        current = record.current
        if record.spec.key_type != "asymmetric" or current is None or current.secret is None:
            raise UnknownKey(f"The key {self.id} has no public key: it is {record.spec.name} and {self.state}.")
        return current.secret.get().public_key_der()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, KeyView):
            return NotImplemented
        return (self.id, self.account, self.region) == (other.id, other.account, other.region)

    def __hash__(self) -> int:
        return hash((self.id, self.account, self.region))

    def __repr__(self) -> str:
        key = self._home.keys.get(self.id)
        if key is None:
            return f"<KeyView {self.id} deleted>"
        return f"<KeyView {self.alias or self.id} {key.spec.name} {self.state}>"


class Keys(Mapping[str, KeyView]):
    """`kms_mock.keys`: the keys of an account in a Region by id, key ARN, alias and alias ARN.

    An ARN finds keys of every account and Region. Iterating yields the key ids, in the order of creation.
    """

    def __init__(self, service: FakeKms, account: str, region: str) -> None:
        self._service = service
        self._account, self._name = account, region

    def __getitem__(self, identifier: str | KeyView) -> KeyView:
        """Return a key by an identifier, or the current view of a key.

        Raises:
            UnknownKey: a KeyError with similar names.
        """
        if isinstance(identifier, KeyView):
            identifier = identifier.arn
        home = self._region
        if not isinstance(identifier, str):
            raise UnknownKey(self._explain(identifier, "", home))
        name, arn = identifier, parse_arn(identifier)
        if arn is not None:
            home, name = self._service.state.region(arn.account, arn.region), arn.name
        alias = home.aliases.get(name)
        key = home.keys.get(name if alias is None or alias.key_id is None else alias.key_id)
        if key is None:
            raise UnknownKey(self._explain(identifier, name, home))
        return KeyView(self._service, key)

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._region.keys))

    def __len__(self) -> int:
        return len(self._region.keys)

    def __repr__(self) -> str:
        return f"<Keys of {self._account} in {self._name}: {', '.join(map(repr, self.values())) or 'none'}>"

    @property
    def _region(self) -> Region:
        settle(self._service, self._service.clock.now())
        return self._service.state.region(self._account, self._name)

    def _explain(self, identifier: object, name: str, home: Region) -> str:
        text = f"Unknown key {identifier!r} in {home.name} of account {home.account}."
        others = near_misses.elsewhere(self._service.state, name, home)
        if others:
            there = ", ".join(sorted(region.name for region in others))
            return f"{text} There is one in {there}: look it up by its ARN."
        known = near_misses.names(home)
        close = near_misses.alike(name, home)
        if close:
            return f"{text} Did you mean {' or '.join(map(repr, close))}?"
        shown = ", ".join(map(repr, sorted(known)[:10])) + (", ..." if len(known) > 10 else "")
        return f"{text} Known: {shown}." if known else f"{text} There are no keys."


@dataclass(frozen=True, slots=True)
class Decrypted:
    """The content of a ciphertext.

    Attributes:
        plaintext: the plaintext.
        key: the key that it was encrypted under.
        encryption_context: its encryption context; empty if it has none.
        algorithm: the encryption algorithm.
        material_id: the key material id; None for asymmetric keys.
        is_data_key: whether a data key operation created it; None for asymmetric keys.
    """

    plaintext: bytes = field(repr=False)
    key: KeyView
    encryption_context: Mapping[str, str]
    algorithm: str
    material_id: str | None = None
    is_data_key: bool | None = None


def open_blob(
    service: FakeKms, calls: Iterable[CallRecord], blob: object, context: Mapping[str, str] | None, key: KeyView | None
) -> Decrypted:
    """Return the content of a ciphertext.

    A ciphertext does not contain its encryption context. If it is not given, those of the calls are tried.

    Args:
        service: the fake KMS.
        calls: the calls, newest first.
        blob: the ciphertext.
        context: its encryption context, if known.
        key: the key, if known; a ciphertext of an asymmetric key does not name its key.

    Raises:
        CannotDecrypt: with the reason.
    """
    if not isinstance(blob, bytes | bytearray | memoryview):
        raise CannotDecrypt(f"decrypt() takes a ciphertext as bytes, such as a CiphertextBlob, not {blob!r}.")
    if context is not None and not _is_context(context):
        raise CannotDecrypt(f"An encryption context must be a mapping of strings to strings, not {context!r}.")
    blob = bytes(blob)
    settle(service, service.clock.now())
    parsed = ciphertext_blob.parse(blob)
    if parsed is None:
        return _open_asymmetric(service, blob, key)
    if key is not None and key.id != parsed.key_id:
        raise CannotDecrypt(f"The ciphertext is of the key {parsed.key_id}, not of {key.id}.")
    return _open_symmetric(service, calls, parsed, context)


def _is_context(context: object) -> bool:
    return isinstance(context, Mapping) and all(isinstance(part, str) for pair in context.items() for part in pair)


def _open_symmetric(
    service: FakeKms, calls: Iterable[CallRecord], parsed: ciphertext_blob.Envelope, context: Mapping[str, str] | None
) -> Decrypted:  # fmt: skip
    found = [region.keys[parsed.key_id] for region in service.state.regions() if parsed.key_id in region.keys]
    if not found:
        raise CannotDecrypt(f"The ciphertext is of the key {parsed.key_id}, which this mock does not have.")
    # Related multi-Region keys share material, unless it was imported and deleted in some Region.
    holders = [
        (key, entry) for key in found if (entry := key.material(parsed.material_id)) is not None and entry.secret
    ]
    if not holders:
        raise CannotDecrypt(
            f"The ciphertext is of the key {parsed.key_id}, which no longer has its key material {parsed.material_id}."
        )
    key, entry = holders[0]
    assert entry.secret is not None
    for candidate in _contexts(calls) if context is None else [context]:
        try:
            plaintext = ciphertext_blob.decrypt_envelope(parsed, entry.secret.get(), candidate)
        except DecryptionFailed:
            continue
        is_data_key = parsed.kind == ciphertext_blob.DATA_KEY
        return Decrypted(
            plaintext, KeyView(service, key), dict(candidate), SYMMETRIC_DEFAULT, parsed.material_id, is_data_key
        )
    raise CannotDecrypt(
        f"The ciphertext is of the key {parsed.key_id}, but it was altered, or "
        + (
            "made with an encryption context that no call of this mock had: give it as context={...}."
            if context is None
            else f"made with another encryption context than {dict(context)!r}."
        )
    )


def _contexts(calls: Iterable[CallRecord]) -> Iterator[Mapping[str, str]]:
    """Yield the encryption contexts to try: none, then those of the calls, newest first."""
    yield {}
    seen: list[Mapping[str, str]] = [{}]
    for call in calls:
        for member in ("EncryptionContext", "SourceEncryptionContext", "DestinationEncryptionContext"):
            context = call.params.get(member)
            if isinstance(context, Mapping) and context not in seen:
                seen.append(context)
                yield context


def _open_asymmetric(service: FakeKms, blob: bytes, key: KeyView | None) -> Decrypted:
    candidates: Iterable[Key]
    if key is not None:
        candidates = [key.record]
    else:
        candidates = (found for region in service.state.regions() for found in region.keys.values())
    for candidate in candidates:
        if candidate.usage != "ENCRYPT_DECRYPT" or candidate.spec.key_type != "asymmetric":
            continue
        current = candidate.current
        if current is None or current.secret is None:
            continue
        for algorithm in candidate.spec.usages[candidate.usage]:
            try:
                plaintext = current.secret.get().decrypt(algorithm, blob)
            except DecryptionFailed:
                continue
            return Decrypted(plaintext, KeyView(service, candidate), {}, algorithm)
    where = "any key of this mock" if key is None else f"the key {key.id}"
    raise CannotDecrypt(f"These {len(blob)} bytes are not a ciphertext of {where}, or were altered.")
