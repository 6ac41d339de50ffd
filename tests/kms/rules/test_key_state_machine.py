"""Random operations and clock steps, compared with a small model of the documented key states.

The model knows the table "Key states of AWS KMS keys" (Developer Guide) and the rules of deletion, rotation, imported
material and multi-Region keys, in the simplest way that could be: it looks at everything at every step.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_der_public_key
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pytest_kmsmock import mock_kms
from pytest_kmsmock._kms.api.errors import KmsError
from pytest_kmsmock._kms.state.caller import administrator

CALLER = administrator("123456789012", "aws")
START = datetime(2030, 1, 1, tzinfo=timezone.utc)
REGIONS = ("us-east-1", "eu-west-1", "ap-south-1")
PASSING, YEAR = timedelta(hours=1), timedelta(days=365)

ENABLED, DISABLED, IMPORT, UNAVAILABLE = "Enabled", "Disabled", "PendingImport", "Unavailable"
PENDING, WAITING, CREATING, UPDATING = "PendingDeletion", "PendingReplicaDeletion", "Creating", "Updating"
KINDS = ("plain", "imported", "stored", "multi-Region", "imported multi-Region")
INVALID, OFF, UNSUPPORTED = "KMSInvalidStateException", "DisabledException", "UnsupportedOperationException"


def refused(*states: str, disabled: bool = False) -> dict[str, str]:
    return dict.fromkeys(states, INVALID) | ({DISABLED: OFF} if disabled else {})


#: Operation -> the states in which it fails, and with what.
TABLE = {
    "use": refused(PENDING, WAITING, IMPORT, UNAVAILABLE, CREATING, disabled=True),
    "switch": refused(PENDING, WAITING, IMPORT, CREATING, UPDATING),
    "schedule": refused(PENDING, WAITING, UPDATING),
    "cancel": refused(ENABLED, DISABLED, IMPORT, UNAVAILABLE, CREATING, UPDATING),
    "describe": refused(PENDING, WAITING),
    "rotate": refused(PENDING, WAITING, CREATING, disabled=True),
    "import": refused(PENDING, WAITING, CREATING),
    "delete material": refused(CREATING, UPDATING),
    "replicate": refused(PENDING, WAITING, IMPORT, CREATING, UPDATING, disabled=True),
    "move": refused(PENDING, WAITING, IMPORT, CREATING, disabled=True),
    "grant": refused(PENDING, WAITING, IMPORT, CREATING, disabled=True),
    "read": refused(),
}
#: What the footnotes of the table have KMS say.
WORDS = {
    DISABLED: "is disabled.",
    PENDING: "is pending deletion.",
    WAITING: "is pending replica deletion.",
    IMPORT: "is pending import.",
    UNAVAILABLE: "is unavailable.",
    CREATING: "is creating.",
    UPDATING: "is updating.",
}
#: Operations that change nothing which the model knows of -> their row, and the other members of the request.
OTHERS: dict[str, tuple[str, dict[str, Any]]] = {
    "CreateGrant": ("grant", {"GranteePrincipal": "arn:aws:iam::123456789012:root", "Operations": ["Encrypt"]}),
    "DescribeKey": ("read", {}),
    "GenerateDataKeyWithoutPlaintext": ("use", {"KeySpec": "AES_256"}),
    "GetKeyLastUsage": ("read", {}),
    "GetKeyPolicy": ("read", {}),
    "ListGrants": ("read", {}),
    "ListKeyPolicies": ("read", {}),
    "ListResourceTags": ("read", {}),
    "TagResource": ("describe", {"Tags": [{"TagKey": "a", "TagValue": "b"}]}),
    "UntagResource": ("describe", {"TagKeys": ["a"]}),
    "UpdateKeyDescription": ("describe", {"Description": "new"}),
}


@dataclass
class Family:
    """What related keys share; a single-Region key is a family of one."""

    kind: str
    key_id: str
    created: datetime
    primary: str
    replicas: list[str] = field(default_factory=list)
    period: timedelta | None = None
    next_date: datetime = START
    rotations: list[datetime] = field(default_factory=list)
    #: Imported material that the related keys need, the current one last, and what is to be rotated to.
    generations: list[bytes] = field(default_factory=list)
    pending: bytes | None = None
    ids: dict[bytes, str] = field(default_factory=dict)
    #: Ciphertexts that some of the related keys made.
    blobs: list[bytes] = field(default_factory=list)

    @property
    def multi_region(self) -> bool:
        return self.kind.endswith("multi-Region")

    @property
    def imported(self) -> bool:
        return self.kind.startswith("imported")

    @property
    def materials(self) -> list[bytes]:
        return [*self.generations, *([self.pending] if self.pending else [])]


@dataclass
class Place:
    """A key in a Region."""

    family: Family
    region: str
    enabled: bool = True
    window: timedelta | None = None
    date: datetime | None = None
    passing: str = ""
    until: datetime = START
    imports: dict[bytes, datetime | None] = field(default_factory=dict)  # what is there -> when it expires
    expired: dict[bytes, datetime] = field(
        default_factory=dict
    )  # what is listed as if it were there -> when it expired

    @property
    def complete(self) -> bool:
        needed = self.family.generations
        return bool(needed) and all(material in self.imports for material in needed)

    @property
    def listed(self) -> dict[bytes, datetime | None]:
        return self.imports | self.expired


class Model:
    def __init__(self) -> None:
        self.now = START
        self.places: dict[tuple[str, str], Place] = {}
        self.connected = True

    def state(self, place: Place) -> str:
        if place.window is not None:
            return PENDING if place.date else WAITING
        if place.passing:
            return place.passing
        if place.family.imported and not place.complete:
            return IMPORT
        if place.family.kind == "stored" and not self.connected:
            return UNAVAILABLE
        return ENABLED if place.enabled else DISABLED

    def primary(self, family: Family) -> Place:
        return self.places[family.key_id, family.primary]

    def related(self, family: Family) -> list[Place]:
        return [self.places[family.key_id, region] for region in (family.primary, *family.replicas)]

    def advance(self, until: datetime) -> None:
        while due := [event for place in self.places.values() for event in self.events(place) if event[0] <= until]:
            when, what, place = min(due, key=lambda event: event[0])
            getattr(self, what)(place, when)
        self.now = until

    def events(self, place: Place) -> list[tuple[datetime, str, Place]]:
        found = []
        if place.date:
            found.append((place.date, "delete", place))
        if place.passing:
            found.append((place.until, "settle", place))
        found += [(date, "expire", place) for date in place.imports.values() if date]
        family = place.family
        if family.period and family.primary == place.region and place.enabled and place.window is None:
            found.append((family.next_date, "rotate", place))
        return found

    def delete(self, place: Place, when: datetime) -> None:
        family = place.family
        del self.places[family.key_id, place.region]
        if place.region != family.primary:
            family.replicas.remove(place.region)
            primary = self.primary(family)
            if not family.replicas and primary.window is not None:
                primary.date = when + primary.window

    def settle(self, place: Place, when: datetime) -> None:
        place.passing = ""

    def expire(self, place: Place, when: datetime) -> None:
        for material, date in list(place.imports.items()):
            if date and date <= when:
                place.expired[material] = date
                del place.imports[material]

    def lose(self, place: Place, material: bytes) -> None:
        """Delete a material from a key; what is pending rotation goes from all related keys with the primary's."""
        family = place.family
        places = [place]
        if material == family.pending and place.region == family.primary:
            family.pending, places = None, self.related(family)
        for member in places:
            member.imports.pop(material, None)
            member.expired.pop(material, None)

    def rotate(self, place: Place, when: datetime) -> None:
        family = place.family
        assert family.period
        family.rotations.append(when)
        family.next_date = when + family.period

    def resume(self, place: Place) -> None:
        family = place.family
        if family.period and family.primary == place.region and family.next_date <= self.now:
            last = family.rotations[-1] if family.rotations else family.created
            if self.now - last >= family.period:
                self.rotate(place, self.now)
            while family.next_date <= self.now:
                family.next_date += family.period


