"""The recorder: hooks on, sample, hooks off; and the run folder that it writes."""

from nndoctor.recorder.recorder import Recorder

__all__ = ["Recorder"]
