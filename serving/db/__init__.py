"""Tables, sessions and migrations of the service's own database."""
