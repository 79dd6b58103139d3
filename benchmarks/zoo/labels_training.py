"""Labels of what training does: learning rate, stability, convergence, bias."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from benchmarks.zoo.curve_facts import falls_late, rises, roughness, stays_put
from benchmarks.zoo.curves import Array
from benchmarks.zoo.evidence import Evidence, final
from benchmarks.zoo.logs import Logged
from benchmarks.zoo.schedules import lr_curve, spike_steps
from benchmarks.zoo.strength import Strength, graded

LOWER, HIGHER = ("lr_d10", "lr_d100"), ("lr_x10", "lr_x100")
CAPACITY = ("wider", "hidden_layers", "no_regularization", "unfreeze")
AWAKENING = (
    "default_init",
    "relu",
    "shallow_relu",
    "stepping",
    "unfreeze",
    "clean_labels",
    "no_regularization",
    *HIGHER,
)
WARMUPS = ("warmup_unfinished", "warmup_unfinished_steep")


def still_falls(evidence: Evidence) -> bool:
    """Whether the clean training loss falls in the last quarter."""
    return falls_late(evidence.base.train, evidence.train.span)


def seems_to_fall(evidence: Evidence) -> bool:
    """Whether the curve falls late as its reader sees it, who knows the distance covered but not the distance there is."""
    covered = float(evidence.base.measured.train_loss[0]) - evidence.train.capped(final(evidence.base.train))
    return falls_late(evidence.base.train, min(max(covered, 0.0), evidence.train.span))


def moved_in_log(evidence: Evidence, logged: Logged) -> float:
    """How far the logged loss comes from its first row, in units of DT; infinite where it is not finite."""
    loss = logged.loss / evidence.experiment.log.scale**2
    return abs(float(loss[0]) - final(loss)) / evidence.train.span if np.isfinite(loss).all() else float("inf")


def moved(evidence: Evidence) -> float:
    """How far the clean training loss has come, in units of DT."""
    start = float(evidence.base.measured.train_loss[0])
    return (start - evidence.train.capped(final(evidence.base.train))) / evidence.train.span


def explodes_unseen(evidence: Evidence, logged: Logged) -> bool:
    """Whether the loss is lost, or three times the start, within the first logged row, and nothing stirs after it."""
    if np.isfinite(logged.loss).all() and not calm(evidence, logged):
        return False
    first = evidence.base.batch_loss[: int(logged.end[0])]
    return not np.isfinite(first).all() or float(first.max() - evidence.train.best) > 3 * float(
        first[0] - evidence.train.best
    )


def calm(evidence: Evidence, logged: Logged) -> bool:
    """Whether the second half of the logged loss is rougher than its own trend by less than 2 % of DT, or of its fall from a first row above all others."""
    loss = logged.loss / evidence.experiment.log.scale**2
    late = loss[len(loss) // 2 :]
    if not np.isfinite(late).all():
        return False
    fall = float(loss[0]) - final(late) if int(np.argmax(loss)) == 0 else 0.0
    return roughness(late) < 0.02 * max(evidence.train.span, fall)


def decays(evidence: Evidence, share: float = 0.2) -> bool:
    """Whether the rate ends below a share of its peak."""
    lr = lr_curve(evidence.experiment)
    return bool(lr[-1] < share * lr.max())


def _finite(evidence: Evidence, logged: Logged) -> bool:
    columns = [logged.loss, logged.val_loss[logged.validated] if evidence.experiment.log.validation else logged.loss]
    return all(bool(np.isfinite(c).all()) for c in columns)


def nan_loss(evidence: Evidence, logged: Logged) -> Strength:
    """A value that is not finite in the log."""
    return graded(strong=not _finite(evidence, logged))


def diverged(evidence: Evidence, logged: Logged) -> Strength:
    """The logged loss ends above three times its first value, as excess over the best, and a lower rate or reset gradients help."""
    loss = _excess(evidence, logged)
    loss = loss[np.isfinite(loss)]
    if len(loss) < 3:
        return graded(strong=False, weak=not _finite(evidence, logged))
    first, end = float(loss[0]), final(loss)
    gain = evidence.gain(*LOWER, "reset_gradients")
    helped = gain > 0.25
    lost = end - float(np.partition(loss, 2)[:3].mean()) > 0.25 * evidence.train.span
    return graded(
        strong=helped and gain > evidence.gain("shuffle") and end > 3 * first and _finite(evidence, logged),
        weak=helped and (lost or end > 1.3 * first or float(loss.max()) > 3 * first or not _finite(evidence, logged)),
    )


def _excess(evidence: Evidence, logged: Logged) -> Array:
    return np.asarray(logged.loss / evidence.experiment.log.scale**2 - evidence.train.best)


def lr_too_high(evidence: Evidence, _logged: Logged) -> Strength:
    """A tenth or a hundredth of the rate gains, and more than shuffling: what the order of the batches throws it explains."""
    gain = evidence.gain(*LOWER)
    return graded(strong=gain > max(0.25, evidence.gain("shuffle")), weak=gain > 0.08)


def lr_too_low(evidence: Evidence, _logged: Logged) -> Strength:
    """Ten or a hundred times the rate gains; where validation loses by it, what is gained was learned by heart."""
    return graded(strong=evidence.gain(*_shared(evidence, HIGHER)) > 0.25, weak=evidence.gain(*HIGHER) > 0.10)


def _shared(evidence: Evidence, names: Iterable[str]) -> list[str]:
    """The changes by which validation does not lose."""
    return [n for n in names if n in evidence.gains and evidence.gains[n].validation > -0.05]


def lr_decayed_too_early(evidence: Evidence, _logged: Logged) -> Strength:
    """The rate ends below its peak, and a constant one gains; a warm-up that never ends has a name of its own."""
    if evidence.experiment.schedule in WARMUPS or not decays(evidence, 0.5):
        return Strength.NONE
    gain, shared = evidence.gain("constant_schedule"), evidence.gain(*_shared(evidence, ["constant_schedule"]))
    return graded(strong=shared > 0.25, weak=gain > 0.10)


def warmup_unfinished(evidence: Evidence, _logged: Logged) -> Strength:
    """The rate still rises at the end of the run, and a constant one gains."""
    lr = lr_curve(evidence.experiment)
    gain = evidence.gain("constant_schedule") if lr[-1] > 1.01 * lr[-len(lr) // 20] else 0.0
    return graded(strong=gain > 0.25, weak=gain > 0.10)


def adaptive_rate_starved(evidence: Evidence, _logged: Logged) -> Strength:
    """Adagrad's sum of squares takes the rate away: a running mean of squares at the same rate gains."""
    gain = min(evidence.gain("rmsprop"), 1.0)
    return graded(strong=gain > 0.25, weak=gain > 0.10)


