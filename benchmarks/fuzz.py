"""Feeds mutated logs to every reader, and to the rules and the page where a run comes out; prints what broke.

python -m benchmarks.fuzz [--inputs N | --minutes N] [--seed N] [--keep FOLDER]

Mutations change bytes and, in tables, the structure: columns that end early, rows swapped, a column in another unit,
a file cut in two.

The seeds are the sample runs, the sample of each reader in tests/readers/samples.py, and the corpus of real logs where it is at
hand (NNDOCTOR_CORPUS). An input that raises anything but an NNDoctorError, takes over 5 s of processor time each time
it is tried, or over ten times its size plus 200 MB of memory is a failure; with --keep it is saved. Exit code 1 if
anything failed.
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
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from benchmarks.fuzz_mutations import Log, mutated
from nndoctor.core.errors import NNDoctorError
from nndoctor.diagnosis.catalogue import RULES
from nndoctor.diagnosis.engine import diagnose
from nndoctor.readers import READERS, is_log, read
from nndoctor.readers.io.source import Source
from nndoctor.reporters.page import Style
from nndoctor.reporters.terminal import render
from tests.readers.samples import SAMPLES

ROOT = Path(__file__).resolve().parents[1]
CORPUS = Path(os.environ.get("NNDOCTOR_CORPUS", ROOT.parent / "shared" / "corpus")) / "real" / "files"
LARGEST = 16 << 10  # bytes of a seed: the head of a longer log shows the same kinds of lines
SLOWEST, HANGS = 5.0, 120.0  # seconds of processor time, and by the clock: other programs may be running
ATTEMPTS = 3  # a machine that pauses or shares its processors makes one input slow once; a slow input is slow each time
BASE, TIMES = 200 << 20, 10  # bytes of memory, and times the input
MEASURED = 40  # one input in so many has its memory measured, which is slow


class TooSlow(BaseException):
    """An input took longer than any may; the batch, which reports exceptions of readers and rules, lets it pass."""


@contextmanager
def limited() -> Iterator[None]:
    """A block that may take SLOWEST seconds of processor time and HANGS of waiting (no limit on Windows: no alarms)."""

    def ring(number: int, _frame: FrameType | None) -> None:
        limit = f"{SLOWEST:g} s of processor time" if number == signal.SIGPROF else f"{HANGS:g} s by the clock"
        raise TooSlow(limit)

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


def _may_be_log(path: Path) -> bool:
    kinds = {".csv", ".tsv", ".json", ".jsonl", ".log", ".txt", ".wandb", ".db", ".yaml", ".md", ".out", ".gz", ".zip"}
    return path.is_file() and (path.suffix in kinds or "tfevents" in path.name) and path.stat().st_size > 0


def seeds() -> list[Log]:
    """The beginnings of logs, files and folders."""
    folders = [ROOT / "sample_runs", ROOT / "tests", CORPUS]
    paths = [p for folder in folders for p in sorted(folder.rglob("*"))]
    files = list(filter(_may_be_log, paths))
    whole = [p for p in paths if p.is_dir() and is_log(Source(str(p)))]
    with tempfile.TemporaryDirectory() as place:
        return [_log(path) for path in [*files, *whole, *_written(Path(place))]]


def _log(path: Path) -> Log:
    """A file, or a folder with the first of its files."""
    if path.is_file():
        return {path.name: _head(path)}
    return {str(p.relative_to(path.parent)): _head(p) for p in sorted(path.rglob("*"))[:30] if p.is_file()}


def _written(folder: Path) -> list[Path]:
    """The sample of each reader: a folder for each, or the one that it made in it."""
    made = []
    for name, make in SAMPLES.items():
        (folder / name).mkdir()
        with suppress(ImportError):  # Parquet needs an extra
            made.append(make(folder / name))
    return made


def _head(path: Path) -> bytes:
    return path.read_bytes()[:LARGEST]


SLOW = "too slow, "  # how the description of such a failure begins


def tried(log: Log, folder: Path) -> str:
    """How an input ends: `read`, `refused`, or a failure in words; slow ones are tried again."""
    for _ in range(ATTEMPTS):
        ended = tried_once(log, folder)
        if not ended.startswith(SLOW):
            break
    return ended


def tried_once(log: Log, folder: Path) -> str:
    """How one attempt at an input ends."""
    for name, data in log.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    path = folder / Path(next(iter(log))).parts[0]
    try:
        with limited(), warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)  # numpy's, which would stand before the user's report
            for run in read(Source(str(path))):
                report = diagnose(run, RULES)
                if report.errors:
                    return f"a rule failed: {report.errors[0]}"
                render([report], Style())
    except NNDoctorError as error:
        return "refused" if "\n" not in str(error) else f"an error of several lines: {error}"
    except TooSlow as limit:
        return f"{SLOW}over {limit}: {''.join(traceback.format_exc().splitlines(keepends=True)[-6:-1])}"
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
