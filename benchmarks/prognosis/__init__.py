"""Trains the prognosis on the zoo's retrainings, and measures it on workloads that it was not trained on."""
