"""Weight normalization: dense, convolution, transposed convolution, and its removal."""
