"""The rounds of a search as studies in Optuna's storage."""

from __future__ import annotations

import math
from typing import Any

from nndoctor.treatment.trial import Trial


def opened(storage: str, path: str, number: int, seed: int) -> Any:  # noqa: ANN401 - Optuna ships no types here
    """The study of a round, in which earlier trials are kept."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        storage=storage, study_name=f"{path} round {number + 1} seed {seed}", load_if_exists=True
    )
    study.sampler = optuna.samplers.RandomSampler(seed=seed + 1000 * number + len(study.trials))  # none drawn twice
    return study


def tell(study: Any, asked: Any, trial: Trial) -> None:  # noqa: ANN401
    """Report how a trial went."""
    import optuna

    for step, loss in zip(trial.steps, trial.losses, strict=True):
        if math.isfinite(loss):
            asked.report(loss, step)
    last = trial.losses[-1] if trial.losses else math.inf
    if trial.cut:
        asked.set_user_attr("stopped", trial.cut)
    if trial.diverged or not math.isfinite(last):
        study.tell(asked, state=optuna.trial.TrialState.PRUNED)
    else:  # a trial stopped on a plateau counts with its loss
        study.tell(asked, last if trial.cut else trial.final)


def finished(study: Any, steps: int) -> list[tuple[dict[str, float], int, float]]:  # noqa: ANN401
    """The trials of a round that ended, those that diverged with an infinite loss."""
    ended = [t for t in study.get_trials(deepcopy=False) if t.state.name in {"COMPLETE", "PRUNED"}]
    return [(dict(t.user_attrs["values"]), steps, t.value if t.state.name == "COMPLETE" else math.inf) for t in ended]
