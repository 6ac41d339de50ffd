"""Key identifiers: the forms that each operation accepts, and errors for unknown ones."""

from __future__ import annotations

import pytest
from botocore.loaders import Loader

from pytest_kmsmock._kms.call.operation import OPERATIONS
from pytest_kmsmock._kms.operations import load

load()
MODEL = Loader().load_service_model("kms", "service-2")
ALIASES = "arn:aws:kms:us-east-1:123456789012:alias/"

#: API reference and Developer Guide, "Key identifiers": cryptographic operations, DescribeKey and GetPublicKey take all
#: four forms; all others take key id and key ARN only, and RetireGrant the key ARN.
TAKES_ALIASES = {
    "Decapsulate", "Decrypt", "DeriveSharedSecret", "DescribeKey", "Encapsulate", "Encrypt", "GenerateDataKey",
    "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext", "GenerateDataKeyWithoutPlaintext", "GenerateMac",
    "GetPublicKey", "ReEncrypt", "Sign", "Verify", "VerifyMac",
}  # fmt: skip

#: Operations whose answer has the bare key id (GetKeyLastUsage: as KeyMetadata has it, (B)).
ANSWERS_WITH_ID = {"GetKeyLastUsage"}

#: Every (operation, member that names a key) of the model, with the member's documentation.
NAMES_KEY = {
    (operation, member): reference["documentation"]
    for operation, description in MODEL["operations"].items()
    if operation != "RetireGrant"
    for member, reference in MODEL["shapes"][description["input"]["shape"]]["members"].items()
    if reference["shape"] == "KeyIdType"
}
IDENTIFIED = [pytest.param(*place, id=".".join(place)) for place in NAMES_KEY if place[0] in OPERATIONS]


def test_the_table_agrees_with_the_reference():
    """The documentation of each member lists the forms; GenerateMac and VerifyMac leave them out."""
    documented = {operation for (operation, _), text in NAMES_KEY.items() if "Alias name: <code>alias/" in text}
    assert {"GenerateMac", "VerifyMac"} == TAKES_ALIASES - documented
    assert documented <= TAKES_ALIASES


@pytest.mark.parametrize(("operation", "member"), IDENTIFIED)
@pytest.mark.parametrize("form", ["key id", "key ARN", "alias name", "alias ARN"])
def test_forms_of_key_identifiers(kms_client, prepared, refusal, operation, member, form):
    ready = prepared(operation)
    arn, key_id = ready.key["Arn"], ready.key["KeyId"]
    if ready.client.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"] != "PendingDeletion":
        kms_client.create_alias(AliasName="alias/named", TargetKeyId=key_id)
    identifier = {
        "key id": key_id, "key ARN": arn, "alias name": "alias/named", "alias ARN": f"{ALIASES}named",
    }[form]  # fmt: skip
    request = {member: identifier}
    if "alias" not in form or operation in TAKES_ALIASES:
        answered = ready.call(**request).get("KeyId", arn)
        # Cryptographic operations answer with the ARN, whatever the request had: "Responses that surprise".
        assert answered == (key_id if operation in ANSWERS_WITH_ID else arn)
    elif operation in ("CreateAlias", "UpdateAlias"):
        with refusal("ValidationException", "Aliases must refer to keys. Not aliases"):  # inferred, as moto has it
            ready.call(**request)
    else:
        with refusal("InvalidArnException", "Key Aliases are not supported for this operation."):
            ready.call(**request)


MISSING = "1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.mark.parametrize(
    ("operation", "member"),
    [place for place in IDENTIFIED if place.values[0] not in TAKES_ALIASES and place.values[1] != "TargetKeyId"],
)
def test_unknown_aliases_where_aliases_are_not_supported(prepared, refusal, operation, member):
    """They are not looked up. Recorded: boto/boto#3202, boto/boto#3883, hashicorp/terraform#20813; floci-io/floci#3968.

    Captured from AWS KMS, 2026-09, of the operations on rotation and on multi-Region keys.
    """
    ready = prepared(operation)
    for form in ("alias/nope", f"{ALIASES}nope", "arn:aws:kms:us-east-1:111122223333:alias/nope"):
        with refusal("InvalidArnException", "Key Aliases are not supported for this operation."):
            ready.call(**{member: form})


