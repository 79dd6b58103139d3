"""nndoctor diagnoses neural-network training runs."""
