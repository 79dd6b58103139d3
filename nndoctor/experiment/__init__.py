"""The user's `model.py`: loaded, understood, made ready to take a step."""
