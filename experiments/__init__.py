"""What we tried, and why it is so."""
