"""The kind of training is recognized by columns and values, and judged by what is normal in it."""

from __future__ import annotations

import json

import numpy as np
import pytest

import nndoctor
from nndoctor.core.errors import UsageError
from nndoctor.core.finding import Severity
from nndoctor.core.run import Run

STEPS = 60
T = np.linspace(0, 1, STEPS)
NOISE = np.random.default_rng(0).normal(size=(8, STEPS))


def falling(first, last, noise=0.01, row=0):
    """A loss that falls, with a little noise."""
    return last + (first - last) * np.exp(-4 * T) + noise * NOISE[row]


GRPO = {
    "reward": 0.2 + 0.6 * T + 0.03 * NOISE[0],
    "reward_std": 0.35 - 0.1 * T,
    "frac_reward_zero_std": 0.1 + 0.1 * T,
    "kl": 0.001 + 0.1 * T,
    "entropy": 1.2 - 0.4 * T,
    "completions/mean_length": 220 + 10 * NOISE[1],
    "completions/clipped_ratio": np.full(STEPS, 0.02),
    "loss": 0.001 * NOISE[2],
}
PPO = {
    "rollout/ep_rew_mean": 20 + 170 * T + 3 * NOISE[0],
    "train/approx_kl": 0.008 + 0.002 * NOISE[1],
    "train/clip_fraction": 0.1 + 0.02 * NOISE[2],
    "train/entropy_loss": -0.69 + 0.2 * T,
    "train/explained_variance": 0.1 + 0.8 * T,
    "train/value_loss": 40 + 5 * NOISE[3],
}
DPO = {
    "loss": 0.69 - 0.4 * T,
    "rewards/chosen": -0.2 * T,
    "rewards/rejected": -2.5 * T,
    "rewards/margins": 2.3 * T,
    "rewards/accuracies": 0.5 + 0.4 * T,
}
GAN = {
    "D_loss": 1.1 + 0.15 * NOISE[0],
    "G_loss": 1.4 + 0.3 * NOISE[1],
    "D_x": 0.7 + 0.05 * NOISE[2],
    "D_G_z": 0.3 + 0.05 * NOISE[3],
}
VAE = {
    "train_loss": falling(38, 25),
    "recon_loss": falling(36, 20),
    "kl_loss": 2 + 3 * T,
    "val_loss": falling(38, 25.5),
}
DIFFUSION = {"step_loss": 0.12 + 0.8 * np.exp(-40 * T) + 0.02 * NOISE[0], "lr/unet": np.full(STEPS, 1e-4)}
CONTRASTIVE = {"nt_xent_loss": falling(5.5, 4.2), "embedding_std": 0.1 + 0.05 * T, "top1": 0.05 + 0.2 * T}
EXPERTS = {"loss": falling(5, 3), **{f"expert_{k}_load": 0.25 + 0.02 * NOISE[k] for k in range(4)}}
DETECTOR = {"train/box_loss": falling(1.5, 0.9), "train/cls_loss": falling(2, 0.8), "metrics/mAP50(B)": 0.1 + 0.5 * T}
TUNING = {
    "loss": falling(1.8, 1.2),
    "learning_rate": 2e-4 * (1 - T),
    "grad_norm": 0.9 + 0.05 * NOISE[0],
    "eval_loss": falling(1.8, 1.3, 0),
}

