"""Every operation under a KMS key in every situation: what it answers, with the exact code, status and message.

A row is an operation of a service, a column a situation of `conftest.py`: whether the caller may use the key, and
whether the key can be used. What only some services do is tested in the module of the service.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError

from .conftest import ACCOUNT, CONTEXTS, REGION, SITUATIONS

# --- how services word what KMS refuses -----------------------------------------------------------------------------

#: KMS's code -> code, status and message of the service; `*` stands for all other codes.
Answers = Mapping[str, tuple[str, int, str]]

#: What services built on the AWS SDK for Java append. Captured 2026-09.
JAVA = " (Service: AWSKMS; Status Code: 400; Error Code: {code}; Request ID: {id}; Proxy: null)"

#: Recorded 2023-08 to 2026-02; other codes by the same rule.
S3: Answers = {
    "AccessDeniedException": ("AccessDenied", 403, "{message}"),
    "*": ("KMS.{code}", 400, "{message}"),
}
#: Access denied: captured 2026-09; codes: the Smithy model of SQS.
SQS: Answers = {
    "KMSInvalidStateException": ("KMS.InvalidStateException", 400, "{message}" + JAVA),
    "*": ("KMS.{code}", 400, "{message}" + JAVA),
}
#: Captured 2026-09; codes of the service model; for an asymmetric key inferred.
SNS: Answers = {
    "AccessDeniedException": ("KMSAccessDenied", 400, "{message}" + JAVA),
    "DisabledException": ("KMSDisabled", 400, "{message}" + JAVA),
    "NotFoundException": ("KMSNotFound", 400, "{message}" + JAVA),
    "ThrottlingException": ("KMSThrottling", 400, "{message}" + JAVA),
    "*": ("KMSInvalidState", 400, "{message}" + JAVA),
}
_NOT_ALLOWED = ("AccessDeniedException", 400, "Access to KMS is not allowed")
_NO_ENCRYPTION = ("EncryptionFailure", 400, "Secrets Manager can't encrypt the secret value: {message}" + JAVA)
#: Captured 2026-09; of throttling inferred.
SECRET_WRITTEN: Answers = {"AccessDeniedException": _NOT_ALLOWED, "*": _NO_ENCRYPTION}
SECRET_READ: Answers = {
    "AccessDeniedException": _NOT_ALLOWED,
    "*": ("DecryptionFailure", 400, "Secrets Manager can't decrypt the secret value: {message}" + JAVA),
}
#: Captured 2026-09; the message for an asymmetric key is documented, its code and throttling are inferred.
SECRET_KEY: Answers = {
    "AccessDeniedException": _NOT_ALLOWED,
    "DisabledException": (
        "InvalidParameterException", 400, "The operation failed because the specified KMS key is disabled."
    ),
    "InvalidKeyUsageException": (
        "InvalidParameterException", 400, "Cannot generate a data key with an asymmetric KMS key"
    ),
    "ThrottlingException": _NO_ENCRYPTION,
    "*": (
        "InvalidParameterException", 400, "The operation failed because of an invalid KMS key: {message}" + JAVA
    ),
}  # fmt: skip
#: Captured 2026-09; for an asymmetric key and throttling inferred.
SSM: Answers = {
    "AccessDeniedException": ("AccessDeniedException", 400, "{message}" + JAVA),
    "ThrottlingException": ("ThrottlingException", 400, "{message}" + JAVA),
    "*": ("InvalidKeyId", 400, "{message}" + JAVA),
}
_MODEL = "com.amazonaws.services.kms.model"
_DENIED = ("AccessDeniedException", 400, f"KMS key access denied error: {_MODEL}.AWSKMSException: {{message}}" + JAVA)
_DISABLED = f"KMS key disabled error: {_MODEL}.DisabledException: {{message}}" + JAVA
_INVALID = f"KMS validation error: {_MODEL}.{{code}}: {{message}}" + JAVA
_THROTTLED = ("ThrottlingException", 400, "{message}" + JAVA)
#: Access denied: recorded; of UpdateTable: one public document of 2026; of CreateTable and throttling inferred.
TABLE: Answers = {
    "AccessDeniedException": _DENIED,
    "DisabledException": ("ValidationException", 400, _DISABLED),
    "ThrottlingException": _THROTTLED,
    "ValidationException": ("InternalServerError", 500, "Internal server error"),  # of CreateGrant: an asymmetric key
    "*": ("ValidationException", 400, _INVALID),
}
#: Inferred from those.
ITEM: Answers = {
    "AccessDeniedException": _DENIED,
    "DisabledException": ("AccessDeniedException", 400, _DISABLED),
    "ThrottlingException": _THROTTLED,
    "*": ("AccessDeniedException", 400, _INVALID),
}
#: Codes of the service model. The message of an access denial: recorded 2020; an asymmetric key: inferred.
KINESIS: Answers = {
    "InvalidKeyUsageException": ("KMSInvalidStateException", 400, "{message}"),
    "KMSInvalidStateException": ("KMSInvalidStateException", 400, "{message}"),
    "*": ("KMS{code}", 400, "{message}"),
}
#: Code of the service model, message inferred.
FIREHOSE: Answers = {"*": ("InvalidKMSResourceException", 400, "{message}")}
#: Messages: recorded 2018 to 2025 of CreateGrant, inferred of Encrypt.
FUNCTION: Answers = {
    "ThrottlingException": ("TooManyRequestsException", 429, "{message}"),
    "*": (
        "InvalidParameterValueException", 400,
        "Lambda was unable to configure access to your environment variables because the KMS key is invalid for "
        "{operation}. Please check your KMS key settings. KMS Exception: {code} KMS Message: {message}",
    ),
}  # fmt: skip
#: Inferred.
BUS: Answers = {
    "AccessDeniedException": ("AccessDeniedException", 400, "{message}"),
    "ThrottlingException": ("ThrottlingException", 400, "{message}"),
    "*": ("ValidationException", 400, "{message}"),
}
#: Codes of the service model, messages inferred.
MACHINE: Answers = {
    "AccessDeniedException": ("KmsAccessDeniedException", 400, "{message}"),
    "ThrottlingException": ("KmsThrottlingException", 400, "{message}"),
    "*": ("InvalidEncryptionConfiguration", 400, "{message}"),
}
EXECUTION: Answers = {**MACHINE, "*": ("KmsInvalidStateException", 400, "{message}")}
#: Recorded 2019.
RDS: Answers = {
    "*": (
        "KMSKeyNotAccessibleFault", 400,
        "Specified KMS key [{key}] does not exist, is not enabled or you do not have permissions to access it.",
    )
}  # fmt: skip
#: Codes of the service model, messages inferred.
REDSHIFT: Answers = {
    "AccessDeniedException": ("DependentServiceAccessDenied", 403, "{message}"),
    "ThrottlingException": ("DependentServiceRequestThrottlingFault", 400, "{message}"),
    "*": ("InvalidParameterValue", 400, "{message}"),
}
#: Inferred.
EFS: Answers = {"*": ("BadRequest", 400, "{message}")}
#: Code of the service model, message inferred.
ECR: Answers = {"*": ("KmsException", 400, "{message}")}
#: Inferred.
BACKUP: Answers = {"*": ("InvalidParameterValueException", 400, "{message}")}


class Way(NamedTuple):
    """An operation under a key.

    Attributes:
        client: the service, as botocore names it.
        call: calls the operation; what is written takes the key.
        kms: the KMS calls of it.
        answers: what the service answers if KMS refuses one.
        given: makes what has to be there; for what is read under a key.
        there: lists what must be as before when KMS has refused.
        via: the service in `kms:ViaService`, if it is not the client's name.
        brief: whether another row has the same step of the service's table, so that a few situations are enough.
        only_arns: whether the key cannot be named by an alias or its id.
    """

    client: str
    call: Callable[..., object]
    kms: tuple[str, ...]
    answers: Answers
    given: Callable[..., object] = lambda *_: None
    there: Callable[[Any], object] = lambda _: None
    via: str = ""
    brief: bool = False
    only_arns: bool = False


DESCRIBED = ("DescribeKey", "CreateGrant")
DATABASE = ("DescribeKey", "GenerateDataKeyWithoutPlaintext", "CreateGrant")
SENDS = ("GenerateDataKey", "Decrypt")

SSE = {"ServerSideEncryption": "aws:kms"}
OBJECT = {"Bucket": "documents", "Key": "k"}
COPY = {"Bucket": "documents", "Key": "copy", "CopySource": "documents/k"}


def bucket(s3: Any) -> None:
    s3.create_bucket(Bucket="documents")
    s3.put_object(Bucket="documents", Key="plain", Body=b"x")


def stored(s3: Any, key: str) -> None:
    bucket(s3)
    s3.put_object(**OBJECT, Body=b"x", SSEKMSKeyId=key, **SSE)


def begun(s3: Any, key: str) -> None:
    bucket(s3)
    s3.create_multipart_upload(**OBJECT, SSEKMSKeyId=key, **SSE)


def upload(s3: Any) -> dict[str, Any]:
    return {**OBJECT, "UploadId": uploads(s3)[0]}


def uploads(s3: Any) -> list[str]:
    return [each["UploadId"] for each in s3.list_multipart_uploads(Bucket="documents").get("Uploads", ())]


def objects(s3: Any) -> list[str]:
    return [each["Key"] for each in s3.list_objects_v2(Bucket="documents")["Contents"]]


def in_bucket(s3: Any) -> tuple[list[str], list[str]]:
    return objects(s3), uploads(s3)


def complete(s3: Any) -> object:
    s3.upload_part(**upload(s3), PartNumber=1, Body=b"x")
    part = s3.list_parts(**upload(s3))["Parts"][0]
    return s3.complete_multipart_upload(
        **upload(s3), MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    )


def select(s3: Any) -> object:
    return s3.select_object_content(
        **OBJECT, Expression="SELECT * FROM S3Object", ExpressionType="SQL",
        InputSerialization={"JSON": {"Type": "DOCUMENT"}}, OutputSerialization={"JSON": {}},
    )  # fmt: skip


QUEUE = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/orders"


def queue(sqs: Any, key: str) -> None:
    sqs.create_queue(QueueName="orders", Attributes={"KmsMasterKeyId": key})


def sent(sqs: Any, key: str) -> None:
    queue(sqs, key)
    sqs.send_message(QueueUrl=QUEUE, MessageBody="x")


def send(sqs: Any, key: str) -> object:
    queue(sqs, key)
    return sqs.send_message(QueueUrl=QUEUE, MessageBody="x")


def depth(sqs: Any) -> str:
    attributes = sqs.get_queue_attributes(QueueUrl=QUEUE, AttributeNames=["All"])["Attributes"]
    return attributes["ApproximateNumberOfMessages"]


TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:events"


def publish(sns: Any, key: str) -> object:
    sns.create_topic(Name="events", Attributes={"KmsMasterKeyId": key})
    return sns.publish(TopicArn=TOPIC, Message="x")


def publish_batch(sns: Any, key: str) -> object:
    sns.create_topic(Name="events", Attributes={"KmsMasterKeyId": key})
    return sns.publish_batch(TopicArn=TOPIC, PublishBatchRequestEntries=[{"Id": "a", "Message": "x"}])


def secret(client: Any, key: str) -> object:
    return client.create_secret(Name="db", SecretString="s", KmsKeyId=key)


def versions(client: Any) -> list[tuple[str | None, list[str]]]:
    described = [client.describe_secret(SecretId=each["ARN"]) for each in client.list_secrets()["SecretList"]]
    return [(each.get("KmsKeyId"), sorted(each["VersionIdsToStages"])) for each in described]


PARAMETER = {"Name": "/db/password", "Value": "s", "Type": "SecureString"}


def parameters(ssm: Any) -> list[str]:
    return [each["Name"] for each in ssm.describe_parameters()["Parameters"]]


ITEM_1 = {"id": {"S": "1"}}


def table(dynamodb: Any, key: str = "") -> object:
    sse = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key} if key else {"Enabled": False}
    return dynamodb.create_table(
        TableName="orders", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}], SSESpecification=sse,
    )  # fmt: skip


def tables(dynamodb: Any) -> list[object]:
    names = dynamodb.list_tables()["TableNames"]
    return [dynamodb.describe_table(TableName=name)["Table"].get("SSEDescription") for name in names]


def update_table(dynamodb: Any, key: str) -> object:
    sse = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}
    return dynamodb.update_table(TableName="orders", SSESpecification=sse)


STREAM = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/clicks"
RECORD = {"Data": b"x", "PartitionKey": "p"}


def stream(kinesis: Any) -> None:
    kinesis.create_stream(StreamName="clicks", ShardCount=1)


def encrypted(kinesis: Any, key: str) -> Any:
    kinesis.start_stream_encryption(StreamName="clicks", EncryptionType="KMS", KeyId=key)
    return kinesis


def clicked(kinesis: Any, key: str) -> None:
    stream(kinesis)
    encrypted(kinesis, key).put_record(StreamName="clicks", **RECORD)


def get_records(kinesis: Any, **given: str) -> object:
    shard = kinesis.list_shards(StreamName="clicks")["Shards"][0]["ShardId"]
    iterator = kinesis.get_shard_iterator(StreamName="clicks", ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    return kinesis.get_records(ShardIterator=iterator["ShardIterator"], **given)


ROLE = f"arn:aws:iam::{ACCOUNT}:role/worker"
DELIVERY = {"DeliveryStreamName": "s"}


def delivery(firehose: Any, key: str = "") -> object:
    under = {"KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": key}
    return firehose.create_delivery_stream(
        **DELIVERY, **({"DeliveryStreamEncryptionConfigurationInput": under} if key else {}),
        ElasticsearchDestinationConfiguration={  # to which moto delivers nothing
            "RoleARN": ROLE, "DomainARN": f"arn:aws:es:{REGION}:{ACCOUNT}:domain/d", "IndexName": "i",
            "S3Configuration": {"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::b"},
        },
    )  # fmt: skip


def deliveries(firehose: Any) -> list[object]:
    names = firehose.list_delivery_streams()["DeliveryStreamNames"]
    described = [firehose.describe_delivery_stream(DeliveryStreamName=name) for name in names]
    statuses = [each["DeliveryStreamDescription"].get("DeliveryStreamEncryptionConfiguration") for each in described]
    return [None if each is None or each["Status"] == "DISABLED" else each for each in statuses]


def start_encryption(firehose: Any, key: str) -> object:
    under = {"KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": key}
    return firehose.start_delivery_stream_encryption(**DELIVERY, DeliveryStreamEncryptionConfigurationInput=under)


def function(client: Any, key: str = "") -> object:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("main.py", "def handler(event, context): return 1")
    environment = {"KMSKeyArn": key, "Environment": {"Variables": {"A": "b"}}} if key else {}
    return client.create_function(
        FunctionName="worker", Role=ROLE, Runtime="python3.12", Handler="main.handler",
        Code={"ZipFile": file.getvalue()}, **environment,
    )  # fmt: skip


def functions(client: Any) -> list[object]:
    return [each.get("KMSKeyArn") for each in client.list_functions()["Functions"]]


def update_function(client: Any, key: str) -> object:
    return client.update_function_configuration(
        FunctionName="worker", KMSKeyArn=key, Environment={"Variables": {"A": "b"}}
    )


MACHINE_ARN = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:orders"
EXECUTION_ARN = f"arn:aws:states:{REGION}:{ACCOUNT}:execution:orders:first"
DEFINITION = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})


def under(key: str) -> dict[str, Any]:
    return {"encryptionConfiguration": {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": key}}


def machine(states: Any, key: str = "") -> object:
    given = under(key) if key else {}
    return states.create_state_machine(name="orders", definition=DEFINITION, roleArn=ROLE, **given)


def machines(states: Any) -> list[object]:
    arns = [each["stateMachineArn"] for each in states.list_state_machines()["stateMachines"]]
    return [states.describe_state_machine(stateMachineArn=arn).get("encryptionConfiguration") for arn in arns]


def executed(states: Any, key: str) -> None:
    machine(states, key)
    states.start_execution(stateMachineArn=MACHINE_ARN, name="first")


USER = {"MasterUsername": "admin", "MasterUserPassword": "Secret123"}


def database(rds: Any, key: str) -> object:
    return rds.create_db_instance(
        DBInstanceIdentifier="db", DBInstanceClass="db.t3.micro", Engine="postgres", AllocatedStorage=20,
        StorageEncrypted=True, KmsKeyId=key, **USER,
    )  # fmt: skip


def database_cluster(rds: Any, key: str) -> object:
    return rds.create_db_cluster(
        DBClusterIdentifier="db", Engine="aurora-postgresql", StorageEncrypted=True, KmsKeyId=key, **USER
    )


def snapshot(rds: Any) -> None:
    rds.create_db_instance(
        DBInstanceIdentifier="db", DBInstanceClass="db.t3.micro", Engine="postgres", AllocatedStorage=20, **USER
    )
    rds.create_db_snapshot(DBSnapshotIdentifier="s", DBInstanceIdentifier="db")


def copy_snapshot(rds: Any, key: str) -> object:
    return rds.copy_db_snapshot(SourceDBSnapshotIdentifier="s", TargetDBSnapshotIdentifier="copy", KmsKeyId=key)


def warehouse(redshift: Any, key: str) -> object:
    return redshift.create_cluster(
        ClusterIdentifier="dw", NodeType="ra3.large", Encrypted=True, KmsKeyId=key, **USER
    )  # fmt: skip


def repository(ecr: Any, key: str) -> object:
    under = {"encryptionType": "KMS", "kmsKey": key}
    return ecr.create_repository(repositoryName="app", encryptionConfiguration=under)


#: What is written, or configured, under a key that the request or the resource names.
WRITES = {
    "S3 PutObject": Way(
        "s3", lambda c, key: c.put_object(**OBJECT, SSEKMSKeyId=key, **SSE), ("GenerateDataKey",), S3, bucket, in_bucket
    ),
    "S3 CopyObject": Way(
        "s3", lambda c, key: c.copy_object(**OBJECT, CopySource="documents/plain", SSEKMSKeyId=key, **SSE),
        ("GenerateDataKey",), S3, bucket, in_bucket, brief=True,
    ),
    "S3 CreateMultipartUpload": Way(
        "s3", lambda c, key: c.create_multipart_upload(**OBJECT, SSEKMSKeyId=key, **SSE),
        ("GenerateDataKey",), S3, bucket, in_bucket, brief=True,
    ),
    "SQS SendMessage": Way("sqs", send, SENDS, SQS),
    "SNS Publish": Way("sns", publish, SENDS, SNS),
    "SNS PublishBatch": Way("sns", publish_batch, SENDS, SNS, brief=True),
    "Secrets Manager CreateSecret": Way("secretsmanager", secret, (*SENDS, "GenerateDataKey"), SECRET_KEY,
                                        there=versions),
    "Secrets Manager UpdateSecret": Way(
        "secretsmanager", lambda c, key: c.update_secret(SecretId="db", KmsKeyId=key),
        (*SENDS, "Decrypt", "GenerateDataKey"), SECRET_KEY,
        lambda c: c.create_secret(Name="db", SecretString="s"), versions,
    ),
    "SSM PutParameter": Way(
        "ssm", lambda c, key: c.put_parameter(**PARAMETER, KeyId=key), ("Encrypt",), SSM, there=parameters
    ),
    "SSM PutParameter, advanced": Way(
        "ssm", lambda c, key: c.put_parameter(**PARAMETER, KeyId=key, Tier="Advanced"), ("GenerateDataKey",), SSM,
        there=parameters,
    ),
    "DynamoDB CreateTable": Way("dynamodb", table, DESCRIBED, TABLE, there=tables),
    "DynamoDB UpdateTable": Way("dynamodb", update_table, DESCRIBED, TABLE, table, tables),
    "Kinesis PutRecord": Way(
        "kinesis", lambda c, key: encrypted(c, key).put_record(StreamName="clicks", **RECORD), ("GenerateDataKey",),
        KINESIS, stream,
    ),
    "Kinesis PutRecord by ARN": Way(
        "kinesis", lambda c, key: encrypted(c, key).put_record(StreamARN=STREAM, **RECORD), ("GenerateDataKey",),
        KINESIS, stream, brief=True,
    ),
    "Kinesis PutRecords": Way(
        "kinesis", lambda c, key: encrypted(c, key).put_records(StreamName="clicks", Records=[RECORD]),
        ("GenerateDataKey",), KINESIS, stream, brief=True,
    ),
    "Firehose CreateDeliveryStream": Way("firehose", delivery, ("CreateGrant",), FIREHOSE, there=deliveries,
                                         only_arns=True),
    "Firehose StartDeliveryStreamEncryption": Way(
        "firehose", start_encryption, ("CreateGrant",), FIREHOSE, delivery, deliveries, only_arns=True
    ),
    "Lambda CreateFunction": Way("lambda", function, ("Encrypt", "CreateGrant"), FUNCTION, there=functions,
                                 only_arns=True),
    "Lambda UpdateFunctionConfiguration": Way(
        "lambda", update_function, ("Encrypt", "CreateGrant"), FUNCTION, function, functions, only_arns=True
    ),
    "EventBridge CreateEventBus": Way(
        "events", lambda c, key: c.create_event_bus(Name="orders", KmsKeyIdentifier=key),
        ("DescribeKey", "GenerateDataKeyWithoutPlaintext"), BUS,
        there=lambda c: [each["Name"] for each in c.list_event_buses()["EventBuses"]],
    ),
    "Step Functions CreateStateMachine": Way(
        "stepfunctions", machine, ("DescribeKey", "GenerateDataKey"), MACHINE, there=machines, via="states"
    ),
    "Step Functions UpdateStateMachine": Way(
        "stepfunctions", lambda c, key: c.update_state_machine(stateMachineArn=MACHINE_ARN, **under(key)),
        ("DescribeKey", "GenerateDataKey"), MACHINE, machine, machines, via="states",
    ),
    "Step Functions CreateActivity": Way(
        "stepfunctions", lambda c, key: c.create_activity(name="a", **under(key)), ("DescribeKey",), MACHINE,
        there=lambda c: c.list_activities()["activities"], via="states",
    ),
    "RDS CreateDBInstance": Way(
        "rds", database, DATABASE, RDS, there=lambda c: c.describe_db_instances()["DBInstances"]
    ),
    "RDS CreateDBCluster": Way(
        "rds", database_cluster, DATABASE, RDS, there=lambda c: c.describe_db_clusters()["DBClusters"]
    ),
    "RDS CopyDBSnapshot": Way(
        "rds", copy_snapshot, DATABASE, RDS, snapshot,
        lambda c: [each["DBSnapshotIdentifier"] for each in c.describe_db_snapshots()["DBSnapshots"]], brief=True,
    ),
    "Redshift CreateCluster": Way(
        "redshift", warehouse, ("DescribeKey", "GenerateDataKey", "CreateGrant"), REDSHIFT,
        there=lambda c: c.describe_clusters()["Clusters"],
    ),
    "EFS CreateFileSystem": Way(
        "efs", lambda c, key: c.create_file_system(CreationToken="t", Encrypted=True, KmsKeyId=key), DESCRIBED, EFS,
        there=lambda c: c.describe_file_systems()["FileSystems"], via="elasticfilesystem",
    ),
    "ECR CreateRepository": Way(
        "ecr", repository, (*DESCRIBED, "CreateGrant"), ECR, there=lambda c: c.describe_repositories()["repositories"]
    ),
    "Backup CreateBackupVault": Way(
        "backup", lambda c, key: c.create_backup_vault(BackupVaultName="v", EncryptionKeyArn=key), DESCRIBED, BACKUP,
        there=lambda c: c.list_backup_vaults()["BackupVaultList"],
    ),
}  # fmt: skip

#: What is read or written under a key that was usable when the resource was created.
READS = {
    "S3 GetObject": Way("s3", lambda c: c.get_object(**OBJECT), ("Decrypt",), S3, stored),
    "S3 CopyObject": Way("s3", lambda c: c.copy_object(**COPY), ("Decrypt",), S3, stored, in_bucket, brief=True),
    "S3 GetObjectAttributes": Way(
        "s3", lambda c: c.get_object_attributes(**OBJECT, ObjectAttributes=["ETag"]), ("Decrypt",), S3, stored
    ),
    "S3 SelectObjectContent": Way("s3", select, ("Decrypt",), S3, stored, brief=True),
    "S3 UploadPart": Way(
        "s3", lambda c: c.upload_part(**upload(c), PartNumber=1, Body=b"x"), ("Decrypt",), S3, begun
    ),
    "S3 UploadPartCopy": Way(
        "s3", lambda c: c.upload_part_copy(**upload(c), PartNumber=1, CopySource="documents/plain"), ("Decrypt",), S3,
        begun, brief=True,
    ),
    "S3 UploadPartCopy from": Way(
        "s3", lambda c: c.upload_part_copy(
            Bucket="documents", Key="copy", PartNumber=1, CopySource="documents/k",
            UploadId=c.create_multipart_upload(Bucket="documents", Key="copy")["UploadId"],
        ),
        ("Decrypt",), S3, stored, brief=True,
    ),
    "S3 ListParts": Way("s3", lambda c: c.list_parts(**upload(c)), ("Decrypt",), S3, begun, brief=True),
    "S3 CompleteMultipartUpload": Way("s3", complete, ("Decrypt",) * 3, S3, begun, in_bucket, brief=True),
    "SQS ReceiveMessage": Way("sqs", lambda c: c.receive_message(QueueUrl=QUEUE), ("Decrypt",), SQS, sent, depth),
    "SQS SendMessage again": Way(
        "sqs", lambda c: c.send_message(QueueUrl=QUEUE, MessageBody="x"), SENDS, SQS, queue, depth, brief=True
    ),
    "Secrets Manager GetSecretValue": Way(
        "secretsmanager", lambda c: c.get_secret_value(SecretId="db"), ("Decrypt",), SECRET_READ, secret
    ),
    "Secrets Manager PutSecretValue": Way(
        "secretsmanager", lambda c: c.put_secret_value(SecretId="db", SecretString="new"), ("GenerateDataKey",),
        SECRET_WRITTEN, secret, versions,
    ),
    "Secrets Manager UpdateSecret": Way(
        "secretsmanager", lambda c: c.update_secret(SecretId="db", SecretString="new"), ("GenerateDataKey",),
        SECRET_WRITTEN, secret, versions, brief=True,
    ),
    **{
        f"SSM {name}": Way(
            "ssm", read, ("Decrypt",), SSM, lambda c, key: c.put_parameter(**PARAMETER, KeyId=key),
            brief=name != "GetParameter",
        )
        for name, read in {
            "GetParameter": lambda c: c.get_parameter(Name="/db/password", WithDecryption=True),
            "GetParameters": lambda c: c.get_parameters(Names=["/db/password"], WithDecryption=True),
            "GetParametersByPath": lambda c: c.get_parameters_by_path(Path="/db", WithDecryption=True),
            "GetParameterHistory": lambda c: c.get_parameter_history(Name="/db/password", WithDecryption=True),
        }.items()
    },
    "SSM GetParameter, advanced": Way(
        "ssm", lambda c: c.get_parameter(Name="/db/password", WithDecryption=True), ("Decrypt",), SSM,
        lambda c, key: c.put_parameter(**PARAMETER, KeyId=key, Tier="Advanced"), brief=True,
    ),
    **{
        f"DynamoDB {name}": Way("dynamodb", use, ("Decrypt",), ITEM, table, brief=name != "GetItem")
        for name, use in {
            "GetItem": lambda c: c.get_item(TableName="orders", Key=ITEM_1),
            "PutItem": lambda c: c.put_item(TableName="orders", Item=ITEM_1),
            "UpdateItem": lambda c: c.update_item(TableName="orders", Key=ITEM_1, AttributeUpdates={}),
            "DeleteItem": lambda c: c.delete_item(TableName="orders", Key=ITEM_1),
            "Query": lambda c: c.query(
                TableName="orders", KeyConditionExpression="id = :i", ExpressionAttributeValues={":i": {"S": "1"}}
            ),
            "Scan": lambda c: c.scan(TableName="orders"),
            "BatchGetItem": lambda c: c.batch_get_item(RequestItems={"orders": {"Keys": [ITEM_1]}}),
            "BatchWriteItem": lambda c: c.batch_write_item(
                RequestItems={"orders": [{"PutRequest": {"Item": ITEM_1}}]}
            ),
            "TransactGetItems": lambda c: c.transact_get_items(
                TransactItems=[{"Get": {"TableName": "orders", "Key": ITEM_1}}]
            ),
            "TransactWriteItems": lambda c: c.transact_write_items(
                TransactItems=[{"Put": {"TableName": "orders", "Item": ITEM_1}}]
            ),
        }.items()
    },
    "Kinesis GetRecords": Way("kinesis", get_records, ("Decrypt",), KINESIS, clicked),
    "Kinesis GetRecords by ARN": Way(
        "kinesis", lambda c: get_records(c, StreamARN=STREAM), ("Decrypt",), KINESIS, clicked, brief=True
    ),
    "Firehose PutRecord": Way(
        "firehose", lambda c: c.put_record(**DELIVERY, Record={"Data": b"x"}), SENDS, FIREHOSE, delivery
    ),
    "Firehose PutRecordBatch": Way(
        "firehose", lambda c: c.put_record_batch(**DELIVERY, Records=[{"Data": b"x"}]), SENDS, FIREHOSE, delivery,
        brief=True,
    ),
    **{
        f"Step Functions {name}": Way(
            "stepfunctions", read, ("Decrypt",), EXECUTION, executed, via="states", brief=name != "DescribeExecution"
        )
        for name, read in {
            "DescribeStateMachine": lambda c: c.describe_state_machine(stateMachineArn=MACHINE_ARN),
            "DescribeExecution": lambda c: c.describe_execution(executionArn=EXECUTION_ARN),
            "GetExecutionHistory": lambda c: c.get_execution_history(executionArn=EXECUTION_ARN),
        }.items()
    },
}  # fmt: skip


#: Of what a step may lead to: nothing, a denial, a key that cannot be used.
BRIEF = ("allowed", "no identity permission", "disabled")


def cases(ways: Mapping[str, Way], situations: list[str]) -> list[Any]:
    """Return every row in every situation that it can be in."""
    return [
        pytest.param(name, situation, id=f"{name}: {situation}")
        for name, way in ways.items()
        for situation in (BRIEF if way.brief else situations)
        if not (way.only_arns and ("alias" in situation or situation == "by key id"))
        and ("encryption context" not in situation or (way.via or way.client) in CONTEXTS)
    ]


@pytest.fixture(autouse=True)
def role(world: Any) -> None:
    """A role for functions and streams."""
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}  # fmt: skip
    world.client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument=json.dumps(trust))


def check(world: Any, way: Way, case: Any, call: Callable[[], object], client: Any) -> None:
    """Check what an operation answers, which KMS calls were made, and that a refused one changed nothing."""
    refused, before, made = case.refused(*way.kms), way.there(client), len(world.made())
    via = way.via or way.client
    with case.as_role():
        if refused is None:
            call()
            assert world.made()[made:] == [(operation, via) for operation in way.kms]
            return
        with pytest.raises(ClientError) as denied:
            call()
    code, message = case.error(refused)
    answer = way.answers.get(code, way.answers["*"])
    request_id = denied.value.response["ResponseMetadata"]["RequestId"]
    shown = {"code": code, "message": message, "id": request_id, "operation": refused, "key": case.key}
    assert world.error_of(denied) == (answer[0].format(**shown), answer[1], answer[2].format(**shown))
    error = denied.value.response["Error"]
    assert isinstance(denied.value, client.exceptions.from_code(error.get("QueryErrorCode", error["Code"])))
    assert way.there(client) == before


@pytest.mark.parametrize(
    ("name", "situation"), cases(WRITES, [name for name, each in SITUATIONS.items() if each.key is not None])
)
def test_under_a_key_that_is_named(world, name, situation):
    way = WRITES[name]
    client = world.client(way.client)
    way.given(client)
    case = world.writing(situation, way.via or way.client)
    check(world, way, case, lambda: way.call(client, case.key), client)


@pytest.mark.parametrize(
    ("name", "situation"), cases(READS, [name for name, each in SITUATIONS.items() if each.spoil is not None])
)
def test_under_a_key_that_was_usable(world, name, situation):
    way = READS[name]
    client = world.client(way.client)
    key = world.key(situation)
    way.given(client, key)
    case = world.spoil(situation, key, way.via or way.client)
    check(world, way, case, lambda: way.call(client), client)


#: What makes grants for a service -> the names in their encryption context. Documented, but of Firehose and Backup.
GRANTS = {
    "DynamoDB CreateTable": {"aws:dynamodb:tableName", "aws:dynamodb:subscriberId"},
    "Firehose CreateDeliveryStream": set(),
    "RDS CreateDBInstance": {"aws:rds:db-id"},
    "RDS CreateDBCluster": {"aws:rds:db-id"},
    "Redshift CreateCluster": {"aws:redshift:arn", "aws:redshift:createtime"},
    "EFS CreateFileSystem": {"aws:elasticfilesystem:filesystem:id"},
    "ECR CreateRepository": {"aws:ecr:arn"},
    "Backup CreateBackupVault": set(),
}


@pytest.mark.parametrize("name", GRANTS)
def test_grants_for_services(world, name):
    way, key = WRITES[name], world.kms.create_key()
    way.call(world.client(way.client), key.arn)
    for grant in world.kms.client().list_grants(KeyId=key.id)["Grants"]:
        assert grant["GranteePrincipal"] == f"{way.via or way.client}.{REGION}.amazonaws.com"
        assert grant["RetiringPrincipal"] == grant["GranteePrincipal"]
        assert set(grant.get("Constraints", {}).get("EncryptionContextSubset", {})) == GRANTS[name]
