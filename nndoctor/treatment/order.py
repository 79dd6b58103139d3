"""Which change to try first: by cheap looks at the file, by the prognosis, by the findings' remedies, then the rest."""

from __future__ import annotations

from nndoctor.core.finding import Finding
from nndoctor.core.prognosis import most_promising
from nndoctor.core.report import Report
from nndoctor.experiment.experiment import Experiment
from nndoctor.treatment import functions
from nndoctor.treatment.changes import CHANGES, HIGH_MOMENTUM, OUT_OF_REACH, Change
from nndoctor.treatment.rebound import optimizer_of
from nndoctor.treatment.subject import rebatchable

REMEDIES = {  # what a finding's remedies mean as changes
    "lower-learning-rate": "lr/10",
    "decay-learning-rate": "lr/10",
    "raise-learning-rate": "lr*10",
    "learning-rate-range-test": "lr*10",
    "train-longer": "steps*4",
    "larger-network": "wider",
    "he-initialization": "initialization",
    "xavier-initialization": "initialization",
    "clip-gradients": "clip",
    "warm-up": "warmup",
    "weight-decay": "weight-decay",
    "dropout": "dropout",
    "normalize-inputs": "normalize",
    "adam": "optimizer-adam",
    "larger-batch": "batch*4",
    "less-regularization": "dropout-off",
    "decay-later": "constant-schedule",
}
PROGNOSIS = {"less-regularization": ("dropout-off", "weight-decay-off")}  # one of the prognosis, several of these
COSTLY = frozenset(change.name for change in CHANGES if change.costly)
HELPS = 0.3  # probability from which on a change of the prognosis comes before the remedies of findings
STRONG_DROPOUT, STRONG_DECAY = 0.6, 0.02
LARGE_BATCH, SMALL_BATCH = 0.2, 4  # share of the examples; examples
WILD_START = 1.5  # times the loss of a constant prediction: a larger first loss suggests a bad initialization


def ordered(report: Report | None, subject: Experiment, start: float, constant: float) -> list[Change]:
    """All changes, the most promising first; `start` is the loss before the first step."""
    names = suggested_by_file(subject, start, constant)
    if report is not None:
        names += sorted(_likely(report), key=lambda name: name in COSTLY)  # several cheap ones for it
        names += [name for finding in report.findings for name in _remedies(finding)]
    by_name = {change.name: change for change in CHANGES if change.name not in OUT_OF_REACH}
    return [by_name[name] for name in dict.fromkeys([*names, *by_name]) if name in by_name]


def _likely(report: Report) -> list[str]:
    """The changes that help by the prognosis, the most promising first."""
    found = [entry.change for entry in most_promising(report.prognosis) if entry.helps >= HELPS and entry.gain > 0]
    return [name for change in found for name in PROGNOSIS.get(change, (change,))]


def suggested_by_file(subject: Experiment, start: float, constant: float) -> list[str]:
    """The changes that the file itself suggests before anything is trained."""
    found = ["dropout-off"] if functions.dropout_rate(subject) >= STRONG_DROPOUT else []
    optimizer = optimizer_of(subject)
    settings = optimizer.param_groups if optimizer is not None else []
    if any(group.get("weight_decay", 0.0) >= STRONG_DECAY for group in settings):
        found.append("weight-decay-off")
    found += [name for name in ("linear-output", "normalize", "normalize-targets", "relu") if _applies(name, subject)]
    if start > WILD_START * constant:
        found.append("initialization")
    found += _of_batches(subject)
    if any(group.get("momentum", 0.0) > HIGH_MOMENTUM for group in settings):
        found.append("momentum")
    return found


def _of_batches(subject: Experiment) -> list[str]:
    """What the size of the batches suggests."""
    loader, examples = rebatchable(subject.train_data), subject.train_data.examples or 0
    size = (loader.batch_size or 0) if loader is not None else 0
    if examples and size >= LARGE_BATCH * examples:
        return ["batch/4"]
    return ["batch*4"] if 0 < size <= SMALL_BATCH else []


def _applies(name: str, subject: Experiment) -> bool:
    change = next(one for one in CHANGES if one.name == name)
    return not change.lacks(subject)


def _remedies(finding: Finding) -> list[str]:
    return [REMEDIES[remedy.name] for remedy in finding.remedies if remedy.name in REMEDIES]
