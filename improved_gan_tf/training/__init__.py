"""The training step of each game, and its parts: Adam, averages, evaluation."""
