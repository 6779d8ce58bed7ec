"""Own kernels: loaded from a file, told what is wrong in words, run beside the ladder, placed in words."""

import os
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

from bench.agreement import bounds as agreement
from bench.agreement import probe
from bench.agreement import slips as hints
from bench.agreement.bounds import Disagreement
from bench.cli import options as face
from bench.cli.options import WrongUse
from bench.grid import Cell
from bench.measure import contestants as roster
from bench.measure import own_kernel as own
from bench.measure import session
from bench.measure.engine import CONTROL, Contestant
from bench.measure.own_kernel import NotAKernel
from bench.problem import make_problem
from bench.report import charts as drawing
from bench.report import placing, plots
from bench.report import terminal as summary
from bench.report import write as report
from bench.results.run import LOOP, VECTORIZED, CellResult, Run, load
from kernels import KERNELS, Kernel
from kernels._kernel import Array
from tests.conftest import PRESET, ROOT, Command

CELLS = (Cell(10, 2), Cell(60, 4))


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
    kernel = own.load(str(file))
    assert (kernel.name, kernel.compiled, kernel.threads) == ("my_kernel", False, "all")
    problem = make_problem(1_000, 32)
    probe.ask(kernel.name, kernel, probe.questions(problem))
    agreement.check(kernel, problem)


def measured(folder: Path, *texts: str) -> Run:
    owned = own.load_all(texts)
    measuring = session.Session(session.run_folder(folder, "tiny"), PRESET, seed=0, owned=owned)
    measuring.measure({cell: ["numba_loop", *owned] for cell in CELLS})
    measuring.close()
    return load(measuring.folder)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with the README's kernel, a compiled one of the same file, and one that fails the gate."""
    folder = tmp_path_factory.mktemp("own")
    path = folder / "my_kernel.py"
    more = "\nimport numba\nfrom kernels.python_loop import cost_and_gradient as loop\nfast = numba.njit(loop)\n"
    bad = "def bad(w, b, X, Y):\n    J, dw, db = cost_and_gradient(w, b, X, Y)\n    return J, dw * Y.size, db\n"
    path.write_text(example() + more + bad)
    return measured(folder, str(path), f"{path}:fast", f"{path}:bad")


def test_a_run_holds_own_kernels_beside_the_ladder(run: Run) -> None:
    assert run.own == ["my_kernel", "my_kernel_fast", "my_kernel_bad"]
    for result in run.cells:
        assert result.kernels == [LOOP, "numba_loop", VECTORIZED, "my_kernel", "my_kernel_fast"]
        assert "never divided by m (here 8)" in result.failed["my_kernel_bad"]
    assert run.kernels["my_kernel_fast"]["compiled"] and "my_kernel_fast" in run.compile_seconds
    assert re.fullmatch(r"my_kernel\.py, sha256 [0-9a-f]{16}", run.kernels["my_kernel"]["own"])


def test_they_are_drawn_in_every_figure_each_in_a_style_of_its_own(run: Run) -> None:
    for plot in plots.draw(run):
        texts = {text.get_text() for text in plot.figure.findobj(mpl.text.Text)}
        # These show what stands for the ladder, and not every kernel.
        apart = {"fastest", "waterfall", "causes"}
        assert {"my_kernel", "my_kernel_fast"} <= texts or plot.name.partition("-")[0] in {*apart, "payback"}, plot.name
    with drawing.dressed(run):
        styles = [drawing.style(name) for name in run.own]
    assert len({color for color, _ in styles}) == len({marker for _, marker in styles}) == 3
    assert not set(drawing.OWN_STYLES) & set(drawing.STYLES.values())
    assert len({color for color, _ in drawing.OWN_STYLES[:6]}) == 6 and len(set(drawing.OWN_STYLES)) == 12


def test_the_summary_and_the_report_say_where_they_lie(run: Run) -> None:
    first, second = placing.sentences(run)
    assert first.startswith("my_kernel ") and "at m = 60, n_x = 4, order F, 1 thread" in first
    assert second.startswith("my_kernel_fast ")
    context = report.context(run, [])
    assert context["sections"][0].lead[1:3] == [first, second]
    (failed,) = summary.failed_words(run)
    assert failed.startswith("at m = 10, n_x = 2, order F, 1 thread and in 1 cell more: my_kernel_bad: dw[0] got")
    method = next(section for section in context["sections"] if section.id == "method")
    assert method.warnings[0] == f"Failed {failed}"


