"""Gradient descent by `numba_loop` with the iterations compiled too: no call from Python for each step.

Changes: the loop over the iterations is compiled as well. A single step is that of `numba_loop`, so this kernel takes
part in training runs only.
"""

from dataclasses import replace

from kernels import numba_loop

KERNEL = replace(
    numba_loop.KERNEL,
    name="numba_descent",
    title="Numba loop, iterations compiled",
    change="numba_loop with the loop over the iterations compiled too.",
    grew_from="numba_loop",
    cause="iterations compiled",
    expects="Each iteration saves one call from Python, which matters only where a step is short.",
    unpredicted="what a call from Python costs is not counted",
    isolates=False,
    trains_only=True,
)
