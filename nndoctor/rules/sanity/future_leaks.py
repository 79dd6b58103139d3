"""A model that predicts the next token sees it."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import DIRECT
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MAX_CHANGE = 1e-4  # share of the outputs' size; smaller changes are rounding
MAX_OWN = 1e-2  # share of the size of a causal model's output by which the value at its own place may change it


def check(run: Run) -> Iterator[Symptom]:
    """Look at how much earlier outputs change when only later tokens do."""
    change = run.number("future_change")
    if change > MAX_CHANGE:
        text = f"the targets are the next tokens of the input, and changing only later tokens changes the earlier outputs by {percent(change)} of their size: the model sees the token that it must predict (no causal mask?)"
        yield Symptom(text, DIRECT, {"change": change}, place="model")
        return
    name, seen = run.fact("target_argument"), run.number("target_argument_change")
    if isinstance(name, str) and seen > MAX_CHANGE:
        text = f"the argument {name} of the model holds each target at its own place, and the outputs there depend on it (they change by {percent(seen)} of their size with it): the model can copy its targets; pass them shifted by one place"
        yield Symptom(text, DIRECT, {"change": seen}, place="model")
        return
    seen = run.number("own_value_seen")
    if isinstance(name, str) and seen > MAX_OWN:
        text = f"the model is causal, and its output at each place depends on the value of {name} there, which is its target (it changes by {percent(seen)} of its size with it): the model can copy its targets; compare its outputs with the values one place later"
        yield Symptom(text, DIRECT, {"change": seen}, place="model")


RULE = Rule(
    code="NN812",
    name="future-leaks",
    severity=Severity.ERROR,
    title="the model sees the token that it must predict",
    needs={"fact:future_change|fact:target_argument": 1},
    check=check,
    why="Without a causal mask, each position attends to the positions after it, among them its own target. Training loss falls to almost zero, and the model cannot generate.",
    how="The targets are the inputs shifted by one place, or an argument after the first holds the targets themselves, as a decoder is given them. In evaluation mode, the values of the second half are replaced by those of another example; outputs whose targets are among them, or before them, must not change. A model that samples in training may see its targets. Of sequences that are input and target, single values are replaced: where no earlier output changes, that at the same place must not change either; so of tokens of which all but the first are the targets, where the first output is the one that the loss leaves out.",
    sources=(Reference("Vaswani et al., Attention Is All You Need, 2017", "https://arxiv.org/abs/1706.03762"),),
    remedies=("causal-mask",),
    sick=(
        Run.drawn({"future_change": 0.3}),
        Run.drawn({"target_argument": "tgt", "target_argument_change": 0.8}),
        Run.drawn({"target_argument": "z", "own_value_seen": 0.4}),
    ),
    healthy=(
        Run.drawn({"future_change": 0.0}),
        Run.drawn({"target_argument": "tgt", "target_argument_change": 0.0}),
        Run.drawn({"target_argument": "z", "own_value_seen": 0.0}),
    ),
)
