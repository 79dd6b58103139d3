"""Makes the sample runs: trains each network, writes its log; with --check proves that the run deserves its name.

python sample_runs/make.py [NAME ...]          needs torch and scikit-learn; half a minute for all
python sample_runs/make.py --check [NAME ...]  trains each again with single changes; five minutes for all
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from checks import CLAIMS
from modern import MODERN, Modern
from recorded import RECORDED, Recorded
from samples import SAMPLES, Sample

HERE = Path(__file__).parent
EVERY: tuple[Sample | Recorded | Modern, ...] = (*SAMPLES, *RECORDED, *MODERN)


def make(sample: Sample | Modern) -> None:
    """Train and write one log."""
    path = HERE / sample.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(sample.text(), encoding="utf-8", newline="\n")
    print(f"{sample.path}  {path.stat().st_size / 1000:.1f} kB")


def record(sample: Recorded) -> None:
    """Train and write one run folder."""
    sample.write(HERE)
    size = sum(file.stat().st_size for file in (HERE / sample.path).iterdir())
    print(f"{sample.path}  {size / 1000:.1f} kB")


def check(sample: Sample | Recorded | Modern) -> bool:
    """Print what is claimed of a run and whether it holds; a name without a claim is true by construction."""
    if isinstance(sample, Recorded):
        text, holds = sample.claim()
        print(f"{'ok ' if holds else 'NO '} {sample.path}: {text}")
        return holds
    claims = CLAIMS[sample.name](sample.experiment) if isinstance(sample, Sample) and sample.name in CLAIMS else []
    for claim in claims:
        print(f"{'ok ' if claim.holds else 'NO '} {sample.path}: {claim.text}")
    return all(claim.holds for claim in claims)


def main() -> int:
    """0, or 1 where a run does not deserve its name."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="prove the names instead of writing the logs")
    parser.add_argument("names", nargs="*", metavar="NAME", help="folders or files; all by default")
    asked = parser.parse_args()
    unknown = set(asked.names) - {n for s in EVERY for n in (s.name, s.path)}
    if unknown:
        parser.error(f"no sample run named {', '.join(sorted(unknown))}")
    chosen = [s for s in EVERY if not asked.names or {s.name, s.path} & set(asked.names)]
    if asked.check:
        return 0 if all([check(sample) for sample in chosen]) else 1  # noqa: C419 - every one is to be printed
    for sample in chosen:
        record(sample) if isinstance(sample, Recorded) else make(sample)
    return 0


if __name__ == "__main__":
    sys.exit(main())
