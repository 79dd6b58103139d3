"""`nndoctor convert LOG`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nndoctor.cli.options import MapOption
from nndoctor.cli.out import check, put, say


def convert(
    log: Annotated[str, typer.Argument(metavar="LOG", help="A log, or a folder that is one run.", show_default=False)],
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where to write, .csv or .jsonl; of several runs the second goes to FILE-2. By default the table is printed.",
            show_default=False,
        ),
    ] = None,
    map: MapOption = None,
    force: Annotated[bool, typer.Option("--force", help="Let --output write over a file that exists.")] = False,
) -> None:
    """Write the table that nndoctor understood: a row a step, a column a series.

    What was understood wrongly can be corrected there; diagnose reads the table as the same run.
    """
    from nndoctor.core.errors import UsageError
    from nndoctor.readers import read
    from nndoctor.reporters.tidy import as_csv, as_lines

    if output is not None and Path(output).suffix.lower() not in (".csv", ".jsonl"):
        raise UsageError(f"--output {output}: wanted a name that ends in .csv or .jsonl")
    check(output, [log], force=force)
    runs = read(log, maps=map or ())
    if output is None:
        if len(runs) > 1:
            raise UsageError(f"{log} holds {len(runs)} runs: add --output run.csv, and each gets a file of its own")
        put(as_csv(runs[0]))
        return
    files = [_numbered(output, k) for k in range(1, len(runs) + 1)]
    for file in files:
        check(file, [log], force=force)
    for run, file in zip(runs, files, strict=True):
        put(as_lines(run) if file.lower().endswith("l") else as_csv(run), file)
        say(f"{run.source} -> {file}: {', '.join(run.series)}")


def _numbered(output: str, k: int) -> str:
    """`run.csv`, `run-2.csv`, `run-3.csv`."""
    path = Path(output)
    return output if k == 1 else str(path.with_name(f"{path.stem}-{k}{path.suffix}"))
