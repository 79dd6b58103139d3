"""Feeds mutated logs to every reader, and to the rules and the page where a run comes out; prints what broke.

python -m benchmarks.fuzz [--inputs N | --minutes N] [--seed N] [--keep FOLDER]

Mutations change bytes and, in tables, the structure: columns that end early, rows swapped, a column in another unit,
a file cut in two.

The seeds are the sample runs, one small log of each synthesised format, and the corpus of real logs where it is at
hand (NNDOCTOR_CORPUS). An input that raises anything but an NNDoctorError, takes over 5 s of processor time, or over
ten times its size plus 200 MB of memory is a failure; with --keep it is saved. Exit code 1 where anything failed.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from nndoctor.core.errors import NNDoctorError
from nndoctor.diagnosis.catalogue import RULES
from nndoctor.diagnosis.engine import diagnose
from nndoctor.readers import READERS, is_log, read
from nndoctor.readers.io.source import Source
from nndoctor.reporters.page import Style
from nndoctor.reporters.terminal import render

ROOT = Path(__file__).resolve().parents[1]
CORPUS = Path(os.environ.get("NNDOCTOR_CORPUS", ROOT.parent / "shared" / "corpus")) / "real" / "files"
LARGEST = 16 << 10  # bytes of a seed: a longer log's head says as much
SLOWEST, HANGS = 5.0, 120.0  # seconds of processor time, and by the clock: other programs may be running
BASE, TIMES = 200 << 20, 10  # bytes of memory, and times the input
MEASURED = 40  # one input in so many has its memory measured, which is slow
WORDS = (
    *(b"nan", b"-inf", b"1e999", b"", b"null", b"[]", b"{}", b'"', b"'", b"\n", b"\r", b",", b"\t", b"\0", b"\xff\xfe"),
    *(b"epoch", b"loss", b"val_loss", b"step", b"\x1b[2K", b"%", b"1_0", b"9" * 400, b"[" * 2000, b'{"a":' * 500),
    *(b"\xf0\x9f\x98\x80", b"\xe2\x94\x82", b"-1", b"0", b"9223372036854775808", b"1e308", b"\x80" * 12, b"|---" * 40),
)


class TooSlow(BaseException):
    """An input took longer than any may; the batch, which reports exceptions of readers and rules, lets it pass."""


@contextmanager
def limited() -> Iterator[None]:
    """A block that may take SLOWEST seconds of processor time and HANGS of waiting (no limit on Windows: no alarms)."""

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise TooSlow

    if not hasattr(signal, "setitimer"):
        yield
        return
    alarms = ((signal.ITIMER_PROF, signal.SIGPROF, SLOWEST), (signal.ITIMER_REAL, signal.SIGALRM, HANGS))
    for timer, number, seconds in alarms:
        signal.signal(number, ring)
        signal.setitimer(timer, seconds)
    try:
        yield
    finally:
        for timer, _, _ in alarms:
            signal.setitimer(timer, 0)


Log = dict[str, bytes]  # paths below the folder that is the log, and what stands there; one path is a file alone


def seeds() -> list[Log]:
    """The beginnings of logs, files and folders."""
    folders = [ROOT / "sample_runs", ROOT / "tests", CORPUS]
    kinds = {".csv", ".tsv", ".json", ".jsonl", ".log", ".txt", ".wandb", ".db", ".yaml", ".md", ".out", ".gz", ".zip"}
    paths = [p for folder in folders if folder.is_dir() for p in sorted(folder.rglob("*"))]
    files = [p for p in paths if p.is_file() and (p.suffix in kinds or "tfevents" in p.name) and p.stat().st_size]
    whole = [p for p in paths if p.is_dir() and is_log(Source(str(p)))] + _written(Path(tempfile.mkdtemp()))
    return [{p.name: _head(p)} for p in files] + [
        {str(q.relative_to(p.parent)): _head(q) for q in sorted(p.rglob("*"))[:30] if q.is_file()} for p in whole
    ]


def _written(folder: Path) -> list[Path]:
    """A small folder of each kind that has no reader's example among the seeds."""
    steps = "".join(f"{1600 + k} {2 / (k + 1)} {k}\n" for k in range(12))
    table = "step\ttrain\n" + "".join(f"{k}\t{2 / (k + 1)}\n" for k in range(12))
    texts = {
        "mlflow/mlruns/0/abc/metrics/train_loss": steps,
        "mlflow/mlruns/0/abc/metrics/val_loss": steps,
        "mlflow/mlruns/0/abc/meta.yaml": "run_id: abc\nrun_name: first\n",
        "mlflow/mlruns/0/abc/params/lr": "0.1",
        "catboost_info/learn_error.tsv": table.replace("step\ttrain", "iter\tLogloss"),
        "catboost_info/test_error.tsv": table.replace("step\ttrain", "iter\tLogloss"),
        "dvclive/plots/metrics/train/loss.tsv": table.replace("train", "train/loss"),
        "dvclive/metrics.json": '{"step": 11, "train": {"loss": 0.1}}',
        "run/run.csv": table.replace("\t", ",").replace("train", "train/loss"),
        "run/run.json": '{"format": "nndoctor-run", "version": 1, "facts": {"optimizer": "Adam"}}',
    }
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return [
        folder / "mlflow",
        folder / "mlflow/mlruns/0/abc",
        folder / "catboost_info",
        folder / "dvclive",
        folder / "run",
    ]


