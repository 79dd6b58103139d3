"""What the text of a user's file shows that its names do not: the script at its end, and the data that its step is called with."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

SCRIPT = "__main__"  # the name of the script as a function
LEAVES_TRACES = re.compile(r"wandb|mlflow|SummaryWriter|neptune|comet|init_process_group|mp\.spawn|\binput\(")
"""Trackers, other processes and questions: code with one of them is not run to see what it makes."""
MAKES_OPTIMIZER = re.compile(r"\b(optim\.[A-Z]|(Adam\w*|SGD|RMSprop)\()")
TEXT = "text"  # the attribute of a script that has its text
PAIR = 2  # inputs and targets
POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def script_of(names: Mapping[str, Any]) -> FunctionType | None:
    """The block under `if __name__ == "__main__":` as a function of the file, whose variables are the file's; None without one."""
    path = str(names.get("__file__") or "")
    block = next((node for node in tree_of(path).body if _is_main(node)), None)
    if not isinstance(block, ast.If):
        return None
    return as_function([block], path, vars(sys.modules[names["__name__"]]), body=block.body)


def as_function(
    nodes: list[ast.stmt], path: str, variables: dict[str, Any], *, body: list[ast.stmt] | None = None
) -> FunctionType:
    """Statements of a file as a function without arguments, of which `variables` are the global ones; `body` are those that run."""
    empty = ast.arguments([], [], None, [], [], None, [])
    assigned = sorted(set().union(*(assigned_in(ast.Module([node], [])) for node in nodes)))
    lines = [*([ast.Global(assigned)] if assigned else []), *(nodes if body is None else body)]
    made = ast.copy_location(ast.FunctionDef("main", empty, lines, []), nodes[0])
    function = FunctionType(code_of(made, path), variables, SCRIPT)
    function.__dict__[TEXT] = "\n".join(map(ast.unparse, nodes))
    return function


def code_of(node: ast.FunctionDef, path: str) -> CodeType:
    """The code of a function that is a part of a tree, or was changed there."""
    compiled = compile(ast.fix_missing_locations(ast.Module([node], [])), path, "exec")
    return next(one for one in compiled.co_consts if isinstance(one, CodeType))


def text_of(function: Callable[..., Any], *, depth: int = 2, owner: type | None = None) -> str:
    """The text of a function without comments, and of those of its file that it calls, also as methods of its own object, or of an `owner`."""
    plain: Any = inspect.unwrap(function)
    variables, code = getattr(plain, "__globals__", {}), getattr(plain, "__code__", None)
    own = type(variables["self"]) if "self" in variables else owner
    names = getattr(code, "co_names", ()) if depth else ()
    called = [f for name in names for f in (variables.get(name), vars(own).get(name) if own else None)]
    inner = (f for f in called if inspect.isfunction(f) and f.__module__ == plain.__module__ and f is not plain)
    return "\n".join([_own_text(plain), *(text_of(f, depth=depth - 1, owner=own) for f in inner)])


def text_with(statement: ast.stmt, variables: Mapping[str, Any]) -> str:
    """The text of a statement, and of the functions that it calls."""
    functions = (variables.get(name) for name in sorted(called_in(statement)))
    return "\n".join([ast.unparse(statement), *(text_of(one) for one in functions if isinstance(one, FunctionType))])


def called_in(statement: ast.stmt) -> set[str]:
    """What a statement calls, as it is written there."""
    return {ast.unparse(node.func) for node in ast.walk(statement) if isinstance(node, ast.Call)}


def _own_text(function: Any) -> str:  # noqa: ANN401
    if TEXT in vars(function):  # which inspect takes for the function before it
        return str(vars(function)[TEXT])
    try:
        lines = inspect.getsource(function).splitlines()
    except (OSError, TypeError):
        return ""
    return "\n".join(line.partition("#")[0] for line in lines)


