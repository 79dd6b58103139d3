"""The parts of the objective within the user's own steps: which train nothing, which have no gradient, which are maximized."""

from __future__ import annotations

import math
import traceback
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from nndoctor.sanity.bench import Bench
from nndoctor.sanity.ledger import Ledger, Pass
from nndoctor.sanity.lens import SQUARED_ERROR, Chosen, Lens, Term
from nndoctor.sanity.logs import choices_noted
from nndoctor.sanity.origins import Origins
from nndoctor.sanity.rewards import COSTS, REWARDS, source_of

CALLS, FEWEST = 24, 8  # of the step
TIME_SHARE = 0.05  # of the time left that more than the fewest calls may take
MOST_TERMS = 8  # terms of a loss; a sum over all parameters has more
VISIBLE = 0.01  # of the loss: a smaller part is no part of the objective
ROSE = 1.05  # times its first values: a loss that is maximized
EARLY = 4  # calls whose mean is the first or the last value
ALIKE = 1.001  # ratio of gradients of the same weight
ALIGNED = 0.9  # cosine of the gradient of log-probabilities with advantages
REGRESSIONS = ("mse_loss", "smooth_l1_loss", "huber_loss")


@dataclass(slots=True)
class Course:
    """What was seen in each call of a step."""

    ledger: Ledger = field(default_factory=Ledger)
    calls: list[Lens] = field(default_factory=list)

    def passes(self) -> list[list[Pass]]:
        """The passes at the same place of every call; nothing where calls differ in their number."""
        counts = {len(call) for call in self.ledger.calls}
        return [list(column) for column in zip(*self.ledger.calls, strict=True)] if len(counts) == 1 else []

    def terms(self) -> list[list[Term]]:
        """The losses at the same place of every call; nothing where calls differ in their number."""
        counts = {len(call.terms) for call in self.calls}
        return [list(column) for column in zip(*(c.terms for c in self.calls), strict=True)] if len(counts) == 1 else []


def probe(bench: Bench) -> None:
    """Take a number of steps under a lens; nothing where they stop being finite."""
    if bench.facts.get("loss_has_gradient") is False:
        return
    course = _course(bench)
    if course is None:
        return
    bench.fact("objective_followed", value=True)
    bench.fact("objective_seen", value=True)
    _idle(bench, course)
    _detached(bench, course)
    _maximized(bench, course)
    _unlikely(bench, course)
    text = source_of(bench)  # costs are lowered on purpose
    if REWARDS.search(text) and not COSTS.search(text):
        _actor(bench, course)
        _policy(bench, course)
        redrawn = [again for lens in course.calls for again in lens.redrawn]
        bench.fact("policy_drawn_again", bool(redrawn) and all(redrawn))


def _course(bench: Bench) -> Course | None:
    course = Course()
    bench.model.train()
    optimizer = bench.optimizer()
    room = TIME_SHARE * bench.clock.left / max(bench.step_time, 1e-5)
    for k in range(int(min(CALLS, max(FEWEST, room)))):
        lens = Lens(Origins(bench.model), lambda: _line(bench.subject.path))
        with course.ledger.call(), choices_noted(lens.choice, lens.redrawn.append), lens:
            loss = bench.tried(bench.batches[k % len(bench.batches)], optimizer)
        if math.isinf(loss):
            return None
        course.calls.append(lens)
    return course


def _line(path: str) -> int | None:
    """The line of the user's file that runs."""
    frames = traceback.walk_stack(None)
    return next((line for frame, line in frames if Path(frame.f_code.co_filename) == Path(path)), None)


def _idle(bench: Bench, course: Course) -> None:
    """Terms whose gradients no optimizer uses in any call: their parameters are not in it, or a detach() cuts them off."""
    if not any(one.used for call in course.ledger.calls for one in call):
        return  # a step that trains nothing at all is another matter
    names = {id(p): n for n, p in bench.model.named_parameters()}
    for place, column in enumerate(course.passes()):
        if any(len(one.terms) > MOST_TERMS for one in column):
            continue
        idle = set(column[0].idle).intersection(*(one.idle for one in column[1:]))
        if idle:
            first = sorted(names.get(one, "a parameter outside the model") for one in next(iter(idle)))
            bench.fact("idle_pass", place + 1)
            bench.fact("idle_passes", len(course.passes()))
            bench.fact("idle_whole", all(not one.used for one in column))
            bench.fact("idle_reaches", tuple(first))
            return


def _detached(bench: Bench, course: Course) -> None:
    """A visible part of the loss that depends on the model and has no gradient; L-BFGS computes with losses by itself."""
    if bench.facts.get("optimizer") == "LBFGS":
        return
    parts = [[p for p in lens.parts if p.used and abs(p.value) > VISIBLE * abs(p.whole)] for lens in course.calls]
    values = [p.value for call in parts for p in call]
    if all(parts) and len(set(values)) > 1:
        bench.fact("detached_part", parts[0][0].value)
        bench.fact("detached_whole", parts[0][0].whole)
        if parts[0][0].line is not None:
            bench.lines.setdefault("detached_part", parts[0][0].line)


