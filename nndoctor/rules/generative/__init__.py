"""Rules for generative and self-supervised training."""
