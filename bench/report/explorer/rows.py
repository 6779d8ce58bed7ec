"""What the explorer draws from: costs of each kernel in each setting, and every measured cell, as short rows."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bench.analysis.costmodel import Costs, fit_all
from bench.analysis.payback import cold_seconds
from bench.grid import Setting
from bench.report.style import styles
from bench.results import Run

LEVELS = 3  # at most: two caches and memory
FAR = 1e300  # a cut that no problem reaches


@dataclass(frozen=True)
class Rows:
    """The data of the explorer.

    Attributes:
        costs: A row for each kernel and setting that has a cost model.
        cells: A row for each kernel and measured cell.
        kernels: The kernels that have a cost model, in ladder order.
        colors: Their colours.
        settings: The settings that have one.
        ms: The m that a reader can choose, ascending; those that were measured are among them.
        n_xs: The same of n_x.
    """

    costs: list[dict[str, Any]]
    cells: list[dict[str, Any]]
    kernels: list[str]
    colors: list[str]
    settings: list[Setting]
    ms: list[int]
    n_xs: list[int]


def rows_of(run: Run) -> Rows | None:
    """The rows of a run; None where no kernel has a cost model."""
    fits = {setting: fit_all(run, setting)[0] for setting in run.settings} if run.problem == "synthetic" else {}
    settings = [setting for setting, fitted in fits.items() if fitted]
    if not settings:
        return None
    costs = [_costs(run, costs) for setting in settings for costs in fits[setting].values()]
    names = [name for name in run.measured if any(name in fits[setting] for setting in settings)]
    style_of = styles(run)
    cells = [
        _key(name, result.cell.setting)
        | {"m": result.cell.m, "n_x": result.cell.n_x}
        | dict(zip(("t", "low", "high"), map(_three, (time.estimate, time.low, time.high)), strict=True))
        for result in run.cells
        for name in result.kernels
        if name in names
        for time in [result.median(name)]
    ]
    return Rows(
        costs,
        cells,
        names,
        [style_of[name].color for name in names],
        settings,
        _steps({row["m"] for row in cells}, (2, 5)),
        _steps({row["n_x"] for row in cells}, (2,)),
    )


def _key(kernel: str, setting: Setting) -> dict[str, Any]:
    return {"kernel": kernel, "order": setting.order, "threads": setting.threads, "dtype": setting.dtype}


def _three(value: float) -> float:
    return float(f"{value:.4g}")


def _costs(run: Run, costs: Costs) -> dict[str, Any]:
    """A row of numbers: the three costs at each level, where levels end, and how far predictions may be off."""
    setting = costs.setting
    levels = [*costs.levels, *[costs.levels[-1]] * (LEVELS - len(costs.levels))]
    cuts = [*costs.cuts, *[FAR] * (LEVELS - 1 - len(costs.cuts))]
    row = _key(costs.kernel, setting) | {"call": _three(costs.per_call.estimate)}
    for k, level in enumerate(levels):
        row |= {f"example{k}": _three(level.per_example.estimate), f"element{k}": _three(level.per_element.estimate)}
    row |= {f"cut{k}": cut for k, cut in enumerate(cuts)}
    nbytes = setting.precision.nbytes
    near = costs.near if costs.near < FAR else FAR
    # Sizes that are surely near, and surely far, to ask the model for both spreads.
    small = costs.spread(1, 1)
    large = costs.spread(max(2.0, 2.0 * min(near, 1e15) / nbytes), 1)
    price = run.prices.get(costs.kernel)
    cold = cold_seconds(run).get(costs.kernel, 0.0)
    return row | {
        "bytes": nbytes,
        "near": near,
        "spread_near": _three(small),
        "spread_far": _three(large),
        "cold": _three(cold),
        "cached": _three(price.cached if price is not None and price.cached is not None else cold),
    }


def _steps(measured: Iterable[int], between: tuple[int, ...]) -> list[int]:
    """The measured sizes, and between neighbours these multiples of the smaller one."""
    ordered = sorted(set(measured))
    more = {low * k for low, high in itertools.pairwise(ordered) for k in between if low * k < high}
    return sorted({*ordered, *more})
