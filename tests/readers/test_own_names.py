"""Losses by names of a script's own, names that the columns beside them explain, and lines that say two things at once."""

from __future__ import annotations

import pytest

import nndoctor
from nndoctor.analysis.start import begins_late
from nndoctor.core.errors import UnreadableLog
from nndoctor.readers.io.source import Source
from nndoctor.readers.vocabulary.names import Kind, meaning_of


def read(text, name="log.txt"):
    """The only run in a text."""
    (run,) = nndoctor.read(Source(name, text.encode()))
    return run


def held(run):
    """The run's series and their values."""
    return {name: series.values.tolist() for name, series in run.series.items()}


@pytest.mark.parametrize("name", ["f_cyc_loss", "l_g_pix", "loss_pix", "PerceptualLoss", "losses/mel_loss"])
def test_a_loss_by_a_name_of_the_log_s_own_is_a_part_of_the_loss(name):
    assert meaning_of(name).kind is Kind.PART


@pytest.mark.parametrize(
    "name",
    [
        "best_val_loss",
        "packet_loss",
        "loss_weight",
        "loss_scale_factor",
        "stop_loss",
        "l_rate",
        "weight loss",
        "eval_news_loss",
    ],
)
def test_a_setting_a_summary_and_another_kind_of_loss_are_none(name):
    assert meaning_of(name).kind is not Kind.PART


def test_parts_by_unknown_names_add_up_where_no_loss_is_logged():
    run = read("step,slf_loss,cyc_loss\n1,2.0,3.0\n2,1.5,2.5\n3,1.0,2.0\n", "loss.csv")
    assert held(run)["train/loss"] == [5.0, 4.0, 3.0]


def test_a_coverage_loss_is_no_measure_of_diversity():
    assert meaning_of("loss_coverage").metric == "coverage_loss"
    assert meaning_of("mode_coverage").metric == "sample_diversity"


def test_the_fid_of_a_generator_is_read_where_nothing_else_is_logged():
    lines = [
        f'{{"results": {{"fid50k_full": {fid}}}, "metric": "fid50k_full", "num_gpus": 1}}\n'
        for fid in (310.5, 120.25, 80.0)
    ]
    assert held(read("".join(lines), "metric.jsonl"))["fid"] == [310.5, 120.25, 80.0]


def test_r_beside_f1_is_the_recall_not_the_reward():
    lines = [f"epoch {k} train_loss 0.{9 - k} val_loss 0.{9 - k} P 0.{k} R 0.{k + 1} F1 0.{k}\n" for k in range(1, 7)]
    run = read("".join(lines))
    assert "validation/recall" in run.series
    assert "reward" not in run.series


def test_rec_and_total_beside_a_divergence_are_those_of_a_vae():
    lines = [f"Epoch 1, Step {k}00: Rec=0.{9 - k}5, KL=12.{k}, Total=13.{9 - k}\n" for k in range(1, 7)]
    series = read("".join(lines)).series
    assert {"reconstruction", "kl", "train/loss"} <= series.keys()


def test_the_rewards_of_several_agents_are_rewards():
    rows = "".join(f"{k},28,{k}.5,0.0\n" for k in range(1, 7))
    run = read(f"Episode,Avg length,Avg prey reward,Avg predator reward\n{rows}", "log.csv")
    assert held(run)["reward"] == [k + 0.5 for k in range(1, 7)]


def test_a_step_and_its_loss_before_a_bar_count_although_the_bar_is_under_way():
    lines = [
        f"Training Epoch: 1/3, step {k}/36 completed (loss: 0.{9 - k}5):  33%|###   | 3/9 [03:17<06:31, 65.28s/it]\n"
        for k in range(1, 7)
    ]
    assert held(read("".join(lines)))["train/loss"] == [0.85, 0.75, 0.65, 0.55, 0.45, 0.35]


def test_a_line_said_again_below_a_heading_is_of_the_heading_s_split():
    text = "".join(
        f"epoch: {k},  loss is: {2 / k:.3f}, acc is: 0.{k}\ntesting in eval mode......\nepoch: {k},  loss is: {3 / k:.3f}, acc is: 0.{k}\nNow continue training......\n"
        for k in range(1, 7)
    )
    series = held(read(text))
    assert series["train/loss"][0] == 2.0
    assert series["validation/loss"][0] == 3.0
    assert len(series["validation/loss"]) == 6