HEALTHY = {
    "reinforcement-learning": (GRPO, PPO),
    "preference-learning": (DPO,),
    "gan": (GAN,),
    "vae": (VAE,),
    "diffusion": (DIFFUSION,),
    "contrastive": (CONTRASTIVE,),
    "detection": (DETECTOR,),
    "fine-tuning": (TUNING,),
}
CASES = [(kind, columns) for kind, logs in HEALTHY.items() for columns in logs]
SICK = [
    ("entropy-collapse", GRPO, {"entropy": 1.2 * np.exp(-6 * T), "reward": 0.2 + 0.1 * T, "reward_std": 0.35 - 0.3 * T}),
    ("kl-blow-up", GRPO, {"kl": 0.02 * np.exp(8 * T)}),
    ("reward-collapse", GRPO, {"reward": np.where(T < 0.6, 0.2 + 0.8 * T, 0.02)}),
    ("no-reward-signal", GRPO, {"reward": 0 * T, "reward_std": 0 * T, "frac_reward_zero_std": 0 * T + 1}),
    ("truncated-completions", GRPO, {"completions/clipped_ratio": 0.02 + 0.9 * T}),
    ("policy-update-too-large", PPO, {"train/approx_kl": 0.3 + 0.1 * NOISE[0]}),
    ("value-function-unfit", PPO, {"train/explained_variance": -0.5 + 0.05 * NOISE[0]}),
    ("likelihood-displacement", DPO, {"rewards/chosen": -12 * T, "rewards/rejected": -20 * T, "rewards/margins": 8 * T}),
    ("preference-saturated", DPO, {"rewards/margins": 30 * T, "rewards/accuracies": np.minimum(1, 0.5 + T), "loss": 0.69 * np.exp(-9 * T)}),
    ("discriminator-wins", GAN, {"D_loss": 0.01 + 0 * T, "G_loss": 9 + 0 * T, "D_x": 0.99 + 0 * T, "D_G_z": 0.01 + 0 * T}),
    ("posterior-collapse", VAE, {"kl_loss": 3 * np.exp(-12 * T)}),
    ("representation-collapse", CONTRASTIVE, {"embedding_std": 0.15 * np.exp(-5 * T)}),
    ("expert-collapse", EXPERTS, {f"expert_{k}_load": (1 - 0.75 * (1 - T) if k == 0 else 0.25 * (1 - T)) for k in range(4)}),
    ("forgetting", TUNING, {"eval_general_loss": 2.1 + 1.2 * T}),
    ("throughput-falls", TUNING, {"tokens_per_sec": np.where(T < 0.5, 50_000, 24_000.0)}),
    ("memory-grows", TUNING, {"gpu_mem_gb": 20 + 40 * T}),
    ("data-loader-bottleneck", TUNING, {"data_time": 0.35 + 0 * T, "step_time": 0.5 + 0 * T}),
    ("slow-rank", TUNING, {"rank0/step_time": 0.5 + 0 * T, "rank1/step_time": 0.9 + 0 * T, "rank2/step_time": 0.5 + 0 * T}),
]  # fmt: skip


def report(columns, tmp_path, **options):
    """The report on a table of columns."""
    log = tmp_path / "log.csv"
    names = ["step", *columns]
    rows = [[k, *(float(values[k]) for values in columns.values())] for k in range(STEPS)]
    log.write_text("\n".join([",".join(names), *(",".join(f"{v:.6g}" for v in row) for row in rows)]) + "\n")
    return nndoctor.diagnose(log, **options)


@pytest.mark.parametrize(("kind", "columns"), CASES, ids=[f"{kind}-{len(c)}" for kind, c in CASES])
def test_a_workload_is_recognized_and_its_healthy_run_is_quiet(kind, columns, tmp_path):
    """By its columns; no error and no warning."""
    found = report(columns, tmp_path)
    assert found.workload == kind
    assert [f"{f.name}: {f.message}" for f in found.at_least(Severity.WARNING)] == []


@pytest.mark.parametrize(("name", "columns", "changed"), SICK, ids=[name for name, _, _ in SICK])
def test_a_fault_of_a_workload_is_found_by_its_name(name, columns, changed, tmp_path):
    """In an otherwise healthy log one or two columns show the fault."""
    assert name in [f.name for f in report({**columns, **changed}, tmp_path).at_least(Severity.WARNING)]


def test_the_user_can_say_what_kind_of_training_it_is(tmp_path):
    """A diffusion model that only logs `loss` is then not asked for more steps or another rate."""
    columns = {"loss": 0.12 + 0.8 * np.exp(-5 * T)}
    assert report(columns, tmp_path).workload == "supervised"
    assert report(columns, tmp_path, workload="diffusion").workload == "diffusion"
    with pytest.raises(UsageError, match="expected one of supervised"):
        report(columns, tmp_path, workload="difusion")


def test_token_accuracy_is_no_class_accuracy(tmp_path):
    """No bias is read from the accuracy of a language model's tokens."""
    log = tmp_path / "trainer_state.json"
    rows = [
        {"step": k, "loss": float(2 - T[k]), "mean_token_accuracy": float(0.5 + 0.1 * T[k]), "learning_rate": 1e-5}
        for k in range(STEPS)
    ]
    log.write_text(json.dumps({"log_history": rows, "global_step": STEPS}))
    assert not {"high-bias", "bias-unknown"} & {f.name for f in nndoctor.diagnose(log).findings}


