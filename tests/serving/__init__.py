"""Mirror of the package serving."""
