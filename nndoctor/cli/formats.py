"""`nndoctor formats`"""

from __future__ import annotations

from nndoctor.cli.options import ColorOption, NoColorOption, PageFormatOption, color_choice
from nndoctor.cli.out import say, write_output
from nndoctor.cli.request import PageFormat
from nndoctor.cli.terminal_style import Color, terminal_style


def formats(
    format: PageFormatOption = PageFormat.terminal, color: ColorOption = Color.auto, no_color: NoColorOption = False
) -> None:
    """List the supported log formats and how each is recognized.

    Other packages can add readers through the entry point group nndoctor.readers.
    """
    from nndoctor.readers import READERS
    from nndoctor.readers.plugins import installed
    from nndoctor.reporters import formats as page

    others, broken = installed()
    if format is PageFormat.json:
        write_output(page.as_json(READERS, others))
    else:
        write_output(page.table(READERS, others, terminal_style(color_choice(color, no_color))))
    for line in broken:
        say(line)
