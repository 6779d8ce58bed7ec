"""The page in a real browser, at desktop and phone width, light and dark: and that each check can fail."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.report import write
from bench.results import LOOP, VECTORIZED
from bench.results.records import Ceiling, ReadRate
from tests.factories import run_of_costs

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
FLAGS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]
VIEWS = [(width, scheme) for width in (1280, 390) for scheme in ("light", "dark")]

# What a reader would stumble over, as a list of sentences; run in the page.
CHECKS = """() => {
  const defects = [], root = document.documentElement;
  const name = e => e.tagName.toLowerCase() + " " + (e.id || e.textContent || "").trim().slice(0, 40);
  for (const fold of document.querySelectorAll("details")) {
    const before = fold.open;
    fold.open = false; fold.querySelector("summary").click();
    if (!fold.open || fold.getBoundingClientRect().height <= fold.querySelector("summary").offsetHeight)
      defects.push("does not open: " + name(fold));
    fold.open = before || fold.open;
  }
  if (root.scrollWidth > innerWidth) defects.push("scrolls sideways: " + root.scrollWidth + " in " + innerWidth);
  for (const e of document.querySelectorAll("body *")) {
    const style = getComputedStyle(e);
    if (["hidden", "clip"].includes(style.overflowX) && e.scrollWidth > e.clientWidth + 1 && !e.closest("svg, .hidden"))
      defects.push("clipped: " + name(e));
    const box = e.getBoundingClientRect();
    if (box.width && box.right > innerWidth + 1 && !e.closest(".box, pre")) defects.push("beyond the edge: " + name(e));
  }
  for (const e of document.querySelectorAll("svg[role], svg:not(:is(#explorer-chart svg)), img"))
    if (!(e.getAttribute("aria-label") || e.getAttribute("alt") || "").trim()) defects.push("has no name: " + name(e));
  for (const svg of document.querySelectorAll("svg")) {
    const box = svg.getBoundingClientRect();
    if (!box.width) continue;  // one of two, for another screen
    for (const text of svg.querySelectorAll("text")) {
      const at = text.getBoundingClientRect();
      if (!at.width) continue;
      if (at.left < box.left - 1 || at.right > box.right + 1 || at.top < box.top - 1 || at.bottom > box.bottom + 1)
        defects.push("text leaves its figure: " + name(text));
      if (at.height < 8) defects.push("too small to read: " + name(text));
    }
  }
  const rgb = text => (text.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const light = c => [0, 1, 2].map(k => c[k] / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, k) => sum + v * [.2126, .7152, .0722][k], 0);
  const behind = e => { for (; e; e = e.parentElement) {
    const c = rgb(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c;
  } return [255, 255, 255]; };
  for (const e of document.querySelectorAll("h1, h2, h3, p, li, td, th, a, summary, figcaption, code, div, span")) {
    if (e.closest("svg") || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const [low, high] = [light(rgb(getComputedStyle(e).color)), light(behind(e))].sort((a, b) => a - b);
    if ((high + .05) / (low + .05) < 4.5) defects.push("hard to read: " + name(e));
  }
  return [...new Set(defects)];
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Headless Chromium, with a profile of its own."""
    if CHROMIUM is None:
        pytest.skip("no Chromium or Chrome on this machine, so the page can't be opened in a browser")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed, so no browser can be driven")
    with api.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS, chromium_sandbox=False)
        yield running
        running.close()


def defects(browser: Any, page: Path, width: int = 1280, scheme: str = "light", wait: str = "") -> list[str]:
    """What is wrong with a page at this width: what the checks find, and the errors of the console."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True)
    view = context.new_page()
    console: list[str] = []
    view.on("console", lambda message: console.append(f"console: {message.text}") if message.type == "error" else None)
    view.on("pageerror", lambda error: console.append(f"console: {error}"))
    view.goto(page.as_uri())
    if wait:
        view.wait_for_selector(wait)
    seen = view.evaluate(CHECKS)
    context.close()
    return [*console, *seen]


@pytest.fixture(scope="module")
def explored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run with a cost model, ceilings, and so an explorer."""
    costs = {LOOP: (1e-6, 1e-6, 4e-7), VECTORIZED: (1.4e-5, 1e-8, 2e-10), "numba_fused": (1e-6, 2e-9, 1e-10)}
    costs |= {"numba_loop": (1e-6, 2e-8, 1e-9)}
    folder = tmp_path_factory.mktemp("explored")
    ceiling = Ceiling(1, [ReadRate(1_000, 100e9), ReadRate(10**8, 10e9)], flops=50e9, exps=1e9)
    return write(replace(run_of_costs(costs, noise=0.02), ceilings={1: ceiling}), folder, figures="open")


@pytest.mark.parametrize(("width", "scheme"), VIEWS)
@pytest.mark.parametrize("name", ["report.html", "appendix.html"])
def test_the_page_holds_in_a_browser(browser: Any, run_folder: Path, name: str, width: int, scheme: str) -> None:
    assert defects(browser, run_folder / name, width, scheme) == []


@pytest.mark.parametrize(("width", "scheme"), VIEWS)
def test_the_page_with_the_explorer_holds_too(browser: Any, explored: Path, width: int, scheme: str) -> None:
    assert defects(browser, explored, width, scheme, wait="#explorer-chart svg") == []


def opened(browser: Any, page: Path, **context: Any) -> Any:
    """A page in the browser, without a network."""
    view = browser.new_context(viewport={"width": 1000, "height": 900}, offline=True, **context).new_page()
    view.goto(page.as_uri())
    return view


def test_the_explorer_follows_its_controls(browser: Any, explored: Path) -> None:
    view = opened(browser, explored)
    view.wait_for_selector("#explorer-chart svg")
    assert view.locator("#figure-explorer").is_hidden()
    chart = view.locator("#explorer-chart")
    assert "At m = 1,000, n_x = 16: 1 call" in chart.inner_text() or "n_x = 64: 1 call" in chart.inner_text()
    m = view.locator("input[name=at_m]")
    m.evaluate("e => { e.value = e.max; e.dispatchEvent(new Event('input')); }")
    view.wait_for_function("document.querySelector('#explorer-chart').textContent.includes('At m = 1,000,000')")
    for box in ("numba_loop", "numba_fused"):
        view.locator(f"input[name=show_{box}]").uncheck()
    view.wait_for_function("!document.querySelector('#explorer-chart').textContent.includes('numba_')")
    assert "numpy_vectorized" in chart.inner_text()
    view.locator("select[name=scale]").select_option("linear")
    view.wait_for_timeout(200)
    assert "NaN" not in chart.inner_text() and "undefined" not in chart.inner_text()
    view.context.close()


def test_without_scripts_a_figure_stands_in_the_explorer_s_place(browser: Any, explored: Path) -> None:
    view = opened(browser, explored, java_script_enabled=False)
    assert view.locator("#figure-explorer").is_visible() and view.locator("#explorer-chart svg").count() == 0
    view.context.close()


def violations(view: Any) -> list[str]:
    """What axe-core finds, in a line each."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    found = axe.Axe().run(view).response["violations"]
    return [f"{each['id']}: {each['help']}: {each['nodes'][0]['html'][:120]}" for each in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Any, explored: Path, run_folder: Path, scheme: str) -> None:
    for page in (explored, explored.parent / "appendix.html", run_folder / "report.html"):
        view = opened(browser, page, color_scheme=scheme)
        if view.locator("#explorer-chart").count():
            view.wait_for_selector("#explorer-chart svg")
        view.evaluate("() => document.querySelectorAll('details').forEach(fold => { fold.open = true; })")
        assert violations(view) == [], page
        view.context.close()


def test_axe_would_find_a_table_without_headers(browser: Any, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<!doctype html><title>x</title><body><img src='data:,'>")
    view = opened(browser, page)
    assert any(line.startswith("image-alt") for line in violations(view))
    view.context.close()


def test_the_page_is_short_on_paper(browser: Any, explored: Path, run_folder: Path) -> None:
    for page in (explored, run_folder / "report.html"):
        view = opened(browser, page)
        pages = re.findall(rb"/Type\s*/Page\b(?!s)", view.pdf(format="A4"))
        assert 2 < len(pages) < 12, len(pages)
        view.context.close()


@pytest.mark.parametrize(
    ("planted", "message"),
    [
        ("<script>throw Error('x')</script>", "console: x"),
        ('<img alt="x" src="nowhere.png">', "console: Failed to load resource"),
        ('<div style="width: 3000px">x</div>', "scrolls sideways: 3"),
        ('<div style="width: 60px; overflow: hidden; white-space: nowrap">much too long for it</div>', "clipped: div"),
        ('<svg width="9" height="9"></svg>', "has no name: svg"),
        ("<details><summary onclick='return false'>s</summary>x</details>", "does not open: details"),
        ('<p style="color: #999">x</p>', "hard to read: p x"),
        ('<svg aria-label="x" width="20" height="20"><text y="15">long</text></svg>', "text leaves its figure: text"),
        ('<svg aria-label="x" width="99" height="20"><text y="9" font-size="5">x</text></svg>', "too small to read: t"),
    ],
)
def test_a_planted_defect_is_found(browser: Any, tmp_path: Path, planted: str, message: str) -> None:
    page = tmp_path / "page.html"
    page.write_text(f'<!doctype html><link rel="icon" href="data:,"><body><p>fine</p>{planted}')
    planted_defects = defects(browser, page)
    assert any(defect.startswith(message) for defect in planted_defects), planted_defects
    page.write_text('<!doctype html><link rel="icon" href="data:,"><body><p>fine</p>')
    assert defects(browser, page) == []


def on_paper(browser: Any, page: Path) -> tuple[int, int, bool]:
    """How many folds a page has closed, how many tables and sources those hide in print, and whether it fits."""
    context = browser.new_context(viewport={"width": 720, "height": 1000}, offline=True)
    view = context.new_page()
    view.goto(page.as_uri())
    view.emulate_media(media="print")
    # What a fold hides is settled when a frame is drawn, and not before.
    view.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    hidden = view.evaluate(
        "() => [...document.querySelectorAll('details:not(.data) table, details pre')]"
        ".filter(e => !e.checkVisibility({contentVisibilityAuto: true}) || !e.getBoundingClientRect().height).length"
    )
    fits = view.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    folds = view.locator("details:not([open])").count()
    context.close()
    return folds, hidden, fits


def test_on_paper_every_fold_is_open_and_nothing_is_wider_than_the_page(browser: Any, run_folder: Path) -> None:
    folds, hidden, fits = on_paper(browser, run_folder / "report.html")
    assert folds > 0 and hidden == 0 and fits


def test_a_fold_that_stays_shut_on_paper_is_found(browser: Any, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text('<!doctype html><details><summary>s</summary><pre>x</pre></details><p style="width: 999px">x</p>')
    assert on_paper(browser, page) == (1, 1, False)
