"""What each run script does: from settings to folders, trained networks and an exit code."""
