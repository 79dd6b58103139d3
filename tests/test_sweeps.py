"""Searches over settings, really trained: the edge, all alike, the scale, what matters; and tables of trials."""

from __future__ import annotations

import json

import numpy as np
import pytest

from nndoctor.analysis.rank_anova import effect, ranks
from nndoctor.analysis.search import Trial, as_run
from nndoctor.cli.entry import run as command
from nndoctor.compare.tried import tried
from nndoctor.rules.sweep import best_at_edge_of_search, dominant_setting, linear_scale_search, search_too_narrow
from tests.little import trained

GRIDS = {
    "edge": [{"lr": lr, "batch": b} for lr in np.geomspace(1e-5, 1e-3, 6) for b in (16, 64)],
    "good": [{"lr": lr, "batch": b} for lr in np.geomspace(1e-4, 1, 8) for b in (16, 64)],
    "narrow": [{"lr": lr, "seed": k} for k, lr in enumerate(np.linspace(0.02, 0.03, 8))],
    "linear": [{"lr": lr} for lr in np.linspace(0.002, 0.5, 9)],
}


@pytest.fixture(scope="module")
def searches(tmp_path_factory):
    """A folder for each search, its files named by their settings."""
    top = tmp_path_factory.mktemp("searches")
    for name, grid in GRIDS.items():
        for settings in grid:
            spelled = ",".join(f"{key}={value:.3g}" for key, value in settings.items())
            trained(top / name / f"{spelled}.csv", **settings)
    return top


@pytest.fixture
def sweep(searches, capsys, monkeypatch):
    """`nndoctor sweep` in the folder of searches: exit code, output, errors."""
    monkeypatch.chdir(searches)

    def start(*words: str) -> tuple[int, str, str]:
        code = command(["sweep", *words])
        printed = capsys.readouterr()
        return int(code), printed.out, printed.err

    return start


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("edge", {"best-at-edge-of-search", "dominant-setting"}),
        ("good", {"dominant-setting"}),
        ("narrow", {"search-too-narrow"}),
        ("linear", {"linear-scale-search"}),
    ],
)
def test_a_search_is_reported_what_is_wrong(sweep, name, found):
    """And nothing else."""
    code, out, err = sweep(name, "-f", "json")
    assert (code, err) == (0, "")
    report = json.loads(out)
    assert {f["name"] for f in report["runs"][0]["findings"]} == found
    assert len(report["search"]["trials"]) == len(GRIDS[name])


def test_what_explains_the_differences_is_named_first(sweep):
    """The rate, not the batch."""
    settings = json.loads(sweep("good", "-f", "json")[1])["search"]["settings"]
    assert settings[0]["name"] == "lr"
    assert settings[0]["explains"] > 0.4
    assert settings[0]["by_chance"] < 0.01


def test_the_page_has_a_plot_and_a_table(sweep):
    """Best first, at 80 columns; --fail-on warning makes it a gate."""
    code, out, _ = sweep("edge", "--fail-on", "warning", "--no-color")
    assert code == 1
    assert "The best lr, 0.001, is at the upper edge of the search" in out
    assert "•" in out
    assert "log axis" in out
    rows = [line for line in out.splitlines() if line.startswith("lr=")]
    scores = [float(line.split()[1]) for line in rows]
    assert scores == sorted(scores, reverse=True)
    assert all(len(line) <= 80 for line in out.splitlines())


def test_another_score_may_be_asked_for(sweep):
    """By series and statistic; one that is not there is refused with those that are."""
    assert "by train/loss last, lower is better" in sweep("good", "--by", "train/loss last")[1]
    code, _, err = sweep("good", "--by", "train/los last")
    assert (code, err.count("\n")) == (2, 1)
    assert "they have train/loss" in err


def test_settings_without_effect_are_found_as_often_as_chance_allows():
    """Scores by chance: hardly ever an edge, one word in twenty on what matters."""
    rng = np.random.default_rng(0)
    edges = mattering = 0
    for _ in range(40):
        rows = [{"lr": float(10 ** rng.uniform(-5, -1)), "hidden": int(rng.integers(8, 128))} for _ in range(16)]
        trials = [Trial(str(k), row, float(np.exp(rng.normal(-1, 0.3)))) for k, row in enumerate(rows)]
        run = as_run(trials, "validation/loss best", higher=False, source="x")
        edges += bool(list(best_at_edge_of_search.RULE.check(run)))
        mattering += bool(list(dominant_setting.RULE.check(run)))
        assert not list(linear_scale_search.RULE.check(run))
    assert edges <= 3
    assert mattering <= 6


def test_a_failed_trial_is_the_worst_and_widens_no_spread():
    """Not a number is a score, too."""
    trials = [Trial(str(k), {"lr": 0.01 * (k + 1)}, 0.5 + 0.001 * (k % 3)) for k in range(9)]
    trials.append(Trial("9", {"lr": 10.0}, float("nan")))
    assert list(search_too_narrow.RULE.check(as_run(trials, "validation/loss best", higher=False, source="x")))


def test_an_effect_of_nothing_is_zero_and_of_everything_one():
    """Epsilon squared, and its chance by permutation."""
    ranked = ranks(np.arange(12.0))
    assert effect(("a",) * 6 + ("b",) * 6, ranked)[0] > 0.7
    assert effect(("a", "b") * 6, ranked)[0] < 0.05
    assert effect(("a",) * 12, ranked) == (0.0, 1.0)


