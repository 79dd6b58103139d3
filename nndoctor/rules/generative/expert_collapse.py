"""A few experts of a mixture get nearly all the tokens."""

from __future__ import annotations

import math
from collections.abc import Iterator

from nndoctor.analysis.reinforcement import levels
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run
from nndoctor.core.series import Series

EFFECTIVE = 0.6  # of the experts, by the entropy of their loads
SOME_IDLE = 0.25  # of the experts, where so few are in effect used
NEAR_HIGHEST = 0.9  # of its highest level: it does not come down again
GROWN = 1.3  # times its lowest level: the balancing loss is then that of a quarter fewer experts
IDLE = 0.1  # of an even share
UNUSED = 0.5  # of the experts
MUCH = 0.5  # of all tokens, and this many times an even share
TIMES = 2.5
PEAK = 3.0  # times the mean load, at the end and higher than at first
CALM = 0.1  # of the router's first entropy
DROPPED = 0.3  # of the tokens
SURE = 4.0  # standard errors of a level
MIN_POINTS = 4


def check(run: Run) -> Iterator[Symptom]:
    """Look at the loads at the end, then at what else shows them."""
    loads = {name: s for name, s in run.series.items() if name.startswith("expert_load_") and len(s.y) >= MIN_POINTS}
    if len(loads) > 1:
        yield from _by_loads(loads)
        return
    for name, limit in (("expert_peak", PEAK), ("dropped_tokens", DROPPED), ("dead_experts", 0.5)):
        curve = run.series.get(name)
        if curve is not None and len(curve.y) >= MIN_POINTS and levels(curve).last > max(limit, 0.0):
            way = levels(curve)
            if name == "dropped_tokens" or way.last >= way.start:
                yield _symptom(curve, f"{curve.column} is {number(way.last)} at the end", {"last": way.last})
                return
    balance = run.series.get("balance_loss")
    if balance is not None and len(balance.y) >= MIN_POINTS and "router_entropy" not in run.series and _grown(balance):
        yield _symptom(
            balance,
            f"the balancing loss ({balance.column}) rose from {number(levels(balance).low)} to {number(levels(balance).last)}",
            {"last": levels(balance).last},
        )
        return
    entropy = run.series.get("router_entropy")
    if entropy is not None and len(entropy.y) >= MIN_POINTS and _one_sided(run, entropy):
        way = levels(entropy)
        yield _symptom(
            entropy, f"the router's entropy fell from {number(way.start)} to {number(way.last)}", {"last": way.last}
        )


def _grown(balance: Series) -> bool:
    """Whether the loss that is least where all loads are even has risen by a third, and stays there."""
    way = levels(balance)
    risen = way.last - way.low > SURE * way.error
    return way.low > 0 and risen and way.last > GROWN * way.low and way.last > NEAR_HIGHEST * way.best


def _one_sided(run: Run, entropy: Series) -> bool:
    """Whether the router is certain and the loads uneven: one that is certain alone may send each token elsewhere."""
    balance = run.series.get("balance_loss")
    uneven = balance is not None and len(balance.y) >= MIN_POINTS and levels(balance).last > 1.5 * levels(balance).low
    return uneven and levels(entropy).last < CALM * levels(entropy).start


def _by_loads(loads: dict[str, Series]) -> Iterator[Symptom]:
    late = {name: max(levels(s).last, 0.0) for name, s in loads.items()}
    whole, number_of = sum(late.values()), len(late)
    if whole <= 0:
        return
    shares = {name: level / whole for name, level in late.items()}
    idle = [name for name, share in shares.items() if share < IDLE / number_of]
    busiest = max(shares, key=lambda name: shares[name])
    effective = math.exp(-sum(share * math.log(share) for share in shares.values() if share > 0))
    few = effective < EFFECTIVE * number_of and len(idle) >= SOME_IDLE * number_of
    if (
        not few
        and len(idle) < UNUSED * number_of
        and not (shares[busiest] > MUCH and shares[busiest] > TIMES / number_of)
    ):
        return
    expert = busiest.removeprefix("expert_load_")
    yield _symptom(
        loads[busiest],
        f"expert {expert} gets {percent(shares[busiest])} of the tokens at the end, and {len(idle)} of {number_of} experts get nearly none",
        {"busiest": expert, "share": shares[busiest], "idle": len(idle), "experts": number_of},
    )


def _symptom(series: Series, words: str, evidence: dict[str, float | int | str | bool | None]) -> Symptom:
    return Symptom(
        f"{words}: the router has collapsed onto a few experts",
        0.9,
        evidence,
        series=series.name,
        step=float(series.x[-1]),
        span=(float(series.x[0]), float(series.x[-1])),
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
    how=f"At the end half of the experts get less than a tenth of an even share, or one gets more than half of all tokens and 2.5 times its share, or a quarter are so idle and the entropy of the loads is that of {percent(EFFECTIVE)} of the experts; or the busiest gets 3 times the mean, {percent(DROPPED)} of the tokens are dropped, or the balancing loss ends {percent(GROWN - 1)} above its lowest level and near its highest.",
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
