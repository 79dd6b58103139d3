"""A treatment as a page for a browser: what helps, the curves, every change, the prescription."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from nndoctor._version import __version__
from nndoctor.core.formatting import number
from nndoctor.core.series import Series
from nndoctor.plots.frame import Frame
from nndoctor.reporters.html.elements import Content, Html, el, joined, rows, table
from nndoctor.reporters.html.page import document
from nndoctor.reporters.treatment import UNITS, measured, prescription, verdict
from nndoctor.treatment.gains import Gain
from nndoctor.treatment.treat import STOP_EARLY, Treatment

ACROSS, UP, LEFT, BELOW = 640, 260, 56, 28
STYLES = ("validation", "good", "mark")  # of the changes whose curves are drawn with those of the unchanged file


def render(treatment: Treatment) -> str:
    """One HTML file that needs no network and no script."""
    gains = treatment.gains()
    headline = verdict(treatment)
    body = [
        el("header", el("h1", "nndoctor"), el("p", f"treatment of {treatment.path}")),
        el(
            "article",
            el("h2", headline),
            _curves(treatment, list(gains)),
            _changes(treatment, gains),
            el("p", f"Gains are on {measured(treatment)}: {UNITS} ({number(treatment.scale)})."),
            *(el("p", f"Note: {note}.") for note in treatment.notes),
            _prescription(treatment),
            _not_tried(treatment),
        ),
        el("footer", el("p", f"nndoctor {__version__}")),
    ]
    return document(headline, *body)


def _changes(treatment: Treatment, gains: dict[str, Gain]) -> Html:
    head = (
        "change",
        "settings",
        "seeds",
        measured(treatment),
        "gain",
        "90% interval of another seed",
        "seconds",
        "verdict",
    )
    return table(head, (_row(treatment, name, found) for name, found in gains.items()))


def _row(treatment: Treatment, name: str, found: Gain) -> list[Content]:
    trials = [trial for (change, _), trial in treatment.trials.items() if change == name]
    finals = [trial.final for trial in trials if math.isfinite(trial.final)]
    settings = ", ".join(f"{key} {value}" for key, value in treatment.settings(name).items())
    return [
        name,
        settings,
        str(found.seeds),
        number(float(np.mean(finals))) if finals else "not finite",
        f"{found.gain:.2f}",
        f"{found.low:.2f} to {found.high:.2f}",
        f"{sum(trial.seconds for trial in trials):.1f}",
        str(found.verdict),
    ]


def _curves(treatment: Treatment, names: Sequence[str]) -> Html:
    """The loss of the file as it is and of the changes that gained most, a line for each seed."""
    drawn = [("", "train"), *zip([n for n in names if n != STOP_EARLY], STYLES, strict=False)]
    lines = [(style, series) for name, style in drawn for series in _series(treatment, name)]
    if not lines:
        return Html("")
    frame = Frame.around([series for _, series in lines])
    pieces = [*(_polyline(frame, style, series) for style, series in lines), _axis(frame)]
    legend = joined(
        el("span", f" {name or 'as it is'} ", style=f"color:var(--{style});margin-right:1rem") for name, style in drawn
    )
    label = f"{measured(treatment)} by optimizer step"
    svg = Html(
        f'<svg role="img" aria-label="{label}" viewBox="0 0 {ACROSS + LEFT + 8} {UP + BELOW}" '
        f'style="width:100%;max-width:46rem">{"".join(pieces)}</svg>'
    )
    return el("figure", svg, el("figcaption", legend, el("span", label)))


def _series(treatment: Treatment, name: str) -> Iterable[Series]:
    """The curves of a change that have a finite value, one for each seed."""
    trials = [trial for (change, _), trial in treatment.trials.items() if change == name]
    found = (Series.of(measured(treatment), trial.losses, trial.steps) for trial in trials)
    return [series for series in found if len(series.y)]


def _polyline(frame: Frame, style: str, series: Series) -> str:
    across, up = frame.columns(series.x, ACROSS), UP - np.asarray(frame.rows(series.y, UP))
    points = " ".join(f"{LEFT + a},{b + 4}" for a, b in zip(across.tolist(), up.tolist(), strict=True))
    return f'<polyline points="{points}" fill="none" stroke-width="1.5" style="stroke:var(--{style})"/>'


def _axis(frame: Frame) -> str:
    marks = [
        f'<text x="{LEFT - 6}" y="{UP - share * UP + 8:.0f}" text-anchor="end" font-size="11" '
        f'style="fill:var(--faint)">{frame.label(share)}</text>'
        for share in (0, 0.5, 1)
    ]
    marks += [
        f'<text x="{LEFT + share * ACROSS:.0f}" y="{UP + 22}" text-anchor="{anchor}" font-size="11" '
        f'style="fill:var(--faint)">{number(frame.x0 + share * (frame.x1 - frame.x0))}</text>'
        for share, anchor in ((0, "start"), (1, "end"))
    ]
    return "".join(marks)


def _prescription(treatment: Treatment) -> Html:
    found = prescription(treatment)
    if found is None:
        return Html("")
    parts = [el("h3", "Prescription"), el("p", f"{found.change}: {found.words}.")]
    parts.append(rows((key, str(value)) for key, value in found.settings.items()))
    if found.diff is not None:
        parts += [el("p", "To review; the file was not changed:"), el("pre", el("code", found.diff))]
    return el("section", *parts)


def _not_tried(treatment: Treatment) -> Html:
    if not treatment.not_tried:
        return Html("")
    return el("section", el("h3", "Not tried"), rows(treatment.not_tried.items()))
