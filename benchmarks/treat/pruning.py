"""What cutting trials of a random search saves, and what it costs: nndoctor's verdicts against Optuna's MedianPruner.

Every trial is trained to its end once, where its loss stays finite; the pruners are then asked at each evaluation whether
they would have cut it there. So all of them see the same trials, and the search without any is known, too.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import optuna

from nndoctor.cli.run_treat import length
from nndoctor.treatment.finding_pruner import FindingPruner
from nndoctor.treatment.pruning import MIN_SHARE_DONE, failure, loss_to_reach, too_slow, until
from nndoctor.treatment.ranges import RATE_FACTOR, Range, ranges_of
from nndoctor.treatment.search import TrialSettings, one
from nndoctor.treatment.trial import Job, Trial

MODELS = Path(__file__).parent / "models"
FILES = (
    "softmax_output", "lr_too_high", "lr_too_low", "tiny_network", "overfits", "healthy_regression",
    "no_momentum", "sigmoid_stack", "healthy_own_step", "batch_too_large",
)  # fmt: skip
TRIALS = 16
FULL = "no pruning"
MEDIAN = "Optuna's MedianPruner"
OURS = "nndoctor"


@dataclass(frozen=True, slots=True)
class Saved:
    """What a pruner did on one file: CPU seconds, trials cut, and the best final loss among those that were kept."""

    file: str
    pruner: str
    seconds: float
    cut: int
    best: float


def saved(name: str) -> list[Saved]:
    """A search on a file under each pruner."""
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    path = str(MODELS / f"{name}.py")
    total, ranges = length(path, None, None), ranges_of(path)
    draw = np.random.default_rng(0)
    trials = [one(_setting(path, total, ranges, draw)) for _ in range(TRIALS)]
    finals: list[float] = []
    study = optuna.create_study(pruner=optuna.pruners.MedianPruner())
    pruners: dict[str, Callable[[Trial, int], int]] = {
        FULL: lambda trial, _: len(trial.losses),
        MEDIAN: lambda trial, _: _median(study, trial),
        OURS: lambda trial, total: _ours(trial, total, finals),
    }
    return [_replayed(name, pruner, kept_until, trials, total) for pruner, kept_until in pruners.items()]


def _setting(path: str, total: int, ranges: dict[str, Range], draw: np.random.Generator) -> TrialSettings:
    values = {k: float(np.exp(draw.uniform(np.log(r.low), np.log(r.high)))) for k, r in ranges.items()}
    if "batch_size" in values:
        values["batch_size"] = float(2 ** round(math.log2(values["batch_size"])))
    values["factor"] = values["lr"] * RATE_FACTOR / ranges["lr"].high
    return TrialSettings(Job(path, "", 0, total, "cpu", cpu=True), values)


def _replayed(
    name: str, pruner: str, kept_until: Callable[[Trial, int], int], trials: Sequence[Trial], total: int
) -> Saved:
    """The costs and the best of the trials; one that failed costs its whole length without a pruner."""
    seconds, cut, best = 0.0, 0, math.inf
    for trial in trials:
        number = kept_until(trial, total)
        whole = number >= len(trial.losses)
        done = trial.steps[number - 1] + 1
        each = trial.seconds / (trial.steps[-1] + 1)
        seconds += each * (total if whole and pruner == FULL else done)
        cut += not whole or (trial.cut != "" and pruner != FULL)
        best = min(best, trial.final if whole else math.inf)
    return Saved(name, pruner, seconds, cut, best)


def _median(study: optuna.Study, trial: Trial) -> int:
    """The evaluation at which Optuna's pruner cuts a trial, or the number of them."""
    asked = study.ask()
    for number, (step, loss) in enumerate(zip(trial.steps, trial.losses, strict=True), 1):
        asked.report(loss, step)
        if number < len(trial.losses) and asked.should_prune():
            study.tell(asked, state=optuna.trial.TrialState.PRUNED)
            return number
    failed = not math.isfinite(trial.final)
    study.tell(asked, None if failed else trial.final, optuna.trial.TrialState.FAIL if failed else None)
    return len(trial.losses)


def _ours(trial: Trial, total: int, finals: list[float]) -> int:
    """The evaluation at which a search of nndoctor cuts a trial, or the number of them."""
    doctor, bar = FindingPruner(), loss_to_reach(finals)
    for number in range(1, len(trial.losses)):
        so_far = until(trial, number)
        late = MIN_SHARE_DONE * total <= trial.steps[number - 1] + 1
        if failure(so_far) or too_slow(so_far, bar, total) or (late and doctor.fails(so_far.run())):
            return number
    finals.append(trial.final)
    return len(trial.losses)


def recorded(file: Path) -> list[Saved]:
    """What was measured before."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    return [Saved(**json.loads(line)) for line in lines]


def measure(file: Path) -> list[Saved]:
    """All that is measured; what is missing yet is measured and kept in the file."""
    found = recorded(file)
    for name in FILES:
        if name not in {one.file for one in found}:
            new = saved(name)
            found += new
            with file.open("a", encoding="utf-8") as out:
                out.writelines(json.dumps(asdict(one)) + "\n" for one in new)
            print(*new, sep="\n", flush=True)
    return found
