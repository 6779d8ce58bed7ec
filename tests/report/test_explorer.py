"""The explorer: its rows are the run's, and what its expressions compute is what the cost model says."""

import json
import re
from dataclasses import replace

import pytest
import vl_convert

from bench import words
from bench.analysis.costmodel import fit_all
from bench.grid import Setting
from bench.report.chapters import explorer as chapter
from bench.report.explorer.chart import chart, flag
from bench.report.explorer.embed import script
from bench.report.explorer.rows import Rows, rows_of
from bench.results import LOOP, VECTORIZED, Run
from bench.results.records import Price
from tests.factories import run_of_costs

COSTS = {
    LOOP: (1e-6, 1e-6, 4e-7),
    VECTORIZED: (1.4e-5, 1e-8, 2e-10),
    "numba_fused": (1e-6, 2e-9, 1e-10),
    "numba_loop": (1e-6, 2e-8, 1e-9),
}


@pytest.fixture(scope="module")
def run() -> Run:
    """Known costs, of which that of an element is twice as much outside the L2."""
    return run_of_costs(COSTS, far=2.0, noise=0.01, compiling=0.5)


@pytest.fixture(scope="module")
def rows(run: Run) -> Rows:
    rows = rows_of(run)
    assert rows is not None
    return rows


def labels(rows: Rows, **values: object) -> list[str]:
    """The words beside the bars, with these parameters set, as Vega-Lite draws them."""
    spec = chart(rows)
    for each in spec["params"]:
        if each["name"] in values:
            each["value"] = values[each["name"]]
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", vl_convert.vegalite_to_svg(json.dumps(spec)))
    found = [text for text in texts if re.search("fastest$|fastest,|slower|may tie,|may tie$", text)]
    return sorted(found, key=lambda label: "fastest" not in label)


def test_the_rows_are_those_of_the_run(run: Run, rows: Rows) -> None:
    assert rows.kernels == list(run.measured) and len(rows.cells) == sum(len(r.kernels) for r in run.cells)
    assert len(rows.costs) == len(COSTS) and rows.settings == [Setting()]
    assert {10, 20, 50, 100} <= set(rows.ms) and rows.n_xs == [1, 2, 8, 16, 64, 128, 512]
    cell = run.cells[0]
    row = next(row for row in rows.cells if (row["kernel"], row["m"], row["n_x"]) == (LOOP, cell.cell.m, cell.cell.n_x))
    assert row["t"] == pytest.approx(cell.median(LOOP).estimate, rel=1e-3)


@pytest.mark.parametrize(("m", "n_x"), [(1_000, 16), (1_000_000, 512), (10, 1), (50_000, 128)])
def test_the_expressions_compute_what_the_cost_model_does(run: Run, rows: Rows, m: int, n_x: int) -> None:
    shown = labels(rows, at_m=rows.ms.index(m), at_n_x=rows.n_xs.index(n_x), **dict.fromkeys(map(flag, COSTS), True))
    fitted = fit_all(run, Setting())[0]
    times = sorted(costs.seconds(m, n_x).estimate for costs in fitted.values())
    assert {label.split(",")[0] for label in shown} == {words.seconds(time) for time in times}
    assert next(label for label in shown if "fastest" in label).startswith(words.seconds(times[0]))


def test_compiling_counts_where_a_reader_wants_it_to(run: Run, rows: Rows) -> None:
    fitted = fit_all(run, Setting())[0]
    at = {"at_m": rows.ms.index(1_000), "at_n_x": rows.n_xs.index(16)}
    numpy, fused = (fitted[name].seconds(1_000, 16).estimate for name in (VECTORIZED, "numba_fused"))
    warm = labels(rows, **at)
    assert warm[0].startswith(words.seconds(fused)) and "pays off after" in warm[0]
    cold = labels(rows, **at, start="cold")
    assert cold[0].startswith(words.seconds(numpy))
    many = labels(rows, **at, start="cold", log_calls=7)
    assert many[0].startswith(words.seconds(0.5 + 1e7 * fused))


def test_a_cached_price_is_used_where_it_is_known(run: Run) -> None:
    priced = rows_of(replace(run, prices={"numba_fused": Price("numba_fused", 3.0, 0.2, 1e-5)}))
    assert priced is not None
    row = next(row for row in priced.costs if row["kernel"] == "numba_fused")
    assert (row["cold"], row["cached"]) == (3.0, 0.2)


def test_the_script_is_whole_and_asks_for_nothing(run: Run) -> None:
    text = script(run)
    assert text.count("<script") == text.count("</script>") == 3
    spec = json.loads(re.findall(r'id="explorer-spec">(.*?)</script>', text, re.DOTALL)[0])
    assert "url" not in json.dumps(spec.get("data", {})) and "vconcat" in spec


def test_a_run_without_a_cost_model_has_no_explorer(tiny: Run) -> None:
    assert rows_of(tiny) is None and chapter.section(tiny) is None


@pytest.fixture
def tiny() -> Run:
    return run_of_costs(COSTS, ms=())
