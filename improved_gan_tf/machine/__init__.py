"""What a program needs of the machine it runs on: files, environment, signals, exit codes."""
