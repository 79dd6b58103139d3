"""The gradient norm, the KL divergence or the entropy is NaN or infinite."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.analysis.liveness import NotFinite, columns_not_finite, not_finite
from nndoctor.analysis.nonfinite import gradient_causes
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import in_all, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

SERIES = ("grad_norm", "kl", "approx_kl", "entropy")
MIN_OFTEN = 0.1  # share of the values; an adapting loss scale skips one step in thousands, and a dozen at the start
# NaN at the end of a short log, and their share of it; a loss scale that adapts makes single ones, and mostly infinite.
MIN_ENDING, MIN_SHARE_ENDING = 2, 0.25
CERTAIN = 0.97  # confidence: the values are in the log
SCATTERED = 0.8  # the same of scattered values, which matter less


def check(run: Run) -> Iterator[Symptom]:
    """Count the values that are not finite, and see whether they last."""
    found = [n for name in SERIES if (n := not_finite(run, name)) is not None]
    found += [n for n in columns_not_finite(run) if "loss" not in n.name.lower()]
    if found:
        worst = max(found, key=lambda n: (n.lasts, n.name == "grad_norm", n.count))
        yield _symptom(run, worst, [n.name for n in found if n.lasts and n is not worst])


def _symptom(run: Run, worst: NotFinite, others: list[str]) -> Symptom:
    return Symptom(
        _message(run, worst, others),
        CERTAIN if worst.lasts else SCATTERED,
        {"first": worst.step, "not_finite": worst.count, "values": worst.total, "at_the_end": worst.trailing},
        series=worst.name if worst.name in run.series else None,
        step=worst.step,
        span=(worst.step, worst.step) if not worst.lasts else None,
        causes=gradient_causes(worst) if worst.lasts or _often(worst) or _ends_in_them(worst) else (),
        severity=_severity(worst),
        line=worst.line,
    )


def _often(worst: NotFinite) -> bool:
    return worst.count > MIN_OFTEN * worst.total and worst.total > 2 / MIN_OFTEN


def _ends_in_them(worst: NotFinite) -> bool:
    """Whether a short log ends in NaN after values that were all finite."""
    return (
        not worst.infinite
        and worst.trailing == worst.count >= MIN_ENDING
        and worst.count >= MIN_SHARE_ENDING * worst.total
    )


def _severity(worst: NotFinite) -> Severity | None:
    """The rule's own where the values last; others are a warning where they are many or end a short log, else a remark."""
    if worst.lasts:
        return None
    return Severity.WARNING if _often(worst) or _ends_in_them(worst) else Severity.INFO


def _message(run: Run, worst: NotFinite, others: list[str]) -> str:
    name = "the gradient norm" if worst.name == "grad_norm" else worst.name
    value = "infinite" if worst.infinite else "NaN"
    more = f" ({' and '.join(others[:3])} too)" if others else ""
    if worst.from_start:
        return f"{name} is {value} {in_all(worst.total)}{more}: no useful update is applied"
    if worst.trailing > 1 and worst.trailing == worst.count:
        return (
            f"{name} is {value} from {run.place(worst.step)} to the end, in {worst.count} of {worst.total} values{more}"
        )
    return f"{name} is {value} in {worst.count} of {worst.total} values{more}, first at {run.place(worst.step)}"


RULE = Rule(
    code="NN308",
    name="gradients-not-finite",
    severity=Severity.ERROR,
    title="gradients are NaN or infinite",
    needs={"grad_norm|kl|approx_kl|entropy|train/loss|validation/loss|reward": 0},
    check=check,
    why="A step along a NaN gradient destroys the weights, and a skipped step is wasted. The loss may still look normal: some trainers print 0, or the last loss, instead of NaN.",
    how=f"NaN or infinity in the gradient norm, KL or entropy: an error where it lasts to the end or fills most of the run, a warning where it is more than {percent(MIN_OFTEN)} of the values, or NaN ends the log in {MIN_ENDING} values or more, {percent(MIN_SHARE_ENDING)} of all, information where single values are affected, as with an adaptive loss scale.",
    sources=(
        Reference(
            "PyTorch documentation, Automatic mixed precision: GradScaler",
            "https://docs.pytorch.org/docs/stable/amp.html",
        ),
        Reference(
            "huggingface/transformers#13619: NaN losses are filtered from the log",
            "https://github.com/huggingface/transformers/issues/13619",
        ),
    ),
    remedies=("full-precision", "check-finite-data", "fix-label-masks", "lower-learning-rate", "clip-gradients"),
    sick=(
        Run.drawn(grad_norm="1*10 nan*15", train_loss="2.3..1.9*10 1.9*15"),
        Run.drawn(grad_norm="nan*12", train_loss="1.08 0*11"),
        Run.drawn(grad_norm="inf 1*20 inf 1*20", train_loss="2.3..1*42"),
        Run.drawn(grad_norm="1.4 1.2 1.3 1.1 nan nan", train_loss="2.3..2.1*6"),
    ),
    healthy=(Run.drawn(grad_norm="1.2..0.8*20", train_loss="2.3..1*20"),),
    suppressed_by=("nan-loss", "nan-in-layer"),
)
