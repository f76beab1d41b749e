"""The simulated CRMs of the study, and what becomes of their open leads in the horizon after the export."""

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt

from experiments.simulator.outcomes import HORIZON_DAYS, Market
from experiments.simulator.simulate import DAYS_PER_MONTH, World, simulate
from features.build import Points
from features.history.store import History
from features.importing.import_export import import_export
from features.tables import CanonicalTables
from training.outcomes import DAY_US, NEVER_US, IntArray

FIRST_EXPORT, DAYS_BETWEEN_EXPORTS = datetime(2026, 1, 1, tzinfo=UTC), 18
"""Twenty seeds are exported on twenty days over a year, so that no season is the only one looked at."""
THREE_HORIZONS = 3 * HORIZON_DAYS / DAYS_PER_MONTH
SLOW = 3.5
"""At this slowness half of all cases take more than 86 days, with a horizon of 90."""
NEVER = 0.12


@dataclass(frozen=True, slots=True, kw_only=True)
class Regime:
    """A kind of CRM: its leads, months of history, market and what it stands for."""

    leads: int
    months: float
    market: Market
    what: str


REGIMES = {
    "grown": Regime(
        leads=8000,
        months=12,
        market=Market(slowness=SLOW, never_closed_share=NEVER, growth=40.0),
        what="a year, forty times as many leads a day at its end; half are open",
    ),
    "grown_4000": Regime(
        leads=4000,
        months=12,
        market=Market(slowness=SLOW, never_closed_share=NEVER, growth=40.0),
        what="the same with half of the leads",
    ),
    "three_horizons": Regime(
        leads=8000,
        months=THREE_HORIZONS,
        market=Market(slowness=SLOW, never_closed_share=NEVER),
        what="270 days of history with a horizon of 90; half are open",
    ),
    "three_horizons_4000": Regime(
        leads=4000,
        months=THREE_HORIZONS,
        market=Market(slowness=SLOW, never_closed_share=NEVER),
        what="the same with half of the leads",
    ),
    "neglected": Regime(
        leads=8000,
        months=24,
        market=Market(slowness=2.0, never_closed_share=0.5),
        what="two years; every second lost case is never closed, so half are open and most of these dead",
    ),
    "grown_flat": Regime(
        leads=8000,
        months=12,
        market=Market(slowness=SLOW, never_closed_share=NEVER, growth=40.0, seasonality=0.0),
        what="as grown, all months alike",
    ),
    "three_horizons_flat": Regime(
        leads=8000,
        months=THREE_HORIZONS,
        market=Market(slowness=SLOW, never_closed_share=NEVER, seasonality=0.0),
        what="as three_horizons, all months alike",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """One drawn CRM as exported, and the future: when each lead is won, and which open ones in time.

    ``won_us`` int64 (n_leads,), `NEVER_US` for never; ``open_points`` are the leads open at the export, and
    ``open_won`` bool (n_open,) whether each is won within the horizon after it.
    """

    tables: CanonicalTables
    won_us: IntArray
    open_points: Points
    open_won: npt.NDArray[np.bool_]
    open_age_days: npt.NDArray[np.float64]

    @property
    def open_share(self) -> float:
        """The share of all leads that are open at the export."""
        return len(self.open_won) / len(self.won_us)


def draw_case(regime: Regime, seed: int) -> Case:
    """Draw one CRM and export it; the seed decides everything, the day of the export too."""
    until = FIRST_EXPORT + timedelta(days=DAYS_BETWEEN_EXPORTS * (seed % 20))
    world = simulate(leads=regime.leads, months=regime.months, until=until, seed=seed, market=regime.market)
    tables = _imported(world)
    until_us = tables.known_until_us or 0
    outcomes, created_us = world.outcomes, world.people.created_us
    is_open = ~(outcomes.decided & (outcomes.closed_us <= until_us))
    won_us = np.where(outcomes.won, np.maximum(outcomes.closed_us, created_us + 1), NEVER_US)
    lead_index = np.flatnonzero(is_open)
    return Case(
        tables=tables,
        won_us=won_us,
        open_points=Points(lead_index=lead_index, as_of_us=np.full(len(lead_index), until_us)),
        open_won=won_us[lead_index] <= until_us + HORIZON_DAYS * DAY_US,
        open_age_days=(until_us - created_us[lead_index]) / DAY_US,
    )


def _imported(world: World) -> CanonicalTables:
    """Take the way of a real export: files, import, history. Leads keep their order, for ids grow in time."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        world.write(root / "export", root / "truth.csv")
        history = History(root / "history")
        import_export(
            root / "export", mapping_file=None, history=history, strict=True, rejects_dir=root / "rejects"
        )
        return history.read()