def test_of_two_full_bars_of_an_epoch_the_second_is_validation():
    text = "".join(
        f"Epoch: {k} | LR: 0.001\nProcessing |####| (3708/3708) Batch: 0.2s | Loss: 0.{9 - k} | Acc:  0.{k}\n"
        f"Processing |####| (493/493) Batch: 0.1s | Loss: 1.{9 - k} | Acc:  0.0{k}\n"
        for k in range(1, 7)
    )
    series = held(read(text))
    assert series["train/loss"] == [0.8, 0.7, 0.6, 0.5, 0.4, 0.3]
    assert series["validation/loss"] == [1.8, 1.7, 1.6, 1.5, 1.4, 1.3]
    assert series["validation/accuracy"][-1] == 0.06


def test_a_printed_table_that_was_cut_off_above_is_no_table_with_a_header():
    table = "| rollout/ | |\n|    ep_rew_mean | {k}.5 |\n|    ep_len_mean | 200 |\n| train/ | |\n|    loss | 0.{k} |\n-------------\n"
    text = "|    loss | 0.9 |\n|    n_updates | 40 |\n|    value_loss | 22.1 |\n-------------\n" + "".join(
        "-------------\n" + table.format(k=k) for k in range(1, 6)
    )
    run = read(text)
    assert run.format == "ruled-tables"
    assert held(run)["reward"] == [1.5, 2.5, 3.5, 4.5, 5.5]


def test_losses_of_a_block_keep_their_names():
    block = (
        "Learning iteration {k}/100\n  Value function loss: 0.5\n  Surrogate loss: -0.01\n  Amp loss: 0.{k}\n"
        "  Grad penalty loss: 0.1\n  Mean reward: {k}.25\n"
    )
    series = held(read("".join(block.format(k=k) for k in range(1, 8))))
    assert series["reward"] == [k + 0.25 for k in range(1, 8)]
    assert series["value_loss"] == [0.5] * 7
    assert "train/loss" not in series


def test_one_line_of_a_loss_that_is_not_a_number_is_a_log_and_no_header():
    run = read("Epoch: 0/2, train loss: nan, train accuracy: 0.10688, valid loss: nan, valid accuracy: 0.10680\n")
    assert len(run.series["train/loss"].values) == 1


def test_a_fit_of_one_epoch_in_a_loop_counts_the_epochs_of_the_loop():
    text = "".join(
        f"augmenting train!\nEpoch 1/1\n360/360 [==============================] - 11s 31ms/step - loss: 1.{9 - k}5 - accuracy: 0.{k}5\n  curr val acc: 0.{k}\n"
        for k in range(1, 7)
    )
    run = read(text)
    assert run.series["train/loss"].steps.tolist() == [1, 2, 3, 4, 5, 6]
    assert held(run)["validation/accuracy"] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]


def test_the_mean_reciprocal_rank_of_a_recommender_is_a_metric_of_validation():
    text = "".join(
        f"epoch {k} training [time: 20.51s, train loss: {30 - k}.5]\nvalid result: \nrecall@10 : 0.1{k}    mrr@10 : 0.3{k}    ndcg@10 : 0.2{k}\n"
        for k in range(1, 7)
    )
    series = held(read(text))
    assert series["validation/map"] == [0.31, 0.32, 0.33, 0.34, 0.35, 0.36]


def test_bars_of_a_late_epoch_begin_in_the_middle_of_a_run():
    text = "".join(
        f"Epoch 476:   {k}%|#   | {k}/79 [00:00<01:00,  1.29it/s, loss=16.{8 + k % 2}, v_num=1]\n" for k in range(1, 13)
    )
    run = read(text)
    assert begins_late(run) is not None
    assert any("epoch 476" in note for note in run.notes)


def test_the_fids_of_several_models_are_no_run():
    with pytest.raises(UnreadableLog):
        read("model,FID\nddpm,3.2\nstylegan,2.8\nvqgan,11.1\n", "results.csv")


