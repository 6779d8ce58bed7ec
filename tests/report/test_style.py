"""Colours and markers: one for each kernel, by its place; and colours that can be read on both pages."""

import itertools
from dataclasses import replace
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

from bench.analysis import pairs
from bench.report.style import (
    CAST_STYLES,
    OWN_STYLES,
    SPARE_STYLES,
    contrast,
    in_dark,
    styles,
    text_color,
    text_on,
)
from bench.results import Run
from kernels import DESCENTS, KERNELS
from kernels.peers import PEERS
from tests.factories import cell, kernel_card, result
from tests.factories import run as made

KNOWN = (*KERNELS, *DESCENTS, *PEERS)


def with_kernels(*names: str, own: str | None = None) -> Run:
    """A run that measured these kernels, which may be the user's own."""
    return made([result(cell(10, 2), dict.fromkeys(names, 1.0))], {name: kernel_card(name, own=own) for name in names})


def test_every_kernel_has_a_style_of_its_own(run: Run) -> None:
    style_of = styles(run)
    assert set(style_of) == set(KNOWN)
    assert len(set(style_of.values())) == len({style.marker for style in style_of.values()}) == len(style_of)
    assert [style_of[name] for name in pairs.cast()] == list(CAST_STYLES)


def test_no_palette_shares_a_style_with_another(run: Run) -> None:
    palettes = [set(styles(run).values()), set(OWN_STYLES), set(SPARE_STYLES)]
    assert len(set.union(*palettes)) == sum(len(palette) for palette in palettes)
    assert len(OWN_STYLES) == 12 and len({style.color for style in OWN_STYLES[:6]}) == 6


def test_own_kernels_and_unknown_ones_have_styles_too() -> None:
    owned = styles(with_kernels("mine", "also_mine", own="a file"))
    assert [owned[name] for name in ("mine", "also_mine")] == list(OWN_STYLES[:2])
    unknown = styles(with_kernels("of_another_version"))
    assert unknown["of_another_version"] == SPARE_STYLES[0]
    assert len(set(styles(with_kernels(*(f"mine_{k}" for k in range(14)), own="a file")).values())) == len(KNOWN) + 14


def test_a_new_rung_gets_a_spare_style_and_the_others_keep_theirs(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    before = styles(run)
    new = {"a_new_rung": replace(KERNELS["numba_fused"], name="a_new_rung")}
    monkeypatch.setattr("bench.report.style.KERNELS", {**KERNELS, **new})
    assert styles(run) == {**before, "a_new_rung": SPARE_STYLES[0]}


def test_contrast_and_the_colours_of_names(run: Run) -> None:
    assert contrast((0, 0, 0), (1, 1, 1)) == pytest.approx(21.0)
    assert contrast((1, 1, 1), (1, 1, 1)) == 1.0
    # WCAG's own example of a grey that just passes: #767676.
    assert contrast([0x76 / 255] * 3, (1, 1, 1)) == pytest.approx(4.54, abs=0.01)
    assert all(contrast(text_color(style), (1, 1, 1)) >= 4.5 for style in (*styles(run).values(), *SPARE_STYLES))


def test_what_the_dark_page_makes_of_colours(run: Run) -> None:
    assert in_dark((1, 1, 1)) == pytest.approx([0.08] * 3) and in_dark((0, 0, 0)) == pytest.approx([0.92] * 3)
    assert all(contrast(in_dark(text_color(style)), in_dark((1, 1, 1))) >= 3.0 for style in styles(run).values())


def test_cells_of_a_map_can_be_read_on_both_pages(run: Run) -> None:
    assert (text_on((1, 1, 1)), text_on((0, 0, 0))) == ("black", "white")
    shades = [mpl.colormaps["PuOr"](k / 60) for k in range(61)]
    for rgb in (*shades, *(mpl.colors.to_rgb(style.color) for style in styles(run).values())):
        text = np.ones(3) if text_on(rgb) == "white" else np.zeros(3)
        assert min(contrast(rgb, text), contrast(in_dark(rgb), in_dark(text))) >= 3.0


# What a reader with no L cones (protanopia) or no M cones (deuteranopia) sees of linear red, green and blue: Machado,
# Oliveira and Fernandes, IEEE Trans. Visualization and Computer Graphics 15 (6), 2009, severity 1.
SEEN = {
    "all cones": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}
APART = 15.0  # of CIELAB's Delta E; 2.3 is what an attentive eye can just tell


def lab(linear: Any) -> Any:
    """CIELAB of linear sRGB."""
    to_xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    )
    t = to_xyz @ np.clip(linear, 0, 1) / np.array([0.95047, 1.0, 1.08883])
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(one: Any, other: Any, sight: str) -> float:
    """How far apart two colours look."""

    def seen(rgb: Any) -> Any:
        parts = np.asarray(rgb, dtype=float)
        return lab(SEEN[sight] @ np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4))

    return float(np.linalg.norm(seen(one) - seen(other)))


@pytest.mark.parametrize("sight", SEEN)
@pytest.mark.parametrize("dark", [False, True])
def test_the_kernels_of_the_story_stay_apart_for_every_reader(sight: str, dark: bool) -> None:
    colors = [np.array(mpl.colors.to_rgb(style.color)) for style in CAST_STYLES]
    shown = [in_dark(rgb) if dark else rgb for rgb in colors]
    assert min(distance(one, other, sight) for one, other in itertools.combinations(shown, 2)) > APART
    assert len({style.marker for style in CAST_STYLES}) == len(CAST_STYLES) == 6


def test_red_and_green_would_be_found_too_close() -> None:
    red, green = (0.7, 0.4, 0.1), (0.42, 0.5, 0.1)
    assert distance(red, green, "all cones") > APART > distance(red, green, "deuteranopia")
    assert lab(np.ones(3)) == pytest.approx([100, 0, 0], abs=0.01)


def test_every_line_can_be_seen_on_both_pages(run: Run) -> None:
    paper = np.ones(3)
    for style in (*styles(run).values(), *OWN_STYLES, *SPARE_STYLES):
        rgb = np.array(mpl.colors.to_rgb(style.color))
        assert contrast(rgb, paper) >= 3.0 and contrast(in_dark(rgb), in_dark(paper)) >= 3.0, style
