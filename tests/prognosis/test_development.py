"""How a prognosis developed while the log grew."""

from __future__ import annotations

import nndoctor
from nndoctor.analysis.chance import meaningful
from nndoctor.core.run import Run
from nndoctor.prognosis.development import development
from nndoctor.prognosis.expect import estimates
from nndoctor.reporters import live
from nndoctor.reporters.page import Style

SLOW = Run.drawn(train_loss="1.392..1.18*40", validation_loss="1.395..1.19*40")


def test_the_last_probability_is_that_of_the_whole_log():
    """And the earlier ones are those of the log cut there."""
    now = [entry for entry in estimates(SLOW) if entry.change == "lr*10"]
    [change] = development(SLOW, now)
    assert change.steps == (9.0, 19.0, 29.0, 39.0)
    assert change.helps[-1] == now[0].helps
    half = {entry.change: entry.helps for entry in estimates(SLOW.until(19))}
    assert change.helps[1] == half["lr*10"]


def test_a_log_too_short_for_a_prognosis_has_none_yet():
    """A quarter of eight rows is two."""
    run = SLOW.until(7)
    [change] = development(run, [entry for entry in estimates(run) if entry.change == "lr*10"])
    assert change.helps[0] is None
    assert change.helps[-1] is not None


def test_a_run_cut_at_a_step_is_the_shorter_log():
    """Every series ends there, and what was measured of the whole run is not kept."""
    whole = meaningful(SLOW)
    assert whole.series["train/loss"].last < 1.2
    cut = whole.until(10)
    assert {len(series) for series in cut.series.values()} == {11}
    assert cut.series["train/loss"].last > 1.3


def test_the_live_view_shows_how_a_change_became_likely():
    """A column for each quarter of the run."""
    report = nndoctor.diagnose(SLOW)
    page = live.render([report], Style(80), height=60).splitlines()
    head = next(k for k, line in enumerate(page) if line.startswith("What would help"))
    assert page[head].split() == ["What", "would", "help", "step", "9", "19", "29", "39"]
    assert sum(cell.endswith("%") or cell == "–" for cell in page[head + 1].split()) == 4
