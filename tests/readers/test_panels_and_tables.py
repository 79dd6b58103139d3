"""Formats that need a reader of their own: W&B panels, YOLO's output, ruled tables, MLflow's database, Aim."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

import nndoctor
from nndoctor.core.errors import NNDoctorError, UnreadableLog
from nndoctor.readers.io.source import Source


def read(text, name="log.txt"):
    return nndoctor.read(Source(name, text if isinstance(text, bytes) else text.encode()))


def values(run, name):
    return run.series[name].values.tolist()


PANEL = """"Step","bert - base - train/loss","bert - base - train/loss__MIN","bert - base - train/loss__MAX","gpt - train/loss","gpt - train/loss__MIN","gpt - train/loss__MAX"
"10","2.5","2.5","2.5","","",""
"20","2.25","2.25","2.25","3","3","3"
"30","NaN","","","2.5","2.5","2.5"
"""


@pytest.mark.parametrize("text", [PANEL, "\ufeff" + PANEL, PANEL.replace("\n", "\r\n"), PANEL + '"40","2.0'])
def test_a_panel_of_two_runs_is_two_runs(text):
    """Each run has its own points, its lines and its name; a name may hold ` - `; the twins are left out."""
    one, other = read(text)
    assert (one.source, other.source) == ("log.txt:bert - base", "log.txt:gpt")
    assert set(one.series) == {"train/loss"}
    assert one.series["train/loss"].steps.tolist() == [10, 20, 30]
    assert values(one, "train/loss")[:2] == [2.5, 2.25]
    assert values(other, "train/loss") == [3, 2.5]
    assert other.series["train/loss"].lines.tolist() == [3, 4]


def test_a_panel_with_two_metrics_joins_them_by_run():
    """Training and validation of one run stand in one run."""
    head = '"Step","a - train_loss","a - val_loss","b - train_loss","b - val_loss"\n'
    runs = read(head + '"0","3","4","5","6"\n"1","2","3","4","5"\n')
    assert [set(run.series) for run in runs] == [{"train/loss", "validation/loss"}] * 2


def test_a_panel_without_points_is_refused():
    """Nothing is made up of a header."""
    with pytest.raises(UnreadableLog, match="no curve of two or more points"):
        read('"Step","a - loss"\n"0","1"\n')


RESULTS = "".join(
    f"      {k}/2     1.86G   0.0{9 - k}   0.0{8 - k}         0    0.1{7 - 2 * k}        24       416         0.1         0.2  "
    f"0.{k}04 {last}   0.08   0.05         0\n"
    for k, last in enumerate(("0.001", "0.002", "0.003"))
)


def test_results_txt_has_its_columns_by_position():
    """Losses are summed, the last three numbers are validation's."""
    (run,) = read(RESULTS)
    assert values(run, "train/loss") == pytest.approx([0.17, 0.15, 0.13])
    assert values(run, "validation/loss") == pytest.approx([0.13] * 3)
    assert values(run, "validation/map50") == [0.004, 0.104, 0.204]
    assert values(run, "validation/map") == [0.001, 0.002, 0.003]
    assert run.series["train/loss"].steps.tolist() == [0, 1, 2]


def test_results_txt_of_yolov3_ends_in_f1():
    """What exceeds mAP at 0.5 cannot be its mean over thresholds."""
    (run,) = read(RESULTS.replace("0.003 ", "0.5 "))
    assert "validation/map" not in run.series
    assert values(run, "validation/f1") == [0.001, 0.002, 0.5]


def test_a_cut_line_of_results_txt_is_left_out_and_reported():
    """The curve ends at the last whole epoch."""
    (run,) = read(RESULTS + "      3/9     1.86G   0.06   0.05")
    assert len(run.series["train/loss"]) == 3
    assert any("skipped" in note for note in run.notes)


