"""The chapter on data past memory: it reads scale.json, and says nothing that is not in it."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.report.chapters import scale as chapter
from bench.report.chapters.scale_tables import extrapolated, sentences, ways_table
from bench.results import NotARun, Run
from bench.scale import records
from bench.scale.records import Extrapolated, Held, Kills, Limit, Model, Point, Scale, Simulated, Trained, Training, Way


def point(way: str, seconds: float, m: int = 1_000, rows: int = 100, cold: bool = False, store: str = "npy") -> Point:
    return Point(way, store, m, 72 * m, rows, 72 * rows, 2, 1, cold, [2.0 * seconds, seconds])  # type: ignore[arg-type]


def measured(**changes: object) -> Scale:
    """A run in which dask_chunks takes 2 s, the plain loop 1 s, and dask.array 20 s."""
    errors = {"J": 1.0, "dw": 2.0, "db": 3.0}
    seconds = {"dask_array": 20.0, "dask_chunks": 2.0, "read_ahead": 1.0}
    facts = {
        "m": 1_000, "n_x": 8, "seed": 0, "w": [1.0], "b": 0.5, "store": "npy", "dtype": "float64", "nbytes": 72_000,
        "memory_bytes": 2**31, "workers": 2, "threads": 1, "scheduler": "embedded", "chunk_rows": 100,
        "chunk_bytes": 7_200, "alpha": 0.1, "checked": "checksums", "reference_m": 1_000, "versions": {},
        "ways": {name: Way(0.5, [1.0], 0.1, [s], [0.5], errors, 2**30) for name, s in seconds.items()},
        "grid": [
            *(point(name, s) for name, s in seconds.items()),
            *(point(name, s, cold=True) for name, s in (("dask_chunks", 9.0), ("read_ahead", 8.0))),
            *(point(name, s, rows=400) for name, s in (("dask_chunks", 1.25), ("read_ahead", 1.0))),
            *(point("dask_chunks", s, m=500, store=store) for store, s in (("npy", 1.0), ("zarr", 3.0))),
            point("in_memory", 0.4, m=500),
        ],
        "limit": Limit(72_000 / 0.5, 72_000 / 4.0, "read directly", 1e12, 1e12, 5e-4),
        "model": Model(1e-10, 1e-3, 1e-2, 6, [Held(10, 10, 2, 1.0, 1.2), Held(10, 10, 1, 2.0, 2.1)]),
        "simulated": [Simulated(64, 10_000, 1e-2, 8.0), Simulated(1, 100, 1e-2, 1.5), Simulated(1, 1_000, 1e-2, 11.0)],
        "extrapolated": [Extrapolated(1_000, 10**12, 10**6, 12.3, 800.0, 812.3, "the scheduler")],
        "training": Training([Trained("L-BFGS", "dask_chunks", 1_000, 8, 9.0, 0.5, 0.4)], 2e-15),
        "kills": Kills(20, 19, 1, 0.5, [0.6, 2.5]),
        "peak_bytes": 2**30,
    }  # fmt: skip
    return Scale(**facts | changes)  # type: ignore[arg-type]


def test_a_run_without_scale_json_has_no_such_chapter(run: Run, tmp_path: Path) -> None:
    assert chapter.section(run) is None
    assert chapter.section(replace(run, folder=None)) is None
    (tmp_path / records.FILE).write_text("{")
    with pytest.raises(NotARun, match=r"scale.json can't be read: .*; measure it again, or delete it"):
        chapter.section(replace(run, folder=tmp_path))


def test_the_chapter_of_a_whole_run(run: Run, tmp_path: Path) -> None:
    records.save(measured(), tmp_path)
    section = chapter.section(replace(run, folder=tmp_path))
    assert section is not None and [p.name for p in section.plots] == ["scale-rates", "scale-chunks", "scale-simulated"]
    assert section.plots[1].finding == "dask_chunks reaches 50% at 7.03 KiB, 80% at 28.1 KiB of the plain loop's rate."
    assert "10,000 tasks on 64 workers take 8 s, 800 µs each" in section.plots[2].finding
    assert len(section.tables) == 4


def test_a_run_of_the_ways_alone(run: Run, tmp_path: Path) -> None:
    nothing: dict[str, object] = {
        "limit": None,
        "model": None,
        "simulated": [],
        "extrapolated": [],
        "training": None,
        "kills": None,
    }
    records.save(measured(**nothing, grid=[point("dask_chunks", 2.0)], ways={}), tmp_path)
    section = chapter.section(replace(run, folder=tmp_path))
    assert section is not None and [p.name for p in section.plots] == ["scale-rates"]
    assert len(section.tables) == 1


def test_what_the_tables_and_sentences_say() -> None:
    scale = measured(skipped={"in_memory": "it does not fit"})
    assert [row[:4] for row in ways_table(scale).text] == [
        ["dask_array", "20 s", "3.6e-06 GB/s", "2%"],
        ["dask_chunks", "2 s", "3.6e-05 GB/s", "25%"],
        ["read_ahead", "1 s", "7.2e-05 GB/s", "50%"],
    ]
    text = "\n".join(sentences(scale))
    assert "dask_chunks is 2× slower than the plain loop and 10× faster than dask.array" in text
    assert "from Zarr (version 3, not compressed): 3× slower than from .npy" in text
    assert "off by 20% (median) and 20% (most) at 2 places" in text
    assert "killed in the middle of 20 steps: 19 gave the same bits" in text and "1 stopped with an error" in text
    assert "at most 2e-15 apart" in text and "Not measured, in_memory: it does not fit." in text
    assert "within the 2 GiB allowed" in text and "above" in sentences(measured(peak_bytes=2**32))[0]
    assert "the first 10 examples" in sentences(measured(reference_m=10))[1]


def test_every_extrapolated_figure_is_marked() -> None:
    table = extrapolated(measured())
    assert table is not None and table.title.startswith("Extrapolated, not measured")
    assert table.text[0][3:6] == ["12 s est.", "800 s est.", "810 s est."]
    assert extrapolated(measured(extrapolated=[])) is None


def test_records_come_back_as_they_were_written(tmp_path: Path) -> None:
    records.save(measured(), tmp_path)
    assert records.load(tmp_path) == measured() and records.load(tmp_path / "no") is None
    records.save(measured(format=99), tmp_path)
    with pytest.raises(NotARun, match="Invalid enum value 99"):
        records.load(tmp_path)
