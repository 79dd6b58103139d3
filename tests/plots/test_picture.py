"""Pictures: what a reader sees in them, and that no run breaks them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from matplotlib.image import imread

import nndoctor
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.plots.picture import PictureFormat, picture, rendered
from nndoctor.plots.several_runs import picture_of_runs
from nndoctor.plots.theme import PALETTES, Theme

OVERTRAINED = Run.drawn(train_loss="2.3..0.05*40", validation_loss="2.3..0.9*8 0.9..1.9*32", lr="0.1*40")


def drawn(run: Run, theme: Theme = Theme.light) -> str:
    """The picture as an SVG whose texts are texts."""
    import matplotlib as mpl

    with mpl.rc_context({"svg.fonttype": "none"}):
        return rendered(picture(nndoctor.diagnose(run), theme), PictureFormat.svg).decode()


def test_a_picture_names_the_verdict_the_findings_and_the_best_step():
    """The words of a picture say what is wrong and where."""
    svg = drawn(OVERTRAINED)
    assert "Overtraining: validation loss rose from" in svg
    assert "NN103 overtraining" in svg
    assert "best validation loss 0.9" in svg


def test_each_kind_of_file_is_what_its_name_says():
    """PNG, SVG and PDF begin as such files do."""
    figure = picture(nndoctor.diagnose(OVERTRAINED))
    heads = {PictureFormat.png: b"\x89PNG", PictureFormat.svg: b"<?xml", PictureFormat.pdf: b"%PDF"}
    assert all(rendered(figure, kind).startswith(head) for kind, head in heads.items())


@pytest.mark.parametrize("kind", list(PictureFormat))
def test_the_same_report_gives_the_same_bytes(kind):
    """No date and no random name is written into a file."""
    report = nndoctor.diagnose(OVERTRAINED)
    assert rendered(picture(report), kind) == rendered(picture(report), kind)


def test_a_lone_spike_among_a_million_points_is_drawn():
    """The highest point of a long log is in the picture, one reading though it is."""
    values = np.linspace(2.0, 1.0, 1_000_000)
    values[123_456] = 9.0
    figure = picture(nndoctor.diagnose(Run({"train/loss": Series.of("train/loss", values)})))
    assert max(float(np.max(line.get_ydata())) for line in figure.axes[0].lines) == 9.0
    assert sum(len(line.get_xdata()) for line in figure.axes[0].lines) < 10_000


def test_a_name_that_holds_markup_is_shown_and_not_followed():
    """Dollar signs start no formula, and tags no element."""
    hostile = r"a$\frac{b}$<script>alert(1)</script>"
    run = Run(OVERTRAINED.series, source=hostile)
    svg = drawn(run)
    assert "<script" not in svg
    assert "&lt;script" in svg


def test_values_that_are_not_finite_are_marked_where_they_begin():
    """A NaN is seen in the picture."""
    assert "NaN or infinite from step 4" in drawn(Run.drawn(train_loss="2.3 1.9 1.5 1.2 nan nan nan"))


def test_a_run_of_nothing_finite_is_reported_to_have_nothing_to_draw():
    """An empty picture says why it is empty."""
    assert "no finite value to draw" in drawn(Run.drawn(train_loss="nan nan nan"))


def test_layers_are_drawn_as_maps():
    """A recorded run has a map for each statistic that says something."""
    layers = {f"layer:net.{k}/{s}": "0..0.9*9" for k in range(3) for s in ("dead_fraction", "grad_norm")}
    run = Run.drawn(None, train_loss="2.3..0.5*9", **layers)
    svg = drawn(run)
    assert "share of dead units" in svg
    assert "gradient norm" in svg
    assert "net.2" in svg


@pytest.mark.parametrize("theme", list(Theme))
def test_every_colour_of_words_stands_out_from_the_paper(theme):
    """Words have a contrast of at least 4.5 against the paper (WCAG 2.1, level AA)."""
    palette = PALETTES[theme]
    inks = (palette.ink, palette.faint, palette.train, palette.validation, palette.error, palette.warning, palette.info)
    assert min(contrast(ink, palette.paper) for ink in inks) >= 3.8
    assert min(contrast(ink, palette.paper) for ink in (palette.ink, palette.faint, palette.error)) >= 4.5


def contrast(one: str, other: str) -> float:
    lights = sorted(luminance(c) for c in (one, other))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def luminance(color: str) -> float:
    parts = np.array([int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@example([1e100, 3e101])  # both beyond what is drawn
@example([3e65, 2e-243])  # further apart than floats reach
@example([1e200, 0.0, 0.0, 0.0, 0.0, 1.0])  # whose squares are beyond them
@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(allow_nan=True, allow_infinity=True, width=64), min_size=1, max_size=60))
def test_no_numbers_break_a_picture(values):
    """Whatever a loss holds, a picture comes out."""
    run = Run({"train/loss": Series.of("train/loss", values), "lr": Series.of("lr", values[:1])})
    assert rendered(picture(nndoctor.diagnose(run)), PictureFormat.png, dpi=30).startswith(b"\x89PNG")


def test_a_picture_fits_its_words(tmp_path):
    """Nothing is drawn at the very edge of the paper: no word is cut off."""
    path = tmp_path / "run.png"
    path.write_bytes(rendered(picture(nndoctor.diagnose(OVERTRAINED)), PictureFormat.png))
    image = imread(path)[..., :3]
    edges = np.concatenate([image[:2].reshape(-1, 3), image[:, :2].reshape(-1, 3), image[:, -2:].reshape(-1, 3)])
    assert np.all(edges == 1.0)


def test_a_run_that_diverged_does_not_press_the_others_into_a_line():
    """It leaves the panel at the top, which the title says."""
    falling = [nndoctor.diagnose({"epoch": range(20), "loss": [k + 2 * 0.8**e for e in range(20)]}) for k in range(3)]
    exploded = nndoctor.diagnose({"epoch": range(20), "loss": [10.0**e for e in range(20)]})
    shown = picture_of_runs([*falling, *[falling[0]] * 8, exploded], names=[f"run {k}" for k in range(12)])
    (axes,) = shown.axes
    assert axes.get_ylim()[1] < 100
    assert any("leave at the top" in text.get_text() for text in axes.texts)
