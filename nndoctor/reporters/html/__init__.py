"""The page for a browser: one file that needs no network and no script to be read."""

from nndoctor.reporters.html.page import render

__all__ = ["render"]
