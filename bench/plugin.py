"""pytest hooks of the benchmarks: options, collection, and what is printed and written at the end.

    pytest -p bench.plugin --benchmark-only --pyargs bench     # from any folder, where unloop is installed

A plugin (named in pyproject.toml) and not a conftest.py: pytest would take the "quick" of `--grid quick` for a path
before it had read a conftest.py, and so never find the one that knows the option.
"""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bench.cli import options
from bench.cli.commands import from_here
from bench.cli.measured import Measured
from bench.cli.options import Typed
from bench.grid import Cell
from bench.words import WrongUse

BENCHMARKS = "bench_*.py"

measured_key = pytest.StashKey[Measured]()
ended_key = pytest.StashKey[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("unloop", "unloop: the gradient step of logistic regression, as a ladder of kernels")
    group.addoption("--grid", default=None, help="Which cells to measure: smoke, quick, full or sizes. Default: quick.")
    group.addoption("--kernels", default=None, help="Comma-separated kernels to measure; their baselines are added.")
    group.addoption(
        "--kernel",
        action="append",
        default=[],
        metavar="FILE.py[:FUNCTION]",
        help="Measure a kernel of your own too: a file that defines cost_and_gradient(w, b, X, Y). Repeatable. "
        "For a file in another folder write --kernel=FILE.py: without the = pytest takes it for a folder of tests.",
    )
    group.addoption("--peers", action="store_true", help="Measure the other libraries that are installed, too.")
    group.addoption("--seed", type=int, default=0, help="Seed of the problems and of the order of samples. Default: 0.")
    group.addoption(
        "--problem",
        default="synthetic",
        help="synthetic, or breast_cancer: runs of gradient descent on a real data set. Default: synthetic.",
    )
    group.addoption("--dtype", default=None, help="float64, float32 or both. Default: float64; of the full grid both.")
    group.addoption("--claims", action="store_true", help="Measure published claims in place of the gradient step.")
    group.addoption("--out", type=Path, default=None, help="Folder of the run. Default: results/<date>-<grid>.")


def pytest_configure(config: pytest.Config) -> None:
    if BENCHMARKS not in config.getini("python_files"):  # away from the checkout, whose pyproject.toml names them
        config.addinivalue_line("python_files", BENCHMARKS)
    only, disabled = config.getoption("benchmark_only"), config.getoption("benchmark_disable")
    if config.args_source is config.ArgsSource.TESTPATHS and not disabled:
        # A plain pytest runs the tests and no benchmark; with --benchmark-only the benchmarks and no test.
        config.args = [path for path in config.getini("testpaths") if (path == "bench") is bool(only)]
    # Run once and untimed, the benchmarks are a check: on few cells, unless more are named.
    typed = Typed(
        grid=config.getoption("grid") or ("smoke" if disabled else "quick"),
        problem=config.getoption("problem"),
        kernels=config.getoption("kernels"),
        peers=config.getoption("peers"),
        own=config.getoption("kernel"),
        seed=config.getoption("seed"),
        dtype=config.getoption("dtype"),
    )
    try:
        plan = options.plan(typed)
        plan = replace(plan, preset=options.with_benchmark_options(plan.preset, config))
    except WrongUse as error:
        raise pytest.UsageError(str(error)) from None
    wanted = {cell: options.names_of(plan, cell) for cell in plan.preset.cells}
    config.stash[measured_key] = Measured(config.rootpath, plan, config.getoption("out"), wanted)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """One of the two faces is collected: the claims with --claims, else the gradient step."""
    other = "bench_gradient.py" if config.getoption("claims") else "bench_claims.py"
    return True if collection_path.name == other else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if not {"cell", "measured"} <= set(metafunc.fixturenames):
        return
    wanted = metafunc.config.stash[measured_key].wanted
    fields = list(next(iter(wanted)).params)
    rows = [
        pytest.param(*cell.params.values(), kernel, id=f"{cell.id}-{kernel}")
        for cell, kernels in wanted.items()
        for kernel in kernels
    ]
    # All fields are parameters, whatever fields there are: pytest-benchmark can group by them.
    metafunc.fixturenames += [name for name in fields if name not in metafunc.fixturenames]
    metafunc.parametrize([*fields, "kernel"], rows)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Only what is selected is measured."""
    wanted: dict[Cell, list[str]] = {}
    for item in session.items:
        if isinstance(item, pytest.Function) and {"cell", "measured"} <= set(item.fixturenames):
            params = item.callspec.params
            wanted.setdefault(Cell.of(params), []).append(str(params["kernel"]))
    session.config.stash[measured_key].wanted = wanted


@pytest.fixture
def cell(request: pytest.FixtureRequest) -> Cell:
    """The cell of a benchmark's parameters."""
    return Cell.of(request.node.callspec.params)


@pytest.fixture(scope="session")
def measured(request: pytest.FixtureRequest) -> Measured:
    """What the engine measured, for all benchmarks of this session."""
    of_session = request.config.stash[measured_key]
    reporter: Any = request.config.pluginmanager.get_plugin("terminalreporter")
    capture: Any = request.config.pluginmanager.get_plugin("capturemanager")

    def show(line: str) -> None:
        with capture.global_and_fixture_disabled():
            reporter.ensure_newline()
            reporter.write_line(line)

    if reporter is not None and capture is not None and request.config.get_verbosity() >= 0:
        of_session.show = show
    return of_session


def pytest_benchmark_update_machine_info(machine_info: dict[str, Any]) -> None:
    """The machine card in place of what would name this host."""
    from bench.machine.card import card

    machine_info.clear()
    machine_info.update(msgspec.to_builtins(card()))


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> Iterator[None]:
    yield
    closed = session.config.stash[measured_key].close(interrupted=exitstatus == pytest.ExitCode.INTERRUPTED)
    if closed is None:
        return
    from bench.report import write  # loads Matplotlib, for which a session that measures nothing need not wait
    from bench.report.terminal import summary

    folder, run = closed
    write(run, folder)
    lines = summary.lines(run, from_here(folder), shutil.get_terminal_size().columns)
    session.config.stash[ended_key] = "\n".join(line.text for line in lines)


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    text = config.stash.get(ended_key, None)
    if text is not None:
        terminalreporter.section("unloop")
        terminalreporter.write_line(text)
