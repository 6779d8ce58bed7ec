"""PyTorch, the gradient by autograd.

Written as: the cost alone, of leaf tensors that require their gradient; `torch.autograd.grad` does the rest.
Passes over X: two, in products by PyTorch's own BLAS.
Allocates: about ten arrays of m elements, and the nodes of the graph in every call.
"""

from collections.abc import Callable
from typing import Any

from kernels._kernel import Array, At
from kernels.peers._peer import by_feature, peer


def prepare(X: Array, Y: Array) -> At:
    """The step on X (n_x, m) and Y (m,)."""
    import torch
    from torch.nn.functional import logsigmoid

    features = torch.from_numpy(by_feature(X))
    signs = 2.0 * torch.tensor(Y) - 1.0

    def at(w: Array, b: float) -> Callable[[], Any]:
        weights = torch.tensor(w, requires_grad=True)
        bias = torch.tensor(b, dtype=weights.dtype, requires_grad=True)

        def step() -> Any:
            J = -logsigmoid(signs * torch.addmv(bias, features.T, weights)).mean()
            return J.detach(), *torch.autograd.grad(J, (weights, bias))

        return step

    return at


KERNEL = peer(
    name="torch_autograd",
    title="PyTorch, autograd",
    change="Only the cost is written; PyTorch differentiates it.",
    prepare=prepare,
    requires=[("torch", "torch")],
    expects="Like torch_gradient on many examples. On few, recording a graph and walking back along it dominates.",
)
