"""`nndoctor explain CODE`"""

from __future__ import annotations

from typing import Annotated

import typer

from nndoctor.cli import completion
from nndoctor.cli.options import ColorOption, NoColorOption, color_choice
from nndoctor.cli.out import write_output
from nndoctor.cli.terminal_style import Color, terminal_style


def explain(
    rule: Annotated[
        str,
        typer.Argument(
            metavar="CODE",
            autocompletion=completion.rules,
            help="A rule's code or name (NN102, high-variance), or a common term (overfitting, nan).",
            show_default=False,
        ),
    ],
    color: ColorOption = Color.auto,
    no_color: NoColorOption = False,
) -> None:
    """Explain a finding: an example, why it matters, how it is judged, what to try."""
    from nndoctor.diagnosis.lookup import matching
    from nndoctor.reporters.cards import card

    first, *others = matching(rule)
    write_output(card(first, terminal_style(color_choice(color, no_color)), [one.name for one in others]))
