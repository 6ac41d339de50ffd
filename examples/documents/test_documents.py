"""What production would have told: the policy of the reader forgets kms:Decrypt. The last test fails, and says so."""

from __future__ import annotations

import documents
import pytest
from moto import mock_aws

pytestmark = pytest.mark.kms_mock(region="eu-central-1")


def allow(*actions: str) -> dict[str, object]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}


@pytest.fixture(autouse=True)
def bucket(kms_mock):
    with mock_aws():
        key = kms_mock.create_key(alias="alias/documents")
        default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key.arn}
        documents.s3().create_bucket(
            Bucket="documents", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )  # fmt: skip
        documents.s3().put_bucket_encryption(Bucket="documents", ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": default}]})  # fmt: skip
        kms_mock.iam.attach("role/writer", allow("s3:*", "kms:GenerateDataKey"))
        kms_mock.iam.attach("role/reader", allow("s3:*"))
        with kms_mock.as_principal("role/writer"):
            documents.store("minutes", "tea at five")
        yield kms_mock


def test_a_reader_with_the_key_reads(bucket):
    bucket.iam.attach("role/reader", allow("kms:Decrypt"))
    with bucket.as_principal("role/reader"):
        assert documents.read("minutes") == "tea at five"


def test_the_reader_reads(bucket):
    with bucket.as_principal("role/reader"):
        assert documents.read("minutes") == "tea at five"