def cell(**microseconds: list[float]) -> CellResult:
    """A cell of eight rounds: every kernel's time, a common noise of some percent, and a control with its noise."""
    noise = np.array([1.0, 1.01, 0.99, 1.02, 0.98, 1.0, 1.01, 0.99])
    result = CellResult(Cell(1_000, 32))
    for name, (time,) in microseconds.items():
        result.seconds[name] = list(1e-6 * time * noise)
    result.seconds[CONTROL] = list(np.array(result.seconds[VECTORIZED]) * np.r_[[1.02] * 4, [0.98] * 4])
    result.rounds = {name: list(range(8)) for name in result.seconds}
    result.loops = dict.fromkeys(result.seconds, 1)
    return result


@pytest.mark.parametrize(
    ("mine", "words"),
    [
        (20.0, "mine lies between numba_loop and numpy_vectorized at {}: 3 [3, 3] times as fast as the one, and 0.5 [0.5, 0.5] times as fast as the other."),  # noqa: E501
        (5.0, "mine is the fastest kernel at {}: 2 [2, 2] times as fast as numpy_vectorized, the next."),
        (120.0, "mine is the slowest kernel at {}: 0.5 [0.5, 0.5] times as fast as numba_loop, the next."),
        (9.9, "mine is the fastest kernel at {}: as fast, to within the noise (1.01 [1.01, 1.01] times), as numpy_vectorized, the next."),  # noqa: E501
    ],
)  # fmt: skip
def test_placed_in_words(mine: float, words: str) -> None:
    result = cell(numba_loop=[60.0], numpy_vectorized=[10.0], mine=[mine], also_mine=[15.0])
    kernels = {name: {"own": "a file"} if "mine" in name else {} for name in result.kernels}
    run = Run({"kernels": kernels}, [result], None)
    assert placing.sentences(run)[0] == words.format("m = 1,000, n_x = 32, order F, 1 thread")


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
        own.load(str(tmp_path / "my.py"))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("deed", "message"),
    [
        ("import os\nos._exit(3)", r"my\.py: it ended the process with exit code 3 when it is run"),
        ("raise OSError('no disk')", r"my\.py: line 2: OSError: no disk$"),
        ("import sys\nsys.exit('hello')", r"my\.py: line 3: SystemExit: hello$"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)", r"my\.py: line 3: it crashed with SIGSEGV when it"),
        ("while True:\n    pass", r"my\.py: line [23]: it does not end within 2 s when it is run"),
        ("raise KeyboardInterrupt", r"my\.py: line 2: KeyboardInterrupt$"),
    ],
)
def test_a_file_that_ends_the_process_that_runs_it(tmp_path: Path, deed: str, message: str) -> None:
    (tmp_path / "my.py").write_text(f"print('run')\n{deed}\n{example()}")
    (tmp_path / "good.py").write_text(example())
    texts = [str(tmp_path / "good.py"), str(tmp_path / "my.py")]
    with pytest.raises(NotAKernel, match=message) as raised:
        own.describe(texts, limit=2.0)
    assert "\n" not in str(raised.value)


def test_the_process_that_leads_runs_no_file(file: Path, tmp_path: Path) -> None:
    file.write_text(f"import os, pathlib\npathlib.Path(__file__).with_name(str(os.getpid())).touch()\n{example()}")
    assert own.load_all([str(file)]) == {"my_kernel": str(file)}
    described = roster.describe_kernels(owned={"my_kernel": str(file)})["my_kernel"]
    assert described["title"] == "my_kernel.py, cost_and_gradient" and not described["compiled"]
    (ran,) = [int(path.name) for path in tmp_path.iterdir() if path.name.isdigit()]
    assert ran != os.getpid()


def test_names(tmp_path: Path, file: Path) -> None:
    for stem, message in (("numba_loop", "is the name of a kernel"), ("my-kernel", "can't name a kernel")):
        (tmp_path / f"{stem}.py").write_text(example())
        with pytest.raises(NotAKernel, match=message):
            own.load(str(tmp_path / f"{stem}.py"))
    for text in (f"{file}:", f"{file}:1", "my_kernel", str(tmp_path / "none.py")):
        with pytest.raises(NotAKernel, match=r"name a Python file|there is no file"):
            own.load(text)
    with pytest.raises(WrongUse, match="would both be named my_kernel"):
        face.choose("smoke", "synthetic", None, own_texts=[str(file), str(file.parent / "." / "my_kernel.py")])
    assert face.choose("smoke", "synthetic", "numba_loop", own_texts=[str(file)]).names == ["numba_loop", "my_kernel"]


