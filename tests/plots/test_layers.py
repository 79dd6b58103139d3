"""The map of a finding's layers: shaded cells, the worst layer marked, many layers folded, without colour or braille."""

from __future__ import annotations

import numpy as np
import pytest

from nndoctor.core.finding import Finding, Location, Severity
from nndoctor.core.run import Run
from nndoctor.diagnosis.catalogue import RULES
from nndoctor.diagnosis.engine import diagnose
from nndoctor.plots.curves import PlotSize
from nndoctor.plots.layers import MAX_ROWS, draw


def finding(layer: str, statistic: str) -> Finding:
    """A finding on one statistic of one layer."""
    where = Location(layer=layer)
    series = f"layer:{layer}/{statistic}"
    return Finding("NN401", "dead-relu", Severity.WARNING, 0.9, "", {}, where, (), (), series)


def plain(lines: list[list[tuple[str, str]]]) -> list[str]:
    """The lines without their styles."""
    return ["".join(text for text, _ in line) for line in lines]


def deep(count: int) -> Run:
    """Layers of which only the one at 7 is dead."""
    return Run.drawn(layers={f"fc{k}/dead_fraction": "0 0.5 1 1" if k == 7 else "0*4" for k in range(count)})


def test_the_worst_layer_is_dark_and_marked():
    """The dead layer's row darkens from the left to the right, and an arrow points at it."""
    rows = plain(draw(deep(9), finding("fc7", "dead_fraction"), PlotSize(74)))
    row = next(r for r in rows if "fc7" in r)
    assert row.endswith("<")
    assert row.count("█") > row.count("▒") > 0
    assert all("█" not in r for r in rows if r is not row)


@pytest.mark.parametrize("count", [MAX_ROWS + 1, 40, 400])
def test_many_layers_are_folded_and_the_worst_kept(count):
    """A deep network fits on the page; what is left out is counted, and nothing is lost."""
    rows = plain(draw(deep(count), finding("fc7", "dead_fraction"), PlotSize(74)))
    shown = [r for r in rows if "│" in r]
    folded = sum(int(r.split("more")[0].split()[-1]) for r in rows if "more layers" in r)
    assert len(shown) <= MAX_ROWS
    assert len(shown) + folded == count
    assert any("fc7 " in r and "█" in r for r in shown)


@pytest.mark.parametrize("width", [40, 74, 134])
def test_no_line_is_wider_than_the_paper(width):
    """Long names give way; braille or not."""
    name = "backbone.stage3.blocks.11.mlp.activation"
    run = Run.drawn(layers={f"{name}{k}/dead_fraction": "0..1*90" for k in range(5)})
    for drawing in (True, False):
        rows = plain(draw(run, finding(f"{name}2", "dead_fraction"), PlotSize(width, drawing=drawing)))
        assert rows
        assert max(map(len, rows)) <= width
        assert drawing or all(r.isascii() for r in rows)


def test_what_is_not_finite_has_a_mark_of_its_own():
    """An infinite gradient is no dark cell but a cross; what was not measured is blank."""
    run = Run.drawn(layers={"a/grad_norm": "1 inf inf", "b/grad_norm": "1 0.1 0.01"})
    rows = plain(draw(run, finding("a", "grad_norm"), PlotSize(74)))
    assert "×" in next(r for r in rows if " a " in r)


def test_every_rule_on_layers_that_warns_can_be_drawn():
    """The drawn examples of families 4 and 5 never fail to draw, at any width."""
    for rule in (r for r in RULES if r.code[2] in "45"):
        for run in rule.sick:
            for found in diagnose(run, [rule]).findings:
                for width in (10, 80):
                    assert all(len(r) <= max(width, 10) for r in plain(draw(run, found, PlotSize(width))))


def test_a_finding_on_a_curve_has_no_map():
    """Only what names a layer is drawn."""
    run = deep(3)
    curve = Finding("NN301", "x", Severity.ERROR, 0.9, "", {}, Location(), (), (), "train/loss")
    assert draw(run, curve, PlotSize(74)) == []
    assert np.isfinite(run.layer("fc0", "dead_fraction").y).all()
