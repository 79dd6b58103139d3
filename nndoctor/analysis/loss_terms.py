"""Terms of a loss that cannot be right: what a check-up measured of their arguments, and of outputs that it moved."""

from __future__ import annotations

from collections.abc import Callable

from nndoctor.core.formatting import number, percent, plural, rough
from nndoctor.core.run import Run

ROUNDING = 1e-6  # share of a loss
MAX_TOO_LONG = 0.2  # of the targets of a CTC loss


def _no_logarithms(run: Run) -> str | None:
    loss = run.fact("not_log_probabilities")
    if not isinstance(loss, str):
        return None
    return f"{loss} takes log-probabilities and gets values above 0: apply log_softmax to the scores, not softmax or nothing"


def _not_probabilities(run: Run) -> str | None:
    """Targets of several labels in a loss of exclusive classes."""
    share = run.number("improper_class_probabilities")
    if not share:
        return None
    return (
        f"cross_entropy is given targets that are not probabilities: in {percent(share)} of the rows they do not sum to 1; "
        "for several labels per example use binary_cross_entropy_with_logits"
    )


def _of_one_distribution(run: Run) -> str | None:
    """Several labels of an example, and outputs that share a sum of 1."""
    labels = int(run.number("labels_of_one_distribution"))
    if not labels:
        return None
    return f"the outputs sum to 1 in each example, as after a softmax, and an example has up to {labels} labels: binary cross-entropy asks for each label by itself; use a sigmoid"


def _symbols(run: Run) -> str | None:
    if run.fact("symbols_sum_to_one") is not False:
        return None
    return "ctc_loss takes log-probabilities of symbols in its last dimension, and the probabilities there do not sum to 1: use log_softmax(-1)"


def _too_long(run: Run) -> str | None:
    """Targets that no alignment fits; a few are dropped on purpose by zero_infinity."""
    share = run.number("targets_too_long")
    if share <= MAX_TOO_LONG:
        return None
    return f"{percent(share)} of the targets of the CTC loss have more symbols than there are time steps: their loss is infinite, or 0 with zero_infinity (check input_lengths)"


def _rewards_wrong(run: Run) -> str | None:
    """What a Dice coefficient does that is added, and not subtracted."""
    right, wrong, name = run.known("rest_of_right"), run.known("rest_of_wrong"), run.fact("rest_beside")
    if right is None or wrong is None:
        return None
    return f"what the loss adds to {name} is {rough(right)} where all outputs are right, and at most {rough(wrong)} where they are wrong or those of other examples: it rewards wrong outputs (a coefficient that is added and not subtracted?)"


def _over_examples(run: Run) -> str | None:
    if not run.fact("log_softmax_over_examples"):
        return None
    return "nll_loss gets log-probabilities whose probabilities sum to 1 over the examples, or over places, instead of the classes: use log_softmax(-1)"


def _moving(run: Run) -> str | None:
    """A teacher that learns from its student."""
    names = run.texts("trained_with_target")
    if not names:
        return None
    return (
        f"the loss also trains what its target is made of ({plural(len(names), 'parameter')}, {names[0]}), apart from the outputs: "
        "both can meet at any value; compute the target under no_grad(), or detach it"
    )


def _without_graph(run: Run) -> str | None:
    """A derivative that the loss takes as a constant."""
    count = int(run.number("derivatives_without_graph"))
    if not count:
        return None
    return (
        f"the loss depends on {plural(count, 'derivative')} of torch.autograd.grad that {'has' if count == 1 else 'have'} no graph: "
        "that term trains nothing; pass create_graph=True"
    )


def _without_volume(run: Run) -> str | None:
    if not run.fact("log_det_unused"):
        return None
    return "the model is a flow and returns the log-determinant of its Jacobian, which does not enter the loss: moving all examples to one point has the least loss; subtract it from the negative log-likelihood"


def _unread(run: Run) -> str | None:
    if not run.fact("target_unread"):
        return None
    return "the loss does not depend on the targets of the batch, which are other numbers in the form of the inputs: are the outputs compared with the inputs instead?"


def _unmoved(run: Run) -> str | None:
    found = run.numbers("flow_unmoved")
    if len(found) != 2:
        return None
    return f"the model is a flow that gives {int(found[0])} of {int(found[1])} numbers of an example back as they are: no layer moves them; let the masks of its layers alternate"


