"""The first loss is far from that of knowing nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nndoctor.analysis.convergence import confidence_between, learns
from nndoctor.analysis.layers import WEIGHTED, Layers, first, late
from nndoctor.core.confidence import POSSIBLE, TYPICAL
from nndoctor.core.finding import Cause, Severity, Symptom, ranked
from nndoctor.core.formatting import number, percent, rough
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MAX_RATIO = 2.0  # times the loss of guessing; healthy networks of all kinds begin below 1.45
MIN_RATIO = 0.5  # times it; pretrained networks begin lower, and so do those whose inputs contain the target
DOUBTFUL_RATIO, CERTAIN_RATIO = 1.5, 4.0  # ratios between which the confidence grows
MIN_OFFSET = 0.9  # share of a squared error that is only the distance of the output's mean from where it goes
MAX_OFFSET = 1.5  # the same; a mean that moves further moved for another reason
DOUBTFUL_OFFSET = 0.8  # the same at which the confidence begins to grow
FAR = 10.0  # times the loss of a constant output at the start
STILL_FAR = 2.0  # the same after the steps of a trial
MIN_POINTS = 3  # samples of the output's mean


def check(run: Run) -> Iterator[Symptom]:
    """Compare the loss before the first step with ln C, or with that of the mean for squared errors."""
    stays = _stays(run)
    if stays is not None:
        yield stays
        return
    known = run.fact("initial_loss")
    begins = float(known) if isinstance(known, (int, float)) else run.series["train/loss"].initial
    baseline = run.fact("baseline_loss")
    layers = Layers(run)
    if isinstance(baseline, (int, float)) and baseline > 0:
        classes = run.fact("num_classes")
        guess = f"random guessing among {classes} classes" if classes else "predicting a constant"
        yield from _against(layers, float(begins), float(baseline), guess)
    elif run.fact("loss") == "squared error" and begins > 0:
        yield from _mean(layers, float(begins))


def _stays(run: Run) -> Symptom | None:
    """A loss that begins far above that of a constant output, and after the steps of a trial is still above it."""
    constant, begins, ends = (run.number(n) for n in ("constant_loss", "trial_begins", "trial_ends"))
    if constant <= 0 or not math.isfinite(ends) or begins <= FAR * constant or ends <= STILL_FAR * constant:
        return None
    text = f"the loss begins at {rough(begins)} and is {rough(ends)} after {run.number('lr_steps'):.0f} steps; predicting a constant gives {rough(constant)}: the initial weights are too large for these inputs and targets"
    evidence = {"initial_loss": begins, "loss_after": ends, "baseline_loss": constant}
    return Symptom(text, TYPICAL, evidence, remedies=("smaller-head", "normalize-inputs"))


def _against(layers: Layers, begins: float, baseline: float, guess: str) -> Iterator[Symptom]:
    ratio = begins / baseline
    if MIN_RATIO <= ratio <= MAX_RATIO or not math.isfinite(ratio):
        return
    high = ratio > MAX_RATIO
    summary = f"the initial loss is {number(begins)}; {guess} gives {number(baseline)}"
    head = _head(layers)
    std = layers.series(head, "std") if head else None
    size = f"its outputs start with a standard deviation of {number(first(std))}" if std is not None else "as measured"
    causes = ranked(
        Cause("the output's weights too large", 0.6, size, "train once with the last layer's weights divided by ten"),
        Cause(
            "inputs not normalized",
            0.3,
            "large inputs make large outputs",
            "look at the inputs' mean and standard deviation",
        ),
        Cause("the output's bias", 0.1, "it should start at the class frequencies", "train once with it at zero"),
    )
    yield Symptom(
        summary if high else f"{summary}: pretrained weights, very unequal classes, or the target is among the inputs",
        confidence_between(math.log(ratio), math.log(DOUBTFUL_RATIO), math.log(CERTAIN_RATIO)) if high else POSSIBLE,
        {"initial_loss": begins, "baseline_loss": baseline, "ratio": round(ratio, 3)},
        series="train/loss",
        step=float(layers.run.series["train/loss"].steps[0]),
        layer=head,
        causes=causes if high else (),
        severity=Severity.INFO if not high or learns(layers.run) else None,
    )


def _mean(layers: Layers, begins: float) -> Iterator[Symptom]:
    """A squared error is that of the mean plus the square of the output's distance from it: compare with how far the mean moved."""
    head = _head(layers)
    mean = layers.series(head, "mean") if head else None
    if mean is None or head is None or len(mean.y) < MIN_POINTS:
        return
    share = (late(mean) - first(mean)) ** 2 / begins
    if not MIN_OFFSET <= share < MAX_OFFSET:
        return
    rest = max(begins * (1 - share), layers.run.series["train/loss"].best)
    yield Symptom(
        f"the initial loss is {number(begins)}; predicting the mean would give about {rough(rest)}: "
        f"the outputs average {rough(first(mean))} at the start and must move to {number(float(f'{late(mean):.3g}'))}",
        confidence_between(share, DOUBTFUL_OFFSET, 1.0),
        {"initial_loss": begins, "baseline_loss": float(rest), "offset_share": round(share, 3)},
        series="train/loss",
        step=float(layers.run.series["train/loss"].steps[0]),
        layer=head,
        remedies=("bias-at-the-mean", "normalize-targets"),
        severity=Severity.INFO if learns(layers.run) else None,
    )


