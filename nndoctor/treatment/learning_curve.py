"""Learning curves over the training-set size: errors of both splits, what they say of bias and variance, and what more data would bring."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product

import numpy as np
import torch
from torch.utils.data import Subset

from nndoctor.core.errors import UsageError
from nndoctor.experiment.experiment import Experiment
from nndoctor.training.evaluation import evaluate
from nndoctor.treatment.changes import Change
from nndoctor.treatment.subject import rebatchable, remade
from nndoctor.treatment.trainings import HERE, ComputeTarget, run_jobs, visible_from
from nndoctor.treatment.trial import ALONE, Job, trained_subject

SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
MIN_EXAMPLES = 8
EXPONENTS = np.linspace(0.05, 2.0, 40)  # of the power law; measured ones lie between 0.07 and 1 (Hestness et al. 2017)
MIN_GAP = 0.3  # share of the validation error that is a gap, from which more data or regularization is the remedy
MIN_IMPROVEMENT = 0.05  # share of the validation error that twice the data must bring to be worth collecting


@dataclass(frozen=True, slots=True)
class Point:
    """The errors (losses, or 1 − accuracy of a classification) of one training on `size` examples."""

    size: int
    seed: int
    train: float
    validation: float


@dataclass(frozen=True, slots=True)
class LearningCurve:
    """The points, what they measure, and whether a baseline of knowing nothing is known."""

    source: str
    measure: str
    points: tuple[Point, ...]
    chance: float | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def sizes(self) -> list[int]:
        """The sizes, ascending."""
        return sorted({point.size for point in self.points})

    def mean(self, size: int, split: str) -> float:
        """The mean error of a split over the seeds."""
        return float(np.mean([getattr(p, split) for p in self.points if p.size == size]))

    def spread(self, size: int, split: str) -> float:
        """The standard deviation over the seeds; 0 of a single one."""
        values = [getattr(p, split) for p in self.points if p.size == size]
        return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0

    @property
    def repeated(self) -> bool:
        """Whether every size was trained with several seeds, so that the noise is known."""
        return len(self.points) > 0 and all(sum(p.size == n for p in self.points) > 1 for n in self.sizes)

    @property
    def gap(self) -> float:
        """The validation error less the training error at the full size."""
        return self.mean(self.sizes[-1], "validation") - self.mean(self.sizes[-1], "train")

    @property
    def high_variance(self) -> bool:
        """Whether the gap is a large share of the validation error, beyond the noise of the seeds."""
        last = self.sizes[-1]
        return self.gap > max(MIN_GAP * self.mean(last, "validation"), 2 * self.spread(last, "validation"))

    def doubled(self) -> tuple[float, float, float]:
        """The validation error expected at twice the data: mean, and the 5th and 95th percentile over fits of resampled seeds."""
        return forecast(self, 2 * self.sizes[-1])


def forecast(curve: LearningCurve, size: int, resamples: int = 200) -> tuple[float, float, float]:
    """The error at a size by a power law a + b n^-c with a, b ≥ 0 (Hestness et al. 2017, arXiv:1712.00409), and its 90 % range."""
    groups = {n: [p.validation for p in curve.points if p.size == n] for n in curve.sizes}
    mean = _extrapolated({n: float(np.mean(values)) for n, values in groups.items()}, size)
    draw = np.random.default_rng(0)
    found = [
        _extrapolated({n: float(np.mean(draw.choice(values, len(values)))) for n, values in groups.items()}, size)
        for _ in range(resamples)
    ]
    return mean, float(np.quantile(found, 0.05)), float(np.quantile(found, 0.95))


def _extrapolated(errors: Mapping[int, float], size: int) -> float:
    sizes, values = np.array(list(errors), dtype=np.float64), np.array(list(errors.values()))
    best, fitted = math.inf, float(values[-1])
    for c in EXPONENTS:
        design = np.stack([np.ones_like(sizes), sizes**-c], axis=1)
        (a, b), *_ = np.linalg.lstsq(design / values[:, None].clip(1e-12), np.ones_like(values), rcond=None)
        if a < 0:
            a, b = 0.0, float(np.sum(sizes**-c / values) / np.sum((sizes**-c / values) ** 2))
        residual = float(np.sum(((a + b * sizes**-c) / values.clip(1e-12) - 1) ** 2))
        if b >= 0 and residual < best:
            best, fitted = residual, float(a + b * size**-c)
    return fitted


@dataclass(frozen=True, slots=True)
class _Part:
    """A training on a share of the data."""

    job: Job
    share: float


def measured(
    path: str, steps: int, seeds: int, see: Callable[[Point], None] = lambda _: None, place: ComputeTarget = HERE
) -> LearningCurve:
    """Train on growing shares of the training data, each with as many optimizer steps. Raises UsageError for data that cannot be cut."""
    file = visible_from(place.engine, path)
    parts = [_Part(Job(file, "", seed, steps, place.device), share) for share, seed in product(SHARES, range(seeds))]
    points: list[Point] = []
    measure = "loss"
    for measured_by, point in run_jobs(_point, parts, place.engine, file):
        measure = measured_by
        if not any(known.size == point.size and known.seed == point.seed for known in points):
            points.append(point)
            see(point)
    return LearningCurve(path, measure, tuple(points))


def _point(part: _Part) -> tuple[str, Point]:
    """What is measured, and the errors of one training. Raises UsageError."""
    job, size = part.job, [0]
    change = Change("", {}, partial(_cut, share=part.share, seed=job.seed, sizes=size))
    with ALONE:
        trial, subject = trained_subject(job, change)
        if trial.cut:
            raise UsageError(
                f"{job.path}: the training on {size[-1]} examples failed ({trial.cut}); see nndoctor treat"
            )
        train, validation = _errors(subject)
    measure = "error" if "error" in validation else "loss"
    return measure, Point(size[-1], job.seed, train[measure], validation[measure])


def _errors(subject: Experiment) -> tuple[dict[str, float], dict[str, float]]:
    if subject.validation_data is None:
        raise UsageError(f"{subject.path} has no validation_data; a learning curve needs it")
    device = next(subject.model.parameters()).device
    train, validation = (evaluate(subject, data, device) for data in (subject.train_data, subject.validation_data))
    return _error(train), _error(validation)


def _error(values: Mapping[str, float]) -> dict[str, float]:
    return {"loss": values["loss"], **({"error": 1 - values["accuracy"]} if "accuracy" in values else {})}


def _cut(experiment: Experiment, share: float, seed: int, sizes: list[int]) -> None:
    """Keep a random share of the training examples."""
    loader = rebatchable(experiment.train_data)
    if loader is None:
        raise UsageError(f"{experiment.path}: train_data has fixed batches; give a DataLoader or a Dataset to cut it")
    count = experiment.train_data.examples or 0
    size = min(count, max(MIN_EXAMPLES, round(share * count)))
    sizes.append(size)
    kept = torch.randperm(count, generator=torch.Generator().manual_seed(seed))[:size].tolist()
    batch = min(loader.batch_size or 1, size)
    experiment.train_data = remade(experiment.train_data, size=batch, dataset=Subset(loader.dataset, kept))


def from_table(rows: Sequence[Mapping[str, str]], source: str) -> LearningCurve:
    """A learning curve from a table with a size, a training and a validation column. Raises UsageError for another."""
    size, train, validation = _columns(rows[0] if rows else {}, source)
    seen: Counter[int] = Counter()
    points = []
    for row in rows:
        count = int(float(row[size]))
        points.append(Point(count, seen[count], float(row[train]), float(row[validation])))
        seen[count] += 1
    if len(seen) < 3:
        raise UsageError(f"{source}: a learning curve needs at least 3 sizes (got {len(seen)})")
    return LearningCurve(source, "loss" if "loss" in validation.lower() else "error", tuple(points))


def _columns(row: Mapping[str, str], source: str) -> list[str]:
    """The names of the three columns. Raises UsageError where one is missing."""
    names = {name.strip().lower(): name for name in row}
    found = [next((names[n] for n in words if n in names), None) for words in COLUMNS]
    if None in found:
        raise UsageError(
            f"{source}: expected columns such as size, train_error, validation_error; found {', '.join(names)}"
        )
    return list(map(str, found))


COLUMNS = (
    ("size", "n", "examples", "train_size", "train_sizes", "m"),
    ("train_error", "train_loss", "train", "training_error", "training_loss"),
    ("validation_error", "validation_loss", "val_error", "val_loss", "validation", "val", "cv_error", "test_error"),
)
