"""Family NN1: bias, variance and when to stop."""
