"""Requests that violate the service model, for every operation, generated from botocore's model.

Texts: the facts of other AWS services and of KMS that are public (`1 validation error detected: Value ... at ...`), the
blob form from moto's test suite against the real KMS.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from types import MappingProxyType

import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError
from botocore.loaders import Loader

from pytest_kmsmock._kms.api import service_model
from pytest_kmsmock._kms.api.errors import KmsError
from pytest_kmsmock._kms.api.service_model import modelled_errors, operation_names
from pytest_kmsmock._kms.api.service_shapes import SERVICE_RANGES
from pytest_kmsmock._kms.api.validation import _map, read_leniently, reader
from pytest_kmsmock._kms.call.operation import OPERATIONS
from pytest_kmsmock._kms.operations import load

load()
MODEL = Loader().load_service_model("kms", "service-2")
SHAPES = MODEL["shapes"]

#: Shape -> the enumeration as AWS's message lists it, where the model has another. Measured on AWS, 2026-09:
#: floci-io/floci#3968 (whose list of signing algorithms names the first, the fourth last and the following).
LISTED = {
    "MacAlgorithmSpec": "HMAC_SHA_384, HMAC_SHA_256, HMAC_SHA_224, HMAC_SHA_512",
    "EncryptionAlgorithmSpec": "RSAES_OAEP_SHA_1, RSAES_OAEP_SHA_256, SM2PKE, SYMMETRIC_DEFAULT",
    "SigningAlgorithmSpec": "RSASSA_PSS_SHA_256, RSASSA_PSS_SHA_384, RSASSA_PSS_SHA_512, RSASSA_PKCS1_V1_5_SHA_256, "
    "RSASSA_PKCS1_V1_5_SHA_384, RSASSA_PKCS1_V1_5_SHA_512, ECDSA_SHA_256, ECDSA_SHA_384, ECDSA_SHA_512, "
    "ED25519_SHA_512, ED25519_PH_SHA_512, SM2DSA, ML_DSA_SHAKE_256",
    "DataKeySpec": "RSA_2048, RSA_3072, RSA_4096, ECC_NIST_P256, ECC_NIST_P384, ECC_NIST_P521, ECC_SECG_P256K1, "
    "ECC_NIST_EDWARDS25519, SYMMETRIC_DEFAULT, HMAC_224, HMAC_256, HMAC_384, HMAC_512, SM2, ML_DSA_44, ML_DSA_65, "
    "ML_DSA_87",
}
#: Shapes that AWS holds to a pattern that its model does not have: the pattern, and the same for Python. Same source.
PATTERNS = {"KeyIdType": (r"^\p{ASCII}+$", r"[\x00-\x7f]+")}

ONE_LETTER = "must satisfy constraint: [Member must have length less than or equal to 1]"

#: A value that satisfies each pattern of the model, by shape.
SAMPLES = {
    "AliasNameType": "alias/a",
    "BackingKeyIdType": "ab" * 32,
    "CloudHsmClusterIdType": "cluster-abcdefgh234",
    "GrantConstraintSourceArnType": "arn:aws:s3:us-east-1:111122223333:bucket",
    "GrantNameType": "grant",
    "KeyMaterialDescriptionType": "material",
    "PolicyNameType": "default",
    "PolicyType": "{}",
    "PrincipalIdType": "arn:aws:iam::111122223333:root",
    "RegionType": "eu-west-1",
    "ServicePrincipalType": "a.amazonaws.com",
    "XksKeyIdType": "key",
    "XksProxyAuthenticationAccessKeyIdType": "A" * 20,
    "XksProxyAuthenticationRawSecretAccessKeyType": "a" * 43,
    "XksProxyUriEndpointType": "https://example.com",
    "XksProxyUriPathType": "/kms/xks/v1",
    "XksProxyVpcEndpointServiceNameType": "com.amazonaws.vpce.eu-west-1.vpce-svc-0a",
    "MarkerType": "marker",
    "AccountIdType": "111122223333",
}


def valid(name: str) -> object:
    """Return a value that the shape allows."""
    shape = SHAPES[name]
    if shape["type"] == "structure":
        return {member: valid(shape["members"][member]["shape"]) for member in shape.get("required", ())}
    if "pattern" in shape:
        return SAMPLES[name]
    if "enum" in shape:
        return shape["enum"][0]
    least = shape.get("min", 0)
    made = {
        "string": "x" * max(least, 1),
        "integer": max(least, 7),
        "boolean": False,
        "timestamp": 1_700_000_000,
        "blob": b"x" * max(least, 1),
        "list": [],
        "map": {},
    }[shape["type"]]
    return [valid(shape["member"]["shape"])] if shape["type"] == "list" and least else made


def texts(name: str) -> list[str]:
    """Return the texts of all constraints of a string, in AWS's order."""
    shape = SHAPES[name]
    found = []
    if "max" in shape:
        found.append(f"Member must have length less than or equal to {shape['max']}")
    if shape.get("min"):
        found.append(f"Member must have length greater than or equal to {shape['min']}")
    if "pattern" in shape:
        found.append(f"Member must satisfy regular expression pattern: {shape['pattern']}")
    if "enum" in shape:
        found.append(f"Member must satisfy enum value set: [{LISTED.get(name, ', '.join(shape['enum']))}]")
    return found


