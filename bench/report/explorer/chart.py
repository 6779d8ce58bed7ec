"""The chart: time against m at one n_x, and all kernels at one size, in Vega-Lite."""

from collections.abc import Sequence
from typing import Any

import altair as alt

from bench.analysis import pairs
from bench.analysis.costmodel import VECTORS
from bench.report.explorer.rows import Rows
from bench.results import VECTORIZED

COSTS, CELLS = "costs", "cells"
WIDTH = 640  # pixels; a script fits it to the screen
SECONDS = (
    "({0} < 1e-6 ? format({0} * 1e9, '.3~r') + ' ns' : {0} < 1e-3 ? format({0} * 1e6, '.3~r') + ' µs' : "
    "{0} < 1 ? format({0} * 1e3, '.3~r') + ' ms' : format({0}, '.3~r') + ' s')"
)
SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "triangle-right")
STARTS = ["compiled already", "code cached on disk", "cold"]


def chart(rows: Rows) -> dict[str, Any]:
    """The Vega-Lite specification."""
    bars = _at_one_size(rows)
    curves = _against_m(rows)
    both = (
        alt.vconcat(curves, bars, spacing=28)
        .add_params(*_controls(rows))
        .resolve_scale(color="shared")
        .configure_view(stroke=None)
        .configure_axis(gridColor="#e4e4e4", domainColor="#555555", labelFontSize=11, titleFontSize=12)
        .configure_title(anchor="start", fontSize=13)
    )
    spec: dict[str, Any] = both.to_dict()
    return spec | {"datasets": {COSTS: rows.costs, CELLS: rows.cells}}


# What a reader can set


def flag(kernel: str) -> str:
    """The name of the parameter that shows a kernel."""
    return f"show_{kernel}"


def _controls(rows: Rows) -> list[Any]:
    """Sliders, choices and a box for each kernel; each has a label."""

    def nearest(values: Sequence[int], to: int) -> int:
        return min(range(len(values)), key=lambda k: abs(values[k] - to))

    def choice(name: str, label: str, options: Sequence[Any]) -> Any:
        return alt.param(name=name, value=options[0], bind=alt.binding_select(options=list(options), name=f"{label} "))

    def slider(name: str, label: str, most: float, value: float, step: float = 1.0) -> Any:
        return alt.param(name=name, value=value, bind=alt.binding_range(min=0, max=most, step=step, name=f"{label} "))

    story = pairs.cast()
    distinct = {
        axis: list(dict.fromkeys(getattr(s, axis) for s in rows.settings)) for axis in ("threads", "order", "dtype")
    }
    return [
        slider("at_m", "m", len(rows.ms) - 1, nearest(rows.ms, 1_000)),
        slider("at_n_x", "n_x", len(rows.n_xs) - 1, nearest(rows.n_xs, 32)),
        choice("threads", "threads", distinct["threads"]),
        choice("order", "order", distinct["order"]),
        choice("dtype", "dtype", distinct["dtype"]),
        choice("scale", "scale", ["log", "linear"]),
        slider("log_calls", "calls", 7, 0, 0.5),
        choice("start", "the first call is", STARTS),
        *(alt.param(name=flag(k), value=k in story, bind=alt.binding_checkbox(name=f"{k} ")) for k in rows.kernels),
        alt.param(name="m", expr=f"{rows.ms}[at_m]"),
        alt.param(name="n_x", expr=f"{rows.n_xs}[at_n_x]"),
        alt.param(name="calls", expr="ceil(pow(10, log_calls))"),
        alt.param(name="log", expr="scale == 'log'"),
    ]


def _chosen(rows: Rows) -> str:
    shown = " || ".join(f"(datum.kernel == '{kernel}' && {flag(kernel)})" for kernel in rows.kernels)
    return f"datum.threads == threads && datum.order == order && datum.dtype == dtype && ({shown})"


