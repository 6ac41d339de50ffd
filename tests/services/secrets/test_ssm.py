"""SSM Parameter Store with SecureStrings beside moto. Codes and messages: captured from AWS, 2026-09."""

from __future__ import annotations

import base64

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from pytest_kmsmock import mock_kms

ARN = "arn:aws:ssm:us-east-1:123456789012:parameter/db/password"


@pytest.fixture
def ssm(world):
    return world.client("ssm")


def put(ssm, key=None, name="/db/password", **parameters):
    named = {} if key is None else {"KeyId": getattr(key, "arn", key)}
    return ssm.put_parameter(**{"Name": name, "Value": "s", "Type": "SecureString", **named, **parameters})


def get(ssm, name="/db/password", **parameters):
    return ssm.get_parameter(Name=name, **{"WithDecryption": True, **parameters})["Parameter"]["Value"]


def test_nested_either_way(either_world):
    ssm = either_world.client("ssm")
    with pytest.raises(ssm.exceptions.InvalidKeyId, match="alias/none is not found"):
        put(ssm, "alias/none")


def test_without_decryption_there_is_a_ciphertext(world, ssm):
    key = world.kms.create_key()
    put(ssm, key)
    before = len(world.kms.calls)
    with world.as_role(world.ALL_BUT_KMS):  # no permission is needed
        text = get(ssm, WithDecryption=False)
        assert ssm.get_parameters_by_path(Path="/db")["Parameters"][0]["Value"] == text
    assert len(world.kms.calls) == before
    assert text.startswith("AQICAH")
    opened = world.kms.client().decrypt(
        CiphertextBlob=base64.b64decode(text), EncryptionContext={"PARAMETER_ARN": ARN}
    )  # fmt: skip
    assert (opened["Plaintext"], opened["KeyId"]) == (b"s", key.arn)


def test_what_was_put_before_the_mock():
    with mock_aws():
        ssm = boto3.client("ssm", region_name="us-east-1")
        put(ssm, "alias/app")
        put(ssm, name="managed")
        with mock_kms() as kms:
            key = kms.create_key(alias="alias/app")
            assert get(ssm) == "s"
            blob = base64.b64decode(get(ssm, WithDecryption=False))
            assert kms.decrypt(blob, context={"PARAMETER_ARN": ARN}).plaintext == b"s"
            assert get(ssm, "managed") == "s"
            assert [call.key.arn for call in kms.calls] == [key.arn, kms.managed_key("ssm")]


def test_other_types_and_what_ssm_refuses_itself(world, ssm):
    ssm.put_parameter(Name="plain", Value="s", Type="String")
    assert get(ssm, "plain") == "s"
    put(ssm)
    before = len(world.kms.calls)
    with pytest.raises(ssm.exceptions.ParameterAlreadyExists):
        put(ssm, "alias/none")
    with pytest.raises(ssm.exceptions.ParameterNotFound):
        get(ssm, "none")
    ssm.put_parameter(Name="plain", Value="t", Overwrite=True)
    assert len(world.kms.calls) == before


def test_overwriting_without_a_key_takes_the_managed_key(world, ssm):
    # PutParameter: "if you omit it, Parameter Store uses the AWS managed key"
    key = world.kms.create_key()
    put(ssm, key)
    put(ssm, Overwrite=True)
    assert get(ssm) == "s"
    assert world.kms.calls[-1].key.arn == world.kms.managed_key("ssm")
    history = ssm.get_parameter_history(Name="/db/password")["Parameters"]
    assert [entry["KeyId"] for entry in history] == [key.arn, "alias/aws/ssm"]
    ssm.put_parameter(Name="/db/password", Value="t", KeyId=key.arn, Overwrite=True)
    assert world.kms.calls[-1].key.arn == key.arn


LONG, SHORT = "x" * 4097, "x" * 4096


