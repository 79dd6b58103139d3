"""The discriminator of a GAN tells real from generated without fail, and the generator learns nothing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nndoctor.analysis.workload import Workload, workload
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number, percent, step
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import median

CERTAIN = 0.95  # of the score of real examples
FOOLED = 0.05  # of the score of generated ones
LATE = 0.3  # of the run, at its end
NOTHING = 0.12  # of the discriminator's loss of guessing, or of its first loss
GUESSING = 1.386  # 2 ln 2: the sum over real and generated of a discriminator that knows nothing
LOST = 3.0  # the generator's loss: its examples pass with a probability of 5 %
SATURATED = 0.02  # both losses: log(1 - D(G(z))) is 0 where the discriminator is certain, and so is its slope
MIN_POINTS = 8


def check(run: Run) -> Iterator[Symptom]:
    """Look at the two losses, and at the two scores where they are logged, at the end of the run."""
    d, g = run.series["discriminator_loss"], run.series["generator_loss"]
    if workload(run) is not Workload.GAN or min(len(d.y), len(g.y)) < MIN_POINTS:
        return
    real, fake = (_late(run.series.get(name)) for name in ("real_score", "fake_score"))
    sure = real is not None and fake is not None and real > CERTAIN and fake < FOOLED
    contradicted = fake is not None and (fake > 2 * FOOLED or (real is not None and real < CERTAIN - 0.1))
    lost, answer = _late(d) or 0.0, _late(g) or 0.0
    start = max(median(d.y[: max(3, len(d.y) // 20)]), 0.5)
    nothing = saturated = False
    if d.low >= 0 and lost < NOTHING * min(start, GUESSING):
        saturated = lost < SATURATED and abs(answer) < SATURATED
        nothing = answer > LOST or saturated
    if not sure and (contradicted or not nothing):
        return
    limit = NOTHING * GUESSING
    below = d.y < max(limit, lost * 1.5)
    at = float(d.x[int(np.argmax(below))])
    scores = "" if real is None or fake is None else f"; D(x) is {number(real)} and D(G(z)) {number(fake)}"
    yield Symptom(
        f"the discriminator's loss is {number(lost)} and the generator's {number(answer)} at the end{scores}: "
        f"the discriminator has won, and the generator's gradient vanishes (from step {step(at)} on)",
        0.92 if sure else 0.8,
        {"discriminator_loss": lost, "generator_loss": answer, "real_score": real, "fake_score": fake, "step": at},
        series="discriminator_loss",
        step=at,
        span=(at, float(d.x[-1])),
        causes=(
            Cause(
                "discriminator too strong",
                0.5,
                "it learns faster than the generator",
                "one run with a quarter of its learning rate",
            ),
            Cause(
                "discriminator too certain",
                0.3,
                "nothing limits its slope",
                "one run with spectral normalization or label smoothing",
            ),
            Cause(
                "generator's loss saturates",
                0.6 if saturated else 0.2,
                "log(1 - D(G(z))) is flat where D wins",
                "one run with the non-saturating loss, -log D(G(z))",
            ),
        ),
    )


def _late(series: Series | None) -> float | None:
    if series is None or len(series.y) < MIN_POINTS:
        return None
    return median(series.y[-max(3, int(LATE * len(series.y))) :])


RULE = Rule(
    code="NNG01",
    name="discriminator-wins",
    severity=Severity.WARNING,
    title="the discriminator has won",
    needs={"discriminator_loss": MIN_POINTS, "generator_loss": MIN_POINTS},
    check=check,
    why="A discriminator that makes no errors gives the generator almost no gradient.",
    how=f"In the last {percent(LATE)} of the run the median score of real examples is above {CERTAIN:g} and that of generated ones below 0.05; or, without scores, a positive discriminator loss is under 12% of its start and of 2 ln 2 while the generator's is above 3, or both are near zero (within {SATURATED:g}), as the saturating loss is.",
    sources=(
        Reference(
            "Arjovsky and Bottou, Towards Principled Methods for Training GANs, 2017",
            "https://arxiv.org/abs/1701.04862",
        ),
        Reference(
            "Heusel et al., GANs Trained by a Two Time-Scale Update Rule, 2017", "https://arxiv.org/abs/1706.08500"
        ),
    ),
    remedies=(
        "weaken-the-discriminator",
        "spectral-normalization",
        "label-smoothing-for-gans",
        "non-saturating-loss",
        "two-time-scales",
    ),
    sick=(
        Run.drawn(
            {"task": "gan"},
            discriminator_loss="0.7..0.002*40",
            generator_loss="1..13*40",
            real_score="0.5..0.99*40",
            fake_score="0.5..0.001*40",
        ),
        Run.drawn({"task": "gan"}, discriminator_loss="1.4..0.0001*40", generator_loss="1..52*40"),
        Run.drawn({"task": "gan"}, discriminator_loss="1.1..0.00001*40", generator_loss="-0.43..-0.000001*40"),
    ),
    healthy=(
        Run.drawn(
            {"task": "gan"},
            discriminator_loss="1.4 1.1 0.9 1.2 1.0 0.8 1.1 0.9 1.2 1.0",
            generator_loss="0.8 1.4 2 1.1 1.5 1.9 1.2 1.7 1.1 1.4",
        ),
        Run.drawn({"task": "gan"}, discriminator_loss="-0.1..-3*20", generator_loss="0.1..8*20"),
    ),
    suppressed_by=("nan-loss",),
    on_request=True,
)
