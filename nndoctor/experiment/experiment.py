"""An experiment: model, loss, data and optimizer of a user's file, by the names that the contract gives them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeGuard

import torch
from torch import Tensor, nn

from nndoctor.core.formatting import plural, type_of
from nndoctor.experiment.captured import Captured, captured, reached
from nndoctor.experiment.data import BATCH, Batch, Batches, batches, stand_in
from nndoctor.experiment.file_text import leaves_traces, text_of
from nndoctor.experiment.keras_model import as_torch, compiled_parts, is_keras, unbuilt, words_of_compile
from nndoctor.experiment.lengths import named_epochs
from nndoctor.experiment.lightning import Lightning, data_of, is_data_module
from nndoctor.experiment.model_file import Missing, ModelFileError, TrainsAtImport, load, user_code
from nndoctor.experiment.own_code import SAMPLER
from nndoctor.experiment.own_loss import why_no_loss
from nndoctor.experiment.own_steps import STEPS, a_function, loop_in, needs_loop, train_step_in
from nndoctor.experiment.plan import Plan
from nndoctor.experiment.several_optimizers import optimizers_in
from nndoctor.experiment.steps import TrainStep
from nndoctor.experiment.taken import taken_parts
from nndoctor.experiment.transformers_trainer import trainer_in, trainer_parts
from nndoctor.experiment.usual_names import as_step, plain_arrays

LINES = {
    "model": "model = Net()  # or: def model(): return Net()",
    "loss": "loss = nn.CrossEntropyLoss()  # or: def loss(output, target): ...",
    "train_data": "train_data = DataLoader(...)  # or a Dataset, a pair of tensors, a function that gives one",
}

GIVE_A_LOSS = {"loss", *STEPS}  # names, of which one is enough

OptimizerMaker = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]


@dataclass
class Experiment:
    """What a user's file brings. `notes` lists what was found and what was assumed, for people.

    `epochs` is the length that the file itself names, `make_model` its function `model` where it has one, `loop` its training
    loop as a train_step.
    """

    path: str
    model: nn.Module
    train_data: Batches
    loss: Callable[..., Tensor] | None = None
    validation_data: Batches | None = None
    optimizer: torch.optim.Optimizer | OptimizerMaker | None = None
    step: Callable[[nn.Module, Batch], Tensor] | None = None
    train_step: Callable[[nn.Module, Batch, torch.optim.Optimizer], object] | None = None
    notes: list[str] = field(default_factory=list)
    scheduler: object = None
    epochs: int | None = None
    make_model: Callable[..., nn.Module] | None = None
    loop: TrainStep | None = None
    plan: Plan = field(default_factory=Plan)


@dataclass(frozen=True, slots=True)
class ExperimentOptions:
    """What the command line adds to a file: stand-in data's shape and classes, batch size, seed."""

    shape: tuple[int, ...] | None = None
    classes: int | None = None
    batch_size: int = BATCH
    seed: int = 0


def experiment(path: str, given: ExperimentOptions = ExperimentOptions()) -> Experiment:
    """Load a file and take its parts, or those that its script makes as it runs.

    Raises ModelFileError for what is missing or does not work, in one message.
    """
    loaded: Mapping[str, object] = {}
    try:
        loaded = load(path, given.seed)
        made = _experiment(path, given, loaded)
        return (_with_loader(path, given, loaded) or made) if _makes_loader(made) else made
    except (Missing, TrainsAtImport) as error:
        found = _script(path, given, loaded, error)
        if found is None:
            arrays = plain_arrays(loaded)
            if not arrays:
                raise
            return _experiment(path, given, {**loaded, **arrays})
        try:
            return _experiment(path, given, {**loaded, **found.names}, found)
        except Missing:
            raise error from None


def _makes_loader(found: Experiment) -> bool:
    """Whether the loop of a file, which is given batches of nothing, seems to make a loader of its own."""
    if found.loop is None or found.train_data.loader is not None or next(iter(found.train_data), None) != ():
        return False
    return "loader" in text_of(found.loop).lower()


def _with_loader(path: str, given: ExperimentOptions, loaded: Mapping[str, object]) -> Experiment | None:
    """The experiment with the loader that a function of the file makes and goes through as it runs; None where it makes none."""
    script = captured(path, loaded)
    with suppress(ModelFileError):
        if script is not None and script.loader is not None:
            return _experiment(path, given, {**loaded, **script.names}, script)
    return None