V5 = "Starting training for 3 epochs...\n" + "".join(
    f"""
     Epoch   gpu_mem       box       obj       cls    labels  img_size
       {k}/2        0G   0.9       0.9       0.9         7       640:  50%|█████     | 4/8 [00:03<00:03]\r\
       {k}/2     4.89G   0.0{6 - k}   0.03      0.0{k}         0      1280: 100%|██████████| 8/8 [00:06<00:00,  1.83s/it]
               Class     Images     Labels          P          R     mAP@.5 mAP@.5:.95: 100%|██████████| 1/1 [00:02<00:00]
                 all        677       2449      0.{k}5       0.{k}4    0.{k}3    0.{k}2
"""
    for k in range(3)
)
V8 = V5.replace(
    "gpu_mem       box       obj       cls    labels  img_size",
    "GPU_mem   box_loss   cls_loss   dfl_loss  Instances       Size",
)


@pytest.mark.parametrize(
    "text", [V5, V8, V8.replace("\n", "\x1b[K\n"), V5.replace("\n", "\r\n")], ids=["v5", "v8", "escapes", "windows"]
)
def test_yolo_in_a_terminal(text):
    """The bar as it was drawn last gives the losses, the line `all` the scores."""
    (run,) = read(text)
    assert values(run, "train/loss") == pytest.approx([0.09, 0.09, 0.09])
    assert values(run, "validation/map") == [0.02, 0.12, 0.22]
    assert values(run, "validation/precision") == [0.05, 0.15, 0.25]


def test_yolo_stopped_within_an_epoch():
    """An epoch that was under way is no point."""
    (run,) = read(
        V5 + "\n       3/9     4.89G   0.7   0.7      0.7         0      1280:  25%|██        | 2/8 [00:06<00:00]"
    )
    assert len(run.series["train/loss"]) == 3
    assert any("incomplete" in note for note in run.notes)


SB3 = "Using cpu device\n" + "".join(
    f"""---------------------------------
| rollout/           |          |
|    ep_len_mean     | 22.4     |
|    ep_rew_mean     | {20 + k}.5     |
| time/              |          |
|    fps             | 1234     |
|    total_timesteps | {2048 * (k + 1)}     |
| train/             |          |
|    learning_rate   | 0.0003   |
---------------------------------
"""
    for k in range(3)
)
BASELINES = "".join(
    f"-------------------------\n| eprewmean | {k} |\n| eplenmean | 9 |\n| total_timesteps | {k}00 |\n-------------------------\n"
    for k in range(3)
)


@pytest.mark.parametrize(("text", "first"), [(SB3, 20.5), (BASELINES, 0), ("[1,0]<stdout>:" + SB3, 20.5)])
def test_printed_tables_of_reinforcement_learning(text, first):
    """Each table is one row; group names stand before the names in them."""
    (run,) = read(text)
    assert values(run, "reward") == [first, first + 1, first + 2]
    assert run.fact("task") == "reinforcement-learning"
    assert run.series["reward"].steps[-1] in (200, 3 * 2048)


def a_store(path, runs=2):
    """An MLflow database with the tables and columns that matter."""
    with sqlite3.connect(path) as base:
        base.execute("create table runs (run_uuid text, name text, lifecycle_stage text, start_time integer)")
        base.execute("create table params (key text, value text, run_uuid text)")
        base.execute(
            "create table metrics (key text, value float, timestamp integer, run_uuid text, step integer, is_nan integer)"
        )
        for run in range(runs):
            base.execute("insert into runs values (?, ?, 'active', ?)", (f"u{run}", f"run {run}", run))
            base.execute("insert into params values ('batch_size', '32', ?)", (f"u{run}",))
            for step in range(5):
                nan = run == 1 and step == 4
                rows = (("train_loss", 3 - step / 9 + run), ("val_loss", 4 - step / 9), ("system/cpu", 9.0))
                for key, value in rows:
                    bad = nan and key == "train_loss"
                    row = (key, 0.0 if bad else value, 7, f"u{run}", step, int(bad))
                    base.execute("insert into metrics values (?, ?, ?, ?, ?, ?)", row)
        base.execute("insert into runs values ('gone', 'gone', 'deleted', 9)")
    base.close()
    return path


def test_every_run_of_an_mlflow_database(tmp_path):
    """Names, settings and NaNs are there; the file is not touched."""
    store = a_store(tmp_path / "mlflow.db")
    before = (store.read_bytes(), sorted(tmp_path.iterdir()))
    one, other = nndoctor.read(store)
    assert one.source == f"{store}:run 0"
    assert values(one, "train/loss") == pytest.approx([3 - k / 9 for k in range(5)])
    assert str(values(other, "train/loss")[-1]) == "nan"
    assert one.fact("batch_size") == 32
    assert one.unknown == ()
    assert before == (store.read_bytes(), sorted(tmp_path.iterdir()))


