"""The explorer as a piece of the page: the chart, and the libraries that draw it, inlined."""

import json
from functools import cache

import vl_convert

from bench.report.explorer.chart import chart
from bench.report.explorer.rows import rows_of
from bench.results import Run

START = """
(() => {
  const place = document.getElementById("explorer-chart");
  const spec = JSON.parse(document.getElementById("explorer-spec").textContent);
  const draw = () => {
    const room = place.parentElement.clientWidth, names = room < 600 ? 120 : 175;
    spec.vconcat[0].width = Math.max(140, room - 90 - names);
    spec.vconcat[1].width = Math.max(140, room - 150 - names);
    return vegaEmbed(place, spec, {renderer: "svg", actions: false, bind: "#explorer-controls"}).then(() => {
      const svg = place.querySelector("svg");
      svg.setAttribute("role", "img");
      svg.setAttribute("aria-label", "Time against m by the cost model, and every kernel at the chosen size.");
      for (const e of svg.querySelectorAll("[role], [aria-label], [aria-roledescription]"))
        for (const name of ["role", "aria-label", "aria-roledescription"]) e.removeAttribute(name);
      document.getElementById("figure-explorer").hidden = true;
    });
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", draw); else draw();
})();
"""


@cache
def libraries() -> str:
    """Vega, Vega-Lite and Vega-Embed, as one script; nothing in it ends a script element."""
    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;").replace("</script", "<\\/script")


def script(run: Run) -> str:
    """The elements of the explorer; "" where no kernel of the run has a cost model."""
    rows = rows_of(run)
    if rows is None:
        return ""
    spec = json.dumps(chart(rows), ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    return (
        '<div id="explorer-controls" role="group" aria-label="Size, setting and kernels"></div>\n'
        '<div class="pan" id="explorer-chart"></div>\n'
        f'<script type="application/json" id="explorer-spec">{spec}</script>\n'
        f"<script>{libraries()}</script>\n<script>{START}</script>"
    )
