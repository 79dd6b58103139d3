"""The table of the measurements."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.treat.measure import FRESH, Measured
from benchmarks.treat.pruning import FULL, TRIALS, Saved
from nndoctor.treatment.gains import MIN_GAIN
from nndoctor.treatment.pruning import EVALUATIONS

HEAD = """# Treatments

`python -m benchmarks.treat --budget {budget:g}`: the model files in `benchmarks/treat/models`, each with one planted
fault or none, within {budget:g} seconds of the processor for each file and method. What is called helpful is measured
again with {seeds} fresh seeds, in units of the distance from the best constant prediction to the best loss that any
single change reached; a gain is material from {material:g} on. The plain search is Optuna's default sampler over the
learning rate, 1e-4 to 1e4 times the file's own, with one seed. The first remedy is the change that is tried first, taken
unverified. Where the search or the first remedy was not measured on a file, its cell is blank.

"""


def page(found: Sequence[Measured], budget: float) -> str:
    """The page: figures first, then a row for each file."""
    faulty = sorted((one for one in found if not one.healthy), key=lambda one: one.name)
    healthy = sorted((one for one in found if one.healthy), key=lambda one: one.name)
    rows = [*_verdicts(faulty, healthy), *_rivals(faulty, healthy)]
    text = HEAD.format(budget=budget, seeds=len(FRESH), material=MIN_GAIN)
    text += "| measured | result | goal |\n|---|---|---|\n"
    text += "".join(f"| {name} | {value} | {goal} |\n" for name, value, goal in rows)
    text += (
        "\n## Each file\n\n| file | best change | gain (interval) | fresh seeds | search | first remedy | trainings |\n"
    )
    text += "|---|---|---|---|---|---|---|\n"
    return text + "".join(_row(one) for one in (*faulty, *healthy))


Rows = list[tuple[str, str, str]]


def _verdicts(faulty: Sequence[Measured], healthy: Sequence[Measured]) -> Rows:
    """What treat found, and whether it was so with fresh seeds."""
    again = [a for one in (*faulty, *healthy) for a in one.helpful]
    seeds = sum(len(a.fresh) for a in again)
    inside = sum(a.low <= a.mean <= a.high for a in again)
    wrong = sum(one.called > 0 for one in healthy)
    return [
        ("a change that really helps is found and called helpful", _of(sum(map(_found, faulty)), faulty), "90%"),
        ("healthy files on which something is called helpful", _of(wrong, healthy), "0"),
        ("gains of single fresh seeds inside the interval", _share(sum(a.covered for a in again), seeds), "90%"),
        ("mean gains of the fresh seeds inside the interval", _share(inside, len(again)), "90%"),
    ]


def _rivals(faulty: Sequence[Measured], healthy: Sequence[Measured]) -> Rows:
    """What the plain search and the first remedy do on the same files."""
    searched = [one.searched >= MIN_GAIN for one in faulty if one.searched is not None]
    claimed = [one.searched_claims and one.searched < MIN_GAIN for one in healthy if one.searched is not None]
    first = [one.first_gain >= MIN_GAIN for one in faulty if one.first_gain is not None]
    return [
        ("plain search over the learning rate: faulty files that it improves materially", _measured(searched), ""),
        ("plain search: healthy files on which it claims a better rate that is none", _measured(claimed), ""),
        ("first remedy unverified: faulty files that it improves materially", _measured(first), ""),
    ]


PRUNING = """
## Cutting trials of a search

{trials} random trials (learning rate, weight decay, batch size) on each of {files} files, every one trained to its end
once; each pruner is asked at the same {evaluations} evaluations whether it would have cut it there. nndoctor cuts a trial
whose loss explodes, that has a lasting finding of error severity, or that could not get down to the best loss so far even
if it went on falling as steeply as lately. Which best loss it is compared with was chosen on the first six files.

| pruner | CPU seconds | saved | trials cut | files on which the best trial is kept |
|---|---|---|---|---|
"""


def pruning(found: Sequence[Saved]) -> str:
    """What each pruner saves, and whether it keeps the best trial; empty where nothing is measured."""
    if not found:
        return ""
    files = list(dict.fromkeys(one.file for one in found))
    whole = [one for one in found if one.pruner == FULL]
    text = PRUNING.format(trials=TRIALS, files=len(files), evaluations=EVALUATIONS)
    pruners = list(dict.fromkeys(one.pruner for one in found))
    text += "".join(_pruner([one for one in found if one.pruner == pruner], whole) for pruner in pruners)
    text += f"\n| file | {' | '.join(pruners)} |\n|---|---|---|---|\n"
    for file in files:
        cells = [f"{one.seconds:.1f} s, best {one.best:.4g}" for one in found if one.file == file]
        text += f"| {file} | {' | '.join(cells)} |\n"
    return text


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


def _pruner(own: Sequence[Saved], whole: Sequence[Saved]) -> str:
    """The row of a pruner; `whole` is the search without one."""
    seconds = sum(one.seconds for one in own)
    share = 1 - seconds / sum(one.seconds for one in whole)
    kept = sum(one.best <= full.best for one, full in zip(own, whole, strict=True))
    cut, trials = sum(one.cut for one in own), TRIALS * len(own)
    return f"| {own[0].pruner} | {seconds:.1f} | {share:.0%} | {cut} of {trials} | {kept} of {len(own)} |\n"
