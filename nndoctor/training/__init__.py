"""`nndoctor train`: a training loop with the recorder on board and the doctor in the room."""
