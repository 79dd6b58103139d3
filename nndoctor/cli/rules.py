"""`nndoctor rules`"""

from __future__ import annotations

from nndoctor.cli.options import ColorOption, NoColorOption, PageFormatOption, color_choice
from nndoctor.cli.out import write_output
from nndoctor.cli.request import PageFormat
from nndoctor.cli.terminal_style import Color, terminal_style


def rules(
    format: PageFormatOption = PageFormat.terminal, color: ColorOption = Color.auto, no_color: NoColorOption = False
) -> None:
    """List all rules: code, name, severity and description."""
    from nndoctor.diagnosis.catalogue import RULES
    from nndoctor.reporters import cards

    write_output(
        cards.as_json(RULES)
        if format is PageFormat.json
        else cards.table(RULES, terminal_style(color_choice(color, no_color)))
    )
