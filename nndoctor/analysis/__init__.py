"""Measurements of a run that several rules share."""
