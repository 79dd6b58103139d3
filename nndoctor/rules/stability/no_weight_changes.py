"""Every value of every loss and metric is the same: the weights are not being updated."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.analysis.liveness import identical, judged_series
from nndoctor.core.finding import Cause, Severity, Symptom, ranked
from nndoctor.core.formatting import number
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

CERTAIN = 0.99  # no optimizer step leaves every digit of every value as it was


def check(run: Run) -> Iterator[Symptom]:
    """Compare all values with the first."""
    if not identical(run):
        return
    held = judged_series(run)
    loss = next(s for s in held if s.name.endswith("/loss"))
    name = loss.name.replace("train/", "training ").replace("/", " ")
    also = "" if len(held) == 1 else f", and so {'is' if len(held) == 2 else 'are'} {_names(held, loss.name)}"
    unit = run.axis if run.axis == "epoch" else "value"
    yield Symptom(
        f"{name} is {number(float(loss.y[-1]))} in all {len(loss.y)} {unit}s{also}: the weights are not being updated",
        CERTAIN,
        {"value": float(loss.y[-1]), "values": len(loss.y), "series": len(held)},
        series=loss.name,
        step=float(loss.x[-1]),
        span=(float(loss.x[0]), float(loss.x[-1])),
        causes=_causes(run),
    )


def _names(held: list, loss: str) -> str:  # type: ignore[type-arg]
    names = [s.name.replace("/", " ") for s in held if s.name != loss]
    return " and ".join(names) if len(names) < 3 else f"{len(names)} other series"


def _causes(run: Run) -> tuple[Cause, ...]:
    lr = run.series.get("lr")
    zero = lr is not None and len(lr.y) > 0 and lr.high <= 0
    return ranked(
        Cause(
            "weights not trained",
            0.15 if zero else 0.6,
            "parameters that are missing from the optimizer, frozen, or cut off by detach() are not updated",
            "compare one weight before and after a step",
        ),
        Cause(
            "optimizer never steps",
            0.15 if zero else 0.25,
            "without optimizer.step() nothing changes",
            "look for optimizer.step() in the loop",
        ),
        Cause(
            "learning rate zero, or far too low",
            0.7 if zero else 0.15,
            "the learning rate in the log is 0"
            if zero
            else "updates that are smaller than the rounding of the weights are lost",
            "log the learning rate of every parameter group",
        ),
    )


RULE = Rule(
    code="NN311",
    name="no-weight-changes",
    severity=Severity.ERROR,
    title="nothing changes: the weights are not updated",
    needs={"train/loss|validation/loss": 2},
    check=check,
    why="Every update changes at least the last digits of some value. If nothing changes, the optimizer does not update the weights, and its settings do not matter.",
    how="All values of every loss and metric of every split are the same to the last digit, in at least four values of at least three digits.",
    sources=(
        Reference(
            "Schoop et al., UMLAUT, CHI 2021; Wardat et al., DeepLocalize, ICSE 2021: unchanged weights",
            "https://arxiv.org/abs/2103.03376",
        ),
        Reference(
            "Karpathy, A Recipe for Training Neural Networks, 2019", "https://karpathy.github.io/2019/04/25/recipe/"
        ),
    ),
    remedies=("check-the-step", "give-all-parameters", "reattach", "raise-learning-rate"),
    sick=(
        Run.drawn(train_loss="1.597*25", validation_loss="1.598*25", validation_accuracy="0.295*25"),
        Run.drawn(train_loss="0.6667*20"),
    ),
    healthy=(
        Run.drawn(train_loss="1.597 1.597 1.597 1.596 1.597", validation_loss="1.598*5"),
        Run.drawn(train_loss="0.7*6"),
    ),
    suppressed_by=("nan-loss", "loss-exactly-zero"),
)
