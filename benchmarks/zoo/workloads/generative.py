"""Targets without labels: to rebuild digits, to denoise them or points, to pair two views of one."""

from __future__ import annotations

import numpy as np
from sklearn import datasets

from benchmarks.zoo.workloads.data import Array, Data, split

LATENT = 6  # of the variational autoencoder
EMBEDDING = 8  # of the contrastive net
COPIES = 2  # of each digit, each with a noise of its own


def _images(classes: int) -> Array:
    x, y = datasets.load_digits(return_X_y=True)
    return np.asarray((x[y < classes] / 16 - 0.305) / 0.376)


def _digits(number: int) -> Array:
    """All digits, or those of the first few classes."""
    return _images(int(np.random.default_rng([number, 2]).choice([3, 6, 10])))


def _rebuilt(number: int, seed: int, noise: float) -> Data:
    """Digits from noisy digits."""
    rng, x = np.random.default_rng([number, seed]), _digits(number)
    blurred = x + noise * rng.normal(size=x.shape)
    return split("regression", (blurred, x), rng, 128, outputs=64)


def _variational(number: int, seed: int, _noise: float) -> Data:
    """Digits beside the noise that the latent code is drawn with."""
    rng, x = np.random.default_rng([number, seed]), _digits(number)
    inputs = np.concatenate([x, rng.normal(size=(len(x), LATENT))], 1)
    return split("vae", (inputs, x), rng, 128, outputs=64 + 2 * LATENT)


def _diffused(x: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Samples at a random time of the noising process with that time, and the noise that was added."""
    time = rng.uniform(0.02, 0.98, (len(x), 1))
    noise = rng.normal(size=x.shape)
    kept = np.cos(time * np.pi / 2)
    inputs = np.concatenate([kept * x + np.sqrt(1 - kept**2) * noise, np.cos(np.pi * time), np.sin(np.pi * time)], 1)
    return inputs, noise


def _digit_diffusion(number: int, seed: int, _noise: float) -> Data:
    rng, x = np.random.default_rng([number, seed]), _digits(number)
    inputs, noise = _diffused(np.tile(x, (COPIES, 1)), rng)
    return split("regression", (inputs, noise), rng, 128, outputs=64)


def _point_diffusion(number: int, seed: int, _noise: float) -> Data:
    """Points on a random closed curve."""
    task, rng = np.random.default_rng([number, 1]), np.random.default_rng([number, seed])
    amplitude, order = task.uniform(0.2, 0.8), int(task.integers(2, 6))
    angle = rng.uniform(0, 2 * np.pi, 2000)
    radius = 1.2 * (1 + amplitude * np.cos(order * angle))
    x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
    return split("regression", _diffused(x, rng), rng, 128, outputs=2)


def _view(x: Array, rng: np.random.Generator, strength: float) -> Array:
    """Another view of every image: shifted by up to a pixel, noisy, with a part masked."""
    images = x.reshape(-1, 8, 8)
    shifts = rng.integers(-1, 2, (len(x), 2))
    moved = np.stack([np.roll(image, tuple(s), (0, 1)) for image, s in zip(images, shifts, strict=True)])
    masked = np.where(rng.random(moved.shape) < 0.3 * strength, 0.0, moved)
    return np.asarray((masked + 0.5 * strength * rng.normal(size=moved.shape)).reshape(len(x), -1))


def _two_views(number: int, seed: int, _noise: float) -> Data:
    """Two views of every digit, to be recognized as one among the others of the batch (Chen et al., 2020)."""
    task, rng = np.random.default_rng([number, 1]), np.random.default_rng([number, seed])
    strength, x = task.uniform(0.3, 1.0), _digits(number)
    pairs = np.stack([_view(x, rng, strength), _view(x, rng, strength)], 1)
    return split("contrastive", (pairs, np.zeros((len(x), 1))), rng, 128, outputs=EMBEDDING)


WORKLOADS = {
    "autoencoder": _rebuilt,
    "vae": _variational,
    "digit-diffusion": _digit_diffusion,
    "point-diffusion": _point_diffusion,
    "contrastive": _two_views,
}
