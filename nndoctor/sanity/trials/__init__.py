"""Trials: the file's own set-up trained against the same with a remedy, so that a warning rests on measured harm."""
