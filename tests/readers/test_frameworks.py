"""What the lines and columns of a framework say beyond their numbers: its name, its optimizer, its evaluations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import nndoctor
from nndoctor.core.run import Run


def read(folder: Path, name: str, text: str) -> Run:
    """The only run of a log with this text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    (run,) = nndoctor.read(path)
    return run


def test_torchtitan_validation_is_no_training_loss(tmp_path: Path) -> None:
    """`validate step: 20 loss: 2.4` is a validation loss, and the training loss keeps its own values."""
    lines = []
    for step in range(10, 110, 10):
        lines.append(
            f"[titan] 2026-05-01 10:00:00,123 - root - INFO - step: {step:2}  loss: {3 - step / 100:7.4f}  grad_norm:  0.9  "
            "memory:  1.90GiB(2.00%)  tps: 8,300  tflops: 1.10  mfu: 2.31%"
        )
        if step % 20 == 0:
            lines.append(
                f"[titan] 2026-05-01 10:00:01,123 - root - INFO - validate step: {step:2}  loss: {9 - step / 100:7.4f}  tps: 8,301"
            )
    run = read(tmp_path, "train.log", "\n".join(lines) + "\n")
    assert run.series["train/loss"].high < 3
    assert run.series["validation/loss"].y.tolist() == pytest.approx([8.8, 8.6, 8.4, 8.2, 8.0])
    assert run.fact("framework") == "torchtitan"


def test_mmengine_evaluations_that_count_epochs_are_placed_at_the_step_of_their_epoch(tmp_path: Path) -> None:
    """An evaluation whose `step` is an epoch belongs to the run of the training lines around it."""
    rows: list[dict[str, float]] = []
    for epoch in range(1, 7):
        for k in (1, 2):
            at = 12 * (epoch - 1) + 6 * k
            rows.append({"lr": 0.01, "data_time": 0.01, "loss": 3 / epoch, "epoch": epoch, "iter": at, "step": at})
        rows.append({"coco/bbox_mAP": 0.1 * epoch, "data_time": 0.01, "time": 0.03, "step": epoch})
    run = read(tmp_path, "scalars.json", "".join(json.dumps(row) + "\n" for row in rows))
    assert run.series["validation/map"].x.tolist() == [12, 24, 36, 48, 60, 72]
    assert len(run.series["train/loss"].y) == 12


def test_mmengine_evaluations_that_count_steps_stay_where_they_are(tmp_path: Path) -> None:
    """A loop by iterations logs the iteration with its evaluations."""
    rows: list[dict[str, float]] = []
    for at in range(10, 90, 10):
        rows.append({"lr": 0.01, "data_time": 0.01, "loss": 30 / at, "iter": at, "step": at})
        if at % 20 == 0:
            rows.append({"coco/bbox_mAP": at / 100, "data_time": 0.01, "time": 0.03, "step": at})
    run = read(tmp_path, "scalars.json", "".join(json.dumps(row) + "\n" for row in rows))
    assert run.series["validation/map"].x.tolist() == [20, 40, 60, 80]


@pytest.mark.parametrize(
    ("framework", "workload", "line"),
    [
        ("nanoGPT", "pretraining", "iter {step}: loss {loss:.4f}, time 25.00ms, mfu 1.23%"),
        (
            "torchtune",
            "fine-tuning",
            "Step {step} | loss:{loss} lr:0.0001 tokens_per_second_per_gpu:1200 grad_norm:0.5",
        ),
    ],
)
def test_lines_of_a_language_model_framework_tell_the_workload(
    tmp_path: Path, framework: str, workload: str, line: str
) -> None:
    """What trains language models only is known by the way it prints."""
    text = "".join(line.format(step=step, loss=2.5 - step / 200) + "\n" for step in range(10, 210, 10))
    run = read(tmp_path, "train.log", text)
    assert run.fact("framework") == framework
    assert str(nndoctor.diagnose(run).workload) == workload


