"""A change as an edit of the model file, to review: never applied, and only where the place is certain."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable, Mapping
from pathlib import Path

import torch

from nndoctor.experiment.lengths import EPOCHS
from nndoctor.treatment.source_edit import SourceText

OPTIMIZERS = {name for name in dir(torch.optim) if isinstance(getattr(torch.optim, name), type)}
DROPOUTS = {"Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout"}
ADAPTIVE = {"Adam", "NAdam", "RAdam", "Adamax"}  # whose plain weight decay is not decoupled from the gradient

INITIALIZE = """
for _layer in model.modules():
    if isinstance(_layer, (torch.nn.Linear, torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.Conv3d)):
        torch.nn.init.kaiming_normal_(_layer.weight, nonlinearity="relu")
        if _layer.bias is not None:
            torch.nn.init.zeros_(_layer.bias)
    elif isinstance(_layer, (torch.nn.RNNBase, torch.nn.RNNCellBase)):
        _layer.reset_parameters()
"""
NORMALIZE = """
_inputs = torch.cat([batch[0] for batch in train_data])
_mean, _std = _inputs.mean(0), _inputs.std(0).clamp_min(1e-8)
model.register_forward_pre_hook(lambda _, inputs: ((inputs[0] - _mean) / _std, *inputs[1:]))
"""
Edit = Callable[[SourceText, Mapping[str, object]], "str | None"]


def diff(path: str, change: str, settings: Mapping[str, object]) -> str | None:
    """The unified diff of the file that carries out a change; None where the change has no certain place in the code."""
    try:
        before = Path(path).read_text(encoding="utf-8")
        after = edited(before, change, settings)
    except (OSError, UnicodeDecodeError, SyntaxError):
        return None
    if after is None or after == before:
        return None
    lines = difflib.unified_diff(
        before.splitlines(keepends=True),
        after.splitlines(keepends=True),
        f"a/{Path(path).name}",
        f"b/{Path(path).name}",
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def edited(text: str, change: str, settings: Mapping[str, object]) -> str | None:
    """The file's text with a change, or a pair of them, made; None where a part has no certain place. Raises SyntaxError."""
    found: str | None = text
    for part in change.split(" + "):
        edit = EDITS.get(part)
        found = edit(SourceText(found), settings) if edit is not None and found is not None else None
        if found is None:
            return None
        ast.parse(found)
    return found


def _rate(source: SourceText, settings: Mapping[str, object]) -> str | None:
    call = source.call(OPTIMIZERS)
    return None if call is None else source.with_argument(call, "lr", settings.get("lr"), place=1)


def _momentum(source: SourceText, settings: Mapping[str, object]) -> str | None:
    call = source.call({"SGD"})
    return None if call is None else source.with_argument(call, "momentum", settings.get("momentum"), place=2)


def _decay(source: SourceText, settings: Mapping[str, object]) -> str | None:
    call = source.call(OPTIMIZERS)
    if call is None or not isinstance(settings.get("weight_decay"), float):
        return None
    name = source.name(call)
    if name in ADAPTIVE:
        again = SourceText(source.renamed(call, "AdamW"))
        renamed = again.call({"AdamW"})
        return None if renamed is None else again.with_argument(renamed, "weight_decay", settings["weight_decay"])
    return source.with_argument(call, "weight_decay", settings["weight_decay"])


def _no_decay(source: SourceText, _: Mapping[str, object]) -> str | None:
    call = source.call(OPTIMIZERS)
    return None if call is None else source.with_argument(call, "weight_decay", 0.0)


def _optimizer(source: SourceText, settings: Mapping[str, object]) -> str | None:
    call = source.call(OPTIMIZERS)
    if call is None or not call.args or not source.imports("torch"):
        return None
    wanted = [f"{name}={settings[name]}" for name in ("lr", "momentum") if name in settings]
    held = source.segment(call.args[0])
    return source.replaced(call, f"torch.optim.{settings['optimizer']}({', '.join([held, *wanted])})")


