"""Arithmetic on SM2's curve (GM/T 0003.5-2012, section 2), which `cryptography` does not have.

Pure Python in Jacobian coordinates, one to two milliseconds per multiplication. It is not constant-time, which a fake
without real secrets does not need. `sm2` has the algorithms.
"""

from __future__ import annotations

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123

#: An affine point; None is the point at infinity.
Point = tuple[int, int]
#: X/Z², Y/Z³; Z = 0 is the point at infinity.
Jacobian = tuple[int, int, int]

G: Point = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
_INFINITY: Jacobian = (1, 1, 0)


def is_on_curve(point: Point) -> bool:
    """Whether the coordinates are in range and satisfy the curve's equation."""
    x, y = point
    return 0 <= x < P and 0 <= y < P and (y * y - (x * x + A) * x - B) % P == 0


def multiply(scalar: int, point: Point) -> Point | None:
    """Return ``scalar`` times ``point``, where ``point`` is on the curve."""
    return _affine(_multiply(scalar, point))


def multiply_add(scalar: int, other_scalar: int, other: Point) -> Point | None:
    """Return ``scalar`` times the base point plus ``other_scalar`` times ``other``."""
    return _affine(_add(_multiply(scalar, G), _multiply(other_scalar, other)))


def _multiply(scalar: int, point: Point) -> Jacobian:
    """Multiply with a window of four bits, from the most significant digit."""
    multiples = [_INFINITY, (*point, 1)]
    for _ in range(14):
        multiples.append(_add(multiples[-1], multiples[1]))
    result = _INFINITY
    for digit in f"{scalar % N:x}":
        result = _double(_double(_double(_double(result))))
        result = _add(result, multiples[int(digit, 16)])
    return result


def _double(point: Jacobian) -> Jacobian:
    """Double a point, for a = -3."""
    x, y, z = point
    z_squared = z * z % P
    y_squared = y * y % P
    beta = x * y_squared % P
    alpha = 3 * (x - z_squared) * (x + z_squared) % P
    new_x = (alpha * alpha - 8 * beta) % P
    return new_x, (alpha * (4 * beta - new_x) - 8 * y_squared * y_squared) % P, 2 * y * z % P


def _add(left: Jacobian, right: Jacobian) -> Jacobian:
    """Add any two points."""
    x1, y1, z1 = left
    x2, y2, z2 = right
    if not z1:
        return right
    if not z2:
        return left
    z1_squared, z2_squared = z1 * z1 % P, z2 * z2 % P
    u1, u2 = x1 * z2_squared % P, x2 * z1_squared % P
    s1, s2 = y1 * z2 * z2_squared % P, y2 * z1 * z1_squared % P
    h, r = (u2 - u1) % P, (s2 - s1) % P
    if not h:
        return _INFINITY if r else _double(left)
    h_squared = h * h % P
    h_cubed, v = h * h_squared % P, u1 * h_squared % P
    x3 = (r * r - h_cubed - 2 * v) % P
    return x3, (r * (v - x3) - s1 * h_cubed) % P, h * z1 * z2 % P


def _affine(point: Jacobian) -> Point | None:
    x, y, z = point
    if not z:
        return None
    inverse = pow(z, -1, P)
    squared = inverse * inverse % P
    return x * squared % P, y * squared * inverse % P
