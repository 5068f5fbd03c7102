"""Scripts that make the tables and pictures of the pages; not installed."""
