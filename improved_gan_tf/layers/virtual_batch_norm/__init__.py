"""Virtual batch normalization (Sec. 3.5): live and frozen layers, reference batch, statistics."""
