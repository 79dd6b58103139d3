"""The targets of a regression are in the hundreds or more."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import MEASURED, SEVERAL_SIGNS
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import FactValue, Run

MAX_RMS = 75.0  # root mean square; the square of an error of 75 is 5600, and so is the first gradient


BEYOND = 2.0  # times the error of the targets' mean: outputs that are still far from the targets' scale
NARROW, NO_BETTER = 0.1, 0.95  # of the targets' spread, and of the error of their mean


def check(run: Run) -> Iterator[Symptom]:
    """Look at what a training makes of them, else at their size."""
    found = _measured(run)
    yield from (found,) if found is not None else _large(run)


def _measured(run: Run) -> Symptom | None:
    """After a number of steps the model is no better than a constant, as it has not come to the targets' scale."""
    name = run.fact("error_name")
    if name is None:
        return None
    error, of_mean, rms, spread, outputs, steps = (
        run.number(f"error_{n}") for n in ("after", "of_mean", "target_rms", "target_std", "output_std", "steps")
    )
    narrow = outputs < NARROW * spread and error > NO_BETTER * of_mean
    if error <= BEYOND * of_mean and not narrow:
        return None
    text = (
        f"targets are not normalized (RMS {number(rms)}, standard deviation {number(spread)}): after {steps:.0f} steps the {name} is "
        f"{number(_rounded(error))}, and always answering the mean of the targets gives {number(_rounded(of_mean))}; "
        f"the outputs' standard deviation is {number(_rounded(outputs))}"
    )
    evidence = {"root_mean_square": rms, "deviation": spread, "error": error, "error_of_mean": of_mean, "steps": steps}
    return Symptom(text, MEASURED, evidence, place="train_data")


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")


def _large(run: Run) -> Iterator[Symptom]:
    """Targets in the hundreds or more, of which a trial of the remedy shows whether they do harm."""
    rms, spread = (run.number(n) for n in ("target_rms", "target_std"))
    if rms > MAX_RMS and not run.fact("loss_of_classes"):
        text = f"targets are not normalized (RMS {number(rms)}, standard deviation {number(spread)}), while outputs start near 1"
        yield Symptom(text, SEVERAL_SIGNS, {"root_mean_square": rms, "deviation": spread}, place="train_data")


FAR: dict[str, FactValue] = {
    "error_name": "mse_loss", "error_steps": 300, "error_after": 4e8, "error_of_mean": 2.5e7, "error_target_rms": 2e4,
    "error_target_std": 5e3, "error_output_std": 30.0,
}  # fmt: skip
STILL: dict[str, FactValue] = FAR | {"error_after": 2.45e7}
LEARNED: dict[str, FactValue] = FAR | {"error_after": 9e6, "error_output_std": 4e3}
RULE = Rule(
    code="NN608",
    name="targets-not-normalized",
    severity=Severity.WARNING,
    title="targets are far from unit scale",
    needs={"fact:target_rms|fact:error_name": 1},
    check=check,
    why="The last layer must grow to the targets' scale before anything is learned, and the gradient of a squared error grows with it, so that a learning rate that suits the other layers is too large for the last one.",
    how=f"Floating targets with a root mean square over {MAX_RMS:g} where standardized ones do better in a trial; or an error against such targets that after some hundred steps is more than {BEYOND:g} times that of always answering their mean, or no better than it with outputs whose spread is below {percent(NARROW)} of the targets'.",
    sources=(Reference("LeCun et al., Efficient BackProp, 1998, section 4.5"),),
    remedies=("normalize-targets",),
    sick=(Run.drawn({"target_rms": 1523.0, "target_std": 771.0}), Run.drawn(FAR), Run.drawn(STILL)),
    healthy=(Run.drawn({"target_rms": 0.47, "target_std": 0.24}), Run.drawn(LEARNED)),
)
