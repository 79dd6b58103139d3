"""The examples at the end of each command's help."""

from __future__ import annotations

from collections.abc import Mapping

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "diagnose": (
        "nndoctor diagnose run.csv",
        "nndoctor diagnose runs/ --fail-on warning",
        "nndoctor diagnose run.csv --map 'my col=train/loss' --require 'val_loss best < 0.3'",
        "python train.py | nndoctor diagnose -",
    ),
    "watch": ("nndoctor watch run.csv", "nndoctor watch runs/ --until-finding --stop-command 'kill {pid}' --pid 4711"),
    "report": ("nndoctor report runs/ -o report.html",),
    "plot": ("nndoctor plot run.csv -o run.png", "nndoctor plot runs/ -o runs.svg --theme dark"),
    "compare": ("nndoctor compare before.csv after.csv", "nndoctor compare baseline-seeds/ new-seeds/ -f markdown"),
    "sweep": ("nndoctor sweep runs/", "nndoctor sweep trials.csv --by score --higher"),
    "sanity": (
        "nndoctor sanity --template > model.py",
        "nndoctor sanity model.py --budget 30",
        "nndoctor sanity model.py --input 3x32x32 --classes 10",
    ),
    "train": ("nndoctor train model.py --epochs 20 --optimizer adam --lr 1e-3",),
    "treat": ("nndoctor treat model.py --budget 5m",),
    "search": ("nndoctor search model.py --budget 5m",),
    "learning-curve": ("nndoctor learning-curve model.py --epochs 5",),
    "mcp": ("nndoctor mcp --root .", "claude mcp add nndoctor -- nndoctor mcp --root ."),
    "baseline": (
        "nndoctor baseline save good-runs/ -o nndoctor-baseline.json",
        "nndoctor diagnose new-run/ --baseline nndoctor-baseline.json",
    ),
    "skill": ("nndoctor skill show", "nndoctor skill install --claude"),
    "show": ("nndoctor skill show",),
    "install": ("nndoctor skill install --claude",),
    "lab": ("nndoctor lab", "nndoctor lab dead-relu"),
    "save": ("nndoctor baseline save good-runs/ -o nndoctor-baseline.json",),
    "settings": ("nndoctor settings", "nndoctor settings runs/run.csv"),
    "rules": ("nndoctor rules", "nndoctor rules -f json"),
    "explain": ("nndoctor explain NN103", "nndoctor explain overfitting"),
    "formats": ("nndoctor formats",),
    "convert": ("nndoctor convert run.log -o run.csv",),
}