def test_columns_called_val_are_not_those_of_the_transformers_trainer():
    """`learning_rate` and `grad_norm` alone do not make a run with a small rate one of fine-tuning."""
    log = {
        "epoch": list(range(STEPS)),
        "loss": falling(2.1, 1.6),
        "learning_rate": [7e-4] * STEPS,
        "grad_norm": [2.8] * STEPS,
    }
    assert nndoctor.diagnose({**log, "val_loss": falling(2.2, 1.7)}).workload == "supervised"
    assert nndoctor.diagnose({**log, "eval_loss": falling(2.2, 1.7)}).workload == "fine-tuning"


@pytest.mark.parametrize(
    ("loss", "found"),
    [
        (1 - 0.16 * T + 0.005 * NOISE[0], ["not-converged"]),
        (falling(1, 0.3), []),
        (1 - 0.002 * T + 0.005 * NOISE[0], []),
    ],
    ids=["straight", "slows down", "flat"],
)
def test_a_denoising_loss_that_falls_in_a_straight_line_has_only_begun(loss, found):
    """The prognosis does not cover diffusion; the shape of the curve shows a learning rate that is too low."""
    log = {"step": 50 * np.arange(1, STEPS + 1), "loss": loss}
    names = [f.name for f in nndoctor.diagnose(log, workload="diffusion").at_least(Severity.WARNING)]
    assert [name for name in names if name == "not-converged"] == found


def test_a_reward_that_fell_is_compared_with_the_level_of_the_first_ones():
    """The first reward alone is an outlier here."""
    reward = np.concatenate([20 + 160 * T + 3 * NOISE[0], 25 + 3 * NOISE[1]])
    reward[0] = -60
    found = nndoctor.diagnose({"step": np.arange(2 * STEPS), "rollout/ep_rew_mean": reward}).findings
    assert [f.name for f in found] == ["reward-collapse"]
    assert 20 < found[0].evidence["start"] < 35


@pytest.mark.parametrize(("names", "kind"), [("train error|test error", "supervised"), ("train-error|eval-error", "boosting"), ("merror|val_merror", "boosting")])  # fmt: skip
def test_an_error_rate_beside_a_loss_makes_no_boosted_trees(names, kind):
    train, held_out = names.split("|")
    log = {
        "epoch": np.arange(STEPS),
        "loss": falling(2, 0.5),
        train: falling(0.6, 0.1),
        held_out: falling(0.65, 0.15, row=1),
    }
    assert nndoctor.diagnose(log).workload == kind


def test_a_loss_that_stays_at_the_logarithm_of_the_other_views_of_a_batch_is_a_collapse() -> None:
    accuracy = "0.0018 0.0023 0.002 0.0015 0.0021 0.0018 0.0019 0.0016 0.0022 0.0024"
    run = Run.drawn(train_loss="6.2564 6.23638 6.23637 6.23639*7", train_accuracy=accuracy)
    report = nndoctor.diagnose(run)
    assert report.primary is not None
    assert report.primary.name == "representation-collapse"
    assert "6.236 = ln 511" in report.primary.message


SOLVED = {"reward": "20..470*30", "clip_fraction": "0.1*30", "value_loss": "40*29 186"}


def test_a_value_function_that_fitted_before_the_task_was_solved_is_no_fault() -> None:
    run = Run.drawn(
        {"task": "reinforcement-learning"}, explained_variance="0.1 0.3 0.8*5 0.9 0.96 0.04*20 0.002", **SOLVED
    )
    assert "value-function-unfit" not in [found.name for found in nndoctor.diagnose(run).findings]


def test_a_value_function_that_never_fits_is_a_remark_where_the_task_is_solved() -> None:
    run = Run.drawn({"task": "reinforcement-learning"}, explained_variance="0.01*29 0.002", **SOLVED)
    (found,) = [f for f in nndoctor.diagnose(run).findings if f.name == "value-function-unfit"]
    assert found.severity is Severity.INFO
    assert "explained variance ends at 0.002" in found.message
    assert "value loss ends at 186; reward ends at 470" in found.message
