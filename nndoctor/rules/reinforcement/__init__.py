"""Rules for reinforcement and preference learning."""
