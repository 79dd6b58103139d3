"""How real logs are read and judged, and how fast: `python -m benchmarks.formats`."""
