"""Reading speed: a large log of each kind against the libraries that are installed, and ten thousand small ones."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.formats import timed
from nndoctor.readers import is_log, read
from nndoctor.readers.io.find import find

ROWS = 100_000  # of the large CSV and JSON lines
SCALARS = 1_000_000  # of the event file
EACH = 500  # rows of each of many runs


@dataclass(frozen=True, slots=True)
class Measured:
    """One line of the page: `ours` and `theirs` in seconds of CPU; `share` is what the goal is about."""

    what: str
    yardstick: str
    ours: float
    theirs: float
    share: float
    goal: str
    met: bool | None

    @property
    def row(self) -> str:
        """A row of the Markdown table."""
        met = "–" if self.met is None else "yes" if self.met else "**no**"
        times = f"{self.ours:.3g} s | {self.theirs:.3g} s"
        return f"| {self.what} | {self.yardstick} | {times} | {self.share:.2f}× | {self.goal} | {met} |"


def measure(folder: Path, runs: int, rounds: int) -> list[Measured]:
    """All comparisons, in files written below `folder`."""
    return [*_json_lines(folder, rounds), *_csv(folder, rounds), *_events(folder), *_many(folder, runs, rounds)]


def _curves(rows: int, seed: int = 0) -> np.ndarray:
    """Loss, accuracy, their validation twins and the rate, shape (rows, 5)."""
    dice = np.random.default_rng(seed)
    loss = 2.3 * np.exp(-np.arange(rows) / (rows / 8)) + 0.05 + dice.normal(0, 0.01, rows)
    validation = loss + 0.05 + np.abs(dice.normal(0, 0.02, rows))
    return np.column_stack([loss, 1 - loss / 2.5, validation, 1 - validation / 2.5, np.full(rows, 0.001)])


def _json_lines(folder: Path, rounds: int) -> list[Measured]:
    path = folder / "log.jsonl"
    names = ("loss", "accuracy", "eval_loss", "eval_accuracy", "lr")
    with path.open("w", encoding="utf-8") as file:
        for step, row in enumerate(_curves(ROWS).tolist()):
            file.write(json.dumps({"step": step, **dict(zip(names, row, strict=True))}) + "\n")
    sides: dict[str, Callable[[], object]] = {
        "nndoctor": lambda: read(str(path)),
        "the `json` module": lambda: _by_json(path),
        "pandas": partial(_by_pandas, path, None),
    }
    others: dict[str, Callable[[], object]] = {"polars": partial(_by_polars, path)}
    if importlib.util.find_spec("pyarrow") is not None:
        others["pandas with pyarrow"] = partial(_by_pandas, path, "pyarrow")
    if importlib.util.find_spec("polars") is None:
        del others["polars"]
    times = timed.least(sides | others, rounds)
    ours = times.pop("nndoctor")
    quickest = min(("pandas", "the `json` module"), key=times.__getitem__)
    what = f"JSON lines, {ROWS:,} rows × 6"
    share = ours / times[quickest]
    return [
        Measured(
            what,
            f"{quickest}, the fastest that comes with nndoctor",
            ours,
            times[quickest],
            share,
            "≤ 1.3×",
            share <= 1.3,
        ),
        *(Measured(what, name, ours, times[name], ours / times[name], "", None) for name in others),
    ]


def _by_json(path: Path) -> list[object]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def _by_pandas(path: Path, engine: str | None) -> object:
    import pandas as pd

    return pd.read_json(path, lines=True, **({} if engine is None else {"engine": engine}))


def _by_polars(path: Path) -> object:
    import polars as pl

    return pl.read_ndjson(path)


def _csv(folder: Path, rounds: int) -> list[Measured]:
    import pandas as pd

    path = folder / "log.csv"
    write_run(path, ROWS, 0)
    times = timed.least({"ours": lambda: read(str(path)), "pandas": lambda: pd.read_csv(path)}, rounds)
    share = times["ours"] / times["pandas"]
    return [Measured(f"CSV, {ROWS:,} rows × 6", "pandas", times["ours"], times["pandas"], share, "", None)]


def write_run(path: Path, rows: int, seed: int) -> None:
    """A run as Keras' CSVLogger lays it out."""
    with path.open("w", encoding="utf-8") as file:
        file.write("epoch,loss,accuracy,val_loss,val_accuracy,lr\n")
        file.writelines(
            f"{k},{row[0]:.6f},{row[1]:.4f},{row[2]:.6f},{row[3]:.4f},{row[4]}\n"
            for k, row in enumerate(_curves(rows, seed).tolist())
        )


def _events(folder: Path) -> list[Measured]:
    """One round: the yardstick takes most of a minute."""
    if importlib.util.find_spec("tensorboard") is None:
        return []
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    path = folder / "events"
    _write_events(path)
    accumulator = EventAccumulator(str(path), size_guidance={"scalars": 0, "tensors": 0})
    theirs = timed.inside(accumulator.Reload)
    held = sum(len(accumulator.Scalars(tag)) for tag in accumulator.Tags()["scalars"])
    found: list[int] = []
    ours = timed.inside(lambda: found.extend(len(s) for run in read(str(path)) for s in run.series.values()))
    assert sum(found) == held == SCALARS
    share = theirs / ours
    what = f"event file of {SCALARS:,} scalars"
    return [Measured(what, "TensorBoard's EventAccumulator", ours, theirs, share, "≥ 10× faster", share >= 10)]


def _write_events(folder: Path) -> None:
    """Four tags, as `add_scalar` of torch writes them."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(folder), max_queue_size=1000)
    tags = ("train/loss", "train/accuracy", "val/loss", "val/accuracy")
    for step, row in enumerate(_curves(SCALARS // len(tags)).tolist()):
        for tag, value in zip(tags, row, strict=False):
            summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
            writer.add_event(Event(wall_time=1.7e9 + step, step=step, summary=summary))
    writer.close()


def _many(folder: Path, runs: int, rounds: int) -> list[Measured]:
    import pandas as pd

    paths = []
    for k in range(runs):
        path = folder / "runs" / f"{k // 100:03d}" / f"run{k:05d}" / "log.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_run(path, EACH, k)
        paths.append(path)
    top = str(folder / "runs")

    def ours() -> int:
        return sum(len(read(source)) for source in find([top], is_log)[0])

    def theirs() -> None:
        for path in paths:
            pd.read_csv(path)

    assert ours() == runs
    times = timed.least({"ours": ours, "pandas": theirs}, rounds)
    loop = f"a loop over `pandas.read_csv` of {runs:,} files"
    share = times["pandas"] / times["ours"]
    found = [
        Measured(
            f"finding and reading {runs:,} runs of {EACH} rows",
            loop,
            times["ours"],
            times["pandas"],
            share,
            "≥ 3×",
            share >= 3,
        )
    ]
    one, clock = timed.outside("diagnose", top, "--jobs", "1")
    both, two = timed.outside("diagnose", top, "--jobs", "2")
    share = times["pandas"] / one
    found.append(
        Measured("`diagnose` of them, rules and report too", loop, one, times["pandas"], share, "≥ 3×", share >= 3)
    )
    found.append(
        Measured(
            "`diagnose --jobs 2`, by the clock", "`--jobs 1`", two, clock, clock / two, "≥ 1.7×", clock / two >= 1.7
        )
    )
    found.append(
        Measured("the same by CPU time shared by two cores", "`--jobs 1`", both / 2, one, 2 * one / both, "", None)
    )
    return found
