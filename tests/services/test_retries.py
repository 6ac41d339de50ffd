"""Retries of requests that KMS refused: botocore's own handlers decide, by the error of the service.

The status 502 of a refused invocation is recorded from AWS Lambda, 2025-02; what is retried is in botocore's
`_retry.json` and `retries/standard.py`.
"""

from __future__ import annotations

import io
import time
import zipfile

import pytest
from botocore.config import Config

from pytest_kmsmock._services import botocore_events


@pytest.fixture
def ssm(world):
    world.key = world.kms.create_key()
    return world.client("ssm")


def put(ssm, world):
    return ssm.put_parameter(Name="p", Value="s", Type="SecureString", KeyId=world.key.arn, Overwrite=True)


def retries_of(answer):
    return answer["ResponseMetadata"]["RetryAttempts"]


def worker(world, **retries):
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("m.py", "def h(*_): ...")
    client = world.client("lambda", config=Config(retries=retries))
    role = world.client("iam").create_role(RoleName="fn", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    key = world.kms.create_key()
    client.create_function(
        FunctionName="worker", Runtime="python3.12", Role=role, Handler="m.h", Code={"ZipFile": code.getvalue()},
        KMSKeyArn=key.arn, Environment={"Variables": {"A": "b"}},
    )  # fmt: skip
    world.kms.client().disable_key(KeyId=key.id)
    return client


@pytest.mark.parametrize(
    ("configured", "retries"),
    [({"mode": "legacy"}, 4), ({"mode": "standard"}, 2), ({"mode": "adaptive"}, 2), ({"total_max_attempts": 1}, 0)],
)
def test_a_refused_invocation(world, configured, retries):
    client = worker(world, **configured)
    with pytest.raises(client.exceptions.KMSDisabledException) as refused:
        client.invoke(FunctionName="worker")
    assert retries_of(refused.value.response) == len(world.kms.faults.backoffs) == retries
    assert len(world.kms.calls.of("Decrypt")) == retries + 1


def test_what_returns_no_error_is_not_retried(world):
    client = worker(world)
    client.invoke(FunctionName="worker", InvocationType="Event")
    assert len(world.kms.calls.of("Decrypt")) == 1


def test_before_and_after_the_service_acts(world, ssm):
    put(ssm, world)
    for operation in ("Encrypt", "Decrypt"):
        world.kms.faults.add(operation, error="ThrottlingException", times=2)
    assert retries_of(put(ssm, world)) == 2
    answer = ssm.get_parameter(Name="p", WithDecryption=True)
    assert (retries_of(answer), answer["Parameter"]["Value"]) == (2, "s")


def test_a_message_is_received_once(world):
    sqs = world.client("sqs")
    url = sqs.create_queue(QueueName="q", Attributes={"KmsMasterKeyId": world.kms.create_key().arn})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="x")
    world.kms.faults.add("Decrypt", error="KMSInternalException", times=1)
    assert len(sqs.receive_message(QueueUrl=url)["Messages"]) == 1
    assert "Messages" not in sqs.receive_message(QueueUrl=url)


def test_backoff_in_real_time(world, ssm, monkeypatch):
    waited = []
    monkeypatch.setattr(time, "sleep", waited.append)
    world.kms.faults.skip_backoff = False
    world.kms.faults.add("Encrypt", error="ThrottlingException", times=2)
    put(ssm, world)
    assert waited == [pytest.approx(sum(world.kms.faults.backoffs))]


async def _handled(*, waits: bool):
    if waits:
        await _Suspended()
    return [(None, 1.5)]


class _Suspended:
    def __await__(self):
        yield


def test_handlers_of_an_asynchronous_client():
    assert botocore_events._at_once(_handled(waits=False)) == [(None, 1.5)]
    assert list(botocore_events._at_once(_handled(waits=True))) == []
