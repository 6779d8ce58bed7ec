"""PyTorch, the gradient written by hand and compiled by `torch.compile`.

Written as: `torch_gradient`, with its products as products of matrices: PyTorch's compiler, Inductor, would turn a
product of matrix and vector into a loop of its own, slower than BLAS. Compiled once for each shape and number of
threads, with the whole step in one graph, so that it never falls back to uncompiled code.
Passes over X: two, in products by PyTorch's own BLAS.
Allocates: two or three arrays of m elements, because the elementwise lines are fused.
"""

import os
import shutil
import sys
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

from kernels._kernel import Array, At
from kernels.peers._peer import by_feature, peer


@cache
def compiled(n_x: int, m: int, _threads: int) -> Callable[..., Any]:
    """The step for one shape. Inductor writes the number of threads into the code that it generates."""
    import torch
    from torch.nn.functional import logsigmoid

    with warnings.catch_warnings():
        # PyTorch's own modules use deprecated parts of PyTorch.
        warnings.simplefilter("ignore", DeprecationWarning)
        import torch._inductor.config

        torch._inductor.config.compile_threads = 1  # more would keep a pool of processes
        import torch._dynamo
        import torch._inductor.compile_fx
        import torch.utils.mkldnn
    torch._dynamo.config.accumulated_recompile_limit = sys.maxsize  # a grid has hundreds of shapes

    def cost_and_gradient(weights: Any, bias: Any, features: Any, labels: Any, signs: Any) -> Any:
        Z = torch.mm(weights[None, :], features)[0] + bias
        J = -logsigmoid(signs * Z).mean()
        dZ = torch.sigmoid(Z) - labels
        return J, torch.mm(features, dZ[:, None]).reshape(n_x) / m, dZ.mean()

    # By default all closures of one function share at most eight compiled forms. Here each closure has its own, and a
    # call that would need a second one raises an error.
    step: Callable[..., Any] = torch.compile(
        cost_and_gradient, dynamic=False, fullgraph=True, isolate_recompiles=True, recompile_limit=1
    )
    return step


def prepare(X: Array, Y: Array) -> At:
    """The step on X (n_x, m) and Y (m,), for as many threads as PyTorch may use now."""
    import torch

    features, labels = torch.from_numpy(by_feature(X)), torch.tensor(Y)
    signs = 2.0 * labels - 1.0
    cost_and_gradient = compiled(*X.shape, torch.get_num_threads())

    def at(w: Array, b: float) -> Callable[[], Any]:
        weights = torch.tensor(w)
        bias = torch.tensor(b, dtype=weights.dtype)
        return lambda: cost_and_gradient(weights, bias, features, labels, signs)

    return at


def _lacks_compiler() -> str | None:
    default = "clang++" if sys.platform == "darwin" else "cl" if sys.platform == "win32" else "g++"
    return None if shutil.which(os.environ.get("CXX", default)) else "a C++ compiler"


KERNEL = peer(
    name="torch_compile",
    title="PyTorch, compiled",
    change="The form written by hand, compiled by torch.compile for each shape.",
    prepare=prepare,
    requires=[("torch", "torch")],
    compiles="per shape",
    lacks=_lacks_compiler(),
    expects="One elementwise pass where torch_gradient makes several. The first call for a shape takes seconds, and "
    "needs a C++ compiler.",
)
