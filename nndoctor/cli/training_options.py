"""Arguments and options that the commands which train a model file share."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from nndoctor.cli.options import optional

ModelArgument = Annotated[
    str, typer.Argument(metavar="MODEL.py", help="A Python file that defines model, loss and train_data.")
]
BudgetOption = Annotated[str, typer.Option("--budget", metavar="TIME", help="Time for all trainings: 90s, 10m, 1h.")]
StepsOption = Annotated[int | None, optional("--steps", metavar="N", help="Optimizer steps, instead of epochs.")]
DeviceOption = Annotated[str, typer.Option("--device", metavar="NAME", help="auto, cpu, cuda or mps.")]
TrainingEngineOption = Annotated[
    str | None,
    optional(
        "--engine", metavar="ENGINE", help="Where trainings run: local (default), dask:ADDRESS, ray or ray:ADDRESS."
    ),
]
NoProgressOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress.")]
ShapeOption = Annotated[
    str | None,
    optional("--input", metavar="SHAPE", help="Shape of random inputs for a model without data, such as 3x32x32."),
]
ClassesOption = Annotated[
    int | None, optional("--classes", min=2, metavar="N", help="Number of classes of random labels, with --input.")
]


def epochs_option(length: str) -> Any:  # noqa: ANN401 - as typer has it
    """`--epochs` of a command, which says what it is the length of."""
    return typer.Option(
        "--epochs", metavar="N", min=1, help=f"{length} Default: `epochs` of the file, else 10.", show_default=False
    )
