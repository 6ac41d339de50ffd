"""Asynchronous clients of any principal."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from botocore.exceptions import ClientError

from pytest_kmsmock import mock_kms


@pytest.mark.asyncio
async def test_asynchronous_clients(kms_mock):
    async with kms_mock.async_client(principal="user/alice") as client:
        with pytest.raises(ClientError, match="user/alice is not authorized"):
            await client.list_keys()


@pytest.mark.asyncio
async def test_acting_as_a_principal(kms_mock):
    async with kms_mock.async_client() as client:
        with kms_mock.as_principal("role/app"), pytest.raises(ClientError, match="assumed-role/app/"):
            await client.list_keys()
        await client.list_keys()


@pytest.mark.asyncio
@pytest.mark.parametrize("wire", [False, True])
@pytest.mark.skipif(not find_spec("moto"), reason="moto is not installed")
async def test_access_keys_that_moto_issued(wire):
    import boto3
    from moto import mock_aws

    with mock_aws(), mock_kms(wire=wire) as kms:
        iam, sts = (boto3.client(name, region_name="us-east-1") for name in ("iam", "sts"))
        trust = '{"Version": "2012-10-17", "Statement": []}'
        arn = iam.create_role(RoleName="app", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        issued = sts.assume_role(RoleArn=arn, RoleSessionName="one")["Credentials"]
        names = {
            "aws_access_key_id": issued["AccessKeyId"],
            "aws_secret_access_key": issued["SecretAccessKey"],
            "aws_session_token": issued["SessionToken"],
        }
        async with kms.async_client(**names) as client:
            with pytest.raises(ClientError, match="assumed-role/app/one is not authorized to perform: kms:ListKeys"):
                await client.list_keys()
