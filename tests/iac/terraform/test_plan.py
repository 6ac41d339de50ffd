"""What is known only after apply: looked up by the references of the configuration, else made up and told."""

from __future__ import annotations

import json

import pytest
from tests.iac.conftest import ACCOUNT, HERE, REGION, reasons

from pytest_kmsmock._iac.deployment import load
from pytest_kmsmock._iac.terraform.documents import rendered

UNKNOWN_KEY = {"arn": True, "key_id": True, "id": True}


class Plan:
    """A plan that is being written: resources with what is known of them, and what the configuration refers to."""

    def __init__(self):
        self.planned, self.changes, self.configured, self.children = [], [], [], []
        self.calls, self.variables = {}, {}

    def add(
        self, kind, name="this", known=None, unknown=None, expressions=None, *, index=None, module=None, data=False
    ):
        known = known or {}
        suffix = "" if index is None else f'["{index}"]' if isinstance(index, str) else f"[{index}]"
        address = f"{f'{module}.' if module else ''}{'data.' if data else ''}{kind}.{name}{suffix}"
        mode = "data" if data else "managed"
        entry = {"address": address, "mode": mode, "type": kind, "name": name, "values": known}
        entry |= {} if index is None else {"index": index}
        change = {"actions": ["read" if data else "create"], "after": known, "after_unknown": unknown or {}}
        told = {**entry, "module_address": module, "change": change}
        if not data:
            (self.children if module else self.planned).append(entry)
        self.changes.append(told)
        configured = {"mode": mode, "type": kind, "name": name, "expressions": expressions or {}}
        if module:
            call = self.calls.setdefault(
                module.removeprefix("module.").partition("[")[0], {"module": {"resources": []}}
            )
            call["module"]["resources"].append(configured)
        else:
            self.configured.append(configured)
        return self

    @property
    def content(self):
        modules = [{"address": "module.keys", "resources": self.children}] if self.children else []
        for module in {child["address"].rpartition(".aws")[0] for child in self.children} - {"module.keys"}:
            modules = [{"address": module, "resources": self.children}]
        return {
            "format_version": "1.2",
            "terraform_version": "1.9",
            "planned_values": {"root_module": {"resources": self.planned, "child_modules": modules}},
            "resource_changes": self.changes,
            "variables": self.variables,
            "configuration": {"root_module": {"resources": self.configured, "module_calls": self.calls}},
        }


@pytest.fixture
def read(write):
    return lambda plan: load([write("plan.json", plan.content)], HERE)


def references(*names):
    return {"references": list(names)}


def document(**expressions):
    """Return what is known, unknown and configured of a policy document with one statement on unknown resources."""
    statement = {"actions": ["kms:Decrypt"], "resources": [None], "condition": [], "principals": []}
    unknown = {"json": True, "statement": [{"resources": [True]}]}
    return {"statement": [statement]}, unknown, {"statement": [expressions]}


def with_policy(plan, resources, *, policy=None, **more):
    plan.add("aws_iam_role", "worker", {"name": "worker"}, {"arn": True}, {"name": {"constant_value": "worker"}})
    known, unknown, expressions = document(resources=resources)
    plan.add("aws_iam_policy_document", "worker", known, unknown, expressions, data=True)
    expression = policy or references("data.aws_iam_policy_document.worker.json", "data.aws_iam_policy_document.worker")
    plan.add("aws_iam_role_policy", "worker", {"role": "worker"}, {"policy": True}, {"policy": expression}, **more)
    return plan


def named(deployment):
    [item] = [item for item in deployment.items if item.place.resource == "aws_iam_role_policy.worker"]
    return item.policy.content["Statement"][0]["Resource"]


def key_of(deployment, address="aws_kms_key.this"):
    [key] = [item for item in deployment.items if item.place.resource == address]
    return f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key.id}"


@pytest.mark.parametrize(
    ("index", "reference"),
    [
        (None, "aws_kms_key.this.arn"),
        ("a", 'aws_kms_key.this["a"].arn'),
        (0, "aws_kms_key.this[0].arn"),
    ],
)
def test_a_policy_on_a_key_that_is_to_be(read, index, reference):
    plan = Plan().add("aws_kms_key", unknown=UNKNOWN_KEY, index=index)
    found = read(with_policy(plan, references(reference, reference.removesuffix(".arn"), "aws_kms_key.this")))
    assert named(found) == [key_of(found, reference.removesuffix(".arn"))]
    assert reasons(found) == []


