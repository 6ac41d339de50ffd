"""Sign and Verify: interoperability with other implementations, and AWS's errors."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager

import jwt
import pytest
from Crypto.Hash import SHA512
from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)
from jwt.utils import der_to_raw_signature, raw_to_der_signature
from securesystemslib.signer import AWSSigner  # type: ignore[attr-defined]  # its documentation says so

from pytest_kmsmock._kms.api.key_specs import KEY_SPECS, SIGNING_ALGORITHMS

MESSAGE = b"The quick brown fox jumps over the lazy dog"
CURVES = ("ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1")
RSA_ALGORITHMS = KEY_SPECS["RSA_2048"].usages["SIGN_VERIFY"]
HASHES = {256: hashes.SHA256(), 384: hashes.SHA384(), 512: hashes.SHA512()}


def hash_of(algorithm: str) -> hashes.HashAlgorithm:
    return HASHES[int(algorithm[-3:])]


def rsa_padding(algorithm: str) -> padding.AsymmetricPadding:
    if "PKCS1" in algorithm:
        return padding.PKCS1v15()
    # Key spec reference: MGF1 with the same hash, the salt as long as the hash.
    return padding.PSS(padding.MGF1(hash_of(algorithm)), hash_of(algorithm).digest_size)


def mu_of(public_der: bytes, message: bytes) -> bytes:
    """The message representative of ML-DSA (FIPS 204, 6.2), of a message with an empty context."""
    key = load_der_public_key(public_der)
    tr = hashlib.shake_256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).digest(64)
    return hashlib.shake_256(tr + b"\0\0" + message).digest(64)


# --- both directions against independent code --------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", RSA_ALGORITHMS)
def test_rsa_signatures_agree_with_cryptography(kms_client, new_key, private_bytes, algorithm):
    arn = new_key("RSA_2048", "SIGN_VERIFY")
    public = load_der_public_key(kms_client.get_public_key(KeyId=arn)["PublicKey"])
    assert isinstance(public, rsa.RSAPublicKey)
    answer = kms_client.sign(KeyId=arn, Message=MESSAGE, SigningAlgorithm=algorithm)
    assert (answer["KeyId"], answer["SigningAlgorithm"], len(answer["Signature"])) == (arn, algorithm, 256)
    public.verify(answer["Signature"], MESSAGE, rsa_padding(algorithm), hash_of(algorithm))

    private = load_der_private_key(private_bytes(arn), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    signature = private.sign(MESSAGE, rsa_padding(algorithm), hash_of(algorithm))
    answer = kms_client.verify(KeyId=arn, Message=MESSAGE, Signature=signature, SigningAlgorithm=algorithm)
    assert (answer["KeyId"], answer["SignatureValid"], answer["SigningAlgorithm"]) == (arn, True, algorithm)


@pytest.mark.parametrize("spec", ["RSA_3072", "RSA_4096"])
def test_long_rsa_keys_sign(kms_client, new_key, spec):
    arn = new_key(spec, "SIGN_VERIFY")
    signature = kms_client.sign(KeyId=arn, Message=MESSAGE, SigningAlgorithm="RSASSA_PSS_SHA_512")["Signature"]
    assert len(signature) * 8 == int(spec[4:])
    public = load_der_public_key(kms_client.get_public_key(KeyId=arn)["PublicKey"])
    assert isinstance(public, rsa.RSAPublicKey)
    public.verify(signature, MESSAGE, rsa_padding("RSASSA_PSS_SHA_512"), hashes.SHA512())


@pytest.mark.parametrize("spec", CURVES)
def test_ecdsa_signatures_agree_with_cryptography(kms_client, new_key, private_bytes, spec):
    arn = new_key(spec, "SIGN_VERIFY")
    (algorithm,) = KEY_SPECS[spec].usages["SIGN_VERIFY"]
    public = load_der_public_key(kms_client.get_public_key(KeyId=arn)["PublicKey"])
    assert isinstance(public, ec.EllipticCurvePublicKey)
    signature = kms_client.sign(KeyId=arn, Message=MESSAGE, SigningAlgorithm=algorithm)["Signature"]
    public.verify(signature, MESSAGE, ec.ECDSA(hash_of(algorithm)))

    private = load_der_private_key(private_bytes(arn), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    signature = private.sign(MESSAGE, ec.ECDSA(hash_of(algorithm)))
    assert kms_client.verify(KeyId=arn, Message=MESSAGE, Signature=signature, SigningAlgorithm=algorithm)


def test_ed25519_signatures_agree_with_cryptography(kms_client, new_key, private_bytes):
    arn = new_key("ECC_NIST_EDWARDS25519", "SIGN_VERIFY")
    public = load_der_public_key(kms_client.get_public_key(KeyId=arn)["PublicKey"])
    assert isinstance(public, ed25519.Ed25519PublicKey)
    signature = kms_client.sign(KeyId=arn, Message=MESSAGE, SigningAlgorithm="ED25519_SHA_512")["Signature"]
    assert len(signature) == 64
    public.verify(signature, MESSAGE)

    private = load_der_private_key(private_bytes(arn), None)
    assert isinstance(private, ed25519.Ed25519PrivateKey)
    assert private.sign(MESSAGE) == signature  # Ed25519 is deterministic


def test_ed25519ph_hashes_the_digest_again(kms_client, new_key):
    # API reference of Sign: "the input is hashed twice: once by you and once by KMS".
    arn = new_key("ECC_NIST_EDWARDS25519", "SIGN_VERIFY")
    digest = hashlib.sha512(MESSAGE).digest()
    request = {"KeyId": arn, "Message": digest, "MessageType": "DIGEST", "SigningAlgorithm": "ED25519_PH_SHA_512"}
    signature = kms_client.sign(**request)["Signature"]
    public = ECC.import_key(kms_client.get_public_key(KeyId=arn)["PublicKey"])
    eddsa.new(public, "rfc8032").verify(SHA512.new(digest), signature)
    assert kms_client.verify(**request, Signature=signature)["SignatureValid"] is True


@pytest.mark.parametrize(("spec", "length"), [("ML_DSA_44", 2420), ("ML_DSA_65", 3309), ("ML_DSA_87", 4627)])
def test_ml_dsa_signatures_agree_with_cryptography(kms_client, new_key, private_bytes, spec, length):
    arn = new_key(spec, "SIGN_VERIFY")
    public_der = kms_client.get_public_key(KeyId=arn)["PublicKey"]
    public = load_der_public_key(public_der)
    assert isinstance(public, mldsa.MLDSA44PublicKey | mldsa.MLDSA65PublicKey | mldsa.MLDSA87PublicKey)
    private = load_der_private_key(private_bytes(arn), None)
    assert isinstance(private, mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey)
    raw = {"KeyId": arn, "SigningAlgorithm": "ML_DSA_SHAKE_256", "Message": MESSAGE}
    external = raw | {"Message": mu_of(public_der, MESSAGE), "MessageType": "EXTERNAL_MU"}
    signatures = [kms_client.sign(**raw)["Signature"], kms_client.sign(**external)["Signature"], private.sign(MESSAGE)]
    for signature in signatures:
        assert len(signature) == length  # FIPS 204, table 2
        public.verify(signature, MESSAGE)
        assert kms_client.verify(**raw, Signature=signature)["SignatureValid"] is True
        assert kms_client.verify(**external, Signature=signature)["SignatureValid"] is True


@pytest.mark.parametrize(
    ("spec", "algorithm", "verify"),
    [
        pytest.param(
            "RSA_2048",
            "RSASSA_PKCS1_V1_5_SHA_384",
            ("dgst", "-sha384", "-verify", "{public}", "-signature", "{signature}", "{message}"),
            id="RSA PKCS1",
        ),
        pytest.param(
            "RSA_2048",
            "RSASSA_PSS_SHA_256",
            (
                "dgst", "-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32",
                "-verify", "{public}", "-signature", "{signature}", "{message}",
            ),
            id="RSA PSS",
        ),
        *(
            pytest.param(
                spec,
                algorithm,
                ("dgst", f"-sha{algorithm[-3:]}", "-verify", "{public}", "-signature", "{signature}", "{message}"),
                id=spec,
            )
            for spec, algorithm in zip(
                CURVES, ("ECDSA_SHA_256", "ECDSA_SHA_384", "ECDSA_SHA_512", "ECDSA_SHA_256"), strict=True
            )
        ),
        pytest.param(
            "ECC_NIST_EDWARDS25519",
            "ED25519_SHA_512",
            (
                "pkeyutl", "-verify", "-pubin", "-inkey", "{public}", "-rawin", "-in", "{message}",
                "-sigfile", "{signature}",
            ),
            id="Ed25519",
        ),
    ],
)  # fmt: skip
def test_openssl_verifies_signatures(kms_client, new_key, openssl, spec, algorithm, verify):
    arn = new_key(spec, "SIGN_VERIFY")
    signature = kms_client.sign(KeyId=arn, Message=MESSAGE, SigningAlgorithm=algorithm)["Signature"]
    public_der = kms_client.get_public_key(KeyId=arn)["PublicKey"]
    public = openssl("pkey", "-pubin", "-inform", "DER", "-in", "{der}", der=public_der)
    said = openssl(*verify, public=public, signature=signature, message=MESSAGE)
    assert said.strip() in (b"Verified OK", b"Signature Verified Successfully")


@pytest.mark.parametrize("message_type", ["RAW", "DIGEST"])
def test_sm2_signatures_agree_with_openssl(china, new_key, private_bytes, openssl, message_type):
    # Developer guide, "Offline verification with SM2 key pairs": distinguishing identifier 1234567812345678.
    arn = new_key("SM2", "SIGN_VERIFY", client=china)
    public_der = china.get_public_key(KeyId=arn)["PublicKey"]
    options = ("-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678", "-in", "{message}")
    if message_type == "RAW":
        message = MESSAGE
    else:  # SM3 over Z, which names the signer, and the message (GM/T 0003.2)
        curve = bytes.fromhex(
            "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC"
            "28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93"
            "32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7"
            "BC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0"
        )
        z = sm3(b"\x00\x80" + b"1234567812345678" + curve + public_der[-64:])
        message = sm3(z + MESSAGE)
    request = {"KeyId": arn, "SigningAlgorithm": "SM2DSA", "Message": message, "MessageType": message_type}
    signature = china.sign(**request)["Signature"]
    public = openssl("pkey", "-pubin", "-inform", "DER", "-in", "{der}", der=public_der)
    verify = ("pkeyutl", "-verify", "-pubin", "-inkey", "{public}", "-sigfile", "{signature}", *options)
    assert b"Success" in openssl(*verify, public=public, signature=signature, message=MESSAGE)

    private = openssl("pkey", "-inform", "DER", "-in", "{der}", der=private_bytes(arn))
    signature = openssl("pkeyutl", "-sign", "-inkey", "{private}", *options, private=private, message=MESSAGE)
    assert china.verify(**request, Signature=signature)["SignatureValid"] is True


def sm3(data: bytes) -> bytes:
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()


@pytest.mark.parametrize(
    ("spec", "algorithm"),
    [
        *(("RSA_2048", name) for name in RSA_ALGORITHMS),
        *((spec, KEY_SPECS[spec].usages["SIGN_VERIFY"][0]) for spec in CURVES),
    ],
)
def test_message_and_digest_are_the_same_message(kms_client, new_key, spec, algorithm):
    # API reference of Verify: "A message and its hash digest are considered to be the same message."
    arn = new_key(spec, "SIGN_VERIFY")
    raw = {"KeyId": arn, "SigningAlgorithm": algorithm, "Message": MESSAGE}
    digest = hashlib.new(SIGNING_ALGORITHMS[algorithm].hash, MESSAGE).digest()
    hashed = raw | {"Message": digest, "MessageType": "DIGEST"}
    assert kms_client.verify(**hashed, Signature=kms_client.sign(**raw)["Signature"])["SignatureValid"] is True
    assert kms_client.verify(**raw, Signature=kms_client.sign(**hashed)["Signature"])["SignatureValid"] is True


@pytest.mark.parametrize(
    ("spec", "algorithm", "name"),
    [
        ("RSA_2048", "RSASSA_PKCS1_V1_5_SHA_256", "RS256"),
        ("RSA_2048", "RSASSA_PSS_SHA_384", "PS384"),
        ("ECC_NIST_P256", "ECDSA_SHA_256", "ES256"),
        ("ECC_NIST_P384", "ECDSA_SHA_384", "ES384"),
        ("ECC_NIST_P521", "ECDSA_SHA_512", "ES512"),
        ("ECC_SECG_P256K1", "ECDSA_SHA_256", "ES256K"),
        ("ECC_NIST_EDWARDS25519", "ED25519_SHA_512", "EdDSA"),
    ],
)
def test_json_web_tokens_go_both_ways(kms_client, new_key, private_bytes, spec, algorithm, name):
    arn = new_key(spec, "SIGN_VERIFY")
    public = load_der_public_key(kms_client.get_public_key(KeyId=arn)["PublicKey"])
    claims = {"sub": "alice"}
    signed_here = jwt.encode(claims, load_der_private_key(private_bytes(arn), None), algorithm=name)
    head_and_claims, _, tail = signed_here.rpartition(".")
    signature = jwt.utils.base64url_decode(tail)
    if isinstance(public, ec.EllipticCurvePublicKey):
        signature = raw_to_der_signature(signature, public.curve)
    request = {"KeyId": arn, "Message": head_and_claims.encode(), "SigningAlgorithm": algorithm}
    assert kms_client.verify(**request, Signature=signature)["SignatureValid"] is True

    signature = kms_client.sign(**request)["Signature"]
    if isinstance(public, ec.EllipticCurvePublicKey):
        signature = der_to_raw_signature(signature, public.curve)
    token = f"{head_and_claims}.{jwt.utils.base64url_encode(signature).decode()}"
    assert jwt.decode(token, public, algorithms=[name]) == claims


@pytest.mark.parametrize(
    ("spec", "scheme"),
    [
        ("ECC_NIST_P256", "ecdsa-sha2-nistp256"),
        ("ECC_NIST_P384", "ecdsa-sha2-nistp384"),
        ("RSA_2048", "rsassa-pss-sha256"),
        ("RSA_2048", "rsa-pkcs1v15-sha512"),
    ],
)
def test_the_aws_signer_of_securesystemslib_works_unchanged(kms_mock, kms_client, new_key, spec, scheme):
    kms_client.create_alias(AliasName="alias/release", TargetKeyId=new_key(spec, "SIGN_VERIFY"))
    uri, public = AWSSigner.import_("alias/release", scheme)
    signer = AWSSigner.from_priv_key_uri(uri, public)
    signature = signer.sign(MESSAGE)
    public.verify_signature(signature, MESSAGE)
    # It hashes by itself and sends the digest.
    assert kms_mock.calls[-1].params["MessageType"] == "DIGEST"


# --- refusals ----------------------------------------------------------------------------------------------------


def damaged(signature: bytes) -> dict[str, bytes]:
    """What Wycheproof tries on ECDSA signatures, without knowing the key."""
    r, s = utils.decode_dss_signature(signature)
    content = signature[2:]
    return {
        "truncated": signature[:-1],
        "extended": signature + b"\0",
        "one byte": b"\x30",
        "r is 0": utils.encode_dss_signature(0, s),
        "s is 0": utils.encode_dss_signature(r, 0),
        "both are 0": utils.encode_dss_signature(0, 0),
        "r and s swapped": utils.encode_dss_signature(s, r),
        "r is too great": utils.encode_dss_signature(r + 2**256, s),
        "long form of length": b"\x30\x81" + bytes([len(content)]) + content,
        "indefinite length": b"\x30\x80" + content + b"\0\0",
        "not DER but r and s": r.to_bytes(32, "big") + s.to_bytes(32, "big"),
        "another tag": b"\x31" + signature[1:],
        "null appended": b"\x30" + bytes([len(content) + 2]) + content + b"\x05\0",
    }


Refusal = Callable[..., AbstractContextManager[None]]


@pytest.mark.parametrize("how", damaged(utils.encode_dss_signature(1, 1)))
def test_a_damaged_ecdsa_signature_is_invalid(kms_client, new_key, refusal, how):
    arn = new_key("ECC_NIST_P256", "SIGN_VERIFY")
    request = {"KeyId": arn, "Message": MESSAGE, "SigningAlgorithm": "ECDSA_SHA_256"}
    signature = damaged(kms_client.sign(**request)["Signature"])[how]
    with refusal("KMSInvalidSignatureException", ""):
        kms_client.verify(**request, Signature=signature)


@pytest.mark.parametrize(
    ("spec", "algorithm", "message_type"),
    [
        (spec, name, message_type)
        for spec in ("RSA_2048", *CURVES, "ECC_NIST_EDWARDS25519", "ML_DSA_44")
        for name in KEY_SPECS[spec].usages["SIGN_VERIFY"]
        for message_type in SIGNING_ALGORITHMS[name].message_types
    ],
)
def test_modified_messages_are_invalid(kms_client, new_key, refusal, spec, algorithm, message_type):
    # API reference of Verify: it fails with KMSInvalidSignatureException, so SignatureValid is never false.
    arn, other = new_key(spec, "SIGN_VERIFY"), new_key(spec, "SIGN_VERIFY")
    message = bytes(SIGNING_ALGORITHMS[algorithm].message_types[message_type] or 100)
    request = {"KeyId": arn, "Message": message, "MessageType": message_type, "SigningAlgorithm": algorithm}
    signature = kms_client.sign(**request)["Signature"]
    assert kms_client.verify(**request, Signature=signature)["SignatureValid"] is True
    flipped = bytes([signature[0], signature[1] ^ 1]) + signature[2:]
    for change in (
        {"KeyId": other},
        {"Message": b"\1" + message[1:]},
        {"Signature": flipped},
        {"Signature": signature[:-1]},
        {"Signature": signature + b"\0"},
        {"Signature": bytes(len(signature))},
    ):
        with refusal("KMSInvalidSignatureException", ""):
            kms_client.verify(**(request | {"Signature": signature} | change))


def test_another_algorithm_of_the_key_does_not_verify(kms_client, new_key, refusal):
    # API reference of Verify: "If you submit a different algorithm, the signature verification fails."
    arn = new_key("RSA_2048", "SIGN_VERIFY")
    signature = kms_client.sign(KeyId=arn, Message=MESSAGE, SigningAlgorithm="RSASSA_PSS_SHA_256")["Signature"]
    for algorithm in RSA_ALGORITHMS:
        if algorithm != "RSASSA_PSS_SHA_256":
            with refusal("KMSInvalidSignatureException", ""):
                kms_client.verify(KeyId=arn, Message=MESSAGE, Signature=signature, SigningAlgorithm=algorithm)


@pytest.mark.parametrize(
    ("spec", "algorithm", "message_type", "length", "text"),
    [
        # Recorded: https://github.com/awslabs/aws-sdk-rust/discussions/571
        pytest.param(
            "ECC_SECG_P256K1",
            "ECDSA_SHA_256",
            "DIGEST",
            44,
            "Digest is invalid length for algorithm ECDSA_SHA_256.",
            id="digest of another length",
        ),
        pytest.param(
            "RSA_2048",
            "RSASSA_PSS_SHA_384",
            "DIGEST",
            32,
            "Digest is invalid length for algorithm RSASSA_PSS_SHA_384.",
            id="digest of another hash",
        ),
        # Measured: https://github.com/floci-io/floci/pull/2930
        pytest.param(
            "ECC_NIST_EDWARDS25519",
            "ED25519_PH_SHA_512",
            "DIGEST",
            63,
            "Digest is invalid length for algorithm ED25519_PH_SHA_512.",
            id="Ed25519ph digest",
        ),
        pytest.param(
            "ECC_NIST_EDWARDS25519",
            "ED25519_SHA_512",
            "DIGEST",
            64,
            "Message type DIGEST is incompatible with algorithm ED25519_SHA_512.",
            id="Ed25519 of a digest",
        ),
        pytest.param(
            "ECC_NIST_EDWARDS25519",
            "ED25519_PH_SHA_512",
            "RAW",
            64,
            "Message type RAW is incompatible with algorithm ED25519_PH_SHA_512.",
            id="Ed25519ph of a message",
        ),
        # Measured: https://github.com/floci-io/floci/issues/3025
        pytest.param(
            "ML_DSA_44",
            "ML_DSA_SHAKE_256",
            "DIGEST",
            64,
            "Message type DIGEST is incompatible with key spec ML_DSA_44.",
            id="ML-DSA of a digest",
        ),
        # Text not confirmed.
        pytest.param(
            "ML_DSA_44",
            "ML_DSA_SHAKE_256",
            "EXTERNAL_MU",
            63,
            "External Mu is invalid length for algorithm ML_DSA_SHAKE_256.",
            id="mu of another length",
        ),
        pytest.param(
            "ECC_NIST_P256",
            "ECDSA_SHA_256",
            "EXTERNAL_MU",
            64,
            "Message type EXTERNAL_MU is incompatible with key spec ECC_NIST_P256.",
            id="mu without ML-DSA",
        ),
    ],
)
def test_messages_that_do_not_fit_are_refused(
    kms_client, new_key, refusal, spec, algorithm, message_type, length, text
):
    request = {
        "KeyId": new_key(spec, "SIGN_VERIFY"),
        "Message": bytes(length),
        "MessageType": message_type,
        "SigningAlgorithm": algorithm,
    }
    with refusal("ValidationException", text):
        kms_client.sign(**request)
    with refusal("ValidationException", text):
        kms_client.verify(**request, Signature=b"s")


def test_messages_have_1_to_4096_bytes(kms_client, new_key, refusal):
    request = {"KeyId": new_key("ECC_NIST_P256", "SIGN_VERIFY"), "SigningAlgorithm": "ECDSA_SHA_256"}
    failed = "1 validation error detected: Value at 'message' failed to satisfy constraint: Member must have length "
    for message in (b"m", bytes(4096)):
        signature = kms_client.sign(**request, Message=message)["Signature"]
        assert kms_client.verify(**request, Message=message, Signature=signature)["SignatureValid"] is True
    for message, wrong in ((b"", "greater than or equal to 1"), (bytes(4097), "less than or equal to 4096")):
        with refusal("ValidationException", failed + wrong):
            kms_client.sign(**request, Message=message)


def test_symmetric_default_is_an_algorithm_of_other_keys(kms_client, new_key, refusal):
    """Not one of the enumeration, as others are. Measured on AWS, us-east-1, 2026-09: floci-io/floci#3968."""
    text = "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048."
    with refusal("InvalidKeyUsageException", text):
        kms_client.sign(KeyId=new_key("RSA_2048", "SIGN_VERIFY"), Message=b"x", SigningAlgorithm="SYMMETRIC_DEFAULT")


def test_the_algorithm_is_checked_before_the_message_type(kms_client, new_key, refusal):
    arn = new_key("ECC_NIST_EDWARDS25519", "SIGN_VERIFY")
    text = "Algorithm ECDSA_SHA_512 is incompatible with key spec ECC_NIST_EDWARDS25519."
    with refusal("InvalidKeyUsageException", text):
        kms_client.sign(KeyId=arn, Message=b"m", MessageType="EXTERNAL_MU", SigningAlgorithm="ECDSA_SHA_512")
