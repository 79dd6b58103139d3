"""Requirements on a run (--require): a small grammar, parsed and never evaluated, and its check.

requirement  = subject, comparison, bound
subject      = "epochs" | "steps" | series, [statistic]      (statistic: last where none is named)
statistic    = "first" | "last" | "best" | "min" | "max" | "mean"
comparison   = ">=" | ">" | "<=" | "<"
bound        = number, ["%"] | [number, "*"], "baseline" | "baseline", ("+" | "-" | "*"), number
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

import numpy as np

from nndoctor.core.errors import UsageError, nearest
from nndoctor.core.metrics import BY_NAME, metric_of
from nndoctor.core.run import SPLITS, Run, direction
from nndoctor.core.series import Series

STATISTICS = ("first", "last", "best", "min", "max", "mean")
COUNTS = ("epochs", "steps")
COMPARISONS = (">=", "<=", ">", "<")
NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
TOKEN = re.compile(rf"\s*(?:(?P<op>[<>]=?)|(?P<number>{NUMBER})|(?P<sign>[*%+\-=!])|(?P<name>[^\s<>=!*%+]+))")
EXAMPLE = "'validation/accuracy best >= 0.92'"


@dataclass(frozen=True, slots=True)
class Requirement:
    """A subject (`epochs`, `steps` or a series and its statistic), a comparison, and factor × baseline + number."""

    text: str
    subject: str
    statistic: str
    comparison: str
    number: float
    factor: float = 0.0
    percent: bool = False


@dataclass(frozen=True, slots=True)
class RequirementResult:
    """The check of one requirement: `margin` is positive if it is met; `missing` says why there is no value."""

    met: bool
    value: float | None = None
    bound: float | None = None
    margin: float | None = None
    noise: float | None = None
    missing: str = ""


def _quoted(word: str) -> str:
    return f"'{word}'" if word else "the end"


class _Words:
    """The words of a requirement, one after the other, each with its place."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self.words = text, 0, list[tuple[str, str, int]]()
        at, end = 0, len(text.rstrip())
        while at < end:
            found = TOKEN.match(text, at)
            if found is None:
                raise self.wrong("not understood", at)
            kind = str(found.lastgroup)
            self.words.append((kind, found[kind], found.start(kind)))
            at = found.end()

    def peek(self) -> tuple[str, str, int]:
        return self.words[self.at] if self.at < len(self.words) else ("end", "", len(self.text))

    def take(self, *kinds: str, wanted: str) -> str:
        kind, word, at = self.peek()
        if kind not in kinds and word not in kinds:
            raise self.wrong(f"expected {wanted}; found {_quoted(word)}", at)
        self.at += 1
        return word

    def wrong(self, problem: str, at: int) -> UsageError:
        return UsageError(f"requirement '{self.text}', character {at + 1}: {problem}; an example: {EXAMPLE}")


def parse(text: str) -> Requirement:
    """The requirement that a text spells. Raises UsageError at the character where it makes no sense."""
    words = _Words(text)
    at = words.peek()[2]
    subject = words.take("name", wanted="a series, epochs or steps")
    if subject in (*STATISTICS, "baseline"):
        raise words.wrong(f"expected a series, epochs or steps; found '{subject}'", at)
    statistic = "last"
    kind, word, at = words.peek()
    if kind == "name":
        if word not in STATISTICS or subject in COUNTS:
            wanted = "a comparison" if subject in COUNTS else f"one of {', '.join(STATISTICS)}"
            raise words.wrong(f"'{word}' is not a statistic{nearest(word, STATISTICS)}; expected {wanted}", at)
        statistic = words.take("name", wanted="")
    comparison = words.take("op", wanted=f"one of {' '.join(COMPARISONS)}")
    factor, number, percent = _bound(words)
    words.take("end", wanted="nothing more")
    return Requirement(text.strip(), subject, statistic, comparison, number, factor, percent)


def _bound(words: _Words) -> tuple[float, float, bool]:
    """The factor of the baseline, the number, and whether that is in percent."""
    kind, word, at = words.peek()
    if kind == "number":
        number = _number(words)
        if words.peek()[1] == "%":
            words.take("%", wanted="")
            return 0.0, number / 100, True
        if words.peek()[1] == "*":
            words.take("*", wanted="")
            words.take("baseline", wanted="baseline")
            return number, 0.0, False
        return 0.0, number, False
    if word != "baseline":
        raise words.wrong(f"expected a number or baseline; found {_quoted(word)}", at)
    words.take("baseline", wanted="")
    kind, word, _ = words.peek()
    if kind == "number" and word[0] in "+-":  # baseline -0.1
        return 1.0, _number(words), False
    if word in ("+", "-", "*"):
        words.take("sign", wanted="")
        number = _number(words)
        return (number, 0.0, False) if word == "*" else (1.0, -number if word == "-" else number, False)
    return 1.0, 0.0, False


