"""Family NN3: NaN, divergence, spikes, plateaus."""
