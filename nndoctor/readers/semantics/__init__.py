"""What columns mean."""
