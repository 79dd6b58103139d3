"""The check-up: the probes in order of cost within a budget, and the Run that they make."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable, Iterator

import torch

from nndoctor.core.finding import Severity
from nndoctor.core.run import Fact, FactValue, Run
from nndoctor.diagnosis.catalogue import RULES
from nndoctor.diagnosis.engine import diagnose
from nndoctor.experiment.keras_model import plain_name
from nndoctor.experiment.model_file import ModelFileError
from nndoctor.sanity import lines, summary
from nndoctor.sanity.bench import Bench, Clock, gather
from nndoctor.sanity.failures import error_text, is_lost, is_memory, lost
from nndoctor.sanity.families import FAMILIES
from nndoctor.sanity.probes import (
    activations,
    added_terms,
    adversaries,
    alignment,
    arguments,
    augmentation,
    backward,
    balance,
    bounds,
    channels,
    class_weights,
    collapse,
    constant_targets,
    data,
    dense_maps,
    densities,
    dependence,
    endless,
    fit,
    flows,
    frozen,
    generated,
    heldout,
    hidden,
    input_gradients,
    labels,
    masks,
    modes,
    moving_targets,
    neighbours,
    noise,
    objective,
    order,
    output_layer,
    own_step,
    own_value,
    pairs,
    parameters,
    preferences,
    prompts,
    quantiles,
    randomness,
    rates,
    reshapes,
    runaway,
    schedule,
    sequences,
    shapes,
    slopes,
    steps,
    structure,
    tag_places,
    targets_seen,
    terms,
    tiny,
    validation_fit,
    views,
)
from nndoctor.sanity.schedules import Schedules
from nndoctor.sanity.settle import settle
from nndoctor.sanity.state import Snapshot, random_state
from nndoctor.sanity.subject import Subject
from nndoctor.sanity.trials.compare import Trials
from nndoctor.sanity.trials.verify import ROUNDS, cures, verify

BUDGET = 60.0  # seconds
SEEDS = 3
OWN_RULES = tuple(rule for rule in RULES if rule.code.startswith(FAMILIES))
RESERVED_SHARE = 0.4  # of the time left before the probes that train the model
COMPARISON = 1500  # steps: two trainings of two seeds, with what is looked at beside them

# Name, how many passes it makes at least, and probe; each begins with the weights as they were. What comes later costs more.
PROBES: tuple[tuple[str, int, Callable[[Bench], None]], ...] = (
    ("the training step of the file", 4, own_step.probe),
    ("the schedule of the learning rate", 0, schedule.probe),
    ("the inputs of the first layer", 1, parameters.first_layer),
    ("shapes of output and target", 1, shapes.probe),
    ("weights of classes", 1, class_weights.probe),
    ("what is added to a loss", 4, added_terms.probe),
    ("the parts of the objective", 8, objective.probe),
    ("random numbers in targets", 6, noise.probe),
    ("gradients of inputs within a step", 4, input_gradients.probe),
    ("the channels of images", 0, channels.probe),
    ("targets that are constant", 3, constant_targets.probe),
    ("targets that the loss trains", 1, moving_targets.probe),
    ("the order of scores and labels", 1, order.probe),
    ("the reshapes of the model", 1, reshapes.probe),
    ("structure", 1, structure.probe),
    ("the output layer's training", 2, output_layer.probe),
    ("parameters that the model does not know", 1, hidden.probe),
    ("frozen layers", 2, frozen.probe),
    ("the signal at the start", 1, activations.probe),
    ("the loss against the output", 2, fit.probe),
    ("the range of the outputs", 6, bounds.probe),
    ("how far the loss can fall", 25, endless.probe),
    ("pairs of a contrastive loss", 40, pairs.probe),
    ("labels against neighbours", 0, neighbours.probe),
    ("what augmentation turns", 0, augmentation.probe),
    ("masks against images", 0, dense_maps.probe),
    ("errors against the mean of the targets", 2, terms.probe),
    ("what outputs depend on", 6, dependence.probe),
    ("sequences of tokens", 4, sequences.probe),
    ("prompts and answers", 0, prompts.probe),
    ("tags against tokens", 2, tag_places.probe),
    ("outputs that see their targets", 5, targets_seen.probe),
    ("outputs that see the value they predict", 6, own_value.probe),
    ("random numbers in evaluation mode", 3, randomness.probe),
    ("the arguments of the model", 16, arguments.probe),
    ("the quantiles that the loss asks for", 1, quantiles.probe),
    ("the log-determinant of a flow", 8, flows.probe),
    ("the mass of a likelihood", 0, densities.probe),
    ("the direction of two adversaries", 4, adversaries.probe),
    ("the range of generated examples", 8, generated.probe),
    ("the distances of pairs", 70, alignment.probe),
    ("outputs against masks", 140, masks.probe),
    ("two views of each example", 1, views.probe),
    ("answers that are preferred", 60, preferences.probe),
    ("one backward pass", 8, backward.probe),
    ("training against evaluation mode", 28, modes.probe),
    ("a few steps", 3, steps.probe),
    ("numerical gradients", 20, slopes.probe),
    ("the losses of several optimizers", 0, runaway.probe),
    ("the balance of several losses", 6, balance.probe),
    ("whether reconstructions follow their inputs", 0, collapse.probe),
    ("labels on held-out examples", 0, heldout.probe),
    ("the learning-rate range", 0, rates.probe),
    ("a tiny subset", 0, tiny.probe),
    ("validation against training examples", 0, validation_fit.probe),
)
# Probes that train the model: a check-up with neither of them says nothing about training.
MAIN = ("the learning-rate range", "a tiny subset")
BLIND = (
    "the training step of the file",
    "shapes of output and target",
    "a few steps",
    "the parts of the objective",
    "the direction of two adversaries",
    "labels against neighbours",
    "the losses of several optimizers",
    "the range of generated examples",
    "errors against the mean of the targets",
)
"""What can be checked where the user's step has no single loss."""
# Probes that do what the user's training does: where one fails, so does the training.
USERS = ("a few steps", "the training step of the file")


