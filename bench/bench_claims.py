"""The pytest-benchmark face of the claims: `pytest --benchmark-only --claims`, a benchmark for each claim and way.

It is collected with `--claims` only; the gradient step is not, then. `-k` selects claims and ways, `--out` names the
folder; all else is as `unloop reproduce` does it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bench.claims import outcome, results
from bench.claims.agreement import error
from bench.claims.published import PUBLISHED, load
from bench.claims.records import Plan
from bench.claims.results import Claims
from bench.claims.session import Session
from bench.claims.sizes import smallest
from bench.cli.replay import interleaved_replay, tape
from bench.measure.ledger import run_folder
from bench.words import WrongUse


class Reproduced(NamedTuple):
    """What a session measured: the results, and the samples of each way of each claim."""

    claims: Claims
    samples: dict[tuple[str, str], outcome.Samples]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A benchmark for each way that can run."""
    ways = [(name, way) for name in PUBLISHED for way, each in load(name).claim.named.items() if each.missing is None]
    metafunc.parametrize(("claim", "way"), [pytest.param(*pair, id="-".join(pair)) for pair in ways])


@pytest.fixture(scope="session")
def reproduced(request: pytest.FixtureRequest) -> Iterator[Reproduced]:
    """The claims that are selected, measured together; the report is written when all benchmarks are through."""
    items = [item for item in request.session.items if isinstance(item, pytest.Function)]
    selected = {item.callspec.params["claim"] for item in items if item.originalname == test_claim.__name__}
    config = request.config
    try:
        folder = run_folder(config.rootpath, "claims", config.getoption("out"))
        plan = Plan(tuple(name for name in PUBLISHED if name in selected), seed=config.getoption("seed"))
        session = Session.open(plan, folder)
    except (WrongUse, OSError) as wrong:
        pytest.exit(str(wrong), returncode=int(pytest.ExitCode.USAGE_ERROR))
    session.measure()
    claims = session.close()
    results.write(claims, folder)
    yield Reproduced(claims, outcome.samples(session.records))
    _report(claims, folder, config)


def _report(claims: Claims, folder: Path, config: pytest.Config) -> None:
    from rich.console import Console

    from bench.report import claims as report

    page = report.write(claims, folder)
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    capture: Any = config.pluginmanager.get_plugin("capturemanager")
    if reporter is not None and capture is not None:
        with capture.global_and_fixture_disabled():
            reporter.ensure_newline()
            console = Console(width=report.TERMINAL_WIDTH)
            for part in report.terminal(claims):
                console.print(part)
            reporter.write_line(f"report: {page}")


@pytest.mark.benchmark(timer=interleaved_replay)
def test_claim(benchmark: Any, request: pytest.FixtureRequest, claim: str, way: str) -> None:
    """Replay the samples of a way; with --benchmark-disable, only check that it agrees with the first."""
    if benchmark.disabled:
        _check(claim, way)
        return
    measured: Reproduced = request.getfixturevalue("reproduced")
    result = next(result for result in measured.claims.claims if result.card.id == claim)
    failed = result.way(way).failed
    if failed is not None:
        pytest.fail(f"{claim}: {failed}", pytrace=False)
    benchmark.group = f"{claim}: {result.card.sized(result.n)}"
    samples = measured.samples[claim, way]
    with tape(samples.seconds):
        benchmark.pedantic(lambda: None, rounds=len(samples.seconds), iterations=samples.loops)
    benchmark.extra_info.update({"n": result.n, "verdict": result.verdict, "printed": result.way(way).printed})


def _check(claim: str, way: str) -> None:
    of = load(claim).claim
    n = smallest(of.n)
    first, arguments = next(iter(of.named.values())), of.arguments(n, 0)
    outputs = [each.call(of.arguments(n, 0)) for each in (first, of.named[way])]
    if of.named[way].judged:
        error(of, n, outputs[1], outputs[0], arguments)
