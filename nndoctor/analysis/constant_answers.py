"""Models that give one answer to everything: a denoiser that predicts zero, a discriminator that says one half, a text by frequencies."""

from __future__ import annotations

import math

from nndoctor.analysis.level import end_level
from nndoctor.core.run import Run

SECOND_HALF = 0.5
"""Share of the run over which a discriminator's level is taken."""

MAX_OFF_GAN = 0.01
"""Share of 2 ln 2 by which a discriminator that says one half may be off."""

MAX_OFF_GENERATOR = 0.03
"""Distance of the generator's loss from ln 2."""

MIN_READINGS = 8
"""Values of both losses of a GAN."""

MAX_OFF_NOISE = 0.1
"""Share of the variance of the noise."""

MIN_DENOISED = 20
"""Values of a diffusion model's loss."""


UNIGRAM = 962.0
"""Perplexity of a model that knows only how often each word occurs (Jurafsky and Martin, chapter 3: Wall Street Journal, 20,000 words)."""

MIN_TIMES_UNIGRAM = 2.0
"""Times that perplexity; other vocabularies give other values."""

MIN_TRAINED = 5_000
"""Steps after which any model of a language is far below it."""

MAX_OFF_LOG = 0.1
"""Nats by which a loss may differ from the logarithm of the perplexity that is logged with it."""


def worse_than_frequencies(run: Run) -> bool:
    """Whether a model of tokens is, after thousands of steps, no better than one that only knows how often each token occurs."""
    perplexity, loss = run.series_of("train/perplexity", MIN_READINGS), run.series.get("train/loss")
    if perplexity is None or loss is None or run.axis != "step":
        return False
    if perplexity.low <= 0 or perplexity.last_step < MIN_TRAINED or loss.low <= 0:
        return False
    same = abs(math.log(perplexity.final) - loss.final) < MAX_OFF_LOG
    return same and end_level(perplexity, SECOND_HALF).mean > MIN_TIMES_UNIGRAM * UNIGRAM


def predicts_no_noise(run: Run) -> bool:
    """Whether a denoiser answers zero: the mean square of noise with unit variance is 1."""
    loss = run.series_of("train/loss", MIN_DENOISED)
    if loss is None or loss.first < 1 - MAX_OFF_NOISE:
        return False
    return abs(end_level(loss).mean - 1) < MAX_OFF_NOISE and loss.low > 1 - 2 * MAX_OFF_NOISE


def undecided_loss(run: Run) -> float | None:
    """The loss of a discriminator that answers one half to everything: 2 ln 2, or ln 2 where it is averaged; None for any other."""
    one, other = (run.series_of(name, MIN_READINGS) for name in ("discriminator_loss", "generator_loss"))
    if one is None or other is None:
        return None
    level, against = end_level(one, SECOND_HALF), end_level(other, SECOND_HALF)
    if abs(against.mean - math.log(2)) >= MAX_OFF_GENERATOR:
        return None
    for chance in (2 * math.log(2), math.log(2)):
        if max(abs(level.mean - chance), level.spread) < MAX_OFF_GAN * chance:
            return chance
    return None
