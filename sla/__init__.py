"""What marketing and sales promised each other. Standard library only."""