def examine(subject: Subject, *, budget: float = BUDGET, seeds: int = SEEDS, pictures: bool = False) -> Run:
    """Probe a subject and leave it as it was; with `pictures` note the activations' histograms, too.

    Raises ModelFileError where model, data and loss do not fit together.
    """
    with _quiet(), random_state(), _uncompiled():
        snapshot, schedules, gone = Snapshot(subject.model), Schedules(), False
        bench = Bench(subject, Clock(budget), seeds, snapshot, pictures=pictures, schedules=schedules)
        try:
            with torch.enable_grad():
                _probe(bench)
                _verify(bench)
        except Exception as error:
            gone = is_lost(error)  # and the weights with it
            if gone:
                raise lost(error, subject.path) from error
            raise
        finally:
            schedules.restore()
            if bench.method is not None:
                bench.method.restore()
            if not gone:
                snapshot.restore()
    return _run(bench)


def _probe(bench: Bench) -> None:
    bench.fresh_start()
    gather(bench)
    if not bench.batches:
        raise ModelFileError(f"{bench.subject.path}: train_data has no batch; expected at least one")
    if not any(p.requires_grad for p in bench.model.parameters()):
        raise ModelFileError(f"{bench.subject.path}: no parameter of the model has requires_grad: nothing can train")
    bench.lines.update(lines.of(bench.subject))
    bench.schedules.endless(getattr(bench.subject.train, "number", None) or len(bench.batches))
    settle(bench)
    data.probe(bench)
    parameters.probe(bench)
    if not bench.subject.blind and labels.outside(bench):
        bench.notes.append("the loss cannot be computed for these targets: checks that need it are skipped")
        return
    bench.fresh_start()
    steps.measured(bench)
    bench.fact("objective_seen", not bench.subject.blind)
    for name, passes, probe in PROBES:
        bench.fresh_start()
        if name == MAIN[0]:
            _reserve(bench)
        if (bench.subject.blind and name not in BLIND) or not bench.fits(name, passes):
            continue
        _probed(bench, name, probe)
    bench.fact("steps_taken", bench.steps - int(bench.number("tiny_steps_taken")))


def _reserve(bench: Bench) -> None:
    """Where something is suspicious already, keep time to try a remedy: a slow model would spend it on other learning rates."""
    pending = [
        f for f in diagnose(_run(bench), OWN_RULES).findings if f.severity is not Severity.INFO and cures(bench, f)
    ]
    if pending and not bench.subject.blind:
        bench.clock.reserved = min(RESERVED_SHARE * bench.clock.left, COMPARISON * bench.step_time)


def _probed(bench: Bench, name: str, probe: Callable[[Bench], None]) -> None:
    """One probe; where it fails, the others go on, unless the user's own training would fail in the same way."""
    try:
        probe(bench)
    except Exception as error:
        if is_lost(error) or (name in USERS and not is_memory(error)):
            raise
        why = (
            str(error).removeprefix(f"{bench.subject.path}: ")
            if isinstance(error, ModelFileError)
            else error_text(error)
        )
        bench.notes.append(f"not checked: {name}: {'out of memory: ' if is_memory(error) else ''}{why}")


def _verify(bench: Bench) -> None:
    """Judge what was measured, and try a remedy for what would be a warning; facts need no trial."""
    trials, bench.clock.reserved = Trials(bench), 0.0
    for _ in range(ROUNDS):
        report = diagnose(_run(bench), OWN_RULES)
        try:
            if not verify(bench, trials, report.findings):
                break
        except Exception as error:
            if is_lost(error):
                raise
            bench.notes.append(f"not checked: whether remedies help: {error_text(error)}")
            break
    bench.fresh_start()


def _run(bench: Bench) -> Run:
    subject = bench.subject
    facts = {name: Fact(_shown(value), bench.lines.get(name)) for name, value in bench.facts.items()}
    facts |= {f"line:{name}": Fact(line, line) for name, line in bench.lines.items()}
    notes = [*subject.notes, *bench.notes, *summary.lines(bench)]
    if bench.unchecked:
        facts["unchecked"] = Fact(tuple(bench.unchecked))
        if set(MAIN) <= set(bench.unchecked):
            few = f"the budget of {bench.clock.budget:g} s is too short to train this model; raise it with --budget"
            facts["too_little_examined"] = Fact(few)
        left = ", ".join(bench.unchecked)
        notes.append(f"not checked within the budget of {bench.clock.budget:g} s: {left}; raise it with --budget")
    return Run(bench.series, facts, source=subject.path, path=subject.path, format="model", notes=tuple(notes))


def _shown(value: FactValue) -> FactValue:
    """A fact with the names of weights as their user knows them."""
    if isinstance(value, tuple):
        return tuple(plain_name(v) if isinstance(v, str) else v for v in value)  # type: ignore[return-value]
    return plain_name(value) if isinstance(value, str) else value


def _uncompiled() -> contextlib.AbstractContextManager[object]:
    """What torch.compile made runs as it was written: compiling it for every kind of pass would use up the budget."""
    stance = getattr(torch.compiler, "set_stance", None)  # new in torch 2.6
    return contextlib.nullcontext() if stance is None else stance("force_eager")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What the user's code prints goes to standard error; warnings about the probing itself are dropped."""
    with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
