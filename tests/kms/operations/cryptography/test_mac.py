"""GenerateMac and VerifyMac, against `hmac` and the `openssl` command."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

SPECS = ("HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512")
Refusal = Callable[..., AbstractContextManager[None]]


@pytest.mark.parametrize("spec", SPECS)
def test_macs_agree_with_the_standard_library(kms_client, new_key, private_bytes, spec):
    bits = int(spec[5:])
    arn = new_key(spec, "GENERATE_VERIFY_MAC")
    request = {"KeyId": arn, "MacAlgorithm": f"HMAC_SHA_{bits}", "Message": b"message"}
    answer = kms_client.generate_mac(**request)
    assert answer["Mac"] == hmac.new(private_bytes(arn), b"message", f"sha{bits}").digest()
    assert (answer["KeyId"], answer["MacAlgorithm"], len(answer["Mac"])) == (arn, f"HMAC_SHA_{bits}", bits // 8)
    # Developer guide, "HMAC keys": the secret is as long as the output of the hash function.
    assert len(private_bytes(arn)) == bits // 8
    answer = kms_client.verify_mac(**request, Mac=answer["Mac"])
    assert (answer["KeyId"], answer["MacValid"], answer["MacAlgorithm"]) == (arn, True, f"HMAC_SHA_{bits}")


def test_openssl_makes_the_same_mac(kms_client, new_key, private_bytes, openssl):
    arn = new_key("HMAC_384", "GENERATE_VERIFY_MAC")
    secret = f"hexkey:{private_bytes(arn).hex()}"
    mac = openssl(
        "dgst", "-sha384", "-mac", "HMAC", "-macopt", secret, "-binary", "{message}", message=b"from outside"
    )  # fmt: skip
    assert kms_client.verify_mac(KeyId=arn, MacAlgorithm="HMAC_SHA_384", Message=b"from outside", Mac=mac)["MacValid"]


@pytest.mark.parametrize("spec", SPECS)
def test_modified_messages_are_invalid(kms_client, new_key, refusal, spec):
    arn, other = new_key(spec, "GENERATE_VERIFY_MAC"), new_key(spec, "GENERATE_VERIFY_MAC")
    request = {"KeyId": arn, "MacAlgorithm": spec.replace("_", "_SHA_"), "Message": b"message"}
    mac = kms_client.generate_mac(**request)["Mac"]
    for change in (
        {"KeyId": other},
        {"Message": b"massage"},
        {"Message": hashlib.sha256(b"message").digest()},  # a digest is a message like any other
        {"Mac": mac[:-1]},
        {"Mac": mac[: len(mac) // 2]},
        {"Mac": mac + b"\0"},
        {"Mac": bytes([mac[0] ^ 1]) + mac[1:]},
        {"Mac": bytes(6144)},
    ):
        with refusal("KMSInvalidMacException", ""):
            kms_client.verify_mac(**(request | {"Mac": mac} | change))


def test_the_algorithm_is_the_one_of_the_key_spec(kms_client, new_key, refusal):
    request = {"KeyId": new_key("HMAC_512", "GENERATE_VERIFY_MAC"), "MacAlgorithm": "HMAC_SHA_256", "Message": b"m"}
    text = "Algorithm HMAC_SHA_256 is incompatible with key spec HMAC_512."
    with refusal("InvalidKeyUsageException", text):
        kms_client.generate_mac(**request)
    with refusal("InvalidKeyUsageException", text):
        kms_client.verify_mac(**request, Mac=b"m")


def test_messages_have_1_to_4096_bytes(kms_client, new_key, refusal):
    request = {"KeyId": new_key("HMAC_256", "GENERATE_VERIFY_MAC"), "MacAlgorithm": "HMAC_SHA_256"}
    failed = "1 validation error detected: Value at 'message' failed to satisfy constraint: Member must have length "
    for message in (b"m", bytes(4096)):
        assert kms_client.generate_mac(**request, Message=message)["Mac"]
    for message, wrong in ((b"", "greater than or equal to 1"), (bytes(4097), "less than or equal to 4096")):
        with refusal("ValidationException", failed + wrong):
            kms_client.generate_mac(**request, Message=message)


def test_aliases_name_the_key(kms_client, new_key):
    arn = new_key("HMAC_256", "GENERATE_VERIFY_MAC")
    kms_client.create_alias(AliasName="alias/mac", TargetKeyId=arn)
    assert kms_client.generate_mac(KeyId="alias/mac", MacAlgorithm="HMAC_SHA_256", Message=b"m")["KeyId"] == arn
