"""Batch normalization with moving or standing statistics: plain and class-conditional."""