def assigned_in(block: ast.AST) -> set[str]:
    """The names to which a block assigns, or imports, without those within its functions and comprehensions."""
    own = (
        ast.FunctionDef,
        ast.AsyncFunctionDef,
        ast.ClassDef,
        ast.Lambda,
        ast.ListComp,
        ast.SetComp,
        ast.DictComp,
        ast.GeneratorExp,
    )
    found: set[str] = set()
    for node in ast.iter_child_nodes(block):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
        if not isinstance(node, own):
            found |= assigned_in(node)
    return found


def tree_of(path: str) -> ast.Module:
    """The file as a tree; an empty one where it cannot be read."""
    try:
        return ast.parse(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError):
        return ast.Module([], [])


def frames_of(path: str) -> list[FrameType]:
    """The frames of a file that are running, the innermost first."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - no public name gives the frames that are running
    found = []
    while frame is not None:
        if Path(frame.f_code.co_filename).resolve() == Path(path).resolve():
            found.append(frame)
        frame = frame.f_back
    return found


def variables_of(frame: FrameType) -> dict[str, Any]:
    """The variables of a frame, and those of its file."""
    return {**frame.f_globals, **frame.f_locals}


def required(function: Callable[..., Any]) -> list[str]:
    """The names of the arguments that must be given, by position."""
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if p.default is p.empty and p.kind in POSITIONAL]


def _is_main(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).replace('"', "'") in (
        "__name__ == '__main__'",
        "'__main__' == __name__",
    )


def data_for(step: Callable[..., Any], number: int, known: Collection[str]) -> Callable[[], Iterator[object]] | None:
    """So many batches for a step whose file has no data: what its own call in the file draws, or nothing for one that takes nothing but what is `known`.

    None where the call has no such arguments, or they cannot be drawn before the script runs.
    """
    places = [k for k, name in enumerate(required(step)) if name not in known]
    variables = getattr(inspect.unwrap(step), "__globals__", {})
    if not places:
        return lambda: iter([()] * number)
    drawn = _drawn(step, places)

    def draw() -> object:
        parts = tuple(eval(one, variables) for one in drawn)  # noqa: S307 - the user's own file
        return parts if len(parts) > 1 else parts[0]

    return (lambda: (draw() for _ in range(number))) if drawn and _runs(draw) else None


def fit_arguments(names: Mapping[str, Any], model: object) -> dict[str, tuple[str, tuple[Any, Any]]]:
    """Inputs and targets that the file gives to `model.fit`, and its validation_data, where they are variables: part to names and values."""
    call = next((c for c in _fits(str(names.get("__file__") or "")) if names.get(_owner(c)) is model), None)
    if call is None:
        return {}
    held_out = next((k.value for k in call.keywords if k.arg == "validation_data"), None)
    pairs = {"train_data": call.args[:PAIR], "validation_data": getattr(held_out, "elts", [])}
    texts = {part: tuple(map(ast.unparse, pair)) for part, pair in pairs.items() if len(pair) == PAIR}
    return {part: (f"{x} and {y}", (names[x], names[y])) for part, (x, y) in texts.items() if {x, y} <= names.keys()}


def leaves_traces(path: str) -> bool:
    """Whether a file names a tracker, other processes or a question, so that it is not run a second time."""
    return bool(LEAVES_TRACES.search(ast.unparse(tree_of(path))))


def _fits(path: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".fit") and len(node.args) >= PAIR:
            yield node


def _owner(call: ast.Call) -> str:
    return ast.unparse(call.func).removesuffix(".fit")


def _runs(draw: Callable[[], object]) -> bool:
    try:
        draw()
    except Exception:  # noqa: BLE001 - whatever is not there yet
        return False
    return True


def _drawn(step: Callable[..., Any], places: list[int]) -> list[CodeType]:
    """The arguments at some places with which the file calls a step, where each is made by a call, as in `step(sample(64))`."""
    for node in ast.walk(tree_of(inspect.unwrap(step).__code__.co_filename)):
        if not isinstance(node, ast.Call) or ast.unparse(node.func) != step.__name__ or len(node.args) <= max(places):
            continue
        given = [node.args[k] for k in places]
        if all(isinstance(one, ast.Call) for one in given):
            return [compile(ast.Expression(one), "<drawn>", "eval") for one in given]
    return []
