"""The network does not memorize a handful of examples."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import MEASURED, TYPICAL
from nndoctor.core.finding import Cause, Number, Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MAX_LEFT = 0.9  # share of the loss that is left at the configured rate; with less it learns, if slowly
MAX_LEFT_BEST = 0.5  # share of the loss that is left at the best of all rates; less is progress
MAX_LEFT_DRAWN = 0.8  # the same where each step draws other noise: there is more to learn than so few examples
REDRAWN = 0.005  # relative difference of the loss with other random numbers
SLOW = 10.5  # times the configured rate: one that is too low by no more learns later, and is a remark
MAX_PASSED = 0.5  # share of the seeds: the majority decides
DEAD, ALL_ZERO = 0.9, 0.99  # shares of dead units, and of zeros among the outputs, of a layer that no longer works
SATURATED = 0.8  # share of the outputs of such a layer that are saturated
VANISHED = 1e-3  # gradient of the first layer over the largest


def check(run: Run) -> Iterator[Symptom]:
    """Count the seeds in which the subset was learned, at the configured rate and at others."""
    tried, passed = int(run.number("tiny_tried")), int(run.number("tiny_passed"))
    if not tried or passed > MAX_PASSED * tried:
        return
    found = _at_another_rate(run) if run.number("tiny_passed_elsewhere") else _at_no_rate(run)
    if found is not None:
        yield found


def _at_another_rate(run: Run) -> Symptom | None:
    """The subset was learned at another learning rate; None where the configured one is only slow, which the range test judges."""
    rate, configured = run.known("tiny_rate"), run.known("lr_configured")
    if (
        run.number("tiny_left") < MAX_LEFT or rate is None or rate == configured
    ):  # then fewer examples were learned at it
        return None
    text = f"{_failure(run)} at the configured learning rate{_share_left(run)}, but could at {number(rate)}: the learning rate is the problem, not the model"
    slow = configured is not None and configured < rate <= SLOW * configured
    severity = Severity.INFO if slow else Severity.WARNING
    return Symptom(text, TYPICAL, _evidence(run), severity=severity, remedies=_rate_remedies(run), place="optimizer")


def _at_no_rate(run: Run) -> Symptom | None:
    """The subset was learned at no rate; None where a good part of the loss went away: too few steps, not a network that cannot learn."""
    best = run.known("tiny_left_best")
    most = MAX_LEFT_DRAWN if run.number("tiny_redrawn") > REDRAWN else MAX_LEFT_BEST
    progress = best is not None and best < most
    if best is not None and progress:
        if run.fact("tiny_outputs_constant") is not True:
            return None
        text = f"{_failure(run)} at any learning rate: the loss falls to {percent(best)} of its initial value, but the outputs do not follow the targets: a term of the loss outweighs them"
        remedies = ("balance-the-parts", "fit-loss-to-output")
        return Symptom(text, MEASURED, _evidence(run), causes=_causes(run), remedies=remedies)
    text = f"{_failure(run)} at any learning rate{_share_left(run)}: this is a bug, not a tuning problem"
    return Symptom(text, MEASURED, _evidence(run), causes=_causes(run))


def _failure(run: Run) -> str:
    return f"the model could not overfit {run.number('tiny_examples'):.0f} examples in {run.number('tiny_steps'):.0f} steps"


def _share_left(run: Run) -> str:
    tried, passed = int(run.number("tiny_tried")), int(run.number("tiny_passed"))
    left = percent(min(run.number("tiny_left"), 1.0))
    return f" ({tried - passed} of {tried} seeds; {left} of the initial loss remains)"


def _evidence(run: Run) -> dict[str, Number]:
    return {
        "examples": int(run.number("tiny_examples")),
        "seeds": int(run.number("tiny_tried")),
        "learned": int(run.number("tiny_passed")),
        "steps": int(run.number("tiny_steps")),
        "loss_left": run.number("tiny_left"),
    }


def _rate_remedies(run: Run) -> tuple[str, ...]:
    higher = run.number("tiny_rate") > run.number("lr_configured")
    return ("raise-learning-rate" if higher else "lower-learning-rate", "learning-rate-range-test")


def _causes(run: Run) -> tuple[Cause, ...]:
    """What the recorder and the other probes saw, strongest evidence first."""
    other = Cause(
        "too small a network, or a wrong loss",
        0.2,
        "nothing else explains it",
        "the same with layers four times as wide",
    )
    return (*_units(run), *_gradients(run), *_labels(run), other)


def _units(run: Run) -> Iterator[Cause]:
    """Layers whose units are dead or saturated."""
    dead = [p for p in run.layers if _is_dead(run, p)]
    saturated = [p for p in run.layers if _last(run, p, "saturated_fraction") > SATURATED]
    if dead:
        yield Cause(
            "dead units",
            0.5,
            f"layer {dead[0]} outputs only zeros",
            "the same with leaky ReLU, or a tenth of the learning rate",
        )
    if saturated:
        yield Cause(
            "saturated units",
            0.5,
            f"layer {saturated[0]} is saturated",
            "the same with inputs of unit standard deviation and Xavier initialization",
        )


def _is_dead(run: Run, path: str) -> bool:
    return _last(run, path, "dead_fraction") > DEAD or _last(run, path, "zero_fraction") > ALL_ZERO


def _gradients(run: Run) -> Iterator[Cause]:
    """A first layer that gets next to no gradient, and parameters that get none."""
    norms = [(p, n) for p in run.layers if (n := _last(run, p, "grad_norm")) >= 0]
    if len(norms) > 1 and norms[0][1] < VANISHED * max(n for _, n in norms):
        yield Cause(
            "vanishing gradient",
            0.4,
            f"the gradient of layer {norms[0][0]} is a thousandth of the largest",
            "the same with ReLU, shortcuts or normalization",
        )
    if run.texts("zero_gradient") or run.texts("no_gradient"):
        yield Cause(
            "parameters without gradient",
            0.5,
            "some parameters never get one",
            "look for detach(), no_grad() or .data in the forward pass",
        )


def _labels(run: Run) -> Iterator[Cause]:
    """Equal inputs with different labels."""
    if run.number("contradicting_share") > 0:
        yield Cause(
            "labels that contradict each other",
            0.3,
            "equal inputs have different labels",
            "the same without those examples",
        )


def _last(run: Run, path: str, statistic: str) -> float:
    series = run.layer(path, statistic)
    return series.last if series is not None and len(series.y) else -1.0


RULE = Rule(
    code="NN801",
    name="cannot-overfit-tiny-subset",
    severity=Severity.ERROR,
    title="the model cannot overfit a few examples",
    needs={"fact:tiny_tried": 1},
    check=check,
    why="Any working network can memorize a few examples within a few hundred steps. One that cannot has a bug in the model, the loss, the gradients or the data that longer training does not fix.",
    how="A few examples, the same batch in every step, dropout and weight decay off, from the user's own initialization, at several learning rates and subsets, until the loss above its minimum is next to nothing and every class is correct; where a training step compares outputs with targets, until the outputs follow them. Where each step draws other noise, as in diffusion, a fifth of the loss has to go.",
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
                "tiny_passed_elsewhere": 1,
                "tiny_examples": 16,
                "tiny_left": 1.0,
                "tiny_steps": 200,
                "tiny_rate": 0.05,
                "lr_configured": 0.05,
            }
        ),
        Run.drawn(
            {
                "tiny_tried": 3,
                "tiny_passed": 0,
                "tiny_passed_elsewhere": 0,
                "tiny_examples": 16,
                "tiny_left": 0.6,
                "tiny_left_best": 0.6,
                "tiny_redrawn": 0.1,
                "tiny_steps": 200,
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