def test_instances_of_for_each_find_each_other(read):
    plan = Plan()
    for index in ("a", "b"):
        plan.add("aws_kms_key", unknown=UNKNOWN_KEY, index=index)
        plan.add(
            "aws_kms_alias",
            known={"name": f"alias/{index}"},
            unknown={"target_key_id": True},
            expressions={"target_key_id": references("aws_kms_key.this", "each.key")},
            index=index,
        )
    found = read(plan)
    for index in ("a", "b"):
        [alias] = [item for item in found.items if item.place.resource == f'aws_kms_alias.this["{index}"]']
        assert alias.target == key_of(found, f'aws_kms_key.this["{index}"]')
    assert reasons(found) == []


def test_roles_and_documents_of_for_each_find_each_other(read):
    plan = Plan().add("aws_kms_key", unknown=UNKNOWN_KEY)
    known, unknown, expressions = document(resources=references("aws_kms_key.this.arn", "aws_kms_key.this"))
    for index in ("a", "b"):
        plan.add("aws_iam_role", known={"name": f"worker-{index}"}, unknown={"arn": True}, index=index)
        plan.add("aws_iam_policy_document", "this", known, unknown, expressions, index=index, data=True)
        expected = {"role": references("aws_iam_role.this", "each.key"),
                    "policy": references("data.aws_iam_policy_document.this", "each.key")}  # fmt: skip
        plan.add("aws_iam_role_policy", "this", {}, {"role": True, "policy": True}, expected, index=index)
    found = read(plan)
    assert [item.name for item in found.items if hasattr(item, "policy") and not hasattr(item, "id")] == [
        "worker-a",
        "worker-b",
    ]
    assert reasons(found) == []


def test_keys_of_a_module(read):
    plan = Plan().add("aws_kms_key", unknown=UNKNOWN_KEY, module="module.keys")
    plan.calls["keys"]["module"]["outputs"] = {
        "arn": {"expression": references("aws_kms_key.this.arn", "aws_kms_key.this")}
    }
    found = read(with_policy(plan, references("module.keys.arn", "module.keys")))
    assert named(found) == [key_of(found, "module.keys.aws_kms_key.this")]


def test_keys_of_a_module_with_count(read):
    plan = Plan().add("aws_kms_key", unknown=UNKNOWN_KEY, module="module.keys[0]")
    plan.calls["keys"]["module"]["outputs"] = {
        "arn": {"expression": references("aws_kms_key.this.arn", "aws_kms_key.this")}
    }
    found = read(with_policy(plan, references("module.keys[0].arn", "module.keys[0]", "module.keys")))
    assert named(found) == [key_of(found, "module.keys[0].aws_kms_key.this")]


@pytest.mark.parametrize(
    ("given", "target"),
    [
        ({"constant_value": "1234abcd"}, "1234abcd"),
        (references("aws_kms_key.this.key_id", "aws_kms_key.this"), None),
        (references("var.key"), "root"),
        (references("local.a", "local.b"), "placeholder"),
    ],
)
def test_variables_of_a_module(read, given, target):
    plan = Plan().add("aws_kms_key", unknown=UNKNOWN_KEY)
    plan.add(
        "aws_kms_alias",
        known={"name": "alias/a"},
        unknown={"target_key_id": True},
        expressions={"target_key_id": references("var.key_id")},
        module="module.keys",
    )
    plan.calls["keys"]["expressions"] = {"key_id": given}
    plan.variables = {"key": {"value": "root"}}
    found = read(plan)
    [alias] = [item for item in found.items if item.place.resource == "module.keys.aws_kms_alias.this"]
    expected = key_of(found).rpartition("/")[2] if target is None else target
    assert expected in alias.target


@pytest.mark.parametrize(
    ("resources", "told"),
    [
        (references("local.key_arn"), "local.key_arn is known only after apply"),
        (references("aws_kms_key.none.arn", "aws_kms_key.none"), "aws_kms_key.none.arn is known only after apply"),
        (
            references("aws_kms_key.a.arn", "aws_kms_key.b.arn"),
            "a value is known only after apply, and combines what is not in the plan",
        ),
        (references("each.value"), "each.value is known only after apply"),
        (references("module.none.arn", "module.none"), "module.none.arn is known only after apply"),
        (references("var.none"), "var.none is known only after apply"),
    ],
)
def test_unknown_references_are_placeholders(read, resources, told):
    found = read(with_policy(Plan().add("aws_kms_key", unknown=UNKNOWN_KEY), resources))
    assert reasons(found) == [told]
    assert named(found)[0].startswith("arn:aws:placeholder:::")