def _maximized(bench: Bench, course: Course) -> None:
    """A loss against given targets that rises, because it enters with a minus, and whose output no other loss trains.

    A divergence from given probabilities, as of a teacher, is lowered beside other losses, too. Squared errors within the
    log-probabilities of a policy are raised where it is punished.
    """
    columns = course.terms()
    raised = [c for c in columns if all(t.pull < 0 and not t.of_model for t in c)]
    if REWARDS.search(source_of(bench)):
        raised = [c for c in raised if c[0].name != SQUARED_ERROR]
    trained = _trained(columns)
    for column in raised:
        first, last = (sum(t.value for t in part) / EARLY for part in (column[:EARLY], column[-EARLY:]))
        if _alone(column, trained) and last > ROSE * first > 0:
            bench.fact("maximized_loss", column[0].name)
            bench.fact("maximized_before", first)
            bench.fact("maximized_after", last)
            return


def _trained(columns: list[list[Term]]) -> set[int]:
    """What losses are behind that are lowered."""
    return {one for c in columns if any(t.pull > 0 for t in c) for t in c for one in t.reached}


def _alone(column: list[Term], trained: set[int]) -> bool:
    """Whether no other loss trains its output, as is meant where both are weighed against each other; a divergence from a teacher is not."""
    return column[0].name == "kl_div" or not trained & set(column[0].nearest)


def _unlikely(bench: Bench, course: Course) -> None:
    """Whether every step makes given probabilities less likely: a cross-entropy written by hand, without its minus."""
    pulls = [sum(one.pull for one in lens.aims) for lens in course.calls if lens.aims]
    if pulls and len(pulls) == len(course.calls):
        bench.fact("targets_made_unlikely", all(pull > 0 for pull in pulls))
        return
    found = [[_lowers_one(one) for one in lens.scored if one.gradient is not None] for lens in course.calls]
    text = source_of(bench)
    if all(found) and all(map(all, found)) and not REWARDS.search(text) and not COSTS.search(text):
        bench.fact("labels_made_unlikely", value=True)


def _lowers_one(scores: Chosen) -> bool:
    """Whether log-probabilities are lowered, at most one in a row and all alike, as a mean of those of the labels does."""
    gradient = scores.gradient
    if gradient is None or not bool(gradient.any()) or float(gradient.min()) < 0:
        return False
    felt = gradient[gradient > 0]
    return int((gradient > 0).sum(-1).max()) == 1 and float(felt.max()) <= ALIKE * float(felt.min())


def _actor(bench: Bench, course: Course) -> None:
    """Whether a network with an optimizer of its own is trained to lower what a regression on varied targets gives it."""
    regressed = (t for column in course.terms() for t in column if t.name in REGRESSIONS and t.pull > 0)
    critics = {one for t in regressed if _varies(t.target) for one in t.nearest}
    for column in course.passes():
        moved = [{one: by for one, by in p.moved.items() if one in critics and one not in p.used} for p in column]
        if all(moved):
            bench.fact("critic_lowered", all(sum(by.values()) > 0 for by in moved))


def _varies(target: Tensor) -> bool:
    return target.numel() > 1 and bool((target != target.flatten()[0]).any())


def _policy(bench: Bench, course: Course) -> None:
    """The cosine of the gradients of log-probabilities with the advantages that weigh them; steps should oppose them."""
    cosines = [
        c
        for lens in course.calls
        for chosen in (*lens.chosen, *_together(lens.chosen))
        for w in lens.weights
        if (c := _cosine(chosen, w)) is not None
    ]
    strong = [c for c in [*cosines, *map(_of_single_steps, course.calls)] if abs(c) > ALIGNED]
    if len(strong) >= len(course.calls):
        bench.fact("advantages_lowered", all(c > 0 for c in strong))


def _together(chosen: list[Chosen]) -> list[Chosen]:
    """The log-probabilities of all moments of several episodes as one, as they are stacked."""
    given = [one.gradient for one in chosen if one.gradient is not None and one.gradient.numel() > 1]
    alike = len({gradient.shape for gradient in given}) == 1 < len(given)
    return [Chosen(torch.stack(given))] if alike else []


def _of_single_steps(lens: Lens) -> float:
    """The cosine for an episode whose log-probabilities are weighed one by one; 0 for others.

    Those of an episode that is begun after the step have no gradient yet.
    """
    gradients = [float(c.gradient) for c in lens.chosen if c.gradient is not None and c.gradient.numel() == 1]
    weights = torch.tensor(lens.factors[: len(gradients)], dtype=torch.float64)
    if len(gradients) != len(weights) or not len(weights):
        return 0.0
    return float(torch.nn.functional.cosine_similarity(torch.tensor(gradients, dtype=torch.float64), weights, 0))


def _cosine(chosen: Chosen, weights: Tensor) -> float | None:
    gradient = chosen.gradient
    if gradient is None or gradient.numel() != weights.numel() or not bool(gradient.any()):
        return None
    return float(torch.nn.functional.cosine_similarity(gradient.flatten().double(), weights.flatten().double(), 0))