def _batch(factor: float) -> Edit:
    def edit(source: SourceText, _: Mapping[str, object]) -> str | None:
        call = source.assigned_call("train_data", "batch_size")
        held = None if call is None else source.number(call, "batch_size")
        return (
            None
            if call is None or held is None
            else source.with_argument(call, "batch_size", max(1, round(held * factor)))
        )

    return edit


def _longer(source: SourceText, _: Mapping[str, object]) -> str | None:
    return next((text for name in EPOCHS if (text := source.with_multiple(name, 4)) is not None), None)


def _wider(source: SourceText, _: Mapping[str, object]) -> str | None:
    return source.with_default("model", ("width", "hidden", "hidden_size", "hidden_dim", "units", "n_hidden"), 4)


def _shuffle(source: SourceText, _: Mapping[str, object]) -> str | None:
    call = source.assigned_call("train_data", "batch_size")
    return None if call is None else source.with_argument(call, "shuffle", True)


def _no_dropout(source: SourceText, _: Mapping[str, object]) -> str | None:
    text = source
    calls = source.calls(DROPOUTS)
    for k in range(len(calls)):
        call = text.calls(DROPOUTS)[k]
        changed = text.with_argument(call, "p", 0.0, place=0)
        if changed is None:
            return None
        text = SourceText(changed)
    return text.text if calls else None


def _raw_output(source: SourceText, _: Mapping[str, object]) -> str | None:
    calls = source.calls({"Softmax", "Sigmoid", "ReLU", "Tanh"})
    return source.replaced(calls[-1], "torch.nn.Identity()") if calls and source.imports("torch") else None


def _appended(lines: str) -> Edit:
    def edit(source: SourceText, _: Mapping[str, object]) -> str | None:
        if not source.imports("torch") or not source.assigns("model"):
            return None
        return f"{source.text.rstrip()}\n{lines}"

    return edit


EDITS: dict[str, Edit] = {
    **dict.fromkeys(("lr/10", "lr*10", "lr/100", "lr*100", "lr/3", "lr*3"), _rate),
    "momentum": _momentum,
    "weight-decay": _decay,
    "weight-decay-off": _no_decay,
    "optimizer-adam": _optimizer,
    "optimizer-sgd": _optimizer,
    "batch/4": _batch(0.25),
    "batch*4": _batch(4.0),
    "steps*4": _longer,
    "wider": _wider,
    "shuffle": _shuffle,
    "dropout-off": _no_dropout,
    "linear-output": _raw_output,
    "initialization": _appended(INITIALIZE),
    "normalize": _appended(NORMALIZE),
}
WORDS = {
    "lr": "change the learning rate",
    "steps*4": "train four times as long",
    "wider": "make the hidden layers wider",
    "initialization": "initialize linear and convolutional layers with He's normal distribution, biases with zero, recurrent layers as PyTorch does",
    "normalize": "subtract the training set's mean from the inputs and divide by its standard deviation",
    "normalize-targets": "standardize the targets, and scale the outputs back where they are used",
    "linear-output": "remove the activation at the output",
    "relu": "use ReLU in the hidden layers, with He's initialization",
    "dropout-off": "switch dropout off",
    "clip": "call torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0) before optimizer.step()",
    "warmup": "raise the learning rate linearly over the first tenth of the training",
    "weight-decay": "use decoupled weight decay (AdamW) of the given strength",
    "dropout": "put dropout of the given rate before every linear layer but the first",
    "shuffle": "shuffle the training data",
    "unfreeze": "set requires_grad of every parameter, and give all of them to the optimizer",
    "zero-grad": "call optimizer.zero_grad() at the start of train_step",
    "constant-schedule": "take the scheduler out",
    "early-stop": "stop after the given number of steps, or with early stopping on the validation loss",
}


def words(change: str) -> str:
    """What to do, in a sentence."""
    parts = [WORDS.get(part, WORDS["lr"] if part.startswith("lr") else f"set {part}") for part in change.split(" + ")]
    return "; ".join(parts)
