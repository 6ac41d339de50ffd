"""DeriveSharedSecret: the same secret on both sides, and invalid peer keys."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

Refusal = Callable[..., AbstractContextManager[None]]
CURVES = {"ECC_NIST_P256": ec.SECP256R1(), "ECC_NIST_P384": ec.SECP384R1(), "ECC_NIST_P521": ec.SECP521R1()}


def spki(key: ec.EllipticCurvePublicKey | x25519.X25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize("spec", CURVES)
def test_a_peer_outside_of_kms_gets_the_same_secret(kms_client, new_key, spec):
    arn = new_key(spec, "KEY_AGREEMENT")
    peer = ec.generate_private_key(CURVES[spec])
    answer = kms_client.derive_shared_secret(KeyId=arn, KeyAgreementAlgorithm="ECDH", PublicKey=spki(peer.public_key()))
    public = load_der_public_key(kms_client.get_public_key(KeyId=arn)["PublicKey"])
    assert isinstance(public, ec.EllipticCurvePublicKey)
    assert answer["SharedSecret"] == peer.exchange(ec.ECDH(), public)
    assert len(answer["SharedSecret"]) == (CURVES[spec].key_size + 7) // 8  # NIST SP 800-56A: x in full length
    assert {name: answer[name] for name in ("KeyId", "KeyAgreementAlgorithm", "KeyOrigin")} == {
        "KeyId": arn,
        "KeyAgreementAlgorithm": "ECDH",
        "KeyOrigin": "AWS_KMS",
    }


def test_two_kms_keys_agree(kms_client, new_key):
    arns = [new_key("ECC_NIST_P384", "KEY_AGREEMENT") for _ in range(2)]
    public = [kms_client.get_public_key(KeyId=arn)["PublicKey"] for arn in arns]
    first, second = (
        kms_client.derive_shared_secret(KeyId=arn, KeyAgreementAlgorithm="ECDH", PublicKey=peer)["SharedSecret"]
        for arn, peer in zip(arns, reversed(public), strict=True)
    )
    assert first == second


#: The curve of SM2: prime and a (GM/T 0003.5).
P = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_00000000_FFFFFFFF_FFFFFFFF
A = P - 3


def times(scalar: int, point: tuple[int, int]) -> tuple[int, int]:
    """Double and add with affine coordinates, as textbooks have it; no `openssl` does ECDH with SM2 keys."""
    result: tuple[int, int] | None = None
    for bit in f"{scalar:b}":
        if result is not None:
            result = chord(result, result)
        if bit == "1":
            result = point if result is None else chord(result, point)
    assert result is not None
    return result


def chord(left: tuple[int, int], right: tuple[int, int]) -> tuple[int, int]:
    (x1, y1), (x2, y2) = left, right
    slope = (3 * x1 * x1 + A) * pow(2 * y1, -1, P) if left == right else (y2 - y1) * pow(x2 - x1, -1, P)
    x3 = (slope * slope - x1 - x2) % P
    return x3, (slope * (x1 - x3) - y1) % P


def test_sm2_keys_agree_on_the_x_coordinate(china, new_key, private_bytes):
    ours, theirs = (new_key("SM2", "KEY_AGREEMENT", client=china) for _ in range(2))
    public = {arn: china.get_public_key(KeyId=arn)["PublicKey"] for arn in (ours, theirs)}
    point = public[ours][-64:-32], public[ours][-32:]
    # PKCS#8 around ECPrivateKey: version 1, then the scalar as the first OCTET STRING of 32 bytes.
    _, _, rest = private_bytes(theirs).partition(b"\x02\x01\x01\x04\x20")
    x, _ = times(int.from_bytes(rest[:32], "big"), (int.from_bytes(point[0], "big"), int.from_bytes(point[1], "big")))
    answer = china.derive_shared_secret(KeyId=ours, KeyAgreementAlgorithm="ECDH", PublicKey=public[theirs])
    assert answer["SharedSecret"] == x.to_bytes(32, "big")


def without_point(public_key: bytes) -> bytes:
    algorithm = public_key[2:23]
    return b"\x30\x18" + algorithm + b"\x03\x01\0"


def bad_peers() -> dict[str, bytes]:
    good = ec.generate_private_key(ec.SECP256R1()).public_key()
    der = spki(good)
    point = good.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return {
        "another curve": spki(ec.generate_private_key(ec.SECP384R1()).public_key()),
        "another curve of the same size": spki(ec.generate_private_key(ec.SECP256K1()).public_key()),
        "another kind of key": spki(x25519.X25519PrivateKey.generate().public_key()),
        "a point off the curve": der[:-1] + bytes([der[-1] ^ 1]),
        "the point at infinity": der[:24] + b"\0",
        "zeros": der[:-64] + bytes(64),
        "no point": without_point(der),
        # RFC 5480, 2.2: neither compressed nor uncompressed, so it must be rejected. OpenSSL reads it.
        "a point in hybrid form": der[:-65] + bytes([6 + (der[-1] & 1)]) + der[-64:],
        "a bare point": point,
        "PEM": good.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "truncated": der[:-1],
        "extended": der + b"\0",
        "no DER": b"key",
    }


@pytest.mark.parametrize("peer", bad_peers())
def test_an_invalid_peer_key(kms_client, new_key, refusal, peer):
    """Captured from AWS KMS, 2026-09, for another curve and for what is no key: without a message."""
    arn = new_key("ECC_NIST_P256", "KEY_AGREEMENT")
    with refusal("ValidationException", ""):
        kms_client.derive_shared_secret(KeyId=arn, KeyAgreementAlgorithm="ECDH", PublicKey=bad_peers()[peer])


def test_signing_keys_do_not_agree(kms_client, new_key, refusal):
    arn = new_key("ECC_NIST_P256", "SIGN_VERIFY")
    with refusal(
        "InvalidKeyUsageException", f"{arn} key usage is SIGN_VERIFY which is not valid for DeriveSharedSecret."
    ):
        kms_client.derive_shared_secret(KeyId=arn, KeyAgreementAlgorithm="ECDH", PublicKey=b"key")


def test_secrets_match_what_the_private_key_says(kms_client, new_key, private_bytes):
    arn = new_key("ECC_NIST_P521", "KEY_AGREEMENT")
    private = load_der_private_key(private_bytes(arn), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    assert spki(private.public_key()) == kms_client.get_public_key(KeyId=arn)["PublicKey"]
