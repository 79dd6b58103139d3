"""Family NN2: the learning rate and its schedule."""
