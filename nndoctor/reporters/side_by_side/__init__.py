"""A comparison of runs as a page, as JSON and as Markdown."""
