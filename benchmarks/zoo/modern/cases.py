"""The planted faults and their healthy twins: what each run is to be called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from benchmarks.zoo.modern import action_values, policy_gradient
from benchmarks.zoo.modern.digits import digits
from nndoctor.lab.workloads import encoders, generators, group_policy, language

G, P = group_policy.Setup(), policy_gradient.Setup(iterations=40, epochs=4)

Rows = list[dict[str, float]]


@dataclass(frozen=True)
class Case:
    """One run: how it is made, and the findings that are right; none where it is healthy."""

    name: str
    make: Callable[[int], Rows]
    right: tuple[str, ...] = ()


GROUP = {
    "grpo_healthy": (G, ()),
    "grpo_healthy_slow": (replace(G, lr=1e-3, steps=120), ()),
    "grpo_healthy_strong_kl": (replace(G, beta=0.1, entropy_bonus=0.01), ()),
    "grpo_healthy_hard": (replace(G, reward="strict", lr=2e-3), ()),
    "grpo_never_paid": (replace(G, reward="never", steps=100), ("no-reward-signal",)),
    "grpo_always_paid": (replace(G, reward="constant", steps=100), ("no-reward-signal",)),
    "grpo_too_hard": (replace(G, reward="strict", target_length=11, steps=100), ("no-reward-signal",)),
    "grpo_paid_by_length": (replace(G, reward="length", beta=0.0), ("truncated-completions",)),
    "grpo_rate_too_high": (replace(G, lr=0.08, beta=0.0, epochs=4), ("policy-update-too-large", "entropy-collapse", "kl-blow-up", "no-reward-signal", "reward-collapse")),
    "grpo_entropy_penalty": (replace(G, lr=0.02, beta=0.0, entropy_bonus=-0.6), ("entropy-collapse", "no-reward-signal")),
    "grpo_reward_turns": (replace(G, lr=0.01, flip_at=60), ("reward-collapse",)),
}  # fmt: skip
PLAY = {
    "ppo_healthy": (P, ()),
    "ppo_healthy_walk": (replace(P, task="walk"), ()),
    "ppo_healthy_slow": (replace(P, lr=1e-3), ()),
    "a2c_healthy": (replace(P, a2c=True, iterations=200, length=16), ()),
    "ppo_rate_too_high": (replace(P, lr=0.1), ("policy-update-too-large", "entropy-collapse", "reward-collapse", "kl-blow-up")),
    "ppo_unclipped": (replace(P, clip=10.0, lr=0.02, epochs=10, norm=100.0), ("policy-update-too-large", "reward-collapse", "kl-blow-up", "entropy-collapse")),
    "ppo_no_value": (replace(P, value_lr=0.0), ("value-function-unfit",)),
    "ppo_reward_unscaled": (replace(P, reward_scale=1000.0), ("value-function-unfit",)),
    "ppo_rate_jumps": (replace(P, lr_jump=(22, 50.0)), ("reward-collapse", "policy-update-too-large", "entropy-collapse", "kl-blow-up")),
    "ppo_entropy_penalty": (replace(P, entropy=-0.5, lr=0.01), ("entropy-collapse", "reward-collapse")),
    "ppo_wrong_sign": (replace(P, sign=-1.0), ("reward-collapse", "entropy-collapse")),
}  # fmt: skip
N, V, F, C, E = (
    generators.Gan(),
    generators.Vae(),
    generators.Diffusion(),
    encoders.Contrastive(),
    encoders.Experts(),
)
gan, vae, diffusion = (partial(make, data=digits) for make in (generators.gan, generators.vae, generators.diffusion))
contrastive, experts = (partial(make, data=digits) for make in (encoders.contrastive, encoders.experts))
Q = action_values.Setup()
T, L = language.Tuning(), language.Preference()
MADE: dict[str, tuple[Callable[..., Rows], object, tuple[str, ...]]] = {
    "gan_healthy": (gan, N, ()),
    "gan_healthy_least_squares": (gan, replace(N, least_squares=True), ()),
    "gan_strong_discriminator": (gan, replace(N, rates=(2e-3, 1e-5), rounds=3), ("discriminator-wins",)),
    "gan_saturating": (gan, replace(N, saturating=True, rates=(1e-3, 1e-4), rounds=2), ("discriminator-wins",)),
    "gan_narrow_generator": (gan, replace(N, width=(256, 4), rates=(1e-3, 1e-3)), ("discriminator-wins", "mode-collapse")),
    "gan_one_noise": (gan, replace(N, blind=True), ("mode-collapse", "discriminator-wins")),
    "vae_healthy": (vae, V, ()),
    "vae_healthy_annealed": (vae, replace(V, anneal=15), ()),
    "vae_healthy_weak": (vae, replace(V, beta=0.3), ()),
    "vae_beta_large": (vae, replace(V, beta=30.0), ("posterior-collapse",)),
    "vae_mean_pixels": (vae, replace(V, mean_pixels=True), ("posterior-collapse", "loss-wrongly-scaled")),
    "vae_blind": (vae, replace(V, blind=True), ("posterior-collapse",)),
    "diffusion_healthy": (diffusion, F, ()),
    "diffusion_healthy_wide": (diffusion, replace(F, width=256, rate=5e-4), ()),
    "diffusion_rate_too_high": (diffusion, replace(F, rate=0.3), ("diverged", "lr-too-high", "plateau-at-start", "stuck-at-chance", "loss-spikes")),
    "diffusion_stuck": (diffusion, replace(F, rate=1e-8), ("plateau-at-start", "stuck-at-chance", "lr-too-low")),
    "simclr_healthy": (contrastive, C, ()),
    "simclr_no_stop_gradient": (contrastive, replace(C, simsiam=True, stop_gradient=False, rate=3e-3), ("representation-collapse",)),
    "moe_healthy": (experts, replace(E, balance=2.0, experts=4), ()),
    "moe_healthy_strong": (experts, replace(E, balance=4.0, experts=4, rate=1e-3), ()),
    "moe_unbalanced": (experts, replace(E, balance=-0.02, start_bias=1.0), ("expert-collapse",)),
    "moe_biased": (experts, replace(E, balance=0.0, start_bias=3.0), ("expert-collapse",)),
    "dqn_healthy": (action_values.train, Q, ()),
    "dqn_healthy_walk": (action_values.train, replace(Q, task="walk", steps=1200), ()),
    "dqn_rate_too_high": (action_values.train, replace(Q, rate=0.1, huber=False, clip=1e9), ("diverged", "value-function-unfit", "reward-collapse", "no-reward-signal", "plateau-at-start", "lr-too-high")),
    "dqn_no_target": (action_values.train, replace(Q, target_every=0, discount=1.02, rate=3e-3, huber=False, clip=1e9), ("diverged", "value-function-unfit", "reward-collapse", "no-reward-signal", "plateau-at-start")),
    "dqn_no_exploration": (action_values.train, replace(Q, explore=(0.0, 0.0), rate=1e-5), ("no-reward-signal", "plateau-at-start", "entropy-collapse", "lr-too-low")),
    "dqn_unpaid": (action_values.train, replace(Q, task="walk", explore=(0.02, 0.02), paid=0.0, steps=1200), ("no-reward-signal", "reward-collapse", "plateau-at-start")),
    "sft_healthy": (language.tuned, T, ()),
    "sft_healthy_adapter": (language.tuned, replace(T, rank=4, rate=5e-3), ()),
    "sft_few_examples": (language.tuned, replace(T, examples=32, epochs=30, batch=8, rate=2e-3), ("overtraining", "high-variance", "memorization-staircase")),
    "sft_rate_too_high": (language.tuned, replace(T, rate=0.1, warmup=0.02, clip=100.0), ("diverged", "lr-too-high", "loss-spikes")),
    "sft_rate_too_low": (language.tuned, replace(T, rate=2e-6), ("lr-too-low", "not-converged", "plateau-at-start")),
    "sft_scaled": (language.tuned, replace(T, scale=8.0), ("loss-wrongly-scaled",)),
    "sft_resumed": (language.tuned, replace(T, jump=0.5, evaluations=4), ("resume-jump", "loss-spikes", "diverged")),
    "dpo_healthy": (language.preferred, replace(L, rate=3e-5, chosen_term=0.2), ()),
    "dpo_healthy_gentle": (language.preferred, replace(L, rate=1e-5, steps=120), ()),
    "dpo_displaced": (language.preferred, replace(L, rate=3e-3, alike=True), ("likelihood-displacement", "preference-saturated")),
    "dpo_rate_too_high": (language.preferred, replace(L, rate=1e-2), ("likelihood-displacement", "preference-saturated", "lr-too-high", "diverged")),
    "dpo_still": (language.preferred, replace(L, rate=1e-9), ("plateau-at-start", "stuck-at-chance", "no-weight-changes", "lr-too-low")),
    "dpo_too_long": (language.preferred, replace(L, rate=1e-3, pairs=24, steps=300), ("preference-saturated", "likelihood-displacement")),
}  # fmt: skip


def cases() -> Iterator[Case]:
    """All of them."""
    for name, (setup, right) in GROUP.items():
        yield Case(name, partial(_of, group_policy.train, setup), right)
    for name, (game, right) in PLAY.items():
        yield Case(name, partial(_of, policy_gradient.train, game), right)
    for name, (maker, how, right) in MADE.items():
        yield Case(name, partial(_of, maker, how), right)


def _of(maker: Callable[..., Rows], how: object, seed: int) -> Rows:
    return maker(seed, how)
