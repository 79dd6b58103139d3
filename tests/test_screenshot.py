"""The terminal in the README is what the command prints today."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def made():
    """docs/screenshot.py, loaded."""
    spec = importlib.util.spec_from_file_location("screenshot", ROOT / "docs" / "screenshot.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def words(svg: str) -> list[str]:
    """The texts of an SVG, in order."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def test_the_pictures_of_the_terminal_say_what_is_printed():
    """`python docs/screenshot.py` draws them, in light and in dark."""
    screenshot = made()
    assert len(screenshot.THEMES) == 2
    for target, theme in screenshot.THEMES.items():
        assert words(target.read_text(encoding="utf-8")) == words(screenshot.screenshot(theme)), target.name


def test_the_pictures_need_nothing_from_elsewhere():
    """No font and no picture is fetched."""
    for target in made().THEMES:
        svg = target.read_text(encoding="utf-8")
        assert "url(http" not in svg
        assert "src:" not in svg