def _model(source: Any, m: str) -> Any:
    """Seconds by the cost model, and the ends of their interval, at these m."""
    nbytes = f"datum.bytes * {m} * (n_x + {VECTORS})"
    level = f"(({nbytes} > datum.cut0) + ({nbytes} > datum.cut1))"

    def cost(name: str) -> str:
        return f"({level} == 0 ? datum.{name}0 : {level} == 1 ? datum.{name}1 : datum.{name}2)"

    return source.transform_calculate(
        t=f"datum.call + {cost('example')} * {m} + {cost('element')} * {m} * n_x",
    ).transform_calculate(
        low=f"datum.t / exp({nbytes} > datum.near ? datum.spread_far : datum.spread_near)",
        high=f"datum.t * exp({nbytes} > datum.near ? datum.spread_far : datum.spread_near)",
    )


def _color(rows: Rows) -> Any:
    scale = alt.Scale(domain=rows.kernels, range=rows.colors)
    return alt.Color("kernel:N", scale=scale, legend=None)


def _shape(rows: Rows) -> Any:
    shapes = [SHAPES[k % len(SHAPES)] for k in range(len(rows.kernels))]
    return alt.Shape("kernel:N", scale=alt.Scale(domain=rows.kernels, range=shapes), legend=None)


def _scaled(field: str) -> str:
    return f"log ? log(datum.{field}) / LN10 : datum.{field}"


def _time_axis(title: str) -> Any:
    return alt.Axis(
        title=title,
        labelExpr=SECONDS.format("(log ? pow(10, datum.value) : datum.value)"),
        tickCount=6,
        tickMinStep=alt.ExprRef("log ? 1 : 0"),
    )


def _words(**fields: str) -> dict[str, str]:
    return {name: SECONDS.format(f"datum.{field}") for name, field in fields.items()}


# Time against m


def _against_m(rows: Rows) -> Any:
    """Lines by the cost model, points where cells were measured, a name at the end of each line."""
    low, high = f"log({rows.ms[0]})", f"log({rows.ms[-1]})"
    grid = f"sequence({low}, {high} + 0.01, ({high} - {low}) / 60)"
    model = alt.Chart(alt.NamedData(COSTS)).transform_filter(_chosen(rows))
    model = model.transform_calculate(log_m=grid).transform_flatten(["log_m"]).transform_calculate(m="exp(datum.log_m)")
    model = _model(model, "datum.m").transform_calculate(x=_scaled("m"), y=_scaled("t"))
    words = "format(log ? pow(10, datum.value) : datum.value, '~s')"
    axis = alt.Axis(title="m, examples", labelExpr=words, tickMinStep=alt.ExprRef("log ? 1 : 0"))
    x = alt.X("x:Q", axis=axis)
    x = x.scale(zero=False, nice=False)
    y = alt.Y("y:Q", axis=_time_axis("time of a step")).scale(zero=False)
    lines = model.mark_line(strokeWidth=2).encode(x=x, y=y, color=_color(rows), detail="kernel:N")
    # Names where the lines end, each at least a line above the next lower one.
    ends = (
        model.transform_joinaggregate(lowest="min(y)", highest="max(y)")
        .transform_filter(f"datum.log_m > {high} - 0.02")
        .transform_window(rank="row_number()", sort=[alt.SortField("y")])
        .transform_calculate(gap="(datum.highest - datum.lowest) * 0.045")
        .transform_calculate(above="datum.y - datum.gap * datum.rank")
        .transform_window(most="max(above)", sort=[alt.SortField("y")], frame=[None, 0])
        .transform_calculate(y="datum.most + datum.gap * datum.rank")
        .mark_text(align="left", dx=6, fontSize=11, fontWeight="bold")
        .encode(x=x, y=y, text="kernel:N", color=_color(rows))
    )
    measured = alt.Chart(alt.NamedData(CELLS)).transform_filter(f"{_chosen(rows)} && datum.n_x == n_x")
    measured = measured.transform_calculate(x=_scaled("m"), y=_scaled("t"), **_words(time="t", from_="low", to="high"))
    points = measured.mark_point(filled=True, size=55, opacity=1).encode(
        x=x,
        y=y,
        color=_color(rows),
        shape=_shape(rows),
        tooltip=[
            "kernel:N",
            alt.Tooltip("m:Q", format=","),
            "n_x:Q",
            "time:N",
            alt.Tooltip("from_:N", title="from"),
            "to:N",
        ],
    )
    here = alt.Chart(alt.Data(values=[{}])).transform_calculate(x="log ? log(m) / LN10 : m")
    rule = here.mark_rule(strokeDash=[4, 3], color="#777777").encode(x="x:Q")
    title = alt.TitleParams(text=alt.ExprRef("'Time of a step at n_x = ' + format(n_x, ',')"))
    title.subtitle = "lines: the cost model; points: measured cells"
    return alt.layer(rule, lines, points, ends).properties(width=WIDTH, height=300, title=title)


