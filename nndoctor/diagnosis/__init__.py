"""From logs and settings to reports."""
