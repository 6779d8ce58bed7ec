"""Two runs compared: the words, the table, what the terminal shows, and the figure."""

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from matplotlib.axis import Axis
from matplotlib.text import Text
from rich.console import Console

from bench.analysis.compare import NothingDecided, compare
from bench.report import changes
from bench.report.changes.table import OF_EACH
from bench.results import CONTROL, LOOP, VECTORIZED, Run
from tests import factories
from tests.factories import CARD, cell

SECONDS = {LOOP: 1e-2, "numba_loop": 1e-4, VECTORIZED: 2e-4, CONTROL: 2e-4}
ROUNDS = 60
MS = (10, 20, 30, 40, 50, 60)


def made(
    seed: int,
    slower: Mapping[str, float] | None = None,
    more: Mapping[str, float] | None = None,
    cpu: str = "a CPU",
    ms: tuple[int, ...] = MS,
    n_x: int = 2,
    noise: float = 0.002,
) -> Run:
    """A run of six cells whose kernels take what SECONDS and `more` say, with noise; some slower by a factor."""
    rng = np.random.default_rng(seed)
    results = []
    for m in ms:
        times = {
            name: (seconds * (slower or {}).get(name, 1.0) * np.exp(noise * rng.standard_normal(ROUNDS))).tolist()
            for name, seconds in {**SECONDS, **(more or {})}.items()
        }
        results.append(factories.result(cell(m, n_x), times))
    return factories.run(results, machine=msgspec.structs.replace(CARD, cpu=cpu))


def everything(factor: float, **others: float) -> dict[str, float]:
    """All kernels slower by a factor, some by another."""
    return {**dict.fromkeys(SECONDS, factor), **others}


