"""Runs every benchmark in turn, each against its rivals, and writes docs/performance.md.

python -m benchmarks [--only NAME]... [--quick] [--page]

`prognosis` (which trains the shipped model again) and `linters` (which installs other packages) run only with --only. A benchmark
that fails is reported, and the others go on; its page stays as it was. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from benchmarks.machine import machine
from benchmarks.measurements import ALL, HERE, Measurement
from benchmarks.performance import PAGE, RUNS, Run, page, runs


def main(words: Sequence[str] | None = None) -> int:
    """0 if all that was asked for ran, else 1."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [one.name for one in ALL if one.exists]
    parser.add_argument("--only", action="append", choices=names, help="run this benchmark; may be repeated")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and smaller inputs")
    parser.add_argument(
        "--page", action="store_true", help="run nothing: write the page from the benchmarks' own pages"
    )
    given = parser.parse_args(words)
    chosen = [one for one in ALL if one.exists and (one.name in given.only if given.only else not one.asked)]
    failed = [] if given.page else [one.name for one in chosen if not run(one, quick=given.quick)]
    PAGE.write_text(page(runs()), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(HERE.parent)}")
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def run(one: Measurement, *, quick: bool) -> bool:
    """Run a benchmark and note the machine; whether it wrote its page, which it also does where a goal is missed."""
    print(f"== {one.name}: about {one.minutes:g} minutes{', less with --quick' if quick else ''}", flush=True)
    before = one.page.stat().st_mtime_ns if one.page.is_file() else 0
    began = time.monotonic()
    subprocess.run(one.command(quick=quick), cwd=HERE.parent, check=False)
    if not one.page.is_file() or one.page.stat().st_mtime_ns == before:
        return False
    minutes = round((time.monotonic() - began) / 60, 1)
    known = runs() | {one.name: Run(machine(), datetime.now(UTC).date().isoformat(), minutes, quick)}
    RUNS.write_text(json.dumps({name: asdict(one) for name, one in known.items()}, indent=1) + "\n", encoding="utf-8")
    return True


if __name__ == "__main__":
    sys.exit(main())
