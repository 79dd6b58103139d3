"""Weight decay, a penalty or dropout is stronger than the data."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import DIRECT, MEASURED, TYPICAL
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, percent, plural
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MAX_RATIO = 0.4  # gradient of the penalty over that of the loss at the start, when that of the loss is largest
MAX_SHRINKING = (
    0.01  # of each weight that one step takes off: it forgets within 100 steps; usual values are below 0.001
)
MAX_SMOOTHING = 0.8  # share of each label that goes to all classes
MAX_DROPOUT = 0.7  # dropout rate; 0.5 is usual


def check(run: Run) -> Iterator[Symptom]:
    """Compare the gradients of penalty and loss at the start, and look at the dropout's rates."""
    ratio, rates = run.number("penalty_ratio"), run.numbers("dropout_rates")
    if ratio > MAX_RATIO:
        kind = str(run.fact("penalty_kind") or "the penalty")
        text = f"{kind} has a gradient {number(ratio)} times as large as that of the data at the first step: it drives the weights to zero"
        yield Symptom(
            text,
            MEASURED,
            {"penalty_over_data": ratio, "weight_decay": run.known("weight_decay")},
            place="optimizer",
        )
    elif run.number("shrinking") > MAX_SHRINKING:
        yield _shrinking(run)
    elif run.number("label_smoothing") >= MAX_SMOOTHING:
        share = run.number("label_smoothing")
        text = f"a label smoothing of {share:g} leaves {percent(1 - share)} of each label: the loss hardly depends on it (typical: 0.1)"
        yield Symptom(text, DIRECT, {"label_smoothing": share}, place="loss")
    elif max(rates, default=0.0) >= MAX_DROPOUT:
        highest = max(rates)
        at = run.texts("dropout_layers")[rates.index(highest)]
        text = f"a dropout rate of {highest:g} keeps only {percent(1 - highest)} of the units (typical rates: 0.1–0.5)"
        yield Symptom(text, TYPICAL, {"highest_rate": highest}, layer=at)


def _shrinking(run: Run) -> Symptom:
    """Decay that AdamW takes off the weights, whatever their gradients are."""
    share, decay, rate = run.number("shrinking"), run.number("weight_decay"), run.number("lr_configured")
    steps = plural(max(1, round(1 / share)), "step")
    text = f"a weight decay of {decay:g} at a learning rate of {rate:g} takes {percent(share)} off every weight at each step: what is learned fades within {steps}"
    return Symptom(text, MEASURED, {"shrinking": share, "weight_decay": decay}, place="optimizer")


RULE = Rule(
    code="NN708",
    name="regularization-excessive",
    severity=Severity.WARNING,
    title="regularization outweighs the data",
    needs={"fact:dropout_rates|fact:label_smoothing": 1},
    check=check,
    why="Regularization should choose between solutions that fit, not prevent fitting. A weight decay that outweighs the data from the first step drives all weights to zero.",
    how=f"The norm of the penalty's gradient (weight decay times weights, and any penalty within the loss) exceeds {percent(MAX_RATIO)} of that of the loss over the same parameters at the start; or an optimizer with decoupled weight decay, as AdamW, takes more than {percent(MAX_SHRINKING)} off the weights at each step (learning rate times weight decay); or a dropout rate is {MAX_DROPOUT:g} or more, or a label smoothing {MAX_SMOOTHING:g}.",
    sources=(
        Reference(
            "Goodfellow, Bengio and Courville, Deep Learning, 2016, section 6.2",
            "https://www.deeplearningbook.org/contents/mlp.html",
        ),
        Reference("Wang and Aitchison, 2024, How to set AdamW's weight decay", "https://arxiv.org/abs/2405.13698"),
        Reference("Srivastava et al., 2014, JMLR 15", "https://jmlr.org/papers/v15/srivastava14a.html"),
    ),
    remedies=("less-regularization",),
    sick=(
        Run.drawn(
            {"dropout_rates": (), "dropout_layers": (), "penalty_ratio": 41.0, "penalty_kind": "weight decay of 0.2"}
        ),
        Run.drawn({"dropout_rates": (), "shrinking": 0.15, "weight_decay": 50.0, "lr_configured": 0.003}),
        Run.drawn({"label_smoothing": 1.0}),
        Run.drawn({"dropout_rates": (0.8, 0.8), "dropout_layers": ("5", "9")}),
    ),
    healthy=(Run.drawn({"dropout_rates": (0.5,), "dropout_layers": ("5",), "penalty_ratio": 0.01}),),
)
