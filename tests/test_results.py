"""A run folder: what is written is what is read; torn and damaged files; the table and its figures of trust."""

import getpass
import json
import platform
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench import stats
from bench.grid import Cell, batches
from bench.measure import contestants as roster
from bench.measure import session
from bench.measure.engine import CONTROL
from bench.results import journal, runjson
from bench.results import run as results
from bench.results.quality import trust
from bench.results.run import LOOP, VECTORIZED, NotARun, Run, load
from kernels import KERNELS
from tests.conftest import CELLS, PRESET


def test_a_run_holds_every_kernel_of_every_cell(run: Run) -> None:
    assert [result.cell for result in run.cells] == list(CELLS)
    for result in run.cells:
        wanted = roster.names_for(result.cell)
        assert {*result.kernels, *result.skipped} == set(wanted)
        assert not result.failed
        assert set(result.agreement) == {*result.kernels, CONTROL}
    assert run.end is not None and not run.end["interrupted"]


def test_the_largest_cell_predicts_the_loop_instead_of_running_it(run: Run) -> None:
    reason, predicted = run.cells[3].skipped[LOOP]
    assert predicted > PRESET.cap and "cap" in reason
    # The loop's time grows with m: from 10 to 4000 examples, by 400 give or take.
    assert 1 / 3 < predicted / (400 * run.cells[2].median(LOOP).estimate) < 3


def test_the_table_has_the_contract_s_columns(run: Run) -> None:
    table = run.table()
    assert list(table.columns) == [
        *("kernel", "m", "n_x", "order", "threads", "seconds", "low", "high"),
        *("speedup", "speedup_low", "speedup_high", "of_limit"),
    ]
    assert len(table) == sum(len(result.kernels) for result in run.cells)
    assert (table.low <= table.seconds).all() and (table.seconds <= table.high).all()
    baseline = table[(table.kernel == LOOP)]
    assert (baseline.speedup == 1.0).all()
    # Nothing to compare with where the loop was too slow, or where it is no kernel for all threads.
    assert table[(table.m == 4_000) | (table.threads == 2)].speedup.isna().all()
    assert run.table(VECTORIZED).speedup.notna().all()


def test_speedups_are_those_of_the_samples_paired_by_round(run: Run) -> None:
    result = run.cells[0]
    shared = sorted(set(result.rounds[LOOP]) & set(result.rounds["numba_loop"]))
    assert len(shared) >= PRESET.min_rounds
    pairs = [
        (
            result.seconds[LOOP][result.rounds[LOOP].index(i)],
            result.seconds["numba_loop"][result.rounds["numba_loop"].index(i)],
        )
        for i in shared
    ]
    before, after = zip(*pairs, strict=True)
    assert result.speedup(LOOP, "numba_loop") == stats.speedup(before, after)
    assert result.speedup(LOOP, "no_such_kernel") is None


def test_the_control_and_the_noise_floor(run: Run) -> None:
    for result in run.cells:
        assert result.control is not None
        assert 1 / 3 < result.control.estimate < 3
        assert result.noise_floor == pytest.approx(max(result.control.high, 1 / result.control.low) - 1)
        assert CONTROL not in result.kernels


def test_compile_time_is_recorded_for_compiled_kernels_only(run: Run) -> None:
    assert set(run.compile_seconds) == {name for name, kernel in KERNELS.items() if kernel.compiled}


def test_trust_adds_up(run: Run) -> None:
    found = trust(run)
    assert 0.0 < found.in_samples < 1.0
    assert found.wall > sum(result.sample_seconds() for result in run.cells)
    assert {found.control_close, found.control_covers, found.narrow} <= {k / len(CELLS) for k in range(len(CELLS) + 1)}


def test_a_kernel_that_uses_more_threads_than_its_cell_is_named(run_folder: Path) -> None:
    records = list(journal.read(run_folder / journal.FILE))
    for record in records:
        if record["type"] == "Round" and record["cell"] == CELLS[0].id:
            record["samples"] = [[n, s, 2.0 * s if n == "numba_loop" else s] for n, s, _ in record["samples"]]
    named = trust(results.from_records(records)).threads_exceeded
    assert [line for line in named if line.startswith("numba_loop")] == [
        "numba_loop at m = 10, n_x = 2, order F, 1 thread: 2.0 threads busy"
    ]


def test_every_sample_is_in_the_journal_in_the_order_taken(run_folder: Path, run: Run) -> None:
    lines = (run_folder / journal.FILE).read_text().splitlines()
    rounds = [json.loads(line) for line in lines if '"type":"Round"' in line]
    assert sum(len(r["samples"]) for r in rounds) == sum(
        len(times) for result in run.cells for times in result.seconds.values()
    )
    assert len({tuple(name for name, _, _ in r["samples"]) for r in rounds}) > len(CELLS)


