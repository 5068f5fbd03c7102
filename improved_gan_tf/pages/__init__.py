"""Pages of HTML that need nothing else to be viewed."""
