"""pytest hooks of the benchmarks: options, collection, and what is printed and written at the end.

A plugin (named in pyproject.toml) and not a conftest.py: pytest would take the "quick" of `--grid quick` for a path
before it had read a conftest.py, and so never find the one that knows the option.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

from bench.machine import quiet

# Only the command line can be started again, not a program that calls pytest.main.
if "--benchmark-only" in sys.argv and Path(sys.argv[0]).name in ("pytest", "py.test", "__main__.py"):
    quiet.pin_layout()

import pytest
from rich.console import Console

from bench.cli import options as face
from bench.cli.options import Measured, WrongUse
from bench.grid import Cell
from bench.report import terminal as summary

FIELDS = ("m", "n_x", "order", "threads", "problem", "iterations")
measured_key = pytest.StashKey[Measured]()
ended_key = pytest.StashKey[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("unloop", "unloop: the gradient step of logistic regression, as a ladder of kernels")
    group.addoption("--grid", default=None, help="Which cells to measure: smoke, quick or full. Default: quick.")
    group.addoption("--kernels", default=None, help="Comma-separated kernels to measure; their baselines are added.")
    group.addoption(
        "--kernel",
        action="append",
        default=[],
        metavar="FILE.py[:FUNCTION]",
        help="Measure a kernel of your own too: a file that defines cost_and_gradient(w, b, X, Y). Repeatable. "
        "Write --kernel=FILE.py for a file that lies elsewhere: pytest takes it for a folder of tests otherwise.",
    )
    group.addoption("--peers", action="store_true", help="Measure the other libraries that are installed, too.")
    group.addoption("--seed", type=int, default=0, help="Seed of the problems and of the order of samples. Default: 0.")
    group.addoption(
        "--problem",
        default="synthetic",
        help="synthetic, or breast_cancer: runs of gradient descent on a real data set. Default: synthetic.",
    )
    group.addoption("--out", type=Path, default=None, help="Folder of the run. Default: results/<date>-<grid>.")


def pytest_configure(config: pytest.Config) -> None:
    only, disabled = config.getoption("benchmark_only"), config.getoption("benchmark_disable")
    if config.args_source is config.ArgsSource.TESTPATHS and not disabled:
        # A plain pytest runs the tests and no benchmark; with --benchmark-only the benchmarks and no test.
        config.args = [path for path in config.getini("testpaths") if (path == "bench") is bool(only)]
    try:
        # Run once and untimed, the benchmarks are a check: on few cells, unless more are asked for.
        grid = config.getoption("grid") or ("smoke" if disabled else "quick")
        problem = config.getoption("problem")
        kernels, peers, own = (config.getoption(name) for name in ("kernels", "peers", "kernel"))
        choice = face.choose(grid, problem, kernels, peers, own)
        choice = replace(choice, preset=face.with_options(choice.preset, config))
    except WrongUse as error:
        raise pytest.UsageError(str(error)) from None
    measured = Measured(config.rootpath, choice, config.getoption("seed"), problem, config.getoption("out"))
    measured.wanted = {cell: choice.of(cell) for cell in choice.preset.cells}
    config.stash[measured_key] = measured


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "cell_of_params" not in metafunc.fixturenames:
        return
    rows = [
        pytest.param(*(getattr(cell, name) for name in FIELDS), kernel, id=f"{cell.id}-{kernel}")
        for cell, kernels in metafunc.config.stash[measured_key].wanted.items()
        for kernel in kernels
    ]
    metafunc.parametrize((*FIELDS, "kernel"), rows)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Only what is selected is measured."""
    wanted: dict[Cell, list[str]] = {}
    for item in session.items:
        if isinstance(item, pytest.Function) and "cell_of_params" in item.fixturenames:
            wanted.setdefault(face.cell_of(item.callspec.params), []).append(str(item.callspec.params["kernel"]))
    session.config.stash[measured_key].wanted = wanted


@pytest.fixture
def cell_of_params(m: int, n_x: int, order: Any, threads: int, problem: str, iterations: int) -> Cell:
    """The cell of a benchmark's parameters."""
    return Cell(m, n_x, order, threads, problem, iterations)


@pytest.fixture(scope="session")
def measured(request: pytest.FixtureRequest) -> Measured:
    """What the engine measured, for all benchmarks of this session."""
    found = request.config.stash[measured_key]
    reporter: Any = request.config.pluginmanager.get_plugin("terminalreporter")
    capture: Any = request.config.pluginmanager.get_plugin("capturemanager")

    def tell(line: str) -> None:
        with capture.global_and_fixture_disabled():
            reporter.ensure_newline()
            reporter.write_line(line)

    if reporter is not None and capture is not None and request.config.get_verbosity() >= 0:
        found.tell = tell
    return found


def pytest_benchmark_update_machine_info(machine_info: dict[str, Any]) -> None:
    """The machine card in place of what would name this host."""
    from bench.machine import card as machine

    machine_info.clear()
    machine_info.update(machine.card())


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> Iterator[None]:
    yield
    closed = session.config.stash[measured_key].close(interrupted=exitstatus == pytest.ExitCode.INTERRUPTED)
    if closed is None:
        return
    from bench.report import write as report

    folder, run = closed
    text = StringIO()
    console = Console(file=text, width=summary.WIDTH)
    console.print(summary.render(run))
    console.print(f"report: {report.write(run, folder)}", soft_wrap=True)
    session.config.stash[ended_key] = text.getvalue()


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    text = config.stash.get(ended_key, None)
    if text is not None:
        terminalreporter.section("unloop")
        terminalreporter.write_line(text)
