"""aiobotocore: the same mock, awaited."""

from __future__ import annotations

import asyncio
import gc
import json
import os
from importlib.util import find_spec

import anyio
import pytest
import pytest_asyncio
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession, get_session
from botocore import UNSIGNED
from botocore.exceptions import EndpointConnectionError, NoCredentialsError

from pytest_kmsmock import mock_kms
from pytest_kmsmock.errors import InvalidArgument, NotActive

asynchronous = pytest.mark.asyncio
both_ways = pytest.mark.parametrize("wire", [False, True])


@asynchronous
@both_ways
async def test_a_round_trip(wire):
    async with mock_kms(wire=wire), get_session().create_client("kms") as client:
        key_id = (await client.create_key())["KeyMetadata"]["KeyId"]
        blob = (await client.encrypt(KeyId=key_id, Plaintext=b"awaited"))["CiphertextBlob"]
        assert (await client.decrypt(CiphertextBlob=blob))["Plaintext"] == b"awaited"


@asynchronous
async def test_both_ways_give_the_same():
    async def calls(wire: bool) -> list[object]:
        with mock_kms(wire=wire, deterministic=True) as kms:
            async with kms.async_client() as client:
                key_id = (await client.create_key())["KeyMetadata"]["KeyId"]
                results = [
                    await client.describe_key(KeyId=key_id),
                    await client.encrypt(KeyId=key_id, Plaintext=b"x"),
                    await client.disable_key(KeyId=key_id),
                    await client.list_aliases(),
                ]
                with pytest.raises(client.exceptions.DisabledException) as refused:
                    await client.encrypt(KeyId=key_id, Plaintext=b"x")
        return [*results, refused.value.response]

    assert await calls(wire=False) == await calls(wire=True)


@asynchronous
@both_ways
async def test_errors_of_aws(wire, refusal):
    with mock_kms(wire=wire) as kms:
        async with kms.async_client() as client:
            with refusal("NotFoundException", "Invalid keyId 'nobody'"):
                await client.describe_key(KeyId="nobody")


@asynchronous
@both_ways
async def test_an_unsigned_request_has_no_token(wire, refusal):
    with mock_kms(wire=wire) as kms:
        async with kms.async_client(config=AioConfig(signature_version=UNSIGNED)) as client:
            with refusal("MissingAuthenticationTokenException", "Missing Authentication Token"):
                await client.list_keys()


@asynchronous
@both_ways
async def test_credentials_that_a_test_takes_away_are_missing(wire, monkeypatch):
    with mock_kms(wire=wire):
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        async with AioSession().create_client("kms") as client:
            with pytest.raises(NoCredentialsError):
                await client.list_keys()


@asynchronous
@both_ways
async def test_a_cleared_environment_and_a_program_of_a_profile_are_no_way_out(wire, monkeypatch, tmp_path):
    config = tmp_path / "config"
    config.write_text(f"[profile program]\ncredential_process = touch {tmp_path}/ran\n")
    with mock_kms(wire=wire) as kms, monkeypatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_CONFIG_FILE", str(config))
        for session in (AioSession(), AioSession(profile="program")):
            async with session.create_client("kms") as client:
                await client.create_key()
        assert [call.region for call in kms.calls] == ["us-east-1"] * 2
    assert not (tmp_path / "ran").exists()


@asynchronous
@both_ways
async def test_real_credentials_sign_nothing(wire, monkeypatch):
    from botocore import auth

    signed, add_auth = [], auth.SigV4Auth.add_auth

    def watch(self, request):
        signed.append(self.credentials.secret_key)
        add_auth(self, request)

    monkeypatch.setattr(auth.SigV4Auth, "add_auth", watch)
    gc.collect()  # as long as an AWS CLI lives in the process, here one of another test, all calls go by wire
    with mock_kms(wire=wire) as kms:
        async with kms.async_client(aws_access_key_id="AKIAREAL", aws_secret_access_key="real") as client:
            await client.list_keys()
    assert "real" not in signed
    assert len(signed) == wire


@asynchronous
@both_ways
async def test_paginators(wire):
    with mock_kms(wire=wire) as kms:
        async with kms.async_client() as client:
            made = [(await client.create_key())["KeyMetadata"]["KeyId"] for _ in range(5)]
            pages = client.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 2})
            found = [key["KeyId"] async for page in pages for key in page["Keys"]]
    assert sorted(found) == sorted(made)


@both_ways
def test_clients_that_are_older_than_the_package_are_answered(run_python, wire):
    run_python(f"""
        import asyncio, os, sys
        os.environ |= {{"AWS_CONFIG_FILE": "/none", "AWS_SHARED_CREDENTIALS_FILE": "/none"}}
        from aiobotocore.session import get_session

        async def main():
            session = get_session()
            async with session.create_client(
                "kms", region_name="us-east-1", aws_access_key_id="AKIAREAL", aws_secret_access_key="real"
            ) as early:
                assert "pytest_kmsmock" not in sys.modules
                from pytest_kmsmock import mock_kms
                with mock_kms(wire={wire}):
                    await early.create_key()
                    async with session.create_client("kms") as late:
                        assert len((await late.list_keys())["Keys"]) == 1

        asyncio.run(main())
    """)


