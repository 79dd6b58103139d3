"""What was checked and what was not, what to log for more checks, unrecognized columns and notes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

from nndoctor.analysis.workload import Workload
from nndoctor.core.formatting import listed, plural
from nndoctor.core.metrics import series_in_words
from nndoctor.core.report import Report, Skipped
from nndoctor.core.run import ANY_LAYER
from nndoctor.core.sanitize import printable
from nndoctor.core.shell import quoted_word
from nndoctor.readers.vocabulary.names import Kind, meaning_of
from nndoctor.reporters.page import Page, shortened

MODEL_FAMILIES = ("NN6", "NN7", "NN8")  # the families that only a check of the model can judge, not a log
FIELDS = {
    "NNR": (Workload.REINFORCEMENT, Workload.PREFERENCE),
    "NNG": (Workload.GAN, Workload.VAE, Workload.DIFFUSION, Workload.CONTRASTIVE),
}
"""The families that judge only some kinds of training."""

MARGIN = 14  # characters of the longest title and a blank
AXIS = re.compile(r"epoch|step|iter|batch|time|date|seed|^id$|_id$", re.IGNORECASE)  # columns unlikely to be a loss
LOSS = re.compile(r"loss|cost|objective|nll|entropy|mse|mae|err", re.IGNORECASE)  # columns that may be one
HELD_OUT = re.compile(r"(^|[^a-z])(val|valid|dev|eval|test)", re.IGNORECASE)  # columns of a held-out split
NEEDS = ", needs "  # between what there is and what is wanted
MAX_NAMES = 6  # names listed before "and 3 more"


def not_checked_line(page: Page, report: Report) -> None:
    """One line: how many checks this log does not allow, and what to log for more of them."""
    if report.run.format == "model":
        count = len([s for s in report.skipped if s.missing is not None])
        of_all = f"{count} of {_judgeable(report)} checks {'was' if count == 1 else 'were'} not possible on this model."
        page.row(
            [("Not checked: ", "dim"), of_all]
            if count
            else [(f"{plural(len(report.cleared), 'check')} passed.", "dim")]
        )
        return
    lacking = _lacking(report)
    if not lacking:
        page.row([("Not checked: nothing; all checks that apply were run.", "dim")])
        return
    text = f"{len(lacking)} of {_judgeable(report)} checks."
    wanted = _wanted(report)
    for most in range(len(wanted), 0, -1):
        enabled = sum(_asked(s) in wanted[:most] for s in lacking)
        hint = f" Log {listed([_spoken(name) for name in wanted[:most]])} to enable {enabled} more."
        if len("Not checked: ") + len(text) + len(hint) <= page.width:
            text += hint
            break
    page.row([("Not checked: ", "dim"), shortened(text, page.width - len("Not checked: "))])


def unrecognized_line(page: Page, report: Report) -> None:
    """One line on columns that were not understood, with the option that names one; nothing if there are none."""
    text = _unknown(report)
    if text:
        page.row([("Unrecognized: ", "dim"), shortened(text, page.width - MARGIN)])


def command(report: Report) -> str:
    """The command that shows the whole report of the run."""
    path = report.run.path or report.source
    name = "sanity" if report.run.format == "model" else "diagnose"
    return f"nndoctor {name} -v {quoted_word(path) if path.isprintable() else printable(path)}".rstrip()


def check_details(page: Page, report: Report) -> None:
    """Everything in detail, each part under its title; empty parts are left out."""
    if report.cleared:
        of_all = f"{len(report.cleared)} of {_judgeable(report)} checks: {ranges(report.cleared)}"
        _titled(page, "Passed", "good", of_all)
    for reason, names in _grouped(s for s in report.skipped if s.missing is None):
        _titled(page, "Suppressed", "info", f"{reason}: {_shortlist(names)}")
    (_not_measured if report.run.format == "model" else _not_in_the_log)(page, report)
    unknown = _unknown(report)
    if unknown:
        _titled(page, "Unrecognized", "info", unknown)
    for error in report.errors:
        _titled(page, "Failed", "info", error)
    for note in report.run.notes:
        _titled(page, "Note", "info", note)


def _not_measured(page: Page, report: Report) -> None:
    """The checks of a model for which something could not be measured; a log would not show it."""
    names = [s.name for s in report.skipped if s.missing is not None]
    if names:
        _titled(page, "Not checked", "info", f"not measured here: {_shortlist(names)}")


def _not_in_the_log(page: Page, report: Report) -> None:
    """The checks that the log does not allow, by reason, and what to log for more of them."""
    lacking, apart, wanted = _lacking(report), _of_model_check(report), _wanted(report)
    reasons = [f"{reason}: {_shortlist(names)}" for reason, names in _grouped(lacking)]
    if apart:
        reasons.append(f"data, model and first steps ({plural(len(apart), 'check')}): nndoctor sanity model.py")
    for k, reason in enumerate(reasons):
        _titled(page, "" if k else "Not checked", "info", reason)
    if wanted:
        enabled = sum(_asked(s) in wanted for s in lacking)
        _titled(
            page, "To log", "info", f"log {listed([_spoken(name) for name in wanted])} to enable {enabled} more checks"
        )


def ranges(codes: Iterable[str]) -> str:
    """Codes in order, neighbours joined, the letters of a family once.

    >>> ranges(["NN001", "NN002", "NN003", "NN101", "NN103"]), ranges(["NN001", "NNP01", "NNP02"])
    ('NN001-003, 101, 103', 'NN001, NNP01-02')
    """
    words = []
    for letters, family in groupby(sorted(codes, key=_spelled), lambda code: _spelled(code)[0]):
        numbers = [(int(code[len(letters) :]), code[len(letters) :]) for code in family]
        runs = [[n[1] for _, n in group] for _, group in groupby(enumerate(numbers), lambda pair: pair[1][0] - pair[0])]
        words.append(letters + ", ".join(r[0] if len(r) == 1 else f"{r[0]}-{r[-1]}" for r in runs))
    return ", ".join(words)


def _spelled(code: str) -> tuple[str, str]:
    """The letters of a code and the rest: `NN` and `103`, `NNP` and `01`."""
    letters = code.rstrip("0123456789")
    return letters, code[len(letters) :]


def _judgeable(report: Report) -> int:
    """How many checks apply: those that passed, found something or lack something, without those of a model."""
    every = len(report.cleared) + len({f.code for f in report.findings}) + len(report.skipped)
    return every - (0 if report.run.format == "model" else len(_of_model_check(report))) - len(_foreign(report))


def _lacking(report: Report) -> list[Skipped]:
    """The checks that this log does not allow."""
    apart = [*_of_model_check(report), *_foreign(report)]
    return [s for s in report.skipped if s.missing is not None and s not in apart]


def _foreign(report: Report) -> list[Skipped]:
    """The checks of other kinds of training, which lack series that this kind does not log."""
    others = tuple(letters for letters, kinds in FIELDS.items() if report.workload not in kinds)
    return [s for s in report.skipped if s.missing is not None and s.code.startswith(others)]


def _of_model_check(report: Report) -> list[Skipped]:
    """The rules that only a check of the model can judge."""
    return [s for s in report.skipped if s.code.startswith(MODEL_FAMILIES) and (s.missing or "").startswith("fact:")]


def _wanted(report: Report) -> list[str]:
    """The series and settings that would allow more checks, those that allow most first; none for a game or a GAN, where no series would help."""
    if report.run.fact("task") is not None:
        return []
    asked = Counter(_asked(s) for s in _lacking(report) if not _has_some(s) and not _of_layers(s))
    return [name for name, _ in asked.most_common() if not (name.endswith("/metric") and report.run.get(name))]


def _spoken(name: str) -> str:
    """A series as a reader would name it: `validation loss`, `a validation metric`, `lr`."""
    words = series_in_words(name) if "/" in name else name
    return f"a {words}" if name.endswith("/metric") else words


def _unknown(report: Report) -> str:
    """The columns that were not understood, and how to name one."""
    unknown = [name for name in report.run.unknown if not _is_superseded(report, name)]
    if not unknown or (report.run.fact("task") is not None and not _lacks_reward(report)):
        return ""
    loss = None if _has_losses(report) else next((n for n in unknown if LOSS.search(n)), None)
    how = "--map" if loss is None else f"--map {_quoted(loss)}"
    which = "it" if len(unknown) == 1 else "them" if loss is None else "one"
    hint = "" if all(map(AXIS.search, unknown)) else f" (map {which} with {how})"
    return f"{_shortlist([printable(name) for name in unknown])}{hint}"


def _lacks_reward(report: Report) -> bool:
    """Whether a game is logged whose reward was not recognized."""
    return report.workload == "reinforcement-learning" and "reward" not in report.run.series


def _is_superseded(report: Report, name: str) -> bool:
    """Whether a column is understood, and another one says the same, or the whole of which it is a part."""
    meaning = meaning_of(name)
    metric = "loss" if meaning.kind is Kind.PART else meaning.metric
    return meaning.is_metric and not {metric, f"{meaning.split or 'train'}/{metric}"}.isdisjoint(report.run.series)


def _has_losses(report: Report) -> bool:
    """Whether both losses were recognized, so that another column is unlikely to be one."""
    return {"train/loss", "validation/loss"} <= report.run.series.keys()


def _titled(page: Page, title: str, style: str, text: str) -> None:
    page.line((f"{title:<{MARGIN}}", style), text, hanging=MARGIN)


def _grouped(skipped: Iterable[Skipped]) -> list[tuple[str, list[str]]]:
    """The rules' names by reason; those that lack points of one series share a reason."""
    groups: dict[str, list[str]] = {}
    for one in skipped:
        reason = one.reason.partition(NEEDS)[0] + ", too few" if _has_some(one) else one.reason
        groups.setdefault(reason, []).append(one.name)
    return list(groups.items())


def _has_some(skipped: Skipped) -> bool:
    """Whether what it needs is in the log, in too few points."""
    return NEEDS in skipped.reason


def _asked(skipped: Skipped) -> str:
    """What to log, as a series or a setting is called: `lr`, `optimizer`; the first where several would do."""
    return (skipped.missing or "").removeprefix("fact:").split("|")[0]


def _of_layers(skipped: Skipped) -> bool:
    """Whether it lacks layer statistics, whose reason itself says how to record them."""
    return (skipped.missing or "").startswith(ANY_LAYER)


def _quoted(column: str) -> str:
    name = printable(column).replace("'", "\\'")
    split = "validation" if HELD_OUT.search(column) else "train"
    return f"'{name}={split}/loss'"


def _shortlist(names: Sequence[str]) -> str:
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES + 1 else ""
    return ", ".join(names[:MAX_NAMES] if more else names) + more