OPTUNA = """number,value,datetime_start,duration,params_lr,params_optimizer,state
0,0.71,2024-01-01 00:00:00,0 days 00:00:10,0.0001,Adam,COMPLETE
1,0.75,2024-01-01 00:00:00,0 days 00:00:10,0.001,Adam,COMPLETE
2,,2024-01-01 00:00:00,0 days 00:00:10,0.5,SGD,FAIL
3,0.81,2024-01-01 00:00:00,0 days 00:00:10,0.01,SGD,COMPLETE
4,0.99,2024-01-01 00:00:00,0 days 00:00:10,0.02,Adam,PRUNED
5,0.82,2024-01-01 00:00:00,0 days 00:00:10,0.05,Adam,COMPLETE
"""
SKLEARN = """,mean_fit_time,std_fit_time,param_alpha,param_hidden_layer_sizes,params,split0_test_score,mean_test_score,rank_test_score
0,0.1,0.01,0.0001,"(10,)",{},0.90,0.91,3
1,0.1,0.01,0.001,"(10,)",{},0.91,0.92,2
2,0.1,0.01,0.01,"(20,)",{},0.92,0.94,1
3,0.1,0.01,0.1,"(20,)",{},0.80,0.81,4
"""
WANDB = """"Name","State","Created","batch_size","config.lr","val_loss","_runtime"
"a","finished","2024","32","0.1","0.5","100"
"b","finished","2024","64","0.01","0.4","100"
"c","crashed","2024","32","0.001","0.6","100"
"d","finished","2024","64","0.0001","0.9","100"
"""


@pytest.mark.parametrize(
    ("text", "words", "count", "best", "settings"),
    [
        (OPTUNA, ["--higher"], 5, 0.82, {"lr", "optimizer"}),
        (SKLEARN, [], 4, 0.94, {"alpha", "hidden_layer_sizes"}),
        (WANDB, [], 4, 0.4, {"lr", "batch_size"}),
    ],
)
def test_tables_of_trials_are_read(sweep, tmp_path, text, words, count, best, settings):
    """As Optuna, scikit-learn and W&B export them: the score, which way it goes, and the settings."""
    (tmp_path / "trials.csv").write_text(text, encoding="utf-8")
    code, out, err = sweep(str(tmp_path / "trials.csv"), *words, "-f", "json")
    assert (code, err) == (0, "")
    found = json.loads(out)["search"]
    assert len(found["trials"]) == count
    assert found["trials"][0]["score"] == best
    assert {s["name"] for s in found["settings"]} == settings


@pytest.mark.parametrize(
    ("text", "words", "message"),
    [
        (OPTUNA, [], "set --higher or --lower"),
        (WANDB, ["--by", "val_los"], "did you mean 'val_loss'?"),
        ("a,b\n1,2\n3,4\n5,6\n7,8\n", [], "cannot find the score column"),
        ("lr,val_loss\n0.1,2\n0.2,3\n", [], "a sweep needs at least 4 runs (got 2)"),
        ("lr,val_loss\n0.1,2\n0.1,3\n0.1,3\n0.1,3\n", [], "no setting differs between the trials"),
    ],
)
def test_what_is_no_search_is_refused_in_one_line(sweep, tmp_path, text, words, message):
    """With what to do about it."""
    (tmp_path / "trials.csv").write_text(text, encoding="utf-8")
    code, out, err = sweep(str(tmp_path / "trials.csv"), *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err


@pytest.mark.parametrize(
    "medium", ["terminal", "concise", "json", "jsonl", "github", "gitlab", "junit", "sarif", "markdown"]
)
def test_every_format_shows_of_a_search(sweep, medium):
    """As of a run."""
    code, out, _ = sweep("edge", "-f", medium)
    assert code == 0
    assert "NN901" in out


def test_a_trial_without_the_setting_is_not_at_the_edge():
    """The best trial does not say its rate: nothing is known of where it lies."""
    rates = [None, 1e-4, 1e-4, 1e-3, 1e-3, 1e-2, 1e-2]
    trials = [Trial(str(k), {} if lr is None else {"lr": lr}, 0.1 * (k + 1)) for k, lr in enumerate(rates)]
    assert not list(best_at_edge_of_search.check(as_run(trials, "validation/loss best", higher=False, source="s")))


def test_what_would_help_the_best_trial_is_measured_where_trials_made_the_change(sweep):
    """At the edge nobody tried a higher rate; inside, what was tried is not advised."""
    would_help = json.loads(sweep("edge", "-f", "json")[1])["search"]["would_help_best"]
    raised = next(change for change in would_help if change["change"] == "lr*10")
    assert (raised["trials"], raised["best_score"]) == (0, None)
    assert raised["helps"] > 0.5
    page = sweep("edge", "--no-color")[1]
    assert "What would help the best trial, lr=0.001,batch=16.csv" in page


@pytest.mark.parametrize(
    ("change", "made"),
    [("lr*10", {"high"}), ("lr/10", {"low", "rest"}), ("weight-decay", {"decayed"}), ("dropout", set())],
)
def test_a_trial_makes_a_change_where_the_setting_is_three_times_as_large_or_small(change, made):
    """Anything is three times zero; what a trial does not say it does not make."""
    best = Trial("best", {"lr": 0.01, "weight_decay": 0.0}, 0.1)
    others = [
        Trial("high", {"lr": 0.1, "weight_decay": 0.0}, 0.2),
        Trial("near", {"lr": 0.02}, 0.2),
        Trial("low", {"lr": 0.001}, 0.3),
        Trial("rest", {"lr": 0.003}, 0.3),
        Trial("decayed", {"lr": 0.01, "weight_decay": 1e-4}, 0.3),
        Trial("silent", {}, 0.4),
    ]
    assert {trial.source for trial in tried(change, [best, *others])} == made
