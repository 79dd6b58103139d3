"""The family of what the user wants: requirements, and the band of good runs."""
