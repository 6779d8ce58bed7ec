"""Kernels that change what they share with the others: the inputs, the clock. They fail, and no other does."""

import numpy as np
import pytest

from bench.grid import Cell, Plan
from bench.machine.clocks import Compared
from bench.measure import child, rounds
from bench.measure.ledger import Progress, run_folder
from bench.measure.session import Session
from bench.measure.verdicts import Unreadable, judged
from bench.measure.worker import Died, Worker
from bench.problem import make_problem
from bench.results import CONTROL, LOOP, VECTORIZED, Run, load
from bench.results.records import Calibrated, EventRecord, Failed, FirstCall, Round, Ruled, Sample, Skipped
from tests import factories
from tests.measure.test_session import BODY

INNOCENT = {LOOP, VECTORIZED, CONTROL}
CELL = Cell(40, 2)
DEEDS = {
    # From the eleventh call on, or when the samples are taken already.
    "writes_X": "X[0, 0] += 1.0 if len(calls) > 10 else 0.0",
    "writes_Y": "Y[:] = 1.0 - Y if len(calls) > 60 else Y",
    "unlocks_X": "X.flags.writeable = True; X.sort() if len(calls) == 30 else None",
    "slow_clock": "time.perf_counter = lambda: 0.0",
    "clock_back": "time.perf_counter = time.process_time = lambda: -float(len(calls))",
}
AT_ONCE = "import time\nreal = time.perf_counter\ntime.perf_counter = lambda: real() / 10.0\n"


@pytest.fixture(scope="module")
def tampered(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with all of them."""
    root = tmp_path_factory.mktemp("tampering")
    own = {}
    for name, deed in DEEDS.items():
        (root / f"{name}.py").write_text(BODY.format(deed=deed))
        own[name] = str(root / f"{name}.py")
    (root / "at_once.py").write_text(AT_ONCE + BODY.format(deed="pass"))
    own["at_once"] = str(root / "at_once.py")
    with Session.open(Plan(factories.preset([CELL]), own=own), run_folder(root, "x")) as measuring:
        measuring.measure({CELL: [*own]})
    return load(measuring.folder)


def test_who_writes_to_the_inputs_is_named_and_nobody_else(tampered: Run) -> None:
    (result,) = tampered.cells
    assert set(result.failed) == {"writes_X", "writes_Y", "unlocks_X"}
    for name, reason in result.failed.items():
        assert reason == f"{name}: it changed X or Y, which all kernels share; write to arrays of its own"
    assert set(result.samples) >= INNOCENT


def test_a_clock_that_a_file_replaces_times_nothing(tampered: Run) -> None:
    (result,) = tampered.cells
    # They do the same work as numpy_vectorized, and a sample lasts as long as the preset asks for.
    for name in ("at_once", "slow_clock", "clock_back"):
        assert min(result.samples[name].wall) > tampered.plan.preset.sample_seconds / 10
        assert 0.2 < result.median(name).estimate / result.median(VECTORIZED).estimate < 5.0
    assert tampered.end is not None and 0.1 < tampered.end.wall < 100.0


def test_the_clock_of_another_process_must_run_as_ours() -> None:
    compared = Compared()
    assert not compared.differs(10.0, 500.0, 10.1)
    assert not compared.differs(20.0, 510.0, 20.1)
    assert compared.differs(20.0, 501.0, 20.1)  # ten times too slow
    assert compared.differs(20.0, 600.0, 20.1)
    assert compared.differs(20.0, float("nan"), 20.1)
    # A process that is stopped, ours or the other, is no clock that was changed.
    assert not compared.differs(20.0, 520.0, 32.0) and not compared.differs(20.0, 511.0, 32.0)


def test_a_worker_whose_clock_was_changed_measures_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    measuring = Worker.start(Plan(factories.preset([CELL])))
    assert measuring.pools(1)
    answers = iter([child.Answer({}, False, 0, 0, rounds.clock() - 3.0)])
    monkeypatch.setattr(measuring, "_pipe", _Pipe(answers))
    with pytest.raises(Died, match="has a clock that does not run as others do") as died:
        measuring.pools(1)
    assert died.value.kernel is None
    measuring.close()


class _Pipe:
    """A pipe that has answers."""

    def __init__(self, answers: object) -> None:
        self._answers = answers

    def send(self, _question: object) -> None: ...

    def poll(self, _seconds: float = 0.0) -> bool:
        return True

    def recv(self) -> object:
        return next(self._answers)  # type: ignore[call-overload]


def test_what_no_run_can_hold_fails_its_kernel_and_the_run_lives() -> None:
    calibrated = Calibrated(cell=CELL.id, loops={"a": 1, "b": 1}, every={"a": 1, "b": 1}, rounds=2, seconds=1.0)

    def become(event: EventRecord, out: tuple[str, ...] = ()) -> list[EventRecord]:
        return list(judged(CELL, event, Progress(calibrated=calibrated, out=set(out)), None))

    for wrong in (-0.3, 0.0, 1e-300, float("nan"), float("inf")):
        samples = [Sample("a", 1e-3, 1e-3), Sample("b", wrong, 1e-3)]
        failed, *_ = become(Round(cell=CELL.id, index=0, samples=samples))
        assert (
            isinstance(failed, Failed) and failed.kernel == "b" and "does the kernel change the clock?" in failed.reason
        )
        # Once it has failed, its samples are left out; the round of the others is kept.
        (kept,) = become(Round(cell=CELL.id, index=0, samples=samples), out=("b",))
        assert kept == Round(cell=CELL.id, index=0, samples=samples[:1])
    (failed,) = become(FirstCall(cell=CELL.id, kernel="a", seconds=-0.3))
    assert isinstance(failed, Failed) and failed.reason.startswith("a: FirstCall can't be: ")
    (ruled,) = become(Round(cell=CELL.id, index=0, samples=[], ruler=Ruled(-1.0, 1.0, 0)))
    assert ruled == Round(cell=CELL.id, index=0, samples=[])
    with pytest.raises(Unreadable, match="sent a record that no run can contain"):
        become(Calibrated(cell=CELL.id, loops={}, every={}, rounds=0, seconds=1.0))
    (skipped,) = become(Skipped(cell=CELL.id, kernel="a", reason="[/x]\n\udc80"))
    assert isinstance(skipped, Skipped) and skipped.reason == "[/x] \ufffd"


@pytest.mark.parametrize("order", ["F", "C"])
def test_a_problem_knows_that_it_was_changed_and_is_made_anew_in_place(order: str) -> None:
    problem = make_problem(7, 3, seed=1, order=order)  # type: ignore[arg-type]
    right, by_feature = make_problem(7, 3, seed=1, order=order), problem.by_feature  # type: ignore[arg-type]
    assert problem.checksum and not problem.changed
    X, Y = problem.X, problem.Y
    for changed, to in ((X, np.sort(X)), (X[:1, :1], np.nan), (X, X[:, ::-1].copy()), (Y[:1], 1.0 - Y[:1])):
        np.copyto(changed, to)
        assert problem.changed
        problem.restore(right)
        assert not problem.changed and problem.X is X and np.array_equal(problem.by_feature, right.X)
    assert problem.by_feature is by_feature