def broken_values(name: str, limits: tuple[int, int] | None) -> Iterator[tuple[object, str, list[str]]]:
    """Yield values that the shape forbids, how AWS shows them, and the texts of what they break."""
    shape = SHAPES[name]
    kind = shape["type"]
    least, most = limits or (shape.get("min"), shape.get("max"))
    if kind == "integer":
        for value, text in (
            (most + 1, f"Member must have value less than or equal to {most}"),
            (least - 1, f"Member must have value greater than or equal to {least}"),
        ):
            yield value, f"Value '{value}'", [text]
    elif kind == "blob":
        if most is not None:
            yield bytes(most + 1), "Value", [f"Member must have length less than or equal to {most}"]
            yield b"", "Value", [f"Member must have length greater than or equal to {least}"]
    elif kind == "list" and most is not None:
        item = valid(shape["member"]["shape"])
        many = [item] * (most + 1)
        yield many, f"Value '[{', '.join(many)}]'", [f"Member must have length less than or equal to {most}"]
        if least:
            yield [], "Value '[]'", [f"Member must have length greater than or equal to {least}"]
    elif kind == "string":
        written, matched = PATTERNS.get(name, (shape.get("pattern"), shape.get("pattern")))
        pattern = re.compile(matched, re.ASCII) if matched else None
        candidates = ["", "\u0100\n", "no-such-value"]
        candidates += ["x" * (most + 1), "0" * (most + 1)] if most is not None else []
        candidates += ["\u0100" * length for length in (least, most) if length]  # not too short, not too long
        for value in candidates:
            broken = []
            if most is not None and len(value) > most:
                broken.append(f"Member must have length less than or equal to {most}")
            if least and len(value) < least:
                broken.append(f"Member must have length greater than or equal to {least}")
            if pattern and not pattern.fullmatch(value):
                broken.append(f"Member must satisfy regular expression pattern: {written}")
            if "enum" in shape and value not in shape["enum"]:
                listed = LISTED.get(name, ", ".join(shape["enum"]))
                broken.append(f"Member must satisfy enum value set: [{listed}]")
            if broken:
                yield value, "Value" if shape.get("sensitive") else f"Value '{value}'", broken