@pytest.mark.parametrize(
    ("first", "then", "operation"),
    [
        ({"Value": SHORT}, {}, "Encrypt"),
        ({"Value": LONG}, {}, "GenerateDataKey"),
        ({"Value": SHORT, "Policies": "[]"}, {}, "GenerateDataKey"),
        ({"Value": LONG, "Tier": "Advanced"}, {"Value": SHORT}, "GenerateDataKey"),
    ],
)
def test_intelligent_tiering(world, ssm, first, then, operation):
    # https://docs.aws.amazon.com/systems-manager/latest/userguide/ps-default-tier.html
    key = world.kms.create_key()
    put(ssm, key, **{"Tier": "Intelligent-Tiering", **first})
    if then:
        put(ssm, key, Tier="Intelligent-Tiering", Overwrite=True, **then)
    assert world.kms.calls[-1].operation == operation
    assert get(ssm) == (first | then)["Value"]


def test_a_standard_parameter_that_is_too_long(world, ssm):
    with pytest.raises(ClientError, match=r"Standard tier parameters support a maximum .* 4096 characters") as refused:
        put(ssm, world.kms.create_key(), Value=LONG)
    assert world.error_of(refused)[:2] == ("ValidationException", 400)
    assert len(world.kms.calls) == 0


def test_names_without_a_slash(world, ssm):
    put(ssm, name="password")
    assert world.kms.calls[-1].params["EncryptionContext"] == {
        "PARAMETER_ARN": "arn:aws:ssm:us-east-1:123456789012:parameter/password"
    }  # fmt: skip


# --- references to secrets ------------------------------------------------------------------------------------------

REFERENCE = "/aws/reference/secretsmanager/db"


@pytest.fixture
def secret(world):
    key = world.kms.create_key()
    secrets = world.client("secretsmanager")
    secrets.create_secret(Name="db", SecretString="old", KmsKeyId=key.arn)
    secrets.put_secret_value(SecretId="db", SecretString="new")
    return key


@pytest.mark.parametrize(("selector", "value"), [("", "new"), (":AWSPREVIOUS", "old")])
def test_a_reference_is_read_through_secrets_manager(world, ssm, secret, selector, value):
    with world.as_role():
        assert get(ssm, REFERENCE + selector) == value
        assert ssm.get_parameters(Names=[REFERENCE], WithDecryption=True)["Parameters"][0]["Value"] == "new"
    call = world.kms.calls[-1]
    assert (call.operation, call.key.arn) == ("Decrypt", secret.arn)
    assert call.params["EncryptionContext"]["SecretARN"].startswith("arn:aws:secretsmanager:us-east-1:123456789012:")
    assert call.caller.via_service("us-east-1") == "secretsmanager.us-east-1.amazonaws.com"
    assert call.caller.called_via == ("ssm.amazonaws.com", "secretsmanager.amazonaws.com")


def test_a_reference_to_a_secret_that_may_not_be_read(world, ssm, secret):
    # the code is documented; the message: measured on AWS, 2026-09, of a secret that is being deleted
    put(ssm, secret)
    with world.as_role(world.ALL_BUT_KMS):
        with pytest.raises(ClientError) as denied:
            get(ssm, REFERENCE)
        answer = ssm.get_parameters(Names=[REFERENCE], WithDecryption=True)
    assert world.error_of(denied) == ("ValidationException", 400, "Invalid Request to Secrets Manager")
    assert (answer["Parameters"], answer["InvalidParameters"]) == ([], [REFERENCE])
    assert "kms:Decrypt" in str(world.kms.explain(denied))


def test_a_reference_to_a_secret_whose_key_was_changed(world, ssm, secret):
    new = world.kms.create_key()
    world.client("secretsmanager").update_secret(SecretId="db", KmsKeyId=new.arn)
    world.kms.client().disable_key(KeyId=new.id)
    assert get(ssm, REFERENCE) == "new"
    assert world.kms.calls[-1].key.arn == secret.arn


def test_references_that_lead_nowhere(world, ssm, secret):
    before = len(world.kms.calls)
    for name in ("/aws/reference/secretsmanager/none", f"{REFERENCE}:NONE"):
        with pytest.raises(ClientError):
            get(ssm, name)
    with pytest.raises(ClientError, match="WithDecryption flag must be True"):
        get(ssm, REFERENCE, WithDecryption=False)
    assert len(world.kms.calls) == before
    for names, decrypted in (([REFERENCE], False), ([f"{REFERENCE}:NONE"], True)):  # measured on AWS, 2026-09
        answer = ssm.get_parameters(Names=names, WithDecryption=decrypted)
        assert (answer["Parameters"], answer["InvalidParameters"]) == ([], names)
    assert len(world.kms.calls) == before
