"""Rules on the data: inputs, labels, splits, order."""
