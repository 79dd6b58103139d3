"""The discriminator of a GAN distinguishes real from generated without errors, and the generator learns nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nndoctor.analysis.workload import Workload, workload
from nndoctor.core.confidence import MEASURED, TYPICAL
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import closing, median, opening

MIN_REAL = 0.95  # score of real examples that a discriminator without errors gives
REAL_MARGIN = 0.1  # by which a lower score of real examples shows that it makes errors
MAX_FAKE = 0.05  # score of generated examples; twice as much shows that it makes errors
START, MIN_START = 0.05, 0.5  # share of the run whose median is the first loss, and the least that this counts as
LATE = 0.25  # share of the run at its end
BEFORE, MAX_LEFT, SUNK = (0.5, 0.75), 0.25, 0.1
"""Shares of the run before that, the part of the discriminator's loss there below which it comes down at the end, and the share at the end
whose median counts then."""

NEXT_TO_NOTHING = 0.12  # share of the discriminator's first loss, and of that of guessing
NEAR_END = 1.5  # times its last level: the discriminator's loss has come down
GUESSING = 1.386  # 2 ln 2: the sum over real and generated of a discriminator that knows nothing
LOST = 3.0  # loss of a generator whose examples pass with a probability of 5 %
FAR_LOST = 8.0  # loss of a generator that has lost where the discriminator's began low already
MIN_RISE = 2.0  # times the generator's level early in the run, likewise
EARLY = (0.0, 0.1)  # shares of the run
CERTAIN = (
    0.02  # loss of a discriminator that gives real examples 0.99 and generated ones 0.01: it is next to never wrong
)
MIN_FIRST = (
    0.25  # least first loss of one that classifies; the difference of a critic's scores may be near 0 throughout
)
MIN_CERTAIN_RISE = 1.5  # times the generator's level early in the run, of one that faces a certain discriminator
SATURATED = 0.02  # limit of both losses: log(1 - D(G(z))) is 0 where the discriminator is certain, and so is its slope
MIN_ACCURACY = 0.99  # share that a discriminator classifies rightly which is next to never wrong
MAX_SHARE = 1.5  # an accuracy above it is in percent
PERCENT = 100.0
MIN_POINTS, MIN_ZEROS = 8, 5  # values of both losses, and of a discriminator's that are all exactly 0


@dataclass(frozen=True, slots=True)
class _End:
    """Medians over the end of the run: of both losses, and of the scores of real and generated examples where logged."""

    discriminator: float
    generator: float
    real: float | None
    fake: float | None

    @property
    def certain(self) -> bool:
        """Whether the scores show that the discriminator makes no errors."""
        return self.real is not None and self.fake is not None and self.real > MIN_REAL and self.fake < MAX_FAKE

    @property
    def contradicted(self) -> bool:
        """Whether the scores show that it makes some."""
        if self.fake is None:
            return False
        return self.fake > 2 * MAX_FAKE or (self.real is not None and self.real < MIN_REAL - REAL_MARGIN)

    @property
    def saturated(self) -> bool:
        """Whether both losses are near zero, as those of the saturating loss are."""
        return self.discriminator < SATURATED and abs(self.generator) < SATURATED


def check(run: Run) -> Iterator[Symptom]:
    """Look at the two losses, and at the two scores where they are logged, at the end of the run."""
    if workload(run) is not Workload.GAN:
        return
    if (found := _by_accuracy(run)) is not None:
        yield found
        return
    d, g = run.series_of("discriminator_loss", MIN_ZEROS), run.series_of("generator_loss", MIN_ZEROS)
    if d is None or g is None or (min(len(d.y), len(g.y)) < MIN_POINTS and not d.low == d.high == 0):
        return
    end = _end(run, d, g)
    vanished = _vanished(d, end)
    lost = end.generator > LOST or end.saturated or _turns_certain(d, g, end)
    beaten = (vanished and lost) or _outpaced(d, g, end)
    if end.certain or (beaten and not end.contradicted):
        yield _symptom(run, d, g, end, saturated=vanished and end.saturated)


def _by_accuracy(run: Run) -> Symptom | None:
    """What the accuracy of the discriminator shows, next to a generator that has lost."""
    least = 1 if _beaten_in_its_only_row(run) else MIN_ZEROS
    accuracy = run.series_of("discriminator_accuracy", least)
    if accuracy is None or _late_share(accuracy, lowest=True) < MIN_ACCURACY:
        return None
    own, g = run.series_of("discriminator_loss", least), run.series_of("generator_loss", least)
    passed = run.series_of("generator_accuracy", least)
    if own is not None and median(closing(own.y, LATE)) > NEXT_TO_NOTHING * GUESSING:
        return None
    lost = [s for s in (passed,) if s is not None and _late_share(s, lowest=False) < 1 - MIN_ACCURACY]
    lost += [s for s in (g,) if s is not None and median(closing(s.y, LATE)) > LOST]
    if not lost:
        return None
    what = "accuracy" if lost[0] is passed else "loss"
    return Symptom(
        f"the discriminator's accuracy ends at {number(accuracy.final)} and the generator's {what} at {number(lost[0].final)}: "
        "the discriminator is almost never wrong, so the generator's gradient vanishes",
        MEASURED,
        {"discriminator_accuracy": accuracy.final, f"generator_{what}": lost[0].final},
        series=accuracy.name,
        step=accuracy.last_step,
        span=accuracy.span,
        causes=_causes(saturated=False),
    )


def _beaten_in_its_only_row(run: Run) -> bool:
    """Whether a log of one row shows a discriminator that is certain, and a generator that has lost by far."""
    own, g = run.series_of("discriminator_loss"), run.series_of("generator_loss")
    if own is None or g is None or run.fact("single_row") is None:
        return False
    return 0 <= own.final < CERTAIN and g.final > FAR_LOST


def _late_share(accuracy: Series, *, lowest: bool) -> float:
    """The level of an accuracy at the end, from 0 to 1; in a short log the lowest or the highest of all."""
    scale = PERCENT if accuracy.high > MAX_SHARE else 1.0
    if len(accuracy.y) < MIN_POINTS:
        return (accuracy.low if lowest else accuracy.high) / scale
    return median(closing(accuracy.y, LATE)) / scale


def _end(run: Run, d: Series, g: Series) -> _End:
    share = SUNK if _sinks(d) else LATE
    real, fake = (run.series_of(name, MIN_POINTS) for name in ("real_score", "fake_score"))
    return _End(
        median(closing(d.y, share)),
        median(closing(g.y, share)),
        None if real is None else median(closing(real.y, share)),
        None if fake is None else median(closing(fake.y, share)),
    )


def _vanished(d: Series, end: _End) -> bool:
    """Whether the discriminator's loss, which is positive, ends next to nothing."""
    start = max(median(opening(d.y, START)), MIN_START)
    return d.low >= 0 and end.discriminator < NEXT_TO_NOTHING * min(start, GUESSING)


