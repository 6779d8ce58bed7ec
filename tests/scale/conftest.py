"""What the tests of data past memory share: a small problem on disk, and a cluster in this process."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.scale import cluster, store
from bench.scale.data import Data, describe
from kernels._kernel import Array
from tests.cli.conftest import refused  # noqa: F401 - a fixture

M, N_X, SEED = 1_013, 3, 7
NEEDED = "the extra unloop[scale] is not installed"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a made problem of a prime number of examples."""
    folder = tmp_path_factory.mktemp("scale") / "made"
    store.make(folder, M, N_X, SEED)
    return folder


@pytest.fixture(scope="session")
def data(made: Path) -> Data:
    """What it holds."""
    return store.open_data(made)[0]


@pytest.fixture(scope="session")
def at() -> tuple[Array, float]:
    """The w and b of its step."""
    return store.model(N_X, SEED)[2:]


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """A client of a real scheduler and two real workers, all in this process."""
    pytest.importorskip("distributed", reason=NEEDED)
    with cluster.embedded(2, processes=False) as client:
        yield client


def written(folder: Path, X: Any, Y: Any) -> Data:
    """A user's own X (m, n_x) and Y (m,) as .npy files."""
    folder.mkdir(exist_ok=True)
    np.save(folder / "X.npy", X)
    np.save(folder / "Y.npy", Y)
    return describe(folder / "X.npy", folder / "Y.npy")
