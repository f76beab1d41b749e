"""What sellers do: calls within the agreement's own business time, and the meetings that come of them.

The calls follow the rules of `sla.business_time`: nobody is called at night, at the weekend or on a holiday.
Calling sooner or more often changes no outcome here.
"""

from datetime import date, timedelta

import numpy as np

from experiments.simulator.chance import Floats, Integers, logistic, look_up
from experiments.simulator.interest import LEVELS, Behaviour
from experiments.simulator.log import Entries, entries, join
from experiments.simulator.outcomes import Outcomes
from experiments.simulator.people import People
from experiments.simulator.rhythm import ZONE, Rhythm, from_us, to_us
from sla.business_time import Opening, OpeningHours, add_business_time

CALL_SHARE = {
    "demo_request": 1.0, "form_submit": 0.9, "content_download": 0.4, "webinar_attended": 0.5, "": 0.6,
}  # fmt: skip
RESPONSE_HOURS = {
    "demo_request": 1.5, "form_submit": 5.0, "content_download": 14.0, "webinar_attended": 10.0, "": 16.0,
}  # fmt: skip
"""Median business hours until the first call, by the act that made the lead."""
REACHED, NO_ANSWER = "reached", "no_answer"
REACHED_SHARE = 0.34
LEAST_ATTEMPTS, MOST_ATTEMPTS = 2, 6
SPACING_HOURS = (5.0, 14.0)
MEETING_SHARE = logistic(-1.4 + 0.8 * LEVELS)
MEETINGS_OF_WON = 1.3

NINE_TO_HALF_PAST_FIVE = (Opening(9 * 60, 17 * 60 + 30),)
CLOSED_DATES = ((1, 1), (5, 1), (10, 3), (12, 24), (12, 25), (12, 26), (12, 31))


def draw_sales_work(
    rng: np.random.Generator,
    people: People,
    behaviour: Behaviour,
    outcomes: Outcomes,
    *,
    office: Rhythm,
    end_us: int,
) -> Entries:
    """Draw calls and meetings of every open case, up to about `end_us`."""
    years = range(from_us(int(people.created_us.min())).year, from_us(end_us).year + 2)
    holidays = frozenset(date(year, month, day) for year in years for month, day in CLOSED_DATES)
    hours = OpeningHours(zone=ZONE.key, weekdays=(NINE_TO_HALF_PAST_FIVE,) * 5 + ((),) * 2, holidays=holidays)
    calls = _draw_calls(rng, people, behaviour, outcomes, hours=hours, end_us=end_us)
    return join([calls, _draw_meetings(rng, people, behaviour, outcomes, calls, office=office)])


def _draw_calls(
    rng: np.random.Generator,
    people: People,
    behaviour: Behaviour,
    outcomes: Outcomes,
    *,
    hours: OpeningHours,
    end_us: int,
) -> Entries:
    """Try each lead until it is reached, the case is closed or enough attempts were made."""
    act = np.where(outcomes.demo_us > people.created_us, "demo_request", behaviour.act)
    lead = np.flatnonzero(rng.random(len(act)) < look_up(act, CALL_SHARE))
    called_us = np.maximum(people.created_us, outcomes.demo_us)[lead]
    wait = look_up(act[lead], RESPONSE_HOURS) * rng.lognormal(0.0, 0.6, len(lead))
    last_us = np.minimum(outcomes.closed_us, end_us)
    attempts = rng.integers(LEAST_ATTEMPTS, MOST_ATTEMPTS + 1, len(act))
    made: list[Entries] = []
    for attempt in range(MOST_ATTEMPTS):
        called_us = _after_business_hours(called_us, wait, hours)
        in_time = called_us < last_us[lead]
        call = _call(rng, lead, called_us)
        made.append(call.keep(in_time))
        again = in_time & (call.asset == NO_ANSWER) & (attempt + 1 < attempts[lead])
        lead, called_us = lead[again], called_us[again]
        wait = rng.uniform(*SPACING_HOURS, len(lead))
    return join(made)


def _call(rng: np.random.Generator, lead: Integers, called_us: Integers) -> Entries:
    """Call each lead once; `value` is how many minutes it lasted, 0 when nobody answered."""
    reached = rng.random(len(lead)) < REACHED_SHARE
    minutes = np.where(reached, np.round(2.0 + rng.gamma(2.0, 4.0, len(lead))), 0.0)
    asset = np.where(reached, REACHED, NO_ANSWER)
    return entries(lead, called_us, "call", asset=asset, channel="phone", value=minutes)


def _after_business_hours(start_us: Integers, wait_hours: Floats, hours: OpeningHours) -> Integers:
    """Add open hours to each instant, to the full second."""
    instants = [
        to_us(add_business_time(from_us(start), timedelta(seconds=round(wait * 3600)), hours))
        for start, wait in zip(start_us.tolist(), wait_hours.tolist(), strict=True)
    ]
    return np.array(instants, dtype=np.int64)


def _draw_meetings(
    rng: np.random.Generator,
    people: People,
    behaviour: Behaviour,
    outcomes: Outcomes,
    calls: Entries,
    *,
    office: Rhythm,
) -> Entries:
    """Leads that were reached may meet a seller some days later; those that will be won meet more often."""
    reached = calls.keep(calls.asset == REACHED)
    met = rng.random(len(reached.lead)) < MEETING_SHARE[behaviour.level[reached.lead]]
    first = reached.keep(met)
    after_call_us = office.advance(first.occurred_us, rng.uniform(1.0, 8.0, len(first.lead)))
    count = len(people.lead_id)
    deal = np.repeat(np.arange(count), rng.poisson(MEETINGS_OF_WON, count) * outcomes.won)
    span = office.elapsed(people.created_us[deal], outcomes.closed_us[deal])
    during_deal_us = office.advance(people.created_us[deal], span * rng.uniform(0.1, 0.98, len(deal)))
    lead, met_us = np.concatenate([first.lead, deal]), np.concatenate([after_call_us, during_deal_us])
    on_site = rng.random(len(lead)) < 0.25
    minutes = rng.choice(np.array([30.0, 45.0, 60.0, 90.0]), size=len(lead), p=[0.45, 0.25, 0.25, 0.05])
    channel = np.where(on_site, "in_person", "video")
    meetings = entries(lead, met_us, "meeting", asset="", channel=channel, value=minutes)
    return meetings.keep(met_us < outcomes.closed_us[lead])
