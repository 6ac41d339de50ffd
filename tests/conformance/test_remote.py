"""Endpoints and accounts: what a run makes there, what it leaves alone, and that nothing is left."""

from __future__ import annotations

import threading

import boto3
import pytest

from pytest_kmsmock._conformance import remote, runner
from pytest_kmsmock._conformance.created_resources import CreatedResources
from pytest_kmsmock._conformance.targets import CONFIG, names_at
from pytest_kmsmock.errors import TargetUnreachable

KEY = "- name: one\n  source: seen\n  steps:\n  - {CreateKey: , as: key}\n"


@pytest.fixture
def endpoint(kms_server):
    return remote.Endpoint(kms_server.endpoint_url, "us-east-1", None, lambda _: None)


@pytest.fixture
def account(endpoints_of_aws):
    """Give what takes this project's own server for AWS."""
    return remote.Account("us-east-1", None, lambda _: None, "run-1")


def outcomes(scenarios, target) -> list[str]:
    return [result.outcome for result in runner.run(scenarios, target)]


def test_the_account_of_an_endpoint_is_that_of_a_new_key(kms_mock, endpoint, scenarios_of):
    scenarios = scenarios_of(
        "scenarios:\n- name: one\n  source: seen\n  steps:\n  - CreateKey:\n"
        "    answer: {KeyMetadata: {AWSAccountId: <account>}}\n"
    )
    assert outcomes(scenarios, endpoint) == ["agrees"]
    assert outcomes(scenarios, endpoint) == ["agrees"]
    assert [key.state for key in kms_mock.keys.values()] == ["Enabled"] * 3
    assert endpoint.close() == []
    assert [key.state for key in kms_mock.keys.values()] == ["PendingDeletion"] * 3


def test_an_endpoint_that_makes_no_keys(kms_mock, endpoint, scenarios_of):
    kms_mock.faults.add("CreateKey", error="AccessDeniedException")
    with pytest.raises(TargetUnreachable, match=r"CreateKey failed at .*: AccessDeniedException"):
        outcomes(scenarios_of(f"scenarios:\n{KEY}"), endpoint)


def test_nobody_at_an_endpoint(scenarios_of):
    nobody = remote.Endpoint("http://127.0.0.1:9", "us-east-1", None, lambda _: None)
    with pytest.raises(TargetUnreachable, match=r"CreateKey got no answer from http://127.0.0.1:9: "):
        outcomes(scenarios_of(f"scenarios:\n{KEY}"), nobody)


def test_an_endpoint_has_no_principals(endpoint, scenarios_of):
    scenarios = scenarios_of(f"scenarios:\n{KEY}  principals: {{ada: {{arn: user/ada}}}}\n")
    (result,) = runner.run(scenarios, endpoint)
    assert (result.outcome, result.reason) == ("skipped", f"{endpoint.name} has no principals")


def test_throttled_calls_are_made_again(kms_mock, kms_server, scenarios_of):
    pauses = []
    endpoint = remote.Endpoint(kms_server.endpoint_url, "us-east-1", None, pauses.append)
    kms_mock.faults.add("CreateKey", error="ThrottlingException", times=2)
    assert outcomes(scenarios_of(f"scenarios:\n{KEY}"), endpoint) == ["agrees"]
    assert pauses == [1, 2]
    kms_mock.faults.add("CreateKey", error="ThrottlingException")
    assert outcomes(scenarios_of(f"scenarios:\n{KEY}"), endpoint) == ["differs"]


def test_an_account_announces_what_a_run_creates(kms_mock, account, scenarios_of):
    scenarios = scenarios_of(
        f"scenarios:\n{KEY}  - ReplicateKey: {{KeyId: <key>, ReplicaRegion: <other_region>}}\n"
        "  - GenerateDataKeyPair: {KeyId: <key>, KeyPairSpec: RSA_2048}\n"
        "- name: two\n  steps:\n  - CreateKey:\n  - wait: {days: 1}\n"
    )
    told = account.announcement(scenarios)
    assert told.startswith("Account 123456789012 (aws), as arn:aws:sts::123456789012:")
    assert "calls KMS in us-east-1 and us-west-2" in told
    assert "up to 2 KMS keys, tagged pytest-kmsmock-conformance=run-1" in told
    assert "some 3 requests, and costs about 0.00 USD" in told
    assert not kms_mock.keys


