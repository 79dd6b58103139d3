"""One line of code per framework: callbacks that record a training, judge it while it runs and print the verdict.

The modules are loaded when they are first named: `nndoctor.integrations.lightning.Doctor()`.
"""

from __future__ import annotations

from importlib import import_module

_FRAMEWORKS = ("accelerate", "ignite", "keras", "lightning", "optuna", "ray", "skorch", "transformers")


def __getattr__(name: str) -> object:
    if name in _FRAMEWORKS:
        return import_module(f"nndoctor.integrations.{name}")
    raise AttributeError(f"module 'nndoctor.integrations' has no attribute '{name}'")
