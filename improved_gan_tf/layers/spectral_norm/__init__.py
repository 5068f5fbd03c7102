"""Spectral normalization: dense, convolution, transposed convolution, embedding, its removal."""
