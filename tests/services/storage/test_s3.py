"""Amazon S3 with SSE-KMS and DSSE-KMS beside moto.

Codes, statuses and messages: recorded from AWS, 2023 to 2026 (public issues and snapshots); the user guide
https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html.
"""

from __future__ import annotations

import base64
import io
import json
from datetime import timedelta

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from moto import mock_aws

from pytest_kmsmock import mock_kms

SSE = {"ServerSideEncryption": "aws:kms"}


@pytest.fixture
def s3(world):
    client = world.client("s3")
    client.create_bucket(Bucket="documents")
    return client


@pytest.fixture
def key(world):
    return world.kms.create_key(alias="alias/documents")


def put(s3, key=None, name="k", **parameters):
    if key is not None:
        parameters["SSEKMSKeyId"] = getattr(key, "arn", key)
    return s3.put_object(Bucket="documents", Key=name, Body=b"x", **SSE, **parameters)


def context_of(call):
    return call.params["EncryptionContext"]


def arn_of(name="k"):
    return {"aws:s3:arn": f"arn:aws:s3:::documents/{name}"}


def test_nested_either_way(either_world):
    s3 = either_world.client("s3")
    s3.create_bucket(Bucket="documents")
    key = either_world.kms.create_key()
    put(s3, key)
    with either_world.as_role(either_world.ALL_BUT_KMS), pytest.raises(ClientError, match="AccessDenied") as denied:
        s3.get_object(Bucket="documents", Key="k")
    assert "identity-based policy, statement 1: its NotAction" in str(either_world.kms.explain(denied))


def test_a_client_from_before_the_mock():
    with mock_aws():
        early = boto3.client("s3", region_name="us-east-1")
        early.create_bucket(Bucket="documents")
        with mock_kms() as kms, pytest.raises(ClientError, match=r"KMS.NotFoundException.*Invalid keyId 'nope'"):
            put(early, "nope")
        assert not kms.active
        put(early, "nope")  # outside of a mock moto takes what it gets
    assert kms.calls[0].error.code == "NotFoundException"


# --- which key, and what is answered ------------------------------------------------------------------------------


def test_the_managed_key_without_any_permission(world, s3):
    # its key policy lets everybody of the account in, through S3
    with world.as_role(world.ALL_BUT_KMS):
        answer = put(s3)
        assert s3.get_object(Bucket="documents", Key="k")["Body"].read() == b"x"
    assert answer["SSEKMSKeyId"] == world.kms.managed_key("s3")


def test_the_managed_key_is_of_no_use_to_other_accounts(world, s3):
    put(s3)
    stranger = f"arn:aws:iam::{world.OTHER_ACCOUNT}:user/mallory"
    world.kms.iam.attach(stranger, world.EVERYTHING)
    with world.kms.as_principal(stranger), pytest.raises(ClientError) as denied:
        s3.get_object(Bucket="documents", Key="k")
    assert world.error_of(denied) == (
        "AccessDenied", 403,
        f"User: {stranger} is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext "
        + world.OUT_OF_SIGHT,
    )  # fmt: skip


def encrypt_bucket(s3, algorithm="aws:kms", key=None, *, bucket_key=None):
    default = {"SSEAlgorithm": algorithm} | ({} if key is None else {"KMSMasterKeyID": key})
    rule = {"ApplyServerSideEncryptionByDefault": default}
    if bucket_key is not None:
        rule["BucketKeyEnabled"] = bucket_key
    s3.put_bucket_encryption(Bucket="documents", ServerSideEncryptionConfiguration={"Rules": [rule]})


def test_the_default_of_the_bucket(world, s3, key):
    encrypt_bucket(s3, key="alias/documents")
    for answer in (
        s3.put_object(Bucket="documents", Key="k", Body=b"x"),
        s3.create_multipart_upload(Bucket="documents", Key="k"),
        s3.head_object(Bucket="documents", Key="k"),
        s3.get_object(Bucket="documents", Key="k"),
    ):
        assert (answer["ServerSideEncryption"], answer["SSEKMSKeyId"]) == ("aws:kms", key.arn)
    assert world.made() == [("GenerateDataKey", "s3"), ("GenerateDataKey", "s3"), ("Decrypt", "s3")]


