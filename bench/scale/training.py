"""Whole training with the chunked step: gradient descent, and L-BFGS of scipy.optimize."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import minimize

from bench.agreement import Disagreement
from bench.grid import ALPHA
from bench.scale.records import Trained, Training
from bench.scale.session import Session, opened
from bench.scale.ways import Answer, Step
from kernels._kernel import Array

MOST_STEPS = 40
CLOSE = 1e-9  # relative difference of costs between two ways of training


def counted(step: Step) -> tuple[Callable[[Array], tuple[float, Array]], list[float]]:
    """The step as a function of w and b in one vector, as scipy wants it, and the costs of its calls."""
    costs: list[float] = []

    def function(at: Array) -> tuple[float, Array]:
        J, dw, db = step(np.ascontiguousarray(at[:-1]), float(at[-1]))
        costs.append(J)
        return J, np.append(dw, db)

    return function, costs


def lbfgs(way: str, step: Step, m: int, w: Array, b: float) -> Trained:
    """Train to the minimum, from w and b."""
    function, costs = counted(step)
    start = time.perf_counter()
    end = minimize(
        function,
        np.append(w, b),
        jac=True,
        method="L-BFGS-B",
        options={"maxfun": MOST_STEPS, "ftol": 0.0, "gtol": 1e-7},
    )
    return Trained("L-BFGS", way, m, len(costs), time.perf_counter() - start, costs[0], float(end.fun))


def descend(
    way: str, step: Step, m: int, w: Array, b: float, alpha: float, iterations: int
) -> tuple[Trained, list[float]]:
    """Gradient descent from w and b; also the cost before each step."""
    costs = []
    start = time.perf_counter()
    for _ in range(iterations):
        answer = step(w, b)
        costs.append(answer[0])
        w, b = after(answer, w, b, alpha)
    seconds = time.perf_counter() - start
    return Trained("gradient descent", way, m, iterations, seconds, costs[0], costs[-1]), costs


def after(answer: Answer, w: Array, b: float, alpha: float) -> tuple[Array, float]:
    """Where one step of gradient descent leads: w and b."""
    _, dw, db = answer
    return w - alpha * dw, b - alpha * db


def train(session: Session, client: Any) -> Training:
    """Gradient descent and L-BFGS over all of the data, and both ways where both fit in memory."""
    asked, scale = session.asked, session.scale
    slots = session.slots
    runs: list[Trained] = []
    descent = scale.ways.get("dask_chunks")
    if descent is not None:
        seconds, costs = sum(descent.seconds), descent.costs
        runs.append(Trained("gradient descent", "dask_chunks", scale.m, len(costs), seconds, costs[0], costs[-1]))
    session.progress("training with L-BFGS")
    with opened(["dask_chunks"], asked.data, scale.chunk_rows, client, slots) as steps:
        runs.append(lbfgs("dask_chunks", steps["dask_chunks"], scale.m, session.w, session.b))
    small = asked.data.head(max(1, asked.memory // 8 // asked.data.row_bytes))
    costs_of, ends = {}, {}
    with opened(["dask_chunks", "in_memory"], small, scale.chunk_rows, client, slots) as steps:
        for name, step in steps.items():
            session.progress(f"training {small.m:,} examples with {name}")
            trained, costs_of[name] = descend(
                name, step, small.m, session.w, session.b, ALPHA, max(5, asked.iterations)
            )
            ends[name] = lbfgs(name, step, small.m, session.w, session.b)
            runs += [trained, ends[name]]
    one, other = (np.append(costs_of[name], ends[name].last) for name in ("dask_chunks", "in_memory"))
    difference = float(np.max(np.abs(one - other) / np.abs(other)))
    if not difference <= CLOSE:
        raise Disagreement(f"training in chunks and in memory end at other costs: {difference:.2g} apart, relatively")
    return Training(runs, difference)