def _head(layers: Layers) -> str | None:
    """The last layer with weights whose output was seen."""
    seen = [p for p in layers.paths if layers.role(p) in WEIGHTED and layers.series(p, "std") is not None]
    return seen[-1] if seen else None


RULE = Rule(
    code="NN505",
    name="initial-loss-off-chance",
    severity=Severity.WARNING,
    title="the initial loss is not that of random guessing",
    needs={"fact:constant_loss|layer:*/std": 1, "train/loss": 1, "fact:loss|fact:constant_loss": 1},
    check=check,
    why="An untrained network should be no worse than random guessing. With a higher initial loss, the first and largest steps are spent on correcting the initialization.",
    how=f"The loss before the first step is over {MAX_RATIO:g} times that of guessing (ln C for cross-entropy), or {percent(MIN_OFFSET)} of a squared error come from the distance between the initial and the final mean output. Below {percent(MIN_RATIO)} of that of guessing: information, because pretrained networks start there.",
    sources=(
        Reference(
            "Karpathy, A Recipe for Training Neural Networks, 2019: 'verify loss @ init', 'init well'",
            "https://karpathy.github.io/2019/04/25/recipe/",
        ),
        Reference(
            "CS231n: 'look for correct loss at chance performance'", "https://cs231n.github.io/neural-networks-3/"
        ),
    ),
    remedies=("smaller-head", "normalize-inputs", "bias-at-the-mean"),
    sick=(
        Run.drawn(
            facts={
                "loss": "cross-entropy",
                "num_classes": 10,
                "baseline_loss": 2.303,
                "initial_loss": 28.0,
                "roles:fc1": "weight",
            },
            layers={"fc1/std": "16*4"},
            train_loss="28 20 16 12",
        ),
        Run.drawn(
            facts={"constant_loss": 0.2, "trial_begins": 4000.0, "trial_ends": 3100.0, "lr_steps": 60},
            layers={"fc1/std": "900*4"},
            train_loss="4000 3800 3600 3400",
        ),
        Run.drawn(
            facts={"loss": "squared error", "initial_loss": 2500.0, "roles:fc1": "weight"},
            layers={"fc1/std": "0.1 0.5 1 1 1", "fc1/mean": "0 30 49 50 50"},
            train_loss="2500 400 3 2 2",
        ),
    ),
    healthy=(
        Run.drawn(
            facts={
                "loss": "cross-entropy",
                "num_classes": 10,
                "baseline_loss": 2.303,
                "initial_loss": 2.9,
                "roles:fc1": "weight",
            },
            layers={"fc1/std": "1*4"},
            train_loss="2.9 2.0 1.6 1.2",
        ),
        Run.drawn(
            facts={"loss": "squared error", "initial_loss": 1.1, "roles:fc1": "weight"},
            layers={"fc1/std": "0.1 0.5 1 1 1", "fc1/mean": "0 0.1 0.1 0.1 0.1"},
            train_loss="1.1 0.4 0.3 0.2 0.2",
        ),
    ),
    suppressed_by=("nan-in-layer", "signal-grows"),
)
