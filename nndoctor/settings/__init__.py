"""What a user sets for a diagnosis, validated: from the command line, and from a settings file."""

from __future__ import annotations

from nndoctor.settings.values import Settings, share, with_facts, with_target

__all__ = ["Settings", "share", "with_facts", "with_target"]
