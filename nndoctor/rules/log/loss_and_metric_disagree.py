"""The validation loss gets worse while the validation metric gets better."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.analysis.convergence import reach
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, step
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

RISE = 0.10  # of the reach
GAIN = 0.02  # points of error that the metric still won


def check(run: Run) -> Iterator[Symptom]:
    """Compare both between the loss's best step and the end."""
    loss, error = run.series["validation/loss"], run.error("validation")
    if error is None or run.metric is None or not run.judged_by_share or len(error.y) < 5:
        return
    then = error.y[error.x <= loss.best_step]
    gained = float(then[-3:].mean()) - error.last if len(then) else 0.0
    if loss.last - loss.best < RISE * reach(run) or gained < GAIN + error.noise:
        return
    name = run.metric.name.replace("_", " ")
    yield Symptom(
        f"since step {step(loss.best_step)} validation loss rose from {number(loss.best)} to {number(loss.last)} while {name} got better by {100 * gained:.1f} points: judge by the one you ship",
        0.8,
        {"loss_rise": loss.last - loss.best, "metric_gain": gained},
        series="validation/loss",
        step=loss.best_step,
        span=(loss.best_step, float(loss.x[-1])),
    )


RULE = Rule(
    code="NN006",
    name="loss-and-metric-disagree",
    severity=Severity.INFO,
    title="validation loss and metric disagree",
    needs={"validation/loss": 5, "validation/metric": 5},
    check=check,
    why="Cross-entropy punishes confident mistakes; accuracy does not see confidence. A network can get more answers right while the wrong ones grow surer.",
    how="From the best loss to the end the loss rose by 10 % of the reach and the metric won two points or more.",
    sources=(
        Reference("Guo et al., On Calibration of Modern Neural Networks, 2017", "https://arxiv.org/abs/1706.04599"),
    ),
    remedies=("stop-on-the-metric", "label-smoothing"),
    sick=(
        Run.drawn(
            train_loss="2.3..0.1*10",
            validation_loss="2.3 1.5 1.1 1.0 1.1 1.2 1.3 1.4 1.5 1.6",
            validation_accuracy="0.2 0.4 0.6 0.64 0.66 0.68 0.7 0.72 0.74 0.75",
        ),
    ),
    healthy=(Run.drawn(train_loss="2.3..0.1*10", validation_loss="2.3..0.5*10", validation_accuracy="0.2..0.8*10"),),
)