def test_a_database_in_memory(tmp_path):
    """A store that was piped in is the same."""
    store = a_store(tmp_path / "mlflow.db")
    assert [len(r.series) for r in read(store.read_bytes(), "-")] == [2, 2]
    assert len(nndoctor.read(store)) == 2


def test_other_databases_are_refused_with_advice(tmp_path):
    """Optuna's trials are not a run; a broken file is said to be one."""
    other = tmp_path / "optuna.db"
    with sqlite3.connect(other) as base:
        base.execute("create table trials (number integer)")
        base.execute("create table studies (name text)")
    base.close()
    with pytest.raises(UnreadableLog, match="Optuna"):
        nndoctor.read(other)
    broken = tmp_path / "broken.db"
    broken.write_bytes(other.read_bytes()[:100])
    with pytest.raises(UnreadableLog, match=r"cannot be read|no store"):
        nndoctor.read(broken)


def test_aim_is_recognised_and_the_way_out_named(tmp_path):
    """Only aim reads its store: the line says what to run."""
    for name in ("meta", "seqs"):
        (tmp_path / ".aim" / name).mkdir(parents=True)
    for place in (tmp_path, tmp_path / ".aim"):
        with pytest.raises(UnreadableLog, match=f"diagnose 'aim:{tmp_path}'"):
            nndoctor.read(place)


@pytest.mark.parametrize(
    "head", ['"Step","a - train/loss"\n', "Wall time,Step,Value\n", "step,metric,value\n"], ids=["panel", "tensorboard", "long"]
)  # fmt: skip
def test_a_lone_carriage_return_or_an_endless_cell_breaks_no_table(tmp_path, head):
    """Both are refused or read; neither ends in an error of the csv module."""
    for odd in ("4,5\r6,7\n", f"4,{'9' * 200_000},1\n"):
        log = tmp_path / "run-1-tag-loss.csv"
        log.write_text(head + "1,2,0.5\n2,3,0.4\n3,4,0.3\n" + odd, encoding="utf-8", newline="")
        with contextlib.suppress(NNDoctorError):
            assert nndoctor.read(str(log))


def test_a_missing_score_breaks_no_results(tmp_path):
    """YOLO's results with a cell that holds no number are read without it."""
    log = tmp_path / "results.txt"
    row = "      {k}/29     1.9G    0.09    0.02    0.01    0.12    10    640   0.5   0.4   {score}   0.2   0.08   0.02   0.01\n"
    log.write_text("".join(row.format(k=k, score="nan" if k == 1 else "None" if k == 2 else 0.3) for k in range(9)))
    (run,) = nndoctor.read(str(log))
    assert len(run.series["validation/map"]) == 9


def test_a_log_of_rates_alone_names_what_is_missing(tmp_path):
    """No column is offered as a loss where each is known to be something else."""
    log = tmp_path / "log.csv"
    log.write_text("step,lr,grad_norm\n" + "".join(f"{k},0.1,1\n" for k in range(5)), encoding="utf-8")
    with pytest.raises(UnreadableLog, match=r"no loss or metric \(columns: step, lr, grad_norm\); log training"):
        nndoctor.read(str(log))


def test_a_table_whose_names_of_two_words_lost_their_spacing(tmp_path):
    """Fastai's table as a browser copies it; one row is enough where the loss is NaN."""
    path = tmp_path / "paste.txt"
    rows = [f"{k} 0.{9 - k}1 0.{9 - k}5 0.6{k} 00:12" for k in range(5)]
    path.write_text("\n".join(["epoch train loss valid loss accuracy time", *rows]))
    (run,) = nndoctor.read(path)
    assert run.series["validation/loss"].y.tolist() == [0.95, 0.85, 0.75, 0.65, 0.55]
    path.write_text("epoch train loss valid loss accuracy time\n0 nan nan 0.1 00:12\n")
    primary = nndoctor.diagnose(path).primary
    assert primary is not None
    assert primary.name == "nan-loss"
