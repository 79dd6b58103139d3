"""`nndoctor lab`: the field's lectures as small experiments, each trained beside its healthy twin."""
