"""The version, in one place: no metadata is read at start-up."""

__version__ = "0.2.0"
