"""Small trainings of other kinds than classification: each takes a seed and gives the rows of its log."""
