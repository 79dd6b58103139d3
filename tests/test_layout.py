"""The layout: layers, sizes, the top level, and a start that loads nothing it does not need."""

from __future__ import annotations

import ast
import doctest
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nndoctor.diagnosis.catalogue import RULES

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "nndoctor"
MODULES = sorted(PACKAGE.rglob("*.py"))

TOP_LEVEL = {
    "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "constraints.txt", "action.yml",
    "nndoctor", "tests", "sample_runs", "benchmarks", "docs",
}  # fmt: skip

# The layers, lowest first. A module may import its own folder and any layer below, never another folder of its own layer.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("_version", "core.errors"),
    ("core",),
    ("analysis",),
    ("prognosis",),
    ("rules", "readers", "remedies", "settings", "recorder", "plots"),
    ("diagnosis",),
    ("compare", "experiment"),
    ("sanity", "training"),
    ("treatment", "lab"),
    ("reporters",),
    ("integrations", "api", "pytest_plugin"),
    ("cli",),
)
HEIGHT = {folder: height for height, folders in enumerate(LAYERS) for folder in folders}

# Which packages may be imported in which rooms.
ALLOWED = {
    "torch": {"recorder", "experiment", "sanity", "training", "treatment", "lab", "integrations"},
    "typer": {"cli"},
    "matplotlib": {"plots"},
}


def folder_of(name: str) -> str:
    """`nndoctor.rules.log.x` -> `rules`; `nndoctor.core.errors`, below all others, is a layer of its own."""
    parts = name.split(".")[1:]
    return "core.errors" if parts[:2] == ["core", "errors"] else parts[0] if parts else ""


def room(module: Path) -> str:
    """The folder of a module's file."""
    return folder_of(dotted(module))


