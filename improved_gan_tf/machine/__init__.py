"""The machine a program runs on: files, environment, signals, exit codes."""
