"""The prognosis: what a single change of the experiment would gain, learned from retrained networks."""
