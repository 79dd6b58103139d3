"""One run, written by every writer of text that is known, is one run: the same series with the same values."""

from __future__ import annotations

import numpy as np
import pytest

from tests.readers.one_run import FORMS, RATE, RIGHT, TLA, TRAIN, VALID, N, read_as_given

BAR = "100%|██████████|"
BUSY = " 40%|████      |"


def each(line, start=1, head="", tail=""):
    """A line for each epoch; `{k}` counts them from `start`, `{t}`, `{v}`, `{a}`, `{r}` are its numbers, `{p}` percent."""
    body = "".join(
        line.format(k=k + start, s=100 * (k + 1), t=t, v=v, a=a, r=r, p=round(100 * a, 2), n=N, i=k)
        for k, (t, v, a, r) in enumerate(zip(TRAIN, VALID, RIGHT, RATE, strict=True))
    )
    return head + body + tail


def ranks(text, many=4):
    """What `many` processes print into one stream, each line as often as there are processes."""
    return "".join(f"[rank{r}]: {line}\n" for line in text.splitlines() for r in range(many))


# name: (text, the series that it tells of)
WRITERS: dict[str, tuple[str, str]] = {
    "print": (each("Epoch {k}: train loss {t}, val loss {v}, val acc {a}\n"), TLA),
    "print, percent": (each("epoch {k} | train loss {t} | val loss {v} | val acc {p}%\n"), TLA),
    "print, equals": (each("[{k}/{n}] train_loss={t} val_loss={v} val_acc={a}\n"), TLA),
    "print, brackets": (each("Epoch [{k}/{n}], Train Loss: {t}, Val Loss: {v}, Val Accuracy: {p}%\n"), TLA),
    "print, two lines": (each("Epoch {k}/{n}\n----------\ntrain Loss: {t} Acc: 0.5\nval Loss: {v} Acc: {a}\n\n"), TLA),
    "print, tabs": (each("Epoch: {k} \tTraining Loss: {t} \tValidation Loss: {v}\n"), "train/loss validation/loss"),
    "print, lr": (each("Epoch {k:03d}, lr: {r}, loss: {t}, val_loss: {v}\n"), "train/loss validation/loss lr"),
    "logging": (each("2024-05-01 12:00:0{i},123 - INFO - Epoch {k}: train_loss={t}, val_loss={v}, val_acc={a}\n"), TLA),
    "logging, root": (each("INFO:root:epoch {k} train_loss {t} val_loss {v} val_acc {a}\n"), TLA),
    "logging, bracketed": (each("[2024-05-01 12:00:0{i}][train.py:42][INFO] epoch={k} train_loss={t} val_loss={v} val_acc={a}\n"), TLA),
    "loguru": (each("2024-05-01 12:00:0{i}.123 | INFO     | __main__:fit:42 - Epoch {k} train_loss: {t} val_loss: {v} val_acc: {a}\n"), TLA),
    "loguru, colours": (each("\x1b[32m2024-05-01 12:00:0{i}.123\x1b[0m | \x1b[1mINFO    \x1b[0m | \x1b[36mm\x1b[0m:\x1b[36mfit\x1b[0m:\x1b[36m4\x1b[0m - \x1b[1mEpoch {k} train_loss: {t} val_loss: {v} val_acc: {a}\x1b[0m\n"), TLA),
    "rich": (each("[12:00:0{i}] INFO     Epoch {k}: train_loss={t} val_loss={v} val_acc={a}           train.py:42\n"), TLA),
    "absl": (each("I0501 12:00:0{i}.123456 140123 train.py:42] epoch {k}, train loss {t}, val loss {v}, val acc {a}\n"), TLA),
    "slurm": (each("0: Epoch {k}: train loss {t}, val loss {v}, val acc {a}\n"), TLA),
    "docker": (each("2024-05-01T12:00:0{i}.123456789Z Epoch {k}: train loss {t}, val loss {v}, val acc {a}\n"), TLA),
    "ranks": (ranks(each("Epoch {k}: train loss {t}, val loss {v}, val acc {a}\n")), TLA),
    "tqdm": (each("Epoch {k}: " + BUSY + " 40/100 [00:01<00:02, 30.1it/s, loss=9.9]\rEpoch {k}: " + BAR + " 100/100 [00:03<00:00, 30.1it/s, loss={t}, val_loss={v}]\n"), "train/loss validation/loss"),
    "tqdm, then a print": (each("Epoch {k}/{n}: " + BAR + " 100/100 [00:03<00:00, 30.1it/s]\nTrain Loss: {t} | Val Loss: {v} | Val Acc: {a}\n"), TLA),
    "lightning": (each("Epoch {i}: " + BAR + " 100/100 [00:01<00:00, 82.9it/s, v_num=0, train_loss={t}, val_loss={v}, val_acc={a}]\n"), TLA),
    "keras": (each("Epoch {k}/{n}\n\r 1/13 ━━━━━━━━━━━━━━━━━━━━ 1s 99ms/step - accuracy: 0.1 - loss: 9.0\r13/13 ━━━━━━━━━━━━━━━━━━━━ 1s 9ms/step - accuracy: 0.5 - loss: {t} - val_accuracy: {a} - val_loss: {v}\n"), TLA),
    "keras 2": (each("Epoch {k}/{n}\n" + "\b" * 20 + " 7/13 [======>.....] - ETA: 0s - loss: 9.0 - acc: 0.1" + "\b" * 20 + "13/13 [============] - 1s 8ms/step - loss: {t} - acc: 0.5 - val_loss: {v} - val_acc: {a}\n"), TLA),
    "keras, verbose 2": (each("Epoch {k}/{n}\n13/13 - 0s - 5ms/step - accuracy: 0.5 - loss: {t} - val_accuracy: {a} - val_loss: {v}\n"), TLA),
    "keras, checkpoint": (each("Epoch {k}/{n}\n13/13 [====] - 1s 8ms/step - loss: {t} - accuracy: 0.5 - val_loss: {v} - val_accuracy: {a} - lr: {r}\n\nEpoch {k}: val_loss improved from 9.1 to {v}, saving model to m.h5\n"), TLA + " lr"),
    "transformers": (each("{{'loss': {t}, 'grad_norm': 1.5, 'learning_rate': {r}, 'epoch': {k}.0}}\n{{'eval_loss': {v}, 'eval_accuracy': {a}, 'eval_runtime': 1.2, 'eval_samples_per_second': 9.1, 'epoch': {k}.0}}\n"), TLA + " lr"),
    "transformers, quoted": (each("\r 10%|█         | {k}/{n} [00:01<00:10]{{'loss': '{t}', 'grad_norm': '1.5', 'learning_rate': '{r}', 'epoch': '{k}'}}\n{{'eval_loss': '{v}', 'eval_accuracy': '{a}', 'eval_runtime': '1.2', 'epoch': '{k}'}}\n"), TLA + " lr"),
    "trl": (each("{{'loss': {t}, 'grad_norm': 1.5, 'learning_rate': {r}, 'num_tokens': 9000.0, 'mean_token_accuracy': 0.4, 'epoch': {k}.0}}\n{{'eval_loss': {v}, 'eval_num_tokens': 9000.0, 'epoch': {k}.0}}\n", tail="{{'train_runtime': 9.0, 'train_loss': 0.7, 'epoch': 9.0}}\n"), "train/loss validation/loss lr"),
    "nanogpt": (each("step {s}: train loss {t}, val loss {v}\nsaving checkpoint to out\n", head="number of parameters: 10.65M\n"), "train/loss validation/loss"),
    "build-nanogpt": (each("{s} val {v}\n{s} hella 0.24\n{s} train {t}\n"), "train/loss validation/loss"),
    "llm.c": (each("s:{s} tel:{v}\ns:{s} trl:{t} lr:{r} norm:1.2\n"), "train/loss validation/loss"),
    "llm.c, console": (each("step    {k}/9 | loss {t} (-1.23z)| norm 1.2 (-0.5z)| lr {r} | 99.1 ms | 50.1% bf16 MFU | 123456 tok/s\n"), "train/loss lr"),
    "modded-nanogpt": (each("step:{s}/900 val_loss:{v} train_time:99ms step_avg:12.1ms\n", head="import torch\nx = 1\n" * 99), "validation/loss"),
    "olmo": (each("2024-05-01 12:00:0{i}.123\thost:0\tolmo.train:99\tINFO\t[step={s}/900,epoch=0]\n    optim/total_grad_norm=1.6\n    train/CrossEntropyLoss={t}\n    throughput/total_tokens=41,943,040\n"), "train/loss"),
    "megatron": (each(" [2024-05-01 12:00:0{i}] iteration      {s}/     900 | consumed samples:        19488 | elapsed time per iteration (ms): 438.3 | learning rate: {r} | global batch size:    32 | lm loss: {t} | loss scale: 1.0 | grad norm: 1.2 | number of skipped iterations:   0 | number of nan iterations:   0 |\n-----\n validation loss at iteration {s} | lm loss value: {v} | lm loss PPL: 9.1 |\n-----\n"), "train/loss validation/loss lr"),
    "fairseq": (each("2024-05-01 12:00:0{i} | INFO | train_inner | epoch {k:03d}:    50 / 100 loss=9.9, nll_loss=9.1, ppl=900.1, wps=9, num_updates=50, gnorm=3.2\n2024-05-01 12:00:0{i} | INFO | valid | epoch {k:03d} | valid on 'valid' subset | loss {v} | nll_loss 8.5 | ppl 362.1 | wps 9 | num_updates {s}\n2024-05-01 12:00:0{i} | INFO | train | epoch {k:03d} | loss {t} | nll_loss 9.8 | ppl 900.1 | wps 9 | num_updates {s} | lr {r} | gnorm 2.1 | train_wall 9\n"), "train/loss validation/loss lr"),
    "fairseq, json": (each('[2024-05-01 12:00:0{i},1][train][INFO] - {{"epoch": {k}, "train_loss": "{t}", "train_ppl": "9.1", "train_num_updates": "{s}", "train_lr": "{r}", "train_gnorm": "1.1"}}\n[2024-05-01 12:00:0{i},1][valid][INFO] - {{"epoch": {k}, "valid_loss": "{v}", "valid_ppl": "9.1", "valid_num_updates": "{s}"}}\n'), "train/loss validation/loss lr"),
    "composer": (each("[epoch={k}/9][batch=100/100]:\n\t Train time/epoch: {i}\n\t Train loss/train/total: {t}\n\t Train LearningRate/Adam-group0: {r}\n[Eval epoch={k}/9][eval_batch=10/10]:\n\t Eval metrics/eval/MulticlassAccuracy: {a}\n"), "train/loss validation/accuracy"),
    "lightgbm": (each("[{k}]\ttraining's binary_logloss: {t}\tvalid_1's binary_logloss: {v}\n", head="[LightGBM] [Info] Number of positive: 9\n"), "train/loss validation/loss"),
    "xgboost": (each("[{i}]\ttrain-logloss:{t}\teval-logloss:{v}\n"), "train/loss validation/loss"),
    "catboost": (each("{i}:\tlearn: {t}\ttest: {v}\tbest: {v} ({i})\ttotal: 4ms\tremaining: 1s\n", head="Learning rate set to 0.1\n", tail="\nbestTest = 0.1\nbestIteration = 8\n"), "train/loss validation/loss"),
    "caffe": (each("I0124 10:00:0{i}.1 99 solver.cpp:337] Iteration {s}, Testing net (#0)\nI0124 10:00:0{i}.1 99 solver.cpp:404]     Test net output #0: accuracy = {a}\nI0124 10:00:0{i}.1 99 solver.cpp:404]     Test net output #1: loss = {v} (* 1 = {v} loss)\nI0124 10:00:0{i}.1 99 solver.cpp:228] Iteration {s}, loss = {t}\nI0124 10:00:0{i}.1 99 solver.cpp:244]     Train net output #0: loss = {t} (* 1 = {t} loss)\nI0124 10:00:0{i}.1 99 sgd_solver.cpp:106] Iteration {s}, lr = {r}\n"), TLA + " lr"),
    "flair": (each("2024-05-01 12:00:0{i},1 EPOCH {k} done: loss {t} - lr: {r}\n2024-05-01 12:00:0{i},1 DEV : loss {v} - f1-score (micro avg)  0.9\n"), "train/loss validation/loss lr"),
    "darknet": (each("\n {s}: 9.9, {t} avg loss, {r} rate, 3.2 seconds, 6400 images, 9.1 hours left\nLoaded: 0.0 seconds\n"), "train/loss lr"),
    "nnunet": (each("2024-05-01 12:00:0{i}.1: \nepoch:  {i}\n2024-05-01 12:00:0{i}.1: train loss : {t}\n2024-05-01 12:00:0{i}.1: validation loss: {v}\n2024-05-01 12:00:0{i}.1: Average global foreground Dice: [0.5, 0.7]\n2024-05-01 12:00:0{i}.1: lr: {r}\n"), "train/loss validation/loss lr"),
    "nnunet 2": (each("2024-05-01 12:00:0{i}.1:  \n2024-05-01 12:00:0{i}.1: Epoch {i} \n2024-05-01 12:00:0{i}.1: Current learning rate: {r} \n2024-05-01 12:00:0{i}.1: train_loss {t} \n2024-05-01 12:00:0{i}.1: val_loss {v} \n2024-05-01 12:00:0{i}.1: Pseudo dice [np.float32(0.5), np.float32(0.7)] \n2024-05-01 12:00:0{i}.1: Epoch time: 9.1 s \n"), "train/loss validation/loss lr"),
    "mmdet": (each("2024-05-01 12:00:0{i},1 - mmdet - INFO - Epoch [{k}][50/50]\tlr: {r}, eta: 1:00:00, time: 0.5, data_time: 0.1, memory: 99, loss_cls: 0.1, loss: {t}\n2024-05-01 12:00:0{i},1 - mmdet - INFO - Epoch(val) [{k}][10]\taccuracy_top-1: {a}, loss: {v}\n"), "train/loss validation/loss lr"),
    "mmengine": (each("2024/05/01 12:00:0{i} - mmengine - INFO - Epoch(train)  [{k}][50/50]  lr: {r}  eta: 1:00:00  time: 0.5  data_time: 0.1  memory: 99  grad_norm: 1.1  loss: {t}\n2024/05/01 12:00:0{i} - mmengine - INFO - Epoch(val) [{k}][10/10]    accuracy/top1: {p}  data_time: 0.1  time: 0.2\n"), "train/loss validation/accuracy lr"),
    "detectron2": (each("\x1b[32m[05/01 12:00:0{i} d2.utils.events]: \x1b[0m eta: 1:00:00  iter: {s}  total_loss: {t}  loss_cls: 0.1  loss_box_reg: 0.2  time: 0.5  last_time: 0.5  data_time: 0.1  lr: {r}  max_mem: 99M\n"), "train/loss lr"),
    "imagenet example": (each("Epoch: [{i}][  0/99]\tTime  9.9 ( 9.9)\tData  9.9 ( 9.9)\tLoss 9.9e+00 (9.9e+00)\tAcc@1   0.10 (  0.10)\nTest: [ 0/10]\tTime  9.9 ( 9.9)\tLoss 9.9e+00 (9.9e+00)\tAcc@1  0.10 (  0.10)\n *   Acc@1 {p} Acc@5 99.900\n"), "validation/accuracy"),
    "torchvision": (each("Epoch: [{i}]  [98/99]  eta: 0:00:01  lr: {r}  img/s: 99.1  loss: {t} ({t})  acc1: 9.0 (9.0)  time: 0.5\nEpoch: [{i}] Total time: 0:01:00\nTest:  Acc@1 {p} Acc@5 99.9\n"), "train/loss validation/accuracy lr"),
    "mae": (each("Epoch: [{i}]  [98/99]  eta: 0:00:01  lr: {r}  loss: {t} ({t})  time: 0.5\nAveraged stats: lr: {r}  loss: {t} ({t})\n* Acc@1 {p} Acc@5 99.9 loss {v}\n"), TLA),
    "swin": (each("[2024-05-01 12:00:0{i} swin] (main.py 227): INFO Train: [{i}/9][98/99]\teta 0:00:01 lr {r}\t time 0.5 (0.5)\tloss {t} ({t})\tgrad_norm 1.1 (1.1)\tmem 99MB\n[2024-05-01 12:00:0{i} swin] (main.py 99): INFO  * Acc@1 {p} Acc@5 99.9\n"), "train/loss validation/accuracy lr"),
    "mxnet": (each("INFO:root:Epoch[{i}] Batch [50]\tSpeed: 99.1 samples/sec\taccuracy=0.1\nINFO:root:Epoch[{i}] Train-cross-entropy={t}\nINFO:root:Epoch[{i}] Time cost=9.1\nINFO:root:Epoch[{i}] Validation-accuracy={a}\nINFO:root:Epoch[{i}] Validation-cross-entropy={v}\n"), TLA),
    "estimator": (each("INFO:tensorflow:loss = {t}, step = {s} (1.234 sec)\nINFO:tensorflow:Saving dict for global step {s}: accuracy = {a}, global_step = {s}, loss = {v}\n"), TLA),
    "sklearn": (each("Iteration {k}, loss = {t}\nValidation score: {a}\n", tail="Validation score did not improve more than tol=0.000100 for 10 consecutive epochs. Stopping.\n"), "train/loss"),
    "skorch": (each("{k:>7}        {t:.4f}       {a:.4f}        {v:.4f}  0.0123\n", head="  epoch    train_loss    valid_acc    valid_loss     dur\n-------  ------------  -----------  ------------  ------\n"), TLA),
    "skorch, colours": (each("{k:>7}        \x1b[36m{t:.4f}\x1b[0m       \x1b[32m{a:.4f}\x1b[0m        \x1b[35m{v:.4f}\x1b[0m     +  0.0123\n", head="  epoch    train_loss    valid_acc    valid_loss    cp     dur\n-------  ------------  -----------  ------------  ----  ------\n"), TLA),
    "fastai": (each("{i}         {t:.6f}    {v:.6f}    {a:.6f}  00:12\n", head="epoch     train_loss  valid_loss  accuracy  time    \n"), TLA),
    "chainer": (each("\x1b[J{k}           {t}     {v}              0.5            {a}                    9.1\n", head="epoch       main/loss   validation/main/loss  main/accuracy  validation/main/accuracy  elapsed_time\n"), TLA),
    "markdown": (each("| {k} | {t} | {v} | {a} |\n", head="# Results\n\n| Epoch | Training Loss | Validation Loss | Accuracy |\n|:-----:|:----:|:----:|---|\n"), TLA),
    "notebook": (each("{k}\t{t}\t{v}\t{a}\n", head="Epoch\tTraining Loss\tValidation Loss\tAccuracy\n"), TLA),
    "rich table": (each("│ {k}     │ {t}     │ {v}   │ {a}    │\n", head="┏━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━━━━┳━━━━━━━━━┓\n┃ Epoch ┃ Train loss ┃ Val loss ┃ Val acc ┃\n┡━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━━━━╇━━━━━━━━━┩\n", tail="└───────┴────────────┴──────────┴─────────┘\n"), TLA),
    "tabulate": (each("+---+\n|   {k} |   {t} |   {v} |   {a} |\n", head="|   epoch |   train_loss |   val_loss |   val_acc |\n"), TLA),
    "opennmt": (each("[2024-05-01 12:00:0{i},1 INFO] Step {s}/  900; acc:  12.3; ppl: 99.1; xent: {t}; lr: {r}; 9999/9999 tok/s;     99 sec\n"), "train/loss lr"),
    "timm": (each("Train: {i} [  98/99 (100%)]  Loss: {t} ({t})  Time: 0.5s,  99.1/s  LR: {r}  Data: 0.1\nTest: [   9/9]  Time: 0.1 (0.1)  Loss:  9.9 ({v})  Acc@1:  9.0 ({p})  Acc@5: 99.0 (99.0)\n"), TLA),
    "torchtune": (each("Step {s} | loss:{t} lr:{r} tokens_per_second_per_gpu:99.1 grad_norm:1.1\n"), "train/loss lr"),
    "deepspeed": (each("[2024-05-01 12:00:0{i},1] [INFO] [logging.py:96:log_dist] [Rank 0] step={s}, skipped=0, lr=[{r}], mom=[(0.9, 0.999)]\nsteps: {s} loss: {t} iter time (s): 0.5 samples/sec: 9.1\n"), "train/loss"),
    "paddle": (each("[2024-05-01 12:00:0{i}] [    INFO] - epoch: {k}/9, loss: {t}, learning_rate: {r}, speed: 9.1 step/s\n"), "train/loss lr"),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("writer", WRITERS)
def test_every_writer_of_text_shows_of_the_same_run(writer, form):
    """Series, values and even steps."""
    for series in read_as_given(*WRITERS[writer], form):
        assert np.ptp(np.diff(series.steps)) == 0, series.name
