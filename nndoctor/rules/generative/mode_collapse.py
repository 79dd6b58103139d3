"""The generator makes a few examples again and again."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.analysis.liveness import MIN_DIGITS, repeats_from, significant_digits
from nndoctor.analysis.reinforcement import levels
from nndoctor.core.confidence import TYPICAL
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series
from nndoctor.core.statistics import median

MAX_LEFT = 0.25  # share of the best diversity so far; that of a healthy generator wanders to a third
UNTRAINED = 0.3  # share of the run in which the generator still makes noise, whose diversity does not count
MAX_LEFT_OF_ALL = 0.03  # share of the best level ever; no generator needs to give up so much
MAX_MEAN_MODES = 1.5  # modes on average after the start
ONE_MODE = 1.0  # mode at the end, where modes are counted; data of a single mode have no use for one
MIN_SPREAD = 0.02  # standard deviation of pixels between 0 and 1; all samples are alike below it
MAX_FID_RATIO = 2.0  # times the best FID
ERRORS = 4.0  # standard errors
MIN_POINTS, MIN_FOOLED_POINTS = 6, 5  # values; where each shows a discriminator that is fooled, fewer are enough
GUESSING = 1.386  # 2 ln 2: the discriminator's loss where it knows nothing
MIN_FOOLED = 4.0  # times that, of a discriminator that every generated example passes
MAX_FOOLING, MAX_FOOLING_ONCE = 0.05, 0.35  # the generator's loss then, in most of the values and in any


def check(run: Run) -> Iterator[Symptom]:
    """See whether the samples' diversity has fallen, or their distance to the data has risen."""
    spread, fid = run.series_of("sample_diversity", MIN_POINTS), run.series_of("fid", MIN_POINTS)
    if spread is not None:
        found = _of_diversity(spread)
        if found is not None:
            yield found
            return
    if (passes := _every_sample_passes(run) or _is_always_fooled(run)) is not None:
        yield passes
        return
    if fid is not None:
        best, last = fid.best, fid.last
        if last > MAX_FID_RATIO * best and last - best > ERRORS * fid.noise:
            yield _symptom(
                fid,
                f"FID was best at {run.place(fid.best_step)} ({number(best)}) and is now {number(last)}",
                fid.best_step,
            )


def _every_sample_passes(run: Run) -> Symptom | None:
    """A generator whose loss is exactly zero from a value on, while the discriminator's is not: nothing corrects it any more."""
    g, d = run.series_of("generator_loss", MIN_POINTS), run.series_of("discriminator_loss", MIN_POINTS)
    if g is None or d is None or g.final != 0 or significant_digits(d.y) < MIN_DIGITS:
        return None
    at = repeats_from(g)
    late = d.y[d.x >= g.x[at]]
    if len(g.y) - at < MIN_POINTS or not len(late) or late.min() <= 0 or bool((late == late[0]).all()):
        return None
    where = float(g.x[at])
    return _symptom(
        g,
        f"the generator's loss is exactly 0 in the last {len(g.y) - at} values, and the discriminator's {number(d.last)} at the end",
        where,
        "whatever the generator makes passes, and nothing corrects it any more",
    )