def not_converged(evidence: Evidence, _logged: Logged) -> Strength:
    """Four times the steps gain on both splits, and the curve still falls."""
    train, validation = evidence.gain("steps_x4"), evidence.validation_gain("steps_x4")
    falls = still_falls(evidence)
    return graded(strong=falls and train > 0.12 and validation > 0.12, weak=validation > 0.07)


def high_bias(evidence: Evidence, _logged: Logged) -> Strength:
    """A larger or freer model gains; where only the training data gain, it learns them by heart, and bias was no fault."""
    linear = ("relu",) if evidence.experiment.activation == "identity" else ()
    names = (*CAPACITY, *linear)
    return graded(strong=evidence.gain(*_shared(evidence, names)) > 0.25, weak=evidence.gain(*names) > 0.10)


def plateau_at_start(evidence: Evidence, _logged: Logged) -> Strength:
    """Nothing is learnt for half the run, and one change makes it learn; a lower rate would be another finding's."""
    put = stays_put(evidence.base.measured.train_loss, evidence.train.span, evidence.train.constant)
    return graded(strong=put and evidence.gain(*AWAKENING) > 0.25, weak=put and evidence.gain(*LOWER) > 0.25)


def loss_spikes(evidence: Evidence, logged: Logged) -> Strength:
    """The logged loss rises by more than anywhere else, and comes back; strong only where a batch was corrupt."""
    e = evidence.experiment
    if not np.isfinite(logged.loss).all() or len(logged.loss) < 3:
        return Strength.NONE
    loss = logged.loss / e.log.scale**2
    up = rises(loss)
    rows = {min(step // e.row_steps, len(loss) - 1) for step in spike_steps(e)} or {int(np.argmax(up))}
    near = np.array([any(r <= i <= r + 2 for r in rows) for i in range(len(up))])
    height, elsewhere = float(up[near].max(initial=0)), float(up[~near].max(initial=0))
    top = int(np.argmax(np.where(near, up, -np.inf)))
    before, lowest = float(loss[top] - up[top]), float(loss[top:].min())
    back = lowest < before + min(up[top] / 2, 0.25 * evidence.train.span)
    stands_out = back and height > 0.15 * evidence.train.span and height > 1.5 * elsewhere
    if not e.spikes:
        return graded(strong=False, weak=stands_out)
    return graded(strong=stands_out, weak=height > 0.05 * evidence.train.span)


def sawtooth_epochs(evidence: Evidence, _logged: Logged) -> Strength:
    """The logged loss repeats within the epoch, by more than 15 % of DT, and shuffling takes that away."""
    e = evidence.experiment
    other = evidence.trained.get(("shuffle", 0))
    if e.shuffle or other is None or e.row_steps * 4 > e.epoch_steps:
        return Strength.NONE
    saw = _saw(evidence.base.batch_loss, e.epoch_steps)
    cured = _saw(other.batch_loss, e.epoch_steps) < saw / 2
    return graded(strong=cured and saw > 0.15 * evidence.train.span, weak=cured and saw > 0.05 * evidence.train.span)


def _saw(loss: Array, period: int) -> float:
    """The deviation of the loss over the epoch's phases, in the second half of the run."""
    whole = loss[len(loss) // 2 :]
    whole = whole[: len(whole) // period * period].reshape(-1, period)
    return float(np.median(whole, axis=0).std()) * 2 if len(whole) else 0.0


JUDGES: dict[str, Callable[[Evidence, Logged], Strength]] = {
    "nan-loss": nan_loss,
    "diverged": diverged,
    "lr-too-high": lr_too_high,
    "lr-too-low": lr_too_low,
    "lr-decayed-too-early": lr_decayed_too_early,
    "warmup-unfinished": warmup_unfinished,
    "adaptive-rate-starved": adaptive_rate_starved,
    "not-converged": not_converged,
    "high-bias": high_bias,
    "plateau-at-start": plateau_at_start,
    "loss-spikes": loss_spikes,
    "sawtooth-epochs": sawtooth_epochs,
}
