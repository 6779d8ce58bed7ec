"""Records, journals, runs."""
