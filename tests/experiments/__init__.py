"""Mirror of the package experiments."""
