"""`nndoctor train MODEL.py`"""

from __future__ import annotations

from typing import Annotated

import typer

from nndoctor.cli.look import Color
from nndoctor.cli.options import ColorOption, NoColorOption, chosen
from nndoctor.cli.run_diagnose import FailOn


def train(
    model: Annotated[str, typer.Argument(metavar="MODEL.py", help="A file that sets model, loss and train_data.")],
    epochs: Annotated[int, typer.Option("--epochs", metavar="N", help="Times through the data.")] = 10,
    steps: Annotated[
        int | None, typer.Option("--steps", metavar="N", help="Optimizer steps, instead of epochs.", show_default=False)
    ] = None,
    optimizer: Annotated[
        str | None,
        typer.Option(
            "--optimizer",
            metavar="NAME",
            help="sgd, momentum, nesterov, adagrad, adadelta, rmsprop, adam, adamw or file (the file's own).",
            show_default=False,
        ),
    ] = None,
    lr: Annotated[
        float | None, typer.Option("--lr", metavar="RATE", help="The learning rate, at its peak.", show_default=False)
    ] = None,
    momentum: Annotated[float, typer.Option("--momentum", metavar="SHARE", help="Of SGD.")] = 0.9,
    weight_decay: Annotated[
        float | None, typer.Option("--weight-decay", metavar="RATE", help="Of the optimizer.", show_default=False)
    ] = None,
    schedule: Annotated[
        str, typer.Option("--schedule", metavar="NAME", help="constant, step, cosine, linear or inverse-sqrt.")
    ] = "constant",
    warmup: Annotated[
        float, typer.Option("--warmup", metavar="SHARE", help="Of the run, in which the rate rises from zero.")
    ] = 0.0,
    l1: Annotated[float, typer.Option("--l1", metavar="RATE", help="Penalty on the weights' sizes.")] = 0.0,
    l2: Annotated[
        float, typer.Option("--l2", metavar="RATE", help="Penalty on their squares; with --l1 an elastic net.")
    ] = 0.0,
    clip: Annotated[
        float | None, typer.Option("--clip", metavar="NORM", help="Of the gradient, at most.", show_default=False)
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(
            "--patience",
            metavar="N",
            help="Stop after N evaluations without a better validation loss, with the best weights.",
            show_default=False,
        ),
    ] = None,
    batch_size: Annotated[
        int, typer.Option("--batch-size", metavar="N", help="For data that come without a DataLoader.")
    ] = 32,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of model, data order and dropout.")] = 0,
    device: Annotated[str, typer.Option("--device", metavar="NAME", help="auto, cpu, cuda or mps.")] = "auto",
    amp: Annotated[bool, typer.Option("--amp", help="Compute in mixed precision.")] = False,
    out: Annotated[
        str | None,
        typer.Option("--out", metavar="FOLDER", help="The run folder; runs/MODEL-1 and so on.", show_default=False),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on in the run folder from its checkpoint.")] = False,
    stop_on: Annotated[
        FailOn,
        typer.Option("--stop-on", metavar="SEVERITY", help="End a doomed run: error, warning, info or never."),
    ] = FailOn.never,
    shape: Annotated[
        str | None,
        typer.Option("--input", metavar="SHAPE", help="Made-up inputs for a model alone: 3x32x32.", show_default=False),
    ] = None,
    classes: Annotated[
        int | None, typer.Option("--classes", metavar="N", help="Made-up labels beside --input.", show_default=False)
    ] = None,
    fail_on: Annotated[
        FailOn | None,
        typer.Option(
            "--fail-on",
            metavar="SEVERITY",
            help="Exit with 1 for findings this severe or worse. [default: error]",
            show_default=False,
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, and only what is wrong.")] = False,
    color: ColorOption = Color.auto,
    no_color: NoColorOption = False,
) -> None:
    """Train a model with the recorder on board, and diagnose it on the way and at the end.

    Running a model file runs its code. The run folder holds run.csv, layers, facts, checkpoints and report.html.
    Exit codes as in diagnose; 130 after Ctrl-C, when the run is saved and diagnosed as far as it came.
    """
    from nndoctor.cli.needs_torch import needs_torch
    from nndoctor.cli.run_train import Order, carry_out

    needs_torch("training")
    options = {
        "epochs": epochs, "steps": steps, "optimizer": optimizer, "lr": lr, "momentum": momentum,
        "weight_decay": weight_decay, "schedule": schedule, "warmup": warmup, "l1": l1, "l2": l2, "clip": clip,
        "patience": patience, "seed": seed, "device": device, "amp": amp,
    }  # fmt: skip
    order = Order(
        model, options, batch_size, out, stop_on, shape, classes, fail_on, chosen(color, no_color),
        resume=resume, quiet=quiet,
    )  # fmt: skip
    raise typer.Exit(carry_out(order))
