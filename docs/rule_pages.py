"""The page of each rule, written from its card, and the picture of an affected and a healthy run on it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
from outputs import rules_table

from nndoctor.core.rule import Rule
from nndoctor.core.run import Run
from nndoctor.core.verdict import sentence
from nndoctor.plots.curves import Curve, curves_of
from nndoctor.remedies import REMEDIES
from nndoctor.remedies.sources import url_of
from nndoctor.reporters.cards import needs_in_words

WIDTH, HEIGHT = 320, 160  # pixels of one of the two plots
MARGIN = 24
MAX_POINTS = 160  # of a curve: half of the pixels are enough
MIN_DECADES = 1.5  # positive losses over more than this are drawn on a log axis
STYLE = (
    "<style>text{font:13px sans-serif;fill:#555}.axis{stroke:#999;fill:none}"
    ".train{stroke:#0072b2;fill:none;stroke-width:1.6}.validation{stroke:#d55e00;fill:none;stroke-width:1.6;stroke-dasharray:4 2}"
    "@media(prefers-color-scheme:dark){text{fill:#bbb}.train{stroke:#56b4e9}.validation{stroke:#e69f00}}</style>"
)


def rule_page(rule: Rule) -> str:
    """The page in Markdown."""
    lines = [f"# {rule.name}", "", f"`{rule.code}` · {rule.severity} · {sentence(rule.title)}", ""]
    if has_picture(rule):
        lines += [f"![Plots of an affected and of a healthy run]({rule.name}.svg)", ""]
    lines += ["## Why it matters", "", rule.why, "", "## How it is judged", "", rule.how, ""]
    needs = needs_in_words(rule)
    lines += [f"Needs {needs}.", ""] if needs else []
    if rule.limits:
        lines += ["Limits that the [settings](../settings.md) can change:", ""]
        lines += [f"- `{name}` = {value:g}" for name, value in rule.limits.items()] + [""]
    if rule.suppressed_by:
        links = ", ".join(f"[{name}]({name}.md)" for name in rule.suppressed_by)
        lines += [f"Not reported together with {links}, which would explain it.", ""]
    if rule.remedies:
        lines += ["## What to try, in this order", ""]
        lines += [f"{k}. {_remedy(name)}" for k, name in enumerate(rule.remedies, 1)] + [""]
    lines += ["## References", ""] if rule.sources else []
    lines += [f"- [{s.text}]({s.url})" if s.url else f"- {s.text}" for s in rule.sources]
    return "\n".join(lines).rstrip() + "\n"


def _remedy(name: str) -> str:
    remedy = REMEDIES[name]
    url = url_of(remedy.source)
    source = f"[{remedy.source}]({url})" if url else remedy.source
    return f"**{sentence(remedy.text)}** {sentence(remedy.why)} ({source})"


def index_page() -> str:
    """The page that lists all rules."""
    head = "# Rules\n\nWritten by `python docs/make.py`. `nndoctor rules` lists them; `nndoctor explain NAME` prints one.\n\n"
    return head + rules_table()


def has_picture(rule: Rule) -> bool:
    """Whether an example of the rule has a curve."""
    return any(_curves(runs) for runs in (rule.sick, rule.healthy))


def picture(rule: Rule) -> str:
    """The SVG: the affected run on the left, the healthy one on the right."""
    panels = [("affected run", _curves(rule.sick)), ("healthy run", _curves(rule.healthy))]
    panels = [panel for panel in panels if panel[1]]
    width = len(panels) * (WIDTH + MARGIN) + MARGIN
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT + 3 * MARGIN}" width="{width}">{STYLE}'
    for k, (title, curves) in enumerate(panels):
        svg += _panel(title, curves, MARGIN + k * (WIDTH + MARGIN))
    return svg + "</svg>\n"


def _curves(runs: Sequence[Run]) -> list[Curve]:
    """The curves of the first run that has any."""
    return next((curves for run in runs if (curves := curves_of(run))), [])


def _panel(title: str, curves: Sequence[Curve], left: int) -> str:
    values = np.concatenate([curve.series.y for curve in curves])
    log = values.min() > 0 and np.log10(values.max() / values.min()) > MIN_DECADES
    scale = np.log10 if log else np.asarray
    low, high = float(scale(values).min()), float(scale(values).max())
    steps = np.concatenate([curve.series.x for curve in curves])
    first, last = float(steps.min()), float(steps.max())
    parts = [f'<text x="{left}" y="{MARGIN - 8}">{title}{", log axis" if log else ""}</text>']
    parts += [f'<path class="axis" d="M{left} {MARGIN}v{HEIGHT}h{WIDTH}"/>']
    for k, curve in enumerate(curves):
        x, y = curve.series.x, curve.series.y
        keep = np.unique(np.linspace(0, len(x) - 1, MAX_POINTS).astype(int))
        across = left + WIDTH * (x[keep] - first) / max(last - first, 1e-12)
        down = MARGIN + HEIGHT * (high - scale(y[keep])) / max(high - low, 1e-12)
        points = " ".join(f"{a:.0f},{b:.0f}" for a, b in zip(across, down, strict=True))
        parts.append(f'<polyline class="{curve.style}" points="{points}"/>')
        parts.append(f'<path class="{curve.style}" d="M{left + 150 * k} {MARGIN + HEIGHT + 18}h24"/>')
        parts.append(f'<text x="{left + 150 * k + 30}" y="{MARGIN + HEIGHT + 22}">{escape(curve.series.name)}</text>')
    return "".join(parts)
