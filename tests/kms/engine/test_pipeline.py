"""Common behaviour of all operations: they exist, respond as modelled, and run the same steps in order."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.loaders import Loader

from pytest_kmsmock._kms.api.errors import OPERATION_NOT_IMPLEMENTED, KmsError
from pytest_kmsmock._kms.call.operation import OPERATIONS
from pytest_kmsmock._kms.operations import load
from pytest_kmsmock._kms.state.caller import administrator

load()
MODEL = Loader().load_service_model("kms", "service-2")
SHAPES = MODEL["shapes"]


def check_shape(value: Any, name: str, path: str) -> None:
    """Fail when an answer is not as the model says: a member too many or of the wrong type, a pattern, an enum."""
    shape = SHAPES[name]
    kind = shape["type"]
    if kind == "structure":
        assert value.keys() <= shape["members"].keys(), path
        assert set(shape.get("required", ())) <= value.keys(), path
        for member, item in value.items():
            check_shape(item, shape["members"][member]["shape"], f"{path}.{member}")
        return
    if kind == "list":
        for item in value:
            check_shape(item, shape["member"]["shape"], f"{path}[]")
        return
    types = {"string": str, "integer": int, "boolean": bool, "blob": bytes, "timestamp": datetime}
    assert type(value) is types[kind] or (kind == "timestamp" and isinstance(value, datetime)), path
    size = value if kind == "integer" else len(value) if kind in ("string", "blob") else 0
    assert shape.get("min", size) <= size <= shape.get("max", size), path
    assert "enum" not in shape or value in shape["enum"], path
    assert "pattern" not in shape or re.fullmatch(shape["pattern"], value), path
    assert kind != "timestamp" or getattr(value, "tzinfo", None) is not None, path


@pytest.mark.parametrize("operation", sorted(MODEL["operations"]))
def test_every_operation_answers_as_modelled_or_says_that_it_is_not_built(kms_mock, prepared, refusal, operation):
    if operation not in OPERATIONS:
        unchecked = kms_mock.client(config=Config(parameter_validation=False))
        with refusal("UnknownOperationException", OPERATION_NOT_IMPLEMENTED(operation=operation).message):
            getattr(unchecked, xform_name(operation))()
        return
    answer = prepared(operation).call()
    output = MODEL["operations"][operation].get("output")
    if output is None:
        assert answer == {}
    else:
        check_shape(answer, output["shape"], operation)


def test_no_operation_is_invented():
    assert set(OPERATIONS) <= set(MODEL["operations"])


# --- the order of the steps --------------------------------------------------------------------------------------

MISSING = "1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.fixture
def signing_key(kms_client):
    return kms_client.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]


def test_shape_comes_before_the_key(kms_client, refusal):
    """Facts on key states, section 5: a Decrypt with an empty blob gives ValidationException, whoever asks."""
    with refusal("ValidationException"):
        kms_client.encrypt(KeyId=MISSING, Plaintext=b"")


@pytest.mark.parametrize("end", ["disable_key", "schedule_key_deletion"])
def test_usage_comes_before_state(kms_client, signing_key, refusal, end):
    """Measured on AWS, us-east-1, 2026-09: floci-io/floci#3968, `keyUsageIsCheckedBeforeTheKeyState`.

    The text is also in jonathankeebler/jwt-kms#4.
    """
    arn = signing_key["Arn"]
    getattr(kms_client, end)(KeyId=arn)
    with refusal("InvalidKeyUsageException", f"{arn} key usage is SIGN_VERIFY which is not valid for Encrypt."):
        kms_client.encrypt(KeyId=arn, Plaintext=b"x")


def test_state_comes_before_the_algorithm(kms_client, signing_key, refusal):
    """Captured from AWS KMS, 2026-09."""
    arn = signing_key["Arn"]
    kms_client.disable_key(KeyId=arn)
    with refusal("DisabledException", f"{arn} is disabled."):
        kms_client.sign(KeyId=arn, Message=b"x", SigningAlgorithm="ML_DSA_SHAKE_256")


def test_an_unknown_operation(kms_mock):
    with pytest.raises(KmsError) as refused:
        kms_mock._service.call("MakeCoffee", {}, administrator("123456789012"), "us-east-1")
    assert (refused.value.code, refused.value.message) == ("UnknownOperationException", "")


def test_an_operation_of_a_newer_botocore_is_named(kms_client, refusal, monkeypatch):
    monkeypatch.delitem(OPERATIONS, "ListKeys")
    with refusal("UnknownOperationException", re.compile(".*does not know the KMS operation ListKeys: .*")):
        kms_client.list_keys()


def test_every_call_settles_what_is_due(kms_mock, kms_client, signing_key, refusal):
    kms_client.schedule_key_deletion(KeyId=signing_key["KeyId"], PendingWindowInDays=7)
    kms_mock.clock.advance(days=7)
    with refusal("NotFoundException", f"Key '{signing_key['Arn']}' does not exist"):
        kms_client.describe_key(KeyId=signing_key["KeyId"])
