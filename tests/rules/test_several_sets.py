"""Evaluations on several sets of which one gets worse while another improves."""

from __future__ import annotations

import pytest

import nndoctor

STEPS = range(0, 90, 10)


def history(old, new, *, accuracy=True):
    """The history of a Hugging Face trainer that evaluates two sets, the one after the other."""
    rows = []
    for k, step in enumerate(STEPS):
        if step:
            rows.append({"step": step, "epoch": step / 40, "loss": 3.0 * 0.75**k + 0.1, "learning_rate": 1e-4})
        for name, losses in (("old", old), ("new", new)):
            row = {"step": step, "epoch": step / 40, f"eval_{name}_loss": losses[k]}
            if accuracy:
                row[f"eval_{name}_accuracy"] = 1 / (1 + losses[k])
            rows.append(row)
    return rows


FORGETS = [0.05, 0.4, 0.9, 1.4, 1.8, 2.1, 2.3, 2.4, 2.5]
LEARNS = [4.0, 2.5, 1.6, 1.0, 0.7, 0.5, 0.4, 0.35, 0.3]


@pytest.mark.parametrize("accuracy", [True, False])
def test_a_set_that_is_forgotten_is_named_with_its_own_numbers(accuracy):
    report = nndoctor.diagnose(history(FORGETS, LEARNS, accuracy=accuracy), isolated=True)
    finding = report.findings[0]
    assert finding.name == "forgetting"
    assert "eval_old_loss rose from 0.05 to 2.5" in finding.message
    assert "eval_new_loss went from 4 to 0.3" in finding.message
    assert report.run.series["validation/loss"].values.tolist() == LEARNS
    assert not {"overtraining", "high-variance"} & {f.name for f in report.findings}


def test_sets_that_go_the_same_way_are_averaged():
    (run,) = nndoctor.read(history([loss + 1 for loss in LEARNS], LEARNS))
    assert run.series["validation/loss"].values[-1] == pytest.approx(0.8)
    assert not any(name.startswith("set:") for name in run.series)


def test_sets_that_are_both_overfitted_are_averaged():
    rises = [2.0, 1.0, 0.9, 1.2, 1.6, 2.0, 2.4, 2.8, 3.2]
    report = nndoctor.diagnose(history(rises, rises), isolated=True)
    assert "forgetting" not in {f.name for f in report.findings}
