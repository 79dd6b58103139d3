"""Elements of a web page as text; their content is data and is escaped here."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from nndoctor.core.sanitize import printable


class Html(str):
    """Text that is already HTML."""

    __slots__ = ()


Content = str | Html


def el(tag: str, *content: Content, **attributes: str) -> Html:
    """`el("p", "a < b", class_="x")`; `_` at an attribute's end is dropped, inside it becomes `-`.

    >>> el("p", "a < b", class_="x")
    '<p class="x">a &lt; b</p>'
    """
    named = "".join(f' {k.rstrip("_").replace("_", "-")}="{escape(printable(v))}"' for k, v in attributes.items())
    return Html(f"<{tag}{named}>{joined(content)}</{tag}>")


def joined(content: Iterable[Content]) -> Html:
    """Pieces one after the other, each escaped unless it is HTML."""
    return Html("".join(piece if isinstance(piece, Html) else escape(printable(piece)) for piece in content))


def rows(pairs: Iterable[tuple[Content, Content]], **attributes: str) -> Html:
    """A list of terms and what they are."""
    inside = joined(joined((el("dt", term), el("dd", value))) for term, value in pairs)
    return el("dl", inside, **attributes)


def table(head: Iterable[Content], body: Iterable[Iterable[Content]], **attributes: str) -> Html:
    """A table whose first column names its rows."""
    names = el("tr", joined(el("th", name, scope="col") for name in head))
    lines = joined(_row(list(row)) for row in body)
    return el("div", el("table", el("thead", names), el("tbody", lines), **attributes), class_="wide", tabindex="0")


def _row(cells: list[Content]) -> Html:
    first, *others = cells
    return el("tr", el("th", first, scope="row"), joined(el("td", cell) for cell in others))
