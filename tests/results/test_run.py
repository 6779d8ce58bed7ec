"""A run: what its records add up to, its table, its speed-ups, how far to trust it, and its run.json."""

import getpass
import json
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from bench import stats
from bench.results import CONTROL, LOOP, READ, VECTORIZED, CellResult, NotARun, Run, journal, load, quality, runjson
from bench.results.cell import Samples
from bench.results.journal import FILE
from bench.results.quality import trust
from bench.results.reader import from_records
from bench.results.records import (
    AnyRecord,
    Calibrated,
    Ceiling,
    Ceilings,
    ReadRate,
    Round,
    Sample,
    Warned,
)
from tests import factories
from tests.conftest import RECORDED, ROOT


@pytest.fixture(scope="session")
def records() -> list[AnyRecord]:
    return list(journal.read(RECORDED / FILE))


def test_a_run_is_read_without_numba_matplotlib_kernels_and_the_engine() -> None:
    code = (
        "import sys; from bench.results import load; load(sys.argv[1])\n"
        "heavy = ('numba', 'matplotlib', 'scipy.optimize', 'sklearn', 'kernels', 'bench.measure', 'bench.machine')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    words = [sys.executable, "-c", code, str(RECORDED)]
    assert subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_run_has_every_kernel_of_every_cell(run: Run) -> None:
    assert tuple(result.cell for result in run.cells) == run.plan.preset.cells
    one, *_, two = run.cells
    assert one.cell.threads == 1 and two.cell.threads == 2
    every = {name for name, card in run.kernels.items() if not card.missing and name != "numba_descent"}
    for result in run.cells:
        wanted = every if result.cell.threads == 1 else {n for n in every if run.kernels[n].threads == "all"}
        assert {*result.kernels, *result.skipped} == wanted
        assert not result.failed
        assert set(result.agreement) == {*result.kernels, CONTROL}
    assert run.end is not None and not run.end.interrupted
    assert run.measured == [name for name in run.kernels if name in every]


def test_kernels_are_in_ladder_order_whatever_order_the_rounds_took(run: Run) -> None:
    ladder = list(run.kernels)
    for result in run.cells:
        assert result.kernels == sorted(result.kernels, key=ladder.index)


def test_the_largest_cell_predicts_the_loop_instead_of_running_it(run: Run) -> None:
    largest = run.cells[3]
    skipped = largest.skipped[LOOP]
    assert skipped.predicted is not None and skipped.predicted > run.plan.preset.cap and "cap" in skipped.reason
    # The loop's time grows with m: from 10 to 4000 examples, by 400 give or take.
    assert 1 / 3 < skipped.predicted / (400 * run.cells[2].median(LOOP).estimate) < 3


def test_the_table_has_the_contract_s_columns(run: Run) -> None:
    table = run.table()
    setting = list(run.cells[0].cell.setting.__dataclass_fields__)
    assert setting[:2] == ["order", "threads"]
    assert list(table.columns) == [
        *("kernel", "m", "n_x", *setting, "seconds", "low", "high"),
        *("speedup", "speedup_low", "speedup_high", "of_limit"),
    ]
    assert len(table) == sum(len(result.kernels) for result in run.cells)
    assert (table.low <= table.seconds).all() and (table.seconds <= table.high).all()
    assert (table[table.kernel == LOOP].speedup == 1.0).all()
    # Nothing to compare with where the loop was too slow, or where it is no kernel for all threads.
    assert table[(table.m == 4_000) | (table.threads == 2)].speedup.isna().all()
    assert run.table(VECTORIZED).speedup.notna().all()


def test_speedups_are_those_of_the_samples_paired_by_round(run: Run) -> None:
    result = run.cells[0]
    loop, numba = (
        dict(zip(s.rounds, s.seconds, strict=True)) for s in map(result.samples.get, (LOOP, "numba_loop")) if s
    )
    shared = sorted(loop.keys() & numba.keys())
    assert len(shared) >= run.plan.preset.min_rounds
    before, after = [loop[index] for index in shared], [numba[index] for index in shared]
    assert result.speedup(LOOP, "numba_loop") == stats.speedup(before, after)
    assert result.speedup(LOOP, "no_such_kernel") is None


def test_rounds_that_only_one_kernel_took_part_in_do_not_count() -> None:
    slow = Samples(2, [0, 2, 4], [8.0, 80.0, 8.0], [8.0] * 3)
    fast = Samples(1, [0, 1, 2, 3, 4], [1.0, 9.0, 10.0, 9.0, 1.0], [1.0] * 5)
    result = CellResult(factories.cell(10, 2), {LOOP: slow, "fast": fast})
    speedup = result.speedup(LOOP, "fast")
    assert speedup is not None and speedup.estimate == pytest.approx(4.0)
    alone = CellResult(factories.cell(10, 2), {LOOP: Samples(1, [0], [1.0], [1.0]), "b": Samples(1, [1], [1.0], [1.0])})
    assert alone.speedup(LOOP, "b") is None


def test_samples_stay_raw_until_they_are_divided_by_their_loops() -> None:
    samples = Samples(4, [0, 1], [8.0, 4.0], [16.0, 8.0])
    result = CellResult(factories.cell(10, 2), {"a": samples})
    assert result.seconds["a"].tolist() == [2.0, 1.0]
    assert result.sample_seconds() == 12.0 and result.used_threads("a") == 2.0


def test_the_control_and_the_noise_floor(run: Run) -> None:
    for result in run.cells:
        assert result.control is not None
        assert 1 / 3 < result.control.estimate < 3
        assert result.noise_floor == pytest.approx(max(result.control.high, 1 / result.control.low) - 1)
        assert CONTROL not in result.kernels
    assert CellResult(factories.cell(10, 2)).noise_floor == float("inf")


def test_compile_time_is_recorded_for_compiled_kernels_only(run: Run) -> None:
    compiled = {name for name, card in run.kernels.items() if card.compiles != "never"}
    assert set(run.compile_seconds) == compiled & set(run.measured)
    first = run.cells[0].first_call
    assert all(run.compile_seconds[name] == first[name] for name in run.compile_seconds)


def test_a_limit_is_known_where_ceilings_were_measured(run: Run, records: list[AnyRecord]) -> None:
    assert run.limit(run.cells[0]) is None and run.table().of_limit.isna().all()
    one = Ceiling(1, [ReadRate(1_000, 100e9)], flops=50e9, exps=1e9)
    more = Ceiling(1, [ReadRate(1_000, 50e9)], flops=80e9, exps=1e9)
    limited = from_records([*records[:-1], Ceilings(ceilings=[one]), Ceilings(ceilings=[more]), records[-1]])
    assert limited.ceilings == {1: one.higher(more)}
    result, two = limited.cells[0], limited.cells[-1]
    assert limited.limit(result) == limited.ceilings[1].bound(10, 2) and limited.limit(two) is None
    row = limited.table().iloc[0]
    assert row.of_limit == pytest.approx(limited.bound(result.cell) / row.seconds)


def of_rounds(records: list[AnyRecord], cell: str, change: Any) -> list[AnyRecord]:
    """The records with the samples of a cell's rounds changed; each sample of one call."""
    changed: list[AnyRecord] = []
    for record in records:
        match record:
            case Round(cell=where, index=index, samples=samples) if where == cell:
                record = msgspec.structs.replace(record, samples=[change(index, sample) for sample in samples])
            case Calibrated(cell=where, loops=loops) if where == cell:
                record = msgspec.structs.replace(record, loops=dict.fromkeys(loops, 1))
        changed.append(record)
    return changed


def test_an_unstable_cell_is_known_by_its_samples(records: list[AnyRecord], run: Run) -> None:
    def jump(index: int, sample: Sample) -> Sample:
        return Sample(sample.label, 1.5e-3 if sample.label == CONTROL and index > 0 else 1e-3, 1e-3)

    first, *others = from_records(of_rounds(records, run.cells[0].cell.id, jump)).cells
    assert first.noise_floor == pytest.approx(0.5)
    assert first.warnings == [*first.disturbed, "unstable: a kernel differs from itself by up to 50%"]
    for result, whole in zip(others, run.cells[1:], strict=True):
        assert result.noise_floor == whole.noise_floor


def test_warnings_belong_to_their_cell_or_to_the_run(records: list[AnyRecord], run: Run) -> None:
    cell = run.cells[1].cell.id
    rain, cold = Warned(cell=cell, words=["it rained"]), Warned(cell=None, words=["it was cold"])
    warned = from_records([*records[:-1], rain, cold, records[-1]])
    assert warned.warnings == ["it was cold"] and warned.cells[1].disturbed == ["it rained"]
    assert "it rained" in warned.cells[1].warnings and not warned.cells[0].disturbed


def test_trust_adds_up(run: Run) -> None:
    measured = trust(run)
    assert 0.0 < measured.in_samples < 1.0
    assert measured.wall > sum(result.sample_seconds() for result in run.cells)
    shares = {k / len(run.cells) for k in range(len(run.cells) + 1)}
    assert {measured.control_close, measured.control_covers} <= shares and 0.0 <= measured.narrow <= 1.0
    assert measured.processes == 1 and np.isnan(measured.between)
    assert np.isnan(trust(factories.run([])).noise_floor)


def test_trust_in_a_run_without_noise() -> None:
    calm = factories.result(factories.cell(10, 2), {LOOP: 1e-3, VECTORIZED: 1e-4, CONTROL: 1e-4})
    rough: dict[str, Any] = {LOOP: 1e-3, VECTORIZED: 1e-4, CONTROL: [k * 1e-4 for k in range(1, factories.ROUNDS + 1)]}
    measured = trust(factories.run([calm, factories.result(factories.cell(20, 2), rough)], wall=1.0))
    assert (measured.control_close, measured.control_covers, measured.narrow) == (0.5, 0.5, 1.0)
    assert measured.compiling == 0.0 and measured.wall == 1.0
    assert quality.trust(factories.run([calm], wall=1.0)).noise_floor == pytest.approx(0.0)


def test_a_kernel_that_uses_more_threads_than_its_cell_is_named(records: list[AnyRecord], run: Run) -> None:
    cell = run.cells[0].cell

    def busy(_: int, sample: Sample) -> Sample:
        return sample._replace(cpu=sample.seconds * (2.0 if sample.label == "numba_loop" else 1.0))

    named = trust(from_records(of_rounds(records, cell.id, busy))).threads_exceeded
    assert [line for line in named if line.startswith("numba_loop")] == [
        f"numba_loop at {cell.label}: 2.0 threads busy"
    ]


def test_every_sample_is_in_the_journal_in_the_order_taken(records: list[AnyRecord], run: Run) -> None:
    rounds = [record for record in records if isinstance(record, Round)]
    taken = sum(len(record.samples) for record in rounds)
    assert taken == sum(len(samples.wall) for result in run.cells for samples in result.samples.values())
    assert len({tuple(sample.label for sample in record.samples) for record in rounds}) > len(run.cells)


def test_no_run_at_all(tmp_path: Path) -> None:
    with pytest.raises(NotARun, match=r"has no samples\.jsonl"):
        load(tmp_path)
    with pytest.raises(NotARun, match="name the folder of a run"):
        load(tmp_path / "nowhere")


def test_a_journal_may_be_named_itself(run: Run) -> None:
    assert load(RECORDED / FILE).table().equals(run.table())


def test_run_json_is_pytest_benchmark_s_schema(run: Run, tmp_path: Path) -> None:
    path = runjson.write(run, tmp_path)
    document = json.loads(path.read_text())
    assert [p.name for p in tmp_path.iterdir()] == [runjson.FILE]
    assert {"machine_info", "commit_info", "benchmarks", "datetime", "version"} <= set(document)
    assert len(document["benchmarks"]) == sum(len(result.kernels) for result in run.cells)
    first = document["benchmarks"][0]
    result = run.cells[0]
    assert first["fullname"] == "bench/bench_gradient.py::test_gradient[m10-n_x2-F-1t-python_loop]"
    assert first["stats"]["data"] == result.seconds[LOOP].tolist()
    assert first["stats"]["rounds"] == len(result.samples[LOOP].rounds)
    assert first["stats"]["iterations"] == result.samples[LOOP].loops
    assert first["stats"]["median"] == pytest.approx(float(np.median(result.seconds[LOOP])))
    info = first["extra_info"]
    assert (info["m"], info["n_x"], info["order"], info["threads"]) == (10, 2, "F", 1)
    assert info["speedup_over_numpy_vectorized"]["low"] > 0.0
    assert set(info["agreement"]) == {"J", "dw", "db"}
    compiled = next(b for b in document["benchmarks"] if b["params"]["kernel"] == "numba_loop")
    assert compiled["extra_info"]["compile_seconds"] > 0.0


def test_run_json_has_null_where_json_has_no_number(tmp_path: Path) -> None:
    # One round: its interval has no end.
    result = factories.result(factories.cell(10, 2), {LOOP: [1e-3], VECTORIZED: [1e-4]})
    text = runjson.write(factories.run([result]), tmp_path).read_text()
    assert "Infinity" not in text and "NaN" not in text
    assert json.loads(text)["benchmarks"][0]["extra_info"]["noise_floor"] is None


def test_nothing_names_the_host_the_user_or_a_path(run: Run, run_folder: Path) -> None:
    runjson.write(run, run_folder)
    for name in (FILE, runjson.FILE, "report.md", "report.html"):
        text = (run_folder / name).read_text(encoding="utf-8")
        for secret in {platform.node(), str(Path.home()), str(run_folder), getpass.getuser()} - {"", "/", "root"}:
            assert not re.search(rf"(?<![\w-]){re.escape(secret)}(?![\w-])", text), (name, secret)


def test_what_is_no_kernel_is_measured_and_not_listed_among_them() -> None:
    result = factories.result(factories.cell(10, 2), {LOOP: 1.0, CONTROL: 1.0, READ: 1.0, "pair: exp": 1.0})
    assert result.kernels == [LOOP] and len(result.samples) == 4