def test_a_kernel_may_import_what_lies_beside_its_file(tmp_path: Path) -> None:
    (tmp_path / "beside_it.py").write_text(example())
    (tmp_path / "uses_it.py").write_text("from beside_it import cost_and_gradient\n")
    assert own.load(str(tmp_path / "uses_it.py")).name == "uses_it"


def slips() -> dict[str, tuple[Callable[..., Any], str]]:
    """Slips that students make, and the words that they should get."""
    right = KERNELS["numpy_vectorized"].function

    def loop(w: Array, b: float, X: Array, Y: Array, summed: bool = False, first_x: bool = False) -> Any:
        J, dw, db, dz = 0.0, np.zeros(w.size), 0.0, 0.0
        for i in range(Y.size):
            z = float(w @ X[:, i]) + b
            a = 1 / (1 + np.exp(-z))
            J += -(Y[i] * np.log(a) + (1 - Y[i]) * np.log(1 - a))
            dz = dz + a - Y[i] if summed else a - Y[i]
            dw += (X[0, i] if first_x else X[:, i]) * dz
            db += dz
        return float(J / Y.size), dw / Y.size, float(db / Y.size)

    def single(w: Array, b: float, X: Array, Y: Array) -> Any:
        J, dw, db = right(*(np.asarray(part, np.float32) for part in (w, b, X, Y)))
        return float(J), dw.astype(float), float(db)

    def course(w: Array, b: float, X: Array, Y: Array) -> Any:
        A = 1 / (1 + np.exp(-(w.reshape(-1, 1).T @ X + b)))  # (1, m)
        return right(w, b, X, Y)[0], X @ (A - Y).T / Y.size, np.mean(A - Y)

    def broadcast(w: Array, b: float, X: Array, Y: Array) -> Any:
        A = 1 / (1 + np.exp(-(X.T @ w.reshape(-1, 1) + b)))  # (m, 1)
        return right(w, b, X, Y)[0], X @ (A - Y) / Y.size, np.mean(A - Y)

    def of(change: Callable[[Any, Any, Any], Any]) -> Callable[..., Any]:
        return lambda *inputs: change(*right(*inputs))

    return {
        "no 1/m": (of(lambda J, dw, db: (J, dw * 8, db)), "dw is never divided by m (here 8)"),
        "db a sum": (of(lambda J, dw, db: (J, dw, db * 8)), "db is never divided by m"),
        "1/m twice": (of(lambda J, dw, db: (J, dw / 8, db)), "dw is divided by m (here 8) twice"),
        "dz summed": (partial(loop, summed=True), "dz is summed across the examples"),
        "first x": (partial(loop, first_x=True), "first feature's x"),
        "y - a": (of(lambda J, dw, db: (J, -dw, -db)), "dw has the wrong sign: dz is a - y, not y - a"),
        "sign of J": (of(lambda J, dw, db: (-J, dw, db)), "J has the wrong sign: the loss is -("),
        "labels": (lambda w, b, X, Y: right(w, b, X, 1 - Y), "The labels are exchanged"),
        "no b": (lambda w, _, X, Y: right(w, 0.0, X, Y), "b is not added"),
        "b twice": (lambda w, b, X, Y: right(w, 2 * b, X, Y), "b is added twice"),
        "range(m - 1)": (lambda w, b, X, Y: right(w, b, X[:, :-1], Y[:-1]), "The last example is left out"),
        "range(1, m)": (lambda w, b, X, Y: right(w, b, X[:, 1:], Y[1:]), "The first example is left out"),
        "no db": (of(lambda J, dw, _: (J, dw, 0.0)), "db is 0: it is never computed"),
        "J as 0": (of(lambda _, dw, db: (0, dw, db)), "J is whole-numbered: is it left at its initial 0"),
        "J is NaN": (of(lambda _, dw, db: (np.nan, dw, db)), "J is not finite: log(0)"),
        "single": (single, "single precision (float32)"),
        "float32": (of(lambda J, dw, db: (J, dw.astype(np.float32), db)), "dw is in single precision"),
        "None": (lambda *_: None, "The function returns nothing"),
        "list": (of(lambda J, dw, db: [J, dw, db]), "a list is no tuple"),
        "two": (of(lambda _, dw, db: (dw, db)), "return J, dw, db, in this order"),
        "order": (of(lambda J, dw, db: (db, dw, J)), "J holds what db should: the order is (J, dw, db)"),
        "(1, m)": (course, "dw.ravel()"),
        "(m, 1)": (broadcast, "broadcasts to a matrix"),
        "losses": (of(lambda J, dw, db: (np.full(8, J), dw, db)), "J has an element for each example"),
        "[J]": (of(lambda J, dw, db: (np.array([J]), dw, db)), "float(J.item())"),
        "J half": (
            lambda w, b, X, Y: (float(np.mean(Y * np.log1p(np.exp(-(w @ X + b))))), *right(w, b, X, Y)[1:]),
            "J holds the examples of label 1 only",
        ),
        "a for dz": (
            lambda w, b, X, Y: (right(w, b, X, Y)[0], X @ (1 / (1 + np.exp(-(w @ X + b)))) / Y.size, 0.5),
            "a stands where dz = a - y belongs",
        ),
    }


