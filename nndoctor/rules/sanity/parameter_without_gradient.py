"""Parameters that should train never get a gradient."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import IN_THE_DATA, MEASURED, POSSIBLE
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import percent, plural
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MAX_SHARE = 0.3  # share of the parameters; fewer may wait for a rare input


def check(run: Run) -> Iterator[Symptom]:
    """Name those without any gradient and those with none but zeros, over the first steps."""
    total = int(run.number("trainable_tensors"))
    if run.known("own_movement") == 0:
        return  # a train_step that moves nothing at all is another matter
    none, nil = run.texts("no_gradient"), run.texts("zero_gradient")
    if run.fact("loss_has_gradient") is False:
        yield Symptom(
            "the loss has no gradient: it was computed from detached tensors, or under no_grad()",
            IN_THE_DATA,
            {"parameters": total},
            place="loss",
        )
    elif none:
        text = f"{len(none)} of {total} parameters get no gradient ({', '.join(none[:3])}): the forward pass does not use them, or detaches their outputs"
        yield Symptom(
            text,
            MEASURED,
            {"parameters": len(none), "of": total},
            layer=none[0],
            severity=None if len(none) > MAX_SHARE * total else Severity.WARNING,
        )
    elif len(nil) > MAX_SHARE * total:
        text = f"the gradients of {len(nil)} of {total} parameters are exactly zero in every step ({', '.join(nil[:3])}): they have no effect on the loss"
        yield Symptom(text, MEASURED, {"parameters": len(nil), "of": total}, layer=nil[0])
    elif not nil and run.texts("dead_ends"):
        ends = run.texts("dead_ends")
        text = f"no gradient reaches {plural(len(ends), 'parameter')} of the last block of a list ({', '.join(ends[:3])}): nothing uses the output"
        yield Symptom(text, POSSIBLE, {"parameters": len(ends), "of": total}, layer=ends[0], severity=Severity.INFO)
    elif nil:
        yield _zero(run, nil, total)
    elif run.texts("spare_parameters"):
        spare = run.texts("spare_parameters")
        text = f"no gradient reaches {plural(len(spare), 'parameter')} of the library's model ({', '.join(spare[:3])}), whose forward pass does not use them here"
        yield Symptom(text, POSSIBLE, {"parameters": len(spare), "of": total}, layer=spare[0], severity=Severity.INFO)


def _zero(run: Run, nil: tuple[str, ...], total: int) -> Symptom:
    """A few parameters whose gradients are zero: a remark, or a warning where their layers have no effect at all."""
    text = f"the gradients of {len(nil)} of {total} parameters are exactly zero in every step ({', '.join(nil[:3])})"
    evidence = {"parameters": len(nil), "of": total}
    idle = run.texts("layers_without_effect")
    if not idle:
        return Symptom(text, POSSIBLE, evidence, layer=nil[0], severity=Severity.INFO)
    text += f": the loss stays the same to the last digit with noise added to the output of {idle[0]}, so the loss does not use it"
    return Symptom(text, MEASURED, evidence, layer=idle[0], severity=Severity.WARNING)


RULE = Rule(
    code="NN805",
    name="parameter-without-gradient",
    severity=Severity.ERROR,
    title="parameters get no gradient",
    needs={"fact:loss_has_gradient": 1},
    check=check,
    why="A parameter without a gradient is never updated. Usual causes: a layer that is created but never called, a list instead of nn.ModuleList, detach(), .data or numpy in the forward pass, or units that are all dead.",
    how=f"Every parameter with requires_grad should get a nonzero gradient at least once in the first steps. A warning if some do not, an error above {percent(MAX_SHARE)} of the parameters.",
    sources=(
        Reference(
            "Karpathy, A Recipe for Training Neural Networks, 2019", "https://karpathy.github.io/2019/04/25/recipe/"
        ),
        Reference("Braiek and Khomh, TheDeepChecker, TOSEM 2023", "https://arxiv.org/abs/2204.00694"),
    ),
    remedies=("check-the-step", "follow-the-signal"),
    sick=(
        Run.drawn(
            {
                "loss_has_gradient": True,
                "no_gradient": ("aux.weight", "aux.bias"),
                "zero_gradient": (),
                "trainable_tensors": 8,
            }
        ),
        Run.drawn({"loss_has_gradient": False}),
        Run.drawn(
            {
                "loss_has_gradient": True,
                "no_gradient": (),
                "zero_gradient": ("head.weight", "head.bias"),
                "layers_without_effect": ("head",),
                "trainable_tensors": 12,
            }
        ),
        Run.drawn(
            {
                "loss_has_gradient": True,
                "no_gradient": (),
                "zero_gradient": ("0.weight", "0.bias", "2.weight", "2.bias"),
                "trainable_tensors": 4,
            }
        ),
    ),
    healthy=(Run.drawn({"loss_has_gradient": True, "no_gradient": (), "zero_gradient": (), "trainable_tensors": 8}),),
)
