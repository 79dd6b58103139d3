"""The rules: each a function of a log that says whether the published rule would fire, with the families that it speaks of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.accuracy.family import BIAS, STUCK, UNSTABLE, VARIANCE
from benchmarks.accuracy.published.log import Array, Log


@dataclass(frozen=True, slots=True)
class Published:
    """A rule, the system that it belongs to, the families that it names, and where it stands."""

    system: str
    name: str
    families: frozenset[str]
    source: str
    fires: Callable[[Log], bool]


def loss_not_decreasing(log: Log) -> bool:
    """At some row the loss is not below that of ten rows before (num_steps 10, diff_percent 0)."""
    return bool((log.train[10:] >= log.train[:-10]).any())


def overfit(log: Log) -> bool:
    """(validation - training) / training above 0.1 for more than one row in a row (ratio_threshold 0.1, patience 1)."""
    if log.validation is None or log.at_validation is None or len(log.validation) != len(log.at_validation):
        return False
    with np.errstate(all="ignore"):
        above = (log.validation - log.at_validation) / log.at_validation > 0.1
    return bool((above[1:] & above[:-1]).any())


def overtraining(log: Log) -> bool:
    """The training loss has not improved by 0.1 for 5 rows, or the validation loss for 10 (delta 0.1)."""
    return _stalls(log.train, 5) or (log.validation is not None and _stalls(log.validation, 10))


def _stalls(values: Array, patience: int) -> bool:
    best, since = np.inf, 0
    for value in values:
        best, since = (value, 0) if value < best - 0.1 else (best, since + 1)
        if since >= patience:
            return True
    return False


def explodes(log: Log) -> bool:
    """A loss that is not finite, or a validation loss that ends at 1e5 or above."""
    both = [log.train] if log.validation is None else [log.train, log.validation]
    return not all(np.isfinite(v).all() for v in both) or bool(both[-1][-1] >= 1e5)


def oscillates(log: Log) -> bool:
    """Training accuracy's k-th peak stands 0.03 above its k-th dip for a fifth of the rows (zeta 0.03, eta 0.2)."""
    a = log.train_accuracy
    if a is None or len(a) < 3:
        return False
    middle, left, right = a[1:-1], a[:-2], a[2:]
    peaks = middle[(middle >= left) & (middle >= right)]
    dips = middle[(middle <= left) & (middle <= right)]
    n = min(len(peaks), len(dips))
    return bool((peaks[:n] - dips[:n] >= 0.03).sum() >= 0.2 * len(a) and n)


def converges_slowly(log: Log) -> bool:
    """No accuracy ever gains 0.01 between two rows (delta 0.01) and the best stays under 0.7 (Theta 0.7)."""
    known = [a for a in (log.train_accuracy, log.validation_accuracy) if a is not None]
    return bool(known) and all(len(a) > 1 and np.diff(a).max() < 0.01 and a.max() < 0.7 for a in known)


def accuracy_gap(log: Log) -> bool:
    """Training accuracy ends 0.1 above validation accuracy, or 0.07 where it is above 0.9 (switched off in the released code)."""
    if log.train_accuracy is None or log.validation_accuracy is None:
        return False
    train, validation = log.train_accuracy[-1], log.validation_accuracy[-1]
    return bool(train - validation >= (0.07 if train > 0.9 else 0.1))


def has_nan(log: Log) -> bool:
    """The training loss is NaN."""
    return bool(np.isnan(log.train).any())


def validation_up_training_not(log: Log) -> bool:
    """From one row to the next the validation loss rises and the training loss does not."""
    if log.validation is None or log.at_validation is None or len(log.validation) != len(log.at_validation):
        return False
    with np.errstate(invalid="ignore"):
        return bool(((np.diff(log.validation) > 0) & (np.diff(log.at_validation) <= 0)).any())


def triple_first_loss(log: Log) -> bool:
    """The loss exceeds three times its first value, or is not finite."""
    return not np.isfinite(log.train).all() or bool((log.train > 3 * log.train[0]).any())


def bias(log: Log) -> bool:
    """Training error above 5 points, and no smaller than the gap to validation; the limit of 5 points is ours."""
    error, gap = _errors(log)
    return error > 0.05 and error >= gap


def variance(log: Log) -> bool:
    """The gap from training to validation error above 5 points, and no smaller than the training error."""
    error, gap = _errors(log)
    return gap > 0.05 and gap >= error


def _errors(log: Log) -> tuple[float, float]:
    if log.train_accuracy is None or log.validation_accuracy is None:
        return 0.0, 0.0
    train, validation = 1 - float(log.train_accuracy[-1]), 1 - float(log.validation_accuracy[-1])
    return train, validation - train


_SMD = "Amazon SageMaker Debugger, built-in rules, default parameters (developer guide, debugger-built-in-rules)"
_AT = "AUTOTRAINER (Zhang et al., ICSE 2021), AutoTrainer/utils/monitor.py and utils.py, default_param"
_UM = "UMLAUT (Schoop et al., CHI 2021), umlaut/heuristics.py"
_CS = "CS231n course notes, assignments' hyperparameter search: stop where the loss exceeds three times the first"
_NG = "Ng, Machine Learning Yearning, chapters 20 to 24: bias is the training error, variance the gap; fix the larger"
_UNSTABLE, _VARIANCE = frozenset({UNSTABLE}), frozenset({VARIANCE})
PUBLISHED = (
    Published("SageMaker Debugger", "loss_not_decreasing", frozenset({STUCK, UNSTABLE}), _SMD, loss_not_decreasing),
    Published("SageMaker Debugger", "overfit", _VARIANCE, _SMD, overfit),
    Published("SageMaker Debugger", "overtraining", _VARIANCE, _SMD, overtraining),
    Published("AUTOTRAINER", "exploding", _UNSTABLE, _AT, explodes),
    Published("AUTOTRAINER", "oscillating loss", _UNSTABLE, _AT, oscillates),
    Published("AUTOTRAINER", "slow convergence", frozenset({STUCK, BIAS}), _AT, converges_slowly),
    Published("AUTOTRAINER", "overfit", _VARIANCE, _AT, accuracy_gap),
    Published("UMLAUT", "NaN loss", _UNSTABLE, _UM, has_nan),
    Published("UMLAUT", "overfitting", _VARIANCE, _UM, validation_up_training_not),
    Published("CS231n", "three times the first loss", _UNSTABLE, _CS, triple_first_loss),
    Published("Ng's recipe", "bias", frozenset({BIAS, STUCK}), _NG, bias),
    Published("Ng's recipe", "variance", _VARIANCE, _NG, variance),
)
