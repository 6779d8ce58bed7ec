"""unloop scale make: the bits of a seed, resuming, room, and a full disk."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench.scale import store
from bench.scale.faults import by_checksum
from bench.words import WrongUse
from tests.conftest import ROOT
from tests.scale.conftest import N_X, NEEDED, SEED, M

TILE = store.tile_rows(4096)  # 128 examples: several tiles, and blocks, of few numbers


def arrays(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    return np.load(folder / "X.npy"), np.load(folder / "Y.npy")


def test_the_files_are_plain_npy_and_follow_the_model(made: Path) -> None:
    X, Y = arrays(made)
    assert X.shape == (M, N_X) and X.dtype == np.float64 and X.flags.c_contiguous
    assert Y.shape == (M,) and set(np.unique(Y)) == {0.0, 1.0}
    w_true, b_true, w, b = store.model(N_X, SEED)
    assert abs(X.mean()) < 0.1 and 0.9 < X.std() < 1.1
    Z = X @ w_true + b_true
    A = 1.0 / (1.0 + np.exp(-Z))
    assert abs(np.mean(Y - A)) < 0.05 and abs(np.mean((Y - A) * Z)) < 0.1 < np.mean(A * (1.0 - A)) < np.var(Y)
    assert (w != w_true).all() and b != b_true and np.all(w != 0.0)


@pytest.mark.parametrize("block_bytes", [1, 2 * TILE * 8 * 4097, 2**30])
def test_the_same_seed_gives_the_same_bits_whatever_the_block(tmp_path: Path, block_bytes: int) -> None:
    m = 3 * TILE + 5
    made = store.make(tmp_path / "b", m, 4096, SEED, block_bytes=block_bytes)
    assert made.blocks == {1: 4, 2 * TILE * 8 * 4097: 2, 2**30: 1}[block_bytes]
    store.make(tmp_path / "a", m, 4096, SEED)
    for one, other in zip(arrays(tmp_path / "a"), arrays(tmp_path / "b"), strict=True):
        assert (one == other).all()


def test_a_smaller_m_holds_the_first_examples_and_another_seed_others(made: Path, tmp_path: Path) -> None:
    store.make(tmp_path / "small", 101, N_X, SEED)
    store.make(tmp_path / "other", 101, N_X, SEED + 1)
    assert (arrays(tmp_path / "small")[0] == arrays(made)[0][:101]).all()
    assert (arrays(tmp_path / "other")[0] != arrays(made)[0][:101]).all()


def test_zarr_holds_the_same(made: Path, tmp_path: Path) -> None:
    zarr = pytest.importorskip("zarr", reason=NEEDED)
    store.make(tmp_path, M, N_X, SEED, "zarr", block_bytes=1)
    for name, wanted in zip("XY", arrays(made), strict=True):
        array = zarr.open_array(tmp_path / f"{name}.zarr", mode="r")
        assert (array[:] == wanted).all() and array.metadata.zarr_format == 3
    data, manifest = store.open_data(tmp_path)
    by_checksum(data, manifest.checksums())


def test_an_interrupted_make_is_resumed_without_writing_again(tmp_path: Path) -> None:
    def stop(done: int, _blocks: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.make(tmp_path, 5 * TILE, 4096, SEED, block_bytes=1, progress=stop)
    half = store.read(tmp_path)
    assert 2 <= len(half.X) < 5 and not half.complete
    with pytest.raises(WrongUse, match=r"is not complete.*resume it: unloop scale make"):
        store.open_data(tmp_path)
    seen: list[int] = []
    store.make(tmp_path, 5 * TILE, 4096, SEED, block_bytes=1, progress=lambda done, _: seen.append(done))
    assert seen[0] == len(half.X) and store.read(tmp_path).complete
    store.make(tmp_path.with_name("whole"), 5 * TILE, 4096, SEED)
    assert (arrays(tmp_path)[0] == arrays(tmp_path.with_name("whole"))[0]).all()
    data, manifest = store.open_data(tmp_path)
    by_checksum(data, manifest.checksums())


def test_a_folder_of_another_problem_is_refused(made: Path, tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match=f"contains another problem \\(m = {M}\\)"):
        store.make(made, M + 1, N_X, SEED)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(WrongUse, match="is not empty"):
        store.make(tmp_path, 10, 2)
    with pytest.raises(WrongUse, match=r"has no manifest.json; make one"):
        store.open_data(tmp_path)


def test_what_can_not_fit_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match=r"GiB free, and .*GiB are to be written"):
        store.make(tmp_path, 10**15, 8)
    assert not (tmp_path / "X.npy").exists()


def test_a_full_disk_ends_in_a_line_and_can_be_resumed(tmp_path: Path) -> None:
    """The system refuses to let a file grow beyond a limit, as it does on a full disk."""
    resource = pytest.importorskip("resource", reason="this system has no limits of processes")
    assert resource
    out = tmp_path / "full"
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000)); "
        f"sys.argv = ['unloop', 'scale', 'make', '--m', '1e5', '--out', {str(out)!r}]; "
        "from bench.cli.app import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done
    assert "resumes it" in done.stderr
    assert store.make(out, 10**5, 8).complete
