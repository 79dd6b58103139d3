"""A VAE's codes say nothing of their inputs."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.analysis.reinforcement import levels
from nndoctor.analysis.workload import Workload, workload
from nndoctor.core.confidence import MEASURED
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import median

MIN_KL = 0.03  # nats; below it no code distinguishes two inputs
ROUNDING = -1e-6  # nats that a KL term may be below zero
MIN_RISE = 1.3  # times the level in the middle: the KL term rises again
LOW_KL = 0.3  # nats, where the KL term has fallen from far above
MAX_LEFT = 0.1  # share of its highest level
MIDDLE = (0.4, 0.6)  # shares of the run between which a level is that of its middle
ONE_BIT = 0.693  # nats: a code of less cannot distinguish two halves of the data
SMALL_SHARE = 0.03  # share of the reconstruction loss, which is of the same scale
MIN_FALL = 0.25  # share of the KL term's level in the middle of the run
MIN_IMPROVEMENT = 0.03  # share of the reconstruction loss by which it falls after the middle of the run
NOISES = 4.0  # times the noise of one value
MIN_LONG = 15  # values of both terms that show a fall after the middle
RECONSTRUCTION = (
    "train/reconstruction_loss|train/recon_loss|train/rec_loss|reconstruction|train/mse_loss|train/bce_loss"
)
MIN_POINTS = 6
KL = "train/kl_loss|train/kld_loss|kl|validation/kl|validation/kl_loss"


def check(run: Run) -> Iterator[Symptom]:
    """Look at the KL term at the end, else at the number of active units."""
    if workload(run) is not Workload.VAE:
        return
    found = _vanished(run) or _no_active_unit(run)
    if found is not None:
        yield found


def _vanished(run: Run) -> Symptom | None:
    """A KL term that ends next to nothing, or falls while the reconstruction improves, and does not rise again."""
    kl = run.series_of(KL, MIN_POINTS)
    if kl is None or kl.low < ROUNDING:
        return None
    level, peak, rising = levels(kl), kl.high, _rising(kl)
    fallen = level.last < min(LOW_KL, MAX_LEFT * peak) and not rising
    gone = fallen or level.last < MIN_KL or _bypassed(run, kl)
    if not gone or (rising and level.last > 2 * level.low):
        return None
    return _symptom(run, kl, f"the KL term is about {number(level.last)} nats at the end (highest {number(peak)})")


def _no_active_unit(run: Run) -> Symptom | None:
    active = run.series_of("active_units", MIN_POINTS)
    if active is None or levels(active).last >= 1:
        return None
    return _symptom(run, active, "no unit of the code is active at the end")


def _bypassed(run: Run, kl: Series) -> bool:
    """Whether the KL term falls below one bit while the reconstruction goes on improving: it no longer comes by way of the code."""
    rebuilt, weight = run.series_of(RECONSTRUCTION, MIN_LONG), run.series_of("beta")
    if rebuilt is None or len(kl.y) < MIN_LONG or rebuilt.low <= 0:
        return False
    if weight is not None and weight.last > weight.level(*MIDDLE):
        return False
    middle, last = kl.level(*MIDDLE), kl.last
    better = rebuilt.level(*MIDDLE) - rebuilt.last > max(MIN_IMPROVEMENT * rebuilt.last, NOISES * rebuilt.noise)
    falls = middle - last > max(MIN_FALL * middle, NOISES * kl.noise)
    return better and falls and last < min(ONE_BIT, SMALL_SHARE * rebuilt.last)


def _rising(kl: Series) -> bool:
    """Whether the last fifth is far above the values just after the middle."""
    n = len(kl.y)
    return median(kl.y[-max(2, n // 5) :]) > MIN_RISE * median(kl.y[n // 2 : max(n // 2 + 2, 7 * n // 10)])


def _symptom(run: Run, series: Series, text: str) -> Symptom:
    weight = run.series_of("beta")
    annealed = weight is not None and weight.high > weight.low
    beta = None if weight is None else weight.high
    return Symptom(
        f"{text}: the latent codes carry no information about the inputs, and the decoder ignores them",
        MEASURED,
        {"kl": series.last, "highest": series.high, "beta": beta},
        series=series.name,
        step=series.last_step,
        span=(float(series.x[len(series.x) // 2]), series.last_step),
        causes=(
            Cause(
                "weight of the KL term too high",
                0.5,
                f"its weight is {number(beta)}"
                if beta is not None and beta > 1
                else "the reconstruction may be averaged over pixels while the KL is summed",
                "one run with a tenth of its weight",
            ),
            Cause(
                "no warm-up of the KL term",
                0.15 if annealed else 0.3,
                "early in training it is cheapest to ignore the code",
                "one run with the weight raised from 0 over the first third",
            ),
            Cause(
                "decoder too strong",
                0.2,
                "a decoder that can model the data alone does not need the code",
                "one run with a smaller decoder",
            ),
        ),
    )


RULE = Rule(
    code="NNG03",
    name="posterior-collapse",
    severity=Severity.WARNING,
    title="the latent codes carry no information",
    needs={f"{KL}|active_units": MIN_POINTS},
    check=check,
    why="If every input gets the same code, nothing is encoded, and the decoder can only reproduce the average of the data.",
    how=f"The KL term ends below {MIN_KL:g} nats, or below {LOW_KL:g} and {percent(MAX_LEFT)} of its highest value without rising, or below one bit ({ONE_BIT:.2f}) and {percent(MIN_FALL)} lower than in the middle of the run while the reconstruction still improves, or no unit of the code is active. A KL term that rises again while its weight is annealed is not reported.",
    sources=(
        Reference(
            "Bowman et al., Generating Sentences from a Continuous Space, 2016", "https://arxiv.org/abs/1511.06349"
        ),
        Reference(
            "Kingma et al., Improved Variational Inference with Inverse Autoregressive Flow, 2016: free bits",
            "https://arxiv.org/abs/1606.04934",
        ),
    ),
    remedies=("lower-kl-weight", "kl-warm-up", "free-bits", "weaker-decoder", "balance-the-parts"),
    sick=(
        Run.drawn(train_kl_loss="4 2 0.5 0.01 0.0005*10", train_recon_loss="40..20*14"),
        Run.drawn(kl="0.0001*14", train_recon_loss="0.5..0.4*14"),
        Run.drawn(train_kl_loss="0.15 0.6 0.7 0.71*8 0.7..0.36*14", train_recon_loss="88..26*25"),
    ),
    healthy=(
        Run.drawn(train_kl_loss="1..8*14", train_recon_loss="40..20*14"),
        Run.drawn(train_kl_loss="0.3 3.7 1.9 1.2*9 1.9..2.7*13", train_recon_loss="85..33*25"),
        Run.drawn(train_kl_loss="20 6 3 2 2.5 3 4 5 6 7 8 8 8 8", beta="0.1..1*8 1*6", train_recon_loss="40..20*14"),
    ),
    suppressed_by=("nan-loss",),
    on_request=True,
)
