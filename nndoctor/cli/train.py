"""`nndoctor train MODEL.py`"""

from __future__ import annotations

from typing import Annotated

import typer

from nndoctor.cli.options import ColorOption, NoColorOption, color_choice, optional
from nndoctor.cli.request import FailOn
from nndoctor.cli.terminal_style import Color
from nndoctor.cli.training_options import ClassesOption, ShapeOption


def train(
    model: Annotated[
        str, typer.Argument(metavar="MODEL.py", help="A Python file that defines model, loss and train_data.")
    ],
    epochs: Annotated[int, typer.Option("--epochs", metavar="N", help="Number of epochs.")] = 10,
    steps: Annotated[
        int | None, optional("--steps", metavar="N", help="Number of optimizer steps, instead of epochs.")
    ] = None,
    optimizer: Annotated[
        str | None,
        optional(
            "--optimizer",
            metavar="NAME",
            help="sgd, momentum, nesterov, adagrad, adadelta, rmsprop, adam, adamw, or file (defined in MODEL.py).",
        ),
    ] = None,
    lr: Annotated[float | None, optional("--lr", metavar="RATE", help="Peak learning rate.")] = None,
    momentum: Annotated[float, typer.Option("--momentum", metavar="SHARE", help="Momentum of SGD.")] = 0.9,
    weight_decay: Annotated[
        float | None, optional("--weight-decay", metavar="RATE", help="Weight decay of the optimizer.")
    ] = None,
    schedule: Annotated[
        str,
        typer.Option(
            "--schedule", metavar="NAME", help="Learning-rate schedule: constant, step, cosine, linear or inverse-sqrt."
        ),
    ] = "constant",
    warmup: Annotated[
        float, typer.Option("--warmup", metavar="SHARE", help="Share of the run used for learning-rate warmup.")
    ] = 0.0,
    l1: Annotated[float, typer.Option("--l1", metavar="RATE", help="L1 penalty on the weights.")] = 0.0,
    l2: Annotated[
        float, typer.Option("--l2", metavar="RATE", help="L2 penalty on the weights; with --l1 an elastic net.")
    ] = 0.0,
    clip: Annotated[float | None, optional("--clip", metavar="NORM", help="Maximum gradient norm.")] = None,
    patience: Annotated[
        int | None,
        optional(
            "--patience",
            metavar="N",
            help="Early stopping: stop after N evaluations without improvement and keep the best weights.",
        ),
    ] = None,
    batch_size: Annotated[
        int, typer.Option("--batch-size", min=1, metavar="N", help="Batch size for data without a DataLoader.")
    ] = 32,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", help="Random seed of weights, data order and dropout.")
    ] = 0,
    device: Annotated[str, typer.Option("--device", metavar="NAME", help="Device: auto, cpu, cuda or mps.")] = "auto",
    amp: Annotated[bool, typer.Option("--amp", help="Use mixed precision.")] = False,
    out: Annotated[
        str | None, optional("--out", metavar="FOLDER", help="The run folder (default: runs/MODEL-1, runs/MODEL-2 …).")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Resume from the checkpoint in the run folder.")] = False,
    stop_on: Annotated[
        FailOn,
        typer.Option(
            "--stop-on",
            metavar="SEVERITY",
            help="Stop training at a finding of this severity or worse: error, warning, info or never.",
        ),
    ] = FailOn.never,
    shape: ShapeOption = None,
    classes: ClassesOption = None,
    fail_on: Annotated[
        FailOn | None,
        optional(
            "--fail-on", metavar="SEVERITY", help="Exit with 1 for findings of this severity or worse. [default: error]"
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress output; print findings only.")] = False,
    color: ColorOption = Color.auto,
    no_color: NoColorOption = False,
) -> None:
    """Train a model with live diagnosis, and write a report at the end.

    The model file is executed. The run folder holds run.csv, layer statistics, settings, checkpoints and report.html.
    Exit codes as in diagnose, and 130 after Ctrl-C; an interrupted run is saved and diagnosed too.
    """
    from nndoctor.cli.needs_torch import needs_torch
    from nndoctor.cli.run_train import TrainRequest, carry_out

    needs_torch("nndoctor train")
    options = {
        "epochs": epochs, "steps": steps, "optimizer": optimizer, "lr": lr, "momentum": momentum,
        "weight_decay": weight_decay, "schedule": schedule, "warmup": warmup, "l1": l1, "l2": l2, "clip": clip,
        "patience": patience, "seed": seed, "device": device, "amp": amp,
    }  # fmt: skip
    request = TrainRequest(
        model, options, batch_size, out, stop_on, shape, classes, fail_on, color_choice(color, no_color),
        resume=resume, quiet=quiet,
    )  # fmt: skip
    raise typer.Exit(carry_out(request))
