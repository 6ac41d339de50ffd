from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_kmsmock._kms.api.key_specs import KEY_SPECS
from pytest_kmsmock._kms.crypto import (
    DecryptionFailed,
    InvalidMaterial,
    InvalidPeerKey,
    Material,
    generate,
    load,
    sm2,
)
from pytest_kmsmock._kms.crypto.primitives import der, sm2_curve

SPEC = KEY_SPECS["SM2"]

# GM/T 0003.5-2012, annexes A and C: private key, public point, the random number of both examples
SECRET = 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8
POINT = (
    "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
K = 0x59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21
R = 0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3
S = 0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA
DIGEST = bytes.fromhex("F0B43E94BA45ACCAACE692ED534382EB17E6AB5A19CE7B31F4486FDFC0D28640")
#: GM/T 0003.5-2012, annex C, in the ASN.1 of GM/T 0009-2012, 7.2, as OpenSSL's own test has it
CIPHERTEXT = bytes.fromhex(
    "307C"
    "022004EBFC718E8D1798620432268E77FEB6415E2EDE0E073C0F4F640ECD2E149A73"
    "022100E858F9D81E5430A57B36DAAB8F950A3C64E6EE6A63094D99283AFF767E124DF0"
    "042059983C18F809E262923C53AEC295D30383B54E39D609D160AFCB1908D0BD8766"
    "041321886CA989CA9C7D58087307CA93092D651EFA"
)


@pytest.fixture(scope="module")
def material() -> Material:
    return of_scalar(SECRET)


def of_scalar(scalar: int) -> Material:
    # generate reduces the bytes to 1 … n-2, so that these bytes give just this scalar
    return generate(SPEC, lambda length: (scalar - 1).to_bytes(length, "big"))


def signature(r: int, s: int) -> bytes:
    return der.encode(der.SEQUENCE, der.encode_integer(r), der.encode_integer(s))


def spki_of(octets: bytes, curve: str = "1.2.156.10197.1.301") -> bytes:
    algorithm = der.encode(der.SEQUENCE, der.encode_oid("1.2.840.10045.2.1"), der.encode_oid(curve))
    return der.encode_spki(algorithm, octets)


def scalars(*values: int) -> tuple[Callable[[int], bytes], list[int]]:
    """Random bytes that are reduced to just these numbers, and the numbers that are left."""
    left = list(values)
    return lambda length: (left.pop(0) - 1).to_bytes(length, "big"), left


def test_published_public_key(material: Material) -> None:
    assert material.public_key_der().hex().upper().endswith(f"03420004{POINT}")


def test_published_signature(material: Material) -> None:
    # GM/T 0003.5-2012, annex A, with the identifier 1234567812345678
    assert material.sign("SM2DSA", b"message digest", "RAW", scalars(K)[0]) == signature(R, S)
    assert material.sign("SM2DSA", DIGEST, "DIGEST", scalars(K)[0]) == signature(R, S)
    assert material.verify("SM2DSA", b"message digest", "RAW", signature(R, S))
    assert material.verify("SM2DSA", DIGEST, "DIGEST", signature(R, S))


def test_published_ciphertext(material: Material) -> None:
    assert material.encrypt("SM2PKE", b"encryption standard", scalars(K)[0]) == CIPHERTEXT
    assert material.decrypt("SM2PKE", CIPHERTEXT) == b"encryption standard"


def test_published_keys_agree() -> None:
    # GM/T 0003.5-2012, annex B: the two parties' keys
    first = of_scalar(0x81EB26E941BB5AF16DF116495F90695272AE2CD63D6C4AE1678418BE48230029)
    second = of_scalar(0x785129917D45A9EA5437A59356B82338EAADDA6CEB199088F14AE10DEFA229B5)
    assert first.public_key_der()[-64:].hex() == (
        "160e12897df4edb61dd812feb96748fbd3ccf4ffe26aa6f6db9540af49c94232"
        "4a7dad08bb9a459531694beb20aa489d6649975e1bfcf8c4741b78b4b223007f"
    )
    assert first.derive(second.public_key_der()) == second.derive(first.public_key_der())


def test_openssl_derives_the_same_secret(openssl: Callable[..., bytes]) -> None:
    # `openssl pkeyutl -derive` refuses SM2 keys, so the secret is looked for in an encryption: there the public key
    # of the peer is C1, and the hash C3 is over x2, the secret, then the plaintext, then y2 (GM/T 0003.4, 6.1).
    material = generate(SPEC)
    ciphertext = openssl(
        *("pkeyutl", "-encrypt", "-pubin", "-keyform", "DER", "-inkey", "{key}", "-in", "{data}"),
        key=material.public_key_der(),
        data=b"plaintext",
    )
    x1, rest = der.read_integer(der.read_single(ciphertext, der.SEQUENCE))
    y1, rest = der.read_integer(rest)
    check, _ = der.read_element(rest, der.OCTET_STRING)
    secret = material.derive(spki_of(b"\x04" + x1.to_bytes(32, "big") + y1.to_bytes(32, "big")))
    x2 = int.from_bytes(secret, "big")
    root = pow(x2**3 + sm2_curve.A * x2 + sm2_curve.B, (sm2_curve.P + 1) // 4, sm2_curve.P)
    assert check in [
        hashlib.new("sm3", secret + b"plaintext" + y2.to_bytes(32, "big")).digest() for y2 in (root, sm2_curve.P - root)
    ]


def test_openssl_verifies_and_makes_signatures(material: Material, openssl: Callable[..., bytes]) -> None:
    options = ("-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678")
    verified = openssl(
        *("pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "{key}", *options),
        *("-in", "{message}", "-sigfile", "{signature}"),
        key=material.public_key_der(),
        message=b"message",
        signature=material.sign("SM2DSA", b"message", "RAW"),
    )
    assert verified == b"Signature Verified Successfully\n"
    theirs = openssl(
        *("pkeyutl", "-sign", "-keyform", "DER", "-inkey", "{key}", *options, "-in", "{message}"),
        key=material.private_bytes(),
        message=b"message",
    )
    assert material.verify("SM2DSA", b"message", "RAW", theirs)


def test_openssl_encrypts_and_decrypts(material: Material, openssl: Callable[..., bytes]) -> None:
    theirs = openssl(
        *("pkeyutl", "-encrypt", "-pubin", "-keyform", "DER", "-inkey", "{key}", "-in", "{data}"),
        key=material.public_key_der(),
        data=bytes(range(256)) * 4,
    )
    assert material.decrypt("SM2PKE", theirs) == bytes(range(256)) * 4
    opened = openssl(
        *("pkeyutl", "-decrypt", "-keyform", "DER", "-inkey", "{key}", "-in", "{data}"),
        key=material.private_bytes(),
        data=material.encrypt("SM2PKE", bytes(range(256)) * 4),
    )
    assert opened == bytes(range(256)) * 4


def test_keys_of_openssl_load(openssl: Callable[..., bytes]) -> None:
    generated = openssl("genpkey", "-algorithm", "SM2", "-outform", "DER")
    private = openssl("pkcs8", "-topk8", "-nocrypt", "-inform", "DER", "-in", "{key}", "-outform", "DER", key=generated)
    material = load(SPEC, private)
    public = openssl("pkey", "-inform", "DER", "-in", "{key}", "-pubout", "-outform", "DER", key=private)
    assert material.public_key_der() == public
    assert material.private_bytes() == private


@settings(max_examples=20)
@given(plaintext=st.binary(max_size=1024))
def test_encryption_round_trips(plaintext: bytes) -> None:
    material = of_scalar(SECRET)
    assert material.decrypt("SM2PKE", material.encrypt("SM2PKE", plaintext)) == plaintext


@settings(max_examples=20)
@given(message=st.binary(max_size=4096))
def test_signatures_of_a_message_verify_for_its_digest(message: bytes) -> None:
    material = of_scalar(SECRET)
    # ZA of the published example, which is the same for all messages of the key
    z = bytes.fromhex("B2E14C5C79C6DF5B85F4FE7ED8DB7A262B9DA7E07CCB0EA9F4747B8CCDA8A4F3")
    digest = hashlib.new("sm3", z + message).digest()
    assert material.verify("SM2DSA", digest, "DIGEST", material.sign("SM2DSA", message, "RAW"))


def test_a_key_stream_of_zeros_is_not_used(material: Material) -> None:
    # GM/T 0003.4-2012, 6.1, A5: one byte in 256 would stay as it is
    def first_byte(scalar: int) -> int:
        x2, y2 = sm2._multiply(scalar, sm2._multiply(SECRET, sm2_curve.G))
        return sm2._kdf(x2.to_bytes(32, "big") + y2.to_bytes(32, "big"), 1)[0]

    zero = next(scalar for scalar in range(1, 10_000) if not first_byte(scalar))
    random, left = scalars(zero, K)
    ciphertext = material.encrypt("SM2PKE", b"m", random)
    assert not left
    assert material.decrypt("SM2PKE", ciphertext) == b"m"


@pytest.mark.parametrize(
    "digest_for",
    [
        # GM/T 0003.2-2012, 6.1, A5 and A6, with x the coordinate of [k]G: r = e + x, s = (k - rd) / (1 + d)
        pytest.param(lambda x: -x, id="r is zero"),
        pytest.param(lambda x: -K - x, id="r + k is the order"),
        pytest.param(lambda x: K * pow(SECRET, -1, sm2_curve.N) - x, id="s is zero"),
    ],
)
def test_unlucky_random_numbers_are_not_used(material: Material, digest_for: Callable[[int], int]) -> None:
    x = sm2._multiply(K, sm2_curve.G)[0]
    digest = (digest_for(x) % sm2_curve.N).to_bytes(32, "big")
    random, left = scalars(K, 12345)
    signed = material.sign("SM2DSA", digest, "DIGEST", random)
    assert not left
    assert material.verify("SM2DSA", digest, "DIGEST", signed)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(b"", id="empty"),
        pytest.param(bytes(64), id="raw r and s"),
        pytest.param(signature(R, S) + b"\0", id="something after it"),
        pytest.param(der.encode(der.SEQUENCE, der.encode_integer(R)), id="r only"),
        pytest.param(der.encode(der.SEQUENCE, *map(der.encode_integer, (R, S, 1))), id="three numbers"),
        pytest.param(signature(0, S), id="r is zero"),
        pytest.param(signature(R, 0), id="s is zero"),
        pytest.param(signature(sm2_curve.N, S), id="r is the order"),
        pytest.param(signature(R, sm2_curve.N), id="s is the order"),
        pytest.param(signature(R + sm2_curve.N, S), id="r above the order"),
        pytest.param(signature(R, sm2_curve.N - R), id="t is zero"),
        pytest.param(signature(S, R), id="exchanged"),
        pytest.param(signature(R ^ 1, S), id="r altered"),
        pytest.param(signature(R, S ^ 1), id="s altered"),
        pytest.param(
            der.encode(der.SEQUENCE, der.encode(der.INTEGER, b"\0" + R.to_bytes(33, "big")), der.encode_integer(S)),
            id="r not minimal",
        ),
    ],
)
def test_wrong_signatures_do_not_verify(material: Material, wrong: bytes) -> None:
    assert not material.verify("SM2DSA", b"message digest", "RAW", wrong)


def test_a_sum_at_infinity_does_not_verify(material: Material) -> None:
    # s + t d = 0 with t = r + s: choose s, then r = -s / d - s
    s = 7
    r = (-s * pow(SECRET, -1, sm2_curve.N) - s) % sm2_curve.N
    assert not material.verify("SM2DSA", DIGEST, "DIGEST", signature(r, s))


def ciphertext_of(x: int, y: int, check: bytes = bytes(32), masked: bytes = b"m") -> bytes:
    return der.encode(
        der.SEQUENCE,
        der.encode_integer(x),
        der.encode_integer(y),
        der.encode(der.OCTET_STRING, check),
        der.encode(der.OCTET_STRING, masked),
    )


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        pytest.param(b"", "not an SM2Cipher", id="empty"),
        pytest.param(CIPHERTEXT[:-1], "not an SM2Cipher", id="short"),
        pytest.param(CIPHERTEXT + b"\0", "not an SM2Cipher", id="something after it"),
        pytest.param(b"\x04" + bytes(64 + 32 + 5), "not an SM2Cipher", id="raw C1 C3 C2"),
        pytest.param(ciphertext_of(*sm2_curve.G) + b"", "not of this key", id="hash of zeros"),
        pytest.param(ciphertext_of(1, 1), "not on the curve", id="not on the curve"),
        pytest.param(
            ciphertext_of(sm2_curve.G[0] + sm2_curve.P, sm2_curve.G[1]), "not on the curve", id="x out of range"
        ),
        pytest.param(CIPHERTEXT[:-1] + b"\0", "not of this key", id="C2 altered"),
        pytest.param(ciphertext_of(*sm2_curve.G, check=b""), "not of this key", id="no hash"),
    ],
)
def test_wrong_ciphertexts_fail_to_decrypt(material: Material, wrong: bytes, reason: str) -> None:
    with pytest.raises(DecryptionFailed, match=reason):
        material.decrypt("SM2PKE", wrong)