def violations(operation: str) -> Iterator[tuple[dict[str, object], list[str]]]:
    """Yield requests that break the model in one member, and the problems that AWS reports."""

    def structure(name: str, path: str) -> Iterator[tuple[dict[str, object], list[str]]]:
        shape = SHAPES[name]
        base = valid(name)
        assert isinstance(base, dict)
        for member, reference in shape["members"].items():
            label = path + member[0].lower() + member[1:]
            limits = SERVICE_RANGES.get((operation, member)) if not path else None
            for value, problems in broken_member(reference["shape"], label, limits):
                yield base | {member: value}, problems
            if member in shape.get("required", ()):
                without = {other: value for other, value in base.items() if other != member}
                # "KMS hides the value of a sensitive member, even when it is null": floci-io/floci#3968
                shown = "Value" if SHAPES[reference["shape"]].get("sensitive") else "Value null"
                problems = [f"{shown} at '{label}' failed to satisfy constraint: Member must not be null"]
                yield without, problems
                if SHAPES[reference["shape"]]["type"] == "string":  # botocore cannot serialise None for others
                    yield without | {member: None}, problems

    def broken_member(name: str, path: str, limits: tuple[int, int] | None) -> Iterator[tuple[object, list[str]]]:
        shape = SHAPES[name]
        if shape["type"] == "structure":
            yield from structure(name, f"{path}.")
            return
        for value, shown, broken in broken_values(name, limits):
            yield value, [f"{shown} at '{path}' failed to satisfy constraint: {text}" for text in broken]
        if shape["type"] == "list":
            element = shape["member"]["shape"]
            if SHAPES[element]["type"] == "structure":
                for value, problems in structure(element, f"{path}.2.member."):
                    yield [valid(element), value], problems
            else:
                for value, _, _ in broken_values(element, None):
                    problem = f"Member must satisfy constraint: [{', '.join(texts(element))}]"
                    yield [value], [f"Value '[{value}]' at '{path}' failed to satisfy constraint: {problem}"]

    yield from structure(MODEL["operations"][operation]["input"]["shape"], "")


def expected_text(problems: list[str]) -> str:
    count = "1 validation error" if len(problems) == 1 else f"{len(problems)} validation errors"
    return f"{count} detected: {'; '.join(problems)}"


@pytest.fixture
def unchecked_client(kms_mock):
    """A client that sends whatever it is given."""
    return kms_mock.client(config=Config(parameter_validation=False))


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_every_constraint_of_the_model(unchecked_client, operation):
    call = getattr(unchecked_client, xform_name(operation))
    for request, problems in violations(operation):
        with pytest.raises(ClientError) as refused:
            call(**request)
        assert refused.value.response["Error"] == {
            "Code": "ValidationException",
            "Message": expected_text(problems),
        }


def test_every_operation_with_constraints_has_violations():
    """The test above would pass without any."""
    without = {name for name in operation_names() if not list(violations(name))}
    assert without == set()


