"""aioboto3: the same mock, and its client-side encryption for S3."""

from __future__ import annotations

import base64

import aioboto3
import pytest
from aioboto3.s3.cse import KMSCryptoContext

from pytest_kmsmock import mock_kms


@pytest.mark.asyncio
@pytest.mark.parametrize("wire", [False, True])
async def test_a_round_trip(wire):
    async with mock_kms(wire=wire), aioboto3.Session().client("kms") as client:
        key_id = (await client.create_key())["KeyMetadata"]["KeyId"]
        blob = (await client.encrypt(KeyId=key_id, Plaintext=b"awaited"))["CiphertextBlob"]
        assert (await client.decrypt(CiphertextBlob=blob))["Plaintext"] == b"awaited"


@pytest.mark.asyncio
async def test_data_keys_of_client_side_encryption(kms_mock, kms_client):
    key_id = kms_client.create_key()["KeyMetadata"]["KeyId"]
    context = KMSCryptoContext(keyid=key_id, kms_client_args={"region_name": "us-east-1"})
    await context.setup()
    try:
        key, description, wrapped = await context.get_encryption_aes_key()
        assert len(key) == 32
        assert await context.get_decryption_aes_key(base64.b64decode(wrapped), description) == key
    finally:
        await context.close()
    assert [call.encryption_context for call in kms_mock.calls[1:]] == [{"kms_cmk_id": key_id}] * 2
