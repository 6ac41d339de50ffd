"""Templates in the shapes that AWS publishes with KMS: nothing of them is unknown, and they decide as AWS says."""

from __future__ import annotations

import pytest
from tests.iac.conftest import ACCOUNT, DATA

from pytest_kmsmock import mock_kms

AWS = sorted((DATA / "aws").iterdir())


@pytest.mark.parametrize("file", AWS, ids=lambda file: file.name)
@pytest.mark.parametrize("region", ["us-east-1", "cn-north-1"])
def test_nothing_is_unknown(file, region):
    if region == "cn-north-1" and ":aws:kms:" in file.read_text():
        return  # it names a key of another partition, which AWS refuses in China
    with mock_kms(seed=file, seed_strict=True, region=region) as kms:
        assert len(kms.keys) == 1
        assert [unknown for unknown in kms._core.deployments[0].unknowns if unknown.decides] == []


def test_the_trail():
    with mock_kms(seed=DATA / "aws" / "trail.yaml") as kms:
        trail = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/account-trail"
        context = {"EncryptionContext": {"aws:cloudtrail:arn": trail}, "KeySpec": "AES_256"}
        key = kms.deployed("TrailKey")
        assert kms.simulate("cloudtrail.amazonaws.com", "kms:GenerateDataKey", key, {"aws:SourceArn": trail}, **context)
        other = trail.replace("account-trail", "other")
        assert not kms.simulate(
            "cloudtrail.amazonaws.com", "kms:GenerateDataKey", key, {"aws:SourceArn": other}, **context
        )
        assert kms.simulate("role/anybody", "kms:Decrypt", key)


def test_replication():
    with mock_kms(seed=DATA / "aws" / "replication.yaml") as kms:
        role, key = kms.deployed("ReplicationRole"), kms.deployed("SourceKey")
        via = {"kms:ViaService": "s3.us-east-1.amazonaws.com"}
        bucket = {"aws:s3:arn": f"arn:aws:s3:::{kms.deployed('Source')}"}
        assert kms.simulate(role, "kms:Decrypt", key, via, EncryptionContext=bucket)
        assert not kms.simulate(role, "kms:Decrypt", key, via, EncryptionContext={"aws:s3:arn": "arn:aws:s3:::other"})
        assert not kms.simulate(role, "kms:Encrypt", key, via, EncryptionContext=bucket)


def test_alarms():
    with mock_kms(seed=DATA / "aws" / "alarms.json") as kms:
        own = {"aws:SourceAccount": ACCOUNT}
        assert kms.simulate("cloudwatch.amazonaws.com", "kms:Decrypt", kms.deployed("Key"), own)
        assert not kms.simulate("cloudwatch.amazonaws.com", "kms:Decrypt", kms.deployed("Key"))
