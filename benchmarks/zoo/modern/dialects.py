"""The runs as their frameworks would log them: the same numbers under the names, in the files and to the digits of each."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence

Rows = Sequence[Mapping[str, float]]

TRL_GRPO = {
    "loss": "loss", "grad_norm": "grad_norm", "lr": "learning_rate", "length": "completions/mean_length",
    "longest": "completions/max_length", "cut": "completions/clipped_ratio", "reward": "reward", "reward_std": "reward_std",
    "dead": "frac_reward_zero_std", "kl": "kl", "entropy": "entropy", "clip": "clip_ratio/region_mean",
}  # fmt: skip
VERL = {
    "entropy": "actor/entropy", "kl": "actor/kl_loss", "loss": "actor/pg_loss", "clip": "actor/pg_clipfrac", "ppo_kl": "actor/ppo_kl",
    "grad_norm": "actor/grad_norm", "lr": "actor/lr", "reward": "critic/rewards/mean", "length": "response_length/mean",
    "longest": "response_length/max", "cut": "response_length/clip_ratio",
}  # fmt: skip
SB3 = {
    "reward": "rollout/ep_rew_mean", "step": "time/total_timesteps", "approx_kl": "train/approx_kl", "clip": "train/clip_fraction",
    "entropy_loss": "train/entropy_loss", "explained_variance": "train/explained_variance", "lr": "train/learning_rate",
    "loss": "train/loss", "policy_loss": "train/policy_gradient_loss", "value_loss": "train/value_loss",
}  # fmt: skip
CLEANRL = {
    "step": "global_step", "reward": "charts/episodic_return", "lr": "charts/learning_rate", "value_loss": "losses/value_loss",
    "policy_loss": "losses/policy_loss", "entropy": "losses/entropy", "approx_kl": "losses/approx_kl", "clip": "losses/clipfrac",
    "explained_variance": "losses/explained_variance",
}  # fmt: skip
RLLIB = {
    "step": "timesteps_total", "reward": "env_runners/episode_return_mean", "loss": "learners/default_policy/total_loss",
    "policy_loss": "learners/default_policy/policy_loss", "value_loss": "learners/default_policy/vf_loss",
    "entropy": "learners/default_policy/entropy", "approx_kl": "learners/default_policy/mean_kl_loss",
    "explained_variance": "learners/default_policy/vf_explained_var",
}  # fmt: skip


def named(rows: Rows, names: Mapping[str, str], digits: int = 6) -> list[dict[str, float]]:
    """Each row under a framework's names, in significant digits."""
    return [{theirs: short(row[ours], digits) for ours, theirs in names.items() if ours in row} for row in rows]


def short(value: float, digits: int) -> float:
    """A number in that many significant digits."""
    return float(f"{value:.{digits}g}")


def trainer_state(rows: Sequence[Mapping[str, float]], epochs: float = 1.0) -> str:
    """A `trainer_state.json` of the Hugging Face trainer."""
    last = max(row["step"] for row in rows)
    history = [{**row, "epoch": round(epochs * row["step"] / last, 4)} for row in rows]
    return json.dumps(
        {"epoch": epochs, "global_step": last, "is_world_process_zero": True, "log_history": history, "max_steps": last}
    )


def table(rows: Sequence[Mapping[str, float]]) -> str:
    """A CSV file."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, names)
    writer.writeheader()
    writer.writerows({name: row.get(name, "") for name in names} for row in rows)
    return out.getvalue()


def lines(rows: Sequence[Mapping[str, float]]) -> str:
    """One JSON object a line."""
    return "\n".join(json.dumps(row) for row in rows) + "\n"


def verl(rows: Rows) -> str:
    """What verl prints, a line for each step."""
    told = zip(rows, named(rows, VERL), strict=True)
    return (
        "\n".join(f"step:{int(row['step'])} - " + " - ".join(f"{k}:{v}" for k, v in one.items()) for row, one in told)
        + "\n"
    )


def trl_grpo(rows: Rows) -> str:
    """TRL's group-relative trainer."""
    renamed = named(rows, TRL_GRPO)
    return trainer_state([{**one, "step": int(row["step"])} for row, one in zip(rows, renamed, strict=True)])


def printed(rows: Rows) -> str:
    """What the Hugging Face trainer prints."""
    told = named(rows, TRL_GRPO, 4)
    return "\n".join(str({**one, "epoch": round(k / len(told), 2)}) for k, one in enumerate(told, 1)) + "\n"


def sb3(rows: Rows) -> str:
    """Stable-Baselines3's progress.csv."""
    return table(named([{**row, "entropy_loss": -row["entropy"]} for row in rows], SB3))


def sb3_printed(rows: Rows) -> str:
    """Stable-Baselines3's table in the terminal."""
    out = []
    for row in named([{**row, "entropy_loss": -row["entropy"]} for row in rows], SB3, 3):
        out.append("-" * 44)
        folder = ""
        for name, value in sorted(row.items()):
            if name.split("/")[0] != folder:
                folder = name.split("/")[0]
                out.append(f"| {folder + '/':<24}|{'':<16}|")
            out.append(f"|    {name.split('/')[1]:<21}| {value:<15}|")
    return "\n".join([*out, "-" * 44]) + "\n"


