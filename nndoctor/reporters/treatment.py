"""A treatment as a page and as JSON: what each change gained, what was not tried, and the best."""

from __future__ import annotations

import math
from dataclasses import dataclass

from nndoctor._version import __version__
from nndoctor.core.formatting import number, plural
from nndoctor.core.verdict import headline
from nndoctor.reporters.json import SCHEMA_VERSION, Json, dumped, plain
from nndoctor.reporters.page import Page, Style
from nndoctor.treatment.gains import Gain, GainVerdict
from nndoctor.treatment.prescription import diff, words
from nndoctor.treatment.treat import NO_TIME, Treatment
from nndoctor.treatment.trial import Trial

STYLES = {GainVerdict.HELPS: "good", GainVerdict.NOISE: "dim", GainVerdict.HURTS: "warning"}
UNITS = "a gain of 1 is the distance from the best constant prediction to the best loss of any trial"


def render(treatment: Treatment, page_style: Style) -> str:
    """What each change gained, and what to do next."""
    page = Page(page_style)
    finals = list(treatment.finals("").values())
    page.line((treatment.path, "bold"), (f"  {plural(len(finals), 'seed')} of {treatment.steps} steps", "dim"))
    page.line((verdict(treatment), "good" if treatment.best else "info"))
    if treatment.report is not None:
        page.line(f"Diagnosis of the file as it is: {headline(treatment.report)[0]}")
    page.blank()
    page.row([(f"{'change':<28}{'seeds':>5}  {'gain':>5}  {'90% interval':<15}  verdict", "dim")])
    for name, gain in treatment.gains().items():
        page.row([(_row(name, gain), STYLES[gain.verdict])])
    _add_prescription(page, treatment)
    page.blank()
    page.line((f"Gains are on {measured(treatment)}: {UNITS} ({number(treatment.scale)}).", "dim"))
    for note in treatment.notes:
        page.line((f"Note: {note}.", "dim"))
    _add_not_tried(page, treatment)
    return page.text()


def _add_prescription(page: Page, treatment: Treatment) -> None:
    """The best change in words and as an edit of the file, if any helps."""
    found = prescription(treatment)
    if found is None:
        return
    page.blank()
    settings = ", ".join(f"{name} {value}" for name, value in found.settings.items())
    page.line(("Prescription: ", "bold"), f"{found.words} ({settings}).")
    for line in (found.diff or "").splitlines()[2:]:
        page.row([(line, "good" if line.startswith("+") else "error" if line.startswith("-") else "dim")])


def _add_not_tried(page: Page, treatment: Treatment) -> None:
    """The changes for which there was no time, and how many others do not apply."""
    late = [name for name, reason in treatment.not_tried.items() if reason == NO_TIME]
    other = len(treatment.not_tried) - len(late)
    if late:
        page.line((f"Not tried, {NO_TIME}: {', '.join(late)}.", "dim"))
    if other:
        page.line((f"{other} changes do not apply to this file; the reasons are in the JSON under not_tried.", "dim"))


def verdict(treatment: Treatment) -> str:
    """One sentence: what helps, and by how much."""
    best = treatment.best
    rest = " Interrupted; --resume goes on." if treatment.interrupted else ""
    if best is None:
        return f"No change that was tried helps by more than noise and a tenth of what there is to gain.{rest}"
    gain = treatment.gains()[best]
    before, after = (_mean(list(treatment.finals(name).values())) for name in ("", best))
    return f"{best} helps: {measured(treatment)} {before} \u2192 {after} over {gain.seeds} seeds.{rest}"


@dataclass(frozen=True, slots=True)
class Prescription:
    """The best change: its settings, what to do in words, and the edit of the file where its place is certain."""

    change: str
    settings: dict[str, object]
    words: str
    diff: str | None


def prescription(treatment: Treatment) -> Prescription | None:
    """What to do; None where nothing helps."""
    best = treatment.best
    if best is None:
        return None
    settings = treatment.settings(best)
    return Prescription(best, settings, words(best), diff(treatment.path, best, settings))


def measured(treatment: Treatment) -> str:
    """What the gains are measured on."""
    return "validation loss" if treatment.validated else "training loss"


def _mean(values: list[float]) -> str:
    finite = [value for value in values if math.isfinite(value)]
    return number(sum(finite) / len(finite)) if finite else "not finite"


def _row(name: str, gain: Gain) -> str:
    interval = f"{_two(gain.low)} to {_two(gain.high)}" if gain.seeds > 1 else "one seed"
    return f"{name:<28}{gain.seeds:>5}  {_two(gain.gain):>5}  {interval:<15}  {gain.verdict}"


def _two(value: float) -> str:
    """Two decimals; a zero has no sign."""
    return f"{value:.2f}".replace("-0.00", "0.00")


def as_json(treatment: Treatment) -> str:
    """The treatment for programs; also the file that `--resume` continues."""
    gains = treatment.gains()
    best = treatment.best
    whole: Json = {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "nndoctor", "version": __version__},
        "model": treatment.path,
        "steps": treatment.steps,
        "baseline": {
            "finding": treatment.report.primary.name if treatment.report and treatment.report.primary else None,
            "loss": {str(seed): plain(value) for seed, value in treatment.finals("").items()},
            "constant_prediction": plain(treatment.constant),
            "unit": plain(treatment.scale),
        },
        "changes": [_change(treatment, name, gain) for name, gain in gains.items()],
        "best": None if best is None else _change(treatment, best, gains[best]),
        "prescription": _prescription(treatment),
        "not_tried": [{"change": name, "reason": reason} for name, reason in treatment.not_tried.items()],
        "notes": treatment.notes,
        "trials": [_trial(trial) for trial in treatment.trials.values()],
    }
    return dumped(whole, indent=2) + "\n"


def _trial(trial: Trial) -> Json:
    """A training; the curve of training is kept of the file as it is."""
    kept = slice(None) if not trial.change else slice(0)
    return {
        "change": trial.change,
        "seed": trial.seed,
        "steps": trial.steps,
        "losses": [plain(value) for value in trial.losses],
        "start": plain(trial.start),
        "given_up": plain(trial.given_up),
        "settings": trial.settings,
        "train_steps": trial.train_steps[kept],
        "train_losses": [plain(value) for value in trial.train_losses[kept]],
        "rates": trial.rates[kept],
        "seconds": plain(trial.seconds),
        "cut": trial.cut,
    }


def _prescription(treatment: Treatment) -> Json | None:
    found = prescription(treatment)
    if found is None:
        return None
    return {"change": found.change, "settings": found.settings, "words": found.words, "diff": found.diff}


def _change(treatment: Treatment, name: str, gain: Gain) -> Json:
    return {
        "change": name,
        "settings": treatment.settings(name),
        "seeds": gain.seeds,
        "gain": plain(gain.gain),
        "low": plain(gain.low),
        "high": plain(gain.high),
        "verdict": str(gain.verdict),
    }