#: What names nothing -> KMS's message, with its source.
OF_NOTHING = {
    MISSING: f"Key 'arn:aws:kms:us-east-1:123456789012:key/{MISSING}' does not exist",  # boto/botocore#2107
    # boundary-reference-architecture#15
    f"arn:aws:kms:us-east-1:123456789012:key/{MISSING}": (
        f"Key 'arn:aws:kms:us-east-1:123456789012:key/{MISSING}' does not exist"
    ),
    "auto": "Invalid keyId 'auto'",  # cloud-custodian, test_opensearch_serverless_kms_filter
    "mrk-1234": "Invalid keyId 'mrk-1234'",  # too short: floci#3968
    MISSING.replace("-", ""): f"Invalid keyId '{MISSING.replace('-', '')}'",  # floci#3968
    "arn:aws:kms:us-east-1:123456789012:key/foo": "Invalid keyId foo",  # floci#3968
    # floci#3968
    MISSING.upper(): f"Key 'arn:aws:kms:us-east-1:123456789012:key/{MISSING.upper()}' does not exist",
    # another Region: openssl-engine-kms#1
    f"arn:aws:kms:eu-west-1:123456789012:key/{MISSING}": "Invalid arn eu-west-1",
}


@pytest.mark.parametrize(("operation", "member"), IDENTIFIED)
def test_identifiers_of_keys_that_do_not_exist(prepared, refusal, operation, member):
    ready = prepared(operation)
    for identifier, text in OF_NOTHING.items():
        with refusal("NotFoundException", text):
            ready.call(**{member: identifier})


@pytest.mark.parametrize(("operation", "member"), IDENTIFIED)
def test_malformed_arns(prepared, refusal, operation, member):
    """InvalidArnException where the model has it for the operation, else NotFoundException (B)."""
    ready = prepared(operation)
    modelled = {error["shape"] for error in MODEL["operations"][operation]["errors"]}
    code = "InvalidArnException" if "InvalidArnException" in modelled else "NotFoundException"
    for arn in (
        "arn:aws:kms:us-east-1:123456789012:secret/a",
        "arn:aws:iam::123456789012:user/a",
        "arn:aws:kms:nowhere",
        f"arn:aws-cn:kms:us-east-1:123456789012:key/{MISSING}",
    ):
        with refusal(code, f"Invalid arn {arn}"):
            ready.call(**{member: arn})


@pytest.mark.parametrize(("operation", "member"), [place for place in IDENTIFIED if place.values[0] in TAKES_ALIASES])
def test_unknown_aliases(prepared, refusal, operation, member):
    ready = prepared(operation)
    for identifier in ("alias/none", f"{ALIASES}none"):
        with refusal("NotFoundException", f"Alias {ALIASES}none is not found."):  # sigstore/cosign#1474
            ready.call(**{member: identifier})


@pytest.mark.parametrize("form", ["key", "alias"])
def test_keys_of_other_accounts_that_do_not_exist(kms_client, refusal, form):
    """AWS does not tell who may not know. The sentence is recorded: aws-encryption-provider#141."""
    arn = f"arn:aws:kms:us-east-1:111122223333:{form}/{MISSING}"
    text = (
        "User: arn:aws:iam::123456789012:user/Administrator is not authorized to perform: kms:Encrypt on this resource "
        "because the resource does not exist in this Region, no resource-based policies allow access, or a "
        "resource-based policy explicitly denies access"
    )
    with refusal("AccessDeniedException", text):
        kms_client.encrypt(KeyId=arn, Plaintext=b"x")
