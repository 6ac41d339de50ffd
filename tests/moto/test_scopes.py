"""Mocks of both kinds that end in another order than they began: nothing stays, and who goes on has what it needs."""

from __future__ import annotations

import itertools
import os
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.core import models

from pytest_kmsmock import mock_kms
from pytest_kmsmock._moto import scopes
from pytest_kmsmock._runtime import active_mocks, environment

NAMES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_EC2_METADATA_DISABLED")
USERS = {
    "none": {},
    "half": {"AWS_ACCESS_KEY_ID": "AKIAUSERUSERUSERUSER"},
    "all": {
        "AWS_ACCESS_KEY_ID": "AKIAUSERUSERUSERUSER",
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_DEFAULT_REGION": "sa-east-1",
    },
}
#: Every order in which two mocks of KMS and one of moto can begin and end.
ORDERS = [
    "".join(order)
    for order in sorted(set(itertools.permutations("aAbBmM")))
    if order.index("a") < order.index("b")  # the other half is the same
    and all(order.index(name) < order.index(name.upper()) for name in "abm")
]


@pytest.fixture
def users(monkeypatch, request):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    for name, value in USERS[request.param].items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", "from before")


def process():
    return {name: os.environ.get(name) for name in NAMES}, boto3.DEFAULT_SESSION


@pytest.mark.parametrize(
    ("users", "order"),
    [pytest.param(users, order) for order, users in zip(ORDERS, itertools.cycle(USERS), strict=False)],
    indirect=["users"],
)
def test_whatever_the_order_the_process_is_as_before(users, order):
    before = process()
    mocks: dict[str, Any] = {"a": mock_kms(), "b": mock_kms(region="eu-west-1"), "m": mock_aws()}
    for step in order:
        if step.islower():
            mocks[step].start()
            boto3.DEFAULT_SESSION = f"made in {step}"
        else:
            mocks[step.lower()].stop()
        if active_mocks.is_any_active():
            assert set(NAMES[:3]) <= os.environ.keys()
            assert boto3.DEFAULT_SESSION != "from before"
    assert process() == before
    assert environment._scopes == []


@pytest.mark.parametrize("users", USERS, indirect=True)
def test_moto_that_began_before_anybody_looked(users):
    """As when the first mock of the process begins inside moto."""
    before = process()
    moto, kms = mock_aws(), mock_kms()
    moto.start()
    environment._scopes.clear()
    kms.start()
    boto3.DEFAULT_SESSION = None
    moto.stop()
    assert boto3.client("kms").list_keys()["Keys"] == []
    kms.stop()
    assert process() == before


@pytest.mark.parametrize("users", ["none"], indirect=True)
def test_what_the_test_itself_set_is_not_taken_for_motos(users, monkeypatch):
    kms, moto = mock_kms(region="eu-west-1"), mock_aws()
    kms.start()
    moto.start()
    os.environ["AWS_DEFAULT_REGION"] = "ap-south-1"
    kms.stop()
    moto.stop()
    assert os.environ.pop("AWS_DEFAULT_REGION") == "ap-south-1"


def test_watching_again_changes_nothing():
    with mock_kms():
        before = models.MockAWS.start
        scopes.install(models, pytest.fail, pytest.fail)
    assert models.MockAWS.start is before


@pytest.mark.parametrize("users", ["all"], indirect=True)
def test_moto_in_moto_is_one_scope(users):
    before = process()
    with mock_aws(), mock_kms():
        with mock_aws():
            assert len(environment._scopes) == 2
        assert len(environment._scopes) == 2
    assert process() == before


def test_what_is_changed_between_two_mocks_is_no_matter_of_motos(monkeypatch):
    with mock_kms():
        monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-south-1")
        with mock_kms():
            pass
    assert environment._left == {}
