"""A run is several fresh processes: each takes its share of every cell, and compiles nothing that is kept on disk."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench.grid import Cell, Plan
from bench.measure import verdicts
from bench.measure.ledger import Progress, run_folder
from bench.measure.session import Session
from bench.measure.worker import Worker
from bench.results import CONTROL, VECTORIZED, load
from bench.results.records import Calibrated, Ceiling, EventRecord, ReadRate, Round, Sample
from tests import factories
from tests.conftest import ROOT

PROCESSES = 3
CELLS = (Cell(10, 2), Cell(40, 2))
PLAN = Plan(factories.preset(CELLS, processes=PROCESSES, min_rounds=4, max_rounds=6), names=(VECTORIZED,))


def test_each_process_takes_its_share_of_every_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []
    start = Worker.start

    def counted(plan: Plan) -> Worker:
        worker = start(plan)
        started.append(worker.pid)
        return worker

    monkeypatch.setattr(Worker, "start", counted)
    with Session.open(PLAN, run_folder(tmp_path, "x")) as opened:
        opened.measure({cell: [VECTORIZED] for cell in CELLS})
    assert len(set(started)) == PROCESSES
    for result in load(opened.folder).cells:
        assert result.processes == PROCESSES
        for samples in result.samples.values():
            assert list(samples.by_process) == list(range(PROCESSES))
            assert {len(seconds) for seconds in samples.by_process.values()} == {len(samples.rounds) // PROCESSES}
        ratio = result.speedup(VECTORIZED, CONTROL)
        assert ratio is not None and ratio.low < ratio.estimate < ratio.high


def test_a_run_cut_off_in_its_second_process_is_resumed_there(tmp_path: Path) -> None:
    rounds = 0

    def cut(_cell: Cell, event: EventRecord) -> None:
        nonlocal rounds
        rounds += isinstance(event, Round)
        if rounds == 14:  # two cells of four to six rounds a process: in the second process
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), Session.open(PLAN, run_folder(tmp_path, "x")) as opened:
        opened.measure({cell: [VECTORIZED] for cell in CELLS}, cut)
    before = load(opened.folder)
    assert before.end is None and max(result.processes for result in before.cells) >= 2
    with Session.resume(opened.folder) as resumed:
        resumed.measure({cell: [VECTORIZED] for cell in resumed.unfinished()})
    for whole, part in zip(load(opened.folder).cells, before.cells, strict=True):
        assert whole.processes == PROCESSES
        assert list(whole.samples[VECTORIZED].wall)[: len(part.samples[VECTORIZED].wall)] == list(
            part.samples[VECTORIZED].wall
        )


def test_a_sample_that_no_machine_can_have_taken_is_refused() -> None:
    cell = factories.cell(1_000, 100)
    ceiling = Ceiling(1, [ReadRate(8_000, 1e10), ReadRate(10**9, 1e10)], flops=1e12, exps=1e12)  # 80 us to read X

    def refuted(limit: Ceiling | None = ceiling, **seconds: float) -> list[str]:
        calibrated = Calibrated(cell=cell.id, loops=dict.fromkeys(seconds, 10), every={}, rounds=1, seconds=1.0)
        samples = [Sample(name, 10 * value, 10 * value) for name, value in seconds.items()]
        event = Round(cell=cell.id, index=0, samples=samples)
        return [failed.reason for failed in verdicts.refuted(cell, event, Progress(calibrated=calibrated), limit)]

    (reason,) = refuted(honest=9e-5, remembers=4e-5, numba_fused=1e-4)
    assert reason.startswith("remembers: impossible: a call took 40 µs, but this machine needs 80 µs at least")
    # The ceiling was measured beside a busy neighbour: a rung in the same round is as fast.
    assert not refuted(peer=4e-5, numba_fused=5e-5)
    assert refuted(numba_fused=4e-6) and not refuted(numba_fused=4e-5)
    assert not refuted(None, remembers=1e-9)


CODE = """
import hashlib, sys
from pathlib import Path
from kernels import KERNELS
from kernels._cache import keep_on_disk
from bench.problem import make_problem

keep_on_disk(Path(sys.argv[1]))
problem = make_problem(50, 300)
for name in ("numba_loop", "numba_fastmath", "numba_parallel", "numba_fused_parallel"):
    J, dw, db = KERNELS[name](problem.w, problem.b, problem.X, problem.Y)
    print(name, sum(KERNELS[name].function.stats.cache_hits.values()), hashlib.sha256(dw.tobytes()).hexdigest())
"""


def test_the_code_that_is_loaded_from_disk_is_the_one_that_was_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numba's key alone would give numba_fastmath the strict code of numba_loop: one function, on one line."""
    monkeypatch.delenv("NUMBA_OPT", raising=False)  # sums are reordered where code is optimized

    def call() -> dict[str, list[str]]:
        command = [sys.executable, "-c", CODE, str(tmp_path)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        return {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}

    first, second = call(), call()
    for name, (hits, bits) in first.items():
        assert hits == "0" and second[name] == ["1", bits], name
    assert first["numba_loop"][1] != first["numba_fastmath"][1]
