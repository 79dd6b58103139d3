"""A few experts of a mixture get nearly all the tokens."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nndoctor.analysis.reinforcement import levels
from nndoctor.core.confidence import MEASURED
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series

MIN_EFFECTIVE = 0.6  # share of the experts that are in effect used, by the entropy of their loads
MAX_IDLE_OF_FEW = 0.25  # share of idle experts where so few are in effect used
NEAR_HIGHEST = 0.9  # share of its highest level: the balancing loss does not come down again
MIN_RISE = 1.3  # times its lowest level: the balancing loss is then that of a quarter fewer experts
UNEVEN = 1.5  # times its lowest level: the balancing loss shows uneven loads
IDLE_LOAD = 0.1  # share of an even load
MAX_IDLE = 0.5  # share of idle experts
MAX_LOAD, MAX_EVEN_LOADS = 0.5, 2.5  # share of all tokens, and even loads, that one expert gets
MAX_PEAK = 3.0  # times the mean load, at the end and higher than at first
MIN_ENTROPY = 0.1  # share of the router's first entropy
MAX_DROPPED = 0.3  # share of the tokens
MAX_AT_END = {"expert_peak": MAX_PEAK, "dropped_tokens": MAX_DROPPED, "dead_experts": MAX_IDLE}
ERRORS = 4.0  # standard errors of a level
MIN_POINTS = 4


def check(run: Run) -> Iterator[Symptom]:
    """Look at the loads at the end, then at what else shows them."""
    loads = {name: s for name, s in run.series.items() if name.startswith("expert_load_") and len(s.y) >= MIN_POINTS}
    if len(loads) > 1:
        yield from _by_loads(loads)
        return
    found = _by_statistic(run) or _by_balance_loss(run) or _by_entropy(run)
    if found is not None:
        yield found


def _by_statistic(run: Run) -> Symptom | None:
    """A statistic of the loads that ends above its limit; only dropped tokens need not have risen."""
    for name, limit in MAX_AT_END.items():
        curve = run.series_of(name, MIN_POINTS)
        if curve is None:
            continue
        level = levels(curve)
        if level.last > limit and (name == "dropped_tokens" or level.last >= level.start):
            return _symptom(curve, f"{curve.column} is about {number(level.last)} at the end", {"last": level.last})
    return None


def _by_balance_loss(run: Run) -> Symptom | None:
    """A balancing loss that has risen for good, where the router's entropy is not logged."""
    balance = run.series_of("balance_loss", MIN_POINTS)
    if balance is None or "router_entropy" in run.series or not _has_risen(balance):
        return None
    level = levels(balance)
    return _symptom(
        balance,
        f"the balancing loss ({balance.column}) rose from about {number(level.low)} to {number(level.last)}",
        {"last": level.last},
    )


def _by_entropy(run: Run) -> Symptom | None:
    """A router that has become certain while the loads are uneven."""
    entropy = run.series_of("router_entropy", MIN_POINTS)
    if entropy is None or not _one_sided(run, entropy):
        return None
    level = levels(entropy)
    return _symptom(
        entropy,
        f"the router's entropy fell from about {number(level.start)} to {number(level.last)}",
        {"last": level.last},
    )


def _has_risen(balance: Series) -> bool:
    """Whether the loss that is least where all loads are even has risen by a third, and stays there."""
    way = levels(balance)
    risen = way.last - way.low > ERRORS * way.error
    return way.low > 0 and risen and way.last > MIN_RISE * way.low and way.last > NEAR_HIGHEST * way.best


def _one_sided(run: Run, entropy: Series) -> bool:
    """Whether the router is certain and the loads uneven: one that is certain alone may send each token elsewhere."""
    balance = run.series_of("balance_loss", MIN_POINTS)
    uneven = balance is not None and levels(balance).last > UNEVEN * levels(balance).low
    return uneven and levels(entropy).last < MIN_ENTROPY * levels(entropy).start


