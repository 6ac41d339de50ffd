from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_kmsmock._kms.crypto.primitives import sm2_curve
from pytest_kmsmock._kms.crypto.primitives.sm2_curve import (
    A,
    B,
    G,
    N,
    P,
    Point,
    is_on_curve,
    multiply,
    multiply_add,
)

SCALARS = st.integers(min_value=0, max_value=N - 1)


def add(left: Point | None, right: Point | None) -> Point | None:
    """The group law in affine coordinates, as in textbooks."""
    if left is None or right is None:
        return left or right
    (x1, y1), (x2, y2) = left, right
    if x1 == x2 and (y1 + y2) % P == 0:
        return None
    slope = (3 * x1 * x1 + A) * pow(2 * y1, -1, P) if left == right else (y2 - y1) * pow(x2 - x1, -1, P)
    x3 = (slope * slope - x1 - x2) % P
    return x3, (slope * (x1 - x3) - y1) % P


@pytest.mark.parametrize(
    ("scalar", "x", "y"),
    [
        pytest.param(
            0x59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21,
            0x04EBFC718E8D1798620432268E77FEB6415E2EDE0E073C0F4F640ECD2E149A73,
            0xE858F9D81E5430A57B36DAAB8F950A3C64E6EE6A63094D99283AFF767E124DF0,
            id="GM/T 0003.5-2012, A.2, signing",
        ),
        pytest.param(
            0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA,
            0x2B9CE14E3C8D1FFC46D693FA0B54F2BDC4825A506607655DE22894B5C99D3746,
            0x277BFE04D1E526B4E1C32726435761FBCE0997C26390919C4417B3A0A8639A59,
            id="GM/T 0003.5-2012, A.2, verifying",
        ),
        pytest.param(1, *G, id="one"),
        pytest.param(N - 1, G[0], P - G[1], id="minus one"),
        pytest.param(N + 1, *G, id="one again"),
    ],
)
def test_published_multiples_of_the_base_point(scalar: int, x: int, y: int) -> None:
    assert multiply(scalar, G) == (x, y)


def test_multiples_follow_the_textbook() -> None:
    point: Point | None = None
    for scalar in range(40):
        assert multiply(scalar, G) == point
        point = add(point, G)


@settings(max_examples=20)
@given(first=SCALARS, second=SCALARS)
def test_multiplication_is_distributive(first: int, second: int) -> None:
    assert multiply(first + second, G) == add(multiply(first, G), multiply(second, G))


@settings(max_examples=20)
@given(first=SCALARS, second=SCALARS, third=st.integers(min_value=1, max_value=N - 1))
def test_sums_of_two_multiples(first: int, second: int, third: int) -> None:
    other = multiply(third, G)
    assert other is not None
    assert multiply_add(first, second, other) == multiply(first + second * third, G)


@pytest.mark.parametrize(("first", "second"), [(0, 0), (5, N - 5), (0, 7), (7, 0), (7, 7)])
def test_sums_at_the_edges(first: int, second: int) -> None:
    assert multiply_add(first, second, G) == multiply(first + second, G)


@pytest.mark.parametrize(
    ("point", "on_curve"),
    [
        pytest.param(G, True, id="base point"),
        pytest.param((G[0], P - G[1]), True, id="its negative"),
        pytest.param((G[0], G[1] + 1), False, id="beside it"),
        pytest.param((G[0] + P, G[1]), False, id="x out of range"),
        pytest.param((G[0], G[1] + P), False, id="y out of range"),
        pytest.param((-1, 0), False, id="negative"),
        pytest.param((0, 0), False, id="zeros"),
    ],
)
def test_points_on_the_curve(point: Point, on_curve: bool) -> None:
    assert is_on_curve(point) == on_curve


def test_the_parameters_are_those_of_openssl(openssl: object) -> None:
    shown = openssl("ecparam", "-name", "SM2", "-param_enc", "explicit", "-outform", "DER")
    for number in (P, A, B, *G, N):
        assert number.to_bytes(32, "big") in shown
    assert sm2_curve.is_on_curve(G)
