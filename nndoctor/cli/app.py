"""The commands, put together."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from nndoctor.cli.baseline import baseline
from nndoctor.cli.compare import compare
from nndoctor.cli.convert import convert
from nndoctor.cli.diagnose import diagnose
from nndoctor.cli.explain import explain
from nndoctor.cli.formats import formats
from nndoctor.cli.lab import lab
from nndoctor.cli.learning_curve import learning_curve
from nndoctor.cli.mcp import mcp
from nndoctor.cli.panels import arrange
from nndoctor.cli.plot import plot
from nndoctor.cli.report import report
from nndoctor.cli.rules import rules
from nndoctor.cli.sanity import sanity
from nndoctor.cli.search import search
from nndoctor.cli.settings import settings
from nndoctor.cli.skill import skill
from nndoctor.cli.sweep import sweep
from nndoctor.cli.train import train
from nndoctor.cli.treat import treat
from nndoctor.cli.watch import watch

app = typer.Typer(
    name="nndoctor",
    help="Read a training log, say what went wrong and what to try first.",
    epilog="Start with: nndoctor diagnose path/to/log. Exit codes: 0 no finding at or above --fail-on, 1 findings, 2 a log could not be read or judged.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(diagnose)
app.command()(rules)
app.command()(sanity)
app.command()(settings)
app.command()(explain)
app.command()(formats)
app.command()(convert)
app.command()(compare)
app.command()(sweep)
app.command()(plot)
app.add_typer(baseline, name="baseline")
app.command()(report)
app.command()(watch)
app.command()(train)
app.command()(treat)
app.command()(search)
app.command("learning-curve")(learning_curve)
app.command()(lab)
app.command()(mcp)
app.add_typer(skill, name="skill")


def _version(wanted: bool) -> None:
    if wanted:
        from nndoctor.cli.versions import versions

        sys.stdout.write(versions())
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Read a training log, say what went wrong and what to try first."""


arrange(app)
