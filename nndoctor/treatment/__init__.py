"""Remedies tried on the user's own model: single changes, trained with several seeds, and what each really gained."""
