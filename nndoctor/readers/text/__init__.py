"""Numbers in free text."""
