"""Plans, states and state files. Source: "JSON Output Format" of Terraform, format 1.x; state files of version 4."""

from __future__ import annotations

import json

import pytest
from tests.iac.conftest import ACCOUNT, DATA, HERE, allow, policy, reasons

from pytest_kmsmock import mock_kms
from pytest_kmsmock._iac.deployment import load
from pytest_kmsmock._iac.model import ServiceResource
from pytest_kmsmock._iac.terraform.computed import COMPUTED
from pytest_kmsmock._iac.terraform.resources import RESOURCES
from pytest_kmsmock.errors import InvalidSeed

KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
OTHER = "ffffffff-12ab-34cd-56ef-1234567890ab"
EU = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key"


def resource(kind, label="this", /, **values):
    return {"address": f"{kind}.{label}", "mode": "managed", "type": kind, "name": label, "values": values}


def key(key_id=KEY_ID, **values):
    return resource("aws_kms_key", **{"key_id": key_id, "arn": f"{EU}/{key_id}", **values})


def role(**values):
    return resource("aws_iam_role", "worker", name="worker", arn=f"arn:aws:iam::{ACCOUNT}:role/worker", **values)


@pytest.fixture
def state(write):
    def state(*resources):
        content = {
            "format_version": "1.0",
            "terraform_version": "1.9",
            "values": {"root_module": {"resources": resources}},
        }
        return write("state.json", content)

    return state


@pytest.mark.parametrize("file", ["state.json", "terraform.tfstate", "plan.json"])
def test_the_same_deployment_in_each_form(file):
    with mock_kms(seed=DATA / "terraform" / file) as kms:
        arn = kms.deployed("aws_kms_key.data")
        client = kms.client(region="eu-west-1")
        described = client.describe_key(KeyId="alias/payments")["KeyMetadata"]
        assert (described["Arn"], described["Description"]) == (arn, "payments")
        assert client.get_key_rotation_status(KeyId=arn)["RotationPeriodInDays"] == 180
        signing = kms.deployed('module.signing.aws_kms_key.signing["orders"]')
        assert client.describe_key(KeyId=signing)["KeyMetadata"]["KeySpec"] == "ECC_NIST_P256"
        worker, auditor = kms.deployed("payments-worker"), kms.deployed("aws_iam_role.auditor")
        via = {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}
        assert kms.simulate(worker, "kms:Decrypt", arn, via)
        assert not kms.simulate(worker, "kms:Decrypt", arn)
        assert kms.simulate(auditor, "kms:Decrypt", arn, EncryptionContext={"tenant": "acme"})
        assert not kms.simulate(auditor, "kms:Decrypt", arn, EncryptionContext={"tenant": "other"})
        [deployment] = kms._core.deployments
        assert deployment.unknowns == ()
        calls = {call[:2] for item in deployment.items if isinstance(item, ServiceResource) for call in item.calls}
        assert ("s3", "PutBucketEncryption") in calls


def test_generated_ids_of_a_plan_are_stable():
    first, again = (load([str(DATA / "terraform" / "plan.json")], HERE) for _ in range(2))
    assert first.items[0].id == again.items[0].id


