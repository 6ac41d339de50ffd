"""Which files are of infrastructure, and what a path stands for."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from tests.iac.conftest import ACCOUNT, DATA, HERE, REGION

from pytest_kmsmock import mock_kms
from pytest_kmsmock._iac import deployment as deployments
from pytest_kmsmock._iac.deployment import load
from pytest_kmsmock.errors import InvalidOption, InvalidSeed, KmsMockError

KEYS = {"Resources": {"Key": {"Type": "AWS::KMS::Key"}}}


def stacks(deployment):
    return [tuple(item.stack) for item in deployment.items]


@pytest.mark.parametrize(
    "path",
    [
        "cdk.out",
        "cdk.out/Payments.template.json",
        "sam/template.yaml",
        "terraform/state.json",
        "terraform/plan.json",
        "terraform/terraform.tfstate",
    ],
)
def test_all_kinds_of_files_are_seeds(path):
    with mock_kms(seed=DATA / path) as kms:
        assert kms.deployed("Key" if "sam" in path else "aws_kms_key.data" if "terraform" in path else "DataKey")
        assert kms._core.deployments[0].unknowns == ()
    with mock_kms() as kms:
        assert kms.seed(DATA / path)


def test_seed_files_still_are(write):
    with mock_kms(seed=write("keys.json", {"keys": [{"alias": "alias/a"}]})) as kms:
        assert kms.keys["alias/a"]
    with mock_kms() as kms:
        assert kms.seed(write("keys.yaml", "keys: [{alias: alias/Resources}]"))


def test_several_files(write):
    first, second = write("first.json", KEYS), write("second.json", KEYS)
    with mock_kms(seed=[first, second]) as kms:
        assert kms.deployed("first/Key") != kms.deployed("second/Key")
        with pytest.raises(InvalidSeed, match=r"deployed\('Key'\) is ambiguous: .* Choose one with 'stack/Key'\."):
            kms.deployed("Key")
        with mock_kms() as inner:
            assert inner.deployed("first/Key") == kms.deployed("first/Key")
        with mock_kms(seed=(first, second)) as again:  # it began with them
            assert len(again.keys) == 2


def test_an_unknown_name(write):
    with mock_kms(seed=write("app.json", KEYS)) as kms:
        with pytest.raises(InvalidSeed, match=r"No resource 'Kay' was deployed\. Did you mean 'Key'\?"):
            kms.deployed("Kay")
        with pytest.raises(InvalidSeed, match=r"No resource 'x' was deployed\. Choose from: Key\.$"):
            kms.deployed("x")
    with (
        mock_kms(seed=write("empty.json", {"Resources": {}})) as kms,
        pytest.raises(InvalidSeed, match=r"^No resource 'x' was deployed. Choose from: \(the files have none\)\.$"),
    ):
        kms.deployed("x")


@pytest.mark.parametrize("name", [None, 5, ["Key"]])
def test_what_is_no_name_was_not_deployed(kms_mock, name):
    with pytest.raises(InvalidSeed, match=re.escape(f"deployed(): name must be the name of a resource, not {name!r}.")):
        kms_mock.deployed(name)


def test_nothing_was_deployed():
    with mock_kms() as kms:
        with pytest.raises(InvalidSeed) as raised:
            kms.deployed("WorkerRole")
        assert str(kms.policy_diff()) == (
            "Nothing was deployed, so there are no policies to compare with. Give a CloudFormation, CDK or SAM "
            "template, or a Terraform plan or state, as seed=..., kms_mock_seed or to kms_mock.deploy()."
        )
    assert str(raised.value) == (
        "deployed('WorkerRole'): nothing was deployed in this mock. Give a CloudFormation, CDK or SAM template, or a "
        "Terraform plan or state, as seed=..., kms_mock_seed or to kms_mock.deploy()."
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"account_id": "111122223333"}, "deploy(): unknown argument 'account_id'. Did you mean 'account'?"),
        ({"params": {}}, "deploy(): unknown argument 'params'. Did you mean 'parameters'?"),
        ({"parameters": ["Stage"]}, "deploy(): parameters: expected a mapping of names to values, found ['Stage']"),
        ({"stack": 5}, "deploy(): stack: expected a string, found 5"),
        (
            {"account": "1"},
            "deploy(): account must be 12 digits such as '111122223333', as a string, not '1'.",
        ),
    ],
)
def test_misspelt_and_wrong_arguments_of_deploy(write, arguments, message):
    path = write("app.json", KEYS)
    with mock_kms() as kms, pytest.raises(KmsMockError) as raised:
        kms.deploy(path, **arguments)
    assert str(raised.value) == message


def test_deploy_without_a_file():
    with mock_kms() as kms, pytest.raises(InvalidSeed, match=r"^deploy\(\) takes the path of a file, not nothing\.$"):
        kms.deploy()


def test_deploy_with_parameters_that_are_not_named():
    with mock_kms() as kms, pytest.raises(InvalidSeed) as refused:
        kms.deploy("app.yaml", {"Stage": "x"})
    assert str(refused.value) == (
        "deploy() takes the path of a file, not ('app.yaml', {'Stage': 'x'}). "
        'Give parameters by name: deploy("app.yaml", parameters={...}).'
    )


@pytest.mark.parametrize("given", [[], [5], 5])
def test_invalid_seeds(given):
    with mock_kms() as kms, pytest.raises(InvalidSeed, match=r"seed\(\) takes the path of a file, not"):
        kms.seed(given)


# --- CDK ----------------------------------------------------------------------------------------------------------


def test_the_environment_of_cdk_stacks():
    found = dict.fromkeys(stacks(load([str(DATA / "cdk.out")], HERE)))
    assert list(found) == [
        ("Payments", ACCOUNT, REGION),
        ("Reports", ACCOUNT, REGION),
        ("Archive", "999999999999", "us-east-1"),
    ]


def test_a_template_of_cdk_by_itself():
    [key] = load([str(DATA / "cdk.out" / "Archive.template.json")], HERE).items
    assert key.stack.account == "999999999999"


def test_a_manifest_that_changes(write):
    template = write("cdk.out/App.template.json", KEYS)
    for account in ("111122223333", "999999999999"):
        artifact = {
            "type": "aws:cloudformation:stack",
            "environment": f"aws://{account}/eu-west-1",
            "properties": {"templateFile": "App.template.json", "size": "x" * int(account[0])},
        }
        write("cdk.out/manifest.json", {"artifacts": {"App": artifact}})
        assert stacks(load([template], HERE)) == [("App", account, "eu-west-1")]


def test_stages_of_cdk(write):
    inner = {
        "artifacts": {
            "Prod-App": {
                "type": "aws:cloudformation:stack",
                "environment": "aws://111122223333/eu-west-1",
                "properties": {"templateFile": "App.template.json", "stackName": "prod-app"},
            }
        }
    }
    write("cdk.out/assembly-Prod/manifest.json", inner)
    write("cdk.out/assembly-Prod/App.template.json", KEYS)
    outer = {
        "artifacts": {"assembly-Prod": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-Prod"}}}
    }
    folder = write("cdk.out/manifest.json", outer).rpartition("/")[0]
    assert stacks(load([folder], HERE)) == [("prod-app", "111122223333", "eu-west-1")]


def test_a_folder_that_is_not_cdks(tmp_path):
    with pytest.raises(InvalidSeed) as raised:
        load([str(tmp_path)], HERE)
    assert str(raised.value) == (
        f"{tmp_path} is not an output folder of CDK: it has no manifest.json with artifacts. Give the files in it, or "
        "run `cdk synth` first."
    )


# --- a file that lists stacks ---------------------------------------------------------------------------------------


LIST = """\
stacks:
  - template: app.json
    name: payments
    account: "111122223333"
    region: eu-west-1
    parameters: {Stage: prod}
  - terraform: state.json
