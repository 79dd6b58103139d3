"""The pages in docs/ are true: what they show comes from the code, and the site builds without a warning."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"


ROOT = DOCS.parent
SHOWING = sorted(path.name for path in DOCS.glob("*.md") if "<!-- end -->" in path.read_text(encoding="utf-8"))
NEEDS_TORCH = {"python.md", "sanity.md"}


@pytest.fixture
def scripts(monkeypatch):
    """The scripts of docs/ can be imported."""
    monkeypatch.syspath_prepend(str(DOCS))
    return importlib.import_module


@pytest.fixture
def make(scripts):
    """docs/make.py, loaded."""
    return scripts("make")


@pytest.mark.parametrize("name", ["reference.md", "nndoctor.1", "llms.txt", "performance.md"])
def test_the_pages_are_true(make, name):
    """`python docs/make.py` would change nothing."""
    page = make.PAGES[name]()
    assert (DOCS / name).read_text(encoding="utf-8") == page, "python docs/make.py rewrites it"


def test_every_command_and_option_says_what_it_does(make):
    """No option without a word of help."""
    for command in make.commands():
        assert command.short
        assert all(word.help for word in command.words), command.name


def test_the_manual_is_set_without_complaint():
    """As man would."""
    if shutil.which("groff") is None:
        pytest.skip("needs groff")
    words = ["groff", "-man", "-ww", "-Tutf8", "-K", "utf-8", str(DOCS / "nndoctor.1")]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stderr == ""


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n == "sanity.md" else n for n in SHOWING])
def test_every_output_in_the_docs_is_what_the_command_prints(scripts, name):
    """`python docs/make.py` would change nothing."""
    if name in NEEDS_TORCH:
        pytest.importorskip("torch")
    text = (DOCS / name).read_text(encoding="utf-8")
    assert scripts("outputs").filled(text) == text, "python docs/make.py rewrites it"


def test_every_rule_has_its_page(scripts):
    """The pages are written from the cards, and no page is left of a rule that is gone."""
    pages = scripts("rule_pages")
    rules = importlib.import_module("nndoctor.diagnosis.catalogue").RULES
    for rule in rules:
        page = (DOCS / "rules" / f"{rule.name}.md").read_text(encoding="utf-8")
        assert page == pages.rule_page(rule), "python docs/make.py rewrites it"
    assert {path.stem for path in (DOCS / "rules").glob("*.md")} == {rule.name for rule in rules} | {"index"}
    assert (DOCS / "rules" / "index.md").read_text(encoding="utf-8") == pages.index_page()


def test_the_pictures_of_rules_draw_curves():
    """Each SVG is well-formed, and every curve has at least three points."""
    pictures = sorted((DOCS / "rules").glob("*.svg"))
    assert pictures
    for path in pictures:
        curves = [e for e in ET.parse(path).iter() if e.tag.endswith("polyline")]  # noqa: S314 - written by ourselves
        assert curves, path.name
        assert all(len(curve.get("points").split()) >= 3 for curve in curves), path.name


def test_python_examples_in_the_docs_run():
    """Blocks marked `python` run as they are; fragments of a user's own code are marked `py`."""
    for path in (DOCS / "python.md",):
        for code in re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL):
            subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path):
    """As `mkdocs build --strict` does; every link leads somewhere."""
    if find_spec("mkdocs") is None or find_spec("material") is None:
        pytest.skip("needs the docs extra")
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(DOCS / "mkdocs.yml"), "-d", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "rules" / "overtraining" / "index.html").is_file()
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert not re.findall(r'(?:src|stylesheet" href)="https?://[^"]*', page), "the page would fetch from elsewhere"
    assert 'data-md-component="source"' not in page, "the theme's script would ask GitHub for stars"


def test_every_finding_that_links_to_a_page_has_that_page():
    """`explain`, the HTML report and SARIF link to `page_of(name)`: the site has a page for every rule of the catalogue."""
    rule = importlib.import_module("nndoctor.core.rule")
    site = re.search(r"^site_url: (\S+)$", (DOCS / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)[1]
    for one in importlib.import_module("nndoctor.diagnosis.catalogue").RULES:
        path = rule.page_of(one.name).removeprefix(site).rstrip("/")
        assert (DOCS / f"{path}.md").is_file()


def test_a_character_of_a_plot_on_the_site_has_a_cell_of_its_own(scripts):
    """Braille comes from another font on many systems; other text stays as it is."""
    page = scripts("hooks").on_page_content("<pre>loss ⣀⠤ 0.1</pre>")
    assert page == '<pre>loss <span class="braille"><i>⣀</i><i>⠤</i></span> 0.1</pre>'
