"""Fine-tuning destroyed what the model knew: its loss ends above its start, or a general evaluation gets worse."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nndoctor.analysis.reinforcement import levels
from nndoctor.analysis.workload import Workload, workload
from nndoctor.core.confidence import SEVERAL_SIGNS
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import distinct, number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series

MIN_RISE = 0.05  # share of the first training loss, which is that of the pretrained model
MIN_GENERAL_RISE = 0.1  # share of the first loss on general text; a tenth of a nat is common in sound tuning
# Rise to the peak, as a share of the first loss: it distinguishes a destroyed model from one that never learned.
MIN_PEAK = 0.15
ERRORS = 4.0  # standard errors of a level, and deviations of one value as the first is, by which a rise exceeds chance
MIN_POINTS = 3


TOO_LARGE_STEPS = Cause(
    "learning rate too high",
    0.6,
    "the first large steps leave the pretrained weights",
    "one run with a tenth of the learning rate and a warm-up",
)
NARROW_DATA = Cause(
    "too many steps on narrow data",
    0.3,
    "nothing in the examples keeps what they do not need",
    "evaluate the checkpoint of the first epoch on general text",
)
OTHER_FORMAT = Cause(
    "another format than in pretraining",
    0.1,
    "a wrong chat template or tokenizer looks like new text",
    "evaluate the model before the first step on the same examples",
)
NOT_REPLAYED = Cause(
    "earlier data not among the training data",
    0.9,
    "what is no longer trained on is overwritten",
    "one run with a tenth of earlier examples in each batch",
)


def check(run: Run) -> Iterator[Symptom]:
    """Compare the end of the general evaluation, else of the training loss, with the start."""
    if (lost := _on_lost_set(run)) is not None:
        yield lost
        return
    general = run.series_of("validation/general_loss|general_loss", MIN_POINTS)
    if general is not None:
        yield from _on_general_text(general)
        return
    loss = run.series_of("train/loss", 2 * MIN_POINTS)
    if workload(run) is not Workload.FINE_TUNING or loss is None or loss.low <= 0:
        return
    level, first = levels(loss), loss.initial
    if (
        level.last - first > max(MIN_RISE * first, ERRORS * level.error, ERRORS * loss.noise)
        and loss.high > (1 + MIN_PEAK) * first
    ):
        yield _symptom(
            loss,
            f"training loss begins at {number(first)}, rises to {number(loss.high)} and ends at {number(level.last)}: "
            "the model is worse than before it was tuned",
            {"first": first, "peak": loss.high, "last": level.last},
        )


def _on_lost_set(run: Run) -> Symptom | None:
    """A validation set that gets worse while another improves; the reader keeps its series apart."""
    lost = [s for name, s in run.series.items() if name.startswith("set:") and name.endswith("/loss") and len(s.y)]
    better = run.series_of("validation/loss", MIN_POINTS)
    if not lost or better is None:
        return None
    worst = max(lost, key=lambda s: s.last - s.initial)
    right = run.series_of(worst.name.replace("/loss", "/accuracy"), MIN_POINTS)
    also = ""
    if right is not None and right.final < right.initial:
        also = f" and its accuracy fell from {' to '.join(right.in_log_unit(right.initial, right.final))}"
    first, last = distinct(worst.initial, worst.final)
    return _symptom(
        worst,
        f"{worst.column} rose from {first} to {last}{also}, while {better.column} went from {number(better.initial)} to {number(better.final)}: "
        "the model forgets what it knew",
        {"first": worst.initial, "last": worst.final, "sets": len(lost)},
        causes=(NOT_REPLAYED, TOO_LARGE_STEPS),
        remedies=("mix-general-data", "lower-learning-rate", "low-rank-adapters", "fewer-epochs"),
    )


def _on_general_text(general: Series) -> Iterator[Symptom]:
    first, last = general.initial, general.last
    if first > 0 and last - first > max(MIN_GENERAL_RISE * first, ERRORS * general.noise / math.sqrt(len(general.y))):
        yield _symptom(
            general,
            f"the loss on general text ({general.column}) rose from {number(first)} to {number(last)} (+{percent(last / first - 1)}): "
            "the model forgets what it knew",
            {"first": first, "last": last},
        )


def _symptom(
    series: Series,
    text: str,
    evidence: dict[str, float],
    causes: tuple[Cause, ...] = (),
    remedies: tuple[str, ...] = (),
) -> Symptom:
    return Symptom(
        text,
        SEVERAL_SIGNS,
        dict(evidence),
        series=series.name,
        step=series.last_step,
        span=series.span,
        remedies=remedies,
        causes=causes or (TOO_LARGE_STEPS, NARROW_DATA, OTHER_FORMAT),
    )


RULE = Rule(
    code="NN111",
    name="forgetting",
    severity=Severity.WARNING,
    title="the model lost what it knew",
    needs={"train/loss|validation/general_loss|general_loss": MIN_POINTS},
    check=check,
    why="A pretrained model is worth its pretraining. Steps that are too large, or too many on narrow data, overwrite it, and the tuned model is worse than the one it began with.",
    how=f"Of fine-tuning: the training loss rises by {percent(MIN_PEAK)} above its first value on the way and ends above it by {percent(MIN_RISE)} and {ERRORS:g} standard errors. Or an evaluation on general text (eval_general_loss, eval_wikitext_loss, eval_replay_loss) ends {percent(MIN_GENERAL_RISE)} above its start. Or, of several validation sets (eval_old_loss, eval_new_loss), the loss of one rises far while that of another falls.",
    sources=(
        Reference(
            "Luo et al., An Empirical Study of Catastrophic Forgetting in Large Language Models, 2023",
            "https://arxiv.org/abs/2308.08747",
        ),
        Reference("Biderman et al., LoRA Learns Less and Forgets Less, 2024", "https://arxiv.org/abs/2405.09673"),
    ),
    remedies=("lower-learning-rate", "warm-up", "fewer-epochs", "low-rank-adapters", "mix-general-data"),
    sick=(
        Run.drawn({"workload": "fine-tuning"}, train_loss="2.0 3.4 3.1 2.9 2.8 2.7 2.65 2.6*6", lr="0.001*13"),
        Run.drawn({"workload": "fine-tuning"}, train_loss="2.0..1.1*20", validation_general_loss="2.1..3.4*8"),
    ),
    healthy=(
        Run.drawn({"workload": "fine-tuning"}, train_loss="2.0..1.1*20", lr="0.00001*20"),
        Run.drawn({"workload": "fine-tuning"}, train_loss="2.0..1.1*20", validation_general_loss="2.1..2.15*8"),
    ),
    suppressed_by=("nan-loss", "diverged"),
    on_request=True,
)
