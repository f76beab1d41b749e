"""What we learned from past deals, and whether to trust it."""
