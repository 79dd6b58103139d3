"""The columns of a GAN that their neighbours explain: both halves of the discriminator's loss, and its accuracy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from nndoctor.core.series import Series
from nndoctor.readers.vocabulary.names import Kind, Meaning, tidy

ON_REAL, ON_FAKE, WHOLE = "discriminator_real_loss", "discriminator_fake_loss", "discriminator_loss"
LOSSES = (
    ("l_d_real", "l_d_fake"),
    ("loss_d_real", "loss_d_fake"),
    ("d_loss_real", "d_loss_fake"),
    ("d_real_loss", "d_fake_loss"),
)
BARE = ("d_real", "d_fake")  # losses in pix2pix, where the generator's is `G_GAN`; scores elsewhere
PIX2PIX = "g_gan"


def discriminator_halves(meanings: Mapping[str, Meaning]) -> dict[str, Meaning]:
    """The losses of a discriminator on real and on generated examples, where its whole loss is not logged."""
    if any(meaning.metric == WHOLE for meaning in meanings.values()):
        return {}
    named = {tidy(column): column for column in meanings}
    pairs = (*LOSSES, BARE) if PIX2PIX in named else LOSSES
    real, fake = next((pair for pair in pairs if named.keys() >= set(pair)), ("", ""))
    if not real:
        return {}
    return {
        named[name]: Meaning(Kind.SERIES, "", metric)
        for name, metric in zip((real, fake), (ON_REAL, ON_FAKE), strict=True)
    }


def discriminator_accuracy(meanings: Mapping[str, Meaning]) -> dict[str, Meaning]:
    """A lone accuracy between the losses of both sides, as Keras-GAN prints it: how often the discriminator is right."""
    held = {meaning.metric for meaning in meanings.values()}
    alone = [column for column, meaning in meanings.items() if meaning.metric == "accuracy"]
    if not held >= {WHOLE, "generator_loss"} or held & {"loss", "discriminator_accuracy"} or len(alone) != 1:
        return {}
    return {} if meanings[alone[0]].split else {alone[0]: Meaning(Kind.SERIES, "", "discriminator_accuracy")}


def whole_of_halves(series: dict[str, Series]) -> None:
    """Both halves of a discriminator's loss as one, their sum; each half alone is not judged."""
    real, fake = series.pop(ON_REAL, None), series.pop(ON_FAKE, None)
    if real is None or fake is None or not np.array_equal(real.steps, fake.steps):
        return
    whole = replace(real, name=WHOLE, values=real.values + fake.values, column=f"{real.column} + {fake.column}")
    series.setdefault(WHOLE, whole)