def test_a_torn_last_line_is_dropped_and_the_rest_is_read(run_folder: Path, run: Run, tmp_path: Path) -> None:
    text = (run_folder / journal.FILE).read_text()
    for cut in (1, 40, len(text) // 3):
        (tmp_path / journal.FILE).write_text(text[:-cut])
        torn = load(tmp_path)
        assert torn.end is None
        whole = text[: text.rindex("\n", 0, len(text) - cut) + 1]
        assert sum(len(r.rounds.get(CONTROL, [])) for r in torn.cells) == whole.count(CONTROL + '",') - whole.count(
            f'"kernel":"{CONTROL}",'
        )
        assert torn.table().shape[1] == run.table().shape[1]


Damage = Callable[[str], str]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda _: "", "does not begin with the header"),
        (lambda text: text.replace('"type":"run"', '"type":"walk"', 1), "does not begin with the header"),
        (lambda text: text.replace('"format":1', '"format":99', 1), "format 99; this version reads format 1"),
        (lambda text: text.replace('"type":"Round"', '"type":"Square"', 1), "unknown type 'Square'"),
        (lambda text: text.replace('{"type":"cell"', '{"type"cell"', 1), "line [23] is damaged"),
        (lambda text: text.replace('"samples":[[', '"samples":[7,[', 1), "can't be read as a run"),
    ],
)
def test_damage_is_told_in_one_line(run_folder: Path, tmp_path: Path, damage: Damage, message: str) -> None:
    # Without the checksums, as earlier versions wrote it: what is written must make sense all the same.
    text = re.sub(r',"crc":"[0-9a-f]{8}"}$', "}", (run_folder / journal.FILE).read_text(), flags=re.MULTILINE)
    (tmp_path / journal.FILE).write_text(damage(text))
    with pytest.raises(NotARun, match=message):
        load(tmp_path)


def test_no_run_at_all(tmp_path: Path) -> None:
    with pytest.raises(NotARun, match=r"holds no samples\.jsonl"):
        load(tmp_path)
    with pytest.raises(NotARun, match="name the folder of a run"):
        load(tmp_path / "nowhere")


def test_run_json_is_pytest_benchmark_s_schema(run_folder: Path, run: Run) -> None:
    document = json.loads((run_folder / runjson.FILE).read_text())
    assert {"machine_info", "commit_info", "benchmarks", "datetime", "version"} <= set(document)
    assert len(document["benchmarks"]) == sum(len(result.kernels) for result in run.cells)
    first = document["benchmarks"][0]
    result = run.cells[0]
    assert first["fullname"] == "bench/bench_gradient.py::test_gradient[m10-n_x2-F-1t-python_loop]"
    assert first["stats"]["data"] == result.seconds[LOOP]
    assert first["stats"]["rounds"] == len(result.rounds[LOOP])
    assert first["stats"]["median"] == pytest.approx(float(np.median(result.seconds[LOOP])))
    info = first["extra_info"]
    assert (info["m"], info["n_x"], info["order"], info["threads"]) == (10, 2, "F", 1)
    assert info["speedup_over_numpy_vectorized"]["low"] > 0.0
    assert set(info["agreement"]) == {"J", "dw", "db"}
    compiled = next(b for b in document["benchmarks"] if b["params"]["kernel"] == "numba_loop")
    assert compiled["extra_info"]["compile_seconds"] > 0.0


def test_nothing_names_the_host_the_user_or_a_path(run_folder: Path) -> None:
    for name in (journal.FILE, runjson.FILE, "report.md", "report.html"):
        text = (run_folder / name).read_text()
        for secret in {platform.node(), str(Path.home()), str(run_folder), getpass.getuser()} - {"", "/", "root"}:
            assert not re.search(rf"(?<![\w-]){re.escape(secret)}(?![\w-])", text), (name, secret)


def test_a_cell_that_does_not_fit_is_refused_before_it_is_allocated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.machine.card.memory_limit", lambda: 500 * 2**20)
    monkeypatch.setattr("bench.measure.worker.Worker.events", lambda *_: pytest.fail("asked the worker to allocate"))
    measuring = session.Session(session.run_folder(tmp_path, "x"), PRESET, 0)
    cell = Cell(10_000_000, 2)
    measuring.measure({cell: ["numpy_vectorized"]})
    result = measuring.close().cells[0]
    assert not result.seconds
    assert "needs 858 MiB of memory, of which 500 MiB are free" in result.skipped["numpy_vectorized"][0]


def test_only_what_is_asked_for_is_measured_with_its_baselines(tmp_path: Path) -> None:
    measuring = session.Session(session.run_folder(tmp_path, "x"), PRESET, 0)
    measuring.measure({Cell(10, 2): ["numba_loop"]})
    assert measuring.close().cells[0].kernels == [LOOP, "numba_loop", VECTORIZED]


def test_batches_keep_neighbours_together_and_large_cells_alone() -> None:
    small, large = [Cell(10, 2), Cell(100, 2)], [Cell(10**6, 32, threads=t) for t in (1, 2)]
    assert list(batches([*small, *large, Cell(10, 2, "C")])) == [small, [large[0]], [large[1]], [Cell(10, 2, "C")]]
    # X is the same for both, but with few features what the kernels keep is more than X: 144 MB together, then 288.
    shared = [Cell(2_000_000, 1, threads=t) for t in (1, 2)]
    assert list(batches(shared)) == [shared]
    assert list(batches([replace(cell, m=4_000_000) for cell in shared])) == [
        [replace(cell, m=4_000_000)] for cell in shared
    ]


def test_a_folder_that_holds_something_is_not_written_into(run_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(FileExistsError, match="is not empty; name a new folder"):
        session.run_folder(tmp_path, "x", run_folder)
