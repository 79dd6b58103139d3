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
