"""Columns that today's frameworks log in addition to losses: reinforcement and preference learning, generators, experts, speed.

The names are those of TRL, verl, OpenRLHF, Stable-Baselines3, CleanRL, RLlib, rl_games, Tianshou, DeepSpeed, Megatron, NeMo,
torchtitan, Ultralytics and of the usual GAN, VAE and contrastive scripts, in lower case joined by underscores.
"""

from __future__ import annotations

import re
from functools import lru_cache

from nndoctor.readers.vocabulary.spellings import SPLITS, spelling_table

SERIES = spelling_table(
    """
    reward: training_reward scores objective_rlhf_reward rlhf_reward reward_score env_reward_mean ppo_mean_scores score_mean rewards_mean reward_mean rewards_iter rewards_step mean_episodic_return ret
    reward_std: reward_std rewards_std env_reward_std ppo_std_scores score_std group_reward_std
    zero_spread_groups: frac_reward_zero_std reward_zero_std_frac frac_zero_std zero_std_ratio dead_groups zero_advantage_ratio
    kl: kl kl_mean mean_kl kl_divergence kl_loss_ref kl_ref ref_kl kl_to_ref reference_kl reverse_kl reward_kl_penalty rollout_kl kl_div actor_kl_loss kld
    approx_kl: approx_kl approxkl approxkl_avg approx_kl_divergence ppo_kl policykl mean_kl_loss kl_old_new policy_kl
    entropy: entropy entropy_avg policy_entropy mean_entropy entropy_mean token_entropy actor_entropy_loss dist_entropy action_entropy
    entropy_loss: entropy_loss loss_ent ent_loss entropy_objective
    clip_fraction: clip_fraction clipfrac clip_frac clipfrac_avg pg_clipfrac clip_ratio_region_mean clip_ratio ppo_clip_ratio clip_fraction_mean clipped_fraction
    explained_variance: explained_variance explained_var vf_explained_var explained_variance_mean
    value_loss: cri value_loss vf_loss critic_loss v_loss c_loss loss_vf loss_value_avg value_avg value_function_loss loss_critic td_loss qf_loss qf1_loss q_loss critic1_loss td_error vf_loss_unclipped loss_v
    policy_loss: pg policy_loss policy_gradient_loss pg_loss actor_loss a_loss loss_policy_avg policy_avg act_loss loss_actor loss_clip loss_pg loss_pi surrogate_loss mean_surrogate_loss
    q_values: q_values qf1_values qf2_values mean_q q_mean q_value mean_q_value
    completion_length: completions_mean_length completion_length mean_completion_length response_length_mean response_length mean_response_length completion_length_mean gen_length glen
    clipped_completions: completions_clipped_ratio response_length_clip_ratio clipped_ratio truncated_ratio truncate_ratio truncation_ratio clip_ratio_response truncated_fraction completion_truncation_rate response_clip_ratio truncated_completions
    episode_length: ep_len_mean ep_len episodic_length episode_len_mean episode_length episode_lengths_step episode_lengths_iter eplenmean episode_length_mean
    exploration_rate: exploration_rate
    action_std: action_std policy_std action_noise_std mean_action_noise_std mean_action_std
    real_score: d_x d_real_mean d_real_score real_score score_real d_of_x d_real_prob real_logit d_logits_real
    fake_score: d_g_z d_gz d_g_z1 d_fake_mean d_fake_score fake_score score_fake d_of_g_z d_fake_prob fake_logit d_logits_fake
    discriminator_accuracy: discriminator_accuracy d_acc d_accuracy disc_acc disc_accuracy discriminator_acc
    generator_accuracy: generator_accuracy g_acc g_accuracy gen_acc gen_accuracy generator_acc
    embedding_std: embedding_std emb_std feature_std z_std repr_std representation_std output_std std_of_embeddings features_std embed_std avg_output_std proj_std collapse_level
    effective_rank: effective_rank rankme eff_rank embedding_rank feature_rank
    reconstruction: recons_loss recon reconstruction recons recon_error reconstruction_error recon_mse recon_bce
    active_units: active_units au n_active_units active_latents active_dims
    codebook_perplexity: codebook_perplexity vq_perplexity codebook_usage code_usage code_perplexity
    sample_diversity: sample_diversity diversity ms_ssim_diversity modes modes_covered n_modes coverage mode_coverage num_modes sample_std gen_std fake_std
    fid: fid fid_score fid50k frechet_inception_distance fid50k_full fid_50k fid10k fid5k
    beta: beta kl_weight kl_beta kl_coef_vae anneal kl_anneal beta_kl kl_annealing
    throughput: tps_tokens_s tokens_per_sec tokens_per_second tok_sec tokens_s tokens_per_s tps tok_per_sec samples_per_sec samples_per_second examples_per_sec images_per_sec img_per_sec imgs_per_sec it_s its_per_sec steps_per_sec steps_per_second throughput perf_throughput sps fps time_fps train_samples_per_second train_tokens_per_second tokens_sec samples_sec samples_s ips step_fps tgs tokens_per_gpu_per_second iters_per_sec batches_per_sec batches_per_second train_speed train_speed_iter_s speed_iter_s iter_s it_sec
    step_time: step_time iter_time time_per_step step_seconds step_time_s iteration_time time_per_iteration train_step_timing timing_s_step perf_time_per_step seconds_per_step sec_per_step step_time_ms iter_time_ms step_ms dt dt_ms elapsed_time_per_iteration_ms elapsed_time_per_iteration batch_time train_step_timing_in_s time_per_iter step_duration
    data_time: dataloader_wait dataloader_wait_ms dataloader_wait_s data_time data_loading_time dataloader_time data_wait data_wait_time time_data data_load_time dataload_time load_time data_s data_time_ms data_ms loader_time data_loading_s data_wait_s data_loading
    memory: memory_gi_b max_mem max_memory_gb memory_max_active_gi_b max_active_gi_b max_reserved_gi_b gpu_mem gpu_mem_gb gpu_memory gpu_memory_gb memory mem mem_gb memory_gb memory_mb gpu_mem_mb max_memory peak_memory peak_mem_gb peak_mem cuda_memory memory_allocated max_memory_allocated max_memory_allocated_gb max_memory_reserved_gb memory_max_active_gib memory_allocated_gb rss rss_mb rss_gb cpu_mem cpu_memory_gb cpu_mem_gb perf_max_memory_allocated_gb vram vram_gb host_memory_gb memory_gib gpu_memory_mb ram_gb ram_mb cpu_memory process_memory_mb peak_memory_mb ram_percent mem_mb current_active_mem current_allocated_mem current_alloc_mem peak_active_mem peak_allocated_mem peak_alloc_mem current_reserved_mem peak_reserved_mem cuda_memory_allocated_gb
    general_loss: general_loss wikitext_loss wikitext2_loss c4_loss pile_loss fineweb_loss replay_loss retention_loss old_task_loss
    router_entropy: router_entropy gate_entropy routing_entropy expert_entropy load_entropy
    balance_loss: load_balancing_loss aux_loss balance_loss lb_loss load_balance_loss moe_aux_loss router_aux_loss moe_loss load_balancing
    expert_peak: max_vio maxvio max_violation expert_load_max max_expert_load max_load load_max load_max_over_mean max_load_over_mean max_over_mean_load peak_load max_load_ratio expert_load_imbalance load_imbalance max_expert_fraction
    dropped_tokens: drop_fraction dropped_tokens token_drop_rate drop_rate tokens_dropped overflow_fraction drop_frac dropped_fraction
    dead_experts: dead_experts num_dead_experts unused_experts
    """
)
# Folders of tags that say where a number comes from, not what it is.
FOLDERS = re.compile(
    r"^(results|train|trainer|rollout|actor|critic|losses|loss|objective|policy|ppo|val|env|info|learners?|default_policy|learner_stats|shared_policy|main"
    r"|charts|metrics|metric|performance|perf|stats|update"
    r"|time|timing_s|memory|throughput|system|moe|experts?|router|gan|env_runners|disc|gen|agent|val_core|optim|speed|timing)_(?=.)"
)
EXPERT = re.compile(
    r"^(?:.*_)?(?:expert|experts)(?:_(?:load|frac|fraction|usage|util|share|tokens|count|prob))?_(\d+)(?:_(?:load|frac|fraction|usage|share|tokens|count|prob))?$"
)
EXPERT_LOAD = re.compile(r"^(?:.*_)?(?:load|usage|tokens_per_expert|expert_load|load_e|load_expert)_(?:e)?(\d+)$")
RANK_TIME = re.compile(
    r"^(?:.*_)?rank_?(\d+)_(?:step_time|iter_time|time|step_time_s|step_s|ms)$|^(?:step_time|iter_time|time)(?:_s|_ms)?_rank_?(\d+)$"
)
PREFERENCE = re.compile(
    r"^(?:train_|eval_|val_|valid_|test_)?(?:rewards?(?:_train|_eval)?_(chosen|rejected|margins?|accurac(?:y|ies))|(chosen|rejected|reject)_rewards?|logps?(?:_train|_eval)?_(chosen|rejected))$"
)
NO_LOSS = frozenset({"sample_diversity", "fid"})  # `loss_coverage` is a loss of its own
# Columns about the machine, not the training.
MACHINE = frozenset({"throughput", "step_time", "data_time", "memory"})


