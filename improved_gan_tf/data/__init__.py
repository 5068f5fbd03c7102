"""Data sets on disk, in memory and in batches; which images are labeled, and in which order."""
