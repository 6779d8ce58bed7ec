"""Where the textbook cost breaks down: the cost of one example as z grows, by the textbook's formula and from z.

No measurement of a run: it is computed when the report is made, for no clock is needed.
"""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from bench.report.charts import WIDTH, Plot, style
from bench.report.tables import Table
from bench.results.run import Run
from kernels import KERNELS, reference

TEXTBOOK, STABLE = "numpy_textbook", "numpy_vectorized"
LABELS = {0.0: "label 0: wrong, and sure of it", 1.0: "label 1: right, and sure of it"}
Z = (5.0, 10.0, 20.0, 30.0, 36.0, 37.0, 40.0, 100.0, 700.0)
DRAWN_Z = np.linspace(0.5, 50.0, 100)
NONE = 1e-18  # where an error of nothing is drawn


def costs(z: float, label: float) -> tuple[float, float, float]:
    """The cost of one example with this z and label: the reference's, the textbook formula's, and the stable one's."""
    inputs = (np.array([1.0]), 0.0, np.array([[z]]), np.array([label]))
    with np.errstate(all="ignore"):
        textbook, stable = (KERNELS[name](*inputs)[0] for name in (TEXTBOOK, STABLE))
    return reference.cost_and_gradient(*inputs)[0], textbook, stable


def figure(run: Run) -> Plot | None:
    """The relative error of both costs against z, a panel for each label; None where the textbook was not measured."""
    if TEXTBOOK not in run.measured:
        return None
    drawn = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    axes = drawn.subplots(1, 2, sharey=True)
    ends = []
    for ax, (label, words) in zip(axes, LABELS.items(), strict=True):
        found = [costs(z, label) for z in DRAWN_Z]
        true = [each[0] for each in found]
        end = next((k for k, each in enumerate(found) if not math.isfinite(each[1])), len(found))
        for name, column, upto in ((TEXTBOOK, 1, end), (STABLE, 2, len(found))):
            errors = _errors([each[column] for each in found[:upto]], true[:upto])
            color, marker = style(name)
            ax.plot(DRAWN_Z[:upto], errors, color=color, marker=marker, markevery=8, markersize=5, label=name)
        if end < len(found):
            ends.append(f"{found[end][1]} from z = {DRAWN_Z[end]:g} on")
            ax.axvspan(DRAWN_Z[end], DRAWN_Z[-1], color="#f3dcc8", linewidth=0)
            where = ((DRAWN_Z[end] + DRAWN_Z[-1]) / 2, 1e-8)
            ax.annotate(f"textbook:\n{found[end][1]}", where, ha="center", fontsize=8)
        ax.set(yscale="log", ylim=(NONE / 3, 10.0), title=words, xlabel="z", xlim=(0.0, DRAWN_Z[-1]))
        ax.set_yticks([NONE, 1e-15, 1e-10, 1e-5, 1.0], ["none", "1e-15", "1e-10", "1e-5", "all of it"])
    axes[0].set_ylabel("relative error of the cost")
    axes[0].legend(loc="upper left", frameon=False, fontsize=8)
    drawn.suptitle("The cost of one example, as the activation saturates", x=0.01, ha="left", fontweight="bold")
    return Plot(
        "breakdown",
        f"Relative error of the cost of one example against z, by {TEXTBOOK} and {STABLE}, for both labels. Computed "
        "when this page was made: no measurement of the run.",
        drawn,
        finding=f"The textbook's cost loses digits as z grows, and is {' for label 0, '.join(ends)} for label 1; "
        "computed from z it keeps them all."
        if len(ends) == len(LABELS)
        else "",
        table=table(),
        section="accuracy",
    )


def _errors(got: Sequence[float], true: Sequence[float]) -> list[float]:
    return [max(abs(g - t) / t, NONE) for g, t in zip(got, true, strict=True)]


def table() -> Table:
    """The cost of one example at some z, by formula."""
    rows = []
    for label, words in LABELS.items():
        for z in Z:
            true, textbook, stable = costs(z, label)
            rows.append([words, f"{z:g}", f"{true:.6g}", *(_cost(value, true) for value in (textbook, stable))])
    columns = ["label", "z", "cost", f"relative error of {TEXTBOOK}", f"of {STABLE}"]
    return Table("The cost of one example, by formula", columns, rows, keys=2)


def _cost(got: float, true: float) -> str:
    return f"{abs(got - true) / true:.2g}" if math.isfinite(got) else f"all of it: the cost is {got}"
