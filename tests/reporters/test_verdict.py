"""The one sentence on a run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nndoctor.core.finding import Severity
from nndoctor.core.report import Report, Skipped
from nndoctor.core.run import Run
from nndoctor.core.verdict import essence, verdict
from nndoctor.diagnosis.catalogue import RULES
from nndoctor.diagnosis.engine import diagnose

LACKING = Skipped("NN306", "gradient-norm-explodes", "no grad norm in the log", "grad_norm")


def report(*, findings=(), cleared=(), skipped=()):
    """A report on an empty run."""
    return Report(Run({}), tuple(findings), tuple(cleared), tuple(skipped))


def test_the_primary_finding_names_the_diagnosis(sick, flat):
    """The most important finding is told, the others are named."""
    assert verdict(sick) == ("Overtraining: validation loss was best at step 9 (1) and is 1.4 now.", "warning")
    both = replace(sick, findings=(*flat.findings, *sick.findings))
    assert verdict(both) == ("Plateau at start: training loss stays at 2.303. Also found: overtraining.", "error")


def test_a_finding_that_is_reported_is_not_called_unlikely(sick):
    """A small confidence is called one: the finding is what the page is about."""
    doubtful = replace(sick, findings=(replace(sick.findings[0], confidence=0.28),))
    assert essence(doubtful) == "Overtraining, low confidence (28%)"


def test_a_healthy_run_has_its_own_sentence(healthy):
    """Nothing is invented for a run without findings."""
    assert verdict(healthy) == ("No problems found. Training loss ends at 0.5, validation loss at 0.6.", "good")


def test_without_validation_the_sentence_says_what_it_does_not_cover(sick):
    """Training may be well while nobody knows how it generalizes."""
    blind = replace(sick.findings[0], code="NN002", name="no-validation", severity=Severity.INFO)
    message, style = verdict(report(findings=[blind], cleared=["NN301"]))
    assert message == "No problems found in training. Log validation loss to check for overfitting."
    assert style == "good"


def test_too_little_data_is_not_health(unjudged):
    """Two points give no verdict, although some rules were clear."""
    assert verdict(unjudged) == ("Cannot judge this run: the log holds 2 points a series.", "info")


@pytest.mark.parametrize("cleared", [(), ("NN001", "NN003")])
def test_a_run_that_no_rule_could_examine_is_not_called_clean(cleared):
    """Neither when all was skipped, nor when only the log itself was examined."""
    assert report(cleared=cleared, skipped=[LACKING]).unjudged == "no grad norm in the log"


def test_a_run_that_some_rule_examined_is_judged():
    """One rule of training, found or clear, is a judgement."""
    assert report(cleared=["NN301"], skipped=[LACKING]).unjudged is None


def test_asking_only_for_rules_of_the_log_is_an_answer():
    """`--select NN0` judges the log, and that can be done."""
    assert report(cleared=["NN001", "NN003"]).unjudged is None


def test_a_rule_explained_by_another_lacks_nothing(sick):
    """What a finding of severity info explains was examined all the same."""
    note = replace(sick.findings[0], code="NN105", severity=Severity.INFO)
    explained = Skipped("NN102", "high-variance", "explained by it")
    assert report(findings=[note], skipped=[explained]).unjudged is None


def test_a_rule_of_the_log_that_could_not_be_checked_is_no_answer():
    """When the only rule asked for lacks what it needs, nothing was judged."""
    lacking = Skipped("NN006", "loss-and-metric-disagree", "no validation metric in the log", "validation/metric")
    assert report(skipped=[lacking]).unjudged == "no validation metric in the log"


def test_a_metric_stands_in_for_a_validation_loss_that_is_not_logged():
    """The sentence names the split that the log does validate."""
    run = Run.drawn(train_loss="2.1 1.4 1.0 0.8 0.7 0.6", validation_accuracy="0.3 0.5 0.6 0.66 0.7 0.72")
    message, _ = verdict(Report(run, (), ("NN301",), ()))
    assert message == "No problems found. Training loss ends at 0.6, validation accuracy at 0.72."


def test_a_gan_is_told_by_both_of_its_losses():
    """There is no loss that measures its progress, but there are two that show its state."""
    run = Run.drawn(
        {"task": "gan"}, generator_loss="0.9 1.1 1.2 1.3 1.4 1.42", discriminator_loss="0.7 0.6 0.62 0.6 0.61 0.61"
    )
    message, _ = verdict(diagnose(run, RULES))
    assert message == "No problems found. Generator loss ends at 1.42, discriminator loss at 0.61."


def test_a_reward_that_ends_where_it_started_goes_nowhere():
    """One number is not called a way from itself to itself."""
    run = Run.drawn({"task": "reinforcement-learning"}, reward="-17.25 4 -3 7.5 -11 -17.25")
    message, _ = verdict(diagnose(run, RULES))
    assert message == "No problems found. Reward starts and ends at -17.25."


@pytest.mark.parametrize(("last", "named"), [(1.4, True), (1.05, False)])
def test_a_likely_remark_on_a_large_rise_is_named_next_to_the_verdict(sick, last, named):
    (found,) = sick.findings
    remark = replace(found, severity=Severity.INFO, confidence=0.85, evidence={"best": 1.0, "last": last})
    told = replace(sick, findings=(remark,))
    assert verdict(told)[0].startswith("No clear problem found, but " if named else "No problems found.")
    assert essence(told) == ("No clear problem found" if named else "No problems found")


def test_an_unlikely_remark_is_left_to_the_notes(sick):
    (found,) = sick.findings
    remark = replace(found, severity=Severity.INFO, confidence=0.6, evidence={"best": 1.0, "last": 1.4})
    assert verdict(replace(sick, findings=(remark,)))[0].startswith("No problems found.")
