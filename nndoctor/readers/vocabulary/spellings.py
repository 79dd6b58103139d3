"""The vocabulary of `names.py`: every spelling seen in logs, in lower case joined by underscores."""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def spelling_table(text: str) -> dict[str, str]:
    """Lines `ours: their spellings` -> {spelling: ours}."""
    pairs = (line.split(":") for line in text.strip().splitlines())
    return {spelling: ours.strip() for ours, spellings in pairs for spelling in spellings.split()}


SPLITS = spelling_table(
    """
    train: entrainement apprentissage train training trn tr learn trl trainset fit entrenamiento treino treinamento entrainement addestramento
    validation: val valid validation dev devel eval evaluation holdout heldout cv vali va vld validacion validacao validierung validierungs validazione convalida
    test: test testing tst te tel testset
    """
)

METRICS = spelling_table(
    """
    loss: loss losses cost nll ce xent cross_entropy crossentropy cross_entropy_loss crossentropyloss ce_loss nll_loss
    loss: nllloss loss_fn objective logloss log_loss mlogloss multi_logloss binary_logloss bce bce_loss criterion
    loss: bce_with_logits loss_value loss_total lm_loss loss_mean mean_loss negative_log_likelihood loss_ce mse_loss
    loss: neg_log_likelihood nlml loss_nlml nlml_loss negative_log_marginal_likelihood neg_mll mseloss l1_loss l1loss huber_loss dice_loss energy lm_cross_entropy loss_avg ctc_loss
    loss: softmax_with_loss softmax_with_loss1 loss_net net_loss tot_loss loss_tot all_loss loss_all sum_loss loss_sum
    loss: loss_curve loss_total_loss perdida perda perte verlust perdita language_cross_entropy softmax_loss squared_error bpc bits_per_character bits_per_byte bpb total_loss categorical_crossentropy
    loss: nt_xent nt_xent_loss ntxent ntxent_loss info_nce info_nce_loss infonce infonce_loss simclr_loss byol_loss simsiam_loss moco_loss vicreg_loss barlow_loss dino_loss mlm_loss clm_loss ssl_loss reduced_train_loss neg_elbo negative_elbo elbo_loss step_loss avr_loss closs loss_current denoising_loss diffusion_loss noise_loss
    loss: sparse_categorical_crossentropy binary_crossentropy cross_entropy_objective trloss ce_mean_words vae_loss loss_vae
    loss: poisson_nloglik gamma_nloglik cox_nloglik aft_nloglik gamma_deviance tweedie_nloglik tweedie_nloglik_at_1_5
    accuracy: accuracy acc top1 top_1 acc1 acc_1 prec1 prec_1 top1_acc acc_top1 top_1_accuracy top1_accuracy acc_at_1
    accuracy: accuracy_top1 accuracy_top_1 categorical_accuracy sparse_categorical_accuracy binary_accuracy accu
    accuracy: accuracy_score exactitud acuracia genauigkeit accuratezza cls_accuracy bin_acc multiclass_accuracy multiclassaccuracy binaryaccuracy accuracies accs
    accuracy: sparse_categorical_acc accuracy1 accuracy_1 token_accuracy mean_token_accuracy pixel_accuracy pixel_acc
    accuracy: correct_rate exact_match prec_at_1 exactitude  masked_accuracy top1acc aacc a_acc oa accuracy01 acc01 acc1_ema precision_at_1 classification_accuracy
    error: fehler fehlerrate err_at_1 erreur errore error err error_rate err_rate class_error merror top1_err top1_error classification_error multi_error
    error: binary_error misclassification top_1_error
    balanced_accuracy: balanced_accuracy bal_acc uar mean_acc bacc mean_class_accuracy mean_class_acc class_accuracy macc m_acc
    f1: f1 f1_score f1score macro_f1 f1_macro micro_f1 f1_micro weighted_f1 f1_weighted f1_global f_score fscore
    f1: fb1 f_measure f1_m f1score_macro macro_f1_score
    dice: dice dice_coef dice_coefficient dice_score mean_dice pseudo_dice dsc average_global_foreground_dice
    dice: dice_similarity dice_coeff
    iou: iou miou mean_iou jaccard jaccard_index iou_score mean_io_u io_u
    map: map map50_95 map_50_95 map_0_5_0_95 bbox_map ap bbox_ap coco_bbox_map mean_average_precision
    map: average_precision ndcg ndcg_at_10 ndcg_at_5 ndcg_at_20 mrr mrr_at_10 mrr_at_5 mrr_at_20 map_at_10 map_at_5 map_at_20
    map50: map50 map_50 map_0_5 bbox_map_50 ap50 bbox_ap50 coco_bbox_map_50
    auc: auc roc_auc auroc auc_roc rocauc auc_score aucroc
    precision: precision prec precision_score precision_m
    recall: recall rec recall_score recall_m sensitivity exhaustividad sensibilidad rappel sensibilite trefferquote revocacao sensibilidade hit_ratio hit_rate hit_ratio_at_10 hit_ratio_at_5 hit_rate_at_10 hit_rate_at_5
    recall: recall_at_1 r_at_1 recall_at_5 r_at_5 recall_at_10 r_at_10 recall_at_20 r_at_20 recall_at_50 recall_at_100
    matthews: mcc matthews matthews_correlation
    correlation: cosine_pearson cosine_spearman pearson_cosine spearman_cosine pearson spearman spearmanr pearsonr correlation corr
    r2: r2 r2_score r_squared rsquared r2score
    bleu: bleu sacrebleu bleu4 bleu_4 bleu_score
    rouge: rouge rouge_l rougel rouge1 rouge_1 rouge2 rouge_lsum rougelsum
    word_error: wer wer_transducer wer_ctc word_error_rate per
    character_error: cer cer_transducer cer_ctc char_error_rate character_error_rate char_error
    top5_accuracy: top5 top_5 acc5 acc_5 prec5 prec_5 top5_acc acc_top5 top_5_accuracy top5_accuracy acc_at_5 prec_at_5 accuracy05 acc05
    top5_accuracy: sparse_top_k_categorical_accuracy top_k_categorical_accuracy accuracy_top5 accuracy_top_5 top5acc
    mae: mae mean_absolute_error l1 absolute_error
    rmse: rmse root_mean_squared_error root_mean_square_error
    mse: mse mean_squared_error l2
    perplexity: perplexity ppl pplx language_perplexity
    psnr: psnr
    ssim: ssim
    """
)

