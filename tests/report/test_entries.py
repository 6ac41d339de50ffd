from __future__ import annotations

from pytest_kmsmock._report.entries import key_entries


def test_a_key_is_called_by_its_alias_else_by_its_description_of_reasonable_length(kms_mock):
    kms_mock.create_key(alias="alias/app", description="not this")
    kms_mock.create_key(description="short")
    kms_mock.create_key(description="é" * 8192)
    kms_mock.create_key()
    names = [entry["name"] for entry in key_entries([kms_mock._core], set())]
    assert names == ["alias/app", "short", f"{'é' * 79}…", ""]
