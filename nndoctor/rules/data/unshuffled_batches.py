"""A batch holds fewer classes than chance would put into it."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

ORDERED = 0.93  # confidence: the order was seen in the batches; a curriculum may have meant it
MIN_ORDER = 0.5  # share of the way from the random value to batches of a single class
MAX_BY_CHANCE = 0.9  # beyond this nearly all examples belong to one class, in any order


def check(run: Run) -> Iterator[Symptom]:
    """Compare the largest class's share in a batch with that in batches drawn at random."""
    seen, chance = run.number("class_share_in_batch"), run.number("class_share_by_chance")
    if seen > chance + MIN_ORDER * (1 - chance) and chance < MAX_BY_CHANCE:
        text = f"{percent(seen)} of an average batch belong to one class; in shuffled batches it would be {percent(chance)}: shuffle the training data"
        yield Symptom(text, ORDERED, {"share_in_batch": seen, "by_chance": chance}, place="train_data")


RULE = Rule(
    code="NN607",
    name="unshuffled-batches",
    severity=Severity.WARNING,
    title="batches are sorted by class",
    needs={"fact:class_share_in_batch": 1, "fact:class_share_by_chance": 1},
    check=check,
    why="A batch of one class has a gradient that points to that class. The loss goes up and down, and batch normalization sees another distribution each time.",
    how=f"The mean share of the most frequent class in a batch is more than {percent(MIN_ORDER)} of the way from its value in random batches to that in batches of a single class.",
    sources=(Reference("Bengio, Practical Recommendations, 2012", "https://arxiv.org/abs/1206.5533"),),
    remedies=("shuffle",),
    sick=(Run.drawn({"class_share_in_batch": 0.94, "class_share_by_chance": 0.22}),),
    healthy=(Run.drawn({"class_share_in_batch": 0.23, "class_share_by_chance": 0.22}),),
)
