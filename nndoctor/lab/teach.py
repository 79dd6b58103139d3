"""Trains a lesson's twins, measures them, and checks what the lesson claims."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from statistics import median

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

import nndoctor
from nndoctor.core.formatting import number, percent
from nndoctor.core.report import Report
from nndoctor.experiment.data import batches
from nndoctor.experiment.experiment import Experiment
from nndoctor.lab.data import Data
from nndoctor.lab.lesson import Claim, Lesson, Loop, Measure, Outcome, Setup
from nndoctor.training.loop import Training
from nndoctor.training.options import ScheduleName

BATCH = 32
AT_THE_END = 3  # values of a column whose median is where it ends
MACHINE = ("NNP",)  # rules on the machine: how fast two short trainings run says nothing about the lesson


@dataclass(frozen=True, slots=True)
class Taught:
    """One trained twin: its report, and its measures at the end."""

    setup: Setup | Loop
    report: Report
    values: dict[str, float]


@dataclass(frozen=True, slots=True)
class LessonResult:
    """A lesson's twins, and for each claim whether it held and the sentence with its numbers."""

    lesson: Lesson
    sick: Taught
    healthy: Taught
    claims: tuple[tuple[bool, str], ...]

    @property
    def holds(self) -> bool:
        """Whether everything that the lesson promises was seen."""
        found = {f.name for f in self.sick.report.findings}
        named = not self.lesson.findings or bool(found & set(self.lesson.findings))
        return named and all(held for held, _ in self.claims)


def teach(lesson: Lesson, folder: Path, seed: int = 0) -> LessonResult:
    """Train both twins into `folder/sick` and `folder/healthy`, and measure."""
    sick, healthy = (
        _taught(setup, folder / name, seed) for name, setup in (("sick", lesson.sick), ("healthy", lesson.healthy))
    )
    return LessonResult(lesson, sick, healthy, tuple(_checked(claim, sick, healthy) for claim in lesson.claims))


def _taught(setup: Setup | Loop, folder: Path, seed: int) -> Taught:
    if isinstance(setup, Loop):
        return _logged(setup, folder, seed)
    data = setup.data()
    networks: list[nn.Module] = []
    for member in range(setup.members):
        where = folder if member == 0 else folder.with_name(f"{folder.name}-{member + 1}")
        networks += _trained(setup, data, where, seed + member)
    report = nndoctor.diagnose(folder, ignore=MACHINE)
    losses = report.run.series["train/loss"].y
    peak = float(losses.max()) if len(losses) else math.inf
    return Taught(setup, report, {**_measured(networks, data), Measure.peak: peak})


def _logged(loop: Loop, folder: Path, seed: int) -> Taught:
    """A twin with a loop of its own: its rows as a CSV log, which is all that the diagnosis gets."""
    rows = [{loop.columns[name]: v for name, v in row.items() if name in loop.columns} for row in loop.rows(seed)]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "log.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(chain.from_iterable(rows))))
        writer.writeheader()
        writer.writerows(rows)
    ends = {name: [row[name] for row in rows if name in row][-AT_THE_END:] for name in loop.columns.values()}
    return Taught(loop, nndoctor.diagnose(path, ignore=MACHINE), {n: median(v) for n, v in ends.items() if v})


def _trained(setup: Setup, data: Data, folder: Path, seed: int) -> list[nn.Module]:
    """The network, or its snapshots at the ends of the cycles of a cosine that restarts (Huang et al. 2017)."""
    torch.manual_seed(seed)
    network = setup.model()
    train = batches(
        "train_data", DataLoader(_Augmented(data, setup.augment), batch_size=BATCH, shuffle=True), shuffle=True
    )
    held = batches("validation_data", (data.held_inputs, data.held_labels), shuffle=False, size=200)
    experiment = Experiment("lab", network, train, nn.CrossEntropyLoss(), held)
    found = []
    for cycle in range(setup.snapshots):
        options = replace(setup.options, seed=seed + cycle, device="cpu")
        if setup.snapshots > 1:
            options = replace(options, epochs=options.epochs // setup.snapshots, schedule=ScheduleName.cosine)
        where = folder if cycle == 0 else folder.with_name(f"{folder.name}-cycle-{cycle + 1}")
        Training(experiment, options, where).run()
        found.append(deepcopy(network) if setup.snapshots > 1 else network)
    return found


def _measured(networks: Sequence[nn.Module], data: Data) -> dict[str, float]:
    """Losses and accuracies of the networks' mean prediction, in evaluation mode."""
    values: dict[str, float] = {}
    sets = (("train", data.inputs, data.labels), ("validation", data.held_inputs, data.held_labels))
    for split, inputs, labels in sets:
        with torch.no_grad():
            chances = torch.stack([network.eval()(inputs).softmax(1) for network in networks]).mean(0)
        loss = float(functional.nll_loss(chances.clamp_min(1e-12).log(), labels))
        values[Measure[f"{split}_loss"]] = loss
        values[Measure[f"{split}_accuracy"]] = float((chances.argmax(1) == labels).float().mean())
    values[Measure.gap] = values[Measure.train_accuracy] - values[Measure.validation_accuracy]
    return values


def _ended(claim: Outcome, sick: Taught, healthy: Taught) -> tuple[bool, str]:
    one, other = sick.values[claim.column], healthy.values[claim.column]
    words = f"{claim.words}: {number(one)} {sick.setup.label}, {number(other)} {healthy.setup.label}"
    return bool((other - one if claim.higher else one - other) >= claim.margin), words


def _checked(claim: Claim | Outcome, sick: Taught, healthy: Taught) -> tuple[bool, str]:
    if isinstance(claim, Outcome):
        return _ended(claim, sick, healthy)
    measure = claim.measure
    one, other = sick.values[measure], healthy.values[measure]
    written = percent if measure.higher or measure is Measure.gap else number
    words = f"{measure}: {written(one)} {sick.setup.label}, {written(other)} {healthy.setup.label}"
    if not math.isfinite(other):
        return False, words
    if measure.higher:
        return other - one >= claim.margin, words
    if measure is Measure.gap:
        return one - other >= claim.margin, words
    return not math.isfinite(one) or one >= claim.margin * other, words


class _Augmented(Dataset[tuple[Tensor, Tensor]]):
    """Examples whose inputs are augmented each time they are read."""

    def __init__(self, data: Data, augment: Callable[[Tensor], Tensor] | None) -> None:
        self._data, self._augment = data, augment

    def __len__(self) -> int:
        return len(self._data.labels)

    def __getitem__(self, k: int) -> tuple[Tensor, Tensor]:
        inputs = self._data.inputs[k]
        return (inputs if self._augment is None else self._augment(inputs)), self._data.labels[k]
