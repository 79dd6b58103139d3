"""What tools print while they train, one of each kind: tables an epoch, bars alone, brackets, other languages."""

from __future__ import annotations

import pytest

import nndoctor
from tests.readers.wild import ALL, HELD, HELD_SHARE, LOSSES, SHARE, TRAIN, N, each, reads_as

VALIDATED = {**LOSSES, "validation/accuracy": HELD_SHARE}
LOGGED = "2026-03-01 10:00:00,714 - INFO - trainer - "

PRINTED = {
    "splits across, metrics down": (
        each(
            f"{LOGGED}Epoch {{k}}/11\naccuracy: 0.1, loss: 9.9 ||: 100%|####| 10/10 [00:02<00:00, 2.04s/it]\n"
            f"{LOGGED}                    Training |  Validation\n{LOGGED}accuracy       |     {{x}}  |     {{y}}\n"
            f"{LOGGED}gpu_memory_MB  |   533.000  |       N/A\n{LOGGED}loss           |     {{a}}  |     {{b}}\n"
        ),
        {"validation/loss": HELD, "validation/accuracy": HELD_SHARE},
    ),
    "splits down, metrics across": (
        each(
            "Epoch {n}\n│ label │   loss │ accuracy │\n╞═══════╪════════╪══════════╡\n│ train │ {a} │ {x} │\n"
            "├───────┼────────┼──────────┤\n│ vali  │ {b} │ {y} │\n├───────┼────────┼──────────┤\n│ test  │ 1.1 │ 0.4 │\n"
        ),
        ALL,
    ),
    "a bar that is never full, its count the step": (
        each("Epoch 0: :  10%|#  | {n}00/12000 [01:10<02:00, 1.5it/s, v_num=3, reduced_train_loss={a}, val_loss={b}]\n"),
        LOSSES,
    ),
    "a bar drawn anew for each step": (each("steps:   5%|#  | {n}/1200 [00:10<01:00,  1.2it/s, avr_loss={a}]\r"), {"train/loss": TRAIN}),
    "the epoch's number before the word": (
        each(
            "[host] 2026-03-01 10:00:00,578 (trainer:486) INFO: {n}epoch:train:1-750batch: iter_time=0.001, loss=9.9, acc=0.1\n"
            "[host] 2026-03-01 10:00:00,378 (trainer:243) INFO: {n}epoch results: [train] iter_time=0.001, loss={a}, acc={x}, "
            "time=1 minute and 42.6 seconds, [valid] cer_ctc=nan, loss={b}, acc={y}, total_count=240\n"
        ),
        ALL,
    ),
    "the loss of a batch in brackets before the mean so far": (
        each(
            "Epoch {k}, batch 50, loss[ctc_loss=1.0, loss=9.9, over 24 frames.], tot_loss[ctc_loss=1.0, loss={a}, over 477013.1 frames.]\n"
            "Epoch {k}, validation: ctc_loss=1.5, loss={b}, over 760000 frames.\n"
        ),
        LOSSES,
    ),
    "batches of an epoch, then the epoch": (
        each("Epoch {n} Batch 0 Loss 4.4 Accuracy 0.0\nEpoch {n} Batch 500 Loss 3.6 Accuracy 0.04\nEpoch {n} Loss {a} Accuracy {x}\n"),
        {"train/loss": TRAIN, "train/accuracy": SHARE},
    ),
    "steps counted at the line's beginning, then the epoch's average": (
        each("epoch {n}/12\n1/40, train_loss: 9.9\n2/40, train_loss: 9.8\nepoch {n} average loss: {a}\n"),
        {"train/loss": TRAIN},
    ),
    "how far the epoch is, between two blanks": (
        each("| epoch {n:03d}  1000 / 8223 loss=9.9 (9.9), wps=962, gnorm=2.1\n| epoch {n:03d} | train loss {a} | words/batch 906\n| epoch {n:03d} | valid loss {b}\n"),
        LOSSES,
    ),
    "a batch in brackets, seconds called cost": (
        each("Epoch[{k}] Batch [100]\tSpeed: 133.5 samples/sec\tTrain-accuracy=0.1\nEpoch[{k}] Train-accuracy={x}\nEpoch[{k}] Time cost=389.6\nEpoch[{k}] Validation-accuracy={y}\n"),
        {"train/accuracy": SHARE, "validation/accuracy": HELD_SHARE},
    ),
    "the step in round brackets": (each("Epoch:[0/19]({n}00/24681) loss:{a} lr:{k} epoch_Time:372.0min:\n"), {"train/loss": TRAIN}),
    "the epoch in round brackets": (each("({n}/12) train loss {a} val loss {b}\n"), LOSSES),
    "two names and two numbers": (each("Epoch {n}, train loss/acc: {a}/{x}, val loss/acc: {b}/{y}\n"), ALL),
    "two splits and two numbers": (each("Epoch {n}: loss (train/val): {a} / {b}\n"), LOSSES),
    "Julia's numbers of 32 bits": (each("epoch = {n}: (train = (loss = {a}f0, acc = {p:.2f}), test = (loss = {b}f0, acc = {q:.2f}))\n"), ALL),
    "a score at an iteration": (each("10:00:00.000 [main] INFO  ScoreIterationListener - Score at iteration {n}00 is {a}\n"), {"train/loss": TRAIN}),
    "the evaluation counts its own batches": (
        each("[batch={n}/12]:\n\t Train loss/train/total: {a}\n[Eval batch=10/10] Eval on eval data:\n\t Eval metrics/eval/LanguageCrossEntropy: {b}\n"),
        LOSSES,
    ),
    "top-1 called precision": (
        each("Epoch: [{k}][0/391]\tLoss 2.4 (2.4)\tPrec@1 9.3 (9.3)\nTest: [0/79]\tLoss 2.1 ({b})\tPrec@1 9.0 (9.0)\n * Prec@1 {q:.3f}\n"),
        {"validation/accuracy": HELD_SHARE},
    ),
    "bars called step, and an evaluation's below its own word": (
        each(
            "Epoch {n}/12\nstep 938/938 [====] - loss: {a} - acc: {x} - 20ms/step\nEval begin...\n"
            "step 157/157 [====] - loss: {b} - acc: {y} - 10ms/step\nEval samples: 10000\n"
        ),
        ALL,
    ),
    "a summary of COCO's": (
        each(
            "Epoch: [{k}]  [59/60]  eta: 0:00:00  loss: {a} ({a})\nIoU metric: bbox\n"
            " Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = {y}\n"
            " Average Precision  (AP) @[ IoU=0.50      | area=   all | maxDets=100 ] = 0.8\n"
            " Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets=  1 ] = 0.3\n"
        ),
        {"train/loss": TRAIN, "validation/map": HELD_SHARE},
    ),
    "headings in brackets": (
        each("Epoch {n} started (10:00)\nMeasures (Train):\n * classif.logloss = {a}\nMeasures (Valid):\n * classif.logloss = {b}\n"),
        LOSSES,
    ),
    "bars that name no step": (
        each("train: [###|] data={n}/10000 loss={a}±0.01 t=00:00:10 ETA=00:10:00\nval:   [###|] data={n}/1000 loss={b}±0.01 t=00:00:10 ETA=00:00:00\n"),
        LOSSES,
    ),
    "a validation that alone has a loss": (
        each("epoch {k}: accuracy: {y} eval_loss: {b}\n"),
        {"validation/loss": HELD, "validation/accuracy": HELD_SHARE},
    ),
    "shares of three splits below a loss": (
        each("Epoch {n:02d}, Loss: {a}, Approx. Train: {x}\nTrain: {x}, Val: {y}, Test: {y}\n"),
        {"train/loss": TRAIN, "train/accuracy": SHARE, "validation/accuracy": HELD_SHARE},
    ),
    "a history that is printed at the end": (f"Training done\n{{'loss': {TRAIN}, 'val_loss': {HELD}}}\n", LOSSES),
    "rows of other things below an epoch": (
        each("Epoch {n:4d}/500  train={a}  val={b}  lr=1e-3\n  velocity   R²=0.9{k}  relL2=0.1\n  pressure   R²=0.8{k}  relL2=0.2\n"),
        LOSSES,
    ),
    "two lines an epoch, a metric each": (
        each("Epoch: {k}\nTrain Loss: {a} | Valid Loss: {b}\nTrain Accuracy: {x} | Valid Accuracy: {y}\n"),
        ALL,
    ),
    "dots after the names of splits": (
        each("Epoch: {n:02} | Epoch Time: 0m 3s\n\tTrain Loss: {a} | Train PPL:  11.1\n\t Val. Loss: {b} |  Val. PPL:  12.1\n"),
        LOSSES,
    ),
    "the step between the name and the number": (each("Train loss {n}00 {a}\nValidation loss {n}00: {b}  \n"), LOSSES),
    "iterations of a phase": (
        each("Iter(train) [ {n}00/40000]  lr: 0.1  data_time: 0.1  loss: {a}  decode.acc_seg: {p:.4f}\nIter(val) [500/500]    aAcc: {q:.4f}  mIoU: {q:.4f}  mAcc: 60.1\n"),
        {"train/loss": TRAIN, "validation/iou": HELD_SHARE, "validation/accuracy": HELD_SHARE},
    ),
    "a loss behind the errors of two splits": (
        each("Epoch {n}: train err {x}, test err {y}, loss {a}\n"),
        {"train/loss": TRAIN, "train/error": SHARE, "validation/error": HELD_SHARE},
    ),
    "decimal commas": (
        each("Dataset used:  Train, Epoch:  {n}, Accuracy:  {x}, Cross-Entropy:  {a}\nDataset used: Validation, Epoch:  {n}, Accuracy:  {y}, Cross-Entropy: {b}\n").replace(".", ","),
        ALL,
    ),
    "a split after the name is that name's": (
        each("Époque {n}/12 - perte : {a} - perte de validation : {b} - exactitude : {x} - exactitude de validation : {y}\n"),
        ALL,
    ),
    "German": (each("Epoche {n}/12: Trainingsverlust {a}, Validierungsverlust {b}, Genauigkeit (Validierung): {q:.2f}%\n"), VALIDATED),
    "a German header": (each("{n};{a};{b}\n", "Epoche;Trainingsverlust;Validierungsverlust\n").replace(".", ","), LOSSES),
    "Spanish": (each("Época {n}: pérdida de entrenamiento = {a}, pérdida de validación = {b}, exactitud de validación = {y}\n"), VALIDATED),
    "Portuguese": (each("Época {n}/12 | Perda de treino: {a} | Perda de validação: {b} | Acurácia: {q:.2f}%\n"), VALIDATED),
    "Russian": (each("Эпоха {n}: потери обучения {a}, потери валидации {b}, точность {y}\n"), LOSSES),
    "Chinese with its own commas": (each("训练轮次：{n}/12，训练集损失：{a}，测试集损失：{b}，训练集准确率：{x}，测试集准确率：{y}\n"), ALL),
    "a Japanese header": (each("{n},{a},{b},{x},{y}\n", "エポック,訓練損失,検証損失,訓練精度,検証精度\n"), ALL),
}  # fmt: skip


