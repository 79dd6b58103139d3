"""The zoo's training split: many nets trained at once, and the lines that come of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")

from benchmarks.zoo import batch, records, shards
from benchmarks.zoo.experiment import Experiment, LogStyle
from benchmarks.zoo.grow import grow
from benchmarks.zoo.logs import observe
from benchmarks.zoo.places import PLACES, SHAPES
from benchmarks.zoo.pool import data_of
from benchmarks.zoo.training import train
from benchmarks.zoo.views import FEWEST, View, seen
from benchmarks.zoo.workloads import FAMILIES
from nndoctor.diagnosis.workers import Engine

SMALL = Experiment(
    "small", "training", "healthy", "clusters", task=3, variant=0, width=6, depth=1, lr=0.01, steps=24, batch_size=8,
    train_size=64, evaluations=6,
)  # fmt: skip


@pytest.fixture(autouse=True)
def _one_thread():
    """Nets so small are slower on several threads."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("net", sorted(SHAPES))
def test_nets_trained_together_learn_as_if_alone(net):
    """Rate, decay, seed, schedule, data and labels are each net's own: the curves are those of single trainings."""
    place = next(p for p in PLACES if net in p.nets)
    depth = SHAPES[net].depths[-1]
    one = replace(SMALL, workload=place.workload, net=net, depth=depth, activation=SHAPES[net].activations[0])
    several = [
        one,
        replace(one, id="b", lr=0.03, seed=1, schedule="cosine"),
        replace(one, id="c", variant=1, weight_decay=0.1, decoupled=True, train_size=32),
        replace(one, id="d", lr=0.001, label_noise=1.0, init="small", clip=0.5),
        replace(one, id="e", shuffle=False, reset_gradients=False, validation_set="tiny"),
    ]
    for together, e in zip(train(several), several, strict=True):
        alone = train([e])[0]
        assert np.allclose(together.batch_loss, alone.batch_loss, rtol=1e-3, atol=1e-4)
        assert np.allclose(together.measured.val_loss, alone.measured.val_loss, rtol=1e-3, atol=1e-4)
        assert np.allclose(together.measured.small_val_loss, alone.measured.small_val_loss, rtol=1e-3, atol=1e-4)
        assert np.array_equal(together.lr, alone.lr)


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_a_task_is_the_same_again_and_another_draw_is_not(family):
    """A task keeps its shape from draw to draw, the draws differ, and the best constant is no worse than its floor."""
    first, again, other = (data_of(replace(SMALL, workload=family, variant=v)) for v in (0, 0, 1))
    assert first.x.shape[1:] == other.x.shape[1:]
    assert bool((first.x == again.x).all())
    assert first.x.shape != other.x.shape or not bool((first.x == other.x).all())


def test_no_workload_of_the_testing_half_is_trained_on():
    """The published figures are those of workloads that no model has seen."""
    from benchmarks.zoo.settings import TESTING

    assert not {p.workload for p in PLACES} & {s.workload for s in TESTING}


def test_a_cut_budget_is_that_of_a_shorter_training():
    """At a constant rate the beginning of a training is a training with a smaller budget."""
    e = replace(SMALL, steps=48, evaluations=batch.EVALUATIONS)
    trained = {("base", 0): train([e])[0], ("base", 1): train([replace(e, seed=1)])[0]}
    shorter, cut = records.cut(e, trained, 0.5)
    again = train([replace(shorter, id=e.id)])[0]  # the id decides the weights and the order of the samples
    assert (shorter.steps, shorter.evaluations) == (24, 24)
    assert np.array_equal(cut["base", 0].batch_loss, again.batch_loss)
    assert np.array_equal(cut["base", 0].measured.val_loss, again.measured.val_loss)


def test_a_batch_is_trained_once_and_written_as_lines(tmp_path, monkeypatch):
    """Every run has its gains and three logs; what is on disk is kept."""
    monkeypatch.setattr(batch, "RUNS", 3)
    monkeypatch.setattr(batch, "sound", lambda number: replace(SMALL, id=f"{number:04d}", steps=48, evaluations=48))
    grow(tmp_path / "curves", [0], Engine(jobs=1))
    (path,) = (tmp_path / "curves").iterdir()
    then = path.stat().st_mtime_ns
    grow(tmp_path / "curves", [0], Engine(jobs=1))
    assert path.stat().st_mtime_ns == then
    assert shards.write(tmp_path / "curves", tmp_path) == 1
    assert shards.write(tmp_path / "curves", tmp_path) == 0
    lines = list(shards.load(tmp_path))
    (tmp_path / "packed").mkdir()
    shards.pack(tmp_path, tmp_path / "packed")
    assert list(shards.load(tmp_path / "packed")) == lines
    assert {len(line["id"]) for line in lines if not line["id"].endswith("short")} == {7}
    for line in lines:
        shown = list(shards.views(line))
        assert len(shown) == 3
        assert all(len({len(cells) for cells in view["log"].values()}) == 1 for view in shown)
        assert {"lr_x10", "lr_d10", "steps_x4"} <= line["gains"].keys()


def test_what_costs_much_is_planned_less_often_and_a_longer_plan_only_adds():
    """Any share of the plan is a zoo of its own."""
    some, more = batch.planned(6), batch.planned(12)
    assert more[:6] == some
    assert len(set(more)) == 12
    assert more[-1] > 11


def test_a_part_of_a_log_is_the_rows_of_the_whole_one():
    """A log that begins in the middle or stops early shows the same values."""
    e = replace(SMALL, steps=48, evaluations=48)
    curves = train([e])[0]
    style = View(LogStyle(per="step", every=1, validate_every=1))
    whole = observe(replace(e, log=style.log), curves)
    middle = seen(whole, replace(style, start=0.5, end=0.75))
    assert middle.end.tolist() == whole.end[24:36].tolist()
    assert middle.val_loss.tolist() == whole.val_loss[24:36].tolist()
    assert len(seen(whole, replace(style, end=0.01)).end) == FEWEST
