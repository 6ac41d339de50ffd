"""Damaged dumps: refused with the reason, or loaded into a state that everything can be asked about."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_kmsmock import KmsMock, mock_kms
from pytest_kmsmock._kms.api.errors import KmsError
from pytest_kmsmock._kms.state.caller import administrator
from pytest_kmsmock._testing.dumps import dump
from pytest_kmsmock._testing.policies.required_permissions import aliases_before, permissions
from pytest_kmsmock.errors import InvalidDump

APP, REPLICATED, SIGNS = (f"{digit * 8}-0000-4000-8000-000000000000" for digit in "123")
RELATED = f"mrk-{'4' * 32}"
SERVICE = "com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0"
ALLOWS = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]}'
FOR_ALL = ALLOWS.replace('"Action"', '"Principal": "*", "Action"')


def furnish(kms: KmsMock) -> None:
    """Give a mock a bit of everything that a dump can hold."""
    client = kms.client()
    kms.delays.eventual_consistency = 300
    kms.create_key(
        alias="alias/app", key_id=APP, tags={"team": "x"}, material=bytes(32),
        grants=[{"GranteePrincipal": "arn:aws:iam::123456789012:role/App", "Operations": ["Encrypt", "RetireGrant"],
                 "RetiringPrincipal": "arn:aws:iam::123456789012:user/Boss",
                 "Constraints": {"EncryptionContextSubset": {"tenant": "a"}}}],
    )  # fmt: skip
    client.enable_key_rotation(KeyId=APP, RotationPeriodInDays=90)
    kms.create_key(key_id=SIGNS, spec="ECC_NIST_P256", usage="SIGN_VERIFY")
    kms.create_key(spec="HMAC_256")
    kms.create_key(spec="ML_KEM_512")
    kms.create_key(key_id=RELATED, multi_region=True, replicas=["eu-west-1", "us-west-2"])
    kms.create_key(origin="EXTERNAL", material=bytes(32), replicas=["eu-west-1"])
    kms.create_key(origin="EXTERNAL")
    kms.create_key(pending_window_in_days=7, account="111122223333", region="cn-north-1")
    store = kms.key_stores.add_store()
    client.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=store)
    outside = kms.key_stores.add_store(kms.key_stores.add_xks_proxy(keys=["ext"], vpc_endpoint_service=SERVICE))
    client.create_key(Origin="EXTERNAL_KEY_STORE", CustomKeyStoreId=outside, XksKeyId="ext")
    kms.key_stores.add_store(connected=False)
    kms.key_stores.fail_next_connect("USER_LOCKED_OUT")
    kms.iam.attach("user/alice", ALLOWS)
    kms.iam.boundary("user/alice", ALLOWS)
    kms.iam.service_control(ALLOWS)
    kms.iam.vpc_endpoint_policy("vpce-1", FOR_ALL)
    client.describe_key(KeyId="alias/aws/s3")
    client.encrypt(KeyId=APP, Plaintext=b"x")
    kms.clock.advance(days=91)
    kms.delays.rotating = 60
    client.rotate_key_on_demand(KeyId=APP)
    grant = client.create_grant(
        KeyId=APP, GranteePrincipal="arn:aws:iam::123456789012:role/App", Operations=["Decrypt"]
    )["GrantId"]  # fmt: skip
    client.put_key_policy(KeyId=SIGNS, Policy=FOR_ALL, BypassPolicyLockoutSafetyCheck=True)
    client.tag_resource(KeyId=APP, Tags=[{"TagKey": "a", "TagValue": "b"}])
    client.update_alias(AliasName="alias/app", TargetKeyId=RELATED)
    client.revoke_grant(KeyId=APP, GrantId=grant)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    with mock_kms(deterministic=True, fresh=True) as kms:
        furnish(kms)
        document: dict[str, Any] = json.loads(json.dumps(kms.dump()))
    return document


# --- single contradictions --------------------------------------------------------------------------------------------


def _region(document: dict[str, Any], name: str = "us-east-1") -> dict[str, Any]:
    return next(region for region in document["regions"] if region["name"] == name)


def _key(document: dict[str, Any], key_id: str = APP, region: str = "us-east-1") -> dict[str, Any]:
    key: dict[str, Any] = _region(document, region)["keys"][key_id]
    return key


def _of_origin(document: dict[str, Any], origin: str) -> dict[str, Any]:
    return next(key for key in _region(document)["keys"].values() if key["origin"] == origin)


def _grant(document: dict[str, Any]) -> dict[str, Any]:
    grant: dict[str, Any] = next(iter(_region(document)["grants"][APP].values()))
    return grant


def _store(document: dict[str, Any], kind: str = "AWS_CLOUDHSM") -> dict[str, Any]:
    return next(store for store in _region(document)["custom_key_stores"].values() if store["type"] == kind)


Damage = Callable[[dict[str, Any]], object]
DAMAGES: list[tuple[Damage, str]] = [
    (lambda d: _region(d, "cn-north-1").update(account="1"), r"'cn-north-1' of '1' is no Region of an account"),
    (lambda d: _region(d, "cn-north-1").update(name="EXTERNAL"), "'EXTERNAL' of '111122223333' is no Region"),
    (lambda d: d["regions"].append(_region(d)), r"us-east-1 of account 123456789012 is there twice"),
    (lambda d: _key(d).update(usage="SIGN_VERIFY"), "of the spec SYMMETRIC_DEFAULT has the usage 'SIGN_VERIFY'"),
    (lambda d: _key(d).update(origin="MOON"), "has the origin 'MOON'"),
    (lambda d: _key(d).update(manager="ME"), "has the manager 'ME'"),
    (lambda d: _key(d).update(tags={"": "x"}), "has tags that no key has"),
    (lambda d: _key(d).update(policy="{}"), "a resource-based policy of key 1+-[-0-9]+ is none: "),
    (lambda d: _key(d).update(multi_region={"primary": "us-east-1"}), "is, or is not, a multi-Region key"),
    (lambda d: _key(d).update(xks_key_id="stray"), "of the origin AWS_KMS has the external key stray"),
    (lambda d: _key(d).update(materials=[]), "has material that no such key has"),
    (lambda d: _key(d)["materials"][0].update(id="0"), "key material 0 of the key .* has the id '0'"),
    (lambda d: _key(d)["materials"][0].update(state="CURRENT"), "has material that no such key has"),
    (lambda d: _key(d)["materials"][0].update(secret=None), "has material that no such key has"),
    (lambda d: _key(d)["materials"][0].update(expires=d["time"]), "has material that no such key has"),
    (lambda d: _key(d)["materials"][0].update(description="imported"), "has material that no such key has"),
    (lambda d: _key(d)["materials"][-1].update(rotation_type="ODD"), "has the rotation_type 'ODD'"),
    (lambda d: _key(d)["materials"][-1].update(rotated=None), "does not say how and when it was rotated"),
    (lambda d: _key(d).update(materials=_key(d, SIGNS)["materials"]), "has material that no such key has"),
    (lambda d: _key(d).update(deletion={"window_days": 10**9, "date": None}), "is deleted in 10+ days"),
    (lambda d: _key(d).update(transition={"state": "Odd", "until": d["time"]}), "passes through the state 'Odd'"),
    (lambda d: _key(d, SIGNS).update(rotation=_key(d)["rotation"]), "is rotated, which such keys are not"),
    (lambda d: _key(d)["rotation"].update(period_days=0), "is rotated every 0 days from"),
    (lambda d: _key(d).update(on_demand_rotations=-1), "was rotated on demand -1 times"),
    (lambda d: _of_origin(d, "AWS_CLOUDHSM").update(custom_key_store_id=None), "is in no custom key store"),
    (lambda d: _of_origin(d, "AWS_CLOUDHSM").update(custom_key_store_id=_store(d, "EXTERNAL_KEY_STORE")["id"]),
     "which has no such keys"),
    (lambda d: _key(d, RELATED)["multi_region"].update(replicas=[]), "do not agree"),
    (lambda d: _key(d, RELATED, d["regions"][1]["name"])["multi_region"].update(primary="x", replicas=[]),
     "is not, or not once, among its related keys"),
    (lambda d: _key(d, RELATED, d["regions"][1]["name"])["multi_region"].update(primary="x"),
     "has a related key in x, which is missing"),
    (lambda d: _region(d)["aliases"].update({"x": {"name": "x", "key_id": APP, "created": None, "updated": None}}),
     "alias x has no name of an alias"),
    (lambda d: _region(d)["aliases"]["alias/app"].update(key_id=None), "alias alias/app names no key"),
    (lambda d: _region(d)["aliases"]["alias/app"].update(created=None), "alias/app does not say when it was made"),
    (lambda d: _grant(d).update(key_id="x"), "stands where it does not belong"),
    (lambda d: _grant(d).update(operations=["ScheduleKeyDeletion"]), "is of operations that there are not"),
    (lambda d: _grant(d).update(grantee=None), "is for nobody, or for two"),
    (lambda d: _grant(d).update(grantee="arn:x"), "is for 'arn:x', who is no principal"),
    (lambda d: _grant(d).update(retiree="bob"), "is retired by 'bob', who is no principal"),
    (lambda d: _grant(d).update(issuing_account="me"), "has the issuing_account 'me'"),
    (lambda d: _region(d)["last_usage"][APP].update(operation="Pray"), "has the operation 'Pray'"),
    (lambda d: _store(d).update(id="cks-0"), "custom key store cks-[0-9a-f]+ is called cks-0"),
    (lambda d: _store(d).update(type="SAFE"), "has the type 'SAFE'"),
    (lambda d: _store(d).update(state="HAPPY"), "has the state 'HAPPY'"),
    (lambda d: _store(d).update(state="FAILED"), "has no error code"),
    (lambda d: _store(d).update(state="CONNECTING"), "does not say until when it is CONNECTING"),
    (lambda d: _store(d).update(settings={}), "has settings that no such store has"),
    (lambda d: _store(d, "EXTERNAL_KEY_STORE")["settings"].update(XksProxyConfiguration=5), "has settings that no"),
    (lambda d: _store(d, "EXTERNAL_KEY_STORE")["settings"]["XksProxyConfiguration"].pop("VpcEndpointServiceOwner"),
     "has settings that no such store has"),
    (lambda d: next(iter(d["outside"]["clusters"].values())).update(id="x"), "outside: cluster .* is called x"),
    (lambda d: d["outside"]["proxies"][0][1].update(path="/x"), "outside: proxy .* is at .*/x"),
    (lambda d: d["outside"]["proxies"][0][1]["keys"]["ext"].update(id="x"), "outside: external key ext is called x"),
    (lambda d: d["outside"]["proxies"][0][1]["keys"]["ext"].update(secret=_key(d, SIGNS)["materials"][0]["secret"]),
     "outside: external key ext is a ECC_NIST_P256"),
    (lambda d: next(iter(d["outside"]["clusters"].values())).update(hsms=-1), "outside: hsms: expected how many"),
    (lambda d: d["outside"]["proxies"][0][1].update(failure="BAD"), "outside: failure: expected one of .* got 'BAD'"),
    (lambda d: d["outside"]["connect_failures"].update({"": "BAD"}), "outside: 'BAD' is no ConnectionErrorCode"),
    (lambda d: d["timeline"][0].__setitem__(2, "moon"), "timeline: moon of account .* is not among the regions"),
    (lambda d: next(iter(d["iam"]["identity"].values())).append("{"), "iam: a identity-based policy of .* is none: "),
    (lambda d: d["iam"]["service_control"].update({"123456789012": [["{"]]}), "iam: a service control policy of .*"),
    (lambda d: next(iter(d["recent"]["policies"].values()))[0].__setitem__(1, "{"), r"recent\.policies: a resource"),
    (lambda d: next(iter(d["recent"]["gone_grants"].values()))[0][1].update(operations=[]), r"recent\.gone_grants: "),
    (lambda d: d.update(time="0001-01-01T00:00:00+23:59"), "time: expected a time with its offset from UTC"),
    (lambda d: d.update(frozen=10**5000), "frozen: expected true or false, found a value of type int"),
    (lambda d: _store(d).update(settings=_nested(100_000)), "it is nested too deeply"),
]  # fmt: skip


def _nested(depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(depth):
        found = {"a": found}
    return found


@pytest.mark.parametrize(("damage", "reason"), DAMAGES, ids=[row[1] for row in DAMAGES])
def test_what_does_not_hang_together_is_refused(
    kms_mock: KmsMock, document: dict[str, Any], damage: Damage, reason: str
) -> None:
    kms_mock.clock.freeze(datetime(2026, 1, 1, tzinfo=timezone.utc))
    kms_mock.create_key(alias="alias/mine")
    before, damaged = kms_mock.dump(), copy.deepcopy(document)
    damage(damaged)
    with pytest.raises(InvalidDump, match=rf"^the dump is damaged: .*{reason}"):
        dump.load(kms_mock._service, damaged)
    assert kms_mock.dump() == before


def test_a_whole_dump_of_everything_is_loaded(kms_mock: KmsMock, document: dict[str, Any]) -> None:
    kms_mock.load(document)
    assert kms_mock.dump() == document
    ask_everything(kms_mock)


# --- any damage -------------------------------------------------------------------------------------------------------


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to everything in a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield (*at, name)
        yield from places(item, (*at, name))


def at(document: Any, place: tuple[Any, ...]) -> Any:
    for name in place:
        document = document[name]
    return document


ODD: list[Any] = [
    None, True, False, 0, -1, 1.5, 10**30, float("nan"), "", "x", "alias/aws/s3", "arn:x", "us-east-1", "EXTERNAL",
    "AWS_CLOUDHSM", "SIGN_VERIFY", "CONNECTING", "FAILED", "PENDING_ROTATION", "9999-12-31T23:59:59-23:59",
    "2020-01-01T00:00:00+00:00", "\0", "\ud800", [], {}, [[]], [None], {"": None}, {"$time": "x"}, {"$bytes": 5}, "{}",
    '{"Statement": []}',
]  # fmt: skip


READS = (
    "DescribeKey", "GetKeyPolicy", "ListGrants", "ListResourceTags", "ListAliases", "GetKeyRotationStatus",
    "ListKeyRotations", "GetKeyLastUsage", "GetPublicKey",
)  # fmt: skip


def ask_everything(kms: KmsMock) -> None:
    """Carry out what reads and uses keys; AWS's refusals are fine, everything else is not."""
    service = kms._service

    def call(operation: str, region: str, account: str, **members: Any) -> None:
        try:
            service.call(operation, members, administrator(account, "aws"), region)
        except KmsError as refusal:
            assert refusal.code != "KMSInternalException"  # noqa: PT017 - most of what is asked is not refused

    for region in list(service.state.regions()):
        here = (region.name, region.account)
        for operation in ("ListKeys", "ListAliases", "DescribeCustomKeyStores", "GenerateRandom"):
            call(operation, *here, **({"NumberOfBytes": 8} if operation == "GenerateRandom" else {}))
        call("ListRetirableGrants", *here, RetiringPrincipal="arn:aws:iam::123456789012:user/Boss")
        for store in list(region.custom_key_stores):
            call("DisconnectCustomKeyStore", *here, CustomKeyStoreId=store)
            call("ConnectCustomKeyStore", *here, CustomKeyStoreId=store)
        for alias in list(region.aliases):
            call("DescribeKey", *here, KeyId=alias)
        for key in list(region.keys):
            for operation in READS:
                call(operation, *here, KeyId=key)
            call("ListKeyRotations", *here, KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")
            call("Encrypt", *here, KeyId=key, Plaintext=b"x")
            call("GenerateDataKey", *here, KeyId=key, KeySpec="AES_256")
            call("Sign", *here, KeyId=key, Message=b"x", SigningAlgorithm="ECDSA_SHA_256")
            call("GenerateMac", *here, KeyId=key, Message=b"x", MacAlgorithm="HMAC_SHA_256")
    for key_id in kms.keys:
        view = kms.keys[key_id]
        assert [view.metadata, view.policy, view.grants, view.last_usage, repr(view)]
    kms.cloudtrail_events()
    permissions(kms.calls, aliases_before(service.state, kms.calls))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_dump_is_refused_or_everything_can_be_asked(document: dict[str, Any], data: st.DataObject) -> None:
    damaged = copy.deepcopy(document)
    everywhere = list(places(document))
    for _ in range(data.draw(st.integers(1, 2), "damages")):
        place = data.draw(st.sampled_from(everywhere), "place")
        try:
            holder = at(damaged, place[:-1])
            if data.draw(st.integers(0, 3), "deletes") == 0:
                del holder[place[-1]]
            else:
                other = st.sampled_from(everywhere).map(lambda there: copy.deepcopy(at(document, there)))
                holder[place[-1]] = data.draw(st.sampled_from(ODD) | other, "by")
        except (KeyError, IndexError, TypeError, AttributeError):
            continue  # the damage before has taken it away
    with mock_kms(fresh=True, deterministic=True) as kms:
        kms.create_key(alias="alias/mine", key_id=APP)
        before = kms.dump()
        try:
            kms.load(damaged)
        except InvalidDump:
            assert kms.dump() == before
            return
        again = kms.dump()
        kms.load(again)
        assert kms.dump() == again
        ask_everything(kms)
        kms.delays.eventual_consistency = 300
        kms.clock.advance(days=400)
        ask_everything(kms)
        kms.load(kms.dump())
