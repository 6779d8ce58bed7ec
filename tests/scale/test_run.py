"""A whole run, all of its parts, on few examples; and the command line around it."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from bench.agreement import Disagreement, expect
from bench.cli import app
from bench.cli import scale as typed
from bench.problem import Problem
from bench.results import load
from bench.scale import cluster, limit, model, run, session, store, training, ways
from bench.scale.data import Data
from bench.scale.records import Scale
from bench.scale.records import load as load_scale
from bench.scale.session import Asked
from bench.words import WrongUse
from kernels import reference
from tests.cli.conftest import Refused
from tests.scale.conftest import N_X, NEEDED, SEED, M

pytest.importorskip("distributed", reason=NEEDED)
pytest.importorskip("zarr", reason=NEEDED)


def asked(data: Data, **changes: Any) -> Asked:
    """A run of all ways over data, with little memory allowed."""
    words: dict[str, Any] = {
        "data": data, "seed": SEED, "ways": ways.NAMES, "memory": 2**31, "chunk_bytes": 4096, "workers": 1,
        "threads": 1, "scheduler": None, "iterations": 2, "parts": (), "most_tasks": 20, "checked": "checksums",
    }  # fmt: skip
    return Asked(**words | changes)


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real clusters whose workers live in this process, and fewer repetitions."""
    embedded = cluster.embedded
    for module in (cluster, model):
        monkeypatch.setattr(module, "embedded", lambda workers, threads=1, **_: embedded(workers, threads, False))
    monkeypatch.setattr(model, "SIM_WORKERS", (2,))
    monkeypatch.setattr(model, "SIM_TASKS", (20,))
    monkeypatch.setattr(model, "STEPS", 2)
    monkeypatch.setattr(limit, "MANY", 120)


@pytest.mark.usefixtures("in_process")
def test_a_run_of_all_parts(data: Data, tmp_path: Path) -> None:
    parts = tuple(part for part in run.PARTS if part != "faults")  # which kills processes; see test_faults
    w, b = store.model(N_X, SEED)[2:]
    scale = run.run(asked(data, parts=parts), w, b, tmp_path)
    assert load_scale(tmp_path) == scale
    raw = msgspec.json.decode((tmp_path / "scale.json").read_bytes())
    X, Y = np.load(data.X), np.load(data.Y)
    J, dw, db = reference.cost_and_gradient(np.array(raw["w"]), raw["b"], X.T, Y)
    for name in ways.NAMES:
        way = raw["ways"][name]
        assert (way["J"], way["db"]) == pytest.approx((J, db), rel=1e-13) and way["dw"] == pytest.approx(dw, rel=1e-12)
        assert len(way["seconds"]) == len(way["costs"]) == 2 and min(way["seconds"]) > 0.0
        assert way["costs"][0] == pytest.approx(J) and way["costs"][1] < way["costs"][0]
    assert scale.reference_m == M and scale.chunk_rows == 4096 // 32 and scale.limit and scale.model
    assert {p.way for p in scale.grid} == set(ways.NAMES) and {p.store for p in scale.grid} == {"npy", "zarr"}
    assert scale.training is not None and scale.training.difference is not None
    assert {r.method for r in scale.training.runs} == {"gradient descent", "L-BFGS"}
    assert len(scale.extrapolated) == 12 and [s.tasks for s in scale.simulated] == [20]
    assert not any("tmp" in path.name for path in tmp_path.iterdir())  # the copy in the other store is gone


