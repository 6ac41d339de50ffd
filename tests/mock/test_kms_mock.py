"""The handle: what it does when its mock has ended."""

from __future__ import annotations

import copy
from pathlib import Path
from types import SimpleNamespace

import pytest

from pytest_kmsmock import KmsMock, mock_kms
from pytest_kmsmock.errors import InvalidOption, NotActive

ENDED = (
    "This mock has ended. Use its handle inside the test or the `with` block; a fixture must yield the handle there, "
    "not return it."
)
#: What makes or changes something.
CHANGES = {
    "as_principal": lambda kms: kms.as_principal("role/app"),
    "async_client": lambda kms: kms.async_client(),
    "client": lambda kms: kms.client(),
    "clock": lambda kms: kms.clock.advance(days=1),
    "create_key": lambda kms: kms.create_key(alias="alias/late"),
    "create_key_as_in_console": lambda kms: kms.create_key_as_in_console(alias="alias/late"),
    "credentials": lambda kms: kms.credentials("role/app"),
    "delays": lambda kms: kms.delays,
    "deploy": lambda kms: kms.deploy("missing.yaml"),
    "faults": lambda kms: kms.faults.add("Encrypt", error="KMSInternalException"),
    "iam": lambda kms: kms.iam.attach("role/app", {"Version": "2012-10-17", "Statement": []}),
    "key_stores": lambda kms: kms.key_stores.add_cluster(),
    "load": lambda kms: kms.load({}),
    "managed_key": lambda kms: kms.managed_key("s3"),
    "request_quotas": lambda kms: kms.request_quotas,
    "seed": lambda kms: kms.seed("missing.yaml"),
    "serve": lambda kms: kms.serve(),
}
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]}
#: What shows what was recorded.
READS = {
    "account": lambda kms: kms.account == "123456789012",
    "active": lambda kms: not kms.active,
    "assert_called": lambda kms: kms.assert_called("Encrypt", times=1) is None,
    "assert_not_called": lambda kms: kms.assert_not_called("Decrypt") is None,
    "assert_only_called": lambda kms: kms.assert_only_called("Encrypt") is None,
    "calls": lambda kms: len(kms.calls) == 1,
    "cloudtrail_events": lambda kms: [event["eventName"] for event in kms.cloudtrail_events()] == ["Encrypt"],
    "decrypt": lambda kms: kms.decrypt(kms.calls[0].result["CiphertextBlob"]).plaintext == b"x",
    "deployed": lambda kms: kms.deployed("Key") == kms.keys["alias/deployed"].arn,
    "dump": lambda kms: bool(kms.dump()),
    "explain": lambda kms: bool(kms.explain(kms.calls[0])),
    "faults": lambda kms: len(kms.faults.unused) == 1,
    "keys": lambda kms: len(kms.keys) == 2,
    "least_privilege": lambda kms: bool(kms.least_privilege().identity_policies),
    "options": lambda kms: kms.options.enforce_policies,
    "policy_diff": lambda kms: bool(kms.policy_diff().lines),
    "region": lambda kms: kms.region == "us-east-1",
    "simulate": lambda kms: bool(kms.simulate(None, "kms:Encrypt", "alias/app")),
}
TEMPLATE = """
Resources:
  Key: {Type: AWS::KMS::Key}
  Alias: {Type: AWS::KMS::Alias, Properties: {AliasName: alias/deployed, TargetKeyId: !Ref Key}}
"""


def ended(tmp_path: Path) -> KmsMock:
    (tmp_path / "app.yaml").write_text(TEMPLATE)
    with mock_kms() as kms:
        kms.clock.freeze()
        kms.deploy(tmp_path / "app.yaml")
        kms.create_key(alias="alias/app")
        kms.client().encrypt(KeyId="alias/app", Plaintext=b"x")
        kms.faults.add("Decrypt", error="KMSInternalException")
    return kms


def test_every_member_is_in_one_of_the_tables():
    assert {name for name in dir(KmsMock) if not name.startswith("_")} | {"faults"} == {*CHANGES, *READS}


@pytest.mark.parametrize("change", [pytest.param(change, id=name) for name, change in CHANGES.items()])
def test_an_ended_mock_changes_nothing(tmp_path, change):
    kms = ended(tmp_path)
    before = kms.dump()
    with pytest.raises(NotActive) as refused:
        change(kms)
    assert str(refused.value) == ENDED
    assert kms.dump() == before


#: Changes by a facet that a test keeps.
KEPT = {
    "clock.advance": lambda kept: kept.clock.advance(days=1),
    "clock.freeze": lambda kept: kept.clock.freeze(),
    "clock.move_to": lambda kept: kept.clock.move_to("2030-01-01"),
    "clock.unfreeze": lambda kept: kept.clock.unfreeze(),
    "delays": lambda kept: setattr(kept.delays, "creating", 5),
    "iam.attach": lambda kept: kept.iam.attach("role/app", ALLOW),
    "iam.missing": lambda kept: kept.iam.missing("role/app"),
    "key_stores.add_cluster": lambda kept: kept.key_stores.add_cluster(),
    "key_stores.remove": lambda kept: kept.key_stores.remove(kept.cluster),
    "request_quotas": lambda kept: kept.request_quotas.__setitem__("CreateKey", 7),
    "request_quotas.active": lambda kept: setattr(kept.request_quotas, "active", True),
}


@pytest.mark.parametrize("change", [pytest.param(change, id=name) for name, change in KEPT.items()])
def test_a_facet_that_outlives_its_mock_changes_nothing(change):
    with mock_kms() as kms:
        kms.clock.freeze()
        facets = {name: getattr(kms, name) for name in ("clock", "delays", "iam", "key_stores", "request_quotas")}
        kept = SimpleNamespace(**facets, cluster=kms.key_stores.add_cluster())
        with mock_kms() as inner:
            inner.clock.advance(days=1)
        kms.clock.advance(days=1)  # the end of a nested mock does not end the clock of this one
    before = kms.dump()
    with pytest.raises(NotActive) as refused:
        change(kept)
    assert str(refused.value) == ENDED
    assert kms.dump() == before
    assert (kept.request_quotas["CreateKey"], kept.request_quotas.active) == (5, False)
    assert kept.clock.ended
    assert kept.clock.now().year > 2000
    assert repr(kept.delays) == "Delays()"


@pytest.mark.parametrize("read", [pytest.param(read, id=name) for name, read in READS.items()])
def test_what_an_ended_mock_recorded_can_be_read(tmp_path, read):
    assert read(ended(tmp_path))


def test_retry_backoff_of_an_ended_mock_cannot_be_set(tmp_path):
    kms = ended(tmp_path)
    with pytest.raises(NotActive) as refused:
        kms.faults.skip_backoff = False
    assert str(refused.value) == ENDED


def test_a_fault_can_be_removed_after_its_mock(tmp_path):
    kms = ended(tmp_path)
    kms.faults.clear()
    assert len(kms.faults) == 0


@pytest.mark.parametrize("name", ["enforce_policies", "region", "deterministic"])
def test_options_of_a_running_mock_cannot_be_set(kms_mock, name):
    before = kms_mock.options
    with pytest.raises(InvalidOption, match=rf"keeps its options: mock_kms\({name}=False\) or the marker set {name}"):
        setattr(kms_mock, name, False)
    assert kms_mock.options == before


def test_a_test_may_keep_something_in_the_handle(kms_mock):
    kms_mock.orders = kms_mock.create_key()
    assert kms_mock.orders.state == "Enabled"


def test_a_handle_can_be_copied(kms_mock):
    assert copy.copy(kms_mock).region == kms_mock.region
