"""Mirror of the package sla."""
