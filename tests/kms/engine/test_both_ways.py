"""Calls answered before signing and on the wire have equal results.

Here and not with the tests of the hook, because the request of every operation is prepared in this folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from pytest_kmsmock import mock_kms
from pytest_kmsmock._kms.api.service_model import operation_names

#: What differs from call to call by its nature: ids, random bytes, signatures, ciphertexts, tokens.
MADE_UP = {
    "CiphertextBlob", "PrivateKeyCiphertextBlob", "Plaintext", "PrivateKeyPlaintext", "PublicKey", "Signature",
    "SharedSecret", "SharedSecretCiphertextBlob", "ImportToken", "GrantId", "GrantToken", "CustomKeyStoreId",
    "CurrentKeyMaterialId", "KeyId", "Arn",
}  # fmt: skip
IN_EVERY_CALL = {"RequestId", "x-amzn-requestid"}


def compare(fast: Any, wire: Any, differing: set[str], path: str = "") -> None:
    """Fail unless two answers are the same, member for member and type for type."""
    assert type(fast) is type(wire), path
    if isinstance(fast, Mapping):
        assert list(fast) == list(wire), path  # in the same order, for whoever prints them
        for name in fast:
            if name in differing:
                assert type(fast[name]) is type(wire[name]), f"{path}.{name}"
            else:
                compare(fast[name], wire[name], differing, f"{path}.{name}")
    elif isinstance(fast, list):
        assert len(fast) == len(wire), path
        for number, (one, other) in enumerate(zip(fast, wire, strict=True)):
            compare(one, other, differing, f"{path}[{number}]")
    else:
        assert fast == wire, path
        if isinstance(fast, datetime):
            assert fast.utcoffset() == wire.utcoffset(), path
            assert type(fast.tzinfo) is type(wire.tzinfo), path


def send(call: Any, **changed: Any) -> dict[str, Any]:
    """Make a prepared call with some members changed, or left out by None; return the whole answer."""
    request = {name: value for name, value in (call.request | changed).items() if value is not None}
    return getattr(call.client, xform_name(call.operation))(**request)


@pytest.mark.parametrize("operation", sorted(operation_names()))
def test_answers_are_equal(kms_mock, prepared, operation):
    kms_mock.clock.freeze()  # dates agree
    call = prepared(operation)
    with mock_kms():
        fast = send(call)
    with mock_kms(wire=True):
        wire = send(call)
    makes_up = operation.startswith(
        ("Create", "Encrypt", "ReEncrypt", "Generate", "Sign", "Encapsulate", "GetParameters")
    )
    compare(fast, wire, IN_EVERY_CALL | MADE_UP | {"content-length"} if makes_up else IN_EVERY_CALL)
    assert fast["ResponseMetadata"]["RetryAttempts"] == wire["ResponseMetadata"]["RetryAttempts"] == 0


@pytest.mark.parametrize(
    ("operation", "changed"),
    [
        pytest.param("DescribeKey", {"KeyId": "00000000-0000-4000-8000-000000000000"}, id="modelled"),
        pytest.param("Encrypt", {"Plaintext": b""}, id="not-modelled"),
        pytest.param("Decrypt", {"CiphertextBlob": b"foreign", "KeyId": None}, id="without-text"),
    ],
)
def test_errors_are_equal(kms_mock, prepared, operation, changed):
    kms_mock.clock.freeze()
    call = prepared(operation)
    found = []
    for wire in (False, True):
        with mock_kms(wire=wire), pytest.raises(ClientError) as refused:
            send(call, **changed)
        found.append(refused.value)
    assert type(found[0]) is type(found[1])
    assert str(found[0]) == str(found[1])
    compare(found[0].response, found[1].response, {"RequestId", "x-amzn-requestid"})