@pytest.mark.parametrize(
    ("operation", "members", "text"),
    [
        # moto's tests/test_kms/test_kms_encrypt.py, marked aws_verified
        pytest.param(
            "Encrypt",
            {"KeyId": "k", "Plaintext": b""},
            "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1",
            id="moto aws_verified: empty plaintext",
        ),
        pytest.param(
            "Encrypt",
            {"KeyId": "k", "Plaintext": bytes(4097)},
            "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: "
            "Member must have length less than or equal to 4096",
            id="moto aws_verified: plaintext too long",
        ),
        pytest.param(
            "CreateAlias",
            {"AliasName": "alias/ä", "TargetKeyId": ""},
            "3 validation errors detected: Value 'alias/ä' at 'aliasName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$; "
            "Value '' at 'targetKeyId' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1; "
            "Value '' at 'targetKeyId' failed to satisfy constraint: "
            r"Member must satisfy regular expression pattern: ^\p{ASCII}+$",
            id="AWS JSON services: several errors in one message",
        ),
        pytest.param(
            "DescribeKey",
            {"KeyId": ""},
            "2 validation errors detected: Value '' at 'keyId' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1; Value '' at 'keyId' failed to satisfy constraint: "
            r"Member must satisfy regular expression pattern: ^\p{ASCII}+$",
            id="floci#3968: empty key id",
        ),
        pytest.param(
            "DescribeKey",
            {"KeyId": "キー"},
            "1 validation error detected: Value 'キー' at 'keyId' failed to satisfy constraint: "
            r"Member must satisfy regular expression pattern: ^\p{ASCII}+$",
            id="floci#3968: key id with other characters",
        ),
        pytest.param(
            "GenerateDataKey",
            {"KeyId": "k", "KeySpec": "RSA_2048"},
            "1 validation error detected: Value 'RSA_2048' at 'keySpec' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{LISTED['DataKeySpec']}]",
            id="floci#3968: the message lists key specs, and the one given among them",
        ),
        pytest.param(
            "TagResource",
            {"KeyId": "k", "Tags": [{"TagKey": "a", "TagValue": ""}, {"TagKey": "", "TagValue": "x" * 257}]},
            "2 validation errors detected: Value '' at 'tags.2.member.tagKey' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1; "
            f"Value '{'x' * 257}' at 'tags.2.member.tagValue' failed to satisfy constraint: "
            "Member must have length less than or equal to 256",
            id="AWS JSON services: list elements count from 1",
        ),
        pytest.param(
            "TagResource",
            {"KeyId": "k", "Tags": [None]},
            "1 validation error detected: Value null at 'tags.1.member' failed to satisfy constraint: "
            "Member must not be null",
            id="null in a list of structures (B)",
        ),
        pytest.param(
            "UntagResource",
            {"KeyId": "k", "TagKeys": ["a", ""]},
            "1 validation error detected: Value '[a, ]' at 'tagKeys' failed to satisfy constraint: "
            "Member must satisfy constraint: [Member must have length less than or equal to 128, "
            "Member must have length greater than or equal to 1]",
            id="recorded from ACM and Lambda: all constraints of an element",
        ),
        pytest.param(
            "UntagResource",
            {"KeyId": "k", "TagKeys": ["a", None]},
            "1 validation error detected: Value '[a, null]' at 'tagKeys' failed to satisfy constraint: "
            "Member must satisfy constraint: [Member must have length less than or equal to 128, "
            "Member must have length greater than or equal to 1, Member must not be null]",
            id="null in a list of strings: the Lambda form (B)",
        ),
        pytest.param(
            "Encrypt",
            {"KeyId": "k", "Plaintext": b"x", "EncryptionContext": {"a": None}},
            "1 validation error detected: Value '{a=null}' at 'encryptionContext' failed to satisfy constraint: "
            "Map value must satisfy constraint: [Member must not be null]",
            id="recorded from CodePipeline: map values (B for null)",
        ),
        pytest.param(
            "Decrypt",
            {"CiphertextBlob": b"x", "Recipient": {"KeyEncryptionAlgorithm": "RSA", "AttestationDocument": b""}},
            "2 validation errors detected: Value 'RSA' at 'recipient.keyEncryptionAlgorithm' failed to satisfy "
            "constraint: Member must satisfy enum value set: [RSAES_OAEP_SHA_256]; "
            "Value at 'recipient.attestationDocument' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1",
            id="members of members",
        ),
        pytest.param(
            "CreateCustomKeyStore",
            {"CustomKeyStoreName": "store", "KeyStorePassword": "short"},
            "1 validation error detected: Value at 'keyStorePassword' failed to satisfy constraint: "
            "Member must have length greater than or equal to 7",
            id="recorded from Cognito: sensitive values are left out",
        ),
    ],
)
def test_messages_of_violations(operation, members, text):
    with pytest.raises(KmsError) as refused:
        reader(operation)(members)
    assert (refused.value.code, refused.value.message, refused.value.status) == ("ValidationException", text, 400)


