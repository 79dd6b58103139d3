"""A Python file's text, and edits of it at places that its syntax tree names."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator


class SourceText:
    """The text and its tree. Raises SyntaxError."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = ast.parse(text)
        self._starts = [0]
        for line in text.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._lines = text.splitlines(keepends=True)

    def _place(self, line: int, column: int) -> int:
        """Columns of the tree count bytes."""
        return self._starts[line - 1] + len(self._lines[line - 1].encode()[:column].decode())

    def _span(self, node: ast.expr) -> tuple[int, int]:
        ends = (node.end_lineno or node.lineno, node.end_col_offset or 0)
        return self._place(node.lineno, node.col_offset), self._place(*ends)

    def segment(self, node: ast.expr) -> str:
        """The text of a node."""
        start, stop = self._span(node)
        return self.text[start:stop]

    def replaced(self, node: ast.expr, by: str) -> str:
        """The whole text with other text in a node's place."""
        start, stop = self._span(node)
        return self.text[:start] + by + self.text[stop:]

    def _calls(self, tree: ast.AST) -> Iterator[ast.Call]:
        return (node for node in ast.walk(tree) if isinstance(node, ast.Call))

    def calls(self, names: Collection[str]) -> list[ast.Call]:
        """The calls of these names, with or without a module before them, in the order of the text."""
        found = [call for call in self._calls(self.tree) if self.name(call) in names]
        return sorted(found, key=lambda call: (call.lineno, call.col_offset))

    def call(self, names: Collection[str]) -> ast.Call | None:
        """The only such call of the file, or of what `optimizer` is set to last; None where there is no single one."""
        node = self._assignment("optimizer")
        for tree in (node, self.tree):
            found = [call for call in self._calls(tree) if self.name(call) in names] if tree is not None else []
            if len(found) == 1:
                return found[0]
        return None

    def name(self, call: ast.Call) -> str:
        """The last part of what is called."""
        return str(getattr(call.func, "attr", getattr(call.func, "id", "")))

    def renamed(self, call: ast.Call, name: str) -> str:
        """The text with another name for what is called, in the same module."""
        function = call.func
        module = f"{self.segment(function.value)}." if isinstance(function, ast.Attribute) else ""
        return self.replaced(function, f"{module}{name}")

    def imports(self, module: str) -> bool:
        """Whether the file imports a module under its own name."""
        return any(
            alias.name == module and alias.asname is None
            for node in self.tree.body
            if isinstance(node, ast.Import)
            for alias in node.names
        )

    def _assignment(self, name: str) -> ast.Assign | None:
        found = [
            node
            for node in self.tree.body
            if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets)
        ]
        return found[-1] if found else None

    def assigns(self, name: str) -> bool:
        """Whether the file sets a name at its top level."""
        return self._assignment(name) is not None

    def assigned_call(self, name: str, keyword: str) -> ast.Call | None:
        """The call with a keyword argument in the assignment of a name, else the file's only call with it."""
        node = self._assignment(name)
        for tree in (node, self.tree):
            found = [c for c in self._calls(tree) if any(k.arg == keyword for k in c.keywords)] if tree else []
            if len(found) == 1:
                return found[0]
        return None

    def _constant(self, name: str) -> ast.Constant | None:
        node = self._assignment(name)
        return node.value if node is not None and isinstance(node.value, ast.Constant) else None

    def number(self, call: ast.Call, keyword: str) -> float | None:
        """The number that a call is given, as it is or by a constant's name."""
        value = _argument(call, keyword)
        held = self._constant(value.id) if isinstance(value, ast.Name) else value
        number = held.value if isinstance(held, ast.Constant) else None
        return float(number) if isinstance(number, (int, float)) else None

    def with_argument(self, call: ast.Call, name: str, value: object, place: int | None = None) -> str | None:
        """The text with an argument set where it is (keyword, position, or a constant of that name), or added."""
        if value is None:
            return None
        held = _argument(call, name, place)
        if held is not None:
            constant = self._constant(held.id) if isinstance(held, ast.Name) else None
            return self.replaced(constant or held, repr(value))
        if any(k.arg is None for k in call.keywords):
            return None
        stop = self._span(call)[1] - 1
        before = self.text[:stop].rstrip()
        comma = "" if before.endswith("(") else " " if before.endswith(",") else ", "
        return f"{before}{comma}{name}={value!r}{self.text[stop:]}"

    def with_multiple(self, name: str, factor: int) -> str | None:
        """The text with a constant of the top level multiplied; None where there is no such number."""
        held = self._constant(name)
        if held is None or not isinstance(held.value, int):
            return None
        return self.replaced(held, str(held.value * factor))

    def with_default(self, function: str, parameters: Collection[str], factor: int) -> str | None:
        """The text with the default of one of a function's parameters multiplied."""
        node = next((n for n in self.tree.body if isinstance(n, ast.FunctionDef) and n.name == function), None)
        if node is None:
            return None
        names = node.args.args[len(node.args.args) - len(node.args.defaults) :]
        for argument, default in zip(names, node.args.defaults, strict=True):
            if argument.arg in parameters and isinstance(default, ast.Constant) and isinstance(default.value, int):
                return self.replaced(default, str(default.value * factor))
        return None


def _argument(call: ast.Call, keyword: str, place: int | None = None) -> ast.expr | None:
    """What a call is given by keyword, or at a place."""
    named = next((k.value for k in call.keywords if k.arg == keyword), None)
    return call.args[place] if named is None and place is not None and place < len(call.args) else named
