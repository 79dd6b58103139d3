"""The versions that matter when a finding is to be understood elsewhere."""

from __future__ import annotations

import platform

PACKAGES = ("numpy", "pandas", "matplotlib", "rich", "typer", "torch")


def versions() -> str:
    """`nndoctor 0.1.0`, and a line with the versions of Python and of installed packages, without importing them."""
    from importlib import metadata

    from nndoctor._version import __version__

    found = [f"Python {platform.python_version()}"]
    for name in PACKAGES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return f"nndoctor {__version__}\n{', '.join(found)}\n"
