"""What names mean."""
