"""Names of Regions: which one a misspelt name means, and which ones may be new."""

from __future__ import annotations

import re

import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError

from pytest_kmsmock import mock_kms
from pytest_kmsmock.errors import InvalidBacking, InvalidCallPattern, InvalidOption, InvalidSeed

MISSPELT = [
    ("eu-wst-1", "eu-west-1"), ("eu-wesst-1", "eu-west-1"), ("eu-wezt-1", "eu-west-1"), ("eu-wets-1", "eu-west-1"),
    ("us-gov-wst-1", "us-gov-west-1"), ("ap-notheast-2", "ap-northeast-2"),
]  # fmt: skip
#: Another number, area or direction: AWS may open them.
PERHAPS_NEW = ["eu-west-9", "mx-west-1", "sa-west-1", "eu-east-1", "xx-new-1"]


@pytest.mark.parametrize(("name", "meant"), MISSPELT)
def test_a_misspelt_region_is_refused_everywhere(kms_mock, name, meant):
    message = f"unknown Region {name!r}. Did you mean {meant!r}?"
    with pytest.raises(InvalidOption) as option:
        mock_kms(region=name).start()
    assert str(option.value) == f"mock_kms(): {message}"
    for where, call in (("managed_key()", kms_mock.managed_key), ("simulate()", kms_mock.simulate)):
        arguments = ("s3",) if where == "managed_key()" else (None, "kms:ListKeys")
        with pytest.raises(InvalidOption) as option:
            call(*arguments, region=name)
        assert str(option.value) == f"{where}: {message}"
    with pytest.raises(InvalidBacking, match=re.escape(message)):
        kms_mock.key_stores.add_store(region=name)
    with pytest.raises(InvalidCallPattern, match=f"takes the name of a Region.*not '{name}'"):
        kms_mock.calls.in_region(name)
    with pytest.raises(InvalidSeed) as seed:
        kms_mock.create_key(region=name)
    assert str(seed.value) == f"create_key(): {message}"
    client = kms_mock.client(region=name, config=Config(retries={"total_max_attempts": 1}))
    with pytest.raises(EndpointConnectionError, match=f"U{re.escape(message[1:])}$"):
        client.list_keys()


@pytest.mark.parametrize("name", PERHAPS_NEW)
def test_a_region_that_may_be_new_is_accepted(name):
    with mock_kms(region=name) as kms:
        assert kms.client().create_key()["KeyMetadata"]["Arn"].split(":")[3] == name
        assert kms.create_key(region=name).arn.split(":")[3] == name
