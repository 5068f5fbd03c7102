"""The settings of every kind of run, and the flags that give them on a command line."""
