"""Causes that only something else in the log could rule out: the optimizer, the learning rate, the labels, the loop."""

from __future__ import annotations

from nndoctor.analysis.chance import at_chance
from nndoctor.core.finding import Cause
from nndoctor.core.run import Run

# Formats, frameworks and columns of training loops that are part of a framework.
OF_LOOPS = frozenset({"hf-trainer-state", "keras-csv", "keras-history", "lightning-csv", "yolo-terminal"})
LOOPS = frozenset({"DeepSpeed", "Megatron", "LLaMA-Factory", "torchtitan"})
LOGGED_BY_LOOPS = ({"total_loss", "data_time"}, {"loss_cls", "data_time"})  # Detectron2, MMDetection


def starved(run: Run) -> tuple[Cause, ...]:
    """The cause of a slow fall that only the optimizer's name can rule out."""
    if run.fact("optimizer") is not None:
        return ()
    return (
        Cause(
            "Adagrad's accumulated gradients",
            0.1,
            "the log does not name the optimizer, and Adagrad's steps only ever shrink",
            "if it is Adagrad: one run with Adam or RMSprop",
        ),
    )


def unseen_warm_up(run: Run, weight: float) -> tuple[Cause, ...]:
    """A warm-up that never ended, which only the learning rate in the log can rule out."""
    if "lr" in run.series:
        return ()
    return (
        Cause(
            "learning rate still in warmup",
            weight,
            "the learning rate is not logged",
            "log the learning rate; warmup should end within the first tenth of the run",
        ),
    )


def no_signal(run: Run) -> tuple[Cause, ...]:
    """The cause of a training loss that falls while validation's accuracy never leaves that of guessing."""
    if not at_chance(run, "validation"):
        return ()
    return (
        Cause(
            "labels without signal",
            0.5,
            "validation never did better than guessing: shuffled or mismatched labels can only be memorized",
            "look at twenty examples with their labels, as the network gets them",
        ),
    )


def resets_gradients(run: Run) -> bool:
    """Whether a framework wrote the log whose own loop resets the gradients in every step."""
    if run.format in OF_LOOPS or run.fact("framework") in LOOPS:
        return True
    columns = {s.column.removeprefix("train/").removeprefix("train ") for s in run.series.values()}
    return any(own <= columns for own in LOGGED_BY_LOOPS)


def not_reset(weight: float) -> Cause:
    """Of a loss that grows without a leap: each step adds all gradients before it."""
    return Cause(
        "gradients not reset between steps",
        weight,
        "the loss has grown gradually, as if every step added all previous gradients",
        "look for optimizer.zero_grad() in the loop",
    )
