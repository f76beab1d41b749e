"""Simulated worlds that several tests look at; drawn once per size and seed."""

from datetime import UTC, datetime
from functools import cache

from experiments.simulator.simulate import World, simulate

UNTIL = datetime(2026, 11, 23, tzinfo=UTC)


@cache
def world(leads: int = 3000, seed: int = 7) -> World:
    """Return a world of 18 months that ends on 23 November 2026."""
    return simulate(leads=leads, months=18, until=UNTIL, seed=seed)
