from __future__ import annotations

from pytest_kmsmock._report.entries import key_entries


def test_a_key_is_called_by_its_alias_else_by_its_description_of_reasonable_length(kms_mock):
    kms_mock.create_key(alias="alias/app", description="not this")
    kms_mock.create_key(description="short")
    kms_mock.create_key(description="é" * 8192)
    kms_mock.create_key()
    names = [entry["name"] for entry in key_entries([kms_mock._core], set())]
    assert names == ["alias/app", "short", f"{'é' * 79}…", ""]


def test_a_replica_key_is_called_by_the_alias_of_its_primary_key(kms_mock):
    kms_mock.create_key(alias="alias/app", replicas=["eu-west-1"])
    kms_mock.create_key(alias="alias/other", account="111122223333", replicas=["eu-west-1"])
    found = key_entries([kms_mock._core], set())
    assert sorted((entry["arn"].split(":")[3], entry["name"]) for entry in found) == [
        ("eu-west-1", "alias/app"), ("eu-west-1", "alias/other"),
        ("us-east-1", "alias/app"), ("us-east-1", "alias/other"),
    ]  # fmt: skip
