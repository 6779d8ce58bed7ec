"""The ways in: commands and the pytest plugin."""