@pytest.mark.parametrize(
    "peer",
    [
        pytest.param(b"", id="empty"),
        pytest.param(spki_of(b"\x04" + bytes(64)), id="not on the curve"),
        pytest.param(spki_of(b"\x04" + bytes.fromhex(POINT)[:-1]), id="short"),
        pytest.param(spki_of(b"\x04" + bytes.fromhex(POINT) + b"\0"), id="long"),
        pytest.param(spki_of(b"\x02" + bytes.fromhex(POINT)), id="wrong form"),
        pytest.param(spki_of(b"\x02" + bytes.fromhex(POINT)[:32]), id="compressed"),
        pytest.param(spki_of(b"\0"), id="infinity"),
        pytest.param(spki_of(b"\x04" + bytes.fromhex(POINT), "1.2.840.10045.3.1.7"), id="another curve's name"),
    ],
)
def test_invalid_public_keys_are_not_valid_peers(material: Material, peer: bytes) -> None:
    with pytest.raises(InvalidPeerKey):
        material.derive(peer)


def pkcs8_of(*parts: bytes) -> bytes:
    algorithm = der.encode(der.SEQUENCE, der.encode_oid("1.2.840.10045.2.1"), der.encode_oid("1.2.156.10197.1.301"))
    return der.encode_pkcs8(algorithm, der.encode(der.SEQUENCE, *parts))


