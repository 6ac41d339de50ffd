"""One fault at a time in a good deployment, of the kinds that people report: the refusal names the line to change."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from tests.iac.conftest import DATA

from pytest_kmsmock import KmsMock, mock_kms

PAYMENTS = "cdk.out/Payments.template.json"
ARCHIVE = "cdk.out/Archive.template.json"
WORKER_POLICY, KEY = "WorkerRoleDefaultPolicy6B1C3D7A", "DataKey8A5E1D0C"


@dataclass(frozen=True)
class Fault:
    """A fault in a file.

    Attributes:
        file: the file of the good deployment.
        spoil: what is changed in it.
        use: what the application does; it fails by the fault.
        resource: the resource that the explanation names.
        statement: the statement that is to change, by number; None if it is missing.
    """

    file: str
    spoil: Callable[[Any], Any]
    use: Callable[[KmsMock], object]
    resource: str
    statement: int | None


def client(service: str, region: str = "us-east-1") -> Any:
    return boto3.client(service, region_name=region)


def read_object(kms: KmsMock) -> object:
    with kms.as_principal(kms.deployed("WorkerRole")):
        s3 = client("s3")
        s3.put_object(Bucket=kms.deployed("Documents"), Key="a", Body=b"a")
        return s3.get_object(Bucket=kms.deployed("Documents"), Key="a")["Body"].read()


def publish(kms: KmsMock) -> object:
    with kms.as_principal(kms.deployed("WorkerRole")):
        client("sns").publish(TopicArn=kms.deployed("Events"), Message="x")
        [message] = client("sqs").receive_message(QueueUrl=kms.deployed("Jobs"))["Messages"]
        return message


def open_archive(kms: KmsMock) -> object:
    with kms.as_principal(f"arn:aws:iam::{999999999999}:root"):
        blob = kms.client().encrypt(KeyId=kms.deployed("ArchiveKey"), Plaintext=b"x")["CiphertextBlob"]
    with kms.as_principal(kms.deployed("WorkerRole")):
        return kms.client().decrypt(CiphertextBlob=blob, KeyId=kms.deployed("ArchiveKey"))["Plaintext"]


def audit(kms: KmsMock) -> object:
    client = kms.client(region="eu-west-1")
    key, context = kms.deployed("aws_kms_key.data"), {"tenant": "acme"}
    blob = client.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=context)["CiphertextBlob"]
    with kms.as_principal(f"arn:aws:iam::{kms.account}:role/payments-auditor"):
        return client.decrypt(CiphertextBlob=blob, EncryptionContext=context)["Plaintext"]


def statements(template: Any, resource: str = WORKER_POLICY) -> Any:
    properties = template["Resources"][resource]["Properties"]
    return properties["PolicyDocument" if "PolicyDocument" in properties else "KeyPolicy"]["Statement"]


def without_decrypt(template: Any) -> None:
    statements(template)[1]["Action"] = ["kms:GenerateDataKey*"]


def via_another_region(template: Any) -> None:
    statements(template)[1]["Condition"] = {"StringEquals": {"kms:ViaService": "s3.us-west-2.amazonaws.com"}}


def object_in_the_context(template: Any) -> None:
    arn = {"Fn::Join": ["", [{"Fn::GetAtt": ["Documents7C1F9B2E", "Arn"]}, "/*"]]}
    statements(template)[1]["Condition"] = {"StringLike": {"kms:EncryptionContext:aws:s3:arn": arn}}


def without_sns(template: Any) -> None:
    del statements(template, KEY)[1]


def without_the_role(template: Any) -> None:
    del statements(template)[4]


def without_the_account(template: Any) -> None:
    del statements(template, "ArchiveKey6D4B2F18")[1]


def without_the_auditor(state: Any) -> None:
    resources = state["values"]["root_module"]["resources"]
    state["values"]["root_module"]["resources"] = [
        each for each in resources if each["address"] != "aws_iam_role.auditor"
    ]
    [grant] = [each for each in resources if each["address"] == "aws_kms_grant.auditor"]
    grant["values"]["grantee_principal"] = "AROACKCEVSQ6C2EXAMPLE"


FAULTS = [
    pytest.param(Fault(PAYMENTS, without_decrypt, read_object, WORKER_POLICY, 2), id="the reader lacks kms:Decrypt"),
    pytest.param(
        Fault(PAYMENTS, via_another_region, read_object, WORKER_POLICY, 2), id="kms:ViaService of another Region"
    ),
    pytest.param(
        Fault(PAYMENTS, object_in_the_context, read_object, WORKER_POLICY, 2), id="the object's ARN with bucket keys"
    ),
    pytest.param(Fault(PAYMENTS, without_sns, publish, KEY, None), id="the key policy lacks SNS"),
    pytest.param(
        Fault(PAYMENTS, without_the_role, open_archive, WORKER_POLICY, None),
        id="the role lacks the other account's key",
    ),
    pytest.param(
        Fault(ARCHIVE, without_the_account, open_archive, "ArchiveKey6D4B2F18", None),
        id="the key lacks the other account",
    ),
    pytest.param(
        Fault("terraform/state.json", without_the_auditor, audit, "aws_kms_grant.auditor", None),
        id="a grant to a deleted role",
    ),
]


def deployment(folder: Path, fault: Fault | None = None, file: str = "") -> Path | str:
    """Copy the good deployment that a file belongs to, with a fault if there is one, and return what to seed."""
    name = file or (fault.file if fault else "")
    for source in sorted((DATA / name).parent.glob("*.json")):
        content = json.loads(source.read_text())
        if fault is not None and source.name == Path(name).name:
            fault.spoil(content)
        (folder / source.name).write_text(json.dumps(content, indent=1))
    return folder if "cdk.out" in name else folder / Path(name).name


@pytest.mark.parametrize("fault", FAULTS)
def test_the_good_deployment_works(fault, tmp_path):
    with mock_kms(seed=deployment(tmp_path, file=fault.file), seed_strict=True) as kms, mock_aws():
        assert fault.use(kms)


@pytest.mark.parametrize("fault", FAULTS)
def test_the_refusal_names_the_line_to_change(fault, tmp_path):
    with mock_kms(seed=deployment(tmp_path, fault)) as kms, mock_aws():
        with pytest.raises(Exception) as caught:
            fault.use(kms)
        assert "not authorized to perform: kms:" in str(caught.value) or fault.use is publish
        [refused] = kms.calls.refused
        told = str(kms.explain(refused))
        told += "\n".join(str(unknown) for each in kms._core.deployments for unknown in each.unknowns)
        assert f"{Path(fault.file).name}:" in told or "terraform" in fault.file
        assert fault.resource in told
        if fault.statement is not None:
            text = (tmp_path / Path(fault.file).name).read_text()
            start = text.index(f'"{fault.resource}": {{')
            line = text.count("\n", 0, start) + 1
            [step] = [
                each
                for each in told.splitlines()
                if f"statement {fault.statement} in line" in each and fault.resource in each
            ]
            assert f"{Path(fault.file).name}:{line}, {fault.resource})" in step
            number = int(step.partition("in line ")[2].partition(":")[0])
            assert text.splitlines()[number - 1].strip() == "{"
            assert "kms:" in "".join(text.splitlines()[number : number + 8])
