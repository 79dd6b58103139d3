"""`nndoctor explain CODE`"""

from __future__ import annotations

import sys
from typing import Annotated

import typer


def explain(
    rule: Annotated[
        str, typer.Argument(metavar="CODE", help="A rule's code or name: NN102, high-variance.", show_default=False)
    ],
    no_color: Annotated[bool, typer.Option("--no-color", help="No colours.")] = False,
) -> None:
    """Explain one rule: its illness drawn, why it matters, how it is judged, what to try, where the field says so."""
    from nndoctor.catalogue import find
    from nndoctor.reporters import cards

    sys.stdout.write(cards.card(find(rule), color=False if no_color else None))
