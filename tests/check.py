"""Everything that CI checks, in one command: `python -m tests.check`, or `--quick` without the slow tests."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STEPS = {
    "lint": ["ruff", "check", "."],
    "format": ["ruff", "format", "--check", "."],
    "types": ["mypy"],
    "tests": ["pytest", "-q"],
}


def main() -> int:
    """Run every step, and give 1 where one fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.check", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out the tests marked slow")
    quick = parser.parse_args().quick
    failed = []
    for name, words in STEPS.items():
        command = [sys.executable, "-m", *words]
        if name == "tests" and quick:
            command += ["-m", "not slow"]
        sys.stdout.write(f"== {name}: {' '.join(command[2:])}\n")
        sys.stdout.flush()
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            failed.append(name)
    sys.stdout.write(f"failed: {', '.join(failed)}\n" if failed else "all checks passed\n")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
