"""PyTorch, the gradient written by hand.

Written as: plain tensors, so that no graph is recorded; the loss as -logsigmoid of the margin (2 y - 1) z, which keeps
the digits of a tiny loss for both labels (`binary_cross_entropy_with_logits` loses them for label 0).
Passes over X: two, in products by PyTorch's own BLAS.
Allocates: about six arrays of m elements.
"""

from collections.abc import Callable
from typing import Any

from kernels._kernel import Array, At
from kernels.peers._peer import by_feature, peer


def prepare(X: Array, Y: Array) -> At:
    """The step on X (n_x, m) and Y (m,)."""
    import torch
    from torch.nn.functional import logsigmoid

    features, labels = torch.from_numpy(by_feature(X)), torch.tensor(Y)
    signs = 2.0 * labels - 1.0
    m = Y.size

    def at(w: Array, b: float) -> Callable[[], Any]:
        weights = torch.tensor(w)
        bias = torch.tensor(b, dtype=weights.dtype)

        def step() -> Any:
            Z = torch.addmv(bias, features.T, weights)
            J = -logsigmoid(signs * Z).mean()
            dZ = torch.sigmoid(Z).sub_(labels)
            return J, torch.mv(features, dZ).div_(m), dZ.mean()

        return step

    return at


KERNEL = peer(
    name="torch_gradient",
    title="PyTorch",
    change="The vectorized form in PyTorch, its gradient written by hand.",
    prepare=prepare,
    requires=[("torch", "torch")],
    expects="Like numpy_vectorized, but the elementwise part uses vectorized exponentials and threads too.",
)