@pytest.mark.usefixtures("in_process")
def test_a_way_that_loses_a_chunk_is_refused(data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chunks = Data.chunks
    plain = ways.read_ahead

    @contextmanager
    def forgetful(data: Data, rows: int, threads: int) -> Iterator[Any]:
        with ExitStack() as stack:
            with monkeypatch.context() as patched:
                patched.setattr(Data, "chunks", lambda self, rows: chunks(self, rows)[:-1])
                step = stack.enter_context(plain(data, rows, threads))
            yield step

    monkeypatch.setattr(ways, "read_ahead", forgetful)
    with pytest.raises(Disagreement, match="read_ahead: J is wrong"):
        run.run(asked(data, ways=("read_ahead",)), *store.model(N_X, SEED)[2:], tmp_path)
    assert load_scale(tmp_path) is None


@pytest.mark.usefixtures("in_process")
def test_of_many_examples_the_reference_takes_the_first(
    data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "REFERENCE_SECONDS", 1e-4)
    w, b = store.model(N_X, SEED)[2:]
    scale = run.run(asked(data, ways=("dask_chunks", "read_ahead")), w, b, tmp_path)
    assert scale.reference_m == 100 and scale.ways["read_ahead"].errors["J"] < 100.0
    with data.rows(0, 100) as (X, Y):
        expected = expect(Problem(w, b, X.copy(order="F"), Y.copy(), "F"))
    way = scale.ways["dask_chunks"]
    answer = (way.J, np.array(way.dw), way.db)
    session.require_same({"one": answer, "other": answer}, expected, 100, M)
    with pytest.raises(Disagreement, match="other and one differ on all 1,013 examples"):
        session.require_same({"one": answer, "other": (way.J * (1 + 1e-9), *answer[1:])}, expected, 100, M)


@pytest.mark.usefixtures("in_process")
def test_a_wrong_answer_at_a_place_of_the_grid_is_refused(
    data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = ways.dask_chunks

    def wrong(client: Any, data: Data, rows: int) -> Any:
        step = right(client, data, rows)
        return step if rows == 4096 // 32 else lambda w, b: step(w, b + 1e-9)

    monkeypatch.setattr(ways, "dask_chunks", wrong)
    with pytest.raises(Disagreement, match="dask_chunks"):
        run.run(asked(data, parts=("grid",)), *store.model(N_X, SEED)[2:], tmp_path)


@pytest.mark.usefixtures("in_process")
def test_what_does_not_fit_is_skipped_and_said(data: Data, tmp_path: Path) -> None:
    w, b = store.model(N_X, SEED)[2:]
    scale = run.run(asked(data, memory=data.nbytes, ways=("read_ahead", "in_memory")), w, b, tmp_path)
    assert list(scale.ways) == ["read_ahead"] and "do not fit" in scale.skipped["in_memory"]
    assert "is above --memory" in str(run.over(scale))
    with pytest.raises(WrongUse, match="no way is left"):
        run.run(asked(data, memory=data.nbytes, ways=("in_memory",)), w, b, tmp_path / "other")


def test_training_goes_down_and_counts_its_steps(data: Data) -> None:
    w, b = store.model(N_X, SEED)[2:]
    with ways.read_ahead(data, 100, 1) as step:
        descended, costs = training.descend("read_ahead", step, M, w, b, 0.1, 4)
        best = training.lbfgs("read_ahead", step, M, w, b)
        J, dw, _ = step(w, b)
    assert descended.steps == len(costs) == 4 and costs[0] == J and sorted(costs, reverse=True) == costs
    assert best.last < descended.last < descended.first == best.first and dw.any()


@pytest.mark.usefixtures("in_process")
def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def call(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["unloop", "scale", *words])
        with pytest.raises(SystemExit) as ended:
            app.main()
        output = capsys.readouterr()
        assert not ended.value.code, output
        return output.out

    monkeypatch.chdir(tmp_path)
    assert "1,000 examples of 2 features" in call("make", "--m", "1e3", "--n-x", "2", "--out", "d")
    words = ("--ways", "dask_chunks,read_ahead", "--workers", "1", "--memory", "1GiB", "--iterations", "2")
    shown = call("run", "d", *words, "--parts", "none", "--out", "r")
    assert "dask_chunks" in shown and "within the bound of the theory" in shown
    scale = load_scale(Path("r"))
    assert isinstance(scale, Scale) and list(scale.ways) == ["dask_chunks", "read_ahead"] and scale.limit is None
    assert "Past memory and past one machine" in Path("r", "report.md").read_text()
    assert load("r").cells == []
    assert str(tmp_path) not in Path("r", "scale.json").read_text()
    # Parts are added to a run that is there.
    call("run", "d", *words, "--parts", "limit", "--out", "r")
    more = load_scale(Path("r"))
    assert more is not None and more.limit is not None and more.ways == scale.ways


def test_wrong_use_is_a_line(refused: Refused, made: Path, tmp_path: Path) -> None:
    assert "one of the two" in refused("scale", "run")
    assert "did you mean dask_chunks?" in refused("scale", "run", str(made), "--ways", "dask_chunk")
    assert "takes a size" in refused("scale", "run", str(made), "--memory", "much")
    assert "did you mean scheduler?" in refused("scale", "run", str(made), "--parts", "schedule")
    assert "has no manifest.json" in refused("scale", "run", str(tmp_path))
    assert "whole number" in refused("scale", "make", "--m", "1.5", "--out", "d")
    assert "did you mean zarr?" in refused("scale", "make", "--m", "10", "--out", "d", "--store", "zar")
    X = tmp_path / "X.npy"
    np.save(X, np.array([[1.0], [np.nan]]))
    np.save(tmp_path / "Y.npy", np.array([1.0, 0.0]))
    message = refused("scale", "run", "--data", str(X), str(tmp_path / "Y.npy"))
    assert "X[1, 0] is nan, not a finite number" in message
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes").write_text("mine")
    assert "is not empty" in refused("scale", "run", str(made), "--out", str(tmp_path / "full"))


def test_without_the_extra_the_command_says_so(refused: Refused, made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "EXTRA", ("dask", "a_library_that_nobody_has"))
    message = refused("scale", "run", str(made))
    assert "needs a_library_that_nobody_has; install them: pip install 'unloop[scale]'" in message


def test_numbers_and_sizes_as_typed() -> None:
    assert [typed._count("--m", text) for text in ("2e8", "10", "1_000", "123456789012345678")] == [
        2 * 10**8, 10, 1_000, 123456789012345678,
    ]  # fmt: skip
    assert [typed._bytes("--memory", text) for text in ("2GiB", "512 MiB", "1.5kib", "100", "1GB")] == [
        2**31, 2**29, 1536, 100, 10**9,
    ]  # fmt: skip
    for text in ("0", "-1", "1e30", "nan", "x"):
        with pytest.raises(WrongUse):
            typed._count("--m", text)
    for text in ("0", "2 PiX", "GiB"):
        with pytest.raises(WrongUse):
            typed._bytes("--memory", text)
