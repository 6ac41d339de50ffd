"""What services make under a KMS key with a grant, beside moto: EC2, RDS, Redshift, EFS, ECR, Backup, Firehose."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

ACCOUNT = "123456789012"
UNKNOWN = "11111111-2222-4333-8444-555555555555"


def _stream(client: Any, key: str) -> Any:
    return client.create_delivery_stream(
        DeliveryStreamName="s",
        DeliveryStreamEncryptionConfigurationInput={"KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": key},
        S3DestinationConfiguration={"RoleARN": f"arn:aws:iam::{ACCOUNT}:role/r", "BucketARN": "arn:aws:s3:::b"},
    )


def _repository(ecr: Any, key: str) -> None:
    ecr.create_repository(repositoryName="app", encryptionConfiguration={"encryptionType": "KMS", "kmsKey": key})


def test_ecr_tells_the_code_of_kms(world):
    with pytest.raises(ClientError) as denied:
        _repository(world.client("ecr"), "alias/none")
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
    _repository(ecr, key.arn)
    ecr.delete_repository(repositoryName="app")
    assert [(call.operation, call.caller.arn) for call in world.kms.calls[-2:]] == [
        ("RetireGrant", "ecr.us-east-1.amazonaws.com")
    ] * 2
    assert world.kms.client().list_grants(KeyId=key.id)["Grants"] == []


def test_a_repository_that_is_created_again_under_another_key(world):
    ecr = world.client("ecr")
    for key in (world.kms.create_key(), world.kms.create_key()):
        _repository(ecr, key.arn)
        ecr.delete_repository(repositoryName="app")
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
    rds = world.client("rds")
    rds.create_db_snapshot(DBSnapshotIdentifier="s", DBInstanceIdentifier="db")
    rds.copy_db_snapshot(SourceDBSnapshotIdentifier="s", TargetDBSnapshotIdentifier="copy")
    world.client("redshift").create_cluster(
        ClusterIdentifier="dw", NodeType="ra3.large", MasterUsername="admin", MasterUserPassword="Secret123"
    )
    assert len(world.kms.calls) == 0  # fmt: skip


def test_what_is_protected_is_not_there_after_a_refusal(world):
    rds = world.client("rds")
    given = {
        "StorageEncrypted": True, "KmsKeyId": "alias/none", "MasterUsername": "admin",
        "MasterUserPassword": "secret123", "DeletionProtection": True,
    }  # fmt: skip
    with pytest.raises(rds.exceptions.KMSKeyNotAccessibleFault):
        rds.create_db_instance(
            DBInstanceIdentifier="db", DBInstanceClass="db.t3.micro", Engine="postgres", AllocatedStorage=20, **given
        )
    with pytest.raises(rds.exceptions.KMSKeyNotAccessibleFault):
        rds.create_db_cluster(DBClusterIdentifier="db", Engine="aurora-postgresql", **given)
    assert (rds.describe_db_instances()["DBInstances"], rds.describe_db_clusters()["DBClusters"]) == ([], [])


@pytest.mark.parametrize("key", ["alias/none", f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{UNKNOWN}", UNKNOWN])
def test_copying_a_snapshot_under_a_key_that_does_not_exist(world, key):
    rds = world.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="db", DBInstanceClass="db.t3.micro", Engine="postgres", MasterUsername="admin",
        MasterUserPassword="secret123", AllocatedStorage=20,
    )  # fmt: skip
    rds.create_db_snapshot(DBSnapshotIdentifier="s", DBInstanceIdentifier="db")
    with pytest.raises(rds.exceptions.KMSKeyNotAccessibleFault) as refused:  # moto looks the key up itself
        rds.copy_db_snapshot(SourceDBSnapshotIdentifier="s", TargetDBSnapshotIdentifier="copy", KmsKeyId=key)
    assert world.error_of(refused)[1:] == (
        400, f"Specified KMS key [{key}] does not exist, is not enabled or you do not have permissions to access it."
    )  # fmt: skip


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


def test_records_of_firehose_are_shown_as_encrypted(world):
    # PutRecordOutput: "Encrypted: Indicates whether server-side encryption (SSE) was enabled during this operation"
    world.client("s3").create_bucket(Bucket="records")
    firehose = world.client("firehose")
    destination = {"RoleARN": f"arn:aws:iam::{ACCOUNT}:role/r", "BucketARN": "arn:aws:s3:::records"}
    firehose.create_delivery_stream(DeliveryStreamName="s", S3DestinationConfiguration=destination)
    record = {"Data": b"x"}
    assert firehose.put_record(DeliveryStreamName="s", Record=record)["Encrypted"] is False
    under = {"KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": world.kms.create_key().arn}
    firehose.start_delivery_stream_encryption(
        DeliveryStreamName="s", DeliveryStreamEncryptionConfigurationInput=under
    )  # fmt: skip
    assert firehose.put_record(DeliveryStreamName="s", Record=record)["Encrypted"] is True
    assert firehose.put_record_batch(DeliveryStreamName="s", Records=[record])["Encrypted"] is True


def test_a_stream_keeps_its_key_if_it_does_not_get_another(world):
    # StartDeliveryStreamEncryption: "encryption remains enabled with the old CMK"
    firehose = world.client("firehose")
    key = world.kms.create_key().arn
    _stream(firehose, key)
    under = {"KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": world.kms.create_key(enabled=False).arn}
    with pytest.raises(firehose.exceptions.InvalidKMSResourceException):
        firehose.start_delivery_stream_encryption(
            DeliveryStreamName="s", DeliveryStreamEncryptionConfigurationInput=under
        )  # fmt: skip
    described = firehose.describe_delivery_stream(DeliveryStreamName="s")["DeliveryStreamDescription"]
    assert described["DeliveryStreamEncryptionConfiguration"]["KeyARN"] == key
    before = len(world.kms.calls)
    with pytest.raises(firehose.exceptions.ResourceInUseException):
        _stream(firehose, key)
    with pytest.raises(firehose.exceptions.ResourceNotFoundException):
        firehose.start_delivery_stream_encryption(
            DeliveryStreamName="none", DeliveryStreamEncryptionConfigurationInput=under
        )  # fmt: skip
    assert len(world.kms.calls) == before


# --- EC2 ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def ec2(world):
    return world.client("ec2")


def volume(ec2, key=None):
    given = {} if key is None else {"KmsKeyId": key}
    return ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, Encrypted=True, **given)["VolumeId"]


def launch(ec2, **disk):
    image = ec2.register_image(Name="app")["ImageId"]
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


def test_starting_an_instance(world, ec2):
    # https://repost.aws/knowledge-center/kms-iam-ec2-permission: "changed from the Pending state to Stopped"
    key = world.kms.create_key()
    instance = launch(ec2, Encrypted=True, KmsKeyId=key.arn)
    plain = launch(ec2)

    def start():
        ec2.stop_instances(InstanceIds=[instance, plain])
        ec2.start_instances(InstanceIds=[instance, plain])
        found = ec2.describe_instances(InstanceIds=[instance, plain])["Reservations"]
        return [each["Instances"][0]["State"]["Name"] for each in found]

    assert start() == ["running", "running"]
    assert [call.operation for call in world.kms.calls[-2:]] == ["CreateGrant", "Decrypt"]
    with world.as_role(world.ALL_BUT_KMS):
        assert start() == ["stopped", "running"]
    world.kms.client().disable_key(KeyId=key.id)
    assert start() == ["stopped", "running"]


def test_volumes_under_a_key_that_an_alias_names(world, ec2):
    # "KmsKeyId: The Amazon Resource Name (ARN) of the KMS key" (Volume); CreateGrant takes no alias
    key = world.kms.create_key(alias="alias/app")
    made = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, Encrypted=True, KmsKeyId="alias/app")
    instance = launch(ec2, Encrypted=True, KmsKeyId="alias/app")
    ec2.attach_volume(VolumeId=made["VolumeId"], InstanceId=instance, Device="/dev/sdc")
    volumes = ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [instance]}])["Volumes"]
    assert [each["KmsKeyId"] for each in (made, *volumes) if each["Encrypted"]] == [key.arn] * 3
    assert len(world.kms.client().list_grants(KeyId=key.id)["Grants"]) == 2


def test_plain_volumes(world, ec2):
    ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)
    launch(ec2)
    assert len(world.kms.calls) == 0