def _script(
    path: str, given: ExperimentOptions, loaded: Mapping[str, object], error: Missing | TrainsAtImport
) -> Captured | None:
    """What the file's script makes, where it can be run up to its training."""
    if isinstance(error, TrainsAtImport) and error.parts is not None:
        return Captured(error.parts)
    found = captured(path, loaded) if loaded else None
    if found is None and not (loaded and leaves_traces(path)):
        found = reached(path, lambda: load(path, given.seed))
    return found


def _experiment(
    path: str, given: ExperimentOptions, variables: Mapping[str, object], script: Captured | None = None
) -> Experiment:
    words = words_of_compile(variables)
    loaded = {
        name: value for name, value in variables.items() if not _is_no_function(name, value) and name not in words
    }
    trained = trainer_in(loaded) is not None  # then all but the model is the Trainer's
    taken = {} if trained else taken_parts(loaded)
    names = {**loaded, **{part: value for part, (_, value) in taken.items()}}
    usual = {part: name for part, (name, _) in taken.items()}
    found = _model(path, names, given.seed)
    _check(path, script, found)
    parts = _parts(path, found, names)
    notes = _notes(found, usual)
    train_step, parts["optimizer"] = train_step_in(path, parts)
    framework = trained or is_keras(found)
    loop = None if framework else loop_in(names, parts, script, drawn=SAMPLER in usual.values())
    if loop is not None and (train_step is not None or needs_loop(found, parts)):
        train_step, parts["train_step"] = loop, loop
    if given.shape is None:
        _complete(path, parts)
    else:
        notes += _assumed(parts, given.shape, given)
    train, validation = _data(path, parts, given.batch_size, script)
    if not GIVE_A_LOSS & parts.keys():
        _owns_loss(path, found, train)
        notes.append("loss: the model's own")
    notes += [train.summary, validation.summary if validation else "no validation_data: overfitting cannot be seen"]
    return Experiment(
        path, found, train, a_function(path, "loss", parts.get("loss")), validation, _optimizer(path, parts.get("optimizer")),
        _step(path, parts.get("step")), train_step, notes,
        names.get("scheduler"), named_epochs(names), _maker(names.get("model")), loop, Plan.of(path, names, script, train),
    )  # fmt: skip


def _check(path: str, script: Captured | None, model: nn.Module) -> None:
    """Raise Missing where a script trains another model than that first, as a teacher."""
    if script is not None and not script.trains(model):
        raise Missing(f"{path}: its script trains another model first")


def _notes(model: nn.Module, usual: Mapping[str, str]) -> list[str]:
    names = ", ".join(f"{name} as {part}" for part, name in usual.items())
    return [
        f"model: {type(model).__name__}, {_size(model)}",
        *([f"taken by their usual names: {names}"] if usual else []),
    ]


def _data(path: str, parts: Mapping[str, object], size: int, script: Captured | None) -> tuple[Batches, Batches | None]:
    with user_code(path, "making its data"):
        train = batches("train_data", parts["train_data"], shuffle=True, size=size)
        held_out = parts.get("validation_data")
        if held_out is None and script is not None:
            held_out = script.held_out(train)
        return train, None if held_out is None else batches("validation_data", held_out, shuffle=False, size=size)


def _assumed(parts: dict[str, object], shape: tuple[int, ...], given: ExperimentOptions) -> list[str]:
    """Add stand-ins for the data and the loss that a file lacks, and say so."""
    notes = []
    if parts.get("train_data") is None:
        parts["train_data"] = stand_in(shape, given.classes, given.seed)
        notes.append(f"train_data: assumed, random normal inputs of shape {'x'.join(map(str, shape))}")
    if not GIVE_A_LOSS & parts.keys():
        loss = parts["loss"] = nn.MSELoss() if given.classes is None else nn.CrossEntropyLoss()
        notes.append(f"loss: assumed, {type(loss).__name__}")
    return notes


def _maker(given: object) -> Callable[..., nn.Module] | None:
    return given if callable(given) and not isinstance(given, nn.Module) else None


def _size(model: nn.Module) -> str:
    """`1,234 parameters`; lazy ones are not counted before their first batch."""
    lazy = any(isinstance(p, nn.parameter.UninitializedParameter) for p in model.parameters())
    return "lazy parameters" if lazy or unbuilt(model) else f"{sum(p.numel() for p in model.parameters()):,} parameters"


