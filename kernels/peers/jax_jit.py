"""JAX: the cost, differentiated and compiled, `jit(value_and_grad(cost))`.

Written as: the cost alone, as softplus of -(2 y - 1) z, which keeps the digits of a tiny loss for both labels; in
the dtype of X; JAX computes in float64 only if it is configured to. The call waits for its outputs.
Passes over X: two, in products by XLA.
Allocates: whatever XLA leaves after fusing: two or three arrays of m elements.
"""

import os
from collections.abc import Callable
from functools import cache
from typing import Any

import numba

from kernels._kernel import Array, At
from kernels.peers._peer import by_feature, peer

SIZE = "PJRT_NPROC"  # the variable from which XLA takes the number of threads of a new client


@cache
def device(threads: int) -> Any:
    """A CPU device with this many threads. XLA fixes the number when a client is made, so each number has its own."""
    from jaxlib import xla_client

    before = os.environ.get(SIZE)
    os.environ[SIZE] = str(threads)
    try:
        return xla_client.make_cpu_client().local_devices()[0]
    finally:
        if before is None:
            del os.environ[SIZE]
        else:
            os.environ[SIZE] = before


@cache
def compiled() -> Callable[..., Any]:
    """The step. JAX compiles it again for each shape and device."""
    import jax

    jax.config.update("jax_enable_x64", True)

    def cost(w: Any, b: Any, X: Any, signs: Any) -> Any:
        return jax.nn.softplus(-signs * (w @ X + b)).mean()

    def cost_and_gradient(w: Any, b: Any, X: Any, signs: Any) -> Any:
        J, (dw, db) = jax.value_and_grad(cost, argnums=(0, 1))(w, b, X, signs)
        return J, dw, db

    step: Callable[..., Any] = jax.jit(cost_and_gradient)
    return step


def prepare(X: Array, Y: Array) -> At:
    """The step on X (n_x, m) and Y (m,), on numba.get_num_threads() threads."""
    import jax

    cost_and_gradient = compiled()
    here = device(numba.get_num_threads())
    features, signs = jax.device_put(by_feature(X), here), jax.device_put(2.0 * Y - 1.0, here)

    def at(w: Array, b: float) -> Callable[[], Any]:
        weights, bias = jax.device_put(w.copy(), here), jax.device_put(w.dtype.type(b), here)
        return lambda: jax.block_until_ready(cost_and_gradient(weights, bias, features, signs))

    return at


KERNEL = peer(
    name="jax_jit",
    title="JAX",
    change="Only the cost is written; JAX differentiates it and XLA compiles it for each shape.",
    prepare=prepare,
    requires=[("jax", "jax"), ("jaxlib", "jaxlib")],
    compiles="per shape",
    expects="A call costs little, and the elementwise part is fused. The first call for a shape compiles.",
)
