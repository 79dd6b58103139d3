"""Fixed-threshold rules as others published them, written anew from their documentation."""