@pytest.mark.parametrize(
    ("operation", "member", "least", "most"),
    [
        pytest.param("ScheduleKeyDeletion", "PendingWindowInDays", 7, 30, id="API ScheduleKeyDeletion: 7 to 30"),
        pytest.param("ListAliases", "Limit", 1, 100, id="API ListAliases: 1 to 100"),
        pytest.param("ListGrants", "Limit", 1, 100, id="API ListGrants: 1 to 100"),
        pytest.param("ListRetirableGrants", "Limit", 1, 100, id="API ListRetirableGrants: 1 to 100"),
        pytest.param("ListResourceTags", "Limit", 1, 50, id="API ListResourceTags: 1 to 50"),
        pytest.param("ListKeys", "Limit", 1, 1000, id="API ListKeys: 1 to 1000"),
        pytest.param("ListKeyPolicies", "Limit", 1, 1000, id="API ListKeyPolicies: 1 to 1000"),
        pytest.param("ListKeyRotations", "Limit", 1, 1000, id="API ListKeyRotations: 1 to 1000"),
        pytest.param("EnableKeyRotation", "RotationPeriodInDays", 90, 2560, id="API EnableKeyRotation: 90 to 2560"),
        pytest.param("GenerateDataKey", "NumberOfBytes", 1, 1024, id="API GenerateDataKey: 1 to 1024"),
    ],
)
def test_ranges_of_numbers_are_the_services(operation, member, least, most):
    others = valid(MODEL["operations"][operation]["input"]["shape"])
    assert isinstance(others, dict)
    read = reader(operation)
    for number in (least, most):
        assert read(others | {member: number})[member] == number
    for number, bound in (
        (least - 1, f"greater than or equal to {least}"),
        (most + 1, f"less than or equal to {most}"),
    ):
        with pytest.raises(KmsError) as refused:
            read(others | {member: number})
        label = member[0].lower() + member[1:]
        assert refused.value.message == (
            f"1 validation error detected: Value '{number}' at '{label}' failed to satisfy constraint: "
            f"Member must have value {bound}"
        )


def test_the_documented_ranges_are_all_there():
    """The API reference states the range of each list's `Limit` in prose; read it there."""
    stated = {}
    for name, operation in MODEL["operations"].items():
        members = SHAPES[operation["input"]["shape"]]["members"]
        found = re.search(
            r"must be between (\d+) and (\d+), inclusive", members.get("Limit", {}).get("documentation", "")
        )
        if found and found.groups() != ("1", "1000"):
            stated[name, "Limit"] = (int(found[1]), int(found[2]))
    assert stated == {place: limits for place, limits in SERVICE_RANGES.items() if place[1] == "Limit"}


