"""A tiny step of the optimizer on a batch raises that batch's loss."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import MEASURED
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, percent, plural
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

ROUNDING = 1e-6  # share of the loss
MIN_PLAIN_GAIN = 0.1  # share of the first loss by which plain steps lower it where it can be learned
MIN_GAIN = 0.05  # share of what plain steps gain; a step that gains less does not train


def check(run: Run) -> Iterator[Symptom]:
    """Look at where the user's own steps take the loss, then at several tiny steps on one batch."""
    own = _own_steps(run) or _runaway(run)
    if own is not None:
        yield own
        return
    changes = run.fact("small_step_changes")
    if not isinstance(changes, tuple) or not changes:
        return
    values = [float(c) for c in changes]
    if all(v > ROUNDING for v in values):
        text = f"with a learning rate 1,000× smaller than configured, every step still raises the loss of its own batch (relative change {', '.join(f'{v:+.2g}' for v in values[:3])}): the gradient or its sign is wrong"
        yield Symptom(text, MEASURED, {"smallest_rise": min(values)}, place="loss")


def _own_steps(run: Run) -> Symptom | None:
    """A train_step under which the loss rises, where plain steps on the same batches lower it."""
    before, after, plain = (run.known(f) for f in ("own_loss_before", "own_loss_after", "plain_loss_after"))
    if before is None or after is None or plain is None:
        return None
    calls = int(run.number("own_calls"))
    gain = before - plain
    opposed = run.number("backward_scale") < 0
    if not opposed and not (gain > MIN_PLAIN_GAIN * abs(before) and before - after < MIN_GAIN * gain):
        return None
    what = "raises" if after > before else "does not lower"
    text = (
        f"{calls} calls of train_step take the loss from {number(before)} to {number(after)}; the same steps with only "
        f"zero_grad(), backward() and step() take it to {number(plain)}: train_step {what} the loss"
    )
    evidence = {"before": before, "after": after, "after_plain_steps": plain}
    remedies = ("step-downhill", "check-the-step") if after > before else ("check-the-step",)
    return Symptom(text, MEASURED, evidence, place="train_step", remedies=remedies)


def _runaway(run: Run) -> Symptom | None:
    """One of several losses of a train_step that grows without end, or is no longer a number."""
    lost = run.known("own_not_finite_after")
    if lost is not None:
        text = f"a loss of train_step is not finite after {plural(int(lost), 'call')}"
        return Symptom(text, MEASURED, {"calls": lost}, place="train_step", remedies=("check-the-step",))
    found = run.numbers("own_runaway")
    if len(found) != len(("first", "last", "calls")):
        return None
    first, last, calls = found
    text = f"{int(calls)} calls of train_step take one of its losses from {number(first)} to {number(last)}, and it grows all the time: nothing bounds it (a penalty with the wrong sign, or left out?)"
    return Symptom(text, MEASURED, {"first": first, "last": last}, place="train_step", remedies=("check-the-step",))


RULE = Rule(
    code="NN810",
    name="step-raises-loss",
    severity=Severity.ERROR,
    title="a small step raises the loss",
    needs={"fact:loss_has_gradient|fact:own_runaway|fact:own_not_finite_after": 1},
    check=check,
    why="A small enough step along the negative gradient must lower the loss of the same batch. If it raises the loss, the sign or a hand-written derivative is wrong, or the loss is maximized.",
    how=f"On each of several batches, one step at a thousandth of the learning rate, dropout off, from the same weights: an error only where all of them raise their loss. For a train_step: calls that do not lower the loss on batches where as many plain steps lower it by {percent(MIN_PLAIN_GAIN)} or more; where it has several losses, one that grows a thousandfold and does not stop.",
    sources=(Reference("CS231n notes, Neural Networks Part 2 and 3", "https://cs231n.github.io/neural-networks-3/"),),
    remedies=("check-gradient",),
    sick=(
        Run.drawn({"own_runaway": (-0.55, -2.7e7, 240)}),
        Run.drawn({"own_not_finite_after": 31}),
        Run.drawn({"loss_has_gradient": True, "small_step_changes": (0.01, 0.02, 0.004)}),
        Run.drawn(
            {
                "loss_has_gradient": True,
                "own_calls": 40,
                "own_loss_before": 1.36,
                "own_loss_after": 1260.0,
                "plain_loss_after": 0.4,
            }
        ),
    ),
    healthy=(
        Run.drawn({"loss_has_gradient": True, "small_step_changes": (-0.01, -0.02, 0.0)}),
        Run.drawn(
            {
                "loss_has_gradient": True,
                "own_calls": 40,
                "own_loss_before": 1.36,
                "own_loss_after": 0.5,
                "plain_loss_after": 0.4,
            }
        ),
    ),
    suppressed_by=("frozen-parameters", "gradients-not-reset", "objective-reversed"),
)