def test_keys_of_an_account_are_tagged_and_go(kms_mock, account, scenarios_of):
    scenarios = scenarios_of(
        "scenarios:\n- name: one\n  source: seen\n  steps:\n"
        "  - CreateKey: {MultiRegion: true, Tags: [{TagKey: a, TagValue: b}]}\n    as: key\n"
        "  - ReplicateKey: {KeyId: <key>, ReplicaRegion: <other_region>}\n"
        "    members: [ReplicaKeyMetadata, ReplicaPolicy]\n"
        "  - CreateAlias: {AliasName: alias/x-<unique>, TargetKeyId: <key>}\n"
        "  - ScheduleKeyDeletion: {KeyId: <key>, PendingWindowInDays: 30}\n    region: other\n"
    )
    assert outcomes(scenarios, account) == ["agrees"] * 4
    (key,) = kms_mock.keys.values()
    tag = {remote.TAG_KEY: "run-1"}
    assert key.tags == {"a": "b", **tag}
    replica = boto3.client("kms", "us-west-2").list_resource_tags(KeyId=key.id)["Tags"]
    assert replica == [{"TagKey": remote.TAG_KEY, "TagValue": "run-1"}]
    assert account.close() == []
    assert (kms_mock.keys[key.id].state, kms_mock.keys[key.id].aliases) == ("PendingReplicaDeletion", ())


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        ("DisableKey: {KeyId: KEY}", "KeyId 'KEY' is not a key of this run"),
        ("DisableKey: {KeyId: ARN}", "KeyId 'ARN' is not a key of this run"),
        ("Encrypt: {KeyId: alias/theirs, Plaintext: x}", "KeyId 'alias/theirs' is not a key of this run"),
        ("CreateAlias: {AliasName: alias/mine, TargetKeyId: KEY}", "TargetKeyId 'KEY' is not a key of this run"),
        ("DeleteAlias: {AliasName: alias/theirs}", "'alias/theirs' is not an alias of this run"),
        (
            "ReEncrypt: {CiphertextBlob: x, DestinationKeyId: KEY}",
            "DestinationKeyId 'KEY' is not a key of this run",
        ),
        ("PutKeyPolicy: {Policy: x, BypassPolicyLockoutSafetyCheck: true}", "a key policy could lock this run out"),
        ("DeleteCustomKeyStore: {CustomKeyStoreId: cks-1}", "this run created no custom key store"),
        ("CreateCustomKeyStore: {CustomKeyStoreName: x}", "a custom key store would be left behind"),
    ],
)
def test_keys_of_others_are_not_touched(kms_mock, account, scenarios_of, step, reason):
    theirs = kms_mock.create_key(alias="alias/theirs")
    before = kms_mock.dump()["regions"]
    step, reason = (text.replace("KEY", theirs.id).replace("ARN", theirs.arn) for text in (step, reason))
    (result,) = runner.run(scenarios_of(f"scenarios:\n- name: one\n  steps:\n  - {step}\n"), account)
    assert result.outcome == "skipped"
    assert result.reason.startswith(reason)
    assert account.close() == []
    assert kms_mock.dump()["regions"] == before
    assert not kms_mock.calls


def test_calls_for_absent_keys_are_sent(account, scenarios_of):
    scenarios = scenarios_of(
        "scenarios:\n- name: one\n  source: seen\n  steps:\n"
        "  - {DescribeKey: {KeyId: <absent_key>}, error: NotFoundException}\n"
        "  - {DescribeKey: {KeyId: alias/x-<unique>}, error: NotFoundException}\n"
        "  - {DescribeKey: {KeyId: auto}, error: NotFoundException}\n"
        "  - {DescribeKey: {KeyId: mrk-00000000000000000000000000000000}, error: NotFoundException}\n"
        "  - {CreateAlias: {AliasName: unprefixed, TargetKeyId: <absent_key>}, error: ValidationException}\n"
        "  - {DeleteCustomKeyStore: {CustomKeyStoreId: <absent_store>}, error: CustomKeyStoreNotFoundException}\n"
    )
    assert outcomes(scenarios, account) == ["agrees"] * 6


def test_a_run_that_is_stopped_still_takes_its_keys_away(kms_mock, account, scenarios_of):
    stopped = threading.Event()
    scenarios = scenarios_of(
        f"scenarios:\n{KEY}  - CreateKey:\n  - CreateKey:\n- name: two\n  steps:\n  - CreateKey:\n"
    )
    found = []
    for result in runner.run(scenarios, account, stopped.is_set):
        found.append(result)
        if len(found) == 2:
            stopped.set()
    assert len(found) == 2
    assert account.close() == []
    assert [key.state for key in kms_mock.keys.values()] == ["PendingDeletion"] * 2


