"""Shamir's secret sharing over GF(256), as SOPS splits a data key among key groups.

A share is the values of one polynomial per byte at one point, and the point as last byte. The field is that of AES
(the polynomial 0x11b); the secret is the value at 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import xor

_POLYNOMIAL = 0x11B


def combine_shares(shares: Sequence[bytes]) -> bytes:
    """Return the secret of these shares. Raises ValueError for shares that do not belong together.

    Too few shares give a wrong secret, which only its use shows.
    """
    if len({len(share) for share in shares}) != 1 or len(shares[0]) < 2:
        raise ValueError("the shares have different lengths or are empty")
    points = [share[-1] for share in shares]
    if len(set(points)) != len(points) or 0 in points:
        raise ValueError("two shares are the same")
    weights = [_weight(point, points) for point in points]
    length = len(shares[0]) - 1
    return bytes(
        reduce(xor, (_multiply(share[at], weight) for share, weight in zip(shares, weights, strict=True)))
        for at in range(length)
    )


def _weight(point: int, points: Sequence[int]) -> int:
    """Return the value at 0 of the polynomial that is 1 at this point and 0 at the others (Lagrange)."""
    weight = 1
    for other in points:
        if other != point:
            weight = _multiply(weight, _multiply(other, _invert(other ^ point)))
    return weight


def _multiply(left: int, right: int) -> int:
    product = 0
    while right:
        if right & 1:
            product ^= left
        left <<= 1
        if left & 0x100:
            left ^= _POLYNOMIAL
        right >>= 1
    return product


def _invert(value: int) -> int:
    """Return the multiplicative inverse: the 254th power."""
    result = 1
    for _ in range(254):
        result = _multiply(result, value)
    return result