#: Where a rule does something: mostly a key that is there, sometimes one that is gone.
KEYS = st.runner().flatmap(lambda machine: st.sampled_from(machine.known()))


class KeysOverTime(RuleBasedStateMachine):
    @initialize(
        replicas=st.sampled_from([(), REGIONS[1:2], REGIONS[1:]]),
        imported=st.sets(st.sampled_from(["imported", "imported multi-Region"])),
        everywhere=st.booleans(),
        renewed=st.booleans(),
        turned=st.booleans(),
        expiring=st.none() | st.integers(1, 60),
        rotated=st.sets(st.sampled_from(["plain", "multi-Region"])),
        pending=st.sets(st.sampled_from(REGIONS)),
    )
    def begin(
        self, replicas: tuple[str, ...], imported: set[str], everywhere: bool, renewed: bool, turned: bool,
        expiring: int | None, rotated: set[str], pending: set[str],
    ) -> None:  # fmt: skip
        self.mock = mock_kms(fresh=True)
        self.kms = self.mock.start()
        self.kms.clock.freeze(START)
        self.kms.delays.creating = self.kms.delays.updating = PASSING
        self.store = self.kms.key_stores.add_store(region=REGIONS[0])
        self.model = Model()
        self.gone: list[tuple[str, str]] = []
        for kind in KINDS:
            self.create(kind)
        # Where interesting histories begin: with replicas, with material, with a calendar, on the way out.
        of_kind = {place.family.kind: key for key, place in self.model.places.items()}
        for kind in sorted(imported):
            self.import_material(of_kind[kind], expiring, 0, new=False)
        for region in replicas:
            for kind in ("multi-Region", "imported multi-Region"):
                self.replicate(of_kind[kind], region)
        for kind in sorted(rotated):
            self.set_rotation(of_kind[kind], 90)
        self.wait(PASSING)
        if renewed:
            for kind in sorted({*imported, "imported multi-Region"}):
                self.import_material(of_kind[kind], None, 0, new=True)
        if everywhere:
            for region in replicas:
                for number in range(2):
                    self.import_material((of_kind["imported multi-Region"][0], region), None, number, new=False)
        if turned:
            for kind in sorted(imported):
                self.rotate_now(of_kind[kind])
        for region in sorted(pending):
            self.schedule((of_kind["multi-Region"][0], region), 7)

    def known(self) -> list[tuple[str, str]]:
        """Return where keys are, the multi-Region ones twice, and the key that went last."""
        places = sorted(self.model.places, key=lambda place: not place[0].startswith("mrk-"))
        return [*places, *(place for place in places if place[0].startswith("mrk-")), *self.gone[-1:]]

    def teardown(self) -> None:
        if hasattr(self, "mock"):
            self.mock.stop()

    # --- what every rule does ---

    def call(self, region: str, operation: str, **members: Any) -> Any:
        """Call the fake KMS itself: ten times as fast as through a client, and histories are long."""
        return self.kms._service.call(operation, members, CALLER, region)

    def attempt(self, place: tuple[str, str], operation: str, row: str, **members: Any) -> tuple[Any, bool]:
        """Call an operation, and compare its outcome with that of the table; return the key if it should work."""
        found = self.model.places.get(place)
        state = None if found is None else self.model.state(found)
        expected = "NotFoundException" if state is None else TABLE[row].get(state)
        works = self.outcome(place, operation, expected, **members)
        if state in TABLE[row]:
            words = "is not pending deletion." if row == "cancel" else WORDS[str(state)]
            assert self.text == f"arn:aws:kms:{place[1]}:123456789012:key/{place[0]} {words}"
        return found, works

    def outcome(self, place: tuple[str, str], operation: str, expected: str | None, **members: Any) -> bool:
        key_id, region = place
        try:
            self.answer = self.call(region, operation, KeyId=key_id, **members)
            code = None
        except KmsError as error:
            code, self.text = error.code, error.message
        assert code == expected, f"{operation} in {region}: {code} instead of {expected}"
        return code is None

    # --- making keys ---

    @rule(kind=st.sampled_from(KINDS))
    def replace(self, kind: str) -> None:
        """Make a key of a kind of which there is none any more."""
        if all(place.family.kind != kind for place in self.model.places.values()):
            self.create(kind)

    def create(self, kind: str) -> None:
        if kind == "stored" and not self.model.connected:
            return
        members: dict[str, Any] = {
            "plain": {},
            "imported": {"Origin": "EXTERNAL"},
            "stored": {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": self.store},
            "multi-Region": {"MultiRegion": True},
            "imported multi-Region": {"Origin": "EXTERNAL", "MultiRegion": True},
        }[kind]
        key_id = self.call(REGIONS[0], "CreateKey", **members)["KeyMetadata"]["KeyId"]
        family = Family(kind, key_id, self.model.now, REGIONS[0])
        self.model.places[key_id, REGIONS[0]] = Place(family, REGIONS[0])

    @rule(place=KEYS, region=st.sampled_from(REGIONS))
    def replicate(self, place: tuple[str, str], region: str) -> None:
        found = self.model.places.get(place)
        expected = "NotFoundException" if found is None else TABLE["replicate"].get(self.model.state(found))
        if found is not None and expected is None:
            family = found.family
            if not family.multi_region or family.primary != found.region:
                expected = UNSUPPORTED
            elif region == family.primary:
                expected = "ValidationException"
            elif region in family.replicas:
                expected = "AlreadyExistsException"
        if self.outcome(place, "ReplicateKey", expected, ReplicaRegion=region):
            assert found is not None
            found.family.replicas.append(region)
            replica = Place(found.family, region, passing=CREATING, until=self.model.now + PASSING)
            self.model.places[found.family.key_id, region] = replica

    @rule(place=KEYS, region=st.sampled_from(REGIONS))
    def move_primary(self, place: tuple[str, str], region: str) -> None:
        found = self.model.places.get(place)
        if found is not None and found.family.replicas and REGIONS.index(region):
            region = found.family.replicas[-1]
        if found is None:
            self.outcome(place, "UpdatePrimaryRegion", "NotFoundException", PrimaryRegion=region)
            return
        family = found.family
        other = self.model.places.get((family.key_id, region))
        expected = TABLE["move"].get(self.model.state(found))
        if expected is None and other is not None and other is not found:
            expected = TABLE["move"].get(self.model.state(other))
        if expected is None:
            if not family.multi_region:
                expected = UNSUPPORTED
            elif family.primary != found.region:
                expected = INVALID
            elif other is None:
                expected = "ValidationException"
        if self.outcome(place, "UpdatePrimaryRegion", expected, PrimaryRegion=region) and other is not found:
            assert other is not None
            family.replicas.remove(region)
            family.replicas.append(family.primary)
            family.primary = region
            for member in (found, other):
                member.passing, member.until = UPDATING, self.model.now + PASSING

    # --- changing keys ---

    @rule(place=KEYS)
    def use(self, place: tuple[str, str]) -> None:
        """Encrypt; every key that is related and can be used decrypts this, and the first ciphertexts there were."""
        found, works = self.attempt(place, "Encrypt", "use", Plaintext=b"x")
        if not works:
            return
        blob = self.answer["CiphertextBlob"]
        for other in self.model.related(found.family):
            for known in (blob, *found.family.blobs[:3]):
                expected = TABLE["use"].get(self.model.state(other))
                if self.outcome((found.family.key_id, other.region), "Decrypt", expected, CiphertextBlob=known):
                    assert self.answer["Plaintext"] == b"x"
        found.family.blobs.append(blob)

    @rule(place=KEYS, enabled=st.booleans())
    def switch(self, place: tuple[str, str], enabled: bool) -> None:
        found, works = self.attempt(place, "EnableKey" if enabled else "DisableKey", "switch")
        if works:
            found.enabled = enabled
            if enabled:
                self.model.resume(found)

    @rule(place=KEYS, days=st.integers(7, 30))
    def schedule(self, place: tuple[str, str], days: int) -> None:
        found, works = self.attempt(place, "ScheduleKeyDeletion", "schedule", PendingWindowInDays=days)
        if works:
            found.window, found.enabled = timedelta(days=days), False
            waits = found.family.replicas and found.family.primary == found.region
            found.date = None if waits else self.model.now + found.window
            assert self.answer.get("DeletionDate") == found.date
            assert self.answer["KeyState"] == self.model.state(found)

    @rule(place=KEYS)
    def cancel(self, place: tuple[str, str]) -> None:
        found, works = self.attempt(place, "CancelKeyDeletion", "cancel")
        if works:
            found.window = found.date = None

    @rule(place=KEYS, operation=st.sampled_from(sorted(OTHERS)))
    def do_something_else(self, place: tuple[str, str], operation: str) -> None:
        row, members = OTHERS[operation]
        self.attempt(place, operation, row, **members)

    @rule(place=KEYS, days=st.none() | st.sampled_from([90, 100, 365]))
    def set_rotation(self, place: tuple[str, str], days: int | None) -> None:
        found = self.model.places.get(place)
        expected = self.rotation_outcome(found, automatic=True)
        operation, members = ("EnableKeyRotation", {"RotationPeriodInDays": days}) if days else (
            "DisableKeyRotation", {}
        )  # fmt: skip
        if self.outcome(place, operation, expected, **members):
            assert found is not None
            period = timedelta(days=days) if days else None
            if period and period != found.family.period:
                found.family.next_date = self.model.now + period
            found.family.period = period

    @rule(place=KEYS)
    def rotate_now(self, place: tuple[str, str]) -> None:
        found = self.model.places.get(place)
        expected = self.rotation_outcome(found, automatic=False)
        if expected is None:
            assert found is not None
            family = found.family
            if family.imported:
                everywhere = all(family.pending in member.listed for member in self.model.related(family))
                expected = None if found.complete and everywhere else INVALID
            elif family.period and family.next_date - self.model.now <= timedelta(minutes=20):
                expected = "ConflictException"
            if expected is None and len(family.rotations) >= 25:  # automatic ones count too here: too seldom to matter
                return
        if self.outcome(place, "RotateKeyOnDemand", expected):
            assert found is not None
            family = found.family
            family.rotations.append(self.model.now)
            if family.pending:
                family.generations.append(family.pending)
                family.pending = None

    def rotation_outcome(self, found: Place | None, *, automatic: bool) -> str | None:
        if found is None:
            return "NotFoundException"
        state, family = self.model.state(found), found.family
        if state != CREATING and (family.kind == "stored" or (automatic and family.imported)):
            return UNSUPPORTED
        return TABLE["rotate"].get(state, UNSUPPORTED if family.primary != found.region else None)

    # --- imported material and the key store ---

    @rule(place=KEYS, days=st.none() | st.integers(1, 365), number=st.integers(0, 3), new=st.booleans())
    def import_material(self, place: tuple[str, str], days: int | None, number: int, new: bool) -> None:
        """Import one of the materials that the key had, or a new one."""
        found = self.model.places.get(place)
        if found is None or not found.family.imported or self.model.state(found) in TABLE["import"]:
            expected: str | None = "NotFoundException"
            if found is not None:
                state = self.model.state(found)
                expected = TABLE["import"].get(state) if found.family.imported or state == CREATING else UNSUPPORTED
            self.outcome(place, "ImportKeyMaterial", expected, ImportToken=b"?", EncryptedKeyMaterial=b"?")
            return
        preparation = {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"}
        expected = INVALID if self.model.state(found) == UPDATING else None
        if not self.outcome(place, "GetParametersForImport", expected, **preparation):
            return
        given, family = self.answer, found.family
        known = family.materials
        expires = (self.model.now + timedelta(days=days)).replace(microsecond=0) if days else None
        members: dict[str, Any] = (
            {"ValidTo": expires} if expires else {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}
        )
        if new:
            members["ImportType"] = "NEW_KEY_MATERIAL"
            expected = "ValidationException" if found.region != family.primary else INVALID if family.pending else None
        new = new or not known  # AWS: the first import is one of new material if the request does not say
        material = os.urandom(32) if new else known[number % len(known)]
        sha256 = hashes.SHA256()
        public_key: Any = load_der_public_key(given["PublicKey"])
        members["EncryptedKeyMaterial"] = public_key.encrypt(material, padding.OAEP(padding.MGF1(sha256), sha256, None))
        if self.outcome(place, "ImportKeyMaterial", expected, ImportToken=given["ImportToken"], **members):
            found.imports[material] = expires
            found.expired.pop(material, None)
            assert family.ids.setdefault(material, self.answer["KeyMaterialId"]) == self.answer["KeyMaterialId"]
            if new and family.generations:
                family.pending = material
            elif new:
                family.generations = [material]
            if found.complete and material != family.pending:
                found.enabled = True

    @rule(place=KEYS, number=st.none() | st.integers(0, 3))
    def delete_material(self, place: tuple[str, str], number: int | None) -> None:
        """Delete the current material, or one by its id."""
        found = self.model.places.get(place)
        members, material = {}, None
        if found is None:
            expected = "NotFoundException"
        else:
            otherwise = None if found.family.imported else UNSUPPORTED
            expected = TABLE["delete material"].get(self.model.state(found), otherwise)
            known = found.family.materials
            if known and number is not None:
                material = known[number % len(known)]
                members["KeyMaterialId"] = found.family.ids[material]
            elif known:
                material = found.family.generations[-1]
        if self.outcome(place, "DeleteImportedKeyMaterial", expected, **members) and material is not None:
            assert found is not None
            self.model.lose(found, material)

    @rule()
    def toggle_store(self) -> None:
        self.model.connected = not self.model.connected
        operation = "ConnectCustomKeyStore" if self.model.connected else "DisconnectCustomKeyStore"
        self.call(REGIONS[0], operation, CustomKeyStoreId=self.store)

    # --- time, and what must be true at any time ---

    @rule(step=st.sampled_from([PASSING, timedelta(days=8), timedelta(days=95)]) | st.timedeltas(timedelta(), YEAR))
    def wait(self, step: timedelta) -> None:
        step -= step % timedelta(milliseconds=1)
        before = set(self.model.places)
        self.model.advance(self.kms.clock.advance(step))
        self.gone += sorted(before - set(self.model.places))

    @rule(early=st.booleans())
    def wait_for_what_is_next(self, early: bool) -> None:
        """Stop right when something becomes due, or just before."""
        due = [event[0] for place in self.model.places.values() for event in self.model.events(place)]
        if due:
            self.wait(max(min(due) - self.model.now - timedelta(milliseconds=early), timedelta()))

    @rule(place=KEYS, step=st.sampled_from([timedelta(days=days) for days in (50, 95, 190, 370)]))
    def pause(self, place: tuple[str, str], step: timedelta) -> None:
        """Leave a key disabled for a while: what rotation does then has rules of its own."""
        self.switch(place, False)
        self.wait(step)
        self.switch(place, True)

    @invariant()
    def keys_are_as_the_model_says(self) -> None:
        if not hasattr(self, "model"):
            return
        for region in REGIONS:
            listed = {entry["KeyId"] for entry in self.call(region, "ListKeys")["Keys"]}
            assert listed == {key_id for key_id, place in self.model.places if place == region}
        for (key_id, region), place in self.model.places.items():
            found = self.call(region, "DescribeKey", KeyId=key_id)["KeyMetadata"]
            state = self.model.state(place)
            assert (found["KeyState"], found["Enabled"]) == (state, state == ENABLED)
            assert found.get("DeletionDate") == place.date
            family = place.family
            if family.multi_region:
                shown = found["MultiRegionConfiguration"]
                assert shown["PrimaryKey"]["Region"] == family.primary
                assert [replica["Region"] for replica in shown["ReplicaKeys"]] == family.replicas
            if family.kind != "stored":
                rotations = self.call(region, "ListKeyRotations", KeyId=key_id)["Rotations"]
                assert [entry["RotationDate"] for entry in rotations] == family.rotations
            if family.imported:
                self.materials_are_as_the_model_says(place, found)
            elif family.kind != "stored":
                status = self.call(region, "GetKeyRotationStatus", KeyId=key_id)
                assert status["KeyRotationEnabled"] == (family.period is not None and place.date is None)
                if status["KeyRotationEnabled"]:
                    assert status["NextRotationDate"] == family.next_date

    def materials_are_as_the_model_says(self, place: Place, found: Any) -> None:
        family, imports = place.family, place.listed
        dates = [date for material, date in place.imports.items() if date and material != family.pending]
        assert found.get("ValidTo") == (min(dates, default=None) if place.complete else None)
        members = {"KeyId": family.key_id, "IncludeKeyMaterial": "ALL_KEY_MATERIAL"}
        listed = self.call(place.region, "ListKeyRotations", **members)["Rotations"]
        assert [entry["KeyMaterialId"] for entry in listed] == [family.ids[material] for material in family.materials]
        for entry, material in zip(listed, family.materials, strict=True):
            assert entry["ImportState"] == ("IMPORTED" if material in imports else "PENDING_IMPORT")
            assert entry.get("ValidTo") == imports.get(material)
            if material == family.pending:
                everywhere = all(material in member.listed for member in self.model.related(family))
                pending = "PENDING_ROTATION" if everywhere else "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"
            else:
                pending = None
            current = "CURRENT" if material == family.generations[-1] else "NON_CURRENT"
            assert entry["KeyMaterialState"] == (pending or current)


class TestKeysOverTime(KeysOverTime.TestCase):
    settings = settings(stateful_step_count=25)
