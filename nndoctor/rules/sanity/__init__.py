"""Rules on what a check-up sees when it trains the model a little."""
