"""Family NN0: what the log itself says or lacks."""
