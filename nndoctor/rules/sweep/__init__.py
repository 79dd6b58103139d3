"""The family of rules on many runs of one search."""