# All kernels at one size


def _at_one_size(rows: Rows) -> Any:
    """A bar for each kernel, the winner and what ties with it, and after how many calls compiling has paid off."""
    start = f"(start == '{STARTS[2]}' ? datum.cold : start == '{STARTS[1]}' ? datum.cached : 0)"
    model = _model(alt.Chart(alt.NamedData(COSTS)).transform_filter(_chosen(rows)), "m")
    model = (
        model.transform_calculate(begin=start, numpy=f"datum.kernel == '{VECTORIZED}' ? datum.t : null")
        .transform_calculate(
            total="datum.begin + calls * datum.t",
            least="datum.begin + calls * datum.low",
            most="datum.begin + calls * datum.high",
        )
        .transform_joinaggregate(first="min(total)", bound="min(most)", baseline="max(numpy)")
        .transform_calculate(
            verdict=(
                "datum.total <= datum.first ? 'fastest' : datum.least <= datum.bound ? 'may tie' : "
                "format(datum.total / datum.first, ',.2~r') + '× slower'"
            ),
            pays="datum.cold > 0 && datum.t < datum.baseline ? ceil(datum.cold / (datum.baseline - datum.t)) : null",
        )
        .transform_calculate(
            label=(
                f"{SECONDS.format('datum.total')} + ', ' + datum.verdict + "
                "(isValid(datum.pays) ? ', pays off after ' + format(datum.pays, '.2~s') + ' calls' : '')"
            ),
            x=_scaled("total"),
            x0=_scaled("least"),
            x1=_scaled("most"),
            xb=_scaled("bound"),
            base="log ? log(datum.first) / LN10 - 0.5 : 0",
            **_words(time="total", from_="least", to="most"),
        )
    )
    y = alt.Y("kernel:N", sort=alt.SortField("total"), axis=alt.Axis(title=None, labelLimit=180, ticks=False))
    x = alt.X("x:Q", axis=_time_axis("time of all calls")).scale(zero=False)
    tooltip = ["kernel:N", "time:N", alt.Tooltip("from_:N", title="from"), "to:N", "verdict:N"]
    bars = model.mark_bar(height=12).encode(y=y, x=x, x2="base:Q", color=_color(rows), tooltip=tooltip)
    errors = model.mark_rule(color="#333333").encode(y=y, x="x0:Q", x2="x1:Q")
    band = model.mark_rule(strokeDash=[3, 3], color="#777777").encode(x="xb:Q")
    labels = model.mark_text(align="left", dx=8, fontSize=11).encode(y=y, x="x1:Q", text="label:N")
    text = "'At m = ' + format(m, ',') + ', n_x = ' + format(n_x, ',') + ': '"
    text += " + format(calls, ',') + (calls == 1 ? ' call' : ' calls')"
    title = alt.TitleParams(text=alt.ExprRef(text))
    title.subtitle = [
        "est., with 95% prediction intervals",
        "left of the dashed line: the fastest, and what may tie with it",
    ]
    return alt.layer(bars, errors, band, labels).properties(width=WIDTH, height=alt.Step(22), title=title)