def test_failures_of_deletion_are_reported(kms_mock, account, scenarios_of):
    scenarios = scenarios_of(
        f"scenarios:\n{KEY}  - CreateKey:\n  - CreateAlias: {{AliasName: alias/x-<unique>, TargetKeyId: <key>}}\n"
    )
    assert outcomes(scenarios, account) == ["agrees"] * 3
    kms_mock.faults.add("ScheduleKeyDeletion", error="AccessDeniedException", message="no", times=1)
    kms_mock.faults.add("DeleteAlias", error="ConnectTimeoutError", times=1)
    alias, key = account.close()
    assert alias.startswith("alias/x-")
    assert key.endswith("in us-east-1: AccessDeniedException: no")


def test_a_key_whose_answer_was_lost_is_found_by_its_tag(kms_mock, account, scenarios_of):
    theirs = kms_mock.create_key(tags={remote.TAG_KEY: "another run"})
    kms_mock.faults.add("CreateKey", error="ConnectionClosedError", executed=True, after=1, times=1)
    with pytest.raises(TargetUnreachable, match="CreateKey got no answer"):
        outcomes(scenarios_of(f"scenarios:\n{KEY}  - CreateKey:\n"), account)
    kms_mock.faults.add("ListResourceTags", error="AccessDeniedException", KeyId=theirs.id)
    assert account.close() == []
    assert theirs.state == "Enabled"
    assert sorted(key.state for key in kms_mock.keys.values()) == ["Enabled", "PendingDeletion", "PendingDeletion"]


def test_times_of_an_endpoint_are_those_of_the_machine(endpoint, scenarios_of):
    scenarios = scenarios_of(
        f"scenarios:\n{KEY}  - ScheduleKeyDeletion: {{KeyId: <key>, PendingWindowInDays: 7}}\n"
        "    answer: {DeletionDate: {$around: {$in: {days: 7}}}}\n"
    )
    assert outcomes(scenarios, endpoint) == ["agrees", "agrees"]


@pytest.mark.parametrize(
    ("fault", "times", "pauses"),
    [
        ({"error": "ThrottlingException"}, 1, [0.5]),
        ({"error": "KMSInvalidStateException", "message": "arn:aws:kms:x is updating."}, 2, [0.5, 1]),
        (
            {"error": "KMSInvalidStateException", "message": "arn:aws:kms:x is creating."},
            8,
            [0.5 * 2**n for n in range(8)],
        ),
    ],
)
def test_transient_errors_are_retried(kms_mock, kms_server, fault, times, pauses):
    waited = []
    made = CreatedResources(waited.append)
    client = boto3.client("kms", endpoint_url=kms_server.endpoint_url, config=CONFIG)
    made.note("CreateKey", {}, client.create_key(), "us-east-1")
    kms_mock.faults.add("ScheduleKeyDeletion", **fault, times=times)
    assert [left.partition(": ")[2] for left in made.clean_up(lambda _: client)] == (
        ["KMSInvalidStateException: arn:aws:kms:x is creating."] if times == 8 else []
    )
    assert waited == pauses


def test_no_credentials(monkeypatch):
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(TargetUnreachable, match="GetCallerIdentity failed: Unable to locate credentials"):
        remote.Account("us-east-1", None, lambda _: None, "run-1")


def test_an_account_lets_time_pass(account, scenarios_of):
    pauses = []
    target = remote.Account("us-east-1", None, pauses.append, "run-1")
    scenarios = scenarios_of(
        f"scenarios:\n{KEY}  - wait: {{minutes: 2}}\n  - DescribeKey: {{KeyId: <key>}}\n    within: 3\n"
        "    answer: {KeyMetadata: {KeyState: Disabled}}\n"
    )
    assert outcomes(scenarios, target) == ["agrees", "agrees", "differs"]
    assert pauses == [120, 2, 2]


@pytest.mark.parametrize(
    ("region", "other"),
    [
        ("us-east-1", "us-west-2"),
        ("us-west-2", "us-east-1"),
        ("eu-west-1", "us-west-2"),
        ("cn-north-1", "cn-northwest-1"),
        ("us-gov-west-1", "us-gov-east-1"),
    ],
)
def test_the_other_region_is_in_the_same_partition(region, other):
    assert names_at(region)["other_region"] == other
