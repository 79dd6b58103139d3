"""A loss at random timesteps cannot show whether a diffusion model still improves."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.analysis.workload import Workload, workload
from nndoctor.core.confidence import TYPICAL
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MIN_POINTS = 20
MIN_NOISE = 0.03  # share of the loss
MAX_FALL = 2.0  # times the noise of one value, by which the loss falls after the middle of the run
MIDDLE = (0.4, 0.6)  # shares of the run between which the level is that of its middle


def check(run: Run) -> Iterator[Symptom]:
    """Compare what the loss fell in the second half with its noise."""
    loss = run.series["train/loss"]
    if workload(run) is not Workload.DIFFUSION or len(loss.y) < MIN_POINTS or loss.low <= 0:
        return
    fallen = loss.level(*MIDDLE) - loss.last
    if (
        any(name.startswith("validation/") for name in run.series)
        or fallen > MAX_FALL * loss.noise
        or loss.noise < MIN_NOISE * loss.last
    ):
        return
    yield Symptom(
        f"the training loss cannot show whether the model still improves: it scatters by {percent(loss.noise / loss.last)} from value to value "
        f"around {number(loss.last)}, because each batch draws its own noise and timesteps",
        TYPICAL,
        {"loss": loss.last, "noise": loss.noise},
        series="train/loss",
        step=loss.last_step,
        span=(float(loss.x[len(loss.x) // 2]), loss.last_step),
    )


RULE = Rule(
    code="NNG06",
    name="uninformative-loss",
    severity=Severity.INFO,
    title="this loss cannot show progress",
    needs={"train/loss": MIN_POINTS},
    check=check,
    why="The loss depends far more on the timesteps drawn for a batch than on the model, so it is easy to stop too early or too late.",
    how=f"The log of a diffusion model has only a training loss, which scatters by {percent(MIN_NOISE)} or more and fell by less than {MAX_FALL:g} times that in its second half.",
    sources=(
        Reference(
            "Ho, Jain and Abbeel, Denoising Diffusion Probabilistic Models, 2020", "https://arxiv.org/abs/2006.11239"
        ),
        Reference(
            "Nichol and Dhariwal, Improved Denoising Diffusion Probabilistic Models, 2021: noise of the objective",
            "https://arxiv.org/abs/2102.09672",
        ),
    ),
    remedies=("fixed-noise-validation", "score-the-samples"),
    sick=(
        Run.drawn({"setting:unet": True}, train_loss=" ".join(["0.9 0.5 0.3"] + ["0.12 0.15 0.1 0.13 0.11 0.14"] * 20)),
    ),
    healthy=(Run.drawn({"setting:unet": True}, train_loss="0.9..0.1*60"),),
    suppressed_by=("nan-loss", "plateau-at-start", "diverged"),
    on_request=True,
)