def test_a_line_about_testing_something_else_is_no_heading():
    lines = ["Testing the connection to the server\n", *(f"loss: 0.{9 - k}\n" for k in range(1, 7))]
    assert "train/loss" in read("".join(lines)).series


def test_a_score_of_boosted_trees_that_rises_is_no_loss():
    lines = [f"{k}:\tlearn: 0.9{k}05\ttest: 0.8{k}02\tbest: 0.88\ttotal: {k}s\tremaining: 9s\n" for k in range(1, 7)]
    series = held(read("".join(lines)))
    assert series["train/auc"] == [0.9105, 0.9205, 0.9305, 0.9405, 0.9505, 0.9605]
    assert "train/loss" not in series


def test_a_loss_of_boosted_trees_stays_a_loss():
    lines = [
        f"{k}:\tlearn: 0.{9 - k}5\ttest: 0.{9 - k}8\tbest: 0.38\ttotal: {k}s\tremaining: 9s\n" for k in range(1, 7)
    ]
    assert held(read("".join(lines)))["train/loss"][0] == 0.85


def test_the_short_names_of_openrlhf_are_those_of_reinforcement_learning():
    lines = [
        f"Train epoch [1/1]:  {k}0%|#   | {k}/10 [00:10<00:20,  1.2s/it, pg=-0.0{k}, ret=0.{k}5, glen=200.1, tlen=300.2, kl=0.00{k}, act_lr=1e-6, cri=0.{k}3, vals=0.1]\n"
        for k in range(1, 9)
    ]
    run = read("".join(lines))
    assert run.facts["task"].value == "reinforcement-learning"
    assert held(run)["reward"][:2] == [0.15, 0.25]
    assert held(run)["value_loss"][:2] == [0.13, 0.23]


def test_a_perplexity_beside_a_reconstruction_is_that_of_the_codes():
    """As the example notebook of VQ-VAE prints it: the perplexity rises as more codes are used."""
    lines = (
        f"{100 * k} iterations\nrecon_error: {0.4 / k:.3f}\nperplexity: {400 - 380 / k:.3f}\n" for k in range(1, 12)
    )
    series = held(read("\n".join(lines)))
    assert series["codebook_perplexity"][-1] == 365.455
    assert series["train/loss"] == series["reconstruction"]


def test_a_perplexity_by_itself_stays_that_of_the_next_token():
    series = held(read("\n".join(f"iter {k}: perplexity: {90 - k}" for k in range(12))))
    assert "codebook_perplexity" not in series


@pytest.mark.parametrize(("factor", "derived"), [(1.0, True), (4.0, False)])
def test_a_validation_perplexity_of_the_training_loss_is_a_validation_loss(factor: float, derived: bool) -> None:
    """Toolkits for translation print the training loss of steps and the perplexity of a validation set."""
    text = "\n".join(
        f"Step {100 * k}; loss: {factor * (5 - 0.2 * k):.2f}\nValidation perplexity: {180 * 0.8**k:.2f}"
        for k in range(1, 12)
    )
    assert ("validation/loss" in held(read(text))) is derived


def test_bits_per_byte_next_to_a_loss_per_token_are_a_metric_of_their_own() -> None:
    text = "\n".join(
        f"step {50 * k} | loss: {3 + 7 / (k + 1):.4f}\nstep {50 * k} | Validation bpb: {0.9 + 2 / (k + 1):.4f}"
        for k in range(12)
    )
    found = held(read(text))
    assert "validation/loss" not in found
    assert found["validation/bits_per_byte"][-1] == 1.0667
    alone = held(read(text.replace("| loss", "| train bpb")))
    assert {"train/loss", "validation/loss"} <= alone.keys()


def test_an_elided_article_is_no_discriminator() -> None:
    text = "\n".join(
        f"Époque {k} : perte d'entraînement {2 / k:.3f}, perte de validation {2.2 / k:.3f}" for k in range(1, 9)
    )
    found = held(read(text))
    assert "discriminator_loss" not in found
    assert found["train/loss"][-1] == 0.25
    assert found["validation/loss"][-1] == 0.275
