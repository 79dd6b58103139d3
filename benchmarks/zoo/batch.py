"""One unit of the zoo's work: runs of one net on one task, sound and with faults, trained together with all their retrainings."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from benchmarks.zoo.curves import Curves
from benchmarks.zoo.evidence import Trained
from benchmarks.zoo.experiment import Experiment, seed_of
from benchmarks.zoo.interventions import retrainings, shape_of, wider
from benchmarks.zoo.pilot import tuned
from benchmarks.zoo.places import PLACES, SHAPES, TASKS
from benchmarks.zoo.plants import COSTLY, FAULTS, HEALTHY, chosen
from benchmarks.zoo.pool import data_of
from benchmarks.zoo.training import net_of, train

RUNS = 32  # of a batch
EVALUATIONS = 48  # of a run
OF_CHANGES = 16  # of a retraining, whose curve nobody sees
DRAWS = 3  # of a task's data
OPTIMIZERS = (
    ("adam",) * 6 + ("adamw",) * 3 + ("momentum",) * 4 + ("sgd",) * 3 + ("rmsprop",) * 2 + ("nesterov", "adagrad")
)
TURNS = (1, 2, 3, 4, 6, 8, 12, 16)  # steps between two evaluations
NARROW = 4  # units: fewer are planted as too few
HEALTHY_SHARE = 0.6
WEIGHTS_MOVED = 1.5e9  # over all steps of a batch's trainings
DEAR = {"transformer": 0.3, "cnn": 0.6, "cnn_bn": 0.5, "fcn": 0.5, "gru": 0.7, "pairs": 0.6}  # shares of batches kept
LARGE = 1500  # weights of a net that costs much
FEW = 60  # trainings with dropout: they go along with those without
Member = tuple[int, tuple[str, int], Experiment]


@dataclass(frozen=True, slots=True)
class Batch:
    """What was trained: every run with the curves of its retrainings."""

    number: int
    runs: list[tuple[Experiment, Trained]]


def planned(count: int) -> list[int]:
    """The numbers of the first `count` batches: what costs much comes less often."""
    numbers: list[int] = []
    number = 0
    while len(numbers) < count:
        if np.random.default_rng(seed_of("kept", number)).random() < _kept_share(drawn(number)[0]):
            numbers.append(number)
        number += 1
    return numbers


def _kept_share(e: Experiment) -> float:
    """Which share of such batches is trained, in inverse proportion to what they cost."""
    if e.net in DEAR:
        return DEAR[e.net]
    return 0.35 if sum(w.size for w in net_of(e, data_of(e)).weights) > LARGE else 1.0


def sound(number: int) -> Experiment:
    """The net, the task and the budget of a batch, tuned."""
    e, rng = drawn(number)
    return _budgeted(e, SHAPES[e.net].most, rng)


def drawn(number: int) -> tuple[Experiment, np.random.Generator]:
    """The net and the task of a batch, and the source of chance that its budget is drawn with."""
    rng = np.random.default_rng(seed_of("batch", number))
    weights = np.array([p.weight for p in PLACES])
    place = PLACES[int(rng.choice(len(PLACES), p=weights / weights.sum()))]
    net = str(rng.choice(place.nets))
    shape = SHAPES[net]
    e = Experiment(
        id=f"{number:04d}",
        split="training",
        planted="healthy",
        workload=place.workload,
        task=int(rng.integers(TASKS)),
        variant=0,
        net=net,
        width=int(rng.choice(shape.widths)),
        depth=int(rng.choice(shape.depths)),
        activation=str(rng.choice(shape.activations)),
        optimizer=str(rng.choice(OPTIMIZERS)),
        batch_size=int(rng.choice(shape.batch_sizes)),
        evaluations=EVALUATIONS,
    )
    return _sized(e, rng), rng


def _sized(e: Experiment, rng: np.random.Generator) -> Experiment:
    """Most of the pool for training; one batch in six has little."""
    pool = len(data_of(e).x)
    share = rng.uniform(0.03, 0.2) if rng.random() < 1 / 6 else rng.uniform(0.4, 1.0)
    size = max(4 * e.batch_size, int(share * pool))
    return replace(e, train_size=size // e.batch_size * e.batch_size)


def _budgeted(e: Experiment, most: int, rng: np.random.Generator) -> Experiment:
    """The tuned rate, and a budget somewhat above what the loss needs; one batch in five is far too short or too long."""
    most = max(2, min(most, affordable(e) // EVALUATIONS))
    lr, down = tuned(e, most)
    spare = float(rng.uniform(1.6, 3.5))
    factor = float(rng.choice([spare, spare, spare, spare, 0.35, 5.0]))
    wanted = max(1.0, factor * down * most / EVALUATIONS)
    turn = min((t for t in TURNS if t <= most), key=lambda t: abs(np.log(t / wanted)))
    return replace(e, lr=lr, steps=turn * EVALUATIONS)


def affordable(e: Experiment) -> int:
    """The steps after which a batch has moved as many weights as the machine can in a few seconds."""
    own, wide = (sum(w.size for w in net_of(x, data_of(x)).weights) for x in (e, wider(e) or e))
    return int(WEIGHTS_MOVED / (RUNS * (20 * own + 2 * wide)))


def experiments(base: Experiment) -> list[Experiment]:
    """The runs of a batch: half sound with some variety, half with a fault."""
    rng = np.random.default_rng(seed_of("plants", base.id))
    return [_experiment(base, n, rng) for n in range(RUNS)]


def _experiment(base: Experiment, n: int, rng: np.random.Generator) -> Experiment:
    e = replace(
        base,
        id=f"{base.id}-{n:02d}",
        variant=int(rng.integers(DRAWS)),
        lr=base.lr * float(np.exp(rng.normal(0, 0.25))),
        seed=1000 * n,
    )
    if rng.random() < HEALTHY_SHARE:
        e = chosen(HEALTHY, e, rng).planted_in(e, rng)
        return replace(e, planted=_shape_fault(e) or e.planted)
    e = chosen(FAULTS, e, rng).planted_in(e, rng)
    if rng.random() < 0.3:  # a fault may come with any of the harmless schedules
        e = replace(e, schedule=chosen(HEALTHY, e, rng).planted_in(e, rng).schedule) if e.schedule == "constant" else e
    return e


def _shape_fault(e: Experiment) -> str | None:
    """What is wrong with a net by its shape alone."""
    if e.activation == "identity" or (e.depth == 0 and e.net == "mlp"):
        return "high-bias:linear"
    if e.width <= (1 if e.net in COSTLY - {"rnn", "gru", "transformer"} else NARROW):
        return "high-bias:narrow"
    if e.activation == "sigmoid" and e.depth >= 5 and e.net == "mlp":
        return "plateau-at-start:deep-sigmoid"
    return None


def trained(number: int) -> Batch:
    """All trainings of a batch, those of one shape together."""
    bases = experiments(sound(number))
    found: list[Trained] = [{} for _ in bases]
    for members in _together(bases):
        for (n, key, _), curves in zip(members, train([e for _, _, e in members]), strict=True):
            found[n][key] = _kept(key, curves)
    return Batch(number, list(zip(bases, found, strict=True)))


def _together(bases: list[Experiment]) -> list[list[Member]]:
    """Every training of every run, grouped by what must be the same."""
    groups: dict[tuple[object, ...], list[Member]] = {}
    for n, base in enumerate(bases):
        for key, retraining in retrainings(base).items():
            e = retraining if key[0] == "base" else replace(retraining, evaluations=OF_CHANGES)
            *shape, drops = shape_of(e)
            groups.setdefault((*shape, e.evaluations, drops), []).append((n, key, e))
    for key_of_few in [k for k, members in groups.items() if k[-1] and len(members) < FEW]:
        sibling = (*key_of_few[:-1], False)
        if sibling in groups:
            groups[sibling] += groups.pop(key_of_few)
    return list(groups.values())


def _kept(key: tuple[str, int], curves: Curves) -> Curves:
    """The curves as they are stored: of most retrainings only what was measured."""
    if key in {("base", 0), ("shuffle", 0)}:
        return curves
    none = np.zeros(0)
    return replace(curves, batch_loss=none, batch_error=none, grad_norm=none, lr=none)