def _named(names: Mapping[str, object]) -> dict[str, object]:
    """The names of the contract."""
    known = ("loss", "train_data", "validation_data", "optimizer", "step", "train_step")
    return {name: names[name] for name in known if names.get(name) is not None}


def _is_no_function(name: str, value: object) -> bool:
    """Whether something else has the name of a function: a number called `step` counts steps, an optimizer may be the `train_step`."""
    return name in GIVE_A_LOSS and isinstance(value, (int, float, torch.Tensor, torch.optim.Optimizer))


def _model(path: str, names: Mapping[str, object], seed: int) -> nn.Module:
    given = names.get("model")
    trainer = trainer_in(names)
    if given is None and trainer is not None:
        given = trainer.model
    if given is None:
        raise Missing(f"{path} sets no model{_model_hint(names)}")
    if not isinstance(given, nn.Module) and callable(given):
        torch.manual_seed(seed)
        with user_code(path, "making its model"):
            given = given()
    if not isinstance(given, nn.Module):
        raise ModelFileError(
            f"{path}: model is {type_of(given)}; expected a torch.nn.Module, or a function that gives one"
        )
    return given


def _model_hint(names: Mapping[str, object]) -> str:
    """The line to add: with the last model class that the file defines, where it defines one."""
    own = [name for name, value in names.items() if _is_module(value) and value.__module__ == names["__name__"]]
    return f"; it defines {own[-1]}: add `model = {own[-1]}()`" if own else f": add `{LINES['model']}`"


def _is_module(value: object) -> TypeGuard[type[nn.Module]]:
    return inspect.isclass(value) and issubclass(value, nn.Module)


def _parts(path: str, model: nn.Module, names: Mapping[str, object]) -> dict[str, object]:
    """What the file names, over what a framework's model brings by itself; a Trainer has its own data and optimizer."""
    parts = _named(names)
    trainer = trainer_in(names)
    if trainer is not None and trainer.model is model:
        with user_code(path, "asking its Trainer for its parts"):
            own = {name: part for name, part in parts.items() if name in STEPS}
            return parts | trainer_parts(trainer) | own
    lightning = Lightning.of(model)
    with user_code(path, "attaching it to a Trainer" if lightning else "making its data"):
        if lightning is not None:
            own = lightning.parts(parts.get("train_data"), parts.get("validation_data"))
            return {**own, **parts, **{name: own[name] for name in ("train_data", "validation_data") if name in own}}
        if is_data_module(parts.get("train_data")):
            parts |= data_of(parts["train_data"])
        return {**compiled_parts(model), **as_torch(parts)}


def _complete(path: str, parts: Mapping[str, object]) -> None:
    """Raise ModelFileError, with the lines that are missing, where there is no training data."""
    if "train_data" not in parts:
        missing = ["train_data"] if GIVE_A_LOSS & parts.keys() else ["loss", "train_data"]
        lines = "; ".join(f"`{LINES[name]}`" for name in missing)
        raise Missing(f"{path} has no {' and no '.join(missing)}: add {lines}")


def _owns_loss(path: str, model: nn.Module, train: Batches) -> None:
    """Raise Missing where nothing gives a loss: neither the file nor the model itself."""
    with user_code(path, "reading its data"):
        why = why_no_loss(model, train)
    if why is not None:
        raise Missing(
            f"{path} has no loss: add `{LINES['loss']}`, or `def step(model, batch): return the_loss` ({why})"
        )


def _step(path: str, value: object) -> Callable[..., Tensor] | None:
    step = a_function(path, "step", value)
    return None if step is None else as_step(step)


def _optimizer(path: str, value: object) -> torch.optim.Optimizer | OptimizerMaker | None:
    if value is None or isinstance(value, torch.optim.Optimizer) or callable(value):
        return value
    if optimizers_in(value):
        raise ModelFileError(
            f"{path}: optimizer holds {plural(len(optimizers_in(value)), 'optimizer')}; expected one, "
            "or `def train_step(model, batch, optimizer)`, which is given all of them"
        )
    raise ModelFileError(
        f"{path}: optimizer is {type_of(value)}; expected a torch.optim.Optimizer or `lambda params: SGD(params, lr=0.1)`"
    )
