"""Treatments: a planted fault's remedy is found and verified, nothing helps a healthy file, and no file is changed."""

from __future__ import annotations

import json
import math
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="treatments need torch")

from nndoctor.cli.entry import run  # noqa: E402
from nndoctor.cli.run_treat import one_run, parse_duration  # noqa: E402
from nndoctor.core.errors import UsageError  # noqa: E402
from nndoctor.diagnosis.request import SessionOptions  # noqa: E402
from nndoctor.diagnosis.session import Session  # noqa: E402
from nndoctor.reporters.html.treatment import render as render_page  # noqa: E402
from nndoctor.reporters.page import Style  # noqa: E402
from nndoctor.reporters.treatment import render  # noqa: E402
from nndoctor.treatment.changes import BY_NAME, named  # noqa: E402
from nndoctor.treatment.constant import constant_loss  # noqa: E402
from nndoctor.treatment.gains import GainVerdict, Units, gain, pooled_noise  # noqa: E402
from nndoctor.treatment.plan import TreatmentPlan  # noqa: E402
from nndoctor.treatment.resume import resumed  # noqa: E402
from nndoctor.treatment.subject import loaded  # noqa: E402
from nndoctor.treatment.treat import Treatment  # noqa: E402
from nndoctor.treatment.trial import Job, Trial, run_trial  # noqa: E402

HEAD = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(0)
x = torch.randn(360, 10)
y = x[:, :3].argmax(1)
train_data = DataLoader(TensorDataset(x[:240], y[:240]), batch_size=24, shuffle=True)
validation_data = DataLoader(TensorDataset(x[240:], y[240:]), batch_size=120)
model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 3))
loss = nn.CrossEntropyLoss()
optimizer = lambda params: torch.optim.SGD(params, lr=0.1, momentum=0.9)
"""


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Writes a model file: a healthy one, and the lines that change it."""
    monkeypatch.chdir(tmp_path)

    def write(change=""):
        path = tmp_path / "model.py"
        path.write_text(dedent(HEAD) + dedent(change), encoding="utf-8")
        return str(path)

    return write


def treated(path, steps=40, budget=60.0, seeds=3):
    """A treatment of so many steps a training, within seconds of the processor: the machine may be busy."""
    treatment = Treatment(path, steps)
    TreatmentPlan(treatment, "cpu", budget, seeds, cpu=True).run(Session(SessionOptions(isolated=True)))
    return treatment


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    """A treatment of a file whose learning rate is too low, and what the file held before."""
    path = tmp_path_factory.mktemp("slow") / "model.py"
    path.write_text(f"{dedent(HEAD)}optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)\n", encoding="utf-8")
    before = path.read_bytes()
    return treated(str(path), budget=4.0), before


def test_a_learning_rate_too_low_is_found_and_verified(slow):
    """A higher rate helps with three seeds; the file is as before."""
    treatment, before = slow
    gains = treatment.gains()
    assert treatment.best is not None
    assert gains[treatment.best].seeds >= 3
    assert max(gains[name].gain for name in ("lr*10", "lr*100") if name in gains) > 0.3
    assert Path(treatment.path).read_bytes() == before


def test_a_page_has_the_verdict_the_curves_and_a_diff_to_review(slow):
    """One file without scripts or addresses."""
    text = render_page(slow[0])
    assert "helps: validation loss" in text
    assert "<polyline" in text
    assert "-optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)" in text
    assert "<script" not in text
    assert "http:" not in text
    assert "https:" not in text


def test_the_terminal_names_the_prescription(slow):
    """With the edit of the file's own line."""
    text = render(slow[0], Style(color=False))
    assert "Prescription:" in text
    assert "+optimizer = " in text


def test_a_softmax_too_many_is_found(written):
    """Taking it away is verified."""
    treatment = treated(
        written("model = nn.Sequential(*model, nn.Softmax(1))\noptimizer = lambda p: torch.optim.SGD(p, lr=0.1)"),
        60,
        6.0,
    )
    assert treatment.gains()["linear-output"].verdict is GainVerdict.HELPS


def test_nothing_helps_a_healthy_file(written):
    """Small gains of single seeds are not called help."""
    assert treated(written(), steps=120, budget=3.0).best is None


def test_a_training_that_explodes_is_cut_and_a_lower_rate_helps(written):
    """Failed trainings count as no better than a constant prediction."""
    treatment = treated(written("optimizer = lambda params: torch.optim.SGD(params, lr=300.0)"), budget=2.5)
    assert treatment.trials["", 0].cut
    assert treatment.best is not None


def test_repeats_differ_although_the_file_seeds_itself(written):
    """Their seeds are shifted; the same seed gives the same training."""
    path = written()
    first, again, other = (run_trial(Job(path, "", seed, 10, "cpu")) for seed in (0, 0, 1))
    assert first.losses == again.losses
    assert first.losses != other.losses


def test_a_constant_prediction_of_balanced_classes_has_a_loss_near_ln_c(written):
    """Ln 3."""
    assert constant_loss(loaded(written(), 0)) == pytest.approx(math.log(3), abs=0.05)


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ({0: 0.5, 1: 0.52, 2: 0.48}, GainVerdict.HELPS),
        ({0: 0.97, 1: 1.01, 2: 0.98}, GainVerdict.NOISE),
        ({0: 1.4, 1: 1.45, 2: 1.5}, GainVerdict.HURTS),
        ({0: math.inf, 1: math.inf, 2: math.inf}, GainVerdict.HURTS),
        ({0: 0.5}, GainVerdict.NOISE),
    ],
)
def test_verdicts_need_a_material_gain_beyond_noise_in_two_seeds(changed, verdict):
    """A constant prediction has a loss of 1.5; a gain of 1 is 1."""
    assert gain({0: 1.0, 1: 1.02, 2: 0.98}, changed, Units(1.5, 1.0, 0.02)).verdict is verdict


