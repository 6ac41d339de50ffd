"""Presigned URLs of S3 through `requests`: whoever has signed them calls KMS."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import boto3
import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

SSE_HEADERS = {"x-amz-server-side-encryption": "aws:kms"}


@pytest.fixture(params=["virtual", "path"])
def s3(request, world):
    client = world.client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": request.param}))
    client.create_bucket(Bucket="documents")
    return client


@pytest.fixture
def key(world):
    return world.kms.create_key(alias="alias/documents")


def signed_by(world, s3, policy):
    """Return a client of S3 that signs as the role of the application."""
    world.kms.iam.attach("role/app", policy)
    return boto3.client(
        "s3", region_name="us-east-1", config=s3.meta.config, **world.kms.credentials("role/app")
    )  # fmt: skip


def url_of(client, operation, **params):
    return client.generate_presigned_url(operation, Params={"Bucket": "documents", "Key": "a/k ü", **params})


def error_in(answer):
    error = ET.fromstring(answer.content)
    return error.findtext("Code"), answer.status_code, error.findtext("Message")


def put(s3, key):
    s3.put_object(Bucket="documents", Key="a/k ü", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=key.arn)


def test_a_malformed_credential_is_for_s3_to_refuse(s3):
    url = "https://documents.s3.amazonaws.com/a/k?X-Amz-Credential=AKIAIOSFODNN7EXAMPLE"
    assert requests.get(url).status_code in (403, 404)  # moto's answer


def test_both_ways(world, s3, key):
    upload = url_of(s3, "put_object", ServerSideEncryption="aws:kms", SSEKMSKeyId="alias/documents")
    named = {**SSE_HEADERS, "x-amz-server-side-encryption-aws-kms-key-id": "alias/documents"}
    answer = requests.put(upload, data=b"x", headers=named)
    assert (answer.status_code, answer.headers["x-amz-server-side-encryption-aws-kms-key-id"]) == (200, key.arn)
    answer = requests.get(url_of(s3, "get_object"))
    assert (answer.content, answer.headers["x-amz-server-side-encryption-aws-kms-key-id"]) == (b"x", key.arn)
    assert world.made() == [("GenerateDataKey", "s3"), ("Decrypt", "s3")]
    assert s3.get_object(Bucket="documents", Key="a/k ü")["SSEKMSKeyId"] == key.arn
    assert {call.params["EncryptionContext"]["aws:s3:arn"] for call in world.kms.calls} == {
        "arn:aws:s3:::documents/a/k ü"
    }  # fmt: skip


def test_the_signer_is_the_caller(world, s3, key):
    put(s3, key)
    app = signed_by(world, s3, world.ALL_BUT_KMS)
    heard = []
    answer = requests.get(url_of(app, "get_object"), hooks={"response": lambda answer, **_: heard.append(answer)})
    assert error_in(answer) == (
        "AccessDenied", 403,
        f"User: {world.SESSION} is not authorized to perform: kms:Decrypt on resource: {key.arn} because no "
        "identity-based policy allows the kms:Decrypt action",
    )  # fmt: skip
    assert heard == [answer]
    upload = url_of(app, "put_object", ServerSideEncryption="aws:kms", SSEKMSKeyId=key.arn)
    answer = requests.put(upload, data=b"new", headers={
        **SSE_HEADERS, "x-amz-server-side-encryption-aws-kms-key-id": key.arn})  # fmt: skip
    assert error_in(answer)[:2] == ("AccessDenied", 403)
    assert "kms:GenerateDataKey" in answer.text
    assert requests.get(url_of(s3, "get_object")).content == b"x"  # S3 has not acted


@pytest.mark.parametrize(
    ("signed", "sent", "code"),
    [
        ({"ServerSideEncryption": "aws:kms"}, {}, "SignatureDoesNotMatch"),
        ({"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/documents"}, SSE_HEADERS, "SignatureDoesNotMatch"),
        ({}, SSE_HEADERS, "AccessDenied"),
    ],
)
def test_the_headers_are_those_that_were_signed(world, s3, key, signed, sent, code):
    # SigV4: "The signed headers must be included in the request"; x-amz-* headers must be signed
    answer = requests.put(url_of(s3, "put_object", **signed), data=b"x", headers=sent)
    assert error_in(answer)[:2] == (code, 403)
    assert "Contents" not in s3.list_objects_v2(Bucket="documents")
    assert len(world.kms.calls) == 0


def test_what_kms_is_not_asked_for(world, s3, key):
    put(s3, key)
    before = len(world.kms.calls)
    assert requests.get(url_of(s3, "get_object_tagging")).status_code == 200
    assert requests.get(url_of(s3, "get_object", Key="none")).status_code == 404
    assert requests.get(s3.generate_presigned_url("list_objects_v2", Params={"Bucket": "documents"})).status_code == 200
    assert len(world.kms.calls) == before


def test_old_signatures(world, key):
    # the default of boto3 for presigned URLs in us-east-1: AWS refuses them for objects under KMS keys
    s3 = world.client("s3")
    s3.create_bucket(Bucket="documents")
    put(s3, key)
    url = url_of(s3, "get_object")
    assert "AWSAccessKeyId=" in url
    assert error_in(requests.get(url)) == (
        "InvalidArgument", 400,
        "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4.",
    )  # fmt: skip


@pytest.mark.parametrize("endpoint", [{"use_accelerate_endpoint": True}, {"use_dualstack_endpoint": True}])
def test_other_endpoints(world, s3, key, endpoint):
    put(s3, key)
    client = world.client("s3", config=Config(signature_version="s3v4", s3=endpoint))
    world.kms.client().disable_key(KeyId=key.id)
    assert error_in(requests.get(url_of(client, "get_object")))[0] == "KMS.DisabledException"


def test_parts_of_an_upload(world, s3, key):
    upload = s3.create_multipart_upload(
        Bucket="documents", Key="a/k ü", ServerSideEncryption="aws:kms", SSEKMSKeyId=key.arn
    )
    part = {"UploadId": upload["UploadId"], "PartNumber": 1}
    app = signed_by(world, s3, world.ALL_BUT_KMS)
    assert requests.put(url_of(app, "upload_part", **part), data=b"x").status_code == 403
    assert requests.put(url_of(s3, "upload_part", **part), data=b"x").status_code == 200


def test_a_signature_in_the_header(world, s3, key):
    put(s3, key)
    world.kms.iam.attach("role/app", world.ALL_BUT_KMS)
    signer = world.kms.credentials("role/app")
    request = AWSRequest("GET", "https://documents.s3.amazonaws.com/a/k%20%C3%BC")
    SigV4Auth(
        Credentials(signer.access_key_id, signer.secret_access_key, signer.session_token), "s3", "us-east-1"
    ).add_auth(request)  # fmt: skip
    assert error_in(requests.get(request.url, headers=dict(request.headers)))[0] == "AccessDenied"


# --- forms ----------------------------------------------------------------------------------------------------------


def post(client, name="a/k ü", file=("n.txt", b"x"), **fields):
    conditions = [{name: value} for name, value in fields.items()]
    made = client.generate_presigned_post("documents", name, Fields=dict(fields), Conditions=conditions)
    return requests.post(made["url"], data=made["fields"], files={"file": file}, allow_redirects=False)


def under(key):
    return {**SSE_HEADERS, "x-amz-server-side-encryption-aws-kms-key-id": key}


def test_a_form(world, s3, key):
    answer = post(s3, "a/${filename}", **under("alias/documents"))
    assert (answer.status_code, answer.headers["x-amz-server-side-encryption-aws-kms-key-id"]) == (204, key.arn)
    assert world.made() == [("GenerateDataKey", "s3")]
    assert world.kms.calls[0].params["EncryptionContext"] == {"aws:s3:arn": "arn:aws:s3:::documents/a/n.txt"}
    assert s3.get_object(Bucket="documents", Key="a/n.txt")["SSEKMSKeyId"] == key.arn
    assert world.kms.calls[1].params["CiphertextBlob"] == world.kms.calls[0].result["CiphertextBlob"]


def test_a_form_that_kms_refuses(world, s3, key):
    answer = post(signed_by(world, s3, world.ALL_BUT_KMS), **under(key.arn))
    assert error_in(answer) == (
        "AccessDenied", 403,
        f"User: {world.SESSION} is not authorized to perform: kms:GenerateDataKey on resource: {key.arn} because no "
        "identity-based policy allows the kms:GenerateDataKey action",
    )  # fmt: skip
    assert "Contents" not in s3.list_objects_v2(Bucket="documents")


def test_a_form_with_a_bucket_key(world, s3, key):
    post(s3, **under(key.arn), **{"x-amz-server-side-encryption-bucket-key-enabled": "true"})
    assert s3.get_object(Bucket="documents", Key="a/k ü")["BucketKeyEnabled"]
    assert [call.params["EncryptionContext"] for call in world.kms.calls] == [
        {"aws:s3:arn": "arn:aws:s3:::documents"}
    ] * 2


def test_a_form_of_a_bucket_with_a_default(s3, key):
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/documents"}
    s3.put_bucket_encryption(Bucket="documents", ServerSideEncryptionConfiguration={
        "Rules": [{"ApplyServerSideEncryptionByDefault": default}]})  # fmt: skip
    assert post(s3).status_code == 204
    assert s3.get_object(Bucket="documents", Key="a/k ü")["SSEKMSKeyId"] == key.arn


def test_a_form_with_a_redirect(world, s3, key):
    assert post(s3, **under(key.arn), success_action_redirect="https://example.com/done").status_code == 303
    assert s3.get_object(Bucket="documents", Key="a/k ü")["SSEKMSKeyId"] == key.arn
    assert world.made() == [("GenerateDataKey", "s3"), ("Decrypt", "s3")]


def test_forms_without_a_key_and_other_posts(world, s3):
    assert post(s3).status_code == 204
    deleted = b"<Delete><Object><Key>a/k</Key></Object></Delete>"
    assert requests.post("https://s3.amazonaws.com/documents?delete", data=deleted).status_code == 200
    assert len(world.kms.calls) == 0


def test_a_form_whose_file_has_no_name(world, s3, key):
    form = s3.generate_presigned_post("documents", "a/k", Fields=under(key.arn))
    requests.post(form["url"], data=form["fields"], files={"file": (None, b"\xff")})
    assert world.made() == [("GenerateDataKey", "s3")]


def test_a_form_with_an_old_signature(world, key):
    s3 = world.client("s3")
    s3.create_bucket(Bucket="documents")
    assert error_in(post(s3, **under(key.arn)))[:2] == ("InvalidArgument", 400)


def test_answers_that_are_late(world, s3, key):
    put(s3, key)
    world.kms.faults.add("Decrypt", delay=0.01)
    assert requests.get(url_of(s3, "get_object")).content == b"x"
    assert world.kms._core.take_delay() == 0