def _number(words: _Words) -> float:
    at = words.peek()[2]
    number = float(words.take("number", wanted="a number"))
    if not math.isfinite(number):
        raise words.wrong("a number too large", at)
    return number


def resolved(run: Run, wanted: Requirement) -> Requirement:
    """The requirement on the series that its subject names, be it in the spelling of a column (`meant:<subject>`)."""
    if wanted.subject in run.series or wanted.subject in COUNTS:
        return wanted
    named = next((s.name for s in run.series.values() if s.column == wanted.subject), None)
    return replace(wanted, subject=named or str(run.fact(f"meant:{wanted.subject}") or wanted.subject))


def misspelled(run: Run, wanted: Requirement) -> str | None:
    """Why a subject can only be a typing error, or None: it is no series or column of the log and no known name."""
    subject = resolved(run, wanted).subject
    if subject in run.series or subject in COUNTS:
        return None
    split, _, metric = subject.rpartition("/")
    if (split in SPLITS and (metric == "loss" or metric in BY_NAME)) or subject in ("lr", "grad_norm"):
        return None
    names = [*run.series, *(series.column for series in run.series.values())]
    return f"unknown series '{subject}'{nearest(subject, names)}"


def judge(run: Run, wanted: Requirement) -> RequirementResult:
    """Check a requirement; one on something that the log lacks is never met."""
    wanted = resolved(run, wanted)
    value, noise, missing = _value(run, wanted)
    if value is None:
        return RequirementResult(met=False, noise=noise, missing=missing)
    bound = wanted.number
    if wanted.factor:
        good = baseline(run, wanted)
        if good is None:
            return RequirementResult(met=False, value=value, noise=noise, missing="no baseline holds this value")
        bound = wanted.factor * good + wanted.number
    elif not wanted.percent and abs(bound) > 1 and _is_share(wanted.subject):
        bound /= 100  # 92 for a share is 92 %
    margin = value - bound if wanted.comparison.startswith(">") else bound - value
    met = margin >= 0 if wanted.comparison.endswith("=") else margin > 0
    return RequirementResult(met, value, bound, margin, noise)


def baseline(run: Run, wanted: Requirement) -> float | None:
    """The mean of the required value over the baseline's runs, or None."""
    known = run.numbers(f"baseline:{wanted.subject} {wanted.statistic}")
    return float(np.mean(known)) if known else None


def measure(series: Series, statistic: str) -> float | None:
    """A statistic of the values as logged; None where it is not finite. Best is the highest where higher is better."""
    if statistic in ("first", "last"):
        value = float(series.values[0 if statistic == "first" else -1]) if len(series) else math.nan
        return value if math.isfinite(value) else None
    if not len(series.y):
        return None
    if statistic == "mean":
        return float(series.y.mean())
    highest = statistic == "max" or (statistic == "best" and direction(series.name))
    return float(series.y.max() if highest else series.y.min())


def _value(run: Run, wanted: Requirement) -> tuple[float | None, float | None, str]:
    """The value, the noise of one value, and the reason if there is none."""
    if wanted.subject in COUNTS:
        count = counted(run, wanted.subject)
        return count, None, "" if count is not None else f"the log counts no {wanted.subject}"
    series = run.series.get(wanted.subject)
    if series is None:
        return None, None, f"no {wanted.subject} in the log{nearest(wanted.subject, run.series)}"
    value = measure(series, wanted.statistic)
    return value, series.noise, "" if value is not None else f"its {wanted.statistic} value is not a number"


def counted(run: Run, what: str) -> float | None:
    """How many epochs the log counts, or its last step."""
    if what == "epochs":
        epochs = run.fact("epochs")
        return float(epochs) if isinstance(epochs, (int, float)) else None
    ends = [float(s.steps[-1]) for s in run.series.values() if len(s)]
    return max(ends) if ends else None


def _is_share(subject: str) -> bool:
    metric = metric_of(subject)
    return metric is not None and metric.share