def test_a_request_goes_before_the_default_of_the_bucket(world, s3, key):
    encrypt_bucket(s3, key="alias/documents")
    s3.put_object(Bucket="documents", Key="k", Body=b"x", ServerSideEncryption="AES256")
    s3.get_object(Bucket="documents", Key="k")
    assert world.made() == []
    # botocore's service model: without a key id the managed key, also where the bucket's default names another
    assert put(s3)["SSEKMSKeyId"] == world.kms.managed_key("s3")


def test_the_default_of_a_bucket_is_not_looked_at(world, s3):
    # recorded: a key that does not exist is taken, and found out at the first PutObject
    encrypt_bucket(s3, key="alias/typo")
    with pytest.raises(ClientError) as denied:
        s3.put_object(Bucket="documents", Key="k", Body=b"x")
    assert world.error_of(denied) == (
        "KMS.NotFoundException", 400, "Alias arn:aws:kms:us-east-1:123456789012:alias/typo is not found."
    )  # fmt: skip
    with pytest.raises(ClientError) as denied:
        encrypt_bucket(s3, "AES256", "alias/typo")
    assert world.error_of(denied) == (
        "InvalidArgument", 400,
        "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("key_id", "message"),
    [
        ("fake-key-id", "Invalid keyId 'fake-key-id'"),
        ("134f2428-cec1-4b25-a1ae-9048164dba47",
         "Key 'arn:aws:kms:us-east-1:123456789012:key/134f2428-cec1-4b25-a1ae-9048164dba47' does not exist"),
        ("arn:aws:kms:us-west-2:123456789012:key/134f2428-cec1-4b25-a1ae-9048164dba47", "Invalid arn us-west-2"),
    ],
)  # fmt: skip
def test_keys_that_are_not_there(world, s3, key_id, message):
    # recorded 2026-02
    with pytest.raises(ClientError) as denied:
        put(s3, key_id)
    assert world.error_of(denied) == ("KMS.NotFoundException", 400, message)


def test_a_key_of_another_account_that_lets_the_caller_in(world, s3):
    key = world.kms.create_key(
        account=world.OTHER_ACCOUNT, policy=world.key_policy(world.allow(world.ROLE), world.allow(
            f"arn:aws:iam::{world.OTHER_ACCOUNT}:root"))
    )  # fmt: skip
    with world.as_role():
        put(s3, key)
        s3.get_object(Bucket="documents", Key="k")
    world.kms.iam.detach("role/app")
    with world.as_role(world.ALL_BUT_KMS), pytest.raises(ClientError, match="AccessDenied"):
        s3.get_object(Bucket="documents", Key="k")


def test_an_alias_that_leads_elsewhere_changes_nothing_for_what_is_there(world, s3, key):
    put(s3, "alias/documents")
    other = world.kms.create_key()
    world.kms.client().update_alias(AliasName="alias/documents", TargetKeyId=other.id)
    assert s3.get_object(Bucket="documents", Key="k")["SSEKMSKeyId"] == key.arn
    assert put(s3, "alias/documents", "new")["SSEKMSKeyId"] == other.arn


def test_an_alias_is_one_of_the_requester_s_account(world, s3):
    stranger = f"arn:aws:iam::{world.OTHER_ACCOUNT}:user/mallory"
    world.kms.iam.attach(stranger, world.EVERYTHING)
    theirs = world.kms.create_key(alias="alias/documents", account=world.OTHER_ACCOUNT)
    with world.kms.as_principal(stranger):
        assert put(s3, "alias/documents")["SSEKMSKeyId"] == theirs.arn


def test_the_region_of_the_bucket_counts(world):
    s3 = world.client("s3", "eu-west-1")
    s3.create_bucket(Bucket="documents", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    key = world.kms.create_key(region="eu-west-1", policy=world.administered(
        world.allow(world.ROLE, {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}})))  # fmt: skip
    with world.as_role():
        put(s3, key)
        assert s3.get_object(Bucket="documents", Key="k")["SSEKMSKeyId"] == key.arn
    assert {call.region for call in world.kms.calls} == {"eu-west-1"}


