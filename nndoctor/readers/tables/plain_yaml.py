"""The settings in a YAML file of plain keys and values: what Lightning, W&B, Hydra and YOLO write, without a parser of all YAML.

Mappings are joined by slashes. Lists, texts over several lines, anchors and Python objects are left out: nothing is built.
"""

from __future__ import annotations

import re

PAIR = re.compile(r"(?P<indent> *)(?P<key>[^\s:#\-?!&*][^:#]*?|'[^']*'|\"[^\"]*\")\s*:(?:\s+(?P<value>.*))?$")
CONSTANTS = {"true": True, "false": False, "null": None, "~": None, "": None, "yes": True, "no": False}
NOT_PLAIN = ("!", "&", "*", "|", ">", "[", "{")  # first characters of values that are not plain
MAX_LINES = 5000  # lines


def plain(text: str) -> dict[str, object]:
    """`{"model/width": 64}` for a mapping of mappings; empty for anything else."""
    found: dict[str, object] = {}
    open_keys: list[tuple[int, str]] = []
    skipped = -1  # the indentation of a value that is left out, with all that is indented below it
    for line in text.splitlines()[:MAX_LINES]:
        match = PAIR.match(line)
        if match is None:
            continue
        indent, key = len(match["indent"]), match["key"].strip("'\"")
        if 0 <= skipped < indent:
            continue
        skipped = -1
        while open_keys and open_keys[-1][0] >= indent:
            open_keys.pop()
        value = (match["value"] or "").split(" #")[0].strip()
        if value.startswith(NOT_PLAIN):
            skipped = indent
            continue
        open_keys.append((indent, key))
        if value:
            found["/".join(name for _, name in open_keys)] = _value(value)
    return found


def _value(text: str) -> object:
    if text.lower() in CONSTANTS:
        return CONSTANTS[text.lower()]
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text
