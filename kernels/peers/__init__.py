"""The same step in other libraries, each written as its own users would write it well.

Peers keep the contract of `kernels` and pass the same gate, but are not part of the ladder. A library is imported when
its peer is first bound; if it is not installed, the peer's `missing` names it. `bind` converts the inputs to the
library's own form, in the layout that suits it best, so the order of X makes no difference to a peer.
"""

from collections.abc import Mapping
from types import MappingProxyType

from kernels._kernel import Kernel
from kernels.peers import (
    c_fused,
    jax_jit,
    numexpr_gradient,
    onedal_loss,
    sklearn_loss,
    torch_autograd,
    torch_compile,
    torch_gradient,
)

PEERS: Mapping[str, Kernel] = MappingProxyType(
    {
        kernel.name: kernel
        for kernel in (
            c_fused.KERNEL,
            onedal_loss.KERNEL,
            sklearn_loss.KERNEL,
            numexpr_gradient.KERNEL,
            torch_gradient.KERNEL,
            torch_autograd.KERNEL,
            torch_compile.KERNEL,
            jax_jit.KERNEL,
        )
    }
)

__all__ = ["PEERS"]