def _head(path: Path) -> bytes:
    return path.read_bytes()[:LARGEST]


def mutated(log: Log, others: list[Log], dice: random.Random) -> Log:
    """A few random changes: bytes, words, lines doubled, dropped, swapped or taken from another log, a cut."""
    log = dict(log)
    for _ in range(dice.choice((1, 1, 2, 3, 8))):
        name, other = dice.choice(list(log)), dice.choice(others)
        log[name] = dice.choice(CHANGES)(log[name], next(iter(other.values())), dice)
    return log


Change = Callable[[bytes, bytes, random.Random], bytes]


def _flip(data: bytes, _other: bytes, dice: random.Random) -> bytes:
    if not data:
        return data
    at = dice.randrange(len(data))
    return data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :]


def _cut(data: bytes, _other: bytes, dice: random.Random) -> bytes:
    return data[: dice.randrange(len(data) + 1)]


def _word(data: bytes, _other: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data) + 1)
    return data[:at] + dice.choice(WORDS) + data[at + dice.choice((0, 1, 4)) :]


def _cell(data: bytes, _other: bytes, dice: random.Random) -> bytes:
    """One cell replaced: between two delimiters."""
    marks = [k for k, byte in enumerate(data[:8000]) if byte in b",\t:; \n"]
    if len(marks) < 2:
        return data
    k = dice.randrange(len(marks) - 1)
    return data[: marks[k] + 1] + dice.choice(WORDS) + data[marks[k + 1] :]


def _lines(data: bytes, other: bytes, dice: random.Random) -> bytes:
    lines = data.split(b"\n")
    a, b = sorted(dice.randrange(len(lines) + 1) for _ in range(2))
    kind = dice.randrange(4)
    if kind == 0:
        return b"\n".join(lines[:a] + lines[b:])
    if kind == 1:
        return b"\n".join(lines[:b] + lines[a:b] + lines[b:])
    if kind == 2:
        dice.shuffle(lines)
        return b"\n".join(lines)
    return b"\n".join(lines[:a] + other.split(b"\n")[: dice.randrange(20)] + lines[a:])


def _graft(data: bytes, other: bytes, dice: random.Random) -> bytes:
    return data[: dice.randrange(len(data) + 1)] + other[dice.randrange(len(other) + 1) :]


def _table(data: bytes) -> list[list[bytes]]:
    """The cells of a table with commas or tabs; empty for anything else."""
    mark = b"\t" if b"\t" in data[:200] else b","
    rows = [line.split(mark) for line in data.split(b"\n")]
    return rows if len(rows) > 3 and len(rows[0]) > 1 else []


def _joined(rows: list[list[bytes]], data: bytes) -> bytes:
    return b"\n".join((b"\t" if b"\t" in data[:200] else b",").join(row) for row in rows)


def _column_ends(data: bytes, _other: bytes, dice: random.Random) -> bytes:
    """A column that is empty from some row on."""
    rows = _table(data)
    if not rows:
        return data
    column, first = dice.randrange(len(rows[0])), dice.randrange(1, len(rows))
    cut = [[b"" if j == column and k >= first else cell for j, cell in enumerate(row)] for k, row in enumerate(rows)]
    return _joined(cut, data)


def _rows_swapped(data: bytes, _other: bytes, dice: random.Random) -> bytes:
    lines = data.split(b"\n")
    if len(lines) > 3:
        a, b = dice.randrange(1, len(lines)), dice.randrange(1, len(lines))
        lines[a], lines[b] = lines[b], lines[a]
    return b"\n".join(lines)


