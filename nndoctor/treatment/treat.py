"""What a treatment knows: the trainings done so far, and what they say of each change."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from nndoctor.core.report import Report
from nndoctor.treatment.changes import named
from nndoctor.treatment.gains import Gain, GainVerdict, Units, gain, pooled_noise, unit
from nndoctor.treatment.pruning import ReferenceTraining
from nndoctor.treatment.trial import Trial

STOP_EARLY = "early-stop"
NO_TIME = "not enough time left"
MAX_BEHIND = 0.15  # units behind the unchanged file at half a training, beyond which a trial is stopped


@dataclass(slots=True)
class Treatment:
    """What is known so far. `trials` by change and seed (the change "" is the file as it is); `not_tried` with reasons."""

    path: str
    steps: int
    constant: float = math.inf
    report: Report | None = None
    trials: dict[tuple[str, int], Trial] = field(default_factory=dict)
    not_tried: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    validated: bool = True
    interrupted: bool = False

    def finals(self, change: str) -> dict[int, float]:
        """The final losses of a change by seed."""
        return {seed: trial.final for (name, seed), trial in self.trials.items() if name == change}

    def seeds(self, change: str) -> int:
        """How many trainings with a change are done."""
        return sum(name == change for name, _ in self.trials)

    @property
    def tried(self) -> list[str]:
        """The changes with at least one trial."""
        return list(dict.fromkeys(name for name, _ in self.trials if name))

    @property
    def scale(self) -> float:
        """The loss that a gain of 1 corresponds to: down to the best that a single change reached."""
        return unit(self.constant, [trial.final for (name, _), trial in self.trials.items() if " + " not in name])

    def settings(self, change: str) -> dict[str, object]:
        """What a change sets."""
        return next((dict(t.settings) for (name, _), t in self.trials.items() if name == change), {})

    def gains(self) -> dict[str, Gain]:
        """The gain of each change that was tried, the largest first."""
        base = self.finals("")
        noise = pooled_noise([self._differences(name) for name in self.tried if name != STOP_EARLY])
        units = Units(self.constant, self.scale, noise)
        found = {name: gain(base, self.finals(name), units, material_of(name)) for name in self.tried}
        return dict(sorted(found.items(), key=lambda pair: -pair[1].gain))

    @property
    def best(self) -> str | None:
        """The change with the largest verified gain."""
        return next((name for name, found in self.gains().items() if found.verdict is GainVerdict.HELPS), None)

    def reference(self) -> ReferenceTraining | None:
        """The mean curve of the file as it is, for others to be compared with; None where it failed."""
        base = [trial for (name, _), trial in self.trials.items() if not name]
        finals = [trial.final for trial in base]
        if not base or not all(map(math.isfinite, finals)) or len({len(trial.losses) for trial in base}) != 1:
            return None
        curve = np.mean([trial.losses for trial in base], axis=0)
        return ReferenceTraining(tuple(curve.tolist()), float(np.mean(finals)), MAX_BEHIND * self.scale)

    def stop_early(self) -> None:
        """The file as it is, stopped where the other seeds' mean curve is best: a choice that does not see its own noise."""
        base = {seed: trial for (name, seed), trial in self.trials.items() if not name and not trial.cut}
        if len(base) < 2 or len({len(trial.losses) for trial in base.values()}) != 1:
            return
        for seed, trial in base.items():
            others = np.mean([other.losses for s, other in base.items() if s != seed], axis=0)
            best = int(np.argmin(others))
            settings: dict[str, object] = {"steps": trial.steps[best] + 1}
            self.trials[STOP_EARLY, seed] = Trial(
                STOP_EARLY, seed, [trial.steps[best]], [trial.losses[best]], settings=settings
            )

    def _differences(self, name: str) -> list[float]:
        base, changed = self.finals(""), self.finals(name)
        pairs = [(base[s], changed[s]) for s in base.keys() & changed.keys()]
        units = Units(self.constant, self.scale)
        return [units.of(a) - units.of(b) for a, b in pairs if math.isfinite(a) and math.isfinite(b)]


def material_of(name: str) -> float:
    """The smallest gain that counts for a change, by its name."""
    return named("" if name == STOP_EARLY else name).material
