"""A vector-quantized autoencoder uses only a few entries of its codebook."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.analysis.reinforcement import levels
from nndoctor.core.confidence import MEASURED
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series

# A perplexity below that of two codes used alike: less than one bit a position, whatever the codebook's size.
FEW_CODES = 2.0
# Share of the codebook that is used; healthy codebooks of 512 to 8,192 entries are used by a fifth or more.
FEW_USED = 0.02
ERRORS = 3.0  # standard errors by which a perplexity that rises is above its lowest level
MIN_POINTS = 5


def check(run: Run) -> Iterator[Symptom]:
    """Look at the codebook's perplexity, or the share of it that is used, at the end."""
    codes = run.series["codebook_perplexity"]
    if len(codes.y) < MIN_POINTS:
        return
    level = levels(codes)
    share = codes.high <= 1.0 and codes.low < 1.0  # a perplexity is at least 1
    rises = level.last > level.low + ERRORS * level.error and level.last >= level.best
    if level.last >= (FEW_USED if share else FEW_CODES) or rises:
        return
    text = (
        f"about {percent(level.last)} of the codebook is used at the end"
        if share
        else f"the codebook's perplexity is {number(codes.final)} at the end"
    )
    yield _symptom(
        codes, f"{text}: nearly all positions get the same code, and the latent carries almost no information"
    )


def _symptom(codes: Series, text: str) -> Symptom:
    return Symptom(
        text,
        MEASURED,
        {"last": codes.final, "highest": codes.high},
        series=codes.name,
        step=codes.last_step,
        span=codes.span,
        causes=(
            Cause(
                "codes far from the encoder's outputs",
                0.5,
                "an entry that is never the nearest gets no gradient and never moves",
                "compare the norms of the codes and of the encoder's outputs",
            ),
            Cause(
                "encoder collapsed to one point",
                0.3,
                "the decoder or the commitment term leaves no reason to differ",
                "log the standard deviation of the encoder's outputs over a batch",
            ),
            Cause(
                "codes learn too slowly",
                0.2,
                "the encoder moves away before they follow",
                "one run with exponential moving averages for the codes",
            ),
        ),
    )


RULE = Rule(
    code="NNG07",
    name="codebook-collapse",
    severity=Severity.WARNING,
    title="nearly all inputs get the same code",
    needs={"codebook_perplexity": MIN_POINTS},
    check=check,
    why="Codes that are never used do not learn. With one code in use the latent says nothing of the input, and a model of the codes has nothing to model.",
    how=f"The codebook's perplexity ends below {FEW_CODES:g} (one bit), or the share of its entries that are used below {percent(FEW_USED)}, and does not rise.",
    sources=(
        Reference(
            "van den Oord, Vinyals and Kavukcuoglu, Neural Discrete Representation Learning, 2017",
            "https://arxiv.org/abs/1711.00937",
        ),
        Reference(
            "Dhariwal et al., Jukebox, 2020, section 3: random restarts of codes", "https://arxiv.org/abs/2005.00341"
        ),
        Reference(
            "Łańcucki et al., Robust Training of Vector Quantized Bottleneck Models, 2020",
            "https://arxiv.org/abs/2005.08520",
        ),
    ),
    remedies=("restart-dead-codes", "moving-average-codes", "normalized-codes", "start-codes-from-data"),
    sick=(
        Run.drawn(codebook_perplexity="1*20", train_recon_loss="0.08..0.05*20"),
        Run.drawn(codebook_perplexity="40..1.2*20", train_recon_loss="0.08..0.05*20"),
    ),
    healthy=(
        Run.drawn(codebook_perplexity="2.3..9.4*20", train_recon_loss="0.08..0.03*20"),
        Run.drawn(codebook_perplexity="0.2..0.95*20", train_recon_loss="0.08..0.03*20"),
    ),
    suppressed_by=("nan-loss",),
    on_request=True,
)
