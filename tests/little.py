"""A little network that is really trained in a tenth of a second, for tests that need many runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Labels = NDArray[np.int64]


def trained(
    path: Path,
    *,
    lr: float = 0.05,
    hidden: float = 16,
    batch: float = 32,
    weight_decay: float = 0.0,
    seed: float = 0,
    epochs: float = 20,
    examples: float = 320,
) -> Path:
    """Train two layers with momentum to tell 5 noisy clusters in 12 dimensions apart, and write the log of it."""
    hidden, batch, seed, epochs, examples = map(int, (hidden, batch, seed, epochs, examples))
    rng = np.random.default_rng(7)
    centres = rng.normal(0, 1.1, (5, 12))
    labels = rng.integers(0, 5, 1000)
    inputs = centres[labels] + rng.normal(0, 1, (1000, 12))
    train, held = slice(0, examples), slice(400, 1000)
    rng = np.random.default_rng(seed)
    weights = [
        rng.normal(0, np.sqrt(2 / 12), (12, hidden)),
        np.zeros(hidden),
        rng.normal(0, 0.1, (hidden, 5)),
        np.zeros(5),
    ]
    speeds = [np.zeros_like(w) for w in weights]
    rows = ["epoch,loss,val_loss,val_accuracy,elapsed"]
    seconds = 0.0
    for epoch in range(epochs):
        losses = []
        order = rng.permutation(examples)
        for start in range(0, examples, batch):
            x, y = inputs[train][order[start : start + batch]], labels[train][order[start : start + batch]]
            loss, gradients = _gradients(weights, x, y)
            losses.append(loss)
            for k, gradient in enumerate(gradients):
                speeds[k] = 0.9 * speeds[k] - lr * (gradient + weight_decay * weights[k])
                weights[k] = weights[k] + speeds[k]
        seconds += 0.01 * examples / batch
        loss, accuracy = _evaluated(weights, inputs[held], labels[held])
        rows.append(f"{epoch},{np.mean(losses):.5g},{loss:.5g},{accuracy:.5g},{seconds:.4g}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def _forward(weights: list[Array], x: Array) -> tuple[Array, Array]:
    h = np.maximum(x @ weights[0] + weights[1], 0)
    z = h @ weights[2] + weights[3]
    p = np.exp(z - z.max(1, keepdims=True))
    return h, p / p.sum(1, keepdims=True)


def _gradients(weights: list[Array], x: Array, y: Labels) -> tuple[float, tuple[Array, ...]]:
    h, p = _forward(weights, x)
    loss = float(-np.log(np.maximum(p[np.arange(len(y)), y], 1e-30)).mean())
    d = p.copy()
    d[np.arange(len(y)), y] -= 1
    d /= len(y)
    dh = (d @ weights[2].T) * (h > 0)
    return loss, (x.T @ dh, dh.sum(0), h.T @ d, d.sum(0))


def _evaluated(weights: list[Array], x: Array, y: Labels) -> tuple[float, float]:
    p = _forward(weights, x)[1]
    return float(-np.log(np.maximum(p[np.arange(len(y)), y], 1e-30)).mean()), float((p.argmax(1) == y).mean())
