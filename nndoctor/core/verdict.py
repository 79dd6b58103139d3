"""The verdict on a run: the one sentence that names the diagnosis, or says why there is none."""

from __future__ import annotations

import math
import re

import numpy as np

from nndoctor.core.finding import Finding, Severity
from nndoctor.core.formatting import listed, number, plural, rough, step
from nndoctor.core.metrics import series_in_words
from nndoctor.core.prognosis import confidence_in_words
from nndoctor.core.report import Report
from nndoctor.core.run import direction
from nndoctor.core.series import Series

TOO_FEW = "not enough data"  # how the reason begins where a log has too few points: it is a sentence of its own
MIN_STAYS = 6  # values that show that a loss goes nowhere
MAX_WIDTH = 0.3  # share of its mean between the lowest and the highest of them
SPREADS = 1.0  # standard errors by which its beginning and its end may differ
# Remarks that a verdict without a finding must not hide.
GRAVE = ("overtraining", "high-variance", "metric-at-worst")
MIN_SCORE = 0.05  # score that never changes, from which it is named: a regression's accuracy is lower
LIKELY_REMARK = 0.8  # confidence from which it names them
FAR_RISE = 1.1  # times its best, from which on a validation loss that rose is named
MIN_EPISODES, MAX_NOISE = 50, 0.02  # rewards, and share of their range by which they scatter, of single episodes
FIRST_TWENTIETH, LAST_TWENTIETH = (0.0, 0.05), (0.95, 1.0)  # shares of the run
# Workloads whose losses do not measure progress; their level and gap are not mentioned.
REINFORCEMENT = "reinforcement-learning"
OF_SUCCESS = re.compile("reward|return|score|success|win")  # series that show how well a game is played
WITHOUT_LOSS = (REINFORCEMENT, "gan")


def verdict(report: Report) -> tuple[str, str]:
    """The sentence, and its style: a severity, `info` where nothing can be said, or `good`.

    Names the primary finding in full and any further findings by name.
    """
    sentence, style = headline(report)
    primary = report.primary
    if primary is None:
        return sentence, style
    others = dict.fromkeys(rule_in_words(f.name) for f in report.at_least(Severity.WARNING) if f.name != primary.name)
    return f"{sentence} Also found: {listed(list(others))}." if others else sentence, style


def headline(report: Report) -> tuple[str, str]:
    """The verdict without the names of further findings."""
    primary = report.primary
    if primary is not None:
        return finding_sentence(primary), str(primary.severity)
    reason = report.unjudged
    if reason is not None:
        return sentence(reason if reason.startswith(TOO_FEW) else f"cannot judge this run: {reason}"), "info"
    return _no_problems(report), "good"


def essence(report: Report) -> str:
    """The verdict in a few words: `Overtraining, likely (79%)`."""
    primary = report.primary
    if primary is not None:
        return f"{capitalized(rule_in_words(primary.name))}, {confidence_in_words(primary.confidence)}"
    reason = report.unjudged
    if reason is None:
        return "No problems found" if _grave_remark(report) is None else "No clear problem found"
    return capitalized(TOO_FEW) if reason.startswith(TOO_FEW) else "Cannot judge this run"


def finding_sentence(finding: Finding) -> str:
    """A finding as a sentence, with its name in front where the message does not itself say it.

    The order of the words does not matter: "training loss became NaN" says "NaN loss".
    """
    message = finding.message.rstrip(".")
    name = rule_in_words(finding.name)
    words_of_message = {_stem(word) for word in message.lower().split()}
    if {_stem(word) for word in name.lower().split()} <= words_of_message:
        return sentence(message)
    return sentence(f"{name}: {message}")


def rule_in_words(name: str) -> str:
    """A rule's name as words.

    >>> rule_in_words("lr-too-high"), rule_in_words("nan-loss"), rule_in_words("dead-relu")
    ('learning rate too high', 'NaN loss', 'dead ReLU')
    """
    words = name.replace("nan-", "NaN-").replace("relu", "ReLU").replace("kl-", "KL-").split("-")
    return " ".join("learning rate" if word == "lr" else word for word in words)


def capitalized(text: str) -> str:
    """The text with a capital at its start, unless it begins with a name such as `train_data`."""
    return text if "_" in text.partition(" ")[0] else text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """The text as a sentence: a capital at its start, and a mark at its end.

    >>> sentence("use ReLU"), sentence("do labels match inputs?")
    ('Use ReLU.', 'Do labels match inputs?')
    """
    return capitalized(text) if text.endswith(("?", "!")) else f"{capitalized(text).rstrip('.')}."


def _no_problems(report: Report) -> str:
    """The sentence on a healthy run: what its losses reached, and what the log cannot show."""
    if report.run.format == "model":
        late = report.run.texts("unchecked")
        some = f", but {plural(len(late), 'check')} did not fit into the time budget" if late else ""
        return f"No problems found{some}."
    if report.workload == REINFORCEMENT and not any(map(OF_SUCCESS.search, report.run.series)):
        return "No problems found, but this log holds no reward: log it to see whether the agent learns."
    if report.workload in WITHOUT_LOSS:
        return f"No problems found.{_rewarded(report) or _of_both_sides(report)}"
    found = {finding.name: finding for finding in reversed(report.findings)}
    if (unvalidated := found.get("no-validation")) is not None:
        if "validation_until" in unvalidated.evidence:
            return f"No problems found, but {unvalidated.message.rstrip('.')}."
        return f"No problems found in training.{_stays(report) or _ends(report)} Log validation loss to check for overfitting."
    if not any(name.startswith("train/") for name in report.run.series):
        return f"No problems found in validation.{_ends(report)} Log training loss to check for under- and overfitting."
    if (remark := _grave_remark(report)) is not None:
        return f"No clear problem found, but {remark.message.rstrip('.')}."
    if (bias := found.get("high-bias")) is not None:
        return f"No problems found, but the model may be underfitting: {bias.message.rstrip('.')}."
    return f"No problems found.{_ends(report)}"