WRONG_TYPES = [
    # The texts of the JSON reader that AWS's services share, recorded from Cognito, SQS, DynamoDB and Athena.
    pytest.param("DescribeKey", {"KeyId": 5}, "NUMBER_VALUE can not be converted to a String", id="number for text"),
    pytest.param("DescribeKey", {"KeyId": True}, "TRUE_VALUE can not be converted to a String", id="true for text"),
    pytest.param("DescribeKey", {"KeyId": ["a"]}, "Start of list found where not expected", id="list for text"),
    pytest.param(
        "DescribeKey", {"KeyId": {}}, "Start of structure or map found where not expected.", id="object for text"
    ),
    pytest.param("ListKeys", {"Limit": "5"}, "STRING_VALUE can not be converted to an Integer", id="text for number"),
    pytest.param("ListKeys", {"Limit": False}, "FALSE_VALUE can not be converted to an Integer", id="false for number"),
    pytest.param("ListKeys", {"Limit": 1.5}, "NUMBER_VALUE can not be converted to an Integer", id="fraction (B)"),
    pytest.param(
        "CreateKey", {"MultiRegion": 1}, "NUMBER_VALUE can not be converted to a Boolean", id="number for boolean"
    ),
    pytest.param(
        "Encrypt", {"KeyId": "k", "Plaintext": 5}, "NUMBER_VALUE can not be converted to a Blob", id="blob (B)"
    ),
    pytest.param("Encrypt", {"KeyId": "k", "Plaintext": "no base64!"}, "", id="damaged base64 (B)"),
    pytest.param("Encrypt", {"KeyId": "k", "Plaintext": "\u00e9"}, "", id="base64 of other characters (B)"),
    pytest.param("CreateKey", {"Tags": "a"}, "Expected list or null", id="text for list"),
    pytest.param("CreateKey", {"Tags": ["a"]}, "Expected null", id="text for structure"),
    pytest.param(
        "CreateKey", {"Tags": {}}, "Start of structure or map found where not expected.", id="object for list"
    ),
    pytest.param(
        "Encrypt", {"KeyId": "k", "Plaintext": "eA==", "EncryptionContext": "a"}, "Expected null", id="text for map"
    ),
    pytest.param(
        "Encrypt",
        {"KeyId": "k", "Plaintext": "eA==", "EncryptionContext": {"a": 1}},
        "NUMBER_VALUE can not be converted to a String",
        id="number in a map",
    ),
    pytest.param(
        "ImportKeyMaterial",
        {"KeyId": "k", "ImportToken": "eA==", "EncryptedKeyMaterial": "eA==", "ValidTo": "tomorrow"},
        "STRING_VALUE can not be converted to milliseconds since epoch",
        id="text for time",
    ),
    pytest.param(
        "ImportKeyMaterial",
        {"KeyId": "k", "ImportToken": "eA==", "EncryptedKeyMaterial": "eA==", "ValidTo": 1e300},
        "NUMBER_VALUE can not be converted to milliseconds since epoch",
        id="time out of range (B)",
    ),
    pytest.param(
        "ImportKeyMaterial",
        {"KeyId": "k", "ImportToken": "eA==", "EncryptedKeyMaterial": "eA==", "ValidTo": 1e12},
        "NUMBER_VALUE can not be converted to milliseconds since epoch",
        id="time after the year 9999 (B)",
    ),
    pytest.param(
        "ImportKeyMaterial",
        {"KeyId": "k", "ImportToken": "eA==", "EncryptedKeyMaterial": "eA==", "ValidTo": True},
        "TRUE_VALUE can not be converted to milliseconds since epoch",
        id="true for time (B)",
    ),
]


@pytest.mark.parametrize(("operation", "members", "text"), WRONG_TYPES)
def test_wrong_types(operation, members, text):
    with pytest.raises(KmsError) as refused:
        reader(operation)(members)
    assert (refused.value.code, refused.value.message) == ("SerializationException", text)


def test_a_wrong_type_reaches_the_client(unchecked_client, refusal):
    with refusal("SerializationException", "NUMBER_VALUE can not be converted to a String"):
        unchecked_client.describe_key(KeyId=5)


def test_botocore_itself_stops_what_it_can(kms_client):
    with pytest.raises(ParamValidationError):
        kms_client.describe_key()
    with pytest.raises(ParamValidationError):
        kms_client.describe_key(KeyId="")


def test_values_are_read_as_python_values():
    read = reader("ImportKeyMaterial")
    token = base64.b64encode(b"token").decode()
    request = {"KeyId": "k", "ImportToken": token, "EncryptedKeyMaterial": b"bytes", "ValidTo": 1_700_000_000.5}
    assert read(request) == {
        "KeyId": "k",
        "ImportToken": b"token",
        "EncryptedKeyMaterial": b"bytes",
        "ValidTo": datetime(2023, 11, 14, 22, 13, 20, 500_000, timezone.utc),
    }
    moment = datetime(2030, 1, 1, tzinfo=timezone.utc)
    assert read(request | {"ValidTo": moment})["ValidTo"] is moment
    assert reader("Encrypt")({"KeyId": "k", "Plaintext": "eA==", "EncryptionContext": {"a": "b"}})[
        "EncryptionContext"
    ] == {"a": "b"}


def test_calls_of_python_may_have_other_mappings_than_dict():
    context = MappingProxyType({"a": "b"})
    request = MappingProxyType({"KeyId": "k", "Plaintext": b"x", "EncryptionContext": context})
    assert reader("Encrypt")(request) == dict(request)