def in_processes(run: Run) -> Run:
    """The same samples, as if six processes had taken a sixth each."""
    cells = [
        replace(each, samples={name: replace(kept, per_process=ROUNDS // 6) for name, kept in each.samples.items()})
        for each in run.cells
    ]
    return replace(run, cells=cells)


def printed(one: Run, two: Run, width: int = 80) -> str:
    console = Console(width=width, file=StringIO())
    with console.capture() as capture:
        console.print(changes.render(compare(one, two)))
    return capture.get()


def test_no_change_in_words() -> None:
    comparison = compare(made(1), made(1))
    assert changes.verdict(comparison) == (
        "Of 18 comparisons, 0 are slower beyond noise, 0 faster; 18 show no change (within 5%)."
    )
    assert changes.basis(comparison) == (
        "Seconds are compared. Slower and faster apply to all 18 comparisons at once with 95% confidence (Bonferroni), "
        "no change for each by itself (all of its interval within 5%); both given independent rounds."
    )
    assert "no change (within 2.5%)" in changes.verdict(compare(made(1), made(1), tolerance=0.025))
    assert changes.basis(compare(in_processes(made(1)), in_processes(made(2)))).endswith("independent processes.")


def test_cant_tell_in_words() -> None:
    one, two = made(1, noise=0.1), made(2, noise=0.1)
    words = changes.verdict(compare(one, two))
    counts = "Of 18 comparisons, 0 are slower beyond noise, 0 faster; 0 show no change (within 5%). Can't tell for 18: "
    assert words.startswith(counts)
    assert re.fullmatch(r"about \d+(\.\d)? times the rounds would decide half of them\.", words.removeprefix(counts))
    comparison = compare(in_processes(one), in_processes(two))
    assert re.search(
        r" Can't tell for \d+: about \d+ more process(es)? in each run would decide half of them\.$",
        changes.verdict(comparison),
    )


def test_what_could_not_be_told_is_counted_by_kernel() -> None:
    one, two = made(1), made(2, {"numba_loop": 1.8})
    noisy = made(2, {"numba_loop": 1.8}, noise=0.5).cells[0]
    text = printed(one, replace(two, cells=[noisy, *two.cells[1:]]))
    assert "numba_loop: of 6, 5 slower, 0 faster, can't tell for 1" in text


def test_a_slow_down_in_words() -> None:
    words = changes.verdict(compare(made(1), made(2, {"numba_loop": 1.8})))
    assert words.startswith(
        "Of 18 comparisons, 6 are slower beyond noise, 0 faster; 12 show no change (within 5%). Most changed: "
    )
    assert re.search(r"numba_loop, in 6 of 6; the most at m = \d0, n_x = 2, .*: 1\.8× slower \(95% interval", words)
    back = changes.verdict(compare(made(2, {"numba_loop": 1.8}), made(1)))
    assert re.search(r"1\.8× faster \(95% interval", back)


def test_what_all_have_in_common_is_named_apart() -> None:
    comparison = compare(made(1), made(2, everything(1.6, numba_loop=2.0)))
    words = changes.verdict(comparison)
    assert re.search(
        r"All kernels together are 1\.6× slower \(95% interval .*\): the machine as a whole changed", words
    )
    assert "Beyond that, 6 are slower and 0 faster. Most changed: numba_loop, in 6 of 6" in words
    refused, words = changes.regressed(comparison, 0.05)
    assert refused
    assert words.startswith("REGRESSED: 18 slower by more than 5%; beyond what all kernels have in common, 6 are")
    assert words.endswith("measure again.")
    # On a machine that is faster as a whole, seconds hide what became slower; the words do not.
    refused, words = changes.regressed(compare(made(1), made(2, everything(0.5, numba_loop=0.9))), 0.05)
    assert not refused and words.endswith("beyond what all kernels have in common, 6 are slower by more than 5%.")


def test_a_baseline_that_changed_is_named() -> None:
    more = {"numpy_textbook": 1e-4, "numba_fused": 1e-4}
    comparison = compare(made(1, more=more), made(2, {LOOP: 1.6}, more=more, cpu="another"))
    assert re.search(
        r"Against python_loop, all kernels together are 1\.6× faster \(.*\): python_loop changed\. "
        r"Beyond that, 0 are slower and 0 faster\.",
        changes.verdict(comparison),
    )
    assert changes.basis(comparison).startswith("The machines differ, so speed-ups are compared.")


def test_few_cells_have_nothing_in_common() -> None:
    few = MS[:5]
    comparison = compare(made(1, ms=few), made(2, everything(1.6), ms=few))
    assert "together" not in changes.verdict(comparison) + changes.basis(comparison)


def test_what_the_cells_do_not_have_in_common_is_not_named() -> None:
    # Four of the cells are much slower, two are faster: the median is slower, and its interval holds 1.
    slow, fast = made(2, everything(1.6)), made(2, everything(0.8))
    mixed = replace(slow, cells=[*slow.cells[:4], *fast.cells[4:]])
    comparison = compare(made(1), mixed)
    assert 1.0 in comparison.common[None].ratio and comparison.common[None].ratio.estimate > 1.5
    assert "together" not in changes.verdict(comparison) + changes.basis(comparison)


def test_what_all_have_in_common_may_be_known_where_no_kernel_is() -> None:
    comparison = compare(in_processes(made(1, noise=0.1)), in_processes(made(2, everything(1.05), noise=0.1)))
    assert len(comparison.of("unknown")) == 18 and comparison.common[None].ratio.low > 1.0
    words = changes.verdict(comparison)
    assert "Can't tell for 18" in words and "All kernels together are" in words


def test_a_small_change_of_all_does_not_contradict_that_none_changed() -> None:
    comparison = compare(in_processes(made(1, noise=0.02)), in_processes(made(2, everything(1.01), noise=0.02)))
    assert len(comparison.of("same")) == 18 and comparison.common[None].ratio.low > 1.0
    assert re.search(
        r"18 show no change \(within 5%\)\. All kernels together are 0\.\d% slower \(95% interval .*\): less "
        r"than 5%\. Beyond that, 0 are slower and 0 faster\.$",
        changes.verdict(comparison),
    )


def test_too_few_rounds_decide_nothing(run: Run) -> None:
    comparison = compare(run, run)
    total = len(comparison.changes)
    assert f"Can't tell for {total}: about " in changes.verdict(comparison)
    with pytest.raises(NothingDecided, match=r"none of .* can be decided; measure both .* times the rounds") as raised:
        changes.regressed(comparison, 0.05)
    assert "\n" not in str(raised.value)
    cut = [
        factories.result(each.cell, {name: seconds.tolist()[:4] for name, seconds in each.seconds.items()})
        for each in run.cells
    ]
    comparison = compare(run, replace(run, cells=cut))
    assert re.search(r"they need at least \d+ rounds in each run", changes.verdict(comparison))
    with pytest.raises(NothingDecided, match=r"at least \d+ rounds in each run \(--benchmark-min-rounds=\d+\)$"):
        changes.regressed(comparison, 0.05)


def test_what_cannot_be_decided_is_counted() -> None:
    one, two = made(1), made(2)
    short = two.cells[0].samples["numba_loop"]
    short = replace(short, rounds=short.rounds[:5], wall=short.wall[:5], cpu=short.cpu[:5])
    first = replace(two.cells[0], samples={**two.cells[0].samples, "numba_loop": short})
    comparison = compare(one, replace(two, cells=[first, *two.cells[1:]]))
    assert changes.regressed(comparison, 0.05) == (
        False,
        "Nothing is surely slower by more than 5%; can't tell for 1 of 18 (it needs at least 11 rounds in each run "
        "(--benchmark-min-rounds=11)).",
    )
    assert changes.regressed(compare(one, two), 0.05) == (False, "Nothing is slower by more than 5%.")


def test_what_is_too_wide_to_tell_does_not_pass_as_not_slower() -> None:
    one, noisy = made(1), made(2, noise=0.2)
    comparison = compare(one, replace(noisy, cells=[*made(2).cells[:1], *noisy.cells[1:]]))
    refused, words = changes.regressed(comparison, 0.05)
    assert not refused
    assert re.fullmatch(
        r"Nothing is surely slower by more than 5%; can't tell for 15 of 18 \(about .* would decide half of them\)\.",
        words,
    )
    with pytest.raises(NothingDecided, match="none of 18 comparisons can be decided"):
        changes.regressed(compare(one, noisy), 0.05)


def test_what_only_one_run_holds_is_named() -> None:
    one, two = made(1), made(2)
    second = two.cells[1]
    samples = {name: samples for name, samples in second.samples.items() if name != "numba_loop"}
    second = replace(second, samples=samples, failed={"numba_loop": "numba_loop: raised"})
    text = printed(one, replace(two, cells=[second, *two.cells[2:]]), width=200)
    assert "1 cell only in the first run: m = 10, n_x = 2, order F, 1 thread." in text
    assert "numba_loop in 1 cell only in the first run; it failed in the second." in text
    assert "FAIL in the second run at m = 20, n_x = 2, order F, 1 thread: numba_loop: raised" in text


def test_noise_is_no_column_where_the_intervals_know_it() -> None:
    one, two = made(1), made(2, {"numba_loop": 1.8})
    assert re.search(r"n_x .* ratio +noise$", printed(one, two), re.MULTILINE)
    text = printed(in_processes(one), in_processes(two))
    assert re.search(r"n_x .* ratio *$", text, re.MULTILINE)
    plot = changes.draw(compare(in_processes(one), in_processes(two)))
    assert "Shaded" not in plot.caption and "Dotted: ± 5%" in plot.caption
    assert "Shaded" in changes.draw(compare(one, two)).caption


@pytest.mark.parametrize("cpu", ["a CPU", "another"])
def test_no_line_is_longer_than_80_columns(cpu: str) -> None:
    name, ms = "numba_fused_parallel", tuple(1_000_000 + k for k in range(6))
    one = made(1, more={name: 123e-6}, ms=ms, n_x=12_288)
    two = made(2, everything(1.2), more={name: 184e-6}, ms=ms, n_x=12_288, cpu=cpu)
    lines = [line.rstrip() for line in printed(one, two).splitlines()]
    heading = next(k for k, line in enumerate(lines) if line.startswith(name))
    rows = lines[heading + 1 : heading + 1 + OF_EACH]
    # A row that did not fit would continue in the next line.
    assert all(re.fullmatch(r"  +1,000,00\d 12,288 +F-1t .*\[.*\] .*%", row) for row in rows), rows


def test_the_table_holds_raw_values() -> None:
    comparison = compare(made(1), made(2, {"numba_loop": 1.8}))
    table = changes.changed_table(comparison)
    assert table.headings == ["kernel", "m", "n_x", "setting", "first", "second", "ratio", "beyond", "noise"]
    assert set(table.frame()["m"]) == set(MS)
    assert all(row[6].estimate == pytest.approx(1.8, rel=0.02) for row in table.rows)
    assert re.fullmatch(r"1\.\d\d \[1\.\d\d, 1\.\d\d\]", table.text[0][6])


def _in_view(axis: Axis, place: float) -> bool:
    low, high = sorted(axis.get_view_interval())
    return bool(low <= place <= high)


@pytest.mark.parametrize("cpu", ["a CPU", "another"])
def test_no_text_of_the_figure_is_clipped_or_covers_another(cpu: str) -> None:
    figure = changes.draw(compare(made(1), made(2, everything(0.5), cpu=cpu))).figure
    figure.draw_without_rendering()
    ticks = [axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)]
    beyond = {t.label1 for axis in ticks for t in axis.get_major_ticks() if not _in_view(axis, t.get_loc())}
    texts = {t for t in figure.findobj(Text) if t.get_visible() and t.get_text()} - beyond
    boxes: list[tuple[str, Any]] = [(text.get_text(), text.get_window_extent()) for text in texts]
    assert any(words.startswith("second run ÷ first") for words, _ in boxes)
    for k, (words, box) in enumerate(boxes):
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1, words
        assert not [other for other, its in boxes[:k] if box.overlaps(its)], words


def test_the_figure_and_its_data(tmp_path: Path) -> None:
    plot = changes.draw(compare(made(1), made(2, {"numba_loop": 1.2})))
    assert plot.table is not None and any("numba_loop" in row for row in plot.table.rows)
    path = changes.save(plot, tmp_path / "new")
    assert path.is_file() and {each.suffix for each in path.parent.iterdir()} == {".svg", ".png"}


@pytest.mark.skipif(
    getattr(os, "geteuid", lambda: 0)() == 0, reason="root may write anywhere, and Windows has no such user"
)
def test_a_read_only_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError):
        changes.save(changes.draw(compare(made(1), made(2))), tmp_path / "new")