def test_llama_factory_is_known_by_its_columns(tmp_path: Path) -> None:
    """LLaMA-Factory logs the steps done, their total and the percentage."""
    rows = [
        {
            "current_steps": k,
            "total_steps": 40,
            "loss": 2 - k / 40,
            "lr": 1e-5,
            "epoch": k / 20,
            "percentage": 2.5 * k,
            "elapsed_time": "0:00:10",
        }
        for k in range(2, 42, 2)
    ]
    run = read(tmp_path, "trainer_log.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    assert str(nndoctor.diagnose(run).workload) == "fine-tuning"


def test_deepspeed_momentum_pairs_are_adam(tmp_path: Path) -> None:
    """DeepSpeed prints the two betas of Adam as the momentum."""
    text = "".join(
        f"[2026-05-01 10:00:00,123] [INFO] [logging.py:128:log_dist] [Rank 0] step={k}, skipped=0, lr=[0.05], mom=[(0.9, 0.95)]\n"
        f"steps: {k} loss: {3.5 - k / 400:.4f} iter time (s): 0.51 samples/sec: 31.3\n"
        for k in range(5, 105, 5)
    )
    run = read(tmp_path, "train.log", text)
    assert run.fact("optimizer") == "adam"
    assert "lr-too-high" in [finding.name for finding in nndoctor.diagnose(run).findings]


def test_opennmt_counts_batches_behind_a_comma(tmp_path: Path) -> None:
    """`Epoch  2, 30050/90000;` is batch 30,050: the log begins in the middle of a run, and its level is no plateau."""
    lines = [
        f"Epoch  2, {at}/90000; acc:  4{at % 7}.1; ppl: {20 + at % 9}.50; 990 src tok/s"
        for at in range(30050, 30650, 50)
    ]
    run = read(tmp_path, "nmt.log", "\n".join(lines))
    assert run.series["train/perplexity"].x.tolist()[:2] == [30050, 30100]
    assert not [f.name for f in nndoctor.diagnose(run).findings if f.severity != "info"]


def test_fairseq_validation_under_way_is_no_evaluation(tmp_path: Path) -> None:
    """The running mean over a part of the set is left out; the epoch's own line is kept, and the run is one."""
    lines = []
    for epoch in (3, 4):
        lines += [f"| epoch {epoch:03}  {at} / 3000 loss=2.{at // 1000} (3.1), lr=0.001" for at in (1000, 2000)]
        lines += [f"| epoch {epoch:03} | valid on 'valid' subset  500 / 900 loss=9.9"]
        lines += [f"| epoch {epoch:03} | valid on 'valid' subset | valid loss 3.{9 - epoch} | valid ppl 14.1"]
    run = read(tmp_path, "train.log", "\n".join(lines))
    assert run.series["validation/loss"].y.tolist() == [3.6, 3.5]


def test_scores_of_chainerrl_are_returns(tmp_path: Path) -> None:
    """The mean of an evaluation's returns is the reward, and a loss of the value function is no training loss."""
    header = "steps\tepisodes\telapsed\tmean\tmedian\tstdev\tmax\tmin\taverage_loss_value_func"
    rows = [f"{k}000\t{5 * k}\t{k}.5\t{40 * k}\t{39 * k}\t3.1\t{50 * k}\t{20 * k}\t0.{4 + k}" for k in range(1, 6)]
    run = read(tmp_path, "scores.txt", "\n".join([header, *rows]))
    assert run.series["reward"].y.tolist() == [40, 80, 120, 160, 200]
    assert "train/loss" not in run.series


def test_evaluations_on_several_sets_are_averaged(tmp_path: Path) -> None:
    """`eval_news_loss` and `eval_code_loss`: what validates is their mean, and a note says so."""
    history = []
    for k in range(1, 7):
        history.append({"step": 10 * k, "epoch": 0.1 * k, "loss": 2 / k, "learning_rate": 1e-5})
        history += [
            {"step": 10 * k, "epoch": 0.1 * k, f"eval_{name}_loss": at + k} for name, at in (("news", 1), ("code", 3))
        ]
    run = read(tmp_path, "trainer_state.json", json.dumps({"global_step": 60, "log_history": history}))
    assert run.series["validation/loss"].y.tolist() == [3, 4, 5, 6, 7, 8]
    assert any("the mean of eval_news_loss, eval_code_loss" in note for note in run.notes)


def test_yolo_counts_of_many_labels_are_printed_as_powers_of_ten(tmp_path: Path) -> None:
    """The scores on a line such as `all  2.1e+04  3.3e+04  0.6 …` are read."""
    head = "     Epoch   gpu_mem       box       obj       cls     total   targets  img_size"
    lines = []
    for k in range(3):
        lines += [
            head,
            f"      {k}/9     8.5G    0.0{9 - k}   0.03  0.003   0.057        12       448: 100% 90/90 [00:57<00:00]",
        ]
        lines += [f"                   all      2.1e+04    3.3e+04       0.5{k}       0.8       0.7       0.4{k}"]
    run = read(tmp_path, "yolo.log", "\n".join(lines))
    assert run.series["validation/map"].y.tolist() == [0.4, 0.41, 0.42]


def test_the_first_loss_of_spacy_is_of_one_batch(tmp_path: Path) -> None:
    """Its losses are sums since the row before; that of step 0 has nothing to be compared with."""
    lines = [
        "E    #       LOSS TOK2VEC  LOSS NER  ENTS_F  ENTS_P  ENTS_R  SCORE ",
        "---  ------  ------------  --------  ------  ------  ------  ------",
    ]
    lines += [
        f"  0  {200 * k:6}          5.00  {45 if k == 0 else 3000 - 200 * k:8}.50  {9 + 9 * k:5}.10   50.00   60.00    0.{k}5"
        for k in range(7)
    ]
    run = read(tmp_path, "spacy.log", "\n".join(lines))
    assert run.series["train/loss"].x[0] == 200
    assert not [f.name for f in nndoctor.diagnose(run).findings if f.name in {"diverged", "lr-too-high"}]


def test_numbered_episodes_are_the_axis_where_steps_are_their_lengths(tmp_path: Path) -> None:
    """`steps` goes back from row to row: it is how long each episode was, and the log holds one run."""
    rows = [f"{100 + k},{k % 7 - 3},{40 + 13 * (k % 5)},0.0{k % 9}" for k in range(30)]
    run = read(tmp_path, "training_log.csv", "\n".join(["episode,reward,steps,loss", *rows]))
    assert run.series["reward"].x.tolist() == list(range(100, 130))


def test_blocks_of_rsl_rl_are_iterations(tmp_path: Path) -> None:
    """legged_gym, Isaac Lab and mjlab print a block for each iteration, in either version's words."""
    block = (
        "                     Learning iteration {k}/1500\n\n       Computation: 79754 steps/s (collection: 1.1s, learning 0.1s)\n"
        "             Mean action noise std: 0.{n}\n          Mean value_function loss: {v}\n               Mean surrogate loss: -0.00{n}\n"
        "                       Mean reward: {r}.50\n               Mean episode length: {r}7.00\n" + "-" * 80 + "\n"
    )
    run = read(tmp_path, "train.log", "".join(block.format(k=k, n=9 - k, v=2.5 - 0.1 * k, r=k) for k in range(7)))
    assert run.series["reward"].y.tolist() == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5]
    assert {"value_loss", "policy_loss", "action_std", "episode_length"} <= run.series.keys()


def test_one_block_with_an_infinite_value_loss_is_a_log(tmp_path: Path) -> None:
    """What is pasted is often the last block alone."""
    text = "  Learning iteration 8391/10000\n  Computation: 14963 steps/s (collection: 6.4s, learning\n0.163s)\n  Value function loss: inf\n  Surrogate loss: 0.0000\n"
    report = nndoctor.diagnose(read(tmp_path, "train.log", text))
    assert report.primary is not None
    assert report.primary.name == "nan-loss"


def test_an_excerpt_of_later_epochs_begins_late(tmp_path: Path) -> None:
    """Steps that restart in each epoch: a log of epochs 147 to 149 is the middle of a run, and its level no plateau."""
    line = "2023/06/09 22:0{}:41 - mmengine - INFO - Epoch(train) [{}][{}/351] lr: 2.3e-03 time: 1.01 loss: 0.4{}"
    rows = [line.format(k, 147 + k // 3, 100 * (k % 3 + 1), 65 + k % 4) for k in range(8)]
    run = read(tmp_path, "train.log", "\n".join(rows))
    assert any("the beginning of the run is missing" in note for note in run.notes)
    assert not [f.name for f in nndoctor.diagnose(run).findings if f.severity != "info"]
