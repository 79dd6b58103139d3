"""Family NNP: the process and the machine."""
