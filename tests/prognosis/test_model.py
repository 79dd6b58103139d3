"""The shipped model: small, quick, the same for one run and for many, and honest about what it does not know."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nndoctor.analysis.measurements import NAMES, vector
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.diagnosis.catalogue import RULES
from nndoctor.diagnosis.engine import diagnose
from nndoctor.prognosis.changes import BY_NAME, CHANGES
from nndoctor.prognosis.expect import explained_estimates
from nndoctor.prognosis.model import FILE, load
from nndoctor.prognosis.outlook import Outlook, outlook

SLOW = Run.drawn(train_loss="1.392..1.18*20", validation_loss="1.395..1.19*20")
SETTLED = Run.drawn(
    train_loss="2.3 1.4 0.9 0.7 0.6 0.55 0.53 0.52 0.515 0.512 0.511 0.51",
    validation_loss="2.1 1.3 0.9 0.72 0.62 0.57 0.55 0.54 0.535 0.532 0.531 0.53",
)
UNSETTLED = Run.drawn(
    train_loss="2.3 0.9 0.6 1.1 0.7 1.2 0.8 0.5 1.0 0.9 1.3 0.8",
    validation_loss="1.6 0.8 0.9 1.3 0.6 1.1 1.0 0.6 1.2 0.7 1.1 0.9",
)


def helps(run: Run) -> dict[str, float]:
    """The probability of each change."""
    return {entry.change: entry.helps for entry in explained_estimates(run)}


def test_the_model_is_one_small_file():
    """At most a megabyte, without pickled objects."""
    assert FILE.stat().st_size <= 1_000_000
    with np.load(FILE, allow_pickle=False) as held:
        assert all(held[name].dtype != object for name in held.files)


def test_the_model_knows_the_measurements_that_are_made():
    """A measurement that is added or renamed asks for a new training."""
    assert load().names == NAMES


@pytest.mark.parametrize(
    ("loss", "every", "known"),
    [("4.2..1.6*60", 10, True), ("4.2..1.6*60", 100, False), ("4.2..1.6*60", 0.2, False), ("8.1..3.2*60", 10, False)],
    ids=["as-retrained", "longer", "a-few-steps", "a-vocabulary"],
)
def test_a_run_of_another_size_than_any_that_was_retrained_gets_no_prognosis(loss, every, known):
    """The loss of a language model falls like a power of the steps, as only too low a rate does in small networks; a few batches only scatter."""
    drawn = Run.drawn(train_loss=loss).series["train/loss"].y
    steps = every * np.arange(60.0)
    curves = {"train/loss": drawn, "lr": np.full(60, 6e-4)}
    run = Run({name: Series.of(name, y, steps) for name, y in curves.items()}, {})
    seen = outlook(run)
    assert isinstance(seen, Outlook) if known else str(seen).startswith("no comparable runs: ")


def test_a_run_is_scored_alike_alone_and_among_others():
    """Integers are compared and added: no order of work changes a bit."""
    model = load()
    rows = np.array([vector(run) for run in (SLOW, SETTLED, UNSETTLED)] * 100)
    together = model.scores(model.binned(rows))
    for k in (0, 1, 2):
        assert (model.scores(model.binned(rows[k : k + 1]))[0] == together[k]).all()


def test_only_numpy_is_loaded():
    """What trains the model is not needed to use it."""
    code = "import sys, nndoctor.prognosis.expect; print(*{name.split('.')[0] for name in sys.modules})"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert not {"sklearn", "scipy", "pandas", "torch"} & set(done.stdout.split())


def test_a_straight_slow_fall_asks_for_larger_steps():
    """A higher rate or more steps help, a lower rate does not."""
    found = helps(SLOW)
    assert found["lr*10"] > 0.5 > found["lr/10"]


def test_losses_that_keep_jumping_together_ask_for_smaller_steps():
    """A lower rate is likelier to help than a higher one."""
    found = helps(UNSETTLED)
    assert found["lr/10"] > found["lr*10"]


def test_a_settled_run_needs_neither():
    """No change of the rate, and no more steps."""
    found = helps(SETTLED)
    assert max(found["lr*10"], found["lr/10"], found["steps*4"]) < 0.35


def test_probabilities_and_gains_are_in_order():
    """A probability lies between 0 and 1, and the middle of a gain in its range."""
    for run in (SLOW, SETTLED, UNSETTLED):
        for entry in explained_estimates(run):
            assert 0 <= entry.helps <= 1
            assert entry.gain_low <= entry.gain <= entry.gain_high


def test_the_most_promising_changes_are_explained():
    """With measurements in words, and with how the most similar runs turned out."""
    best = max(explained_estimates(SLOW), key=lambda entry: entry.helps * entry.gain)
    assert 2 <= len(best.because) <= 3
    assert "similar runs" in best.because[-1].says
    assert any("training loss" in reason.says or "validation loss" in reason.says for reason in best.because)


@pytest.mark.parametrize("workload", ["gan", "reinforcement-learning", "diffusion"])
def test_other_kinds_of_training_get_no_prognosis(workload):
    """The retrained networks say nothing of them."""
    assert explained_estimates(Run.drawn({"workload": workload}, train_loss="1.392..1.18*20")) == ()


def test_three_values_get_no_prognosis():
    """A curve needs a shape."""
    assert isinstance(outlook(Run.drawn(train_loss="2.3 2.0 1.8")), str)


def test_a_run_unlike_all_others_gets_no_prognosis():
    """Measurements far outside what was trained on."""
    model = load()
    odd = vector(SLOW).copy()
    odd[:] = 1e9
    from nndoctor.prognosis.scope import out_of_range_counts

    assert out_of_range_counts(odd[None], model)[0] > int(model.extra["most_beyond"])


def test_the_report_holds_the_prognosis_and_the_measurements():
    """Every change that applies, and every measurement by name."""
    report = diagnose(SLOW, RULES)
    assert {entry.change for entry in report.prognosis} <= {change.name for change in CHANGES}
    assert set(report.measurements) == set(NAMES)


def test_the_first_row_of_a_log_hardly_matters():
    """A log that starts a row later gets about the same probabilities."""
    later = Run({name: s.with_points(s.x[1:], s.y[1:]) for name, s in SLOW.series.items()})
    first, second = helps(SLOW), helps(later)
    assert max(abs(first[name] - second[name]) for name in ("lr*10", "lr/10")) < 0.35


def test_findings_keep_their_limit():
    """A finding is reported exactly where its score reaches the limit."""
    seen = outlook(SLOW)
    assert isinstance(seen, Outlook)
    k = seen.model.heads.index("finding:lr-too-low")
    over = seen.scores[k] >= seen.model.extra["limit"][k]
    assert (seen.found("lr-too-low") is not None) == over


def test_remedies_of_a_gap_come_in_the_order_of_the_prognosis():
    """What the prognosis calls unlikely to help is not what to try first."""
    run = Run.drawn(
        train_loss="0.92 0.65 0.6 0.55 0.45 0.36 0.32 0.28 0.2..0.05*12",
        validation_loss="0.9 0.72 0.66 0.63 0.62 0.61 0.62 0.63 0.64..0.75*12",
    )
    finding = next(f for f in diagnose(run, RULES).findings if f.name == "high-variance")
    chance = {name: entry.helps for entry in explained_estimates(run) for name in BY_NAME[entry.change].remedies}
    order = [chance[remedy.name] for remedy in finding.remedies if remedy.name in chance]
    assert order == sorted(order, reverse=True)
    assert order[0] > order[-1]
