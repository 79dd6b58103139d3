"""A learning curve as a page and as JSON."""

from __future__ import annotations

from nndoctor.core.formatting import number
from nndoctor.reporters.json import SCHEMA_VERSION, Json, dumped, plain
from nndoctor.reporters.page import Page, Style
from nndoctor.treatment.learning_curve import MIN_IMPROVEMENT, LearningCurve

BAR = 30  # characters of the largest error


def render(curve: LearningCurve, page_style: Style) -> str:
    """The page: the verdict, a bar for each size and split, what twice the data would bring."""
    page = Page(page_style)
    last = curve.sizes[-1]
    page.line((curve.source, "bold"), (f"  {len(curve.points)} trainings, {curve.measure}", "dim"))
    page.line((verdict(curve), "warning" if curve.high_variance else "info"))
    page.blank()
    page.row([(f"{'size':>8}  {'train':>8}  {'validation':>10}", "dim")])
    most = max(max(p.train, p.validation) for p in curve.points)
    for size in curve.sizes:
        train, validation = curve.mean(size, "train"), curve.mean(size, "validation")
        cells = f"{size:>8,}  {number(train):>8}  {number(validation):>10}  "
        page.row([(cells, ""), (_bar(train, most, page_style), "train")])
        page.row([(" " * len(cells), ""), (_bar(validation, most, page_style), "validation")])
    page.blank()
    mean, low, high = curve.doubled()
    span = f"90% range {number(low)} to {number(high)}" if curve.repeated else "no range from one seed"
    page.line(
        f"Twice the data ({2 * last:,} examples): validation {curve.measure} about {number(mean)} ({span}), "
        f"now {number(curve.mean(last, 'validation'))}."
    )
    return page.text()


def verdict(curve: LearningCurve) -> str:
    """One sentence on bias and variance."""
    last = curve.sizes[-1]
    train, validation = curve.mean(last, "train"), curve.mean(last, "validation")
    values = f"training {curve.measure} {number(train)}, validation {curve.measure} {number(validation)}"
    gained = validation - curve.doubled()[0]
    if curve.high_variance:
        remedy = (
            "more data should help"
            if gained > MIN_IMPROVEMENT * validation
            else "regularize, since more data gains little"
        )
        return f"High variance: {values} at {last:,} examples; {remedy}."
    if gained > MIN_IMPROVEMENT * validation:
        return f"Both errors are close ({values}) and the validation {curve.measure} still falls with more data."
    return f"Both errors are close ({values}): more data will not help; try a larger or better model if {number(train)} is too high."


def _bar(value: float, most: float, page_style: Style) -> str:
    return ("\u2588" if page_style.drawing else "#") * max(round(BAR * value / most), 0) if most > 0 else ""


def as_json(curve: LearningCurve) -> str:
    """The curve for programs."""
    mean, *span = curve.doubled()
    low, high = map(plain, span) if curve.repeated else (None, None)
    points: list[Json] = [
        {"size": p.size, "seed": p.seed, "train": plain(p.train), "validation": plain(p.validation)}
        for p in curve.points
    ]
    whole: Json = {
        "schema_version": SCHEMA_VERSION,
        "source": curve.source,
        "measure": curve.measure,
        "points": points,
        "verdict": verdict(curve),
        "high_variance": curve.high_variance,
        "doubled": {"size": 2 * curve.sizes[-1], "validation": plain(mean), "low": low, "high": high},
    }
    return dumped(whole, indent=2) + "\n"
