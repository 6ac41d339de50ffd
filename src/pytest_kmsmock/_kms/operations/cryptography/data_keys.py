"""Data keys and data key pairs: made by KMS, used outside it, kept encrypted under a symmetric key."""

from __future__ import annotations

import functools

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.api.key_specs import KEY_SPECS
from pytest_kmsmock._kms.attestation.recipient import for_recipient, read_recipient
from pytest_kmsmock._kms.call.operation import Call, Result, operation
from pytest_kmsmock._kms.entropy.key_source import LazyMaterial
from pytest_kmsmock._kms.formats.ciphertext_blob import DATA_KEY
from pytest_kmsmock._kms.operations.sealing import SYMMETRIC_DEFAULT, encrypt_under
from pytest_kmsmock._kms.operations.targets import key
from pytest_kmsmock._kms.rules.key_states import USES_MATERIAL
from pytest_kmsmock._kms.rules.key_use import check_region

#: KeySpec of a data key -> its length in bytes.
_LENGTHS = {"AES_128": 16, "AES_256": 32}


def _check_size(call: Call) -> None:
    if ("KeySpec" in call.params) == ("NumberOfBytes" in call.params):
        raise errors.DATA_KEY_SIZE()


#: What the four operations have in common.
_makes_data_key = functools.partial(
    operation, targets=[key(aliases=True)], states=USES_MATERIAL, usage="ENCRYPT_DECRYPT",
    grantable=True, cross_account=True, cryptographic=True,
)  # fmt: skip


@_makes_data_key("GenerateDataKey", before_key=_check_size)
def generate_data_key(call: Call) -> Result:
    """Make a symmetric data key, plain and encrypted.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html
    """
    recipient = read_recipient(call)
    plaintext, result = _data_key(call)
    if recipient is not None:
        del result["KeyMaterialId"]
        return result | for_recipient(recipient, plaintext)
    return result | {"Plaintext": plaintext}


@_makes_data_key("GenerateDataKeyWithoutPlaintext", before_key=_check_size)
def generate_data_key_without_plaintext(call: Call) -> Result:
    """Make a symmetric data key, encrypted only.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKeyWithoutPlaintext.html
    """
    return _data_key(call)[1]


def _data_key(call: Call) -> tuple[bytes, Result]:
    if call.key.spec.key_type != "symmetric":
        raise errors.DATA_KEY_OF_ASYMMETRIC_KEY()
    length = _LENGTHS[call.params["KeySpec"]] if "KeySpec" in call.params else call.params["NumberOfBytes"]
    call.stop_if_dry_run()
    plaintext = call.random(length)
    return plaintext, {"CiphertextBlob": _seal(call, plaintext), "KeyId": call.key.arn, **_material_id(call)}


@_makes_data_key("GenerateDataKeyPair")
def generate_data_key_pair(call: Call) -> Result:
    """Make an asymmetric data key pair, the private key plain and encrypted.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKeyPair.html
    """
    recipient = read_recipient(call)
    private_key, result = _data_key_pair(call)
    if recipient is not None:
        del result["KeyMaterialId"]
        return result | for_recipient(recipient, private_key)
    return result | {"PrivateKeyPlaintext": private_key}


@_makes_data_key("GenerateDataKeyPairWithoutPlaintext")
def generate_data_key_pair_without_plaintext(call: Call) -> Result:
    """Make an asymmetric data key pair, the private key encrypted only.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKeyPairWithoutPlaintext.html
    """
    return _data_key_pair(call)[1]


def _data_key_pair(call: Call) -> tuple[bytes, Result]:
    if call.key.spec.key_type != "symmetric":
        raise errors.DATA_KEY_PAIR_OF_ASYMMETRIC_KEY()
    if call.key.custom_key_store_id is not None:
        raise errors.ORIGIN_NOT_VALID(arn=call.key.arn, origin=call.key.origin)
    spec = KEY_SPECS[call.params["KeyPairSpec"]]
    check_region(call, spec)
    call.stop_if_dry_run()
    pair = LazyMaterial(spec, call.service.keys).get()
    private_key = pair.data_key_bytes()
    return private_key, {
        "PrivateKeyCiphertextBlob": _seal(call, private_key),
        "PublicKey": pair.public_key_der(),
        "KeyId": call.key.arn,
        "KeyPairSpec": spec.name,
        **_material_id(call),
    }


def _seal(call: Call, plaintext: bytes) -> bytes:
    return encrypt_under(call, call.key, SYMMETRIC_DEFAULT, plaintext, call.params.get("EncryptionContext"), DATA_KEY)


def _material_id(call: Call) -> Result:
    assert call.key.current is not None, "the key's state was checked"
    return {"KeyMaterialId": call.key.current.id}
