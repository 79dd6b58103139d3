"""The verdict on a run: the one sentence that names the diagnosis, or says why there is none."""

from __future__ import annotations

from nndoctor.core.finding import Severity
from nndoctor.core.report import Report


def verdict(report: Report) -> tuple[str, str]:
    """The sentence, and its style: a severity, `info` where nothing can be said, or `good`."""
    primary = report.primary
    if primary is not None:
        others = dict.fromkeys(spoken(f.name) for f in report.at_least(Severity.WARNING) if f.name != primary.name)
        more = f" Also {_listed(list(others))}." if others else ""
        return f"{capital(spoken(primary.name))}: {primary.message}.{more}", str(primary.severity)
    reason = cannot_say(report)
    if reason is not None:
        return f"Cannot say: {reason}.", "info"
    if report.run.format == "model":
        late = report.run.fact("unchecked")
        some = f", but {len(late)} checks did not fit into the budget" if isinstance(late, tuple) and late else ""
        return f"Nothing wrong found{some}.", "good"
    if any(f.name == "no-validation" for f in report.findings):
        return "Nothing wrong found in training; without validation nothing can be said about new data.", "good"
    if not any(name.startswith("train/") for name in report.run.series):
        return "Nothing wrong found in validation; without training values bias and variance cannot be judged.", "good"
    return _nothing_wrong(report), "good"


def _nothing_wrong(report: Report) -> str:
    """What is said of a healthy run: with what it rests on, where bias depends on a target that nobody gave."""
    bias = next((f for f in report.findings if f.name in ("high-bias", "bias-unknown")), None)
    if bias is None:
        return "Nothing wrong found."
    if bias.name == "high-bias":
        return f"Nothing wrong found, unless it is high bias: {bias.message}."
    return "Nothing wrong found; high bias can be neither seen nor ruled out."


def cannot_say(report: Report) -> str | None:
    """Why the run could not be judged, or None where it was: what nobody examined is never called healthy."""
    if report.primary is not None:
        return None
    few = next((f for f in report.findings if f.name == "too-little-data"), None)
    if few is not None:
        return few.message
    judged = {*report.cleared, *(f.code for f in report.findings)}
    if any(not _of_the_log(code) for code in judged):
        return None
    lacking = [s for s in report.skipped if s.missing is not None]
    if judged and all(_of_the_log(s.code) for s in lacking):
        return None
    reasons = list(dict.fromkeys(s.reason for s in lacking)) or ["no rule was asked for"]
    return _listed(reasons[:3])


def spoken(name: str) -> str:
    """A rule's name as words.

    >>> spoken("lr-too-high"), spoken("nan-loss")
    ('learning rate too high', 'NaN loss')
    """
    words = name.replace("nan-", "NaN-").replace("relu", "ReLU").split("-")
    return " ".join("learning rate" if word == "lr" else word for word in words)


def capital(text: str) -> str:
    """The text with a capital at its start."""
    return text[:1].upper() + text[1:]


def _of_the_log(code: str) -> bool:
    """Whether a rule judges the log itself, not the training."""
    return code.startswith("NN0")


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
