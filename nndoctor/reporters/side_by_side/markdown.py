"""A comparison as Markdown, for a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from nndoctor.compare.comparison import Comparison
from nndoctor.compare.remedy_outcomes import FindingChange
from nndoctor.core.metrics import series_in_words
from nndoctor.plots.curves import PlotSize
from nndoctor.plots.overlay import overlay
from nndoctor.reporters.markdown import HEIGHT, MARK, WIDTH, escaped
from nndoctor.reporters.page import Page, Style
from nndoctor.reporters.side_by_side.terminal import LEGEND, SIGNS
from nndoctor.reporters.side_by_side.words import finding_change, place, sentence, setting, value


def render(found: Comparison | None, changes: Sequence[FindingChange], errors: Sequence[tuple[str, str]]) -> str:
    """Verdicts, the table of values, settings that differ, findings, and the curves."""
    parts = [f"{MARK}\n### nndoctor: runs compared\n"]
    if found is not None:
        parts += [_verdicts(found), _measures(found), _settings(found), _findings(found, changes), _picture(found)]
    parts += [f"❌ {escaped(message)}\n" for _, message in errors]
    return "\n".join(part for part in parts if part)


def _verdicts(found: Comparison) -> str:
    sides = [f"- **{side.label}** {escaped(side.source)}" for side in found.sides]
    sentences = [escaped(sentence(found, k)) for k in range(1, len(found.sides))]
    return "\n".join([*sides, "", *sentences]) + "\n"


def _head(found: Comparison, first: str) -> list[str]:
    return [
        "| " + " | ".join([first, *(side.label for side in found.sides)]) + " |",
        "|---" * (len(found.sides) + 1) + "|",
    ]


def _measures(found: Comparison) -> str:
    if not found.measures:
        return ""
    rows = []
    for m in found.measures:
        signs = ["", *(f" {SIGNS[m.outcome(0, k)]}" for k in range(1, len(m.levels)))]
        cells = [escaped(value(level.last)) + sign for level, sign in zip(m.levels, signs, strict=True)]
        rows.append(f"| {escaped(series_in_words(m.name))} {place(found, m)} | {' | '.join(cells)} |")
    return "\n".join([*_head(found, LEGEND), *rows]) + "\n"


def _settings(found: Comparison) -> str:
    if not found.settings:
        return ""
    rows = [
        f"| {escaped(name)} | {' | '.join(escaped(setting(row[side.label])) for side in found.sides)} |"
        for name, row in found.settings.items()
    ]
    return "\n".join([*_head(found, "settings that differ"), *rows]) + "\n"


def _findings(found: Comparison, changes: Sequence[FindingChange]) -> str:
    lines = [
        f"- {change.code} {escaped(change.name)} in {found.sides[change.side].label} {escaped(finding_change(found, change))}"
        for change in changes
    ]
    return "\n".join(lines) + "\n" if lines else ""


def _picture(found: Comparison) -> str:
    if found.judged is None:
        return ""
    page = Page(Style(WIDTH))
    curves = [(s.label, s.runs[0].series[found.judged]) for s in found.sides]
    for line in overlay(curves, PlotSize(WIDTH, HEIGHT), found.axis):
        page.row(line)
    drawn = page.text().replace("`", "'")
    name = series_in_words(found.judged)
    return f"<details><summary>{name}</summary>\n\n```text\n{drawn}```\n\n</details>\n" if drawn else ""
