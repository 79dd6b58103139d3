"""`nndoctor search MODEL.py`"""

from __future__ import annotations

from contextlib import nullcontext
from importlib.util import find_spec
from typing import Annotated

import typer

from nndoctor.cli import Exit
from nndoctor.cli.needs_torch import needs_torch
from nndoctor.cli.options import ColorOption, ForceOption, NoColorOption, PageFormatOption, color_choice, optional
from nndoctor.cli.out import check, say, write_output
from nndoctor.cli.request import PageFormat
from nndoctor.cli.run_treat import length, parse_duration
from nndoctor.cli.terminal_style import Color, terminal_style
from nndoctor.cli.training_options import (
    BudgetOption,
    DeviceOption,
    ModelArgument,
    NoProgressOption,
    StepsOption,
    TrainingEngineOption,
    epochs_option,
)
from nndoctor.core.errors import UsageError
from nndoctor.diagnosis.request import SessionOptions
from nndoctor.diagnosis.workers import Engine


def search(
    model: ModelArgument,
    budget: BudgetOption = "10m",
    trials: Annotated[int, typer.Option("--trials", metavar="N", min=4, help="Trials at most.")] = 40,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", min=0, help="Seed of the draws and of the trainings.")
    ] = 0,
    epochs: Annotated[int | None, epochs_option("Length of the longest trainings.")] = None,
    steps: StepsOption = None,
    device: DeviceOption = "auto",
    engine: TrainingEngineOption = None,
    storage: Annotated[
        str, typer.Option("--storage", metavar="FILE", help="Optuna's database; the same file goes on.")
    ] = "search.db",
    format: PageFormatOption = PageFormat.terminal,
    output: Annotated[str | None, optional("--output", "-o", metavar="FILE", help="Write to a file.")] = None,
    force: ForceOption = False,
    quiet: NoProgressOption = False,
    color: ColorOption = Color.auto,
    no_color: NoColorOption = False,
) -> None:
    """Search for a learning rate, weight decay and batch size, coarse to fine, and judge the search.

    Short trainings over a wide range first, then longer ones over what is left of it. The range widens where the best
    trials are at its edge. A trial stops early once its loss exceeds three times its first value, it has an error,
    or it is too slow to reach the best one.
    """
    check(output, [model], force=force)
    needs_torch("nndoctor search")
    if find_spec("optuna") is None:
        raise UsageError("nndoctor search needs Optuna; pip install 'nndoctor[optuna]'")
    from nndoctor.diagnosis.session import Session
    from nndoctor.reporters import search as reporter
    from nndoctor.treatment.search import SearchLimits, SearchResult, run_search
    from nndoctor.treatment.threads import fastest
    from nndoctor.treatment.trainings import is_local

    place = Engine.of(engine)
    limits = SearchLimits(trials, parse_duration(budget), seed, device, place)
    outcome = SearchResult(model, length(model, epochs, steps))
    url = storage if "://" in storage else f"sqlite:///{storage}"
    with fastest(model, device) if is_local(place) else nullcontext():
        run_search(outcome, url, limits, (lambda _: None) if quiet else say)
    run = reporter.run_of(outcome)
    report = None
    if run is not None:
        report = Session(SessionOptions()).judge(run, log=model, families=("NN9",))
    page_style = terminal_style(color_choice(color, no_color), to_file=output is not None)
    whole = (
        reporter.as_json(outcome, report) if format is PageFormat.json else reporter.render(outcome, report, page_style)
    )
    write_output(whole, output)
    raise typer.Exit(Exit.INTERRUPTED if outcome.interrupted else Exit.CLEAN)
