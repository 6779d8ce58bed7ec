"""Colours and markers: one for each kernel, by its place; and colours that can be read on both pages."""

from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest

from bench.report.style import (
    LADDER_STYLES,
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
    assert [style_of[name] for name in KERNELS] == list(LADDER_STYLES)


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
