"""The reporters: one file a medium; each renders reports to text, and only the command line writes it."""