VERSION = der.encode_integer(1)
SCALAR = der.encode(der.OCTET_STRING, SECRET.to_bytes(32, "big"))
CURVE = der.encode(0xA0, der.encode_oid("1.2.156.10197.1.301"))
PUBLIC = der.encode(0xA1, der.encode(der.BIT_STRING, b"\0\x04", bytes.fromhex(POINT)))


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([VERSION, SCALAR], id="scalar only"),
        pytest.param([VERSION, SCALAR, PUBLIC], id="with public key"),
        pytest.param([VERSION, SCALAR, CURVE], id="with curve"),
        pytest.param([VERSION, SCALAR, CURVE, PUBLIC], id="with both"),
    ],
)
def test_the_optional_parts_of_a_private_key_may_be_there(material: Material, parts: list[bytes]) -> None:
    assert load(SPEC, pkcs8_of(*parts)).private_bytes() == material.private_bytes()


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        pytest.param([], "not an ECPrivateKey", id="empty"),
        pytest.param([VERSION], "not an ECPrivateKey", id="no scalar"),
        pytest.param([der.encode_integer(2), SCALAR], "out of range", id="version"),
        pytest.param([VERSION, der.encode(der.OCTET_STRING, b"\1")], "out of range", id="short"),
        pytest.param([VERSION, der.encode(der.OCTET_STRING, bytes(32))], "out of range", id="zero"),
        pytest.param(
            [VERSION, der.encode(der.OCTET_STRING, (sm2_curve.N - 1).to_bytes(32, "big"))], "out of range", id="n-1"
        ),
        pytest.param([VERSION, SCALAR, der.encode(0xA0, der.encode_oid("1.3.132.0.10"))], "another curve", id="curve"),
        pytest.param([VERSION, SCALAR, PUBLIC[:-1] + b"\0"], "not the private key's", id="public key"),
        pytest.param([VERSION, SCALAR, PUBLIC, b"\0\0"], "not an ECPrivateKey", id="something after it"),
    ],
)
def test_invalid_private_keys_are_rejected(parts: list[bytes], reason: str) -> None:
    with pytest.raises(InvalidMaterial, match=reason):
        load(SPEC, pkcs8_of(*parts))


@pytest.mark.parametrize("byte", [b"\0", b"\xff"])
def test_extreme_random_bytes_give_a_key(byte: bytes) -> None:
    material = generate(SPEC, lambda length: byte * length)
    assert load(SPEC, material.private_bytes()).public_key_der() == material.public_key_der()
