"""Other kinds of training: fine-tuning, reinforcement learning, generators, encoders, mixtures of experts."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from nndoctor.lab.lesson import Lesson, Loop, Outcome
from nndoctor.lab.workloads import encoders, generators, group_policy, language

TUNED = {
    "step": "step", "epoch": "epoch", "loss": "loss", "grad_norm": "grad_norm", "lr": "learning_rate", "eval_loss": "eval_loss",
}  # fmt: skip
PLAYED = {
    "step": "step", "loss": "loss", "grad_norm": "grad_norm", "kl": "kl", "entropy": "entropy", "clip": "clip_ratio/region_mean",
    "reward": "reward", "reward_std": "reward_std", "dead": "frac_reward_zero_std", "length": "completions/mean_length",
    "cut": "completions/clipped_ratio",
}  # fmt: skip
ADVERSARIAL = {"step": "step", "d_loss": "d_loss", "g_loss": "g_loss", "d_x": "D(x)", "d_gz": "D(G(z))"}
ENCODED = {"epoch": "epoch", "loss": "train_loss", "rec": "train_recon_loss", "kl": "train_kl_loss", "val": "val_loss"}
SEEN = {"epoch": "epoch", "loss": "train_loss_ssl", "std": "representation_std", "knn": "val_knn_top1"}
ROUTED = {"step": "step", "loss": "train_loss", "peak": "max_load_over_mean"} | {
    f"load_{k}": f"expert_{k}_fraction" for k in range(4)
}

SENTENCES = language.Tuning(examples=600, epochs=1, batch=8, rate=3e-3, evaluations=3, pretraining=120)
ANSWERS = group_policy.Setup(steps=50, prompts=8)
ADVERSARIES = generators.Gan(steps=300, log=6)
CODES = generators.Vae(epochs=12)
VIEWS = encoders.Contrastive(epochs=12, rate=3e-3)
MIXTURE = encoders.Experts(steps=160, experts=4, balance=2.0)

LESSONS = (
    Lesson(
        "sft-overfitting", "Fine-tuning for many epochs on few examples memorizes them",
        "Tune for one or two epochs on many examples, and keep the checkpoint with the best evaluation.", "Ouyang et al., 2022, arXiv:2203.02155",
        Loop("with 24 examples for 25 epochs", partial(language.tuned, s=replace(SENTENCES, examples=24, epochs=25, evaluations=1)), TUNED),
        Loop("with 600 examples once", partial(language.tuned, s=SENTENCES), TUNED),
        (Outcome("eval_loss", "validation loss", 0.1, higher=False),), ("overtraining", "high-variance", "memorization-staircase"),
    ),
    Lesson(
        "entropy-collapse", "A policy that is sure too early stops learning",
        "Keep the learning rate of policies low and their entropy above zero until the reward is high.", "Yu et al., DAPO, 2025, arXiv:2503.14476",
        Loop("with an entropy penalty", partial(group_policy.train, setup=replace(ANSWERS, lr=0.02, beta=0.0, entropy_bonus=-0.6)), PLAYED),
        Loop("without", partial(group_policy.train, setup=ANSWERS), PLAYED),
        (Outcome("entropy", "entropy", 0.2),), ("entropy-collapse", "no-reward-signal"),
    ),
    Lesson(
        "discriminator-wins", "A discriminator that never errs teaches the generator nothing",
        "Balance the two sides: fewer or slower steps of the discriminator, or a bound on its slope.", "Arjovsky and Bottou, 2017, arXiv:1701.04862",
        Loop("with a fast discriminator", partial(generators.gan, s=replace(ADVERSARIES, rates=(2e-3, 1e-5))), ADVERSARIAL),
        Loop("with equal rates", partial(generators.gan, s=ADVERSARIES), ADVERSARIAL),
        (Outcome("D(G(z))", "score of generated pictures", 0.1),), ("discriminator-wins",),
    ),
    Lesson(
        "posterior-collapse", "A KL term that is too heavy empties the codes of a VAE",
        "Lower the weight of the KL term, or raise it from zero over the first epochs.", "Bowman et al., 2016, arXiv:1511.06349",
        Loop("with weight 30", partial(generators.vae, s=replace(CODES, beta=30.0)), ENCODED),
        Loop("with weight 1", partial(generators.vae, s=CODES), ENCODED),
        (Outcome("train_kl_loss", "information in the codes (nats)", 1.0),), ("posterior-collapse",),
    ),
    Lesson(
        "representation-collapse", "Two views agree on one point where nothing keeps the embeddings apart",
        "Use negatives, a stop-gradient with a predictor, or a term for the variance.", "Chen and He, SimSiam, 2020, arXiv:2011.10566",
        Loop("without negatives and stop-gradient", partial(encoders.contrastive, s=replace(VIEWS, simsiam=True, stop_gradient=False)), SEEN),
        Loop("with negatives (SimCLR)", partial(encoders.contrastive, s=VIEWS), SEEN),
        (Outcome("representation_std", "spread of the embeddings", 0.05),), ("representation-collapse",),
    ),
    Lesson(
        "expert-collapse", "Without a balancing loss one expert gets all the inputs",
        "An expert that is chosen more often learns faster and is chosen even more: add a load-balancing loss.", "Shazeer et al., 2017, arXiv:1701.06538",
        Loop("without balancing", partial(encoders.experts, s=replace(MIXTURE, balance=0.0, start_bias=3.0)), ROUTED),
        Loop("with it", partial(encoders.experts, s=MIXTURE), ROUTED),
        (Outcome("max_load_over_mean", "load of the busiest expert over the mean", 1.0, higher=False),), ("expert-collapse",),
    ),
)  # fmt: skip
