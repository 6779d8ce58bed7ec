"""Own kernels: loaded from a file, refused in words, measured beside the ladder."""

import os
import re
from pathlib import Path

import pytest

from bench import agreement
from bench.grid import Cell, Plan
from bench.measure import own_kernel
from bench.measure.contestants import contestant, describe_kernels
from bench.measure.own_kernel import NotAKernel
from bench.measure.session import Session
from bench.problem import make_problem
from bench.results import LOOP, VECTORIZED, load
from kernels.peers import PEERS
from tests import factories
from tests.conftest import ROOT


def example() -> str:
    """The README's own kernel, as its reader would copy it."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(# my_kernel.py\n.*?)```", text, re.DOTALL)
    return str(code)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "my_kernel.py"
    path.write_text(example())
    return path


def test_the_example_is_short_and_passes_the_gate(file: Path) -> None:
    assert len(example().splitlines()) <= 12
    kernel = own_kernel.load(str(file))
    assert (kernel.name, kernel.compiles, kernel.threads) == ("my_kernel", "never", "all")
    problem = make_problem(1_000, 32)
    agreement.ask(kernel.name, kernel, agreement.questions(problem))
    agreement.check(kernel, problem)


def test_a_run_has_own_kernels_beside_the_ladder(file: Path, tmp_path: Path) -> None:
    """The README's kernel, a compiled one of the same file, and one that fails the gate."""
    more = "\nimport numba\nfrom kernels.python_loop import cost_and_gradient as loop\nfast = numba.njit(loop)\n"
    bad = "def bad(w, b, X, Y):\n    J, dw, db = cost_and_gradient(w, b, X, Y)\n    return J, dw * Y.size, db\n"
    file.write_text(example() + more + bad)
    own = own_kernel.load_all([str(file), f"{file}:fast", f"{file}:bad"])
    cells = (Cell(10, 2), Cell(60, 4))
    (tmp_path / "run").mkdir()
    with Session.open(Plan(factories.preset(cells), own=own), tmp_path / "run") as session:
        session.measure({cell: ["numba_loop", *own] for cell in cells})
    run = load(tmp_path / "run")
    assert run.own == ["my_kernel", "my_kernel_fast", "my_kernel_bad"]
    for result in run.cells:
        assert result.kernels == [LOOP, "numba_loop", VECTORIZED, "my_kernel", "my_kernel_fast"]
        assert "never divided by m (here 8)" in result.failed["my_kernel_bad"]
    assert run.kernels["my_kernel_fast"].compiles == "once" and "my_kernel_fast" in run.compile_seconds
    assert re.fullmatch(r"my_kernel\.py, sha256 [0-9a-f]{16}", str(run.kernels["my_kernel"].own))


def test_a_training_run_takes_own_kernels(file: Path) -> None:
    assert contestant("my_kernel", {"my_kernel": str(file)}).kernel is own_kernel.load(str(file))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"no function cost_and_gradient\(w, b, X, Y\)$"),
        ("def step(w, b, X, Y): ...\n", r"it defines step: write my\.py:step$"),
        ("def cost_and_gradient(w, X, Y): ...\n", r"cost_and_gradient\(w, X, Y\) must take four arguments"),
        ("def cost_and_gradient(w, b, X, Y):\nreturn 1\n", r"my\.py: line 2: expected an indented block"),
        ("import numpy\nimport no_such_module\n", r"my\.py: line 2: ModuleNotFoundError: No module named 'no_such"),
        ("import sys\nsys.exit(3)\n", r"my\.py: line 2: SystemExit: 3$"),
        ("cost_and_gradient = 3\n", "no function cost_and_gradient"),
    ],
)
def test_a_file_that_holds_no_kernel(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "my.py").write_text(text)
    with pytest.raises(NotAKernel, match=message) as raised:
        own_kernel.load(str(tmp_path / "my.py"))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("deed", "message"),
    [
        ("import os\nos._exit(3)", r"my\.py: it ended the process with exit code 3 when it is run"),
        ("raise OSError('no disk')", r"my\.py: line 2: OSError: no disk$"),
        ("import sys\nsys.exit('hello')", r"my\.py: line 3: SystemExit: hello$"),
        ("import signal\nsignal.raise_signal(signal.SIGSEGV)", r"my\.py: line 3: it crashed with SIGSEGV when it"),
        ("while True:\n    pass", r"my\.py: line [23]: it does not end within 2 s when it is run"),
        ("raise KeyboardInterrupt", r"my\.py: line 2: KeyboardInterrupt$"),
    ],
)
def test_a_file_that_ends_the_process_that_runs_it(tmp_path: Path, deed: str, message: str) -> None:
    (tmp_path / "my.py").write_text(f"print('run')\n{deed}\n{example()}")
    (tmp_path / "good.py").write_text(example())
    own = {name: str(tmp_path / f"{name}.py") for name in ("good", "my")}
    with pytest.raises(NotAKernel, match=message) as raised:
        own_kernel.describe(own, limit=2.0)
    assert "\n" not in str(raised.value)


def test_the_process_that_leads_runs_no_file(file: Path, tmp_path: Path) -> None:
    file.write_text(f"import os, pathlib\npathlib.Path(__file__).with_name(str(os.getpid())).touch()\n{example()}")
    own = own_kernel.load_all([str(file)])
    assert own == {"my_kernel": str(file)}
    card = describe_kernels(own=own)["my_kernel"]
    assert (card.title, card.compiles) == ("my_kernel.py, cost_and_gradient", "never")
    assert re.fullmatch(r"my_kernel\.py, sha256 [0-9a-f]{16}", str(card.own))
    (ran,) = [int(path.name) for path in tmp_path.iterdir() if path.name.isdigit()]
    assert ran != os.getpid()


def test_names(tmp_path: Path, file: Path) -> None:
    taken = ["numba_loop", "numba_descent", next(iter(PEERS))]
    for stem, message in (*((name, "is the name of a kernel") for name in taken), ("my-kernel", "can't name a kernel")):
        (tmp_path / f"{stem}.py").write_text(example())
        with pytest.raises(NotAKernel, match=message):
            own_kernel.load(str(tmp_path / f"{stem}.py"))
    for text in (f"{file}:", f"{file}:1", "my_kernel", str(tmp_path / "none.py")):
        with pytest.raises(NotAKernel, match=r"name a Python file|there is no file"):
            own_kernel.load(text)
    with pytest.raises(NotAKernel, match="would both be named my_kernel"):
        own_kernel.load_all([str(file), str(file.parent / "." / "my_kernel.py")])


def test_a_kernel_may_import_what_lies_beside_its_file(tmp_path: Path) -> None:
    (tmp_path / "beside_it.py").write_text(example())
    (tmp_path / "uses_it.py").write_text("from beside_it import cost_and_gradient\n")
    assert own_kernel.load(str(tmp_path / "uses_it.py")).name == "uses_it"