def test_a_deleted_key(world, s3, key):
    put(s3, key)
    world.kms.client().schedule_key_deletion(KeyId=key.id, PendingWindowInDays=7)
    world.kms.clock.advance(timedelta(days=8))
    with pytest.raises(ClientError) as denied:
        s3.get_object(Bucket="documents", Key="k")
    assert world.error_of(denied)[:2] == ("AccessDenied", 403)
    assert "kms:Decrypt on the resource associated with this ciphertext" in world.error_of(denied)[2]


# --- encryption context and bucket keys ---------------------------------------------------------------------------


def test_the_encryption_context_is_the_object(world, s3, key):
    put(s3, key)
    s3.get_object(Bucket="documents", Key="k")
    assert [context_of(call) for call in world.kms.calls] == [arn_of(), arn_of()]
    generated, decrypted = world.kms.calls
    assert decrypted.params["CiphertextBlob"] == generated.result["CiphertextBlob"]
    assert generated.params["KeySpec"] == "AES_256"


@pytest.mark.parametrize("by_default", [True, False])
def test_with_a_bucket_key_it_is_the_bucket(world, s3, key, by_default):
    encrypt_bucket(s3, key=key.arn, bucket_key=by_default)
    answers = [put(s3, key, BucketKeyEnabled=not by_default), s3.get_object(Bucket="documents", Key="k")]
    answers += [s3.put_object(Bucket="documents", Key="d", Body=b""), s3.get_object(Bucket="documents", Key="d")]
    assert [answer.get("BucketKeyEnabled", False) for answer in answers] == [not by_default] * 2 + [by_default] * 2
    of_bucket = {"aws:s3:arn": "arn:aws:s3:::documents"}
    contexts = [context_of(call) for call in world.kms.calls]
    assert contexts == ([arn_of()] * 2 + [of_bucket] * 2 if by_default else [of_bucket] * 2 + [arn_of("d")] * 2)