def test_noise_is_pooled_over_changes():
    """Two seeds of many changes tell it as well as many seeds of one."""
    drawn = np.random.default_rng(0).normal(0, 0.2, (400, 2))
    assert pooled_noise(drawn.tolist()) == pytest.approx(0.2, rel=0.15)
    assert pooled_noise([drawn.flatten().tolist()]) == pytest.approx(0.2, rel=0.15)
    assert pooled_noise([[0.1]]) is None


def test_a_change_with_which_some_seeds_explode_does_not_hide_what_others_gain():
    """Its noise is its own."""
    noise = pooled_noise([[1.99, 2.01, 2.0, 1.98], [2.0, 0.02]])
    seeds = dict.fromkeys(range(4), 3.0)
    assert gain(seeds, {0: 1.01, 1: 0.99, 2: 1.0, 3: 1.02}, Units(1.5, 1.0, noise)).verdict is GainVerdict.HELPS


def test_losses_far_beyond_a_constant_prediction_are_no_noise():
    """They count as one unit worse, whatever they are."""
    treatment = Treatment("model.py", 10, constant=1.0)
    for seed, (before, after) in enumerate([(7.0, 0.1), (3.0, 0.11), (11.0, 0.09)]):
        treatment.trials["", seed] = Trial("", seed, [9], [before])
        treatment.trials["initialization", seed] = Trial("initialization", seed, [9], [after])
    found = treatment.gains()["initialization"]
    assert found.verdict is GainVerdict.HELPS
    assert found.high - found.low < 0.3


def test_two_changes_that_help_in_some_seeds_are_tried_together(written):
    """Once the better one has its seeds and is not verified, before further changes."""
    treatment = Treatment(written(), 40, constant=1.0)
    finals = {"": (0.99, 0.98, 0.97), "relu": (0.2, 0.97, 0.5), "optimizer-adam": (0.8,)}
    for name, losses in finals.items():
        for seed, loss in enumerate(losses):
            treatment.trials[name, seed] = Trial(name, seed, [39], [loss], settings=dict(named(name).settings))
    found = TreatmentPlan(treatment, "cpu", math.inf, cpu=True)._next()
    assert found is not None
    assert (found[0].name, found[1]) == ("relu + optimizer-adam", 0)


@pytest.mark.parametrize(("momentum", "applies"), [(0.0, True), (0.9, False), (0.99, True)])
def test_momentum_is_tried_where_it_is_missing_or_too_high(written, momentum, applies):
    """0.9 stays."""
    path = written(f"optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum={momentum})")
    assert (BY_NAME["momentum"].lacks(loaded(path, 0)) == "") == applies


def test_recurrent_weights_are_drawn_again(written):
    """As PyTorch draws them, within 1/√16."""
    subject = loaded(written("model.extra = nn.GRU(4, 16)\nfor p in model.parameters(): nn.init.constant_(p, 5.0)"), 0)
    named("initialization").apply(subject)
    assert max(float(p.detach().abs().max()) for p in subject.model.extra.parameters()) <= 0.25


def test_the_command_writes_json_and_resumes(written, capsys):
    """A second start goes on from the file; without --resume or --force nothing is overwritten."""
    path = written("optimizer = lambda params: torch.optim.SGD(params, lr=1e-3)")
    words = ["treat", path, "--steps", "6", "--budget", "60s", "--device", "cpu", "-q"]
    assert run([*words, "-f", "json"]) == 0
    message = json.loads(capsys.readouterr().out)
    assert {"baseline", "changes", "best", "not_tried"} <= message.keys()
    assert {"change", "settings", "seeds", "gain", "low", "high", "verdict"} == message["changes"][0].keys()
    assert run(words) == 2
    assert run([*words, "--resume"]) == 0
    assert len(resumed("treatment.json", path).trials) >= len(message["trials"])


def test_the_run_to_diagnose_is_one(tmp_path):
    """A log of it; a table of several is refused with their names."""
    log = tmp_path / "runs.csv"
    for names in ("a", "ab"):
        rows = "".join(f"{name},{k},{1 / (k + 1)}\n" for name in names for k in range(9))
        log.write_text(f"run,epoch,loss\n{rows}", encoding="utf-8")
        if names == "a":
            assert len(one_run(str(log)).series) == 1
    with pytest.raises(UsageError, match=r"holds 2 runs \(.*runs\.csv#1, .*runs\.csv#2"):
        one_run(str(log))


def test_a_damaged_file_is_not_continued(written, tmp_path):
    """One line, and nothing is lost."""
    (tmp_path / "treatment.json").write_text('{"steps": 3', encoding="utf-8")
    with pytest.raises(UsageError, match="not a treatment that can be continued"):
        resumed("treatment.json", written())


@pytest.mark.parametrize("text", ["", "ten", "-5", "0s", "5 weeks"])
def test_a_budget_that_is_no_time_is_refused(text):
    """With examples of what is."""
    with pytest.raises(UsageError, match="expected for example 90s, 10m or 1h"):
        parse_duration(text)


def test_a_failed_training_has_no_final_loss():
    """It is infinite, and so never the best."""
    assert Trial("lr*10", 0, [1], [math.nan]).final == math.inf
