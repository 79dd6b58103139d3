"""The whole page: its head, several runs as a table, each run's section."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from urllib.parse import quote

from nndoctor._version import __version__
from nndoctor.core.report import Report
from nndoctor.core.verdict import verdict
from nndoctor.plots.theme import DARK, LIGHT, Palette
from nndoctor.reporters.html.elements import Html, el, joined
from nndoctor.reporters.html.runs import counts, overview
from nndoctor.reporters.html.section import section
from nndoctor.reporters.ranking import worst_first

# What a browser may load: nothing but the page's own style and the cells of its maps.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


@dataclass(frozen=True, slots=True)
class PagePosition:
    """The position of a page among those of many runs: its number from 0, the files of all pages, and the number of runs."""

    number: int
    files: tuple[str, ...]
    runs: int


def render(reports: Sequence[Report], errors: Sequence[tuple[str, str]] = (), place: PagePosition | None = None) -> str:
    """One HTML file: a table of several runs first, the worst at the top, and the logs that could not be read.

    `place` says that it is one of several pages, which it links.
    """
    ordered = worst_first(reports)
    count = (
        f"{len(ordered)} runs" if place is None else f"{place.runs} runs, page {place.number + 1} of {len(place.files)}"
    )
    several = len(ordered) > 1 or place is not None
    title = count if several else verdict(ordered[0])[0]
    body = [
        el("header", el("h1", "nndoctor"), el("p", f"{count}: {counts(ordered)}" if several else "a run's report")),
        _errors(errors),
        _pages(place),
        overview(ordered) if several else Html(""),
        *(section(report, k) for k, report in enumerate(ordered, 1)),
        _pages(place),
        el("footer", el("p", f"nndoctor {__version__}")),
    ]
    return document(title, *body)


def document(title: str, *body: Html) -> str:
    """A whole page with nndoctor's style."""
    head = (
        Html('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        Html('<meta name="color-scheme" content="light dark">'),
        Html(f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'),
        el("title", f"{title} · nndoctor"),
        el("style", Html(_style())),
    )
    whole = el("html", el("head", *head), el("body", el("main", *body)), lang="en")
    return f"<!doctype html>\n{whole}\n"


def _pages(place: PagePosition | None) -> Html:
    """The links to the other pages."""
    if place is None:
        return Html("")
    links = (
        el("strong", str(k)) if k == place.number + 1 else el("a", str(k), href=quote(file))
        for k, file in enumerate(place.files, 1)
    )
    return el("nav", "Pages, the worst runs first: ", joined(piece for link in links for piece in (link, " ")))


def _style() -> str:
    light, dark = (";".join(f"--{name}:{value}" for name, value in _colors(p)) for p in (LIGHT, DARK))
    return f":root{{{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}{_file('page.css')}"


def _colors(palette: Palette) -> list[tuple[str, str]]:
    named = [(name, getattr(palette, name)) for name in Palette.__slots__ if name != "several"]
    return [*named, *((f"run-{k}", color) for k, color in enumerate(palette.several))]


def _file(name: str) -> str:
    return files("nndoctor.reporters.html").joinpath(name).read_text(encoding="utf-8")


def _errors(errors: Sequence[tuple[str, str]]) -> Html:
    if not errors:
        return Html("")
    messages = joined(el("li", message) for _, message in errors)
    return el("article", el("h3", f"{len(errors)} could not be read"), el("ul", messages), class_="error")
