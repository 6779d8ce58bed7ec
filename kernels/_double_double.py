"""Double-double arithmetic: a number is an unevaluated sum hi + lo of two float64, about 106 bits, on whole arrays.

The error-free transformations are Knuth's two_sum and Dekker's two_product (T. J. Dekker, "A floating-point technique
for extending the available precision", 1971; Ogita, Rump and Oishi, "Accurate sum and dot product", 2005).
`exp` and `log1p` have a relative error of at most 2^-60 unless they underflow, which is enough to check float64.
"""

from decimal import Decimal, localcontext

import numpy as np

from kernels._inputs import Array

Pair = tuple[Array, Array]

SPLITTER = 2.0**27 + 1.0
STEPS = 64  # table entries per octave of exp, and for log1p on (0, 1]


def two_sum(a: Array, b: Array) -> Pair:
    """The rounded sum and its exact error."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


def fast_two_sum(a: Array, b: Array) -> Pair:
    """The same, for |a| >= |b|."""
    s = a + b
    return s, b - (s - a)


def split(a: Array) -> Pair:
    """Two halves of at most 26 bits each that add up to a. Overflows above 2^996."""
    t = SPLITTER * a
    high = t - (t - a)
    return high, a - high


def two_product(a: Array, b: Array) -> Pair:
    """The rounded product and its error, which is exact unless it underflows."""
    p = a * b
    a_high, a_low = split(a)
    b_high, b_low = split(b)
    return p, a_low * b_low - (((p - a_high * b_high) - a_low * b_high) - a_high * b_low)


def add(x: Pair, y: Pair) -> Pair:
    """The sum of two pairs."""
    s, e = two_sum(x[0], y[0])
    return fast_two_sum(s, e + (x[1] + y[1]))


def multiply(x: Pair, y: Pair) -> Pair:
    """The product of two pairs."""
    p, e = two_product(x[0], y[0])
    return fast_two_sum(p, e + (x[0] * y[1] + x[1] * y[0]))


def divide(x: Pair, y: Pair) -> Pair:
    """The quotient of two pairs."""
    q = x[0] / y[0]
    p, e = two_product(q, y[0])
    return fast_two_sum(q, (((x[0] - p) - e) + x[1] - q * y[1]) / y[0])


def total(x: Pair, axis: int) -> Pair:
    """The sum along an axis, added up pairwise."""
    high, low = (np.moveaxis(part, axis, 0) for part in x)
    while high.shape[0] > 1:
        half = high.shape[0] // 2
        odd_high, odd_low = high[2 * half :], low[2 * half :]
        high, low = add((high[:half], low[:half]), (high[half : 2 * half], low[half : 2 * half]))
        high, low = np.concatenate([high, odd_high]), np.concatenate([low, odd_low])
    return high[0], low[0]


def _pairs(values: list[Decimal]) -> Pair:
    high = np.array([float(value) for value in values])
    low = np.array([float(value - Decimal(h)) for value, h in zip(values, high.tolist(), strict=True)])
    return high, low


with localcontext() as context:
    context.prec = 60
    _LN2 = Decimal(2).ln()
    _EXP_TABLE = _pairs([(_LN2 * j / STEPS).exp() for j in range(STEPS)])
    _LOG_TABLE = _pairs([(1 + Decimal(j) / STEPS).ln() for j in range(STEPS + 1)])
    # ln(2) / 64 in two parts. The first has 32 bits, so that its product with every n that occurs is exact.
    _STEP_HIGH = float(round(_LN2 / STEPS * 2**38)) / 2**38
    _STEP_LOW = float(_LN2 / STEPS - Decimal(_STEP_HIGH))


def exp(x: Pair) -> Pair:
    """e^x for x <= 0: x = n ln(2) / 64 + r, e^x = 2^(n // 64) * 2^((n % 64) / 64) * e^r with |r| < 0.0055."""
    high, low = np.maximum(x[0], -800.0), np.where(x[0] < -800.0, 0.0, x[1])
    n = np.rint(high / (_STEP_HIGH + _STEP_LOW))
    r, r_low = two_sum(high - n * _STEP_HIGH, -n * _STEP_LOW)
    r_low = r_low + low
    tail = np.zeros_like(r)
    for k in range(8, 2, -1):
        tail = (tail + 1.0) * r / k
    exp_r = fast_two_sum(np.ones_like(r), r)
    exp_r = fast_two_sum(exp_r[0], exp_r[1] + ((tail + 1.0) * r * r / 2.0 + r_low * (1.0 + r)))
    index = n.astype(np.int64)
    result = multiply(exp_r, (_EXP_TABLE[0][index % STEPS], _EXP_TABLE[1][index % STEPS]))
    power = (index // STEPS).astype(np.int32)
    return np.ldexp(result[0], power), np.ldexp(result[1], power)


def log1p(x: Pair) -> Pair:
    """log(1 + x) for 0 <= x <= 1: 1 + x = (1 + c)(1 + t) with c = j / 64 the nearest, so |t| <= 2^-7."""
    index = np.rint(x[0] * STEPS).astype(np.int64)
    c = index / STEPS
    t = divide(fast_two_sum(x[0] - c, x[1]), (1.0 + c, np.zeros_like(c)))
    tail = np.zeros_like(c)
    for k in range(10, 1, -1):
        tail = t[0] * ((-1.0) ** (k + 1) / k + tail)
    return add((_LOG_TABLE[0][index], _LOG_TABLE[1][index]), fast_two_sum(t[0], t[1] + t[0] * tail))
