"""The check-up: the probes in order of cost within a budget, and the Run that they make."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable, Iterator

import torch

from nndoctor.core.run import Fact, Run
from nndoctor.experiment.model_file import ModelFileError
from nndoctor.sanity import lines, summary
from nndoctor.sanity.bench import Bench, Clock, gather
from nndoctor.sanity.failures import is_lost, is_memory, lost, said
from nndoctor.sanity.probes import (
    activations,
    backward,
    data,
    dependence,
    fit,
    labels,
    modes,
    neighbours,
    own_step,
    parameters,
    rates,
    slopes,
    steps,
    structure,
    tiny,
)
from nndoctor.sanity.state import Snapshot, random_state
from nndoctor.sanity.subject import Subject

BUDGET = 60.0  # seconds
SEEDS = 3

# Name, how many passes it makes at least, and probe; each begins with the weights as they were. What comes later costs more.
PROBES: tuple[tuple[str, int, Callable[[Bench], None]], ...] = (
    ("the inputs of the first layer", 1, parameters.first_layer),
    ("structure", 1, structure.probe),
    ("the signal at the start", 1, activations.probe),
    ("the loss against the output", 2, fit.probe),
    ("labels against neighbours", 0, neighbours.probe),
    ("what outputs depend on", 6, dependence.probe),
    ("one backward pass", 8, backward.probe),
    ("the training step of the file", 4, own_step.probe),
    ("training against evaluation mode", 28, modes.probe),
    ("a few steps", 3, steps.probe),
    ("numerical gradients", 20, slopes.probe),
    ("the learning-rate range", 0, rates.probe),
    ("a tiny subset", 0, tiny.probe),
)


def examine(subject: Subject, *, budget: float = BUDGET, seeds: int = SEEDS, pictures: bool = False) -> Run:
    """Probe a subject and leave it as it was; with `pictures` note the activations' histograms, too.

    Raises ModelFileError where model, data and loss do not fit together.
    """
    with _quiet(), random_state():
        snapshot, gone = Snapshot(subject.model), False
        try:
            bench = Bench(subject, Clock(budget), seeds, snapshot, pictures=pictures)
            with torch.enable_grad():
                _probe(bench)
        except Exception as error:
            gone = is_lost(error)  # and the weights with it
            if gone:
                raise lost(error, subject.path) from error
            raise
        finally:
            if not gone:
                snapshot.restore()
    return _run(bench)


def _probe(bench: Bench) -> None:
    bench.fresh_start()
    gather(bench)
    if not bench.batches:
        raise ModelFileError(f"{bench.subject.path}: train_data holds no batch; expected at least one")
    if not any(p.requires_grad for p in bench.model.parameters()):
        raise ModelFileError(f"{bench.subject.path}: the model has no parameter with requires_grad: nothing can train")
    data.probe(bench)
    parameters.probe(bench)
    bench.lines.update(lines.of(bench.subject))
    if bench.subject.blind:
        own_step.probe(bench)
        bench.notes.append("train_step alone does not tell the loss; a loss beside it lets the other checks run")
        return
    if labels.outside(bench):
        bench.notes.append("the loss cannot be taken of these targets: what needs it is not checked")
        return
    bench.fresh_start()
    steps.measured(bench)
    for name, passes, probe in PROBES:
        bench.fresh_start()
        if not bench.fits(name, passes):
            continue
        try:
            probe(bench)
        except ModelFileError:
            raise
        except Exception as error:
            if not is_memory(error):
                raise
            bench.notes.append(f"{name}: memory ran out ({said(error)}), not checked")
    bench.fact("steps_taken", bench.steps - int(bench.number("tiny_steps_taken")))


def _run(bench: Bench) -> Run:
    subject = bench.subject
    facts = {name: Fact(value, bench.lines.get(name)) for name, value in bench.facts.items()}
    facts |= {f"line:{name}": Fact(line, line) for name, line in bench.lines.items()}
    notes = [*subject.said, *bench.notes, *summary.lines(bench)]
    if bench.unchecked:
        facts["unchecked"] = Fact(tuple(bench.unchecked))
        left = ", ".join(bench.unchecked)
        notes.append(f"not checked within the budget of {bench.clock.budget:g} s: {left}; --budget gives more time")
    return Run(bench.series, facts, source=subject.path, path=subject.path, format="model", notes=tuple(notes))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The user's prints go to standard error, and warnings of torch about probing nowhere."""
    with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
