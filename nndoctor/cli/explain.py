"""`nndoctor explain CODE`"""

from __future__ import annotations

from typing import Annotated

import typer

from nndoctor.cli import completing
from nndoctor.cli.look import Color, look
from nndoctor.cli.options import ColorOption, NoColorOption, chosen
from nndoctor.cli.out import put


def explain(
    rule: Annotated[
        str,
        typer.Argument(
            metavar="CODE",
            autocompletion=completing.rules,
            help="A rule's code or name: NN102, high-variance.",
            show_default=False,
        ),
    ],
    color: ColorOption = Color.auto,
    no_color: NoColorOption = False,
) -> None:
    """Explain one rule: its illness drawn, why it matters, how it is judged, what to try."""
    from nndoctor.diagnosis.catalogue import find
    from nndoctor.reporters.cards import card

    put(card(find(rule), look(chosen(color, no_color))))
