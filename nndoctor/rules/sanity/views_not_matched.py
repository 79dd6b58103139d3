"""A loss of two views, without labels, whose training does not learn which views belong together."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.core.confidence import MEASURED
from nndoctor.core.finding import Cause, Severity, Symptom
from nndoctor.core.formatting import number, percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

COLLAPSED = 0.25  # of the spread of the embeddings, and of the effect of the pairing, at the start: less is a collapse
MIN_PREFERRED = 0.1  # of what the loss fell: by how much views of other examples must raise it


def check(run: Run) -> Iterator[Symptom]:
    """Look at the embeddings' spread, and at how far the loss rises with views of other examples, before and after some steps."""
    found = _one_view(run) or _wrong_place(run) or _not_compared(run) or _collapsed(run) or _of_other_examples(run)
    if found is not None:
        yield found


def _one_view(run: Run) -> Symptom | None:
    """The same view of every example, taken twice."""
    if run.fact("same_view_twice") is not True:
        return None
    text = "a step without labels passes the same input to the model twice, and both outputs are equal to the last digit: the loss compares each example with itself; draw a second view"
    return Symptom(text, MEASURED, {"different_views": 0}, place="train_step", remedies=("draw-two-views",))


def _wrong_place(run: Run) -> Symptom | None:
    """A contrastive loss whose positives are at another place than the views that belong together."""
    rows = int(run.number("same_positive"))
    if rows:
        text = f"in the {rows} × {rows} matrix of similarities, every row has the same positive: the loss is asked to make all examples alike; the positives are arange({rows})"
        return Symptom(text, MEASURED, {"rows": rows}, place="loss", remedies=("check-labels",))
    taken, best = run.known("positives_rank_taken"), run.known("positives_rank")
    if taken is None or best is None:
        return None
    offset = run.number("positives_offset")
    text = f"in the matrix of similarities, the column that the loss takes as a row's positive is more similar than {percent(taken)} of the others, the one {offset:.0f} places after the row than {percent(best)}: the index of the positives is wrong"
    return Symptom(
        text, MEASURED, {"rank_taken": taken, "rank": best, "offset": offset}, place="loss", remedies=("check-labels",)
    )


def _not_compared(run: Run) -> Symptom | None:
    """Views of the same examples whose pairing the loss does not know."""
    if run.fact("views_not_compared") is not True:
        return None
    text = "the two inputs of the model are views of the same examples, and with the second ones in another order the loss is the same: neither view is compared with the other"
    return Symptom(text, MEASURED, {"views_compared": 0}, place="train_step", remedies=("check-the-index",))


def _collapsed(run: Run) -> Symptom | None:
    before, after = (run.known(f"spread_{when}") for when in ("before", "after"))
    paired, still = (run.number(f"pairing_{when}") for when in ("before", "after"))
    if before is None or after is None or run.fact("pairing_clear_before") is not True:
        return None
    if after >= COLLAPSED * before or still >= COLLAPSED * paired:
        return None
    text = f"the embeddings collapse: {percent(before)} of their mean square differs between examples at the start, {percent(after)} after {run.number('view_steps'):.0f} steps; views of other examples then raise the loss by {number(still)}, at the start by {number(paired)}"
    evidence = {"spread_before": before, "spread_after": after, "effect_before": paired, "effect_after": still}
    cause = Cause(
        "nothing keeps the embeddings apart",
        0.8,
        "a loss that only pulls views together is lowest where all embeddings are equal",
        "look at the terms of the loss: a stop-gradient and a predictor, negatives, or a variance over the examples",
    )
    return Symptom(text, MEASURED, evidence, place="loss", causes=(cause,), remedies=("variance-term", "stop-gradient"))


def _of_other_examples(run: Run) -> Symptom | None:
    """Two views that a symmetric loss compares, which are of different examples, and which training does not match either."""
    if run.fact("views_alike") is not False or run.fact("views_symmetric") is not True:
        return None
    after, fall = run.number("pairing_after"), run.number("views_loss_before") - run.number("views_loss_after")
    if run.fact("pairing_clear_after") is True and after > MIN_PREFERRED * abs(fall):
        return None
    text = f"the two views that the loss compares are no closer to each other than to views of other examples, and after {run.number('view_steps'):.0f} steps exchanging them changes the loss by {number(float(f'{after:.2g}'))}: they are taken from different examples"
    return Symptom(text, MEASURED, {"effect_of_the_pairing": after}, place="train_step", remedies=("check-labels",))


RULE = Rule(
    code="NN816",
    name="views-not-matched",
    severity=Severity.WARNING,
    title="training does not learn which views belong together",
    needs={"fact:view_steps|fact:same_view_twice|fact:views_not_compared|fact:positives_rank|fact:same_positive": 1},
    check=check,
    why="Self-supervised methods learn by giving two views of an example similar embeddings, and those of different examples different ones. Where embeddings may become equal, or views come from different examples, the loss falls and nothing is learned.",
    how=f"For a step without labels that passes two inputs of one form to the model, the loss is taken as it is and with the second views of other examples, before and after some of the user's own steps. Fewer than {percent(COLLAPSED)} of the spread of the embeddings and of that difference are left; or the two views are no closer to each other than to others and the difference stays below {percent(MIN_PREFERRED)} of what the loss fell; or both are views of the same examples, and the loss does not depend on which belong together; or both are one. Or, in a contrastive loss before any training, another column than that of the positives is far more similar, or all rows have the same positive.",
    sources=(
        Reference(
            "Chen and He, Exploring Simple Siamese Representation Learning, 2021", "https://arxiv.org/abs/2011.10566"
        ),
        Reference("Bardes, Ponce and LeCun, VICReg, 2022", "https://arxiv.org/abs/2105.04906"),
    ),
    remedies=("variance-term", "stop-gradient", "check-labels"),
    sick=(
        Run.drawn({"same_positive": 32}),
        Run.drawn({"views_not_compared": True}),
        Run.drawn({"same_view_twice": True}),
        Run.drawn({"positives_rank": 0.97, "positives_rank_taken": 0.5, "positives_offset": 64}),
        Run.drawn(
            {
                "view_steps": 100,
                "pairing_clear_before": True,
                "pairing_before": 2.1,
                "pairing_after": 0.01,
                "spread_before": 0.66,
                "spread_after": 0.1,
            }
        ),
        Run.drawn(
            {
                "view_steps": 100,
                "views_alike": False,
                "views_symmetric": True,
                "pairing_clear_after": False,
                "pairing_after": 0.007,
                "views_loss_before": 2.07,
                "views_loss_after": 1.22,
            }
        ),
    ),
    healthy=(
        Run.drawn(
            {
                "view_steps": 100,
                "views_alike": True,
                "views_symmetric": True,
                "pairing_clear_before": True,
                "pairing_clear_after": True,
                "pairing_before": 2.1,
                "pairing_after": 19.4,
                "views_loss_before": 20.1,
                "views_loss_after": 13.7,
                "spread_before": 0.66,
                "spread_after": 0.8,
            }
        ),
    ),
)