def _is_always_fooled(run: Run) -> Symptom | None:
    """A discriminator whose loss is far above that of guessing in each late value, while the generator's is next to nothing."""
    g, d = (run.series_of(f"{side}_loss", MIN_FOOLED_POINTS) for side in ("generator", "discriminator"))
    if g is None or d is None or g.low < 0:
        return None
    late_g, late_d = (s.y[-max(MIN_FOOLED_POINTS, len(s.y) // 2) :] for s in (g, d))
    if late_d.min() < MIN_FOOLED * GUESSING or late_g.max() > MAX_FOOLING_ONCE or median(late_g) > MAX_FOOLING:
        return None
    where = float(d.x[-len(late_d)])
    return _symptom(
        g,
        f"the generator's loss ends at {number(g.final + 0.0)} and the discriminator's at {number(d.final)}, far above that of guessing ({GUESSING:g})",
        where,
        "whatever the generator makes passes, and the discriminator does not learn",
    )


def _of_diversity(spread: Series) -> Symptom | None:
    """The finding that a measure of the samples' diversity shows, without what an untrained generator made."""
    late = int(UNTRAINED * len(spread.y))
    whole = levels(spread)
    level = (
        levels(spread.with_points(spread.x[late:], spread.y[late:])) if len(spread.y) - late >= MIN_POINTS else whole
    )
    if "mode" in spread.column.lower() and level.last <= ONE_MODE and float(spread.y[late:].mean()) < MAX_MEAN_MODES:
        return _symptom(
            spread,
            f"the samples cover {'one mode' if level.last > 0 else 'no mode'} at the end ({spread.column})",
            spread.first_step,
        )
    lost = level.last < MAX_LEFT * level.best - ERRORS * level.error or level.last < MAX_LEFT_OF_ALL * whole.best
    if not lost and not (spread.column.endswith("std") and whole.best < MIN_SPREAD):
        return None
    return _symptom(
        spread,
        f"the diversity of the samples ({spread.column}) fell from about {number(whole.best)} to {number(level.last)}",
        whole.best_step,
    )


def _symptom(
    series: Series, text: str, at: float, means: str = "the generator covers less and less of the data"
) -> Symptom:
    return Symptom(
        f"{text}: {means}",
        TYPICAL,
        {"best": series.high, "last": series.last, "step": at},
        series=series.name,
        step=at,
        span=(at, series.last_step),
        causes=(
            Cause(
                "generator exploits one weakness of the discriminator",
                0.5,
                "one sample that fools the discriminator is enough for a low loss",
                "look at 64 samples side by side",
            ),
            Cause(
                "generator too small, or noise input unused",
                0.3,
                "it maps all noise to one output",
                "compare samples from ten different noise inputs",
            ),
            Cause("learning rates unbalanced", 0.2, "the discriminator cannot follow", "one run with two update rates"),
        ),
    )


RULE = Rule(
    code="NNG02",
    name="mode-collapse",
    severity=Severity.WARNING,
    title="the samples are all alike",
    needs={"sample_diversity|fid|generator_loss": MIN_FOOLED_POINTS},
    check=check,
    why="Samples that are all alike are useless, and the losses of a GAN do not show it.",
    how=f"A measure of the samples' diversity ends below {percent(MAX_LEFT)} of its best level, by {ERRORS:g} standard errors, or FID ends at {MAX_FID_RATIO:g} times its best. The first {percent(UNTRAINED)} of the run do not count: an untrained generator makes noise. Or a count of modes ends at one; or the generator's loss is exactly zero in the last {MIN_POINTS} values or more while the discriminator's moves above zero; or the discriminator's loss is {MIN_FOOLED:g} times that of guessing or more in each value of the second half ({MIN_FOOLED_POINTS} or more) while the generator's is next to nothing.",
    sources=(
        Reference("Salimans et al., Improved Techniques for Training GANs, 2016", "https://arxiv.org/abs/1606.03498"),
        Reference("Metz et al., Unrolled Generative Adversarial Networks, 2017", "https://arxiv.org/abs/1611.02163"),
    ),
    remedies=(
        "minibatch-discrimination",
        "two-time-scales",
        "spectral-normalization",
        "score-the-samples",
        "keep-the-best-checkpoint",
    ),
    sick=(
        Run.drawn(
            {"task": "gan"},
            sample_diversity="0.2 0.25*5 0.2..0.02*20",
            generator_loss="1*26",
            discriminator_loss="1*26",
        ),
        Run.drawn(
            {"task": "gan"},
            generator_loss="0.41 0.62 0.31 0*7",
            discriminator_loss="0.71 0.83 12.1 61.32 72.11 58.02 77.13 64.42 81.31 70.95",
        ),
        Run.drawn(
            {"task": "gan"},
            generator_loss="0.0004 0.0021 0.0009 0.12 0.0003 0.0001 0.0008",
            discriminator_loss="13.9 12.1 9.31 7.24 14.2 15.1 14.7",
        ),
        Run.drawn({"task": "gan"}, generator_loss="0*5", discriminator_loss="18.42*5"),
    ),
    healthy=(
        Run.drawn(
            {"task": "gan"},
            generator_loss="0.0004 0.0021 0.0009 0.12 0.61 0.82 0.73",
            discriminator_loss="13.9 12.1 9.31 7.24 2.1 1.41 1.37",
        ),
        Run.drawn(
            {"task": "gan"},
            generator_loss="0.0004 0.0021 0.0009 0.12 0.61",
            discriminator_loss="13.9 12.1 9.31 7.24 2.2",
        ),
        Run.drawn({"task": "gan"}, sample_diversity="0.05..0.26*20", generator_loss="1*20", discriminator_loss="1*20"),
        Run.drawn(
            {"task": "gan"},
            generator_loss="0.41 0.62 0.31 0 0.12 0 0 0.25 0 0.31",
            discriminator_loss="0.71 0.83 0.52 0.61 0.72 0.58 0.77 0.64 0.81 0.70",
        ),
    ),
    suppressed_by=("nan-loss",),
    on_request=True,
)
