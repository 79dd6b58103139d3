"""Self-supervised embeddings have become all alike."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nndoctor.analysis.reinforcement import levels
from nndoctor.analysis.workload import Workload, workload
from nndoctor.core.confidence import MEASURED
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number, percent, step
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import opening

MAX_LEFT = 0.15  # share of the highest spread
# Spread of normalized embeddings; 1 over the root of their length, 0.06 to 0.2, where all directions are used.
MIN_SPREAD = 0.01
MIN_RANK = 1.5  # effective dimensions
LOWEST_COSINE = -1.0001  # negative cosine, with rounding: a loss that goes lower is another one
MAX_AGREEMENT = -0.99  # mean negative cosine; two views never agree so well unless everything does
START = 0.25  # share of the run in which such agreement comes too early
MAX_CHANGE = 0.01  # share of a contrastive loss by which it changes where it stays at its first value
MAX_RANGE = 0.03  # the same by which it varies
# Logarithms of the numbers of candidates that a contrastive loss compares: batches of powers of two, with and without the view itself.
SIZES = tuple(np.log(n) for k in range(4, 14) for n in (2**k, 2**k - 1, 2 ** (k + 1) - 1, 2 ** (k + 1) - 2))
MAX_OFF_LOG = 0.003  # share of ln N
MIN_POINTS = 5

NOT_APART = Cause(
    "nothing keeps the embeddings apart",
    0.45,
    "methods without negatives need a stop-gradient and a predictor, a momentum encoder or a variance term",
    "look for .detach() on the target branch",
)
TOO_HIGH = Cause(
    "learning rate too high",
    0.35,
    "one large step can move all embeddings in the same direction",
    "one run with a tenth of the learning rate and a warm-up",
)
VIEWS = Cause(
    "views too different or too alike",
    0.2,
    "then nothing is learned from matching them",
    "look at ten pairs of views",
)
WITH_NEGATIVES = (TOO_HIGH, VIEWS)  # of a loss that compares each view with others, which keep the embeddings apart


def check(run: Run) -> Iterator[Symptom]:
    """Look at the spread and the rank of the embeddings, then at the loss."""
    if workload(run) is not Workload.CONTRASTIVE:
        return
    names = ("embedding_std", "effective_rank", "train/loss")
    spread, rank, loss = (run.series_of(name, MIN_POINTS) for name in names)
    if spread is not None and _has_shrunk(spread):
        first, last = number(spread.initial), number(levels(spread).last)
        yield _symptom(spread, f"the spread of the embeddings ({spread.column}) fell from {first} to {last}")
    elif rank is not None and levels(rank).last < MIN_RANK:
        yield _symptom(rank, f"the embeddings use {number(levels(rank).last)} dimensions")
    elif loss is not None and "embedding_std" not in run.series:
        yield from _by_loss(loss)


def _has_shrunk(spread: Series) -> bool:
    """Whether the spread of the embeddings ends next to nothing, or at a small share of its highest level."""
    level = levels(spread)
    highest = max(level.best, spread.initial)
    return level.last < max(MIN_SPREAD, MAX_LEFT * highest) and level.last <= level.start


def _by_loss(loss: Series) -> Iterator[Symptom]:
    early = opening(loss.y, START)
    if loss.low >= LOWEST_COSINE and loss.last < MAX_AGREEMENT and float(np.min(early)) < MAX_AGREEMENT:
        yield _symptom(
            loss,
            f"the loss is {number(loss.last)}, its lowest possible value, by step {step(float(loss.x[len(early) - 1]))}",
        )
        return
    still = abs(loss.last - loss.first) < MAX_CHANGE * abs(loss.first) and float(np.ptp(loss.y)) < MAX_RANGE * abs(
        loss.first
    )
    size = min(SIZES, key=lambda one: abs(one - loss.last))
    if still and abs(size - loss.last) < MAX_OFF_LOG * size:
        yield _symptom(
            loss,
            f"the loss stays at {number(loss.last)} = ln {np.exp(size):.0f}, that of random guessing among so many examples",
            WITH_NEGATIVES,
        )


def _symptom(series: Series, text: str, causes: tuple[Cause, ...] = ()) -> Symptom:
    return Symptom(
        f"{text}: all inputs get nearly the same embedding",
        MEASURED,
        {"first": series.initial, "last": series.last},
        series=series.name,
        step=series.last_step,
        span=series.span,
        causes=causes or (NOT_APART, TOO_HIGH, VIEWS),
    )


RULE = Rule(
    code="NNG04",
    name="representation-collapse",
    severity=Severity.WARNING,
    title="the embeddings are all alike",
    needs={"embedding_std|effective_rank|train/loss": MIN_POINTS},
    check=check,
    why="An encoder that gives every input the same embedding minimizes the loss of methods without negatives, but is useless.",
    how=f"The spread of the embeddings ends below {percent(MAX_LEFT)} of its highest level or below {MIN_SPREAD:g}, they use fewer than {MIN_RANK:g} dimensions, a negative cosine is below {MAX_AGREEMENT:g} in the first {percent(START)} of the run, or a contrastive loss stays at the logarithm of the number of its examples.",
    sources=(
        Reference(
            "Chen and He, Exploring Simple Siamese Representation Learning, 2021", "https://arxiv.org/abs/2011.10566"
        ),
        Reference(
            "Jing et al., Understanding Dimensional Collapse in Contrastive Self-supervised Learning, 2022",
            "https://arxiv.org/abs/2110.09348",
        ),
    ),
    remedies=("stop-gradient", "variance-term", "warm-up", "lower-learning-rate", "larger-batch"),
    sick=(
        Run.drawn(embedding_std="0.18..0.002*20", train_loss="-0.2..-0.999*20"),
        Run.drawn({"setting:simclr": True}, train_loss="5.541*20"),
    ),
    healthy=(Run.drawn(embedding_std="0.1..0.17*20", train_loss="5..2*20"),),
    suppressed_by=("nan-loss",),
    on_request=True,
)
