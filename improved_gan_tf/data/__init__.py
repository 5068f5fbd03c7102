"""Data sets on disk, in memory and in batches; the labeled images and the order of all images."""
