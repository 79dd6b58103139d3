"""Runs in a linter's own environment: python driver.py CONFIG, with its folder of logs; one JSON object a file to standard output.

CONFIG is JSON: `logs`, and either `main` (module, function, arguments before the path) or `lint` (module, function of a path).
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import sys
from pathlib import Path
from typing import Any


def main(config: dict[str, Any]) -> None:
    """Every CSV file in the folder, by the tool's command line or by its function."""
    for path in sorted(Path(config["logs"]).glob("*.csv")):
        said = _command(config["main"], path) if "main" in config else _function(config["lint"], path)
        print(json.dumps({"file": path.stem, "said": said}), flush=True)


def _command(main: list[Any], path: Path) -> str:
    module, function, arguments = main
    out = io.StringIO()
    sys.argv = [module, *arguments, str(path)]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()), contextlib.suppress(SystemExit):
        getattr(importlib.import_module(module), function)()
    return out.getvalue()


def _function(lint: list[str], path: Path) -> str:
    module, function = lint
    try:
        found = getattr(importlib.import_module(module), function)(str(path))
    except (ValueError, KeyError, TypeError) as error:  # what it can't read it flags as little as what is well
        return json.dumps({"error": str(error)})
    return json.dumps([[f.name, f.severity] for f in found])


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