def _turns_certain(d: Series, g: Series, end: _End) -> bool:
    """Whether a discriminator that made errors at first is next to never wrong at the end, and the generator's loss rises with it."""
    early = g.level(*EARLY)
    return (
        median(opening(d.y, START)) > MIN_FIRST
        and end.discriminator < CERTAIN
        and end.generator > MIN_CERTAIN_RISE * early > 0
    )


def _outpaced(d: Series, g: Series, end: _End) -> bool:
    """Whether a positive discriminator loss is next to nothing beside that of guessing, while the generator's is large and twice as high as it was."""
    rises = end.generator > max(FAR_LOST, MIN_RISE * g.level(*EARLY))
    return d.low >= 0 and end.discriminator < NEXT_TO_NOTHING * GUESSING and rises


def _symptom(run: Run, d: Series, g: Series, end: _End, *, saturated: bool) -> Symptom:
    reached = d.y < max(NEXT_TO_NOTHING * GUESSING, NEAR_END * end.discriminator)
    at = d.step_where(reached)
    known = end.real is not None and end.fake is not None
    scores = f"; D(x) is about {number(end.real or 0.0)} and D(G(z)) about {number(end.fake or 0.0)}" if known else ""
    return Symptom(
        f"the discriminator's loss{_parts(d)} ends at {number(d.final)} and the generator's at {number(g.final)}{scores}: "
        f"the discriminator is almost never wrong, so the generator's gradient vanishes (from {run.place(at)} on)",
        MEASURED if end.certain else TYPICAL,
        {
            "discriminator_loss": end.discriminator,
            "generator_loss": end.generator,
            "real_score": end.real,
            "fake_score": end.fake,
            "step": at,
        },
        series="discriminator_loss",
        step=at,
        span=(at, d.last_step),
        causes=_causes(saturated=saturated),
    )


