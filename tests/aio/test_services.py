"""KMS behind other services for asynchronous clients, beside moto's server."""

from __future__ import annotations

import pytest
from aiobotocore.session import AioSession
from botocore.exceptions import ClientError

from pytest_kmsmock import mock_kms

SSE = {"ServerSideEncryption": "aws:kms"}


@pytest.mark.asyncio
async def test_s3(moto_server):
    with mock_kms(endpoint_urls=moto_server) as kms:
        key = kms.create_key(alias="alias/app")
        async with AioSession().create_client("s3", region_name="us-east-1", endpoint_url=moto_server) as s3:
            await s3.create_bucket(Bucket="documents")
            written = await s3.put_object(Bucket="documents", Key="k", Body=b"x", SSEKMSKeyId="alias/app", **SSE)
            assert written["SSEKMSKeyId"] == key.arn
            read = await s3.get_object(Bucket="documents", Key="k")
            async with read["Body"] as body:
                assert await body.read() == b"x"
            with kms.as_principal("role/app"):
                for refused in (
                    s3.get_object(Bucket="documents", Key="k"),
                    s3.put_object(Bucket="documents", Key="k", Body=b"y", SSEKMSKeyId=key.arn, **SSE),
                ):
                    with pytest.raises(ClientError, match="no identity-based policy allows the kms:"):
                        await refused
            kms.faults.add("Decrypt", delay=0.01)
            kms.faults.add("GenerateDataKey", delay=0.01)
            await s3.put_object(Bucket="documents", Key="k", Body=b"z", SSEKMSKeyId=key.arn, **SSE)
            assert (await s3.get_object(Bucket="documents", Key="k"))["SSEKMSKeyId"] == key.arn
            assert kms._core.take_delay() == 0
