"""`nndoctor convert LOG`"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from nndoctor.cli.options import MapOption, optional
from nndoctor.cli.out import check, numbered, say, write_output


def convert(
    log: Annotated[
        str, typer.Argument(metavar="LOG", help="A log, or a folder that holds one run.", show_default=False)
    ],
    output: Annotated[
        str | None,
        optional(
            "--output",
            "-o",
            metavar="FILE",
            help="A .csv or .jsonl file (several runs: FILE, FILE-2 …). By default the table is printed.",
        ),
    ] = None,
    map: MapOption = None,
    measurements: Annotated[
        bool,
        typer.Option(
            "--measurements",
            help="Write a table of the measurements of every run of a log or a folder, one row a run (.csv, .jsonl or .parquet).",
        ),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Let --output overwrite an existing file.")] = False,
) -> None:
    """Convert a log to a clean table: one row per step, one column per series.

    Use it to check and correct how a log was understood; 'nndoctor diagnose' reads the table as the same run.
    """
    if measurements:
        from nndoctor.cli.run_measurements import write_measurements

        write_measurements(log, output, maps=map or (), force=force)
    else:
        _convert(log, output, map or (), force=force)


def _convert(log: str, output: str | None, maps: Sequence[str], *, force: bool) -> None:
    """Print the table of the only run, or write one for each run."""
    from nndoctor.core.errors import UsageError
    from nndoctor.readers import read
    from nndoctor.reporters.tidy import as_csv, as_lines

    if output is not None and Path(output).suffix.lower() not in (".csv", ".jsonl"):
        raise UsageError(f"--output {output} must end in .csv or .jsonl")
    check(output, [log], force=force)
    runs = read(log, maps=maps)
    if output is None:
        if len(runs) > 1:
            raise UsageError(f"{log} holds {len(runs)} runs; use --output run.csv to write each to its own file")
        write_output(as_csv(runs[0]))
        return
    files = numbered(output, len(runs))
    for file in files:
        check(file, [log], force=force)
    for run, file in zip(runs, files, strict=True):
        write_output(as_lines(run) if file.lower().endswith("l") else as_csv(run), file)
        say(f"{run.source} → {file}: {', '.join(run.series)}")