@pytest.mark.parametrize("kind", PRINTED)
def test_what_a_tool_prints_is_read_with_the_series_that_it_tells(tmp_path, kind):
    """One run; the series named here hold these values in this order."""
    reads_as(tmp_path / "log.txt", *PRINTED[kind])


def test_epoch_and_batch_in_two_brackets_are_one_axis(tmp_path):
    """DCGAN counts both; the two sides of a GAN are read as such."""
    log = tmp_path / "log.txt"
    log.write_text(
        "".join(f"[{e}/5][{k}/40]\tLoss_D: 0.5\tLoss_G: {1 + k / 9:.3f}\n" for e in range(5) for k in (0, 20))
    )
    (run,) = nndoctor.read(str(log))
    assert run.facts["task"].value == "gan"
    assert len(run.series["generator_loss"]) == 10


def test_losses_that_only_a_game_has_are_read_as_a_game(tmp_path):
    """CycleGAN prints no loss that is understood; what it trains is."""
    log = tmp_path / "loss_log.txt"
    log.write_text(each("(epoch: {n}, iters: 100, time: 0.1) D_A: 0.2 G_A: {a} cycle_A: 1.1 D_B: 0.1 G_B: {b}\n"))
    (run,) = nndoctor.read(str(log))
    assert run.facts["task"].value == "gan"


