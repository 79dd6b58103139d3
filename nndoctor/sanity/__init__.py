"""The check-up before a long job: the user's model is probed, trained a few steps, and put back as it was."""
