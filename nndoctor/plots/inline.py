"""A picture as part of a web page: in the page's colours, light or dark, with its text as text."""

from __future__ import annotations

import re
from dataclasses import fields
from html import escape

import matplotlib as mpl
from matplotlib.figure import Figure

from nndoctor.core.report import Report
from nndoctor.core.sanitize import printable
from nndoctor.plots.picture import PictureFormat, picture, rendered
from nndoctor.plots.theme import LIGHT, Palette

COLORS = {color: f"var(--run-{k})" for k, color in enumerate(LIGHT.several)} | {
    getattr(LIGHT, f.name): f"var(--{f.name})" for f in fields(Palette) if f.name != "several"
}


def inline(report: Report, number: int, label: str) -> str:
    """The picture of a report without its heading; see `drawing`."""
    return drawing(picture(report, titled=False), number, label)


def drawing(figure: Figure, number: int, label: str) -> str:
    """A picture in light colors as an `<svg>` in the page's colors; `number` distinguishes it from others on the same page.

    `label` is read out in place of the picture.
    """
    with mpl.rc_context({"svg.fonttype": "none"}):
        whole = rendered(figure, PictureFormat.svg, salt=f"nndoctor-{number}").decode()
    svg = whole[whole.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*">', "<g>", svg)
    svg = re.sub(r'(xlink:href="#|id="|url\(#)', rf"\g<1>r{number}-", svg)
    svg = re.sub(r"font: [^;\"]*?([\d.]+px)[^;\"]*", _font, svg)
    for color, variable in COLORS.items():
        svg = svg.replace(color, variable)
    box = re.search(r'viewBox="[^"]*"', svg)
    head = f'<svg role="img" aria-label="{escape(printable(label))}" xmlns:xlink="http://www.w3.org/1999/xlink" {box[0] if box else ""}>'
    return re.sub(r"\n\s*", " ", head + svg[svg.index(">") + 1 :])


def _font(found: re.Match[str]) -> str:
    bold = "700 " if "700" in found[0] or "bold" in found[0] else ""
    return f"font: {bold}{found[1]} system-ui, sans-serif"
