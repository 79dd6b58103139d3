"""Runs a user's `model.py` and returns the names that it defines; an error in it is reported with its line."""

from __future__ import annotations

import importlib
import importlib.util
import io
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import torch

from nndoctor.core.errors import UsageError
from nndoctor.experiment.loading import Trains, no_training

NAME = "nndoctor_model_file"


class ModelFileError(UsageError):
    """The user's file, or a part of it, does not work; `trace` holds the user's own frames."""

    def __init__(self, message: str, trace: str = "") -> None:
        super().__init__(message)
        self.trace = trace


class Missing(ModelFileError):
    """The file lacks a part that its script may make as it runs."""


class TrainsAtImport(ModelFileError):
    """The file trains its model as it is imported; `parts` is what it hands to a framework that does it."""

    def __init__(self, message: str, parts: Mapping[str, object] | None) -> None:
        super().__init__(message)
        self.parts = parts


def load(path: str, seed: int = 0) -> Mapping[str, object]:
    """Run the file, its randomness seeded, and give its top-level names.

    Raises ModelFileError where there is no such file, where it raises, or where it trains as it is imported.
    """
    file = Path(path)
    if not file.is_file():
        raise ModelFileError(f"{path}: no such file; `nndoctor sanity --template` prints one to start from")
    torch.manual_seed(seed)
    name, root = package_name(file)
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ModelFileError(f"{path} is not a Python file; expected one that defines model, loss and train_data")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # classes defined in it can be pickled by the workers of a data loader
    with (
        _importable(root),
        _importable(file.resolve().parent),
        own_arguments(path),
        user_code(path, "running it"),
        no_training(module),
    ):
        if "." in name:  # relative imports want the packages that hold the file
            importlib.import_module(name.rpartition(".")[0])
            sys.modules[name] = module
        spec.loader.exec_module(module)
    return vars(module)


@contextmanager
def user_code(path: str, doing: str) -> Iterator[None]:
    """What the user's code raises while `doing` something, as a ModelFileError that names the line of their file."""
    try:
        yield
    except ModelFileError:
        raise
    except UsageError as error:
        raise ModelFileError(f"{path}: {error}") from error
    except Trains as error:
        text = f'{_place(error, path)}: trains as it is imported; put that under `if __name__ == "__main__":`'
        raise TrainsAtImport(text, error.parts) from error
    except SystemExit as error:
        raise ModelFileError(f'{path} ends the program; put its script under `if __name__ == "__main__":`') from error
    except Exception as error:
        lines = str(error).strip().splitlines()
        if "relative import" in str(error):
            lines = [f"{lines[0]}; add an __init__.py to the folder, or run it by name: --module pkg.model"]
        raise ModelFileError(
            f"{_place(error, path)}: {type(error).__name__} while {doing}{f': {lines[0]}' if lines else ''}",
            _trace(error, path),
        ) from error


def package_name(file: Path) -> tuple[str, Path]:
    """The dotted name of a file that is part of a package, and the folder that the name starts from; else NAME."""
    folder, parts = file.resolve().parent, [file.stem]
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    return (".".join(parts) if len(parts) > 1 else NAME), folder


def file_of(module: str) -> str:
    """The path of the file of a dotted module name, searched from the current folder on.

    Raises ModelFileError where there is none.
    """
    parts = module.split(".")
    for root in (Path.cwd(), *map(Path, sys.path)):
        for file in (root.joinpath(*parts).with_suffix(".py"), root.joinpath(*parts, "__init__.py")):
            if file.is_file():
                return str(file)
    raise ModelFileError(f"no module {module}: expected a dotted name such as pkg.model, importable from this folder")


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Modules in the folder can be imported, as when a file in it is run."""
    name = str(folder)
    sys.path.insert(0, name)
    try:
        yield
    finally:
        if name in sys.path:
            sys.path.remove(name)


@contextmanager
def own_arguments(path: str) -> Iterator[None]:
    """The command line as the file sees it when it is run by itself: its name and no arguments."""
    ours, sys.argv = sys.argv, [path]
    try:
        yield
    finally:
        sys.argv = ours


@contextmanager
def silent() -> Iterator[None]:
    """What the user's code prints is dropped."""
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        yield


def _frames(error: BaseException, path: str) -> list[traceback.FrameSummary]:
    """The frames of the user's own files: those in the model file's folder and below."""
    folder = str(Path(path).resolve().parent)
    frames = traceback.extract_tb(error.__traceback__)
    return [
        f
        for f in frames
        if str(Path(f.filename).resolve()).startswith(folder)
        and not f.filename.startswith("<")
        and "site-packages" not in f.filename
    ]


def _place(error: BaseException, path: str) -> str:
    line = _line(error, path)
    return f"{path}, line {line}" if line else path


def _line(error: BaseException, path: str) -> int | None:
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename).name == Path(path).name:
        return error.lineno
    mine = [f for f in _frames(error, path) if Path(f.filename).name == Path(path).name]
    return mine[-1].lineno if mine else None


def _trace(error: BaseException, path: str) -> str:
    """The user's traceback without the frames of nndoctor."""
    frames = _frames(error, path)
    return "".join(traceback.format_list(frames) + traceback.format_exception_only(error)) if frames else ""
