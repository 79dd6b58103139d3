"""Rules on the model: its layers, its output, its loss, its optimizer."""
