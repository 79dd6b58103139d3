"""A zoo of real training runs of small networks, each with a planted condition and labels found by intervention."""
