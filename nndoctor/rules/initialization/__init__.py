"""Rules on how a network begins."""
