"""Cells, settings and presets; a new axis of a setting is one field, and all that names a cell follows."""

from dataclasses import dataclass, field, replace

import msgspec
import pytest

from bench.grid import EXPLAINED, Cell, Plan, Setting, axis, batches
from bench.presets import preset
from bench.results import runjson
from bench.results.records import Begun
from tests import factories


@dataclass(frozen=True)
class Wider(Setting):
    """A setting with an axis that does not exist."""

    pages: str = field(default="small", metadata=axis("{}pages", "{} pages"))


def test_ids_and_words() -> None:
    cell = factories.cell(1_000, 32, "C", 2)
    assert cell.id == "m1000-n_x32-C-2t"
    assert cell.label == "m = 1,000, n_x = 32, order C, 2 threads" and cell.shape == "m = 1,000, n_x = 32"
    assert Setting().label == "order F, 1 thread" and Setting().id == "F-1t"
    training = factories.cell(569, 30, problem="breast_cancer", iterations=10)
    assert training.id == "breast_cancer-m569-n_x30-F-1t-10it"
    assert training.label == "breast_cancer, 10 iterations: m = 569, n_x = 30, order F, 1 thread"


def test_a_made_up_axis_is_in_ids_words_parameters_columns_and_json() -> None:
    cell = Cell(10, 2, Wider("C", 2, pages="huge"))
    assert cell.id == "m10-n_x2-C-2t-hugepages"
    assert cell.label.endswith("order C, 2 threads, huge pages")
    assert list(cell.params) == ["m", "n_x", "order", "threads", "dtype", "pages", "problem", "iterations"]
    assert cell.params["pages"] == "huge"
    run = factories.run([factories.result(cell, {"python_loop": 1e-3, "numpy_vectorized": 1e-5})])
    assert set(run.table()["pages"]) == {"huge"}
    assert run.settings == [cell.setting] and run.settings[0].id == "C-2t-hugepages"
    benchmark = runjson.document(run)["benchmarks"][0]
    assert benchmark["params"]["pages"] == "huge" and "hugepages-python_loop" in benchmark["fullname"]
    written = msgspec.json.decode(msgspec.json.encode(Begun(cell=cell)))
    assert written["cell"]["setting"]["pages"] == "huge"


def test_a_field_of_a_setting_must_say_how_it_is_shown() -> None:
    @dataclass(frozen=True)
    class Silent(Setting):
        pages: str = "small"

    with pytest.raises(KeyError):
        _ = Silent().id


def test_a_cell_of_its_own_parameters() -> None:
    cell = factories.cell(10, 3, "C", 2, problem="breast_cancer", iterations=5)
    assert Cell.of({**cell.params, "kernel": "python_loop"}) == cell


def test_bytes_follow_the_precision() -> None:
    assert factories.cell(10, 3).nbytes == 240 and factories.cell(10, 3).vector_bytes == 80


def test_float32_shows_only_where_it_is() -> None:
    single = factories.cell(10, 3).with_setting(dtype="float32")
    assert single.id == "m10-n_x3-F-1t-float32" and single.label.endswith("order F, 1 thread, float32")
    assert (single.nbytes, single.vector_bytes, single.dtype) == (120, 40, "float32")
    assert Cell.of(single.params) == single and not single.explained


@pytest.mark.parametrize("name", ["smoke", "quick"])
def test_a_grid_in_one_dtype_or_both(name: str) -> None:
    double, single, both = (preset(name, dtype=dtype) for dtype in ("float64", "float32", "both"))
    assert preset(name) == double and {cell.dtype for cell in double.cells} == {"float64"}
    assert [cell.with_setting(dtype="float64") for cell in single.cells] == list(double.cells)
    assert both.cells == double.cells + single.cells


def test_the_full_grid_has_float32_where_it_teaches() -> None:
    full, double = preset("full"), preset("full", dtype="float64")
    singles = [cell for cell in full.cells if cell.dtype == "float32"]
    assert full.cells[: len(double.cells)] == double.cells
    assert {cell.n_x for cell in singles} == {2, 32, 512, 2_048} and max(cell.m for cell in singles) == 1_000_000
    assert {(cell.order, cell.threads > 1) for cell in singles} >= {("F", False), ("C", False)}
    assert len(singles) <= 0.3 * len(double.cells), "a full run takes 30% longer at most"
    training = preset("full", "breast_cancer", "both")
    assert [cell.dtype for cell in training.cells if cell.threads == 1] == ["float64", "float32"]


def test_the_full_grid_explains_and_the_smoke_grid_does_not() -> None:
    full, smoke = preset("full"), preset("smoke")
    assert full.causes and not smoke.causes and not preset("full", "breast_cancer").causes
    explained = [cell for cell in full.cells if cell.explained]
    assert {(cell.m, cell.n_x) for cell in explained} == set(EXPLAINED)
    assert {cell.order for cell in explained} == {"F"}


def test_batches_keep_neighbours_together_and_large_cells_alone() -> None:
    small = [factories.cell(10, 2), factories.cell(100, 2)]
    large = [factories.cell(10**6, 32, threads=threads) for threads in (1, 2)]
    other = factories.cell(10, 2, "C")
    assert list(batches([*small, *large, other])) == [small, [large[0]], [large[1]], [other]]
    # X is the same for both, but with few features what the kernels keep is more than X: 144 MB together, then 288.
    shared = [factories.cell(2_000_000, 1, threads=threads) for threads in (1, 2)]
    assert list(batches(shared)) == [shared]
    larger = [replace(cell, m=4_000_000) for cell in shared]
    assert list(batches(larger)) == [[cell] for cell in larger]


def test_a_plan_survives_json() -> None:
    plan = Plan(replace(preset("smoke"), budget=0.1), seed=3, names=("python_loop",), own={"mine": "mine.py"})
    assert msgspec.json.decode(msgspec.json.encode(plan), type=Plan) == plan
