"""How good advise is, at sizes that it has not seen: python -m tests.analysis.check_advise RUN [HELD_OUT].

HELD_OUT is a run of other sizes, which are estimated from RUN and the random sizes in its folder. Without it, half of
these sizes are estimated from the run and the other half, and the other way round. No test: it reads what was
measured, and prints what came out.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bench import words
from bench.analysis.advise import advise
from bench.grid import Setting
from bench.results import CellResult, Run, load

CALLS = 10**9  # so that starting does not count
NEAR = 1.1


@dataclass(frozen=True)
class Checked:
    """A size: the time of the choice ÷ that of the best, whether its interval contained it, and its half-width."""

    regret: float
    covered: bool
    half_width: float


def check(run: Run, sizes: Run | None, held_out: Sequence[CellResult]) -> list[Checked]:
    """The answers at these cells, from a run and perhaps a run of other sizes."""
    checked = []
    for result in held_out:
        cell = result.cell
        threads = "1" if cell.threads == 1 else "all"
        answer = advise(run, cell.m, cell.n_x, CALLS, cell.order, threads, sizes=sizes)
        best = next(offer for offer in answer.offers if offer.kernel in result.samples)
        times = {o.kernel: result.median(o.kernel).estimate for o in answer.offers if o.kernel in result.samples}
        time = times[best.kernel]
        regret, interval = time / min(times.values()), best.seconds
        checked.append(Checked(regret, time in interval, (interval.high / interval.low) ** 0.5 - 1.0))
    return checked


def halves(run: Run, sizes: Run, results: Sequence[CellResult]) -> list[Checked]:
    """Each half of the sizes, as answered from the run and the other half."""
    checked = []
    for half in (0, 1):
        chosen = results[half::2]
        others = [result for result in sizes.cells if result not in chosen]
        checked += check(run, replace(sizes, cells=others), chosen)
    return checked


def line(checked: Sequence[Checked]) -> str:
    """What came out, in a line."""
    near = words.percent(float(np.mean([one.regret <= NEAR for one in checked])))
    covered = words.percent(float(np.mean([one.covered for one in checked])))
    width = words.percent(float(np.median([one.half_width for one in checked])))
    worst = max(one.regret for one in checked)
    return (
        f"{len(checked)} sizes: the choice is within 10% of the best in {near} (worst {words.times(worst, 3)}), "
        f"the 90% interval contains the time in {covered}, median width ± {width}"
    )


def main(folder: Path, where: Path | None) -> None:
    """Print how good the answers are, setting by setting."""
    run, sizes = load(folder), load(folder / "sizes") if (folder / "sizes").is_dir() else None
    held_out = sizes if where is None else load(where)
    if held_out is None:
        sys.exit(f"nothing to check with; measure random sizes: unloop run --grid sizes --out {folder / 'sizes'}")
    for setting in (setting for setting in held_out.settings if setting in run.settings):
        results = [result for result in held_out.of(setting) if _inside(run, setting, result)]
        print(f"{setting.label}, from the run alone: {line(check(run, None, results))}")
        if sizes is not None:
            checked = halves(run, sizes, results) if held_out is sizes else check(run, sizes, results)
            what = "half of the random sizes" if held_out is sizes else "the random sizes"
            print(f"{setting.label}, from the run and {what}: {line(checked)}")


def _inside(run: Run, setting: Setting, result: CellResult) -> bool:
    """Whether a size lies within those of the run, and something was timed there."""
    cells = [other.cell for other in run.of(setting)]
    ms, n_xs = [cell.m for cell in cells], [cell.n_x for cell in cells]
    return bool(result.kernels) and min(ms) <= result.cell.m <= max(ms) and min(n_xs) <= result.cell.n_x <= max(n_xs)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