# Measured after an epoch on held-out data only: without a split in the name they belong to validation.
HELD_OUT = _words("map map50 bleu rouge word_error character_error ndcg correlation matthews")

LR = _words(
    "lr learning_rate learningrate lr0 lr_0 lr1 lr2 pg0 pg1 pg2 lr_pg0 lr_pg1 lr_pg2 x_lr0 x_lr1 x_lr2 base_lr "
    "lr_group_0 learning_rate_0 optim_lr optim0_lr0 current_lr last_lr lrate lr_abs "
    "actor_lr cur_lr act_lr info_last_lr last_lr policy_lr epoch_lr epoch_learning_rate base_learning_rate learn_rate cur_lr lr_cur learning_rates scheduler_lr lernrate"
)
GRAD_NORM = _words(
    "grad_norm gradnorm gradient_norm total_grad_norm global_grad_norm optim_total_grad_norm grad_norm_total norm_grad "
    "gnorm grad_norm_l2 gradient_norm_l2 total_norm actor_grad_norm grad_gnorm policy_grad_norm gradients_default_optimizer_global_norm grdn norm"
)
# How half precision fares: the factor of its loss, and the steps that it lost.
PRECISION = {
    **dict.fromkeys(_words("loss_scale lossscale loss_scaler loss_scaling grad_scale amp_scale amp_loss_scale scaler_scale"), "loss_scale"),
    **dict.fromkeys(_words("number_of_nan_iterations nan_iterations nan_iters"), "nan_iterations"),
    **dict.fromkeys(_words("number_of_skipped_iterations skipped_iterations skipped_iters skipped_steps"), "skipped_iterations"),
}  # fmt: skip
EPOCH_TIME = _words(
    "epoch_time time_per_epoch epoch_time_s epoch_seconds epoch_duration sec_per_epoch epoch_time_sec epoch_time_seconds "
    "seconds_per_epoch time_epoch s_per_epoch time_this_epoch time_for_epoch"
)
EPOCH = _words(
    "epoch epochs ep epoch_num epoch_number num_epoch epoch_idx epoch_id cur_epoch current_epoch n_epoch epoch_index "
    "data_epoch logs_epoch epoche epoca epoque epoka epok epoch_no epoch_epoch train_epoch trainer_epoch epch"
)
STEP = _words(
    "step steps global_step current_step current_steps iter iteration iterations it iters update updates num_updates nupdates trainer_global_step "
    "total_steps n_step n_iter num_iter batch_idx training_step iteration_number step_num train_step global_iter batch_id "
    "train_global_step boosting_round round batches tree trees total_timesteps time_total_timesteps "
    "progress_kimg progress_tick kimg schritt paso etape training_iteration num_env_steps_sampled_lifetime timesteps_total"
)

