"""exp for compiled loops, without a branch or a call, so that LLVM can vectorize the loop around it.

In a loop that Numba compiles, `math.exp` calls the C library for one number at a time. Here x = n ln 2 + r with a
whole n and |r| <= ln(2)/2, so e^x = 2^n e^r. A polynomial gives e^r, and adding n to the exponent's bits gives 2^n.
"""

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

LOG2_E = 1.4426950408889634
# ln 2 in two parts. The low bits of the first are zeros, so that its product with n is exact.
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
# 2^n is applied as 2^(n + 540) and then 2^-540, because 2^(n + 540) is a normal number for every n that occurs.
MIDDLE, BACK = 540.0, 2.0**-540
# Adding it to a number below 2^51 puts the nearest whole number, plus MIDDLE, in the low bits of the significand.
TO_WHOLE = 1.5 * 2.0**52 + MIDDLE
LOWEST = -746.0  # e^x is 0 below
SIGNIFICAND_BITS = np.uint64(52)


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def _bits(_context, _x):  # type: ignore[no-untyped-def]
    """The 64 bits of a float64, as an unsigned integer."""
    return types.uint64(types.float64), lambda _c, builder, _s, args: builder.bitcast(args[0], ir.IntType(64))


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def _float(_context, _bits):  # type: ignore[no-untyped-def]
    """The float64 with these 64 bits."""
    return types.float64(types.uint64), lambda _c, builder, _s, args: builder.bitcast(args[0], ir.DoubleType())


# Sums must keep their order here: a reordered + TO_WHOLE - TO_WHOLE would be optimized away.
@numba.njit(error_model="numpy", fastmath={"contract"}, forceinline=True)
def exp(x: float) -> float:
    """e^x for x <= 0 within 2 ulp, subnormal results and 0 included; NaN for NaN. Wrong for x > 0.

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
