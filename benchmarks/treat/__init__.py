"""Treatments of model files with one planted fault each, and of healthy ones, against a plain search and the first remedy."""