def _by_loads(loads: dict[str, Series]) -> Iterator[Symptom]:
    late = {name: max(levels(s).last, 0.0) for name, s in loads.items()}
    whole, count = sum(late.values()), len(late)
    if whole <= 0:
        return
    shares = {name: level / whole for name, level in late.items()}
    idle = sum(share < IDLE_LOAD / count for share in shares.values())
    busiest = max(shares, key=lambda name: shares[name])
    dominated = shares[busiest] > max(MAX_LOAD, MAX_EVEN_LOADS / count)
    few = idle >= MAX_IDLE_OF_FEW * count and _effective(shares) < MIN_EFFECTIVE * count
    if not few and not dominated and idle < MAX_IDLE * count:
        return
    expert = busiest.removeprefix("expert_load_")
    yield _symptom(
        loads[busiest],
        f"expert {expert} gets {percent(shares[busiest])} of the tokens at the end, and {idle} of {count} experts get nearly none",
        {"busiest": expert, "share": shares[busiest], "idle": idle, "experts": count},
    )


def _effective(shares: dict[str, float]) -> float:
    """How many experts with even loads have the same entropy."""
    return math.exp(-sum(share * math.log(share) for share in shares.values() if share > 0))


def _symptom(series: Series, text: str, evidence: dict[str, float | int | str | bool | None]) -> Symptom:
    return Symptom(
        f"{text}: the router has collapsed onto a few experts",
        MEASURED,
        evidence,
        series=series.name,
        step=series.last_step,
        span=series.span,
        causes=(
            Cause(
                "missing or weak load balancing",
                0.6,
                "an expert that gets more tokens learns faster and gets more",
                "one run with a load-balancing loss of weight 0.01",
            ),
            Cause(
                "router learns too fast",
                0.25,
                "it settles before the experts differ",
                "one run with a tenth of the router's learning rate, or noise on its scores",
            ),
            Cause(
                "router starts uneven",
                0.15,
                "a bias or a large initialization favors one expert",
                "look at the loads of the first step",
            ),
        ),
    )


RULE = Rule(
    code="NNG05",
    name="expert-collapse",
    severity=Severity.WARNING,
    title="a few experts get all the tokens",
    needs={
        "expert_load_0|expert_load_1|expert_peak|router_entropy|dropped_tokens|dead_experts|balance_loss": MIN_POINTS
    },
    check=check,
    why="Experts without tokens do not learn: the model has the cost of many experts but the capacity of a few.",
    how=f"At the end {percent(MAX_IDLE)} of the experts get less than {percent(IDLE_LOAD)} of an even share, or one gets more than {percent(MAX_LOAD)} of all tokens and {MAX_EVEN_LOADS:g} times its share, or {percent(MAX_IDLE_OF_FEW)} are so idle and the entropy of the loads is that of {percent(MIN_EFFECTIVE)} of the experts; or the busiest gets {MAX_PEAK:g} times the mean, {percent(MAX_DROPPED)} of the tokens are dropped, or the balancing loss ends {percent(MIN_RISE - 1)} above its lowest level and near its highest.",
    sources=(
        Reference("Shazeer et al., Outrageously Large Neural Networks, 2017", "https://arxiv.org/abs/1701.06538"),
        Reference("Fedus, Zoph and Shazeer, Switch Transformers, 2021", "https://arxiv.org/abs/2101.03961"),
    ),
    remedies=("load-balancing-loss", "router-z-loss", "noisy-router", "auxiliary-free-balancing"),
    sick=(
        Run.drawn(
            expert_load_0="0.25..0.97*20",
            expert_load_1="0.25..0.01*20",
            expert_load_2="0.25..0.01*20",
            expert_load_3="0.25..0.01*20",
            train_loss="5..4*20",
        ),
        Run.drawn(balance_loss="4.8..6.4*15 6.4*15", train_loss="5..4*30"),
        Run.drawn(expert_peak="1.2..7.8*20", train_loss="5..4*20"),
    ),
    healthy=(
        Run.drawn(
            expert_load_0="0.3..0.25*20",
            expert_load_1="0.2..0.25*20",
            expert_load_2="0.25*20",
            expert_load_3="0.25*20",
            train_loss="5..3*20",
        ),
    ),
    suppressed_by=("nan-loss",),
    on_request=True,
)
