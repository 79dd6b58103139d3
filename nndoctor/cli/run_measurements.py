"""The work of `nndoctor convert --measurements`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from nndoctor.cli.out import check, put_bytes, say, write_output
from nndoctor.core.errors import UnreadableLog, UsageError
from nndoctor.core.formatting import plural
from nndoctor.core.run import Run
from nndoctor.readers import is_log, read
from nndoctor.readers.io.find import find
from nndoctor.reporters.measurements import as_csv, as_lines, as_parquet

ENDINGS = (".csv", ".jsonl", ".parquet")


def write_measurements(log: str, output: str | None, *, maps: Iterable[str], force: bool) -> None:
    """Measure every run behind a path and print or write the table; a log that cannot be read is reported and left out.

    Raises UnreadableLog where no log can be read, UsageError for an output that cannot be written.
    """
    ending = Path(output).suffix.lower() if output is not None else ".csv"
    if ending not in ENDINGS:
        raise UsageError(f"--output {output}: the name must end in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}")
    check(output, [log], force=force)
    runs = _runs_behind(log, maps)
    if output is not None and ending == ".parquet":
        put_bytes(as_parquet(runs), output)
    else:
        write_output(as_lines(runs) if ending == ".jsonl" else as_csv(runs), output)
    if output is not None:
        say(f"{log} -> {output}: {plural(len(runs), 'run')}")


def _runs_behind(log: str, maps: Iterable[str]) -> list[Run]:
    """Every run behind a path; says which logs cannot be read. Raises UnreadableLog where none can."""
    sources, errors = find([log], is_log)
    runs: list[Run] = []
    for source in sources:
        try:
            runs += read(source, maps=maps)
        except UnreadableLog as error:
            errors.append((source.path, str(error)))
    if not runs:
        raise UnreadableLog(errors[0][1] if errors else f"{log} holds no log")
    for path, message in errors:
        say(message if path in message else f"{path}: {message}")
    return runs
