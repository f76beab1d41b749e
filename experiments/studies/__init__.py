"""Studies: one question each, one command, the answer as JSON beside it."""