"""


def test_a_file_that_lists_stacks(write):
    write("app.json", {**KEYS, "Parameters": {"Stage": {"Type": "String"}}})
    key = {
        "address": "aws_kms_key.a",
        "mode": "managed",
        "type": "aws_kms_key",
        "name": "a",
        "values": {
            "key_id": "1234abcd-12ab-34cd-56ef-1234567890ab",
        },
    }
    write(
        "state.json",
        {"format_version": "1.0", "terraform_version": "1", "values": {"root_module": {"resources": [key]}}},
    )
    assert stacks(load([write("all.yaml", LIST)], HERE)) == [
        ("payments", "111122223333", "eu-west-1"),
        ("state", ACCOUNT, REGION),
    ]


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("{}", "all.yaml:2: stacks[0]: name a template or a terraform file"),
        ("{template: all.yaml}", "all.yaml:2: stacks[0]: this file lists itself"),
        ("{template: a, region: 5}", "all.yaml:2: stacks[0].region: expected a string, found 5"),
        ("{template: a, region: x}", "all.yaml:2: stacks[0]: 'x' is neither an account id nor a Region"),
        ("{templates: a}", "all.yaml:2: stacks[0]: unknown field 'templates'. Did you mean 'template'?"),
        (
            "{x: a}",
            "all.yaml:2: stacks[0]: unknown field 'x'. Choose from: template, terraform, name, account, region, "
            "parameters, imports, nested.",
        ),
        ("5", "all.yaml:1: stacks[0]: expected an object, found 5"),
    ],
)
def test_lists_that_are_wrong(write, entry, told):
    with pytest.raises(InvalidSeed, match=re.escape(told)):
        load([write("all.yaml", f"stacks:\n  - {entry}\n")], HERE)


@pytest.mark.parametrize("content", ["{}", '{"a": 1}', "[]"])
def test_files_of_other_formats(write, content):
    with pytest.raises(InvalidSeed) as raised:
        load([write("a.json", content)], HERE)
    assert str(raised.value).partition("a.json")[2] == (
        ":1: this is neither a CloudFormation template, which has Resources, nor a plan or state of Terraform, as "
        "`terraform show -json` prints it"
    )


def test_the_text_of_a_template_is_not_its_path():
    text = "Resources:\n" * 40
    with mock_kms() as kms:
        for take in (kms.deploy, kms.seed):
            with pytest.raises(InvalidSeed, match=r"cannot be read: .*File name too long"):
                take(text)


# --- what they are deployed with --------------------------------------------------------------------------------------


TEMPLATE = {
    "Parameters": {"Name": {"Type": "String"}},
    "Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": {"Description": {"Ref": "Name"}}}},
}


def test_deploy_takes_parameters(write):
    with mock_kms() as kms:
        [key] = kms.deploy(
            write("app.json", TEMPLATE), stack="a", parameters={"Name": "x"}, account="111122223333", region="eu-west-1"
        )
        assert key.metadata["Description"] == "x"
        assert key.arn.startswith("arn:aws:kms:eu-west-1:111122223333:")
        with pytest.raises(InvalidOption, match=r"deploy\(\): region must be"):
            kms.deploy("app.json", region="nowhere")


def test_unknown_parameters(write):
    with pytest.raises(InvalidSeed, match=r"no template has a parameter 'Nmae'\. Did you mean 'Name'\?"):
        load([write("app.json", TEMPLATE)], replace(HERE, parameters={"Nmae": "x"}))
    listed = write("all.json", {"stacks": [{"template": "app.json", "parameters": {"Nmae": "x"}}]})
    with pytest.raises(InvalidSeed, match=r"no template has a parameter 'Nmae'\. Did you mean 'Name'\?"):
        load([listed], HERE)


def test_strict(write):
    path = write("app.json", TEMPLATE)
    told = r"^Not understood, and the deployment is strict \(strict=True, seed_strict\):\n  app\.json:\d+, Name: this "
    with pytest.raises(InvalidSeed, match=told):
        mock_kms(seed=path, seed_strict=True).start()
    with mock_kms() as kms:
        assert kms.deploy(path)
    with mock_kms() as kms:
        with pytest.raises(InvalidSeed, match=told):
            kms.deploy(path, strict=True)
        assert len(kms.keys) == 0


def test_files_are_read_again_when_they_change(write, monkeypatch):
    path = write("app.json", KEYS)
    first = load([path], HERE)
    assert load([path], HERE) is first
    write("app.json", {"Resources": {"Key": {"Type": "AWS::KMS::Key"}, "Other": {"Type": "AWS::KMS::Key"}}})
    assert len(load([path], HERE).items) == 2
    monkeypatch.setattr(deployments, "_CACHE_SIZE", 1)
    assert load([path, write("other.json", {"Resources": {}})], HERE)
    assert len(deployments._read) == 1


def test_a_file_that_is_gone(write, tmp_path):
    path = write("app.json", KEYS)
    load([path], HERE)
    (tmp_path / "app.json").unlink()
    with pytest.raises(InvalidSeed, match=r"app\.json does not exist$"):
        load([path], HERE)


def test_a_file_that_is_no_text(tmp_path):
    (tmp_path / "a.yaml").write_bytes(b"Resources: \xff")
    with pytest.raises(InvalidSeed, match=r"a\.yaml:1: invalid UTF-8"), mock_kms(seed=tmp_path / "a.yaml"):
        pass
