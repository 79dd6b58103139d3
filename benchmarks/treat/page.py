"""The table of the measurements."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.treat.measure import FRESH, Measured
from nndoctor.treatment.gains import MATERIAL

HEAD = """# Treatments

`python -m benchmarks.treat --budget {budget:g}`: the model files in `benchmarks/treat/models`, each with one planted
fault or none, within {budget:g} seconds of the processor for each file and method. What is called helpful is measured
again with {seeds} fresh seeds, in units of the distance from the best constant prediction to the best loss that any
single change reached; a gain is material from {material:g} on. The plain search is Optuna's default sampler over the
learning rate, 1e-4 to 1e4 times the file's own, with one seed. The first remedy is the change that the diagnosis ranks
first, taken unverified.

"""


def page(found: Sequence[Measured], budget: float) -> str:
    """The page: figures first, then a row for each file."""
    faulty = sorted((one for one in found if not one.healthy), key=lambda one: one.name)
    healthy = sorted((one for one in found if one.healthy), key=lambda one: one.name)
    again = [a for one in found for a in one.helpful]
    seeds = sum(len(a.fresh) for a in again)
    inside = sum(a.low <= a.mean <= a.high for a in again)
    rows = [
        ("a change that really helps is found and called helpful", _of(sum(_found(one) for one in faulty), faulty), "90%"),
        ("healthy files on which something is called helpful", _of(sum(one.called > 0 for one in healthy), healthy), "0"),
        ("gains of single fresh seeds inside the interval", _share(sum(a.covered for a in again), seeds), "90%"),
        ("mean gains of the fresh seeds inside the interval", _share(inside, len(again)), "90%"),
        ("plain search over the learning rate: faulty files that it improves materially",
         _measured([one.searched >= MATERIAL for one in faulty if one.searched is not None]), ""),
        ("plain search: healthy files on which it claims a better rate that is none",
         _measured([one.searched_claims and one.searched < MATERIAL for one in healthy if one.searched is not None]), ""),
        ("first remedy unverified: faulty files that it improves materially",
         _measured([one.first_gain >= MATERIAL for one in faulty if one.first_gain is not None]), ""),
    ]  # fmt: skip
    text = HEAD.format(budget=budget, seeds=len(FRESH), material=MATERIAL)
    text += "| measured | result | goal |\n|---|---|---|\n"
    text += "".join(f"| {name} | {value} | {goal} |\n" for name, value, goal in rows)
    text += (
        "\n## Each file\n\n| file | best change | gain (interval) | fresh seeds | search | first remedy | trainings |\n"
    )
    text += "|---|---|---|---|---|---|---|\n"
    return text + "".join(_row(one) for one in (*faulty, *healthy))


def _found(one: Measured) -> bool:
    return any(a.true for a in one.helpful)


def _of(count: int, of: Sequence[Measured]) -> str:
    return f"{count} of {len(of)}"


def _measured(found: Sequence[bool]) -> str:
    return f"{sum(found)} of {len(found)}" if found else "not measured"


def _share(count: int, whole: int) -> str:
    return f"{count / whole:.0%} ({count} of {whole})" if whole else "none measured"


def _row(one: Measured) -> str:
    best = one.helpful[0] if one.helpful else None
    gain = f"{best.gain:.2f} ({best.low:.2f} to {best.high:.2f})" if best else ""
    fresh = f"{best.mean:.2f}" if best else ""
    searched = "" if one.searched is None else f"{one.searched:.2f}" if one.searched_claims else "no better rate"
    first = "" if one.first_gain is None else f"{one.first_gain:.2f}"
    return (
        f"| {one.name} | {best.change if best else 'nothing helps'} | {gain} | {fresh} | {searched} "
        f"| {one.first} {first} | {one.trainings} |\n"
    )
