"""A run from settings to result: epochs, checkpoints, its folder, sweeps of many runs."""
