"""Families of synthetic tables: every task draws its own dimensions, teacher, floor and units."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.zoo.workloads.data import Array, Data, flip_floor, flipped, split, standardized

POOL, VALIDATION = 1600, 128
INSIDE: tuple[Callable[[Array], Array], ...] = (np.sin, np.tanh, lambda a: np.maximum(a, 0))
Target = tuple[Array, Array, float]  # inputs, targets, deviation of the noise that was added


def _noise_share(rng: np.random.Generator) -> float:
    return float(rng.choice([0.0, 0.05, 0.2, 0.5]))


def _network(task: np.random.Generator, rng: np.random.Generator, count: int) -> Target:
    """A random two-layer teacher with sines, hinges or tanh inside."""
    inside = INSIDE[int(task.integers(3))]
    inputs, hidden, outputs = int(task.integers(2, 17)), int(task.integers(3, 25)), int(task.choice([1, 1, 3]))
    first, second = task.normal(0, 1.4 / np.sqrt(inputs), (inputs, hidden)), task.normal(size=(hidden, outputs))
    bias, noise = task.uniform(-2, 2, hidden), _noise_share(task)
    x = rng.normal(size=(count, inputs))
    clean = standardized(inside(x @ first + bias) @ second)
    return x, clean + noise * rng.normal(size=clean.shape), noise


def _polynomial(task: np.random.Generator, rng: np.random.Generator, count: int) -> Target:
    """A sum of random products of up to three inputs."""
    inputs, terms, noise = int(task.integers(2, 9)), int(task.integers(3, 10)), _noise_share(task)
    parts = task.integers(0, inputs, (terms, 3))
    weights = task.normal(size=terms)
    x = rng.uniform(-1.5, 1.5, (count, inputs))
    clean = standardized((np.prod(x[:, parts], axis=2) @ weights)[:, None])
    return x, clean + noise * rng.normal(size=clean.shape), noise


def _additive(task: np.random.Generator, rng: np.random.Generator, count: int) -> Target:
    """A sum of waves and steps of single inputs, with inputs that mean nothing."""
    inputs, noise = int(task.integers(3, 13)), _noise_share(task)
    frequency, weights = task.uniform(0.5, 3, inputs), task.normal(size=inputs) * (task.random(inputs) < 0.7)
    weights[0] = 1.0
    steps = task.random(inputs) < 0.4
    x = rng.uniform(-1.7, 1.7, (count, inputs))
    clean = standardized((np.where(steps, np.sign(np.sin(x * frequency)), np.sin(x * frequency)) @ weights)[:, None])
    return x, clean + noise * rng.normal(size=clean.shape), noise


def _regression(draw: Callable[[np.random.Generator, np.random.Generator, int], Target]) -> Callable[..., Data]:
    """A task of the family, one in three with targets in units far from one."""

    def made(number: int, seed: int, noise: float) -> Data:
        task, rng = np.random.default_rng([number, 1]), np.random.default_rng([number, seed])
        x, y, own = draw(task, rng, POOL + VALIDATION)
        y = y + noise * rng.normal(size=y.shape)
        wild = task.random() < 0.33
        unit, offset = (10 ** task.uniform(-1.5, 2), task.normal(0, 2)) if wild else (1.0, 0.0)
        floor = float((own**2 + noise**2) * unit**2)
        return split("regression", (x, (y + offset) * unit), rng, VALIDATION, outputs=y.shape[1], floor=floor)

    return made


def _clusters(number: int, seed: int, noise: float) -> Data:
    """Overlapping clouds, several a class; one task in three is imbalanced."""
    task, rng = np.random.default_rng([number, 1]), np.random.default_rng([number, seed])
    classes, inputs, each = int(task.integers(2, 11)), int(task.integers(2, 21)), int(task.integers(1, 4))
    centres = task.normal(0, task.uniform(0.6, 2.0), (classes, each, inputs))
    share = task.dirichlet(np.ones(classes)) if task.random() < 0.33 else np.ones(classes) / classes
    kinds = rng.choice(classes, POOL + VALIDATION, p=share)
    x = centres[kinds, rng.integers(0, each, len(kinds))] + rng.normal(size=(len(kinds), inputs))
    y = flipped(kinds, noise, classes, rng)
    return split("classes", (x, y), rng, VALIDATION, outputs=classes)


def _ruled(number: int, seed: int, noise: float) -> Data:
    """The class that the largest of several random networks names: a boundary without overlap."""
    task, rng = np.random.default_rng([number, 1]), np.random.default_rng([number, seed])
    classes, inputs, hidden = int(task.integers(2, 7)), int(task.integers(2, 13)), int(task.integers(4, 17))
    first, second = task.normal(0, 1.6 / np.sqrt(inputs), (inputs, hidden)), task.normal(size=(hidden, classes))
    bias = task.uniform(-2, 2, hidden)
    x = rng.normal(size=(POOL + VALIDATION, inputs))
    kinds = standardized(np.sin(x @ first + bias) @ second).argmax(1)
    y = flipped(kinds, noise, classes, rng)
    return split("classes", (x, y), rng, VALIDATION, outputs=classes, floor=flip_floor(noise, classes))


def _moons(number: int, seed: int, noise: float) -> Data:
    """Two or more interleaved half circles, more or less blurred, with inputs that mean nothing."""
    task, rng = np.random.default_rng([number, 1]), np.random.default_rng([number, seed])
    arms, blur, extra = int(task.integers(2, 5)), task.uniform(0.05, 0.35), int(task.integers(0, 5))
    kinds = rng.integers(0, arms, POOL + VALIDATION)
    angle = rng.uniform(0, np.pi, len(kinds))
    up = np.where(kinds % 2 == 0, 1, -1)
    x = np.stack([np.cos(angle) + kinds - (arms - 1) / 2, up * np.sin(angle) - 0.5 * (kinds % 2 == 0) + 0.25], 1)
    x = np.concatenate([x + rng.normal(0, blur, x.shape), rng.normal(size=(len(kinds), extra))], 1)
    y = flipped(kinds, noise, arms, rng)
    return split("classes", (x, y), rng, VALIDATION, outputs=arms)


def _rings(number: int, seed: int, noise: float) -> Data:
    """Shells around the origin, told apart by their radius."""
    task, rng = np.random.default_rng([number, 1]), np.random.default_rng([number, seed])
    shells, inputs, blur = int(task.integers(2, 5)), int(task.integers(2, 6)), task.uniform(0.05, 0.3)
    kinds = rng.integers(0, shells, POOL + VALIDATION)
    direction = rng.normal(size=(len(kinds), inputs))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    x = direction * (0.6 + 0.6 * kinds[:, None] + rng.normal(0, blur, (len(kinds), 1)))
    y = flipped(kinds, noise, shells, rng)
    return split("classes", (x, y), rng, VALIDATION, outputs=shells)


def _bits(number: int, seed: int, noise: float) -> Data:
    """A random Boolean function of a few bits among many."""
    task, rng = np.random.default_rng([number, 1]), np.random.default_rng([number, seed])
    inputs, parts = int(task.integers(6, 15)), int(task.integers(2, 5))
    table = task.permutation(np.arange(2**parts) % 2)
    x = rng.integers(0, 2, (POOL + VALIDATION, inputs))
    kinds = table[(x[:, :parts] * 2 ** np.arange(parts)).sum(1)]
    y = flipped(kinds, noise, 2, rng)
    return split("classes", (x * 2.0 - 1, y), rng, VALIDATION, outputs=2, floor=flip_floor(noise, 2))


def _spread(number: int, seed: int, _noise: float) -> Data:
    """A mean and a spread, both functions of the inputs, to be fitted by likelihood."""
    task, rng = np.random.default_rng([number, 1]), np.random.default_rng([number, seed])
    inputs = int(task.integers(1, 5))
    a, b, level = task.normal(size=inputs), task.normal(0, 0.5, inputs), task.uniform(-3, 0)
    x = rng.uniform(-1.7, 1.7, (POOL + VALIDATION, inputs))
    log_deviation = level + x @ b
    y = np.sin(1.5 * x @ a) + np.exp(log_deviation) * rng.normal(size=len(x))
    floor = float(log_deviation.mean() + 0.5 * np.log(2 * np.pi) + 0.5)
    return split("gaussian", (x, y[:, None]), rng, VALIDATION, outputs=2, floor=floor)


WORKLOADS = {
    "network-teacher": _regression(_network),
    "polynomial": _regression(_polynomial),
    "additive": _regression(_additive),
    "clusters": _clusters,
    "ruled-classes": _ruled,
    "moons": _moons,
    "rings": _rings,
    "bits": _bits,
    "spread": _spread,
}
