"""The network does not learn a handful of examples by heart."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import MEASURED, TYPICAL
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

NOTHING = 0.9  # of the loss is left at the configured rate: nothing was learned there
PART = 0.5  # of the loss, at the best of all rates: less is progress
MOST = 0.5  # of the seeds: the verdict is that of the majority


def check(run: Run) -> Iterator[Symptom]:
    """Count the seeds in which the subset was learned, at the configured rate and at others."""
    tried, passed, elsewhere = (int(run.number(n)) for n in ("tiny_tried", "tiny_passed", "tiny_passed_elsewhere"))
    if not tried or passed > MOST * tried:
        return
    examples = int(run.number("tiny_examples"))
    left = run.number("tiny_left")
    evidence = {
        "examples": examples,
        "seeds": tried,
        "learned": passed,
        "steps": int(run.number("tiny_steps")),
        "loss_left": left,
    }
    head = f"the model could not overfit {examples} examples in {run.number('tiny_steps'):.0f} steps"
    tail = f" ({tried - passed} of {tried} seeds; {percent(min(left, 1.0))} of the initial loss remains)"
    rate = run.fact("tiny_rate")
    best = run.known("tiny_left_best")
    if elsewhere and left < NOTHING:
        return  # slow, but it learns: the range test judges the rate
    constant = run.fact("tiny_outputs_constant") is True
    if not elsewhere and best is not None and best < PART and not constant:
        return  # a good part of the loss went away: too few steps, not a network that cannot learn
    if elsewhere and not isinstance(rate, (int, float)):
        return
    if elsewhere and isinstance(rate, (int, float)):
        text = f"{head} at the configured learning rate{tail}, but could at {number(float(rate))}: the learning rate is the problem, not the model"
        yield Symptom(
            text, TYPICAL, evidence, severity=Severity.WARNING, remedies=_rate_remedies(run), place="optimizer"
        )
        return
    if constant and best is not None and best < PART:
        text = f"{head} at any learning rate: the loss falls to {percent(best)} of its initial value, but the outputs do not follow the targets: a term of the loss outweighs them"
        yield Symptom(
            text, MEASURED, evidence, causes=_causes(run), remedies=("balance-the-parts", "fit-loss-to-output")
        )
        return
    yield Symptom(
        f"{head} at any learning rate{tail}: this is a bug, not a tuning problem",
        MEASURED,
        evidence,
        causes=_causes(run),
    )


def _rate_remedies(run: Run) -> tuple[str, ...]:
    higher = run.number("tiny_rate") > run.number("lr_configured")
    return ("raise-learning-rate" if higher else "lower-learning-rate", "learning-rate-range-test")


def _causes(run: Run) -> tuple[Cause, ...]:
    """What the recorder and the other probes saw, most telling first."""
    found: list[Cause] = []
    dead = [p for p in run.layers if _last(run, p, "dead_fraction") > 0.9 or _last(run, p, "zero_fraction") > 0.99]
    full = [p for p in run.layers if _last(run, p, "saturated_fraction") > 0.8]
    if dead:
        found.append(
            Cause(
                "dead units",
                0.5,
                f"layer {dead[0]} outputs only zeros",
                "the same with leaky ReLU, or a tenth of the learning rate",
            )
        )
    if full:
        found.append(
            Cause(
                "saturated units",
                0.5,
                f"layer {full[0]} is saturated",
                "the same with inputs of unit standard deviation and Xavier initialization",
            )
        )
    norms = [(p, n) for p in run.layers if (n := _last(run, p, "grad_norm")) >= 0]
    if len(norms) > 1 and norms[0][1] < 1e-3 * max(n for _, n in norms):
        found.append(
            Cause(
                "vanishing gradient",
                0.4,
                f"the gradient of layer {norms[0][0]} is a thousandth of the largest",
                "the same with ReLU, shortcuts or normalization",
            )
        )
    if _count_of(run, "zero_gradient") or _count_of(run, "no_gradient"):
        found.append(
            Cause(
                "parameters without gradient",
                0.5,
                "some parameters never get one",
                "look for detach(), no_grad() or .data in the forward pass",
            )
        )
    if run.number("contradicting_share") > 0:
        found.append(
            Cause(
                "labels that contradict each other",
                0.3,
                "equal inputs have different labels",
                "the same without those examples",
            )
        )
    found.append(
        Cause(
            "too small a network, or a wrong loss",
            0.2,
            "nothing else explains it",
            "the same with layers four times as wide",
        )
    )
    return tuple(found)


def _last(run: Run, path: str, statistic: str) -> float:
    series = run.layer(path, statistic)
    return series.last if series is not None and len(series.y) else -1.0


def _count_of(run: Run, name: str) -> int:
    value = run.fact(name)
    return len(value) if isinstance(value, tuple) else 0


RULE = Rule(
    code="NN801",
    name="cannot-overfit-tiny-subset",
    severity=Severity.ERROR,
    title="the model cannot overfit a few examples",
    needs={"fact:tiny_tried": 1},
    check=check,
    why="Any working network can memorize a few examples within a few hundred steps. One that cannot has a bug in the model, the loss, the gradients or the data that longer training does not fix.",
    how="2 to 16 examples, the same batch in every step, dropout and weight decay off, from the user's own initialization, at several learning rates and subsets, until the loss above its minimum is under 5% of its initial value and every class is correct; where a training step compares outputs with targets, until the outputs follow them.",
    sources=(
        Reference("CS231n: 'overfit a tiny subset of data'", "https://cs231n.github.io/neural-networks-3/"),
        Reference(
            "Karpathy, A Recipe for Training Neural Networks, 2019", "https://karpathy.github.io/2019/04/25/recipe/"
        ),
    ),
    remedies=("fit-loss-to-output", "he-initialization", "check-labels", "larger-network"),
    sick=(
        Run.drawn(
            {
                "tiny_tried": 3,
                "tiny_passed": 0,
                "tiny_passed_elsewhere": 0,
                "tiny_examples": 16,
                "tiny_left": 0.9,
                "tiny_steps": 300,
            }
        ),
        Run.drawn(
            {
                "tiny_tried": 3,
                "tiny_passed": 0,
                "tiny_passed_elsewhere": 3,
                "tiny_examples": 16,
                "tiny_left": 0.98,
                "tiny_steps": 300,
                "tiny_rate": 0.01,
                "lr_configured": 1.0,
            }
        ),
        Run.drawn(
            {
                "tiny_tried": 3,
                "tiny_passed": 0,
                "tiny_passed_elsewhere": 0,
                "tiny_examples": 16,
                "tiny_left": 0.6,
                "tiny_left_best": 0.3,
                "tiny_outputs_constant": True,
                "tiny_steps": 300,
            }
        ),
    ),
    healthy=(
        Run.drawn(
            {
                "tiny_tried": 3,
                "tiny_passed": 0,
                "tiny_passed_elsewhere": 0,
                "tiny_examples": 16,
                "tiny_left": 0.6,
                "tiny_left_best": 0.3,
                "tiny_steps": 300,
            }
        ),
        Run.drawn(
            {
                "tiny_tried": 3,
                "tiny_passed": 3,
                "tiny_passed_elsewhere": 0,
                "tiny_examples": 16,
                "tiny_left": 0.001,
                "tiny_steps": 80,
            }
        ),
        Run.drawn(
            {
                "tiny_tried": 3,
                "tiny_passed": 2,
                "tiny_passed_elsewhere": 0,
                "tiny_examples": 16,
                "tiny_left": 0.02,
                "tiny_steps": 80,
            }
        ),
    ),
)
