"""The training step of each game, and what it is made of: Adam, averages, evaluation."""
