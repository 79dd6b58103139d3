"""Whether a remedy worked: what became of the first side's findings, and whether the metric they promised improved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from nndoctor.compare.comparison import Comparison, ComparisonVerdict, Side
from nndoctor.core.finding import Finding, Severity
from nndoctor.core.run import FactValue

# The split that the remedies of a finding promise to improve; for any other the series that it is about, or the judged one.
PROMISED = {"high-bias": "train/", "not-converged": "train/", "lr-too-low": "train/", "plateau-at-start": "train/"}

Values = tuple[FactValue | None, FactValue | None]


@dataclass(frozen=True, slots=True)
class FindingChange:
    """What became of one finding from the first side to another: `gone`, `still`, `new` or `unknown` (not examined).

    `series` is the measure that a remedy promises to improve, `tried` the remedies that the settings show.
    """

    side: int
    code: str
    name: str
    severity: str
    status: str
    series: str | None
    outcome: ComparisonVerdict
    tried: tuple[str, ...] = ()


def changes(comparison: Comparison) -> list[FindingChange]:
    """What became of each finding at warning or above, and what is new, for every side after the first."""
    first = comparison.sides[0]
    had = _findings(first)
    found: list[FindingChange] = []
    for k, side in enumerate(comparison.sides[1:], 1):
        has = _findings(side)
        for name, finding in had.items():
            found.append(_change(comparison, k, finding, _finding_outcome(side, name, finding.code)))
        found += [_change(comparison, k, finding, "new") for name, finding in has.items() if name not in had]
    return found


def _findings(side: Side) -> dict[str, Finding]:
    """By name, the gravest of each, in order of importance."""
    found: dict[str, Finding] = {}
    for report in side.reports:
        for finding in report.at_least(Severity.WARNING):
            found.setdefault(finding.name, finding)
    return found


def _finding_outcome(side: Side, name: str, code: str) -> str:
    if any(f.name == name for report in side.reports for f in report.findings):
        return "still"
    return "gone" if any(code in report.cleared for report in side.reports) else "unknown"


def _change(comparison: Comparison, side: int, finding: Finding, status: str) -> FindingChange:
    series = _promised(comparison, finding)
    measure = comparison.measure(series)
    outcome = ComparisonVerdict.UNKNOWN if measure is None else measure.outcome(0, side)
    tried = tuple(r.name for r in finding.remedies if r.name in TRIED and _was_tried(comparison, side, r.name))
    return FindingChange(side, finding.code, finding.name, str(finding.severity), status, series, outcome, tried)


def _promised(comparison: Comparison, finding: Finding) -> str | None:
    names = [m.name for m in comparison.measures if not m.seconds]
    split = PROMISED.get(finding.name)
    if split is None:
        return finding.series if finding.series in names else comparison.judged
    metric = (comparison.judged or "").rpartition("/")[2]
    return next((n for n in (f"{split}{metric}", f"{split}loss") if n in names), comparison.judged)


def _was_tried(comparison: Comparison, side: int, remedy: str) -> bool:
    before, after = comparison.sides[0].settings, comparison.sides[side].settings
    return any(test((before.get(name), after.get(name))) for name, test in TRIED[remedy].items())


def _more(values: Values) -> bool:
    a, b = (0.0 if v is None else v for v in values)
    return isinstance(a, (int, float)) and isinstance(b, (int, float)) and b > a and values[1] is not None


def _less(values: Values) -> bool:
    a, b = values
    return isinstance(a, (int, float)) and isinstance(b, (int, float)) and b < a


def _became(*words: str) -> Callable[[Values], bool]:
    return lambda values: str(values[1]).lower() in words and str(values[0]).lower() not in words


SIZES = ("parameters", "trainable_parameters", "n_parameters", "hidden", "layers", "width", "depth")

# Remedies that show in the settings: any one of these changes is the remedy.
TRIED: Mapping[str, Mapping[str, Callable[[Values], bool]]] = {
    "lower-learning-rate": {"lr": _less},
    "raise-learning-rate": {"lr": _more},
    "weight-decay": {"weight_decay": _more, "l2": _more},
    "dropout": {"dropout": _more},
    "less-regularization": {"weight_decay": _less, "dropout": _less, "l2": _less, "l1": _less},
    "larger-batch": {"batch_size": _more},
    "larger-network": dict.fromkeys(SIZES, _more),
    "smaller-network": dict.fromkeys(SIZES, _less),
    "train-longer": {"epochs": _more, "steps": _more},
    "adam": {"optimizer": _became("adam", "adamw")},
    "rmsprop": {"optimizer": _became("rmsprop")},
    "clip-gradients": {"clip": _more, "gradient_clip_val": _more, "max_grad_norm": _more},
    "early-stopping": {"patience": _more},
    "warm-up": {"warmup": _more, "warmup_steps": _more},
    "decay-learning-rate": {"schedule": _became("cosine", "linear", "step", "inverse-sqrt")},
    "label-smoothing": {"label_smoothing": _more},
}
