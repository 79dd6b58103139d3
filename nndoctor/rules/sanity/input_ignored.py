"""Inputs of zero do as well as the real ones, or an input has no effect on the loss."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import DIRECT, MEASURED, TYPICAL
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MAX_NAMED = 4  # columns that are named
MIN_CHANGE = 1e-5  # change of the output relative to its size; smaller changes are rounding

PARTS = {
    "effect": ("{}", "the values"),
    "tokens": ("the tokens of {} that are no padding", "those"),
    "other_places_than_the_first": ("all of {} but its first place", "the values"),
    "other_places_than_the_last": ("all of {} but its last place", "the values"),
}
"""What has no effect, and what was put in its place."""
WHOLE = ("effect", "tokens")  # what no model should be without; a place or a column may be left out on purpose


def check(run: Run) -> Iterator[Symptom]:
    """Compare outputs on the real inputs with those on other examples' inputs, before and after learning a few."""
    kept, hidden = run.fact("mask_keeps_only"), int(run.number("mask_hides"))
    if isinstance(kept, int) and hidden:
        text = f"attention_mask is 1 at places that all hold the token {kept} (padding) and 0 at the {hidden} other tokens: it is the wrong way round"
        yield Symptom(text, DIRECT, {"kept_token": kept, "hidden_tokens": hidden}, place="train_data")
        return
    if run.fact("bags_overlap"):
        text = "the offsets of an EmbeddingBag fall: each is the start of a bag, the sum of the lengths before it, and bags between falling offsets are empty"
        yield Symptom(text, DIRECT, place="train_data")
        return
    effect = run.known("input_effect")
    after, real = run.fact("zero_input_loss"), run.fact("real_input_loss")
    if effect is not None and effect < MIN_CHANGE:
        text = (
            f"different inputs give the same output (relative difference {number(effect)}): the model ignores its input"
        )
        yield Symptom(text, DIRECT, {"change": effect}, place="model")
    elif isinstance(after, float) and isinstance(real, float) and after <= real:
        text = f"after training on a few examples, the loss is {number(after)} with inputs of zero and {number(real)} with the real inputs: the model does not use its input"
        yield Symptom(text, TYPICAL, {"loss_of_zeros": after, "loss": real}, place="model")
    else:
        yield from _arguments(run)
        yield from _columns(run)


def _arguments(run: Run) -> Iterator[Symptom]:
    """One of several arguments of the model that changes nothing, or most of one."""
    for what, words in PARTS.items():
        idle = run.texts(f"arguments_without_{what}")
        if idle:
            names = ", ".join(idle)
            text = f"the model ignores {words[0].format(names)}: with {words[1]} of other examples in its place, the loss is the same to the last digit"
            evidence = {"arguments": len(run.texts("arguments_seen")), "without_effect": len(idle)}
            severity = None if what in WHOLE else Severity.WARNING
            yield Symptom(
                text,
                MEASURED,
                evidence,
                place="model",
                remedies=("follow-the-signal",) if what in WHOLE else ("check-the-index",),
                severity=severity,
            )
            return


def _columns(run: Run) -> Iterator[Symptom]:
    idle = run.texts("columns_without_effect")
    if idle:
        text = f"the model ignores {', '.join(idle[:MAX_NAMED])}{' …' if len(idle) > MAX_NAMED else ''}: with the values of other examples there, the loss is the same to the last digit"
        yield Symptom(
            text,
            MEASURED,
            {"columns": len(idle)},
            place="model",
            remedies=("check-the-index",),
            severity=Severity.WARNING,
        )


RULE = Rule(
    code="NN803",
    name="input-ignored",
    severity=Severity.ERROR,
    title="the output does not depend on the input",
    needs={"fact:input_effect|fact:arguments_seen|fact:mask_keeps_only|fact:bags_overlap": 1},
    check=check,
    why="A network with the same output for every input loses the signal somewhere: all units are dead, a softmax is taken over one value, an index is wrong, or a mask hides everything.",
    how=f"The outputs of different examples differ by less than {MIN_CHANGE:g} of their size; or, once a few examples are learned, zeros in their place do no worse; or, of several tensors that the model takes, one can be exchanged between the examples, after ten steps and with all weights moved away from zero, and the loss stays the same to the last digit, or all of a sequence but its padding, its first or its last place, or a column of a table; or attention_mask keeps only places with one and the same token; or the offsets of an EmbeddingBag are not in order.",
    sources=(
        Reference(
            "Karpathy, A Recipe for Training Neural Networks, 2019", "https://karpathy.github.io/2019/04/25/recipe/"
        ),
    ),
    remedies=("follow-the-signal", "he-initialization"),
    sick=(
        Run.drawn(
            {"input_effect": 0.3, "arguments_seen": ("pairs",), "columns_without_effect": ("column 1 of pairs",)}
        ),
        Run.drawn({"input_effect": 0.0}),
        Run.drawn({"bags_overlap": True}),
        Run.drawn({"input_effect": 0.3, "mask_keeps_only": 0, "mask_hides": 190}),
        Run.drawn({"input_effect": 0.3, "zero_input_loss": 0.2, "real_input_loss": 0.21}),
        Run.drawn({"input_effect": 0.3, "arguments_seen": ("image", "text"), "arguments_without_effect": ("text",)}),
        Run.drawn({"input_effect": 0.3, "arguments_seen": ("words",), "arguments_without_tokens": ("words",)}),
        Run.drawn(
            {"input_effect": 0.3, "arguments_seen": ("x",), "arguments_without_other_places_than_the_first": ("x",)}
        ),
    ),
    healthy=(
        Run.drawn({"input_effect": 0.8, "arguments_seen": ("x",), "arguments_without_effect": ()}),
        Run.drawn({"input_effect": 0.8, "zero_input_loss": 2.9, "real_input_loss": 0.01}),
        Run.drawn({"input_effect": 0.8, "arguments_seen": ("image", "text"), "arguments_without_effect": ()}),
    ),
)
