"""What explains most of the differences between the trials of a search."""

from __future__ import annotations

from collections.abc import Iterator

from nndoctor.analysis.hyperparameters import CHANCE as REPEATS
from nndoctor.analysis.search import drawn, of, sureness
from nndoctor.core.finding import Number, Severity, Symptom
from nndoctor.core.formatting import percent
from nndoctor.core.rule import Reference, Rule
from nndoctor.core.run import Run

MIN_TRIALS = 8
MIN_SHARE = 0.15  # share of the differences; less is not worth a remark
MIN_OTHER_SHARE = 0.02  # the same of the other settings that the message names
MAX_CHANCE = 0.05  # probability that a setting without effect explains as much, over all settings together


def check(run: Run, share: float = MIN_SHARE) -> Iterator[Symptom]:
    """Name the setting that explains most, and the others' shares as evidence."""
    search = of(run)
    if len(search.scores) < MIN_TRIALS:
        return
    named = [(share, chance, name) for name, (share, chance) in search.effects.items() if name not in REPEATS]
    shares = sorted(named, key=lambda effect: (-effect[0], effect[2]))
    most, chance, name = shares[0] if shares else (0.0, 1.0, "")
    if most < share or chance > MAX_CHANCE / len(shares):
        return
    others = [f"{n} {percent(s)}" for s, _, n in shares[1:4] if s >= MIN_OTHER_SHARE]
    evidence: dict[str, Number] = {n.replace(" ", "_"): round(s, 3) for s, _, n in shares[:8]}
    yield Symptom(
        f"{name} explains {percent(most)} of the differences between the trials"
        + (f", {', '.join(others)}" if others else ""),
        sureness(chance),
        evidence,
    )


RULE = Rule(
    code="NN904",
    name="dominant-setting",
    severity=Severity.INFO,
    title="one setting explains most of the differences between the trials",
    needs={"fact:search": 1},
    check=check,
    why="Only a few settings matter. Knowing which ones shows what to vary in the next trials, and what can be left as it is.",
    how="The share of the variance of the trials' ranks that the values of one setting explain on their own (epsilon squared), if more than chance (permutation test). Interactions between settings are not considered.",
    sources=(
        Reference("Bergstra and Bengio, Random Search for Hyper-Parameter Optimization, JMLR 2012", "https://www.jmlr.org/papers/v13/bergstra12a.html"),
        Reference("Hutter, Hoos and Leyton-Brown, An Efficient Approach for Assessing Hyperparameter Importance, ICML 2014", "https://proceedings.mlr.press/v32/hutter14.html"),
    ),
    remedies=("search-what-matters",),
    sick=(drawn("1.9 1.8 1.4 1.3 0.8 0.9 0.5 0.45", lr="1e-5 1e-5 1e-4 1e-4 1e-3 1e-3 1e-2 1e-2", batch_size="16 32 16 32 16 32 16 32"),),
    healthy=(drawn("0.51 0.5 0.52 0.49 0.51 0.5 0.52 0.48", lr="1e-5 1e-5 1e-4 1e-4 1e-3 1e-3 1e-2 1e-2"),),
    limits={"share": MIN_SHARE},
    on_request=True,
)  # fmt: skip