def cleanrl(rows: Rows) -> str:
    """CleanRL's scalars as a table."""
    return table(named(rows, CLEANRL))


def rllib(rows: Rows) -> str:
    """RLlib's result.json."""
    return lines(named(rows, RLLIB))


def renamed(names: Mapping[str, str]) -> Callable[[Rows], str]:
    """A writer of tables under other names."""
    return lambda rows: table(named(rows, names, 5))


def dcgan(rows: Rows) -> str:
    """What PyTorch's DCGAN example prints."""
    return "".join(
        f"[{int(r['epoch'])}/60][{int(r['step']) % 28}/28]\tLoss_D: {r['d_loss']:.4f}\tLoss_G: {r['g_loss']:.4f}"
        f"\tD(x): {r['d_x']:.4f}\tD(G(z)): {r['d_gz']:.4f}\n"
        for r in rows
    )


GAN = {
    "epoch": "epoch",
    "step": "step",
    "d_loss": "D_loss",
    "g_loss": "G_loss",
    "d_x": "D_x",
    "d_gz": "D_G_z",
    "spread": "sample_std",
}
VAE = {"epoch": "epoch", "loss": "train_loss", "rec": "recon_loss", "kl": "kl_loss", "beta": "beta", "val": "val_loss"}
VAE_SHORT = {
    "epoch": "epoch",
    "loss": "loss",
    "rec": "train/recon",
    "kl": "train/kl",
    "val_rec": "val/recon",
    "val_kl": "val/kl",
}
DIFFUSERS = {"step": "step", "loss": "loss", "grad_norm": "grad_norm", "lr": "learning_rate"}
SIMCLR = {
    "epoch": "epoch",
    "loss": "train/nt_xent_loss",
    "top1": "train/top1",
    "std": "embedding_std",
    "knn": "val/knn_acc",
}
SIMCLR_SHORT = {"epoch": "epoch", "loss": "contrastive_loss", "std": "feature_std", "knn": "knn_acc"}
EXPERTS = {
    "step": "step",
    "loss": "loss",
    "aux": "aux_loss",
    "entropy": "router_entropy",
    **{f"load_{k}": f"expert_{k}_load" for k in range(8)},
}
EXPERTS_SHORT = {"step": "step", "loss": "lm_loss", "aux": "load_balancing_loss", "peak": "max_load_over_mean"}
SFT = {
    "step": "step",
    "epoch": "epoch",
    "loss": "loss",
    "grad_norm": "grad_norm",
    "lr": "learning_rate",
    "eval_loss": "eval_loss",
}
DPO = {
    "step": "step", "loss": "loss", "grad_norm": "grad_norm", "lr": "learning_rate", "chosen": "rewards/chosen",
    "rejected": "rewards/rejected", "accuracy": "rewards/accuracies", "margin": "rewards/margins",
    "logps_chosen": "logps/chosen", "logps_rejected": "logps/rejected",
}  # fmt: skip


def hugging(names: Mapping[str, str]) -> Callable[[Rows], str]:
    """A writer of trainer states."""
    return lambda rows: trainer_state(named(rows, names, 5), max(r.get("epoch", 1.0) for r in rows))


def hugging_printed(names: Mapping[str, str]) -> Callable[[Rows], str]:
    """A writer of what the Hugging Face trainer prints."""

    def write(rows: Rows) -> str:
        told = named(rows, {k: v for k, v in names.items() if k != "step"}, 4)
        return (
            "\n".join(
                str({**one, "epoch": round(r.get("epoch", r["step"] / rows[-1]["step"]), 2)})
                for r, one in zip(rows, told, strict=True)
            )
            + "\n"
        )

    return write


# The writers of each kind of run, by the first word of a case's name.
WRITERS: dict[str, tuple[tuple[str, Callable[[Rows], str]], ...]] = {
    "grpo": ((".json", trl_grpo), (".log", verl), (".txt", printed)),
    "ppo": ((".csv", sb3), (".csv", cleanrl), (".json", rllib), (".log", sb3_printed)),
    "a2c": ((".csv", sb3), (".csv", cleanrl)),
    "dqn": ((".csv", renamed({"step": "time/total_timesteps", "reward": "rollout/ep_rew_mean", "loss": "train/loss", "exploration": "rollout/exploration_rate", "lr": "train/learning_rate"})),
            (".csv", renamed({"step": "global_step", "reward": "charts/episodic_return", "loss": "losses/td_loss", "q": "losses/q_values"}))),
    "gan": ((".csv", renamed(GAN)), (".log", dcgan)),
    "vae": ((".csv", renamed(VAE)), (".csv", renamed(VAE_SHORT))),
    "diffusion": ((".csv", renamed(DIFFUSERS)), (".json", hugging(DIFFUSERS))),
    "simclr": ((".csv", renamed(SIMCLR)), (".csv", renamed(SIMCLR_SHORT))),
    "moe": ((".csv", renamed(EXPERTS)), (".csv", renamed(EXPERTS_SHORT))),
    "sft": ((".json", hugging(SFT)), (".txt", hugging_printed(SFT))),
    "dpo": ((".json", hugging(DPO)), (".txt", hugging_printed(DPO))),
}  # fmt: skip