def _other_unit(data: bytes, _other: bytes, dice: random.Random) -> bytes:
    """A column times a factor: percent, milli-units, absurd magnitudes."""
    rows = _table(data)
    if not rows:
        return data
    column, factor = dice.randrange(len(rows[0])), dice.choice((100.0, 0.01, -1.0, 1e-300, 1e300, 0.0))
    return _joined([[_scaled(c, factor) if j == column else c for j, c in enumerate(row)] for row in rows], data)


def _scaled(cell: bytes, factor: float) -> bytes:
    try:
        return repr(float(cell) * factor).encode()
    except ValueError:
        return cell


def _split(data: bytes, _other: bytes, dice: random.Random) -> bytes:
    """The second part of a file that was cut in two, with its header or without."""
    head, _, rest = data.partition(b"\n")
    lines = rest.split(b"\n")
    kept = b"\n".join(lines[dice.randrange(len(lines)) :])
    return kept if dice.random() < HEADERLESS else head + b"\n" + kept


HEADERLESS = 0.3
CHANGES: tuple[Change, ...] = (
    *(_flip, _flip, _cut, _word, _cell, _cell, _lines, _lines, _graft),
    *(_column_ends, _rows_swapped, _other_unit, _split),
)


def tried(log: Log, folder: Path) -> str:
    """How an input ends: `read`, `refused`, or a failure in words."""
    for name, data in log.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    path = folder / Path(next(iter(log))).parts[0]
    try:
        with limited():
            for run in read(Source(str(path))):
                report = diagnose(run, RULES)
                if report.errors:
                    return f"a rule failed: {report.errors[0]}"
                render([report], Style())
    except NNDoctorError as error:
        return "refused" if "\n" not in str(error) else f"an error of several lines: {error}"
    except TooSlow:
        return f"over {SLOWEST:g} s: {''.join(traceback.format_exc().splitlines(keepends=True)[-6:-1])}"
    except Exception as error:  # noqa: BLE001 - what a fuzzer is for
        return f"{type(error).__name__}: {error}; {traceback.format_exc().splitlines()[-3].strip()}"
    finally:
        for left in folder.iterdir():
            shutil.rmtree(left) if left.is_dir() else left.unlink()
    return "read"


def measured(log: Log, folder: Path) -> str:
    """As `tried`, with the most memory that it took."""
    tracemalloc.start()
    try:
        ended = tried(log, folder)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    size = sum(map(len, log.values()))
    return ended if most <= BASE + TIMES * size else f"{most >> 20} MB for {size} bytes"


def fuzz(inputs: int, seed: int, keep: Path | None, minutes: float | None = None) -> Counter[str]:
    """How the inputs ended; at most `inputs` of them, and as many as fit into `minutes`."""
    dice, logs = random.Random(seed), seeds()  # noqa: S311 - repeatable
    ends: Counter[str] = Counter()
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="nndoctor-fuzz-"))
    try:
        for k in range(inputs):
            if minutes is not None and time.monotonic() - began > 60 * minutes:
                break
            log = mutated(logs[k % len(logs)], logs, dice)
            ended = (measured if k % MEASURED == 0 else tried)(log, folder)
            ends[ended] += 1
            if ended not in ("read", "refused") and ends[ended] == 1:
                print(f"input {k} ({next(iter(log))}): {ended}", flush=True)
                for name, data in log.items() if keep is not None else ():
                    place = (keep or folder) / str(k) / name
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(data)
            if k and k % 10_000 == 0:
                print(f"{k} inputs, {time.monotonic() - began:.0f} s", flush=True)
    finally:
        shutil.rmtree(folder)
    return ends


def main() -> int:
    """0 where nothing broke, else 1."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=100_000, help="how many (default 100,000)")
    parser.add_argument("--minutes", type=float, help="stop after so long")
    parser.add_argument("--seed", type=int, default=0, help="of the mutations (default 0)")
    parser.add_argument("--keep", type=Path, help="a folder for the inputs that failed")
    given = parser.parse_args()
    ends = fuzz(given.inputs, given.seed, given.keep, given.minutes)
    failed = sum(count for ended, count in ends.items() if ended not in ("read", "refused"))
    print(
        f"{len(READERS)} readers, {ends.total()} inputs: {ends['read']} read, {ends['refused']} refused, {failed} failed"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
