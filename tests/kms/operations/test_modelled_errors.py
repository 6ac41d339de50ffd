"""Errors of many operations, for every operation whose API reference lists them.

The requests are made from the service model: what is required, with values that meet all constraints.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from botocore import xform_name
from botocore.client import BaseClient

from pytest_kmsmock._kms.api.service_model import modelled_errors, service_description

MODEL = service_description()
SHAPES: Mapping[str, Mapping[str, Any]] = MODEL["shapes"]
UNKNOWN = "12345678-1234-1234-1234-123456789012"
#: Members that name the key of a request, the one that is looked for first.
KEY_MEMBERS = ("KeyId", "TargetKeyId", "SourceKeyId")
#: Values for texts whose patterns or meanings want more than letters.
TEXTS = {
    "AliasNameType": "alias/a",
    "KeyIdType": UNKNOWN,
    "PolicyNameType": "default",
    "PrincipalIdType": "arn:aws:iam::123456789012:role/app",
    "RegionType": "eu-west-1",
}
#: What RetireGrant needs for a key, which the model cannot say.
MORE = {"RetireGrant": {"GrantId": "0" * 64}, "CreateGrant": {"GranteePrincipal": TEXTS["PrincipalIdType"]}}


def sample(name: str) -> Any:
    shape = SHAPES[name]
    if shape["type"] == "structure":
        return {member: sample(shape["members"][member]["shape"]) for member in shape.get("required", ())}
    if shape["type"] == "list":
        return [sample(shape["member"]["shape"])]
    if shape["type"] == "blob":
        return b"x" * max(shape.get("min", 1), 1)
    if shape["type"] == "integer":
        return shape.get("min", 1)
    return shape["enum"][0] if "enum" in shape else TEXTS.get(name, "x")


def request(operation: str) -> dict[str, Any]:
    members: dict[str, Any] = sample(MODEL["operations"][operation]["input"]["shape"])
    return members | MORE.get(operation, {})


def members_of(operation: str) -> Mapping[str, Any]:
    members: Mapping[str, Any] = SHAPES[MODEL["operations"][operation]["input"]["shape"]]["members"]
    return members


def operations_with(error: str, *members: str) -> list[Any]:
    found = []
    for operation in MODEL["operations"]:
        member = next((name for name in members if name in members_of(operation)), None)
        if member is not None and error in modelled_errors(operation):
            found.append(pytest.param(operation, member, id=f"API: {operation}"))
    return found


def call(client: BaseClient, operation: str, members: Mapping[str, Any]) -> Any:
    return getattr(client, xform_name(operation))(**members)


@pytest.mark.parametrize(("operation", "member"), operations_with("NotFoundException", *KEY_MEMBERS))
def test_a_key_that_does_not_exist(kms_client, refusal, operation, member):
    arn = f"arn:aws:kms:us-east-1:123456789012:key/{UNKNOWN}"
    identifier = arn if operation == "RetireGrant" else UNKNOWN  # AWS: RetireGrant takes key ARNs only
    with refusal("NotFoundException", f"Key '{arn}' does not exist"):
        call(kms_client, operation, request(operation) | {member: identifier})


@pytest.mark.parametrize(("operation", "member"), operations_with("InvalidArnException", *KEY_MEMBERS))
def test_a_malformed_arn(kms_client, refusal, operation, member):
    with refusal("InvalidArnException", "Invalid arn arn:aws:kms:nowhere"):
        call(kms_client, operation, request(operation) | {member: "arn:aws:kms:nowhere"})


@pytest.mark.parametrize(("operation", "member"), operations_with("InvalidGrantTokenException", "GrantTokens"))
def test_an_invalid_grant_token(kms_client, refusal, operation, member):
    key = kms_client.create_key()["KeyMetadata"]["KeyId"]
    keys = {name: key for name in ("KeyId", "SourceKeyId", "DestinationKeyId") if name in members_of(operation)}
    with refusal("InvalidGrantTokenException"):
        call(kms_client, operation, request(operation) | keys | {member: ["none"]})


@pytest.mark.parametrize(("operation", "member"), operations_with("InvalidMarkerException", "Marker"))
def test_an_invalid_marker(kms_client, refusal, operation, member):
    key = {"KeyId": kms_client.create_key()["KeyMetadata"]["KeyId"]} if "KeyId" in members_of(operation) else {}
    retiree = {"RetiringPrincipal": TEXTS["PrincipalIdType"]} if operation == "ListRetirableGrants" else {}
    with refusal("InvalidMarkerException"):
        call(kms_client, operation, request(operation) | key | retiree | {member: "none"})
