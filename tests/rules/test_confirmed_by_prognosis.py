"""Findings of rules that the prognosis confirms or doubts; the logs are of trained networks of the zoo, and retraining decided."""

from __future__ import annotations

import pytest

from nndoctor.core.finding import Severity
from nndoctor.core.report import Report
from nndoctor.core.run import Run
from nndoctor.diagnosis.catalogue import RULES
from nndoctor.diagnosis.engine import diagnose

OVERFITTING = Run.drawn(
    train_loss="1.17 1.068 0.9487 0.9602 0.8789 0.8643 0.8506 0.8047 0.7811 0.8145 0.7611 0.7637 0.7394 0.7485 0.7321 0.6991",
    validation_loss="0.8847 0.8785 0.8256 0.9345 0.8265 0.9007 0.911 0.8397 0.9405 0.8952 0.9762 0.9082 0.9531 1.032 0.9924 0.9616",
    train_accuracy="0.3229 0.4375 0.5469 0.5104 0.5729 0.5885 0.5677 0.6302 0.6146 0.6094 0.6302 0.6146 0.6458 0.6667 0.6302 0.6615",
    validation_accuracy="0.6562 0.6172 0.6719 0.5625 0.6484 0.5781 0.5703 0.6094 0.5703 0.5625 0.5234 0.5781 0.5781 0.5156 0.5469 0.5625",
    lr="0.0139199 0.0238798*15",
)
SMALL_VALIDATION_SET = Run.drawn(
    train_loss="1.1 0.937 0.931 0.752 0.799 0.663 0.557 0.584 0.512 0.495 0.569 0.608 0.484 0.553 0.514 0.618 0.494 0.513 0.493 0.524 0.536 0.48 0.417 0.525",
    validation_loss="0.656 0.456 0.974 0.744 0.541 0.729 1.18 0.589 0.421 0.461 0.426 0.442 0.125 0.8 0.0743 0.201 0.262 1.47 0.522 0.579 0.687 0.143 0.396 0.0676",
    lr="0.00559521*24",
)
LEARNED_BEFORE_THE_FIRST_ROW = Run.drawn(
    train_loss="0.4865 0.514 0.5149 0.4901 0.4938 0.4739 0.4487 0.4503",
    validation_loss="0.543 0.5522 0.5174 0.5304 0.5439 0.4997 0.5273 0.5469",
    lr="0.0261149*8",
)


def _report(run: Run) -> Report:
    return diagnose(run, RULES)


@pytest.mark.parametrize(
    ("run", "name", "says"),
    [
        (OVERFITTING, "overtraining", "validation loss rose from 0.8256 (best, step 2) to 0.9616 (step 15)"),
        (SMALL_VALIDATION_SET, "noisy-validation", "validation loss is noisy: it changes by 0.3475"),
    ],
)
def test_what_limits_miss_and_the_prognosis_is_sure_of_is_reported(run: Run, name: str, says: str) -> None:
    finding = next(f for f in _report(run).findings if f.name == name)
    assert finding.severity is Severity.WARNING
    assert says in finding.message


def test_a_flat_loss_that_had_fallen_before_the_first_row_is_a_remark() -> None:
    report = _report(LEARNED_BEFORE_THE_FIRST_ROW)
    assert report.primary is None
    flat = next(f for f in report.findings if f.name == "plateau-at-start")
    assert flat.severity is Severity.INFO
    assert "the network learns nothing, or had learned before it" in flat.message


def test_a_flat_loss_of_large_noise_is_a_remark() -> None:
    loss = "0.118 0.083 0.097 0.103 0.106 0.099 0.091 0.122"
    flat = next(f for f in _report(Run.drawn(train_loss=loss)).findings if f.name == "plateau-at-start")
    assert flat.severity is Severity.INFO


def test_a_flat_loss_at_the_level_of_guessing_stays_an_error() -> None:
    flat = "2.3026 2.3024 2.3029 2.3025 2.3027 2.3023 2.3028 2.3026*5 2.3025*6"
    primary = _report(Run.drawn(train_loss=flat, validation_loss=flat)).primary
    assert primary is not None
    assert (primary.name, primary.severity) == ("plateau-at-start", Severity.ERROR)