def test_the_record_of_an_invalid_request_has_converted_values_unless_a_type_is_wrong():
    invalid = {"KeyId": "", "Plaintext": "eA=="}
    assert read_leniently("Encrypt", invalid) == {"KeyId": "", "Plaintext": b"x"}
    mistyped = invalid | {"KeyId": 5}
    assert read_leniently("Encrypt", mistyped) is mistyped


def test_the_order_of_a_request_does_not_change_the_message():
    """JSON objects have no order."""
    messages = set()
    for names in (("AliasName", "TargetKeyId"), ("TargetKeyId", "AliasName")):
        with pytest.raises(KmsError) as refused:
            reader("CreateAlias")(dict.fromkeys(names, ""))
        messages.add(refused.value.message)
    assert len(messages) == 1


def test_a_value_that_the_service_accepts_beside_those_of_the_model():
    # Measured on AWS, 2026-09: floci-io/floci#3968
    request = {"KeyId": "k", "Message": b"x", "SigningAlgorithm": "SYMMETRIC_DEFAULT"}
    assert reader("Sign")(request) == request


def test_unknown_members_are_left_out_and_null_is_absent():
    assert reader("ListKeys")({"Limit": None, "Colour": "blue"}) == {}


def test_the_request_as_a_whole_must_be_an_object():
    with pytest.raises(KmsError) as refused:
        reader("ListKeys")(["Limit"])
    assert refused.value.code == "SerializationException"


def test_patterns_allow_no_trailing_line_feed():
    """Python's `$` would; Java matches the whole text, and only ASCII letters are `\\w`."""
    for name in ("alias/a\n", "alias/é"):
        with pytest.raises(KmsError):
            reader("DeleteAlias")({"AliasName": name})


def test_modelled_errors():
    assert "InvalidArnException" in modelled_errors("DescribeKey")
    assert "InvalidArnException" not in modelled_errors("Encrypt")


@pytest.mark.parametrize(
    ("limited", "texts"),
    [
        (("Map",), ["Member must have length less than or equal to 1"]),
        (("Key",), [f"Map keys {ONE_LETTER}"]),
        (("Value",), [f"Map value {ONE_LETTER}"]),  # recorded from CodePipeline
        (("Key", "Value"), [f"Map keys {ONE_LETTER}", f"Map value {ONE_LETTER}"]),
    ],
)
def test_constraints_of_maps(limited, texts):
    # No map of today's model has any; those of a later one are kept to.
    shapes: dict[str, dict[str, object]] = {
        "Map": {"type": "map", "key": {"shape": "Key"}, "value": {"shape": "Value"}},
        "Key": {"type": "string"},
        "Value": {"type": "string"},
    }
    for name in limited:
        shapes[name]["max"] = 1
    problems: list[str] = []
    _map(shapes, "Map", "Operation.Map")({"a": "b", "cc": "dd"}, "map", problems)
    assert problems == [f"Value '{{a=b, cc=dd}}' at 'map' failed to satisfy constraint: {text}" for text in texts]


def test_extras_of_the_model_are_read_too(monkeypatch, tmp_path):
    """As for clients: botocore merges the extras of a service into its model."""
    folder = tmp_path / "kms" / MODEL["metadata"]["apiVersion"]
    folder.mkdir(parents=True)
    (folder / "service-2.json").write_text(json.dumps(MODEL))  # the installed file is shared by all tests
    extras = {"merge": {"shapes": {"AliasNameType": {"max": 10}}}}
    (folder / "service-2.sdk-extras.json").write_text(json.dumps(extras))
    monkeypatch.setattr(service_model, "data_files", lambda: Loader([str(tmp_path)]))
    described = service_model.service_description.__wrapped__()
    assert described["shapes"]["AliasNameType"]["max"] == 10
    assert described["operations"] == MODEL["operations"]
