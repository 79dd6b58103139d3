"""Columns that frameworks log with every run, and the rule of dashes below a header: nothing of it is unrecognized."""

from __future__ import annotations

import pytest

import nndoctor
from nndoctor.readers.vocabulary.names import meaning_of
from nndoctor.readers.vocabulary.translations import translated

SKORCH = """  epoch    train_loss    valid_acc    valid_loss     dur
-------  ------------  -----------  ------------  ------
      1        2.2680       0.3393        2.1888  0.0685
      2        1.9074       0.6571        1.4605  0.0370
      3        1.0260       0.7929        0.7779  0.0647
      4        0.6260       0.8329        0.5779  0.0641
"""


def test_a_rule_of_dashes_holds_no_cells(tmp_path):
    path = tmp_path / "cell.txt"
    path.write_text(SKORCH)
    report = nndoctor.diagnose(path, isolated=True)
    assert "unreadable-values" not in [f.name for f in report.findings]
    assert report.run.unknown == ()
    assert len(report.run.series["train/loss"]) == 4


@pytest.mark.parametrize("name", ["dur", "wps", "ups", "wpb", "bsz", "clip", "ts"])
def test_fields_of_frameworks(name):
    assert meaning_of(name).kind == "known"


@pytest.mark.parametrize("name", ["exhaustividad", "val_rappel", "sensibilité", "召回率", "revocação"])
def test_recall_in_other_languages(name):
    assert meaning_of(translated(name).strip()).metric == "recall"


def test_unreadable_cells_make_a_sentence(tmp_path):
    path = tmp_path / "log.csv"
    rows = [f"{k},{2 * 0.9**k:.3f}" for k in range(12)]
    path.write_text("\n".join(["epoch,loss", *rows[:4], "4,oops", *rows[5:]]) + "\n")
    (finding,) = [f for f in nndoctor.diagnose(path, isolated=True).findings if f.name == "unreadable-values"]
    assert finding.message == "1 cell is not a number and was skipped, the first on line 6"