def test_a_key_of_each_kind(state):
    file = state(
        key(multi_region=False, is_enabled=False, tags_all={"a": "b"}),
        resource("aws_kms_external_key", key_id=OTHER, arn=f"{EU}/{OTHER}", key_material_base64="A" * 43 + "="),
        resource(
            "aws_kms_external_key", "pending", key_id=OTHER.replace("f", "e"), arn=f"{EU}/x", key_material_base64=""
        ),
    )
    with mock_kms(seed=file) as kms:
        client = kms.client(region="eu-west-1")
        states = [client.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"] for key_id in (KEY_ID, OTHER)]
        assert states == ["Disabled", "Enabled"]
        pending = client.describe_key(KeyId=OTHER.replace("f", "e"))["KeyMetadata"]
        assert (pending["KeyState"], pending["Origin"]) == ("PendingImport", "EXTERNAL")


def test_replicas(state):
    primary = f"mrk-{'a' * 32}"
    file = state(
        key(key_id=primary, multi_region=True),
        resource(
            "aws_kms_replica_key",
            arn=f"arn:aws:kms:us-west-2:{ACCOUNT}:key/{primary}",
            primary_key_arn=f"{EU}/{primary}",
            description="copy",
            enabled=True,
        ),
    )
    with mock_kms(seed=file) as kms:
        found = kms.client(region="us-west-2").describe_key(KeyId=primary)["KeyMetadata"]
        assert (found["Description"], found["KeyState"]) == ("copy", "Enabled")


@pytest.mark.parametrize(
    ("store", "told"),
    [
        ([resource("aws_kms_custom_key_store", id="cks-1", custom_key_store_type="AWS_CLOUDHSM")], []),
        (
            [],
            ["the custom key store cks-1 is not in the given files: a stand-in is created"],
        ),
    ],
)
def test_custom_key_stores_have_stand_ins(state, store, told):
    with mock_kms(seed=state(*store, key(custom_key_store_id="cks-1"))) as kms:
        found = kms.client(region="eu-west-1").describe_key(KeyId=KEY_ID)["KeyMetadata"]
        assert found["Origin"] == "AWS_CLOUDHSM"
        assert reasons(kms._core.deployments[0]) == told


@pytest.mark.parametrize(
    "store", [[], [resource("aws_kms_custom_key_store", id="cks-1", custom_key_store_type="EXTERNAL_KEY_STORE")]]
)
def test_external_key_stores_too(state, store):
    with mock_kms(seed=state(*store, key(custom_key_store_id="cks-1", xks_key_id="my-key"))) as kms:
        found = kms.client(region="eu-west-1").describe_key(KeyId=KEY_ID)["KeyMetadata"]
        assert (found["Origin"], found["XksKeyConfiguration"]) == ("EXTERNAL_KEY_STORE", {"Id": "my-key"})


ALLOW = json.dumps(policy(allow("kms:Encrypt")))
USER = resource("aws_iam_user", "ann", name="ann", arn=f"arn:aws:iam::{ACCOUNT}:user/ann")
GROUP = resource("aws_iam_group", "team", name="team", arn=f"arn:aws:iam::{ACCOUNT}:group/team")
MANAGED = f"arn:aws:iam::{ACCOUNT}:policy/use"
POLICY = resource("aws_iam_policy", "use", name="use", arn=MANAGED, policy=ALLOW)


@pytest.mark.parametrize(
    "resources",
    [
        pytest.param([role(inline_policy=[{"name": "a", "policy": ALLOW}, {"name": "b", "policy": ""}])], id="inline"),
        pytest.param([role(), resource("aws_iam_role_policy", role="worker", policy=ALLOW)], id="role policy"),
        pytest.param([role(managed_policy_arns=[MANAGED]), POLICY], id="managed"),
        pytest.param(
            [role(), POLICY, resource("aws_iam_role_policy_attachment", role="worker", policy_arn=MANAGED)],
            id="attachment",
        ),
        pytest.param(
            [role(), POLICY, resource("aws_iam_policy_attachment", roles=["worker"], policy_arn=MANAGED)],
            id="attachments",
        ),
        pytest.param([USER, resource("aws_iam_user_policy", user="ann", policy=ALLOW)], id="user policy"),
        pytest.param(
            [
                USER,
                GROUP,
                resource("aws_iam_group_policy", group="team", policy=ALLOW),
                resource("aws_iam_group_membership", group="team", users=["ann"]),
            ],
            id="members",
        ),
        pytest.param(
            [
                USER,
                GROUP,
                POLICY,
                resource("aws_iam_group_policy_attachment", group="team", policy_arn=MANAGED),
                resource("aws_iam_user_group_membership", groups=["team"], user="ann"),
            ],
            id="groups of a user",
        ),
    ],
)
def test_policies_of_principals(state, resources):
    with mock_kms(seed=state(key(), *resources)) as kms:
        who = kms.deployed("worker" if resources[0] is not USER else "ann")
        assert kms.simulate(who, "kms:Encrypt", f"{EU}/{KEY_ID}")
        assert not kms.simulate(who, "kms:Decrypt", f"{EU}/{KEY_ID}")


def test_key_policies_apart_from_their_keys(state):
    text = json.dumps(policy(allow("kms:*", Principal={"AWS": ACCOUNT}), allow("kms:Sign", Principal={"AWS": "*"})))
    file = state(
        key(),
        resource("aws_kms_key_policy", key_id=KEY_ID, policy=text),
        resource("aws_kms_key_policy", "none", key_id="x"),
    )
    with mock_kms(seed=file) as kms:
        explained = kms.simulate("role/any", "kms:Sign", f"{EU}/{KEY_ID}")
        assert "+ resource-based policy (state.json, aws_kms_key_policy.this), statement 2: allows kms:Sign" in str(
            explained
        )


@pytest.mark.parametrize(
    ("grantee", "told"),
    [
        (f"arn:aws:iam::{ACCOUNT}:role/gone", "AWS refuses a grant for a role that is gone"),
        ("AROAEXAMPLE123", "the grantee AROAEXAMPLE123 is the id of a principal that was deleted"),
        (f"arn:aws:iam::{ACCOUNT}:role/worker", None),
        ("arn:aws:iam::999999999999:role/other", None),
    ],
)
def test_grants(state, grantee, told):
    grant = resource("aws_kms_grant", key_id=KEY_ID, grantee_principal=grantee, operations=["Decrypt"], constraints=[])
    with mock_kms(seed=state(key(), role(), grant)) as kms:
        assert [told in reason for reason in reasons(kms._core.deployments[0])] == ([] if told is None else [True])


def test_grants_with_equal_contexts(state):
    constraints = [{"encryption_context_equals": {"a": "b"}, "encryption_context_subset": {}}]
    grantee = f"arn:aws:iam::{ACCOUNT}:role/worker"
    grant = resource(
        "aws_kms_grant", key_id=KEY_ID, grantee_principal=grantee, operations=["Decrypt"], constraints=constraints
    )
    with mock_kms(seed=state(key(), role(), grant)) as kms:
        assert kms.simulate("role/worker", "kms:Decrypt", f"{EU}/{KEY_ID}", EncryptionContext={"a": "b"})
        assert not kms.simulate("role/worker", "kms:Decrypt", f"{EU}/{KEY_ID}", EncryptionContext={"a": "b", "c": "d"})


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (resource("aws_kms_new"), ["aws_kms_new is not supported: it has no effect here"]),
        (resource("aws_iam_instance_profile"), []),
        (resource("aws_iam_policy", name="a", arn="b"), []),
        (resource("aws_iam_role_policy", role="a"), []),
        (
            resource("aws_organizations_policy", content='{"Action": "kms:*"}'),
            ["aws_organizations_policy affects permissions on KMS, and has no effect here"],
        ),
        (resource("aws_efs_file_system", kms_key_id=KEY_ID), ["kms_key_id of aws_efs_file_system has no effect here"]),
        (resource("aws_efs_file_system", kms_key_id=""), []),
        (resource("random_id", kms="x"), []),
        (
            key(policy="no json"),
            [
                "its policy is known only after apply, and a plan in JSON does not contain its expression: use "
                "data.aws_iam_policy_document, or the state after apply"
            ],
        ),
    ],
)
def test_unsupported_resources_and_settings_are_listed(state, given, told):
    assert reasons(load([state(given)], HERE)) == told


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"format_version": "2.0", "terraform_version": "9", "values": {}}, "format_version 2.0 is not supported"),
        ({"version": 3, "terraform_version": "0.11", "modules": []}, "this is not a state file of version 4"),
    ],
)
def test_formats_that_are_not_known(write, content, told):
    with pytest.raises(InvalidSeed, match=f"a.json:1: {told}"):
        load([write("a.json", content)], HERE)