def test_a_policy_for_objects_refuses_once_there_are_bucket_keys(world, s3):
    # a trap of production: the condition names objects, and the context is the bucket's
    condition = {"StringLike": {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::documents/*"}}
    key = world.kms.create_key(policy=world.administered(world.allow(world.ROLE, condition)))
    with world.as_role():
        put(s3, key)
        s3.get_object(Bucket="documents", Key="k")
        with pytest.raises(ClientError, match="no resource-based policy allows the kms:GenerateDataKey action"):
            put(s3, key, BucketKeyEnabled=True)


def test_the_context_of_the_request_is_kept(world, s3, key):
    given = base64.b64encode(json.dumps({"department": "legal"}).encode()).decode()
    assert put(s3, key, SSEKMSEncryptionContext=given)["SSEKMSEncryptionContext"] == given
    s3.get_object(Bucket="documents", Key="k")
    assert context_of(world.kms.calls[-1]) == {"department": "legal", **arn_of()}
    s3.copy_object(Bucket="documents", Key="copy", CopySource={"Bucket": "documents", "Key": "k"},
                   SSEKMSKeyId=key.arn, **SSE)  # fmt: skip
    assert [context_of(call) for call in world.kms.calls[-2:]] == [
        {"department": "legal", **arn_of()}, arn_of("copy")
    ]  # fmt: skip


@pytest.mark.parametrize(
    "given", ["no base64!", base64.b64encode(b"[]").decode(), base64.b64encode(b'{"a":1}').decode()]
)
def test_a_context_that_is_none(world, s3, key, given):
    with pytest.raises(ClientError, match="InvalidArgument"):
        put(s3, key, SSEKMSEncryptionContext=given)
    assert world.made() == []


@pytest.mark.parametrize("algorithm", [{}, {"ServerSideEncryption": "AES256"}])
@pytest.mark.parametrize("operation", ["put_object", "copy_object", "create_multipart_upload"])
def test_a_key_without_sse_kms(world, s3, key, operation, algorithm):
    # aws/aws-cli#1431 and #1660, concourse/s3-resource#61, DyfanJones/s3fs#33 (2024)
    put(s3, key)
    parameters = {"Bucket": "documents", "Key": "new", "SSEKMSKeyId": key.arn} | algorithm
    if operation == "copy_object":
        parameters["CopySource"] = "documents/k"
    before = len(world.kms.calls)
    with pytest.raises(ClientError) as refused:
        getattr(s3, operation)(**parameters)
    assert world.error_of(refused) == (
        "InvalidArgument", 400,
        "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms",
    )  # fmt: skip
    assert refused.value.response["ResponseMetadata"]["RequestId"]
    assert len(world.kms.calls) == before
    assert [each["Key"] for each in s3.list_objects(Bucket="documents")["Contents"]] == ["k"]


def test_dsse(world, s3, key):
    dsse = {"ServerSideEncryption": "aws:kms:dsse", "SSEKMSKeyId": "alias/documents", "BucketKeyEnabled": True}
    written = s3.put_object(Bucket="documents", Key="k", Body=b"x", **dsse)
    read = s3.get_object(Bucket="documents", Key="k")
    for answer in (written, read, s3.head_object(Bucket="documents", Key="k")):
        assert (answer["ServerSideEncryption"], answer["SSEKMSKeyId"]) == ("aws:kms:dsse", key.arn)
        assert "BucketKeyEnabled" not in answer  # "S3 Bucket Keys aren't supported for DSSE-KMS."
    assert [(call.operation, context_of(call)) for call in world.kms.calls] == [
        ("GenerateDataKey", arn_of()), ("Decrypt", arn_of())
    ]  # fmt: skip


# --- other operations ---------------------------------------------------------------------------------------------


def test_no_kms_without_encryption(world, s3):
    s3.put_object(Bucket="documents", Key="k", Body=b"x")
    s3.get_object(Bucket="documents", Key="k")
    s3.head_object(Bucket="documents", Key="k", ChecksumMode="ENABLED")
    s3.copy_object(Bucket="documents", Key="copy", CopySource="documents/k")
    s3.list_objects_v2(Bucket="documents")
    assert len(world.kms.calls) == 0


def test_head_object(world, s3, key):
    put(s3, key)
    with world.as_role(world.ALL_BUT_KMS):
        assert s3.head_object(Bucket="documents", Key="k")["SSEKMSKeyId"] == key.arn
        with pytest.raises(ClientError) as denied:
            s3.head_object(Bucket="documents", Key="k", ChecksumMode="ENABLED")
    assert world.error_of(denied) == ("403", 403, "Forbidden")  # an answer to HEAD has no body


def test_what_does_not_exist_is_told_by_s3(world, s3, key):
    with world.as_role(world.ALL_BUT_KMS):
        for denied_call, code in (
            (lambda: s3.put_object(Bucket="other-bucket", Key="k", SSEKMSKeyId=key.arn, **SSE), "NoSuchBucket"),
            (lambda: s3.get_object(Bucket="documents", Key="none"), "NoSuchKey"),
            (lambda: s3.copy_object(Bucket="documents", Key="k", CopySource="documents/none"), "NoSuchKey"),
            (lambda: s3.copy_object(Bucket="documents", Key="k", CopySource="none-bucket/none"), "NoSuchBucket"),
            (lambda: s3.list_parts(Bucket="documents", Key="k", UploadId="none"), "NoSuchUpload"),
            (lambda: s3.get_object_attributes(Bucket="documents", Key="n", ObjectAttributes=["ETag"]), "NoSuchKey"),
        ):  # fmt: skip
            with pytest.raises(ClientError) as denied:
                denied_call()
            assert denied.value.response["Error"]["Code"] == code
    assert world.made() == []


def test_a_multipart_upload(world, s3, key):
    upload = s3.create_multipart_upload(Bucket="documents", Key="k", SSEKMSKeyId="alias/documents", **SSE)
    here = {"Bucket": "documents", "Key": "k", "UploadId": upload["UploadId"]}
    assert upload["SSEKMSKeyId"] == key.arn
    first = s3.upload_part(**here, PartNumber=1, Body=b"x" * 5 * 2**20)
    put(s3, key, "source")
    second = s3.upload_part_copy(**here, PartNumber=2, CopySource="documents/source")
    s3.list_parts(**here)
    parts = [{"PartNumber": 1, "ETag": first["ETag"]}, {"PartNumber": 2, "ETag": second["CopyPartResult"]["ETag"]}]
    done = s3.complete_multipart_upload(**here, MultipartUpload={"Parts": parts})
    assert done["SSEKMSKeyId"] == key.arn
    assert len(s3.get_object(Bucket="documents", Key="k")["Body"].read()) == 5 * 2**20 + 1
    assert [call.operation for call in world.kms.calls] == [
        "GenerateDataKey", "Decrypt",  # create, upload part
        "GenerateDataKey", "Decrypt", "Decrypt",  # the source; upload part copy: source, upload
        "Decrypt", "Decrypt", "Decrypt",  # list parts, complete, get
    ]  # fmt: skip
    assert {context_of(call)["aws:s3:arn"] for call in world.kms.calls} == {
        "arn:aws:s3:::documents/k", "arn:aws:s3:::documents/source"
    }  # fmt: skip


def test_a_multipart_upload_with_a_bucket_key(world, s3, key):
    # UploadPartOutput, CompleteMultipartUploadOutput: "BucketKeyEnabled: Indicates whether the multipart upload uses an
    # S3 Bucket Key"
    here = {"Bucket": "documents", "Key": "k"}
    here["UploadId"] = s3.create_multipart_upload(**here, SSEKMSKeyId=key.arn, BucketKeyEnabled=True, **SSE)["UploadId"]
    part = s3.upload_part(**here, PartNumber=1, Body=b"x")
    done = s3.complete_multipart_upload(**here, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    read = s3.get_object(Bucket="documents", Key="k")
    assert [each["BucketKeyEnabled"] for each in (part, done, read)] == [True] * 3
    assert {context_of(call)["aws:s3:arn"] for call in world.kms.calls} == {"arn:aws:s3:::documents"}


def test_versions_have_keys_of_their_own(world, s3, key):
    s3.put_bucket_versioning(Bucket="documents", VersioningConfiguration={"Status": "Enabled"})
    old = put(s3, key)["VersionId"]
    put(s3)
    assert s3.get_object(Bucket="documents", Key="k")["SSEKMSKeyId"] == world.kms.managed_key("s3")
    assert s3.get_object(Bucket="documents", Key="k", VersionId=old)["SSEKMSKeyId"] == key.arn
    world.kms.client().disable_key(KeyId=key.id)
    s3.get_object(Bucket="documents", Key="k")
    with pytest.raises(ClientError, match="is disabled"):
        s3.get_object(Bucket="documents", Key="k", VersionId=old)
    with pytest.raises(ClientError, match="is disabled"):
        s3.copy_object(Bucket="documents", Key="c",
                       CopySource={"Bucket": "documents", "Key": "k", "VersionId": old})  # fmt: skip


def test_what_was_written_before_the_mock():
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="documents")
        put(s3, "alias/documents")
        put(s3, "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-4333-8444-555555555555", "gone")
        put(s3, name="managed")
        upload = s3.create_multipart_upload(Bucket="documents", Key="k", SSEKMSKeyId="alias/documents", **SSE)
        with mock_kms() as kms:
            kms.create_key(alias="alias/documents")
            s3.get_object(Bucket="documents", Key="k")
            assert context_of(kms.calls[0]) == arn_of()
            s3.get_object(Bucket="documents", Key="managed")
            with pytest.raises(ClientError, match="AccessDenied"):
                s3.get_object(Bucket="documents", Key="gone")
            s3.upload_part(Bucket="documents", Key="k", UploadId=upload["UploadId"], PartNumber=1, Body=b"x")
            kms.iam.attach("role/app", {"Version": "2012-10-17", "Statement": []} | {
                "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})  # fmt: skip
            with kms.as_principal("role/app"), pytest.raises(ClientError, match="no identity-based policy"):
                s3.get_object(Bucket="documents", Key="k")


def test_s3transfer(world, s3, key):
    body = b"0123456789" * 1_000_000
    s3.upload_fileobj(io.BytesIO(body), "documents", "big",
                      ExtraArgs={"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key.arn})  # fmt: skip
    received = io.BytesIO()
    s3.download_fileobj("documents", "big", received)
    assert received.getvalue() == body
    assert {call.operation for call in world.kms.calls} == {"GenerateDataKey", "Decrypt"}
    with world.as_role(world.ALL_BUT_KMS), pytest.raises(ClientError, match="kms:Decrypt on resource"):
        s3.download_fileobj("documents", "big", io.BytesIO())


def test_a_stubbed_client_is_left_alone(world, key):
    stubbed = world.client("s3")
    with Stubber(stubbed) as stubber:
        answer = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "x"}
        stubber.add_response("put_object", answer)
        stubber.add_response("get_object", answer)
        assert put(stubbed, "nope") == answer
        assert stubbed.get_object(Bucket="documents", Key="k") == answer
    assert world.made() == []


def test_a_test_that_answers_itself_is_left_alone(world, key):
    client = world.client("s3")
    answer = {"Answered": "here"}

    class Ok:
        status_code = 200

    client.meta.events.register("before-call.s3.PutObject", lambda **_: (Ok, answer))
    assert put(client, "nope") == answer
    assert world.made() == []


def test_without_moto(kms_mock):
    # real AWS is not asked about anything, and nobody knows whether an answer is AWS's
    client = boto3.client("s3", region_name="us-east-1")

    class Stop(Exception):
        pass

    def stop(**_):
        raise Stop

    client.meta.events.register("before-sign.s3", stop)
    with pytest.raises(Stop):
        put(client, "nope")
    assert len(kms_mock.calls) == 0


def test_a_path_of_another_host(world, key):
    # such as LocalStack, which has a KMS of its own
    client = world.client("s3", endpoint_url="http://localhost:4566")
    with Stubber(client) as stubber:
        stubber.add_response("put_object", {})
        put(client, "nope")
    assert world.made() == []


# --- signatures ---------------------------------------------------------------------------------------------------

SIGV4_ONLY = "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4."


def test_anonymous_requests(world, s3, key):
    # S3 User Guide: requests for objects under KMS keys must be signed with Signature Version 4
    put(s3, key, ACL="public-read")
    anonymous = world.client("s3", config=Config(signature_version=UNSIGNED))
    with pytest.raises(ClientError) as denied:
        anonymous.get_object(Bucket="documents", Key="k")
    assert world.error_of(denied) == ("InvalidArgument", 400, SIGV4_ONLY)
    assert denied.value.response["Error"]["ArgumentName"] == "Authorization"


# --- faults -------------------------------------------------------------------------------------------------------


def test_kms_that_fails(world, s3, key):
    world.kms.faults.add("GenerateDataKey", error="EndpointConnectionError", times=1)
    with pytest.raises(ClientError, match=r"\(KMS.KMSInternalException\)"):
        put(s3, key)
    put(s3, key)
    world.kms.faults.add("Decrypt", delay=0.01)
    s3.get_object(Bucket="documents", Key="k")
    assert world.kms._core.take_delay() == 0


def test_the_option(world, key):
    for off in ("off", ["off"]):
        with mock_kms(services=off):
            s3 = world.client("s3")
            s3.create_bucket(Bucket="documents")
            put(s3, "nope")
            s3.get_object(Bucket="documents", Key="k")
    with mock_kms(services="s3"), pytest.raises(ClientError, match="NotFoundException"):
        put(s3, "nope")


def test_an_upload_without_a_key(world, s3):
    upload = s3.create_multipart_upload(Bucket="documents", Key="k")["UploadId"]
    here = {"Bucket": "documents", "Key": "k", "UploadId": upload}
    part = s3.upload_part(**here, PartNumber=1, Body=b"x")
    s3.complete_multipart_upload(**here, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    assert world.made() == []