def _parts(d: Series) -> str:
    """The columns that a loss is the sum of, where the log has none of its own for it."""
    return f" ({d.column})" if d.column is not None and " + " in d.column else ""


def _causes(*, saturated: bool) -> tuple[Cause, ...]:
    return (
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
    )


def _sinks(d: Series) -> bool:
    """Whether the discriminator's loss came down in the last part of the run, which its level there hides."""
    return 0 < d.level(1 - LATE, 1.0) < MAX_LEFT * d.level(*BEFORE)


RULE = Rule(
    code="NNG01",
    name="discriminator-wins",
    severity=Severity.WARNING,
    title="the discriminator has won",
    needs={
        "fact:single_row|discriminator_loss|discriminator_accuracy": MIN_ZEROS,
        "fact:single_row|generator_loss|generator_accuracy": MIN_ZEROS,
    },
    check=check,
    why="A discriminator that makes no errors gives the generator almost no gradient.",
    how=f"In {MIN_POINTS} values of both losses or more ({MIN_ZEROS} where the discriminator's are all exactly zero): in the last {percent(LATE)} of the run ({percent(SUNK)} where the discriminator's loss falls below {percent(MAX_LEFT)} of its level before) the median score of real examples is above {MIN_REAL:g} and that of generated ones below {MAX_FAKE:g}; or, without scores, a positive discriminator loss is under {percent(NEXT_TO_NOTHING)} of its start and of that of guessing ({GUESSING:g}) while the generator's is above {LOST:g}, or below {CERTAIN:g} from a first loss above {MIN_FIRST:g} while the generator's is {MIN_CERTAIN_RISE:g} times as high as in the first {percent(EARLY[1])}, or under {percent(NEXT_TO_NOTHING)} of that of guessing while the generator's is above {FAR_LOST:g} and {MIN_RISE:g} times as high as in the first {percent(EARLY[1])}, or both are near zero (within {SATURATED:g}), as the saturating loss is. Or the discriminator's accuracy is {percent(MIN_ACCURACY)} or more while the generator's is below {percent(1 - MIN_ACCURACY)} or its loss above {LOST:g}, in {MIN_ZEROS} values or more, or in the only row of a log whose discriminator's loss is below {CERTAIN:g} and whose generator's is above {FAR_LOST:g}.",
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
        Run.drawn({"task": "gan"}, discriminator_accuracy="0.9993..1*6", generator_accuracy="0*6"),
        Run.drawn({"task": "gan"}, discriminator_loss="0*6", generator_loss="9.2 9.5 8.5 8.9 18 7.4"),
        Run.drawn({"task": "gan"}, discriminator_loss="1.1..0.00001*40", generator_loss="-0.43..-0.000001*40"),
        Run.drawn({"task": "gan"}, discriminator_loss="0.6..0.1*30 0.09*20", generator_loss="3.6..12.6*30 12.6*20"),
        Run.drawn(
            {"task": "gan"},
            discriminator_loss="0.6*30 0.4 0.3 0.2 0.12 0.08 0.05 0.03 0.02 0.02 0.01",
            generator_loss="1*30 1..6*10",
        ),
        Run.drawn(
            {"task": "gan"}, discriminator_loss="0.7*11 0.3 0.02 0.012 0.01", generator_loss="0.9*11 1.6 2.4 2.7 2.9"
        ),
    ),
    healthy=(
        Run.drawn({"task": "gan"}, discriminator_accuracy="0.8..0.6*6", generator_accuracy="0.2..0.45*6"),
        Run.drawn({"task": "gan"}, discriminator_loss="0.1*6", generator_loss="9*6"),
        Run.drawn(
            {"task": "gan"},
            discriminator_loss="1.4 1.1 0.9 1.2 1.0 0.8 1.1 0.9 1.2 1.0",
            generator_loss="0.8 1.4 2 1.1 1.5 1.9 1.2 1.7 1.1 1.4",
        ),
        Run.drawn({"task": "gan"}, discriminator_loss="-0.1..-3*20", generator_loss="0.1..8*20"),
        Run.drawn({"task": "gan"}, discriminator_loss="0.4..0.1*40", generator_loss="42..31*40"),
        Run.drawn({"task": "gan"}, discriminator_loss="0.05..0.01*20", generator_loss="0.5..2.5*20"),
    ),
    suppressed_by=("nan-loss",),
    on_request=True,
)
