"""What tests/test_ceilings.py counts in the source: complex functions, unnamed numbers and literal confidences.

`python -m tests.ceilings` lists them.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
MAX_COMPLEXITY = 15
PLAIN = {0, 1, 2, -1, 100}  # numbers that need no name: ends, halves, percent
SYMPTOMS = {"Symptom", "_symptom"}
NUMBER = re.compile(r"(?<![\w.])\d[\d.,]*\d%?|(?<![\w.])\d%?(?![\w])")


def modules(*folders: str) -> list[Path]:
    """The Python files below folders of the repository."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions and methods of a module; those within others are part of these."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, FUNCTIONS):
            yield node
        elif isinstance(node, ast.ClassDef):
            yield from functions(node)


def complexity(function: ast.AST) -> int:
    """The cyclomatic complexity as radon counts it: boolean operators, conditional expressions and comprehensions, too."""
    return 1 + sum(map(_branches, ast.walk(function)))


def _branches(node: ast.AST) -> int:
    if isinstance(node, (ast.If, ast.IfExp, ast.Assert, ast.Lambda)):
        return 1
    if isinstance(node, ast.BoolOp):
        return len(node.values) - 1
    if isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
        return 1 + bool(node.orelse)
    if isinstance(node, ast.Try):
        return len(node.handlers) + bool(node.orelse)
    if isinstance(node, ast.Match):
        return len(node.cases)
    return 1 + len(node.ifs) if isinstance(node, ast.comprehension) else 0


def complex_functions() -> list[str]:
    """The functions above MAX_COMPLEXITY; the model files of benchmarks/treat are written as users write them."""
    files = [path for path in modules("nndoctor", "benchmarks") if "treat/models" not in path.as_posix()]
    return [
        f"{path.relative_to(ROOT)}:{function.lineno}: {function.name} has a complexity of {value}"
        for path in files
        for function in functions(ast.parse(path.read_text(encoding="utf-8")))
        if (value := complexity(function)) > MAX_COMPLEXITY
    ]


def unnamed_numbers() -> list[str]:
    """The numbers within the functions of rules and of their measurements that are not named, but for weights of causes."""
    return [
        f"{path.relative_to(ROOT)}:{number.lineno}: {number.value}"
        for path in modules("nndoctor/rules", "nndoctor/analysis")
        for function in functions(ast.parse(path.read_text(encoding="utf-8")))
        for number in _numbers(function)
    ]


def _numbers(node: ast.AST) -> Iterator[ast.Constant]:
    """Numbers in judgements: not in causes and their weights, in subscripts, or in formats and counts of a text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
        if node.value not in PLAIN:
            yield node
    elif not isinstance(node, (ast.JoinedStr, ast.Subscript)) and not _makes(node, {"Cause", "round"}):
        for child in ast.iter_child_nodes(node):
            yield from _numbers(child)


def _makes(node: ast.AST, names: set[str]) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names


def literal_confidences() -> list[str]:
    """The symptoms of rules whose confidence is a number without a name."""
    found = []
    for path in modules("nndoctor/rules"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and _makes(call, SYMPTOMS):
                found += [f"{path.relative_to(ROOT)}:{n.lineno}: {n.value}" for n in _confidences(call)]
    return found


def _confidences(call: ast.Call) -> list[ast.Constant]:
    """The literal numbers among the arguments that can be a confidence."""
    given = [*call.args[1:], *(k.value for k in call.keywords if k.arg == "confidence")]
    chosen = [part for one in given for part in ([one.body, one.orelse] if isinstance(one, ast.IfExp) else [one])]
    return [n for n in chosen if isinstance(n, ast.Constant) and isinstance(n.value, float) and 0.3 <= n.value <= 1]


def written_limits() -> list[str]:
    """The numbers in the `how` texts of rules that are written out, and not taken from the limits: they can drift."""
    found = []
    for path in modules("nndoctor/rules"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and _makes(call, {"Rule"}):
                texts = [n for k in call.keywords if k.arg == "how" for n in ast.walk(k.value)]
                found += [
                    f"{path.relative_to(ROOT)}:{text.lineno}: {number}"
                    for text in texts
                    if isinstance(text, ast.Constant) and isinstance(text.value, str)
                    for number in NUMBER.findall(text.value)
                ]
    return found


if __name__ == "__main__":
    for lines in (complex_functions(), unnamed_numbers(), literal_confidences(), written_limits()):
        sys.stdout.write("\n".join([*lines, f"{len(lines)} in all", ""]))
