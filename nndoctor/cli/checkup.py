"""What `nndoctor sanity` does once its words are understood: load, probe, judge, render, write, and say how it ended."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from nndoctor.cli import Exit
from nndoctor.cli.answer import FailOn, Format, Request, _code, _rendered
from nndoctor.cli.look import Color
from nndoctor.cli.out import check, put, say


@dataclass(frozen=True, slots=True)
class CheckUp:
    """What the user asked for; the defaults are the command line's."""

    model: str
    budget: float = 60.0
    seeds: int = 3
    shape: str | None = None
    classes: int | None = None
    format: Format = Format.terminal
    output: str | None = None
    select: Sequence[str] = ()
    ignore: Sequence[str] = ()
    fail_on: FailOn = FailOn.error
    exit_zero: bool = False
    quiet: bool = False
    force: bool = False
    color: Color = Color.auto


def template(output: str | None, *, force: bool) -> int:
    """Print the start of a model file, or write it."""
    from nndoctor.sanity.template import TEMPLATE

    check(output, [], force=force)
    put(TEMPLATE, output)
    return Exit.CLEAN


def carry_out(order: CheckUp) -> int:
    """Examine the model and give the exit code. Raises UsageError for a request that makes no sense."""
    from nndoctor.errors import UsageError

    if order.budget <= 0 or order.seeds < 1:
        raise UsageError(
            f"--budget wants seconds above 0 and --seeds 1 or more; found {order.budget:g} and {order.seeds}"
        )
    check(order.output, [order.model], force=order.force)
    os.environ.setdefault("KMP_WARNINGS", "0")
    from nndoctor.engine import diagnose
    from nndoctor.experiment.model_file import ModelFileError
    from nndoctor.sanity.checkup import examine
    from nndoctor.sanity.face import rules
    from nndoctor.sanity.source import from_file

    chosen = rules(order.select, order.ignore)
    try:
        subject = from_file(order.model, shape=_shape(order.shape), classes=order.classes)
        report = diagnose(examine(subject, budget=order.budget, seeds=order.seeds), chosen)
    except ModelFileError as error:
        if error.trace:
            sys.stderr.write(error.trace.rstrip("\n") + "\n")
        say(str(error))
        return Exit.TROUBLE
    request = Request(
        [order.model], format=order.format, output=order.output, fail_on=order.fail_on, exit_zero=order.exit_zero,
        quiet=order.quiet, color=order.color,
    )  # fmt: skip
    put(_rendered([report], [], request), order.output)
    return _code([report], request)


def _shape(text: str | None) -> tuple[int, ...] | None:
    from nndoctor.errors import UsageError

    if text is None:
        return None
    try:
        shape = tuple(int(n) for n in text.lower().replace("×", "x").split("x"))
    except ValueError:
        shape = ()
    if not shape or min(shape) < 1:
        raise UsageError(f"--input wants the shape of one example, as 3x32x32 or 20; found '{text}'")
    return shape
