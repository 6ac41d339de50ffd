"""What services make under a KMS key with a grant, beside moto: EC2, RDS, Redshift, EFS, ECR, Backup, Firehose.

The encryption contexts are documented; RDS's message: recorded in 2019; ECR's grants: the CloudTrail examples of its
guide. Codes: the service models.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError

ACCOUNT = "123456789012"
ECR_ARN = f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/app"


class Resource(NamedTuple):
    """Something that is made under a key.

    Attributes:
        via: the service in `kms:ViaService`.
        make: makes it.
        names: lists what is there.
        operations: the KMS calls.
        error: the code of a refusal; `{}` stands for KMS's.
        status: its HTTP status.
        context: the names of the encryption context.
    """

    via: str
    make: Callable[[Any, str], Any]
    names: Callable[[Any], list[str]]
    operations: list[str]
    error: str
    status: int = 400
    context: tuple[str, ...] = ()
    codes: Mapping[str, tuple[str, int]] = {}


def _database(client: Any, key: str) -> Any:
    return client.create_db_instance(
        DBInstanceIdentifier="db", DBInstanceClass="db.t3.micro", Engine="postgres", MasterUsername="admin",
        MasterUserPassword="secret123", AllocatedStorage=20, StorageEncrypted=True, KmsKeyId=key,
    )  # fmt: skip


def _database_cluster(client: Any, key: str) -> Any:
    return client.create_db_cluster(
        DBClusterIdentifier="db", Engine="aurora-postgresql", MasterUsername="admin", MasterUserPassword="secret123",
        StorageEncrypted=True, KmsKeyId=key,
    )  # fmt: skip


def _warehouse(client: Any, key: str) -> Any:
    return client.create_cluster(
        ClusterIdentifier="dw", NodeType="ra3.large", MasterUsername="admin", MasterUserPassword="Secret123",
        Encrypted=True, KmsKeyId=key,
    )  # fmt: skip


def _stream(client: Any, key: str) -> Any:
    return client.create_delivery_stream(
        DeliveryStreamName="s",
        DeliveryStreamEncryptionConfigurationInput={"KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": key},
        S3DestinationConfiguration={"RoleARN": f"arn:aws:iam::{ACCOUNT}:role/r", "BucketARN": "arn:aws:s3:::b"},
    )


DESCRIBED = ["DescribeKey", "CreateGrant"]
RESOURCES = {
    "rds": Resource(
        "rds", _database, lambda c: [each["DBInstanceIdentifier"] for each in c.describe_db_instances()["DBInstances"]],
        ["DescribeKey", "GenerateDataKeyWithoutPlaintext", "CreateGrant"], "KMSKeyNotAccessibleFault",
        context=("aws:rds:db-id",),
    ),
    "rds cluster": Resource(
        "rds", _database_cluster,
        lambda c: [each["DBClusterIdentifier"] for each in c.describe_db_clusters()["DBClusters"]],
        ["DescribeKey", "GenerateDataKeyWithoutPlaintext", "CreateGrant"], "KMSKeyNotAccessibleFault",
        context=("aws:rds:db-id",),
    ),
    "redshift": Resource(
        "redshift", _warehouse, lambda c: [each["ClusterIdentifier"] for each in c.describe_clusters()["Clusters"]],
        ["DescribeKey", "GenerateDataKey", "CreateGrant"], "InvalidParameterValue",
        context=("aws:redshift:arn", "aws:redshift:createtime"),
        codes={"AccessDeniedException": ("DependentServiceAccessDenied", 403),
               "ThrottlingException": ("DependentServiceRequestThrottlingFault", 400)},
    ),
    "efs": Resource(
        "elasticfilesystem", lambda c, key: c.create_file_system(CreationToken="t", Encrypted=True, KmsKeyId=key),
        lambda c: [each["FileSystemId"] for each in c.describe_file_systems()["FileSystems"]],
        DESCRIBED, "BadRequest", context=("aws:elasticfilesystem:filesystem:id",),
    ),
    "ecr": Resource(
        "ecr",
        lambda c, key: c.create_repository(
            repositoryName="app", encryptionConfiguration={"encryptionType": "KMS", "kmsKey": key}),
        lambda c: [each["repositoryName"] for each in c.describe_repositories()["repositories"]],
        [*DESCRIBED, "CreateGrant"], "KmsException", context=("aws:ecr:arn",),
    ),
    "backup": Resource(
        "backup", lambda c, key: c.create_backup_vault(BackupVaultName="v", EncryptionKeyArn=key),
        lambda c: [each["BackupVaultName"] for each in c.list_backup_vaults()["BackupVaultList"]],
        DESCRIBED, "InvalidParameterValueException",
    ),
    "firehose": Resource(
        "firehose", _stream, lambda c: c.list_delivery_streams()["DeliveryStreamNames"],
        ["CreateGrant"], "InvalidKMSResourceException",
    ),
}  # fmt: skip
#: Situations that differ in what they take in a service's table; the others are the engine's.
WHEN = (
    "allowed",
    "through the service, in its Region",
    "no identity permission",
    "disabled",
    "missing key",
    "throttled",
)


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("name", RESOURCES)
def test_making(world, name, when):
    resource, client = RESOURCES[name], world.client(name.split()[0])
    case = world.writing(when, resource.via)
    with case.as_role():
        code = case.situation.code
        if code is None:
            resource.make(client, case.key)
        else:
            with pytest.raises(ClientError) as denied:
                resource.make(client, case.key)
    if code is None:
        assert world.made() == [(operation, resource.via) for operation in resource.operations]
        as_owner = world.kms.client(**world.kms.credentials(world.ADMINISTRATOR))
        (grant, *_) = as_owner.list_grants(KeyId=world.kms.keys[case.key].id)["Grants"]
        assert grant["GranteePrincipal"] == f"{resource.via}.us-east-1.amazonaws.com"
        constraint = grant.get("Constraints", {}).get("EncryptionContextSubset", {})
        assert tuple(constraint) == resource.context
        return
    assert world.error_of(denied)[:2] == resource.codes.get(code, (resource.error, resource.status))
    assert resource.names(client) == []


def test_the_words_of_rds_and_ecr(world):
    with pytest.raises(ClientError) as denied:
        _database(world.client("rds"), "alias/none")
    assert world.error_of(denied)[2] == (
        "Specified KMS key [alias/none] does not exist, is not enabled or you do not have permissions to access it."
    )
    with pytest.raises(ClientError) as denied:
        RESOURCES["ecr"].make(world.client("ecr"), "alias/none")
    assert denied.value.response["kmsError"] == "NotFoundException"


def test_managed_keys(world):
    with world.as_role(world.ALL_BUT_KMS):
        world.client("efs").create_file_system(CreationToken="t", Encrypted=True)
        world.client("ecr").create_repository(repositoryName="app", encryptionConfiguration={"encryptionType": "KMS"})
        world.client("backup").create_backup_vault(BackupVaultName="v")
    assert {call.key.arn for call in world.kms.calls if call.key is not None} == {
        world.kms.managed_key("elasticfilesystem"), world.kms.managed_key("ecr")
    }  # fmt: skip


def test_a_repository_that_is_deleted_retires_its_grants(world):
    ecr = world.client("ecr")
    key = world.kms.create_key()
    RESOURCES["ecr"].make(ecr, key.arn)
    ecr.delete_repository(repositoryName="app")
    assert [(call.operation, call.caller.arn) for call in world.kms.calls[-2:]] == [
        ("RetireGrant", "ecr.us-east-1.amazonaws.com")
    ] * 2
    assert world.kms.client().list_grants(KeyId=key.id)["Grants"] == []


def test_no_kms(world):
    world.client("efs").create_file_system(CreationToken="t")
    ecr = world.client("ecr")
    ecr.create_repository(repositoryName="app")
    ecr.delete_repository(repositoryName="app")
    world.client("rds").create_db_instance(
        DBInstanceIdentifier="db",
        DBInstanceClass="db.t3.micro",
        Engine="postgres",
        MasterUsername="admin",
        MasterUserPassword="secret123",
        AllocatedStorage=20,
    )
    world.client("redshift").create_cluster(
        ClusterIdentifier="dw", NodeType="ra3.large", MasterUsername="admin", MasterUserPassword="Secret123"
    )
    assert len(world.kms.calls) == 0  # fmt: skip


# --- Firehose -------------------------------------------------------------------------------------------------------


def test_producers_of_firehose(world):
    firehose = world.client("firehose")
    key = world.kms.create_key()
    _stream(firehose, key.arn)
    stream = "DeliveryStreamName"
    record = {"Data": b"x"}
    with world.as_role(world.ALL_BUT_KMS), pytest.raises(firehose.exceptions.InvalidKMSResourceException) as denied:
        firehose.put_record(**{stream: "s"}, Record=record)
    assert denied.value.response["code"] == "AccessDeniedException"
    firehose.create_delivery_stream(
        DeliveryStreamName="plain",
        S3DestinationConfiguration={"RoleARN": f"arn:aws:iam::{ACCOUNT}:role/r", "BucketARN": "arn:aws:s3:::b"},
    )
    before = len(world.kms.calls)
    with pytest.raises(firehose.exceptions.ResourceNotFoundException):
        firehose.put_record(**{stream: "none"}, Record=record)
    with pytest.raises(RuntimeError):
        firehose.put_record(**{stream: "plain"}, Record=record)  # there is no bucket
    assert len(world.kms.calls) == before
    firehose.stop_delivery_stream_encryption(DeliveryStreamName="s")
    firehose.start_delivery_stream_encryption(
        DeliveryStreamName="s", DeliveryStreamEncryptionConfigurationInput={"KeyType": "AWS_OWNED_CMK"}
    )
    assert len(world.kms.calls) == before
    firehose.stop_delivery_stream_encryption(DeliveryStreamName="s")
    disabled = world.kms.create_key(enabled=False).arn
    with pytest.raises(firehose.exceptions.InvalidKMSResourceException):
        firehose.start_delivery_stream_encryption(
            DeliveryStreamName="s",
            DeliveryStreamEncryptionConfigurationInput={"KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": disabled},
        )


# --- EC2 ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def ec2(world):
    return world.client("ec2")


def volume(ec2, key=None):
    given = {} if key is None else {"KmsKeyId": key}
    return ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, Encrypted=True, **given)["VolumeId"]


def launch(ec2, **disk):
    image = ec2.describe_images()["Images"][0]["ImageId"]
    disks = [{"DeviceName": "/dev/sdb", "Ebs": {"VolumeSize": 1, **disk}}]
    (instance,) = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, BlockDeviceMappings=disks)["Instances"]
    return instance["InstanceId"]


@pytest.mark.parametrize("when", ["by alias", "no identity permission"])
def test_making_a_volume(world, ec2, when):
    case = world.writing(when, "ec2")
    with case.as_role():
        name = volume(ec2, case.key)
    call = world.kms.calls[0]
    assert (call.operation, call.params["EncryptionContext"]) == (
        "GenerateDataKeyWithoutPlaintext", {"aws:ebs:id": name}
    )  # fmt: skip
    there = [each["VolumeId"] for each in ec2.describe_volumes()["Volumes"]]
    assert there == ([name] if case.situation.code is None else [])


def test_attaching_a_volume(world, ec2):
    key = world.kms.create_key()
    name, instance = volume(ec2, key.arn), launch(ec2)
    ec2.attach_volume(VolumeId=name, InstanceId=instance, Device="/dev/sdc")
    (grant,) = world.kms.client().list_grants(KeyId=key.id)["Grants"]
    assert (grant["Operations"], grant["Constraints"]) == (
        ["Decrypt"], {"EncryptionContextSubset": {"aws:ebs:id": name}}
    )  # fmt: skip
    used = world.kms.calls[-2]
    assert (used.operation, used.caller.arn) == (
        "Decrypt", f"arn:aws:sts::{ACCOUNT}:assumed-role/aws:ec2-infrastructure/{instance}"
    )  # fmt: skip
    ec2.detach_volume(VolumeId=name, InstanceId=instance)
    with world.as_role(world.ALL_BUT_KMS):
        ec2.attach_volume(VolumeId=name, InstanceId=instance, Device="/dev/sdc")
    assert ec2.describe_volumes(VolumeIds=[name])["Volumes"][0]["Attachments"] == []


def test_launching_an_instance(world, ec2):
    key = world.kms.create_key()
    launch(ec2, Encrypted=True, KmsKeyId=key.arn)
    assert [call.operation for call in world.kms.calls] == [
        "GenerateDataKeyWithoutPlaintext", "CreateGrant", "Decrypt"
    ]  # fmt: skip
    with world.as_role(world.ALL_BUT_KMS):
        instance = launch(ec2, Encrypted=True, KmsKeyId=key.arn)
    (found,) = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"]
    assert found["State"]["Name"] == "terminated"


def test_plain_volumes(world, ec2):
    ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)
    launch(ec2)
    assert len(world.kms.calls) == 0
