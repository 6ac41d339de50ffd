"""Processes that a test starts by spawn or forkserver reach the mock, or are refused; they never reach AWS."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import socket
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.context import BaseContext

import pytest

from pytest_kmsmock import mock_kms
from pytest_kmsmock._runtime import network_guard
from pytest_kmsmock._transport.hooks import child_processes, name_resolution
from pytest_kmsmock.errors import RealKmsConnection

CREATE_KEY = "import boto3; boto3.client('kms', region_name='eu-west-1').create_key(Description='of the child')"


@pytest.fixture(params=["spawn", pytest.param("forkserver", marks=pytest.mark.skipif(os.name != "posix", reason=""))])
def context(request) -> BaseContext:
    return multiprocessing.get_context(request.param)


def run(context: BaseContext, program: str) -> None:
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        pool.submit(exec, program).result()


def test_a_child_does_not_look_up_kms_and_says_what_to_do(context):
    program = "import socket; socket.getaddrinfo('kms.us-east-1.amazonaws.com', 443)"
    with mock_kms(), pytest.raises(RealKmsConnection, match=r"that test .*says_what_to_do.*\n.*share_with_children"):
        run(context, program)


def test_a_child_reaches_the_mock_that_is_shared_with_it(context):
    with mock_kms(share_with_children=True) as kms:
        run(context, CREATE_KEY)
        (call,) = kms.calls
        assert (call.operation, call.region, call.params["Description"]) == ("CreateKey", "eu-west-1", "of the child")


def test_a_child_of_no_mock_is_left_alone(context):
    with mock_kms():
        pass
    run(context, "import sys; assert not any('kmsmock' in name for name in sys.modules), list(sys.modules)")


def test_what_guard_childs_guards_the_process(monkeypatch):
    """As in a child, but here: coverage sees no children."""
    monkeypatch.setattr(network_guard, "parent", None)
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "x")
    with mock_kms():
        sent = pickle.dumps(child_processes._ChildGuard())
    try:
        pickle.loads(sent)
        with pytest.raises(RealKmsConnection, match="A process that test"):
            socket.getaddrinfo("kms.us-east-1.amazonaws.com", 443)
        child_processes.guard_child({"AWS_ENDPOINT_URL_KMS": "http://127.0.0.1:1"}, None)
        assert os.environ["AWS_ENDPOINT_URL_KMS"] == "http://127.0.0.1:1"
    finally:
        name_resolution.restore()
    assert pickle.loads(pickle.dumps(child_processes._ChildGuard())) == {}