@asynchronous
async def test_tasks_with_a_mock_each_do_not_see_each_other():
    async def work(number: int) -> int:
        async with mock_kms() as kms, kms.async_client() as client:
            for _ in range(number):
                await client.create_key()
                await asyncio.sleep(0)
            return len((await client.list_keys())["Keys"])

    assert await asyncio.gather(*(work(number) for number in range(8))) == list(range(8))


@pytest.mark.anyio
async def test_tasks_of_anyio_keep_apart_too(anyio_backend):
    async def work(number: int) -> None:
        with mock_kms() as kms:
            for _ in range(number):
                kms.client().create_key()
                await anyio.sleep(0)
            assert len(kms.client().list_keys()["Keys"]) == number

    async with anyio.create_task_group() as group:
        for number in range(5):
            group.start_soon(work, number)


@asynchronous
async def test_tasks_share_the_mock_of_the_test(kms_mock):
    async with kms_mock.async_client() as client:
        made = await asyncio.gather(*(client.create_key() for _ in range(20)))
        assert len({entry["KeyMetadata"]["KeyId"] for entry in made}) == 20
        assert len((await client.list_keys())["Keys"]) == 20


@asynchronous
@mock_kms
async def test_a_decorated_coroutine():
    async with get_session().create_client("kms") as client:
        assert (await client.list_keys())["Keys"] == []


@asynchronous
@pytest.mark.kms_mock(region="eu-west-1")
async def test_a_marked_coroutine():
    async with get_session().create_client("kms") as client:
        assert (await client.create_key())["KeyMetadata"]["Arn"].split(":")[3] == "eu-west-1"


@pytest_asyncio.fixture
async def key_id(kms_mock):
    async with kms_mock.async_client() as client:
        yield (await client.create_key())["KeyMetadata"]["KeyId"]


@asynchronous
async def test_an_asynchronous_fixture(kms_mock, key_id):
    async with kms_mock.async_client() as client:
        assert (await client.describe_key(KeyId=key_id))["KeyMetadata"]["KeyId"] == key_id


@asynchronous
async def test_synchronous_clients_see_the_same_keys(kms_mock, kms_client):
    async with kms_mock.async_client() as client:
        made = (await client.create_key())["KeyMetadata"]["KeyId"]
    assert [key["KeyId"] for key in kms_client.list_keys()["Keys"]] == [made]


@pytest.fixture(params=["asyncio", "trio"] if find_spec("trio") else ["asyncio"])
def anyio_backend(request):
    return request.param


@pytest.mark.anyio
@both_ways
async def test_under_anyio(wire, anyio_backend):
    config = AioConfig()
    if anyio_backend == "trio":  # aiohttp knows asyncio only
        from aiobotocore.httpxsession import HttpxSession

        config = AioConfig(http_session_cls=HttpxSession)
    async with mock_kms(wire=wire) as kms, kms.async_client(config=config) as client:
        await client.create_key()
        assert len((await client.list_keys())["Keys"]) == 1


@asynchronous
async def test_a_client_with_an_endpoint_of_its_own_goes_there(kms_mock, kms_server):
    async with kms_mock.async_client(endpoint_url=kms_server.endpoint_url) as client:
        made = (await client.create_key())["KeyMetadata"]["KeyId"]
    assert [key["KeyId"] for key in kms_mock.client().list_keys()["Keys"]] == [made]


@asynchronous
async def test_outside_a_mock_a_call_goes_on_its_way():
    with mock_kms():
        pass  # the hook is there from now on
    config = AioConfig(connect_timeout=1, retries={"total_max_attempts": 1})
    async with get_session().create_client(
        "kms",
        region_name="us-east-1",
        endpoint_url="http://127.0.0.1:9",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=config,
    ) as client:
        with pytest.raises(EndpointConnectionError):
            await client.list_keys()


@asynchronous
async def test_the_answer_on_the_wire_is_that_of_http(kms_mock):
    seen = []
    with mock_kms(wire=True) as kms:
        async with kms.async_client() as client:
            client.meta.events.register(
                "before-parse.kms.ListKeys", lambda response_dict, **_: seen.append(response_dict["body"])
            )
            await client.list_keys()
    assert json.loads(seen[0]) == {"Keys": [], "Truncated": False}


@asynchronous
async def test_a_misspelt_argument_of_a_client_is_told_with_the_right_one():
    with mock_kms() as kms, pytest.raises(InvalidArgument) as refused:
        kms.async_client(regoin="eu-west-1")
    assert str(refused.value) == "async_client(): unknown argument 'regoin'. Did you mean 'region'?"
    with mock_kms() as kms:
        async with kms.async_client(region_name="eu-west-1") as client:
            assert client.meta.region_name == "eu-west-1"


@asynchronous
async def test_clients_are_made_while_the_mock_is_active():
    with mock_kms() as kms:
        pass
    with pytest.raises(NotActive, match="This mock has ended"):
        kms.async_client()