def test_coco_summaries_have_no_overlap_for_a_metric(tmp_path):
    """The thresholds in the brackets are settings of the metric."""
    log = tmp_path / "log.txt"
    line = " Average Precision  (AP) @[ IoU=0.50:0.95 | area= small | maxDets=100 ] = 0.1\n"
    log.write_text(each("Epoch: [{k}]  [59/60]  loss: {a} ({a})\n" + line))
    (run,) = nndoctor.read(str(log))
    assert set(run.series) == {"train/loss"}


@pytest.mark.parametrize("header", ["class,precision,recall,f1", "precision,recall,f1-score,support"])
def test_tables_of_classes_are_refused(tmp_path, header):
    """A row a class is no row a step."""
    log = tmp_path / "report.csv"
    log.write_text(header + "\n" + "".join(f"{k},0.{k},0.{k},0.{k}\n" for k in range(1, 9)))
    with pytest.raises(nndoctor.core.errors.UnreadableLog, match="one row per class"):
        nndoctor.read(str(log))


def test_a_duration_on_a_clock_is_no_number(tmp_path):
    """01:11:54 is not one second."""
    log = tmp_path / "log.txt"
    log.write_text(each("Epoch {n}: train loss {a}\nEpoch duration: 01:11:{n:02d}\n"))
    (run,) = nndoctor.read(str(log))
    assert set(run.series) == {"train/loss"}


def test_seconds_called_cost_are_no_loss(tmp_path):
    """Time cost, batch cost and reader cost tell of the clock."""
    log = tmp_path / "log.txt"
    log.write_text(each("Epoch[{k}] Time cost=3.{n} batch_cost: 0.5 reader_cost: 0.1 accuracy={x}\n"), encoding="utf-8")
    (run,) = nndoctor.read(str(log))
    assert set(run.series) == {"train/accuracy"}


def test_the_mean_so_far_of_a_bar_is_taken_at_its_count(tmp_path):
    """Steps are the counts, and what is drawn twice for one count counts once."""
    log = tmp_path / "log.txt"
    log.write_text(each("Steps: 1%|#| {n}00/15000 [00:10, loss=9.9]\rSteps: 1%|#| {n}00/15000 [00:11, loss={a}]\r"))
    (run,) = nndoctor.read(str(log))
    series = run.series["train/loss"]
    assert series.steps.tolist() == [100.0 * (k + 1) for k in range(N)]
    assert series.values.tolist() == TRAIN