# Columns that tell the time. Seconds since the run, or since 1970, began; the first that never goes back is taken.
ELAPSED = (
    "elapsed", "elapsed_time", "elapsed_s", "elapsed_sec", "elapsed_seconds", "time_elapsed", "total_time", "total_seconds",
    "runtime", "wall_time", "walltime", "wall_clock", "time_total_s", "time", "time_s", "seconds", "timestamp",
)  # fmt: skip
# Seconds that one row took.
EACH = ("epoch_time", "epoch_time_s", "epoch_seconds", "epoch_duration", "step_time", "time_this_iter_s", "duration")

# Settings: facts of a run where they stay the same in all its rows; an empty name is understood, and no fact.
FACTS = {
    **dict.fromkeys(("optimizer", "optim", "optimiser", "opt"), "optimizer"),
    **dict.fromkeys(("batch_size", "train_batch_size", "bs", "batchsize"), "batch_size"),
    **dict.fromkeys(("num_classes", "n_classes", "classes", "num_labels", "n_class", "nclasses"), "num_classes"),
    **dict.fromkeys(("model", "model_name", "arch", "architecture", "backbone", "net", "network"), "model"),
    **dict.fromkeys(("weight_decay", "wd"), "weight_decay"),
    **dict.fromkeys(("dropout", "dropout_rate"), "dropout"),
    **dict.fromkeys(("n_parameters", "num_parameters", "n_params", "num_params"), "n_parameters"),
    **{name: name for name in ("momentum", "seed", "dataset", "activation")},
    **dict.fromkeys(("run", "run_id", "run_name", "name", "fold", "trial", "experiment", "exp_name"), ""),
    **dict.fromkeys(("method", "params", "hyperparameters", "sample", "sample_id", "example", "example_id"), ""),
    **dict.fromkeys(("image", "image_id", "image_name", "file", "file_name", "filename", "uid", "uuid"), ""),
}
# Columns whose value is a run's own: where one of them changes, another run's rows begin.
RUN_KEYS = _words("run run_id run_name trial trial_id fold seed experiment exp_name")
# Columns that say of which split the row is.
PHASES = _words("type kind phase split mode subset stage partition set")

NOT_LOSS = re.compile(r"(^|_)((batch|reader|data|time)_cost|cost_time|cost_s)(_|$)")  # Paddle's and MXNet's seconds
GROUPS = _words("loss losses acc accuracy accuracies error errors")  # folders of TensorBoard tags
NOISE = _words(
    "mean avg average running smoothed smooth epoch step total per set main metrics metric overall global value values "
    "current data mini minibatch raw last on the and of pct percent percentage iter batch get keras score fn func log logs scalars dataloader idx"
    " reduced avr cur curr clean combined classif regr ssl de del des der di da do la en sur bei auf"
)
# Parts of a loss that add up to it.
PARTS = _words(
    "box obj cls dfl seg pose kobj bbox rpn ce bce giou iou mask class classification reg regression loc localization "
    "conf confidence objectness noobj xy wh angle dice kl kld rec recon reconstruction l1 mse aux mlm nsp sop itc itm "
    "lm ctc att attention commit commitment vq contrastive triplet center focal smooth kpt keypoint edge regions"
)
# A loss by a name of the log's own, as it is spelled in code: `f_cyc_loss`, `loss_pix`, `PerceptualLoss`.
OWN_LOSS = re.compile(
    r"(?:[A-Za-z0-9]+[_/.-])+loss(?:es)?(?:[_/.-][A-Za-z0-9]+)*|loss(?:es)?(?:[_/.-][A-Za-z0-9]+)+|[A-Z][a-z][A-Za-z]*Loss"
)
# Words of such names that tell a setting, a summary or a loss of another kind.
NO_OWN_LOSS = _words(
    "best min max lowest highest minimum maximum prev previous initial init target scale scaler scaling weight weights weighted "
    "coef coefficient ratio threshold patience count num n factor lambda std var fn type name delta diff change "
    "improvement gap rate packet packets frame path insertion hearing blood stop heat power water profit gain realized unrealized tax trading "
    "loan capital mass transmission return per time ms norm grad limit worst"
)

