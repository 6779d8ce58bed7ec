"""The numbers of the ladder: what each rung gains over the one that its arithmetic grew from, branch by branch.

Branches follow `grew_from`, not the ladder's order: numba_loop compiles python_loop, whatever stands between the two.
Rungs that spread their work over threads are left out, since a cell of the ladder has one thread.
"""

from collections.abc import Callable
from dataclasses import dataclass

import kernels
from bench.analysis.predictions import THREADS
from bench.results import LOOP, CellResult
from bench.stats import Interval
from kernels import Kernel

LIMIT = "hardware's limit"

Limit = Callable[[CellResult], float | None]  # the least seconds that the hardware allows a step in a cell
Branch = list[Kernel]


@dataclass(frozen=True)
class Step:
    """One step of a branch.

    Attributes:
        branch: The rung that the branch leads to.
        before: The rung that the step starts from.
        kernel: The rung that it reaches, or LIMIT.
        cause: What is new, in a few words; joined by " + " where rungs between were not measured.
        ratio: The speed-up of `kernel` over `before`.
        reached: The speed-up of `before` over the loop.
    """

    branch: str
    before: str
    kernel: str
    cause: str
    ratio: Interval
    reached: float


def branches() -> list[Branch]:
    """The rungs with one thread, from the one after the loop to the end of each branch, in ladder order."""
    rungs = {name: kernel for name, kernel in kernels.KERNELS.items() if kernel.predicted_by != THREADS}
    inner = {kernel.grew_from for kernel in rungs.values()}
    whole = [_to_the_loop(kernel, rungs) for name, kernel in rungs.items() if name not in inner]
    return [branch for branch in whole if branch and branch[0].grew_from == LOOP]


def main_branch() -> str:
    """The rung at the end of the branch that leads to the hardware's limit: the last with one thread."""
    ends = [branch[-1].name for branch in branches()]
    return max(ends, key=list(kernels.KERNELS).index)


def steps(result: CellResult, limit: Limit | None = None) -> list[Step]:
    """The steps that were measured in a cell; where a rung between was not, its cause is joined to the next one's.

    What two branches share is a step of the first.
    """
    measured: dict[tuple[str, str], Step] = {}
    last = main_branch()
    for branch in branches():
        end = branch[-1].name
        before, reached, causes = LOOP, 1.0, list[str]()
        for kernel in branch:
            causes.append(kernel.cause)
            ratio = result.speedup(before, kernel.name)
            if ratio is not None:
                step = Step(end, before, kernel.name, " + ".join(causes), ratio, reached)
                measured.setdefault((before, kernel.name), step)
                before, reached, causes = kernel.name, reached * ratio.estimate, []
        seconds = limit(result) if limit else None
        if seconds and end == last and before != LOOP:
            time = result.median(before)
            ratio = Interval(time.estimate / seconds, time.low / seconds, time.high / seconds)
            measured[before, LIMIT] = Step(end, before, LIMIT, "what is left", ratio, reached)
    return list(measured.values())


def _to_the_loop(kernel: Kernel, rungs: dict[str, Kernel]) -> Branch:
    """The chain of rungs that a kernel grew from, the loop left out, and the kernel itself."""
    branch: Branch = []
    while kernel.name != LOOP and kernel not in branch:
        branch.insert(0, kernel)
        if kernel.grew_from not in rungs:
            break
        kernel = rungs[kernel.grew_from]
    return branch