def _no_curvature(run: Run) -> str | None:
    if not run.number("zero_derivatives"):
        return None
    return "a derivative that the step asks torch.autograd.grad for is exactly 0 everywhere, as the second one of a ReLU network is: use a smooth activation (tanh, SiLU, sine)"


def _silent(run: Run) -> str | None:
    """One of two targets on which the loss does not depend."""
    value = run.known("target_without_loss")
    if value is None:
        return None
    return (
        f"the loss of examples whose target is {number(value)} is the same for every output: they train nothing, "
        "as with targets of 0 and 1 in a hinge loss, which takes -1 and 1"
    )


def _torn(run: Run) -> str | None:
    """Scores that a view has cut at the wrong places."""
    shapes = run.texts("scores_torn")
    if not shapes:
        return None
    return (
        f"scores of shape {shapes[0]} reach the loss as {shapes[1]} with the scores of one place spread over several rows: "
        "a view or reshape where dimensions have to be exchanged; use transpose or permute"
    )


def _crossed(run: Run) -> str | None:
    """Scores by example and place, and labels by place and example."""
    if not run.fact("labels_crossed"):
        return None
    return (
        "scores and labels are flattened in different orders, one by example and place, the other by place and example: "
        "each row of scores is compared with the label of another place"
    )


def _wrong_sign(run: Run) -> str | None:
    """A term that falls the more, the farther an output moves."""
    place, way, fall = run.fact("endless_output"), run.known("endless_distance"), run.known("endless_fall")
    if not isinstance(place, int) or way is None or fall is None:
        return None
    which = f"output {place + 1}" if run.number("endless_outputs") > 1 else "the output"
    return (
        f"the loss falls by {number(fall)} when {which} of the model moves by {number(way)}, and "
        "further the farther it moves: the loss has no minimum, so a term of it is missing or has the wrong sign"
    )


def _grown_mass(run: Run) -> str | None:
    """A likelihood whose sum over all inputs grows as the model trains."""
    times, steps = run.known("mass_grown"), run.known("mass_steps")
    if times is None or steps is None:
        return None
    return (
        f"the likelihoods of all possible inputs add up to {number(times)} times as much after {number(steps)} steps: they are no "
        "probabilities, and training raises them everywhere; check the log-determinants, or the term that normalizes them"
    )


def _prefers_wrong(run: Run) -> str | None:
    right, wrong = run.known("loss_of_right_answers"), run.known("loss_of_wrong_answers")
    if right is None or wrong is None or right - wrong <= ROUNDING * max(1.0, abs(right)):
        return None
    return (
        f"outputs that are sure of the right classes have a loss of {number(right)}, of wrong classes {number(wrong)}: "
        "the loss rewards wrong answers (check its sign)"
    )


TERMS: tuple[tuple[Callable[[Run], str | None], tuple[str, ...]], ...] = (
    (_no_logarithms, ()),
    (_not_probabilities, ()),
    (_of_one_distribution, ("drop-last-activation",)),
    (_symbols, ("keep-batch-first",)),
    (_too_long, ()),
    (_over_examples, ("keep-batch-first",)),
    (_rewards_wrong, ("subtract-the-overlap",)),
    (_unread, ()),
    (_moving, ("detach-the-target",)),
    (_without_graph, ("keep-the-graph",)),
    (_without_volume, ("add-the-log-determinant",)),
    (_unmoved, ("alternate-the-masks",)),
    (_no_curvature, ("smooth-activation",)),
    (_silent, ("fix-labels",)),
    (_torn, ("keep-batch-first",)),
    (_crossed, ("keep-batch-first",)),
    (_wrong_sign, ()),
    (_grown_mass, ()),
    (_prefers_wrong, ()),
)
"""What may be wrong with a term, the plainest first, and the remedies that are only for it."""


def wrong_term(run: Run) -> tuple[str, tuple[str, ...]] | None:
    """What is wrong with a term of the loss, in a sentence, and its own remedies; None where nothing is."""
    found = ((look(run), remedies) for look, remedies in TERMS)
    return next(((text, remedies) for text, remedies in found if text is not None), None)
