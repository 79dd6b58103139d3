"""`nndoctor lab NAME`"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from nndoctor.cli import Exit, completion
from nndoctor.cli.needs_torch import needs_torch
from nndoctor.cli.options import ColorOption, NoColorOption, color_choice, optional
from nndoctor.cli.out import say, write_output
from nndoctor.cli.progress import spinner
from nndoctor.cli.terminal_style import Color, terminal_style


def lab(
    name: Annotated[
        str, typer.Argument(metavar="NAME", autocompletion=completion.lessons, help="Name of a lesson, or list.")
    ] = "list",
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Random seed; lessons are tested with seed 0.")] = 0,
    out: Annotated[str | None, optional("--out", metavar="FOLDER", help="Keep both run folders here.")] = None,
    color: ColorOption = Color.auto,
    no_color: NoColorOption = False,
) -> None:
    """Train a broken network and its fix side by side, and diagnose both.

    Exits with 1 if the expected effect did not occur.
    """
    needs_torch("the lab")
    with spinner("loading the lab", line=name != "list"):
        from nndoctor.lab.lessons import CHAPTERS, LESSONS
        from nndoctor.lab.teach import teach
        from nndoctor.reporters.lesson import LessonText, listed, render
        from nndoctor.training.folder import fresh

    page_style = terminal_style(color_choice(color, no_color))
    if name == "list":
        write_output(
            listed({c: [(one.name, one.title) for one in lessons] for c, lessons in CHAPTERS.items()}, page_style)
        )
        return
    lesson = LESSONS.get(name)
    if lesson is None:
        raise _unknown(name, list(LESSONS))
    with tempfile.TemporaryDirectory() as spare:
        folder = Path(spare) if out is None else fresh("lab", out)
        with spinner(f"training both networks of {name}"):
            done = teach(lesson, folder, seed)
    words = LessonText(lesson.title, lesson.source, lesson.moral, done.claims)
    write_output(render(words, [(t.setup.label, t.report) for t in (done.sick, done.healthy)], page_style))
    if out is not None:
        say(f"run folders: {folder}")
    raise typer.Exit(Exit.CLEAN if done.holds else Exit.FINDINGS)


def _unknown(name: str, names: list[str]) -> Exception:
    from difflib import get_close_matches

    from nndoctor.core.errors import UsageError

    near = get_close_matches(name, names, 1)
    hint = f"; did you mean {near[0]}?" if near else "; see nndoctor lab list"
    return UsageError(f"unknown lesson '{name}'{hint}")