@pytest.mark.parametrize("what", slips())
def test_the_likely_slip_is_named(what: str) -> None:
    function, words = slips()[what]
    kernel = Kernel("mine", "mine", "Mine.", function, cost_from="a")
    for problem in (make_problem(1_000, 3), make_problem(1_000, 5, seed=4, order="C")):
        with pytest.raises(Disagreement, match=r"^mine: .*; on 8 examples\. Likely: ") as raised:
            probe.ask("mine", kernel, probe.questions(problem))
        assert words in str(raised.value)


def test_an_unknown_slip_gets_no_hint_and_a_right_kernel_no_word() -> None:
    (question, _) = probe.questions(make_problem(50, 3))
    inputs = question.problem.w, question.problem.b, question.problem.X, question.problem.Y
    J, dw, db = KERNELS["numpy_vectorized"](*inputs)
    assert hints.slip((J, dw, db), question.problem, question.expected) is None
    assert hints.slip((J + 0.01, dw, db), question.problem, question.expected) is None
    assert hints.slip((J, [[1.0], [1.0, 2.0]], db), question.problem, question.expected) is None


def test_the_command_line_measures_it_and_tells_a_wrong_one(command: Command, file: Path, tmp_path: Path) -> None:
    words = ("bench", "run", "--grid", "smoke", "--kernels", "numpy_textbook", "--kernel", str(file))
    done = command(*words, "--out", str(tmp_path / "run"), cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = placing.sentences(load(tmp_path / "run"))
    assert line in " ".join(done.stdout.split())
    file.write_text(example().replace("/ m, dZ", "* m, dZ"))
    done = command(*words, "--out", str(tmp_path / "other"), cwd=ROOT)
    assert done.returncode == 1
    assert "FAILED at m = 10" in done.stdout and "my_kernel: dw[0] got" in done.stdout
    assert load(tmp_path / "other").cells[0].kernels == [LOOP, "numpy_textbook", VECTORIZED]
    file.write_text("import os\nos._exit(3)\n")
    done = command(*words, "--out", str(tmp_path / "third"), cwd=ROOT)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and not (tmp_path / "third").exists()
    assert "it ended the process with exit code 3" in done.stderr
    file.unlink()
    done = command("bench", "run", "--resume", str(tmp_path / "other"), cwd=ROOT)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert "can't be resumed" in done.stderr and "there is no file" in done.stderr
    wrong = command("bench", "run", "--kernel", "none.py", cwd=ROOT)
    assert (wrong.returncode, wrong.stderr) == (2, "unloop: none.py: there is no file none.py\n")


def test_pytest_measures_it_too(command: Command, file: Path, tmp_path: Path) -> None:
    options = ("--grid", "smoke", "--benchmark-max-time", "0.004", "--benchmark-min-time", "0.0002")
    select = (f"--kernel={file}", "-k", "m10 and my_kernel", "--out", str(tmp_path / "run"))
    done = command("pytest", "--benchmark-only", *options, *select, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert load(tmp_path / "run").cells[0].kernels == [LOOP, VECTORIZED, "my_kernel"]
    assert "test_gradient[m10-n_x2-F-1t-my_kernel]" in done.stdout
    disabled = command("pytest", "bench", "--benchmark-disable", f"--kernel={file}", "-k", "my_kernel", cwd=ROOT)
    assert disabled.returncode == 0 and "passed" in disabled.stdout
    refused = command("pytest", "--benchmark-only", "--kernel", "none.py", cwd=ROOT)
    assert refused.returncode == 4 and "none.py: there is no file none.py" in refused.stderr


def test_a_training_run_takes_own_kernels(file: Path) -> None:
    contestant: Contestant = roster.contestant("my_kernel", {"my_kernel": str(file)})
    assert contestant.kernel is own.load(str(file))
