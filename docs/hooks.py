"""What MkDocs calls while it builds the site."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

CHANGELOG = Path(__file__).resolve().parents[1] / "CHANGELOG.md"
REPOSITORY = "https://github.com/nndoctor/nndoctor/blob/main/"
OUTSIDE = re.compile(r"\]\((?:\.\./)+([^)]+)\)")
BRAILLE = re.compile("[\u2801-\u28ff]+")
EXAMPLES = re.compile(r"\]\(examples/")


def on_page_markdown(markdown: str, *, page: Any, **_: object) -> str:  # noqa: ANN401 - MkDocs calls it with its own class
    """The changelog is the repository's. Links to files outside of docs/, which work in the repository, lead there from the site."""
    if page.file.src_uri == "changelog.md":
        markdown = (
            CHANGELOG.read_text(encoding="utf-8")
            .replace("](", "](../")
            .replace("](../http", "](http")
            .replace("](../docs/", "](")
        )
    if "/" in page.file.src_uri:
        return markdown
    return EXAMPLES.sub(f"]({REPOSITORY}docs/examples/", OUTSIDE.sub(rf"]({REPOSITORY}\1)", markdown))


def on_page_content(html: str, **_: object) -> str:
    """Every character of a plot gets a cell of its own: fonts with other widths would skew the curves."""
    return BRAILLE.sub(lambda run: f'<span class="braille">{"".join(f"<i>{c}</i>" for c in run[0])}</span>', html)