def _grave_remark(report: Report) -> Finding | None:
    """A remark on overfitting or on a score that never changes, likely and large enough, to be named next to the verdict."""
    if report.primary is not None or report.workload in WITHOUT_LOSS:
        return None
    likely = [f for f in report.findings if f.name in GRAVE and f.confidence >= LIKELY_REMARK]
    return next((f for f in likely if _is_grave(f)), None)


def _is_grave(remark: Finding) -> bool:
    """Whether a remark is on a rise that is far enough, or on a score of a size that a regression's accuracy has not."""
    if remark.name == "metric-at-worst":
        value = remark.evidence.get("value")
        return isinstance(value, float) and value >= MIN_SCORE
    return remark.name != "overtraining" or _rises_far(remark)


def _rises_far(overtraining: Finding) -> bool:
    best, last = (overtraining.evidence.get(name) for name in ("best", "last"))
    return isinstance(best, float) and isinstance(last, float) and last > FAR_RISE * best > 0


def _rewarded(report: Report) -> str:
    """` Reward goes from 0.19 to 0.94.`, where a reward is logged."""
    paid = report.run.series.get("reward")
    summary = None if paid is None else paid.summary
    if paid is None or summary is None:
        return ""
    if len(paid.y) >= MIN_EPISODES and paid.noise > MAX_NOISE * (paid.high - paid.low):  # of single episodes
        first, last = (rough(paid.level(*part)) for part in (FIRST_TWENTIETH, LAST_TWENTIETH))
        return (
            f" Reward stays at about {last}." if first == last else f" Reward goes from about {first} to about {last}."
        )
    first, last = number(summary.first), number(summary.last)
    return f" Reward starts and ends at {last}." if first == last else f" Reward goes from {first} to {last}."


def _of_both_sides(report: Report) -> str:
    """` Generator loss ends at 1.42, discriminator loss at 0.61.`, of the sides of a GAN that are logged."""
    sides = [report.run.series.get(name) for name in ("generator_loss", "discriminator_loss")]
    ends = [(s.name, s.summary.last) for s in sides if s is not None and s.summary is not None]
    if not ends:
        return ""
    (name, last), *others = ends
    words = f"{series_in_words(name)} ends at {number(last)}"
    words += "".join(f", {series_in_words(other)} at {number(level)}" for other, level in others)
    return f" {capitalized(words)}."


def _stays(report: Report) -> str:
    """` Training loss stays between 2.07 and 2.21.`, where it neither falls nor rises over the values of the log; else the empty text."""
    loss = report.run.series_of("train/loss")
    if loss is None or loss.summary is None or len(loss.y) < MIN_STAYS or not _goes_nowhere(loss):
        return ""
    low, high = loss.in_log_unit(loss.summary.low, loss.summary.high)
    return f" Training loss stays between {low} and {high}." if low != high else ""


def _goes_nowhere(series: Series) -> bool:
    """Whether the first and the last third of a series differ by no more than its noise, which is small."""
    third = len(series.y) // 3
    before, after = series.y[:third], series.y[-third:]
    with np.errstate(over="ignore", invalid="ignore"):  # a log may hold 1e308, and pages are drawn outside the engine
        spread = float(series.y.std(ddof=1))
        narrow = series.high - series.low <= MAX_WIDTH * abs(float(series.y.mean()))
        return narrow and abs(float(before.mean() - after.mean())) <= SPREADS * spread * math.sqrt(2 / third)


def _ends(report: Report) -> str:
    """` Training loss ends at 0.19, validation loss at 0.22 (best 0.21 at epoch 37).`, from the log's own values."""
    metric = report.run.metric
    for name in ("loss", metric.name if metric else "loss"):
        found = [s for split in ("train", "validation") if (s := report.run.series_of(f"{split}/{name}")) is not None]
        if name == "loss" and len(found) == 1 and metric is not None:
            scored = report.run.series_of(f"validation/{metric.name}")
            found += [scored] if found[0].name == "train/loss" and scored is not None else []
        if found:
            return " " + capitalized(", ".join(_end(report, s, later=k > 0) for k, s in enumerate(found))) + "."
    return ""


def _end(report: Report, series: Series, *, later: bool) -> str:
    """`training loss ends at 0.19`; of validation also its best value where that is not the last."""
    summary = series.summary
    if summary is None:
        return ""
    (last,) = series.in_log_unit(summary.last)
    best, at = (summary.high, summary.high_step) if direction(series.name) else (summary.low, summary.low_step)
    better = series.name.startswith("validation/") and not math.isclose(best, summary.last, rel_tol=0.01)
    where = f" (best {series.in_log_unit(best)[0]} at {report.axis} {step(at)})" if better else ""
    return f"{series_in_words(series.name)} {'' if later else 'ends '}at {last}{where}"


def _stem(word: str) -> str:
    return word.strip(".,:;()").removesuffix("s")
