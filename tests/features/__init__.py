"""Mirror of the package features."""
