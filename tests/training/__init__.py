"""Mirror of the package training."""
