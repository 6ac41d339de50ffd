"""Templates with what they are deployed with: names, parameters, conditions, exports, nested stacks."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from tests.iac.conftest import ACCOUNT, HERE, REGION, allow, policy, reasons

from pytest_kmsmock._iac.deployment import find, load
from pytest_kmsmock._iac.files import DeployOptions
from pytest_kmsmock.errors import InvalidSeed

KEY = {"Type": "AWS::KMS::Key"}
OTHER_ROLE = "arn:aws:iam::111122223333:role/reader"
GIVE = "give it with kms_mock.deploy({option}={{'{name}': ...}}) or `{option}` in a file that lists stacks"
PASS = (
    "give it with kms_mock.deploy(parameters={{'{name}': ...}}) or `parameters` in a file that lists stacks, or with "
    "check-policies --parameter {name}=..."
)
NO_VALUE = f"this parameter has no value: {PASS}"


def role(resource, **more):
    inline = [{"PolicyName": "p", "PolicyDocument": policy(allow("kms:Decrypt", resource))}]
    return {"Type": "AWS::IAM::Role", "Properties": {"Policies": inline, **more}}


def allowed_on(deployment):
    """Return the resources that the inline policy of the role names."""
    item = next(item for item in deployment.items if item.place.resource == "Role")
    return item.inline[0].content["Statement"][0]["Resource"]


def test_generated_names_are_stable(resources):
    first = resources({"Key": KEY, "Role": role({"Fn::GetAtt": ["Key", "Arn"]})})
    again = resources({"Other": KEY, "Key": KEY, "Role": role({"Fn::GetAtt": ["Key", "Arn"]})})
    assert find([first], "Key") == find([again], "Key") == allowed_on(first)
    assert re.fullmatch(f"arn:aws:iam::{ACCOUNT}:role/app-Role-[A-Z2-7]{{12}}", find([first], "Role"))
    assert re.fullmatch(f"arn:aws:kms:{REGION}:{ACCOUNT}:key/[0-9a-f-]{{36}}", find([first], "Key"))


@pytest.mark.parametrize(
    ("given", "account", "region"),
    [
        (HERE, ACCOUNT, REGION),
        (replace(HERE, region="cn-north-1", account="111122223333"), "111122223333", "cn-north-1"),
    ],
)
def test_names_differ_by_account_and_region(resources, given, account, region):
    partition = "aws-cn" if region.startswith("cn-") else "aws"
    assert find([resources({"Key": KEY}, given)], "Key").startswith(f"arn:{partition}:kms:{region}:{account}:key/")


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("AWS::AccountId", ACCOUNT),
        ("AWS::Partition", "aws"),
        ("AWS::Region", REGION),
        ("AWS::StackName", "app"),
        ("AWS::URLSuffix", "amazonaws.com"),
        ("Text", "given"),
        ("Default", "true"),
        ("List", ["a", "b"]),
        ("Bucket", "my-bucket"),
        ("Queue", f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/jobs"),
        ("Policy", f"arn:aws:iam::{ACCOUNT}:policy/app/read"),
    ],
)
def test_references(resources, name, found):
    deployment = resources(
        {
            "Role": role({"Ref": name}),
            "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "my-bucket"}},
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "jobs"}},
            "Policy": {
                "Type": "AWS::IAM::ManagedPolicy",
                "Properties": {"ManagedPolicyName": "read", "Path": "/app/", "PolicyDocument": policy()},
            },
        },
        replace(HERE, parameters={"Text": "given"}),
        Parameters={
            "Text": {"Type": "String", "Default": "default"},
            "Default": {"Type": "String", "Default": True},
            "List": {"Type": "CommaDelimitedList", "Default": "a, b"},
        },
    )
    assert allowed_on(deployment) == found
    assert reasons(deployment) == []


def test_the_stack_id_and_no_topics(resources):
    deployment = resources(
        {"Role": role([{"Ref": "AWS::StackId"}, {"Ref": "AWS::NoValue"}, {"Ref": "AWS::NotificationARNs"}])}
    )
    stack_id, topics = allowed_on(deployment)
    assert stack_id.startswith(f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/app/")
    assert topics == []


def test_availability_zones(resources):
    assert allowed_on(resources({"Role": role({"Fn::GetAZs": ""})})) == [f"{REGION}{letter}" for letter in "abc"]


def test_conditions_and_mappings(resources):
    deployment = resources(
        {
            "Key": {**KEY, "Condition": "IsProd"},
            "Other": {**KEY, "Condition": "IsTest"},
            "Role": role({"Fn::FindInMap": ["ByStage", {"Ref": "Stage"}, "Resource"]}),
        },
        Parameters={"Stage": {"Type": "String", "Default": "test"}},
        Mappings={"ByStage": {"test": {"Resource": "arn:aws:kms:*:*:key/test"}}},
        Conditions={
            "IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
            "IsTest": {"Fn::Not": [{"Condition": "IsProd"}]},
        },
    )
    assert [item.place.resource for item in deployment.items] == ["Other", "Role"]
    assert allowed_on(deployment) == "arn:aws:kms:*:*:key/test"


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        ({"Ref": "KeyArn"}, NO_VALUE.format(name="KeyArn") + "; used by Role (line 28)"),
        (
            {"Ref": "Stored"},
            "this parameter takes its value from Parameter Store, which is not read: "
            + PASS.format(name="Stored")
            + "; used by Role (line 28)",
        ),
        ({"Fn::GetAtt": ["Thing", "Arn"]}, "Arn of Thing (AWS::Some::Thing) is a placeholder"),
        ({"Fn::GetAtt": ["Thing", "Size"]}, "Size of Thing (AWS::Some::Thing) is a placeholder"),
        ({"Fn::GetAtt": ["Custom", "TheArn"]}, "TheArn of Custom (Custom::Key) is a placeholder"),
        ({"Fn::GetAtt": ["Gone", "Arn"]}, "Gone is not deployed: its condition does not hold"),
        ({"Ref": "Gone"}, "Gone is not deployed: its condition does not hold"),
        (
            {"Fn::ImportValue": "other-key"},
            "no given stack exports other-key: " + GIVE.format(option="imports", name="other-key"),
        ),
        ({"Fn::FindInMap": ["None", "a", "b"]}, "Mappings have no None.a.b"),
    ],
)
@pytest.mark.parametrize("action", ["kms:Decrypt", "sns:Publish"])
def test_unknown_values_decide_only_in_statements_on_kms(resources, action, resource, reason):
    statement = allow(action, resource)
    deployment = resources(
        {
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"Policies": [{"PolicyDocument": policy(statement)}]}},
            "Thing": {"Type": "AWS::Some::Thing"},
            "Custom": {"Type": "Custom::Key"},
            "Gone": {**KEY, "Condition": "Never"},
        },
        Parameters={
            "KeyArn": {"Type": "String"},
            "Stored": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/key"},
        },
        Conditions={"Never": {"Fn::Equals": ["a", "b"]}},
    )
    assert reasons(deployment) == ([reason] if action.startswith("kms:") else [])


@pytest.mark.parametrize(
    ("declared", "sections", "told"),
    [
        ({"Role": role({"Ref": "None"})}, {}, "there is no resource or parameter None"),
        ({"Role": role({"Fn::GetAtt": ["None", "Arn"]})}, {}, "there is no resource None"),
        ({"Key": {**KEY, "Condition": "None"}}, {}, "there is no condition None"),
        ({"Key": {}}, {}, "the resource Key has no Type"),
        ({"Key": KEY}, {"Parameters": []}, None),
        ({"Role": role({"Ref": "A"})}, {"Parameters": ["A"]}, "Parameters must be a mapping"),
        (
            {"Key": {**KEY, "Condition": "A"}},
            {"Conditions": {"A": {"Condition": "B"}, "B": {"Condition": "A"}}},
            "circular dependency between A, B",
        ),
        (
            {"Role": role("*", RoleName={"Ref": "Role"})},
            {},
            "circular dependency between Role",
        ),
    ],
)
def test_templates_that_cloudformation_refuses(resources, declared, sections, told):
    if told is None:
        assert resources(declared, **sections).items
        return
    with pytest.raises(InvalidSeed, match=rf"app.template.json:\d+: {re.escape(told)}"):
        resources(declared, **sections)


def test_unsupported_macros_are_listed(resources):
    given = ["AWS::LanguageExtensions", {"Name": "AWS::Include", "Parameters": {}}]
    deployment = resources({"Key": KEY}, Transform=given)
    assert [str(each) for each in deployment.unknowns] == [
        "app.template.json:1, Transform AWS::Include: this macro includes no local file: its Location is not at hand"
    ]


def test_loops_in_all_sections(resources):
    names = {"Ref": "Names"}
    deployment = resources(
        {
            "Fn::ForEach::Keys": ["Name", names, {"${Name}": {**KEY, "Condition": "Has${Name}"}}],
            "Role": role(
                {"Fn::ImportValue": "a-arn"}, **{"Fn::ForEach::Names": ["Name", ["x"], {"RoleName": "role-${Name}"}]}
            ),
        },
        Parameters={"Names": {"Type": "CommaDelimitedList", "Default": "a,b"}},
        Conditions={"Fn::ForEach::Has": ["Name", names, {"Has${Name}": {"Fn::Equals": ["${Name}", "a"]}}]},
        Outputs={
            "Fn::ForEach::Arns": [
                "Name", names,
                {"Out${Name}": {"Value": {"Fn::GetAtt": ["${Name}", "Arn"]}, "Export": {"Name": "${Name}-arn"}}},
            ]
        },
        Transform="AWS::LanguageExtensions",
    )  # fmt: skip
    assert reasons(deployment) == []
    assert [item.place.resource for item in deployment.items] == ["a", "Role"]
    assert allowed_on(deployment) == find([deployment], "a")


def test_a_condition_after_a_placeholder_keeps_its_note(resources):
    document = policy(allow("kms:Decrypt", [{"Ref": "Owner"}, {"Fn::If": ["IsTest", "*", "x"]}]))
    deployment = resources(
        {"Role": {"Type": "AWS::IAM::Role", "Properties": {"Policies": [{"PolicyDocument": document}]}}},
        Parameters={"Owner": {"Type": "String"}},
        Conditions={"IsTest": {"Fn::Equals": ["a", "a"]}},
    )
    assert reasons(deployment) == [NO_VALUE.format(name="Owner") + "; used by Role (line 24)"]


def test_loops_in_loops_end(resources):
    body = {"Key${A0}": KEY}
    for number in range(8):
        body = {f"Fn::ForEach::L{number}": [f"A{number}", list("abcdefghij"), body]}
    with pytest.raises(InvalidSeed, match=r"app.template.json:1: Fn::ForEach: more than 100,000 iterations$"):
        resources(body)


def test_macros_in_sections_and_properties(resources):
    macro = {"Fn::Transform": {"Name": "Macro"}}
    deployment = resources({"Key": {**KEY, "Properties": {**macro}}, "Queue": {"Type": "AWS::SQS::Queue"}, **macro})
    missing = "Fn::Transform Macro is not supported: what it would add is missing"
    assert [(str(each), each.decides) for each in deployment.unknowns] == [
        (f"app.template.json:1, Resources: {missing}", True),
        (f"app.template.json:3, Key: {missing}", True),
    ]


def test_parameters_without_a_value_come_first_each_once(resources):
    deployment = resources(
        {
            "Key": {**KEY, "Condition": "IsProd"},
            "Queue": {"Type": "AWS::SQS::Queue", "Condition": "IsProd"},
            "Role": role({"Fn::Sub": "${Owner}${Thing.Arn}"}),
            "Thing": {"Type": "AWS::Some::Thing"},
            "Worker": role({"Ref": "Owner"}),
        },
        Parameters={"Owner": {"Type": "String"}, "Stage": {"Type": "String"}, "Unused": {"Type": "String"}},
        Conditions={"IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}},
    )
    assert [(str(each), each.decides) for each in deployment.unknowns] == [
        (
            f"app.template.json:6, Stage: {NO_VALUE.format(name='Stage')}; used by Key (line 24), Queue (line 28)",
            True,
        ),
        (
            f"app.template.json:3, Owner: {NO_VALUE.format(name='Owner')}; used by Role (line 41), Worker (line 66)",
            True,
        ),
        ("app.template.json:41, Role: Arn of Thing (AWS::Some::Thing) is a placeholder", True),
    ]


def test_names_with_a_placeholder_are_valid(resources):
    name = {"Fn::Sub": "${Stage}-worker"}
    deployment = resources({"Role": role("*", RoleName=name)}, Parameters={"Stage": {"Type": "String"}})
    assert find([deployment], "Role") == f"arn:aws:iam::{ACCOUNT}:role/stage-worker"
    assert [(str(each), each.decides) for each in deployment.unknowns] == [
        (f"app.template.json:3, Stage: {NO_VALUE.format(name='Stage')}; used by Role (line 8)", False)
    ]


def test_stacks_see_each_others_exports(write):
    keys = write(
        "keys.json",
        {
            "Resources": {"Key": KEY},
            "Outputs": {
                "Arn": {
                    "Value": {"Fn::GetAtt": ["Key", "Arn"]},
                    "Export": {"Name": {"Fn::Sub": "${AWS::StackName}-key"}},
                },
                "Text": {"Value": "not exported"},
            },
        },
    )
    app = write("app.json", {"Resources": {"Role": role({"Fn::ImportValue": "keys-key"})}})
    deployment = load([app, keys], HERE)
    assert allowed_on(deployment) == find([deployment], "Key")
    assert reasons(deployment) == []


def test_unknown_names_of_exports_are_not_noted_at_imports(write):
    unknown = {"Value": "x", "Export": {"Name": {"Fn::Sub": "${Stage}-x"}}}
    key = {"Value": {"Fn::GetAtt": ["Key", "Arn"]}, "Export": {"Name": "key"}}
    role_of_app = {"Role": role({"Fn::ImportValue": "key"})}
    stage = {"Stage": {"Type": "String"}}
    app = write("app.json", {"Parameters": stage, "Resources": role_of_app, "Outputs": {"X": unknown}})
    keys = write("keys.json", {"Resources": {"Key": KEY}, "Outputs": {"Key": key}})
    deployment = load([app, keys], HERE)
    assert allowed_on(deployment) == find([deployment], "Key")
    assert reasons(deployment) == []


def test_exports_of_other_accounts_are_not_seen(write):
    keys = {"Resources": {"Key": KEY}, "Outputs": {"Arn": {"Value": {"Ref": "Key"}, "Export": {"Name": "key"}}}}
    write("keys.json", keys)
    write("app.json", {"Resources": {"Role": role({"Fn::ImportValue": "key"})}})
    listed = {"stacks": [{"template": "keys.json", "account": "111122223333"}, {"template": "app.json"}]}
    assert reasons(load([write("all.json", listed)], HERE)) == [
        "no given stack exports key: " + GIVE.format(option="imports", name="key")
    ]


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ({"StackName": "keys", "OutputName": "Arn", "Region": "eu-west-1", "RoleArn": OTHER_ROLE}, True),
        ({"StackName": "keys", "OutputName": "Arn", "Region": "eu-west-1"}, False),
        ({"StackName": "keys", "OutputName": "Arn", "RoleArn": OTHER_ROLE}, False),
        ({"StackName": "keys", "OutputName": "Other", "Region": "eu-west-1", "RoleArn": OTHER_ROLE}, False),
        ({"StackName": "app", "OutputName": "Arn"}, True),
    ],
)
def test_outputs_of_other_stacks(write, reference, found):
    # Fn::GetStackOutput: of the stack's own account and Region by default.
    content = {"Resources": {"Key": KEY}, "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Key", "Arn"]}}}}
    write("keys.json", content)
    write("app.json", {**content, "Resources": {"Key": KEY, "Role": role({"Fn::GetStackOutput": reference})}})
    keys = {"template": "keys.json", "account": "111122223333", "region": "eu-west-1"}
    deployment = load([write("all.json", {"stacks": [keys, {"template": "app.json"}]})], HERE)
    stack, output = reference["StackName"], reference["OutputName"]
    told = f"no given stack {stack} has an output {output}: give its template too"
    assert reasons(deployment) == ([] if found else [told])
    if found:
        assert allowed_on(deployment) == find([deployment], f"{stack}/Key")


def test_given_imports(write):
    app = write("app.json", {"Resources": {"Role": role({"Fn::ImportValue": "keys-key"})}})
    assert (
        allowed_on(load([app], replace(HERE, imports={"keys-key": "arn:aws:kms:*:*:key/*"}))) == "arn:aws:kms:*:*:key/*"
    )


def test_exports_that_need_each_other(write):
    app = write(
        "app.json",
        {
            "Resources": {"Role": role({"Fn::ImportValue": "a"})},
            "Outputs": {"A": {"Value": {"Fn::ImportValue": "a"}, "Export": {"Name": "a"}}},
        },
    )
    with pytest.raises(InvalidSeed, match="circular dependency between an output in line"):
        load([app], HERE)


NESTED = {
    "Parameters": {"Stage": {"Type": "String"}},
    "Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": {"Description": {"Ref": "Stage"}}}},
    "Outputs": {"KeyArn": {"Value": {"Fn::GetAtt": ["Key", "Arn"]}}},
}


@pytest.mark.parametrize(
    ("body", "given"),
    [
        pytest.param({"Properties": {"TemplateURL": "./inner.json"}}, {}, id="a path"),
        pytest.param({"Metadata": {"aws:asset:path": "inner.json"}}, {}, id="an asset of CDK"),
        pytest.param({"Properties": {"TemplateURL": "https://bucket/inner.json"}}, {"Keys": "inner.json"}, id="given"),
        pytest.param({"Properties": {"TemplateURL": "inner.json"}}, {"Keys": "none.json"}, id="given, but not there"),
    ],
)
def test_nested_stacks(write, body, given):
    write("inner.json", NESTED)
    properties = {**body.get("Properties", {}), "Parameters": {"Stage": "prod"}}
    stack = {"Type": "AWS::CloudFormation::Stack", **body, "Properties": properties}
    outer = write(
        "outer.json", {"Resources": {"Keys": stack, "Role": role({"Fn::GetAtt": ["Keys", "Outputs.KeyArn"]})}}
    )
    deployment = load([outer], replace(HERE, nested=given))
    key = next(item for item in deployment.items if item.place.resource == "Key")
    assert (key.settings["description"], reasons(deployment)) == ("prod", [])
    assert allowed_on(deployment) == find([deployment], "Key")


def test_nested_stacks_that_are_not_at_hand(resources):
    deployment = resources(
        {
            "Keys": {
                "Type": "AWS::CloudFormation::Stack",
                "Properties": {"TemplateURL": "https://example.com/keys.json"},
            }
        }
    )
    assert reasons(deployment) == [
        "the template of this nested stack is not at hand: " + GIVE.format(option="nested", name="Keys")
    ]


@pytest.mark.parametrize(
    ("passed", "unknown"),
    [
        (
            {"Owner": {"Ref": "AWS::NoValue"}},
            "inner.json:3, Owner: this parameter has no value: add it to the Parameters of Roles; used by "
            "outer.json:28, Worker, Role (line 17)",
        ),
        (
            {"Owner": {"Ref": "Given"}},
            f"outer.json:3, Given: {NO_VALUE.format(name='Given')}; used by Worker (line 28), inner.json:17, Role",
        ),
    ],
)
def test_parameters_of_nested_stacks(write, passed, unknown):
    inner = {
        "Parameters": {"Owner": {"Type": "String"}},
        "Resources": {"Role": role({"Ref": "Owner"})},
        "Outputs": {"Owner": {"Value": {"Ref": "Owner"}}},
    }
    write("inner.json", inner)
    properties = {"TemplateURL": "inner.json", "Parameters": passed}
    outer = {
        "Parameters": {"Given": {"Type": "String"}},
        "Resources": {
            "Roles": {"Type": "AWS::CloudFormation::Stack", "Properties": properties},
            "Worker": role({"Fn::GetAtt": ["Roles", "Outputs.Owner"]}),
        },
    }
    deployment = load([write("outer.json", outer)], HERE)
    assert list(map(str, deployment.unknowns)) == [unknown]


def test_parameters_that_a_nested_template_does_not_have(write):
    """CloudFormation: "Parameters: [Satge] do not exist in the template"."""
    write("inner.json", NESTED)
    properties = {"TemplateURL": "inner.json", "Parameters": {"Satge": "prod"}}
    stack = {"Type": "AWS::CloudFormation::Stack", "Properties": properties}
    outer = write("outer.json", {"Resources": {"Keys": stack}})
    with pytest.raises(InvalidSeed) as refused:
        load([outer], HERE)
    assert str(refused.value).partition("outer.json")[2] == (
        ":7: Keys: inner.json has no parameter 'Satge'. Did you mean 'Stage'?"
    )


def test_a_stack_that_is_nested_in_itself(write):
    outer = write(
        "outer.json",
        {
            "Resources": {
                "Again": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "outer.json"}},
            }
        },
    )
    with pytest.raises(InvalidSeed, match="stacks are nested too deeply"):
        load([outer], HERE)


@pytest.mark.parametrize("content", ["[]", "Resources: none", "stacks: 5\nResources: {}"])
def test_files_without_resources(write, content):
    with pytest.raises(InvalidSeed):
        load([write("a.yaml", content)], DeployOptions(ACCOUNT, REGION))
