"""The whole simulation in one call: seed and `until` in, an export and its truth out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from experiments.simulator.activities import draw_activities
from experiments.simulator.changes import Changes, draw_changes
from experiments.simulator.export import write_export, write_truth
from experiments.simulator.interest import Behaviour, draw_behaviour
from experiments.simulator.log import Entries, join
from experiments.simulator.outcomes import Market, Outcomes, draw_outcomes
from experiments.simulator.people import Arrivals, People, draw_people
from experiments.simulator.rhythm import office_rhythm, to_us, web_rhythm
from experiments.simulator.sales import draw_sales_work

DAYS_PER_MONTH = 30.4375
DAYS_BEFORE, DAYS_BEYOND = 120, 1500
"""How far the rhythms reach before the first lead and after the export, where futures still unfold."""
DEMO_MARKET = Market()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class World:
    """Everything that was drawn, the future included."""

    people: People
    behaviour: Behaviour
    outcomes: Outcomes
    log: Entries
    changes: Changes
    until: datetime

    def write(self, folder: Path, truth_file: Path) -> Mapping[str, int]:
        """Write the export and the truth; return the rows per table of the export."""
        write_truth(truth_file, self.people, self.outcomes)
        return write_export(folder, self.people, self.outcomes, self.log, self.changes, until=self.until)


def simulate(*, leads: int, months: float, until: datetime, seed: int, market: Market = DEMO_MARKET) -> World:
    """Draw a CRM whose leads came in the `months` before `until` (aware); the seed decides everything."""
    start = until - timedelta(days=months * DAYS_PER_MONTH)
    first, last = start - timedelta(days=DAYS_BEFORE), until + timedelta(days=DAYS_BEYOND)
    web, office = (
        rhythm(first, last, seasonality=market.seasonality) for rhythm in (web_rhythm, office_rhythm)
    )
    streams = (np.random.default_rng(each) for each in np.random.SeedSequence(seed).spawn(6))
    until_us = to_us(until)
    arrivals = Arrivals(count=leads, start_us=to_us(start), until_us=until_us, growth=market.growth)
    people = draw_people(next(streams), arrivals, web=web)
    behaviour = draw_behaviour(next(streams), people)
    outcomes = draw_outcomes(next(streams), people, behaviour, web=web, office=office, market=market)
    own = draw_activities(next(streams), people, behaviour, outcomes, web=web, end_us=until_us)
    sales = draw_sales_work(next(streams), people, behaviour, outcomes, office=office, end_us=until_us)
    return World(
        people=people,
        behaviour=behaviour,
        outcomes=outcomes,
        log=join([own, sales]),
        changes=draw_changes(next(streams), people, office=office),
        until=until,
    )
