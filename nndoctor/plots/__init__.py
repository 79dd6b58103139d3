"""Pictures of a run and its findings."""