def dotted(module: Path) -> str:
    """`nndoctor/rules/log/x.py` -> `nndoctor.rules.log.x`."""
    return ".".join(module.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(module: Path, *, anywhere: bool = True) -> set[str]:
    """Dotted names of what a module imports, anywhere in it or as it is loaded; `from a import b` gives a.b or a."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree) if anywhere else tree.body:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{dotted(module)} uses a relative import"
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if name in NAMES else str(node.module) for name in whole}
    return names


NAMES = {dotted(module) for module in MODULES}
FOLDERS = sorted({room(m) for m in MODULES} - {"", "__main__"})


@pytest.mark.parametrize("name", FOLDERS)
def test_every_folder_has_a_layer(name):
    """A new folder is given its layer in LAYERS."""
    assert name in HEIGHT


@pytest.mark.parametrize("module", [m for m in MODULES if room(m) in HEIGHT], ids=dotted)
def test_imports_run_strictly_down(module):
    """No module imports, anywhere in it, from a higher layer or from another folder of its own layer."""
    own = room(module)
    others = {folder_of(name) for name in imports(module) if name.startswith("nndoctor.")} - {own, "__main__"}
    wrong = {other for other in others if other in HEIGHT and HEIGHT[other] >= HEIGHT[own]}
    assert not wrong, f"{dotted(module)} imports {wrong}"


def test_top_level_of_the_package_is_the_pipeline():
    """Modules lie in folders; only the entry points are at the top."""
    top = {path.name for path in PACKAGE.glob("*.py")}
    assert top == {"__init__.py", "__main__.py", "_version.py", "api.py", "pytest_plugin.py"}


RULE_FILES = [m for m in MODULES if room(m) == "rules" and m.name != "__init__.py"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_has_a_file_of_its_name(rule):
    """A rule is found by its name."""
    assert rule.name.replace("-", "_") in {m.stem for m in RULE_FILES}


@pytest.mark.parametrize("module", [m for m in MODULES if room(m) == "rules"], ids=dotted)
def test_no_rule_imports_a_rule(module):
    """A rule knows no other rule."""
    assert not {name for name in imports(module) if name.startswith("nndoctor.rules.")}


def is_reader(module: Path) -> bool:
    """Whether a module of readers/ reads a format: the room's ends (its face, its table) may import readers."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    return any(isinstance(n, (ast.Assign, ast.AnnAssign)) and "READER" in _targets(n) for n in tree.body)


def _targets(node: ast.Assign | ast.AnnAssign) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return {t.id for t in targets if isinstance(t, ast.Name)}


READERS = [m for m in MODULES if room(m) == "readers" and is_reader(m)]


@pytest.mark.parametrize("module", READERS, ids=dotted)
def test_no_reader_imports_a_reader(module):
    """A reader knows no other reader."""
    others = {dotted(m) for m in READERS}
    assert not imports(module) & others


def cycle(graph: dict[str, set[str]]) -> list[str]:
    """One circle of a graph, or nothing."""
    done: set[str] = set()
    path: list[str] = []

    def visit(node: str) -> list[str]:
        if node in path:
            return [*path[path.index(node) :], node]
        if node in done:
            return []
        path.append(node)
        found = next((c for c in map(visit, sorted(graph[node])) if c), [])
        path.pop()
        done.add(node)
        return found

    return next((c for c in map(visit, sorted(graph)) if c), [])


def test_imports_at_module_level_form_no_circle():
    """What a module imports as it is loaded never leads back to it."""
    graph = {dotted(m): (imports(m, anywhere=False) & NAMES) - {dotted(m)} for m in MODULES}
    assert cycle(graph) == []


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_heavy_packages_stay_in_their_rooms(package):
    """Torch, typer and matplotlib are imported only where they belong."""
    users = {room(m) for m in MODULES if any(n.split(".")[0] == package for n in imports(m))}
    assert users <= ALLOWED[package]


@pytest.mark.parametrize("module", MODULES, ids=dotted)
def test_no_module_is_longer_than_300_lines(module):
    """A longer module holds a part that should be a module of its own."""
    assert len(module.read_text(encoding="utf-8").splitlines()) <= 300


@pytest.mark.parametrize("module", MODULES, ids=dotted)
def test_every_module_says_what_it_is(module):
    """A module that holds code has a docstring."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    assert not tree.body or ast.get_docstring(tree)


def test_top_level_holds_only_what_the_design_names():
    """Nothing else is tracked at the repository's top."""
    try:
        tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    top = {name.split("/")[0] for name in tracked.splitlines()}
    assert {name for name in top if not name.startswith(".")} <= TOP_LEVEL


@pytest.mark.parametrize("module", [m for m in MODULES if ">>> " in m.read_text(encoding="utf-8")], ids=dotted)
def test_examples_in_docstrings_are_true(module):
    """What a docstring shows is what happens."""
    assert doctest.testmod(importlib.import_module(dotted(module))).failed == 0


def loaded_by(code: str, folder: Path) -> set[str]:
    """The top-level modules that a fresh process holds after this code."""
    ending = "\nimport sys; print('LOADED', *{name.split('.')[0] for name in sys.modules})"
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code + ending], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert "LOADED" in done.stdout, done.stderr
    return set(done.stdout.rpartition("LOADED")[2].split())


HEAVY = {"pandas", "matplotlib", "torch", "scipy", "sklearn", "importlib_metadata"}


def test_importing_nndoctor_loads_nothing_heavy(tmp_path):
    """`import nndoctor` is quick: no pandas, matplotlib, torch or typer."""
    assert not loaded_by("import nndoctor", tmp_path) & (HEAVY | {"typer", "rich", "numpy"})


def test_diagnosing_a_small_log_loads_nothing_heavy(tmp_path):
    """`nndoctor diagnose run.csv` reads a small log without pandas."""
    log = tmp_path / "run.csv"
    log.write_text(small_log(), encoding="utf-8")
    code = "import sys; sys.argv = ['nndoctor', 'diagnose', 'run.csv']\nfrom nndoctor.cli import main\n"
    code += "try:\n    main()\nexcept SystemExit as end:\n    assert end.code in (None, 0, 1), end.code\n"
    loaded = loaded_by(code, tmp_path)
    assert "numpy" in loaded  # it did the work
    assert not loaded & HEAVY


def small_log() -> str:
    """Forty epochs of a healthy fall."""
    rows = "".join(f"{i},{2.3 * 0.9**i:.4f},{2.4 * 0.9**i + 0.1:.4f}\n" for i in range(40))
    return "epoch,loss,val_loss\n" + rows
