"""A part of the objective pulls in the wrong direction."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import DIRECT, MEASURED
from nndoctor.core.finding import Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MASK_STEPS = 60  # of the check-up, after which outputs are compared with masks
OPPOSED = -0.5  # correlation of scores with cosine similarities; it is near 1 where they are similarities


def check(run: Run) -> Iterator[Symptom]:
    """Look at what a loss of known meaning does: adversaries, pairs, densities, quantiles and rewards."""
    for look in (
        _adversaries,
        _pairs,
        _scores,
        _masks,
        _density,
        _quantiles,
        _maximized,
        _unlikely,
        _rewards,
        _preferences,
        _best,
    ):
        yield from look(run)


def _adversaries(run: Run) -> Iterator[Symptom]:
    if run.fact("scores_pushed_alike") is True:
        text = f"both optimizers push the scores that {run.fact('scores_of')} gives to generated examples in the same direction: the generator is trained to be recognized; give its loss the targets of real examples, or change its sign"
        yield Symptom(text, DIRECT, {"networks": 2}, place="train_step")


def _pairs(run: Run) -> Iterator[Symptom]:
    if run.fact("order_reversed") is True:
        inputs, before, after = (run.number(n) for n in ("order_of_inputs", "order_before", "order_after"))
        text = f"training moves similar examples apart: the distances of similar and of different pairs differ by {percent(inputs)} for the inputs, by {percent(before)} for the first embeddings and by {percent(after)} after 60 steps, and grow where the loss is raised instead; the roles of positive and negative, or the sign of the loss, are exchanged"
        yield Symptom(text, MEASURED, {"inputs": inputs, "before": before, "after": after}, place="loss")


def _scores(run: Run) -> Iterator[Symptom]:
    agreement = run.known("scores_follow_similarity")
    if agreement is not None and agreement < OPPOSED:
        text = f"the contrastive loss takes scores that fall as embeddings become more similar (correlation {number(agreement)}): it moves positive pairs apart; use similarities, or negative distances"
        yield Symptom(text, DIRECT, {"correlation": agreement}, place="loss")


def _masks(run: Run) -> Iterator[Symptom]:
    found = run.numbers("masks_opposed")
    if len(found) == len(("down", "up")):
        down, up = found
        text = f"training turns the outputs away from the masks: after {MASK_STEPS} steps they are correlated by {number(down)}, after as many that raise the loss by {number(up)}; the sign of the loss is wrong (an overlap is to be maximized)"
        yield Symptom(text, MEASURED, {"correlation": down, "raised": up}, place="loss")


def _density(run: Run) -> Iterator[Symptom]:
    stated, true = run.known("log_det_told"), run.known("log_det_true")
    if run.fact("log_det_rewarded") is False:
        text = "the loss falls when the log-determinant of the transformation falls: a negative log-likelihood subtracts it; change its sign"
        yield Symptom(text, DIRECT, {}, place="loss")
    elif stated is not None and true is not None:
        text = f"the model returns {number(stated)} as the log-determinant of its Jacobian, which is {number(true)}: the loss is no likelihood"
        yield Symptom(text, MEASURED, {"returned": stated, "jacobian": true}, place="model")


def _quantiles(run: Run) -> Iterator[Symptom]:
    levels = run.fact("quantile_levels")
    if run.fact("quantiles_reversed") is True and isinstance(levels, tuple):
        named = run.fact("quantile_levels_named")
        words = ", ".join(number(float(one)) for one in levels)
        wanted = f", where the file names {', '.join(map(str, named))}" if isinstance(named, tuple) else ""
        text = f"the loss makes the outputs the quantiles {words} of the targets{wanted}: the sign of the error (target − output) is wrong"
        yield Symptom(text, MEASURED, {"levels": len(levels)}, place="loss")


def _maximized(run: Run) -> Iterator[Symptom]:
    name, before, after = (run.fact(f"maximized_{n}") for n in ("loss", "before", "after"))
    if isinstance(before, float) and isinstance(after, float):
        first, last = (number(float(f"{v:.3g}")) for v in (before, after))
        text = f"the step maximizes a {name}: it enters the loss with a minus sign, and rises from {first} to {last} in a few steps"
        yield Symptom(text, MEASURED, {"before": before, "after": after}, place="train_step")


def _unlikely(run: Run) -> Iterator[Symptom]:
    if run.fact("targets_made_unlikely") is True:
        text = "the loss multiplies log-probabilities with given probabilities, and each step makes what is given less likely: a cross-entropy is the negative of that sum; change its sign"
        yield Symptom(text, MEASURED, {"probabilities": "less likely"}, place="train_step")
    if run.fact("labels_made_unlikely") is True:
        text = "each step lowers the log-probabilities of the classes that the loss picks, all by the same weight: the likelihood loss is the negative of their mean; change its sign"
        yield Symptom(text, MEASURED, {"classes": "less likely"}, place="train_step")


def _rewards(run: Run) -> Iterator[Symptom]:
    if run.fact("critic_lowered") is True:
        text = "the actor is trained to lower the value that its critic gives to its actions: change the sign of the value in the actor's loss"
        yield Symptom(text, MEASURED, {"critic": "lowered"}, place="train_step")
    if run.fact("advantages_lowered") is True:
        text = "the policy loss makes actions with a positive advantage less likely: change its sign"
        yield Symptom(text, MEASURED, {"advantages": "lowered"}, place="train_step")


def _best(run: Run) -> Iterator[Symptom]:
    found = run.texts("wrong_best")
    if len(found) == len(("who", "metric", "kept")):
        who, metric, kept = found
        text = f"{who} takes the {kept} {metric} for the best: it ends the training, or keeps its state, where that is worst; change its mode"
        yield Symptom(text, DIRECT, {"kept": f"{kept} {metric}"}, place="training")


def _preferences(run: Run) -> Iterator[Symptom]:
    if run.fact("preference_reversed") is True:
        steps, before, after = (run.number(f"preference_{n}") for n in ("steps", "before", "after"))
        first, last = (number(float(f"{v:.3g}")) for v in (before, after))
        text = f"training makes the rejected answers more likely and the chosen ones less: their scores differ by {first} before and by {last} after {steps:.0f} steps, on average; chosen and rejected are exchanged, or the sign of the loss is wrong"
        yield Symptom(text, MEASURED, {"before": before, "after": after}, place="loss")


RULE = Rule(
    code="NN814",
    name="objective-reversed",
    severity=Severity.ERROR,
    title="a part of the objective has the wrong sign",
    needs={"fact:scores_pushed_alike|fact:objective_seen|fact:wrong_best": 1},
    check=check,
    why="A loss with the wrong sign often falls as well as the right one: the generator learns to be recognized, pairs that belong together are moved apart, a flow shrinks its space, quantiles are exchanged.",
    how="Adversaries: the gradients of the discriminator's scores for generated examples in both backward passes must have opposite signs. Triplets and labelled pairs of inputs of one form: a short training must not remove three quarters of the difference between the distances of similar and of different examples, where as many steps that raise the loss make it larger. Contrastive losses over a square matrix: its scores must not fall as the cosine similarity of the embeddings rises. Flows of few dimensions: the returned log-determinant is compared with that of the Jacobian, and the loss must fall when it rises. Quantiles: the level of the best constant for each output is compared with the levels that the loss names. Losses of torch's against given targets, and squared errors written by hand, must not enter with a minus sign and rise, unless another loss trains the same output the other way. In a file that speaks of rewards and of no costs, the gradients of log-probabilities must oppose the advantages that weigh them, and an actor's must raise its critic's value. A product of log-probabilities and given probabilities, as in a cross-entropy written by hand, must not fall. Where a batch names chosen and rejected answers, a short training must not lower the score of the chosen ones against that of the rejected ones. What stops a training early, or keeps its best state, must not watch for the highest loss, nor for the lowest accuracy.",
    sources=(
        Reference("Goodfellow et al., Generative Adversarial Nets, 2014", "https://arxiv.org/abs/1406.2661"),
        Reference("Dinh et al., Density Estimation using Real NVP, 2016", "https://arxiv.org/abs/1605.08803"),
        Reference("Schroff et al., FaceNet, 2015", "https://arxiv.org/abs/1503.03832"),
        Reference("Koenker and Bassett, Regression Quantiles, 1978", "https://doi.org/10.2307/1913643"),
    ),
    remedies=("check-gradient",),
    sick=(
        Run.drawn({"scores_pushed_alike": True, "scores_of": "D"}),
        Run.drawn(
            {
                "objective_seen": True,
                "order_reversed": True,
                "order_of_inputs": 0.2,
                "order_before": 0.15,
                "order_after": -0.02,
            }
        ),
        Run.drawn({"objective_seen": True, "scores_follow_similarity": -0.98}),
        Run.drawn({"objective_seen": True, "log_det_rewarded": False}),
        Run.drawn({"objective_seen": True, "log_det_told": 0.4, "log_det_true": 1.3}),
        Run.drawn(
            {
                "objective_seen": True,
                "quantiles_reversed": True,
                "quantile_levels": (0.9, 0.5, 0.1),
                "quantile_levels_named": (0.1, 0.5, 0.9),
            }
        ),
        Run.drawn(
            {
                "objective_seen": True,
                "maximized_loss": "cross_entropy",
                "maximized_before": 2.3,
                "maximized_after": 4.1,
            }
        ),
        Run.drawn({"objective_seen": True, "targets_made_unlikely": True}),
        Run.drawn({"objective_seen": True, "labels_made_unlikely": True}),
        Run.drawn({"objective_seen": True, "critic_lowered": True}),
        Run.drawn({"objective_seen": True, "advantages_lowered": True}),
        Run.drawn({"wrong_best": ("EarlyStopping", "val_loss", "highest")}),
        Run.drawn(
            {
                "objective_seen": True,
                "preference_reversed": True,
                "preference_steps": 40,
                "preference_before": 0.2,
                "preference_after": -6.0,
            }
        ),
    ),
    healthy=(
        Run.drawn({"scores_pushed_alike": False, "scores_of": "D"}),
        Run.drawn({"objective_seen": True, "scores_follow_similarity": 0.99, "log_det_rewarded": True}),
        Run.drawn(
            {
                "objective_seen": True,
                "critic_lowered": False,
                "advantages_lowered": False,
                "targets_made_unlikely": False,
            }
        ),
        Run.drawn({"objective_seen": True, "preference_reversed": False}),
    ),
)