def test_a_policy_that_jsonencode_makes(read):
    found = read(with_policy(Plan(), {}, policy=references("aws_kms_key.a.arn", "aws_kms_key.b.arn")))
    assert reasons(found)[0] == (
        "a value is known only after apply, and combines aws_kms_key.a.arn and aws_kms_key.b.arn"
    )
    assert "use data.aws_iam_policy_document" in reasons(found)[1]


def test_a_resource_that_refers_to_itself(read):
    expressions = {"name": references("aws_sqs_queue.this.name", "aws_sqs_queue.this")}
    found = read(Plan().add("aws_sqs_queue", unknown={"name": True, "url": True}, expressions=expressions))
    assert reasons(found, decides=False) == ["aws_sqs_queue.this.name is known only after apply"]


@pytest.mark.parametrize(
    ("kind", "known", "name"),
    [
        ("aws_iam_role", {"name_prefix": "app-"}, "app-"),
        ("aws_iam_role", {}, "terraform-"),
    ],
)
def test_generated_names(read, kind, known, name):
    [made] = read(Plan().add(kind, known=known, unknown={"name": True, "arn": True})).items
    assert made.name.startswith(name)
    assert made.arn.endswith(f":role/{made.name}")


def test_replicas_have_the_id_of_their_primary_key(read):
    plan = Plan().add("aws_kms_key", known={"multi_region": True}, unknown=UNKNOWN_KEY)
    plan.add(
        "aws_kms_replica_key",
        unknown={"primary_key_arn": True, **UNKNOWN_KEY},
        expressions={"primary_key_arn": references("aws_kms_key.this.arn", "aws_kms_key.this")},
    )
    found = read(plan)
    assert found.items[1].primary == key_of(found)
    assert "key/mrk-" in found.items[1].primary


def test_lists_that_are_partly_known(read):
    plan = Plan().add("aws_kms_key", unknown=UNKNOWN_KEY)
    grant = {
        "key_id": True,
        "operations": [False, True],
        "constraints": [{"encryption_context_equals": {"a": False, "b": True}}],
    }
    known = {
        "grantee_principal": "x",
        "operations": ["Decrypt", None],
        "constraints": [{"encryption_context_equals": {"a": "1"}}],
    }
    plan.add(
        "aws_kms_grant",
        known=known,
        unknown=grant,
        expressions={
            "key_id": references("aws_kms_key.this.key_id", "aws_kms_key.this"),
            "operations": references("var.more"),
        },
    )
    plan.variables = {"more": {"value": "Encrypt"}}
    found = read(plan)
    assert found.items[1].params["Operations"] == ["Decrypt", "Encrypt"]
    assert found.items[1].params["Constraints"]["EncryptionContextEquals"]["a"] == "1"


def test_policy_documents_as_the_provider_writes_them():
    values = {
        "policy_id": "all",
        "version": "2008-10-17",
        "source_policy_documents": ['{"Statement": {"Sid": "First", "Effect": "Allow"}}', "no json", None],
        "statement": [
            {
                "sid": "Second",
                "effect": "Deny",
                "not_actions": ["kms:*"],
                "not_resources": ["a"],
                "principals": [{"type": "AWS", "identifiers": ["1", "2"]}, {"type": "Service", "identifiers": ["s3"]}],
                "condition": [
                    {"test": "StringEquals", "variable": "a", "values": ["b"]},
                    {"test": "StringEquals", "variable": "c", "values": None},
                ],
            },
            {"actions": ["kms:Sign"], "resources": ["*"], "principals": [{"type": "*", "identifiers": ["*"]}]},
            {"not_principals": [{"type": "AWS", "identifiers": ["3"]}]},
            None,
        ],
        "override_policy_documents": ['{"Statement": [{"Sid": "First", "Effect": "Deny"}]}'],
    }
    assert json.loads(rendered(values.get)) == {
        "Version": "2008-10-17",
        "Id": "all",
        "Statement": [
            {
                "Sid": "Second",
                "Effect": "Deny",
                "NotAction": ["kms:*"],
                "NotResource": ["a"],
                "Principal": {"AWS": ["1", "2"], "Service": ["s3"]},
                "Condition": {"StringEquals": {"a": ["b"], "c": []}},
            },
            {"Effect": "Allow", "Action": ["kms:Sign"], "Resource": ["*"], "Principal": "*"},
            {"Effect": "Allow", "NotPrincipal": {"AWS": ["3"]}},
            {"Sid": "First", "Effect": "Deny"},
        ],
    }
