"""The settings of every kind of run, and their command-line flags."""
