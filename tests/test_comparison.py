"""Runs side by side, really trained: what differs, what exceeds chance, whether a remedy worked."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import nndoctor
from nndoctor.analysis import hyperparameters
from nndoctor.compare.comparison import Comparison, ComparisonVerdict, Side, compare
from nndoctor.compare.remedy_outcomes import TRIED, changes
from nndoctor.core.run import Run
from nndoctor.diagnosis.catalogue import RULES
from nndoctor.diagnosis.engine import diagnose
from nndoctor.remedies import REMEDIES
from nndoctor.reporters.side_by_side.words import sentence
from tests.little import trained


def side(label: str, *runs: Run) -> Side:
    return Side(label, label.lower(), tuple(diagnose(run, RULES) for run in runs))


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    """Six seeds of one training, and six of one whose rate is far too low."""
    folder = tmp_path_factory.mktemp("seeds")

    def runs(lr: float) -> list[Run]:
        paths = [trained(folder / f"lr={lr},seed={seed}.csv", lr=lr, seed=seed) for seed in range(6)]
        return [nndoctor.read(str(path))[0] for path in paths]

    return {lr: runs(lr) for lr in (0.02, 0.0005)}


def outcomes(found: Comparison) -> list[ComparisonVerdict]:
    return [m.outcome(0, 1) for m in found.measures if not m.seconds]


def test_two_seeds_of_one_training_do_not_differ(seeds):
    """Of all pairs hardly one is called better, in any series."""
    pairs = list(itertools.combinations(seeds[0.02], 2))
    printed = [o for a, b in pairs for o in outcomes(compare([side("A", a), side("B", b)]))]
    assert sum(o is not ComparisonVerdict.ALIKE for o in printed) <= 0.05 * len(printed)


@pytest.mark.parametrize("count", [1, 3])
def test_a_better_training_is_better_alone_and_repeated(seeds, count):
    """A rate forty times higher, by every series and either way round."""
    good, bad = side("B", *seeds[0.02][:count]), side("A", *seeds[0.0005][:count])
    assert set(outcomes(compare([bad, good]))) == {ComparisonVerdict.BETTER}
    assert set(outcomes(compare([good, bad]))) == {ComparisonVerdict.WORSE}


def test_repeats_tell_smaller_differences_than_single_runs(seeds):
    """The spread of repeats is a sharper measure of chance than what one curve can tell."""
    one = seeds[0.02]
    single = compare([side("A", one[0]), side("B", one[3])]).measure("validation/loss")
    several = compare([side("A", *one[:3]), side("B", *one[3:])]).measure("validation/loss")
    assert single is not None
    assert several is not None
    assert several.limit(0, 1) < single.limit(0, 1)


def test_only_settings_that_differ_are_reported(seeds):
    """From the path here; what is equal, and the seed of repeats, is left out."""
    found = compare([side("A", *seeds[0.0005]), side("B", *seeds[0.02])])
    assert found.settings == {"lr": {"A": 0.0005, "B": 0.02}}


def test_equal_steps_and_equal_time_may_say_different_things(tmp_path):
    """Small batches learn more in an epoch, and take sixteen times as long."""
    paths = [trained(tmp_path / f"{batch}.csv", lr=0.005, batch=batch, epochs=30) for batch in (160, 10)]
    found = compare([side(label, nndoctor.read(str(p))[0]) for label, p in zip("AB", paths, strict=True)])
    steps, time = found.measure("validation/loss"), found.measure("validation/loss", seconds=True)
    assert steps is not None
    assert time is not None
    assert steps.outcome(0, 1) is ComparisonVerdict.BETTER
    assert time.at == pytest.approx(0.6, rel=0.01)
    assert time.levels[1].last > steps.levels[1].last


def test_a_run_that_ends_in_nan_is_worse():
    """Whatever it was before."""
    good = Run.drawn(train_loss="2..0.2*20")
    broken = Run.drawn(train_loss="2..0.1*15 nan nan nan nan nan")
    assert compare([side("A", good), side("B", broken)]).outcome(1) is ComparisonVerdict.WORSE
    assert compare([side("A", broken), side("B", good)]).outcome(1) is ComparisonVerdict.BETTER
    assert compare([side("A", broken), side("B", broken)]).outcome(1) is ComparisonVerdict.UNKNOWN


def test_logs_that_count_different_things_are_compared_by_epochs():
    """Ten epochs logged once each, and the same ten logged every hundredth step."""
    by_epoch = nndoctor.read({"epoch": list(range(1, 11)), "loss": list(np.geomspace(2, 0.2, 10))})[0]
    steps = list(range(100, 1100, 100))
    by_step = nndoctor.read(
        {"step": steps, "epoch": list(range(1, 11)), "loss": [0.9 * v for v in np.geomspace(2, 0.2, 10)]}
    )[0]
    found = compare([side("A", by_epoch), side("B", by_step)])
    assert found.notes == ("the logs count different steps: compared by epochs",)
    assert found.measures[0].at == pytest.approx(10)


def test_a_remedy_that_worked_is_reported_to_have_worked(tmp_path):
    """A rate far too high made the loss diverge; a tenth of it cured that, and the loss is better."""
    paths = [trained(tmp_path / f"lr={lr}.csv", lr=lr, epochs=30) for lr in (2.0, 0.05)]
    found = compare([side(label, nndoctor.read(str(p))[0]) for label, p in zip("AB", paths, strict=True)])
    cured = [c for c in changes(found) if c.status == "gone"]
    assert cured
    assert all(c.outcome is ComparisonVerdict.BETTER for c in cured)
    assert any("lower-learning-rate" in c.tried for c in cured)
    back = changes(compare([found.sides[1], found.sides[0]]))
    assert {c.name for c in cured} <= {c.name for c in back if c.status == "new"}


def test_every_remedy_that_is_looked_for_exists():
    """Names of the catalogue."""
    assert set(TRIED) <= set(REMEDIES)


@pytest.mark.parametrize(
    ("path", "settings"),
    [
        ("runs/lr=0.1,bs=32/seed_3.csv", {"lr": 0.1, "batch_size": 32, "seed": 3}),
        ("runs/lr_1e-3_wd_0.01/metrics.csv", {"lr": 0.001, "weight_decay": 0.01}),
        ("lr=0.1_batch_size=64.jsonl", {"lr": 0.1, "batch_size": 64}),
        ("optimizer=adam/history.json", {"optimizer": "adam"}),
        ("ResNet50/version_3/metrics.csv", {}),
        ("2024-05-01_12-00/log.txt", {}),
    ],
)
def test_paths_spell_settings(path, settings):
    """As people name the folders of a search; what is no setting is none."""
    assert hyperparameters.spelled(path) == settings


FALL = [2 * 0.9**k + 0.1 for k in range(30)]
HITS = [0.9 - 0.6 * 0.9**k for k in range(30)]


def of_epochs(loss, hits=HITS):
    """A run that counts epochs."""
    return nndoctor.read({"epoch": range(1, 31), "loss": loss, "val_acc": hits})[0]


def test_a_run_whose_loss_is_nan_is_worse_whatever_its_accuracy():
    """The sentence names the loss, and the place in the unit of the log."""
    broken = of_epochs([*FALL[:15], *[float("nan")] * 15])
    found = compare([side("A", of_epochs(FALL)), side("B", broken)])
    assert found.outcome(1) is ComparisonVerdict.WORSE
    assert sentence(found, 1).startswith(
        "B is worse than A: its training loss ends in a value that is not finite (validation accuracy "
    )
    assert sentence(found, 1).endswith("near epoch 30).")
    assert compare([side("A", broken), side("B", broken)]).outcome(1) is ComparisonVerdict.ALIKE


def test_the_best_value_is_one_of_the_log():
    """The highest where higher is better: no level of a smooth curve."""
    hits = [*HITS[:-4], 0.95, *HITS[-3:]]
    measure = compare([side("A", of_epochs(FALL, hits)), side("B", of_epochs(FALL))]).measure("validation/accuracy")
    assert [level.best for level in measure.levels] == [0.95, max(HITS)]


def test_a_run_compared_with_itself_is_noticed():
    """A slip of the shell's completion; another seed has other values."""
    run, other = of_epochs(FALL), of_epochs([1.01 * v for v in FALL])
    assert compare([side("A", run), side("B", run)]).notes == ("B holds the same values as A: is it the same run?",)
    assert not compare([side("A", run), side("B", other)]).notes