KNOWN = re.compile(
    r"(^|_)(time|runtime|seconds?|secs?|s|eta|timestamp|date|datetime|elapsed|duration|walltime|wall|memory|mem|gpu|cpu"
    r"|speed|throughput|samples_per|steps_per|flos|flops|tokens|mfu|ms|fps|hours|minutes|examples_seen|bad_epochs)(_|$)"
    r"|_per_(sec|second|s)$|^(unnamed_\d+|index|)$"
)
# Counts of frameworks: understood, and no series.
COUNTS = _words(
    "v_num percentage consumed_samples consumed_tokens global_batch_size total_weights skipped num_tokens num_input_tokens_seen lrm tflops avg_samples "
    "total_count logits_chosen logits_rejected dur ts clip wps ups wpb bsz train_clip train_wps train_ups train_wpb train_bsz valid_wps valid_wpb valid_bsz "
    "gb_free train_gb_free num_updates"
)
_SIDE = "d|g|dis|disc|discriminator|gen|generator|critic|adv|adversarial"
GENERATOR = re.compile(r"^(loss_)?(g|gen|generator)(_total)?(_loss)?$|^(err_?g|gloss|g_gan|generated_loss)$")
DISCRIMINATOR = re.compile(r"^(loss_)?(d|dis|disc|discriminator)(_total)?(_loss)?$|^(err_?d|dloss)$")
CRITIC = re.compile(r"^(loss_critic|critic_loss|critic)(_total)?$")
ADVERSARIAL = re.compile(
    rf"^(loss_)?({_SIDE}|g_gan|d_real|d_fake)(_(loss|gan|adv|x|y|real|fake|a|b|total))*$|^err_?[dg]$|^[dg]loss$"
    r"|^generated_loss$"
)
OF_EXAMPLES = re.compile(
    r"^(loss_(real|fake)|(real|fake)_loss)$"
)  # parts of a discriminator's loss, next to an adversary
REWARD = re.compile(
    r"^(rollout_|env_runners_|evaluation_|charts_|sampler_results_|train_|eval_)?(episodic_returns?|ep_rew_mean|eprewmean|episode_rewards?(_mean)?|ep_rewards?|mean_(episode_)?rewards?|avg_rewards?"
    r"|(train_|eval_|test_)?rewards?(_mean)?|mean_return|episode_return(_mean)?|ep_return(_mean)?|average_?return|average_?ep_?ret|ep_?ret|return|critic_(?:rewards|score)_mean"
    r"|mean_\d+_episode_rewards?|mean_?rew|ep_r|average_rewards?|total_rewards?|average_returns?|returns_mean|(train_|test_|eval_|rollout_)?success_rate|avg_ep_r|r|rew)$"
)
REWARD_OF_ONE = re.compile(r"^(avg|mean|average)_(?!chosen|reject)[a-z]+_(reward|return)$")  # of several agents
# What a game's score is called in tables of its episodes, the most telling first, and its mean over several.
SCORES = ("avg_score", "average_score", "mean_score", "score", "total_score", "max_score")
MEAN_SCORE = re.compile(r"^(moving|running|rolling)_(avg|average|mean)(_\d+)?(_(eps|episodes?))?(_score)?$")
PLAYING = re.compile(
    r"(^|_)(ep_rew|eprewmean|ep_len|episode_rewards?|episode_return|episodic_return|ep_return|episode_length|rollout|rewards?|returns?(?!_code)"
    r"|return_history|policy_loss|policy_gradient_loss|surrogate_loss|value_loss|value_function_loss|q_loss|td_error|loss_actor|actor_loss|(?<!cross_)entropy_loss"
    r"|explained_variance|loss_critic)(_|$)"
)
