"""The version, in one place: no metadata is read at start-up."""

__version__ = "0.1.0"