def test_a_key_without_an_id(state):
    with (
        pytest.raises(InvalidSeed, match=r"aws_kms_key\.this: '' is not a key id"),
        mock_kms(seed=state(resource("aws_kms_key"))),
    ):
        pass


def test_an_invalid_account(write):
    data = {"address": "data.aws_caller_identity.me", "mode": "data", "type": "aws_caller_identity", "name": "me"}
    data["values"] = {"account_id": True}
    queue = resource("aws_sqs_queue", name="jobs")
    content = {"values": {"root_module": {"resources": [data, queue]}}, "terraform_version": "1"}
    assert load([write("a.json", content)], HERE).items[0].stack.account == ACCOUNT


def test_a_key_store_that_cannot_be(state):
    with pytest.raises(InvalidSeed, match=r"state\.json:1: invalid value for this format: "):
        mock_kms(seed=state(key(custom_key_store_id="x" * 300))).start()


@pytest.mark.parametrize("named_by", ["address", "type", "name"])
@pytest.mark.parametrize("wrong", [None, 5, True])
def test_a_resource_without_a_name(write, named_by, wrong):
    content = {"values": {"root_module": {"resources": [{**resource("aws_kms_key"), named_by: wrong}]}}}
    told = rf"a\.json:1: invalid value for this format: .* of a resource are strings, found {wrong}"
    with pytest.raises(InvalidSeed, match=told):
        load([write("a.json", {**content, "terraform_version": "1"})], HERE)


def test_an_empty_state(write):
    assert load([write("a.json", {"format_version": "1.0", "terraform_version": "1", "values": {}})], HERE).items == ()


@pytest.mark.parametrize("name", ["region", "name"])
def test_the_region_of_a_data_source(write, name):
    region = {"address": "data.aws_region.here", "mode": "data", "type": "aws_region", "name": "here"}
    region["values"] = {name: "eu-north-1"}
    queue = resource("aws_sqs_queue", name="jobs")
    content = {"values": {"root_module": {"resources": [region, queue]}}, "terraform_version": "1"}
    assert load([write("a.json", content)], HERE).items[0].stack.region == "eu-north-1"


def test_a_resource_in_a_region_of_its_own(state):
    queue = resource("aws_sqs_queue", name="jobs", region="ap-south-1")
    assert load([state(queue)], HERE).items[0].stack.region == "ap-south-1"


def test_every_type_of_the_tables_is_one():
    assert set(COMPUTED) <= set(RESOURCES)
