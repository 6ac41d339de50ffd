"""Asynchronous clients of any principal."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError


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
