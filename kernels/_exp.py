"""exp for compiled loops, without a branch or a call, so that LLVM can vectorize the loop around it.

In a loop that Numba compiles, `math.exp` calls the C library for one number at a time. Here x = n ln 2 + r with a
whole n and |r| <= ln(2)/2, so e^x = 2^n e^r. A polynomial gives e^r, and adding n to the exponent's bits gives 2^n.

There is one for each dtype, for a SIMD register holds twice as many float32 as float64. Both take these steps; float32
has fewer digits to fill, so its polynomial is of degree 6 and not 12.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

LOG2_E = 1.4426950408889634
# ln 2 in two parts. The low bits of the first are zeros, so that its product with n is exact.
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
# 2^n is applied as 2^(n + 540) and then 2^-540, because 2^(n + 540) is a normal number for every n that occurs.
MIDDLE, BACK = 540.0, 2.0**-540
# Adding it to a number below 2^51 puts the nearest whole number, plus MIDDLE, in the low bits of the significand.
TO_WHOLE = 1.5 * 2.0**52 + MIDDLE
LOWEST = -746.0  # e^x is 0 below
SIGNIFICAND_BITS = np.uint64(52)

# The same for float32.
LOG2_E_32 = np.float32(LOG2_E)
LN2_HIGH_32, LN2_LOW_32 = np.float32(0.693359375), np.float32(-2.12194440e-4)
MIDDLE_32, BACK_32 = 64.0, np.float32(2.0**-64)
TO_WHOLE_32 = np.float32(1.5 * 2.0**23 + MIDDLE_32)
LOWEST_32 = np.float32(-104.0)
SIGNIFICAND_BITS_32 = np.uint32(23)
ONE_32 = np.float32(1.0)
# Of the polynomial for (e^r - 1 - r) / r^2 on |r| <= ln(2)/2.
C4, C3, C2 = np.float32(0.0013814538), np.float32(0.008368745), np.float32(0.04166839)
C1, C0 = np.float32(0.16666521), np.float32(0.49999994)


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def _bits(_context, x):  # type: ignore[no-untyped-def]
    """The bits of a float64 or float32, as an unsigned integer."""
    single = x == types.float32
    whole, bits = (types.uint32, ir.IntType(32)) if single else (types.uint64, ir.IntType(64))
    return whole(x), lambda _c, builder, _s, args: builder.bitcast(args[0], bits)


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def _float(_context, bits):  # type: ignore[no-untyped-def]
    """The float64 or float32 with these bits."""
    single = bits == types.uint32
    real, form = (types.float32, ir.FloatType()) if single else (types.float64, ir.DoubleType())
    return real(bits), lambda _c, builder, _s, args: builder.bitcast(args[0], form)


def exp(x: Any) -> Any:
    """e^x for x <= 0 within 2 ulp, subnormal results and 0 included; NaN for NaN. Wrong for x > 0.

    In the dtype of x, float64 or float32. Callable from compiled code only.
    """
    raise NotImplementedError


def exp_64(x):  # type: ignore[no-untyped-def]
    """`exp` for float64.

    The coefficients are those of a Chebyshev fit of (e^r - 1 - r) / r^2 on |r| <= ln(2)/2, rounded.
    """
    x = LOWEST if x < LOWEST else x
    shifted = x * LOG2_E + TO_WHOLE
    n = shifted - TO_WHOLE
    r = (x - n * LN2_HIGH) - n * LN2_LOW
    p = 2.510038549551032e-08
    p = p * r + 2.7620088445409746e-07
    p = p * r + 2.7557268459997064e-06
    p = p * r + 2.4801521295954376e-05
    p = p * r + 0.00019841269863053618
    p = p * r + 0.0013888888917213717
    p = p * r + 0.008333333333330062
    p = p * r + 0.04166666666662413
    p = p * r + 0.16666666666666669
    p = p * r + 0.5
    p = (p * r) * r + r + 1.0
    return _float(_bits(p) + (_bits(shifted) << SIGNIFICAND_BITS)) * BACK  # type: ignore[call-arg]


def exp_32(x):  # type: ignore[no-untyped-def]
    """`exp` for float32.

    The coefficients are those of a fit that makes the largest relative error of e^r least, rounded.
    """
    x = LOWEST_32 if x < LOWEST_32 else x
    shifted = x * LOG2_E_32 + TO_WHOLE_32
    n = shifted - TO_WHOLE_32
    r = (x - n * LN2_HIGH_32) - n * LN2_LOW_32
    p = C4 * r + C3
    p = p * r + C2
    p = p * r + C1
    p = p * r + C0
    p = (p * r) * r + r + ONE_32
    # Numba's integers would grow to 64 bits, which halves the lanes.
    bits = np.uint32(_bits(p) + np.uint32(_bits(shifted) << SIGNIFICAND_BITS_32))  # type: ignore[call-arg]
    return _float(bits) * BACK_32


# Sums must keep their order here: a reordered + TO_WHOLE - TO_WHOLE would be optimized away.
@overload(exp, jit_options={"error_model": "numpy", "fastmath": {"contract"}, "forceinline": True})
def _exp(x):  # type: ignore[no-untyped-def]
    return exp_32 if x == types.float32 else exp_64