@lru_cache(maxsize=4096)
def meaning_in_frameworks(name: str) -> tuple[str, str] | None:
    """The split and our name of a column that these frameworks log, or None.

    >>> meaning_in_frameworks("rollout_entropy"), meaning_in_frameworks("actor_ppo_kl"), meaning_in_frameworks("eval_rewards_chosen"), meaning_in_frameworks("moe_expert_3_load")
    (('', 'entropy'), ('', 'approx_kl'), ('validation', 'rewards_chosen'), ('', 'expert_load_3'))
    """
    if (liked := PREFERENCE.match(name)) is not None:
        return _preference(name, liked)
    if (expert := EXPERT.match(name) or EXPERT_LOAD.match(name)) is not None:
        return "", f"expert_load_{int(expert[1])}"
    if (rank := RANK_TIME.match(name)) is not None:
        return "", f"step_time_rank_{int(rank[1] or rank[2])}"
    split, name = _held_out(name)
    of_loss = "loss" in name
    while name not in SERIES:
        shorter = FOLDERS.sub("", name, count=1)
        if shorter == name:
            return None
        name = shorter
    return None if of_loss and SERIES[name] in NO_LOSS else (split, SERIES[name])


def _held_out(name: str) -> tuple[str, str]:
    """The split that a name begins with, where that is not training, and the rest; `val/clipfrac` of TRL's PPO is of training."""
    head, _, tail = name.partition("_")
    if SPLITS.get(head) in ("validation", "test") and tail and not tail.startswith(("clipfrac", "ratio")):
        return SPLITS[head], tail
    return "", name


def _preference(name: str, liked: re.Match[str]) -> tuple[str, str]:
    held_out = name.startswith(("eval_", "val_", "valid_", "test_")) or "_eval_" in name
    what = "logps" if liked[3] else "rewards"
    kind = liked[1] or liked[2] or liked[3]
    ours = {"reject": "rejected", "margin": "margins", "accuracy": "accuracies"}.get(kind, kind)
    return "validation" if held_out else "", f"{what}_{ours}"


MAX_NUMBERED = 512  # experts and ranks that are kept apart
WITHOUT_SPLIT = frozenset(
    (
        *SERIES.values(),
        *(f"{what}_{which}" for what in ("rewards", "logps") for which in ("chosen", "rejected")),
        *(f"{what}_{k}" for what in ("expert_load", "step_time_rank") for k in range(MAX_NUMBERED)),
        "rewards_margins",
        "rewards_accuracies",
        "total_loss",
    )
)
