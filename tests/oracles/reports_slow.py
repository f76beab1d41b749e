"""Reports counted once more, lead by lead and minute by minute, from what the API says of each of them.

Judges `serving.pledge_reports`; shares with it the opening hours and nothing else. Slow on purpose.
"""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import holidays
import numpy as np

from sla.business_time import OpeningHours
from tests.oracles.business_minutes import minutes_open

Json = dict[str, Any]
STAGES = ("lead", "mql", "sql", "opportunity", "customer")
BERLIN = ZoneInfo("Europe/Berlin")
CONTACT = ("reached", "replied")
LONGEST_WAIT = timedelta(days=12)
"""Whoever waits longer is late by any agreed time, and counting every minute of it shows nothing."""


@dataclass(frozen=True)
class Cycle:
    """One cycle of a lead: since when, and when it first was at each stage or above."""

    lead_id: str
    number: int
    began: datetime
    at: tuple[datetime | None, ...]


def cycles_of(lead: Json, until: datetime) -> list[Cycle]:
    """Return the cycles of a lead by its timeline up to an instant: a lead given back begins anew."""
    created = instant(lead["created_at"])
    steps = [(instant(one["occurred_at"]), one["to_stage"], one["from_stage"]) for one in lead["timeline"]]
    cycles: list[tuple[datetime, list[tuple[datetime, str]]]] = [(created, [])]
    for at, stage, before in steps:
        if at <= until and stage != before:
            if stage == "recycled":
                cycles.append((at, []))
            else:
                cycles[-1][1].append((at, stage))
    return [
        Cycle(lead["lead_id"], place + 1, began, tuple(_first_at(began, moves, rank) for rank in range(5)))
        for place, (began, moves) in enumerate(cycles)
    ]


def _first_at(began: datetime, moves: list[tuple[datetime, str]], rank: int) -> datetime | None:
    if rank == 0:
        return began
    reached = [max(began, at) for at, stage in moves if stage in STAGES[rank:]]
    return min(reached, default=None)


def begun_between(leads: Iterable[Json], first: str, last: str, until: datetime) -> list[Cycle]:
    """Return the cycles that began on these days in Berlin, as known at an instant."""
    since, after = midnight(first), midnight(last) + timedelta(hours=26)
    after = after.astimezone(BERLIN).replace(hour=0)
    known = [lead for lead in leads if instant(lead["created_at"]) <= until]
    return [one for lead in known for one in cycles_of(lead, until) if since <= one.began < after]


def funnel_count(cycles: Sequence[Cycle]) -> list[tuple[int, float | None, float | None]]:
    """Return reached, share of the step before and median days, step by step."""
    rows = []
    for rank in range(5):
        here = [one for one in cycles if one.at[rank] is not None]
        before = [one for one in cycles if rank and one.at[rank - 1] is not None]
        days = [(one.at[rank] - one.at[rank - 1]) / timedelta(days=1) for one in here] if rank else []  # type: ignore[operator]
        median = statistics.median(days) if days else None
        rows.append((len(here), len(here) / len(before) if before else None, median))
    return rows


def german_working_days(first: str, last: str, *, closed: Sequence[str] = ()) -> int:
    """Count Monday to Friday without national holidays and the company's closed days, both ends included."""
    days = np.arange(np.datetime64(first), np.datetime64(last) + 1)
    years = {int(str(day)[:4]) for day in days}
    free = [str(day) for day in holidays.country_holidays("DE", years=years)] + list(closed)
    return int(np.is_busday(days, holidays=free).sum())


def waited(handover: Json, hours: OpeningHours) -> tuple[float | None, float | None]:
    """Return the open minutes a handover took to be assigned, and from then to be answered."""
    created, assigned = instant(handover["created_at"]), handover["assigned_at"]
    system = None if assigned is None else minutes_open(created, instant(assigned), hours)
    if assigned is None or handover["answered_at"] is None:
        return system, None
    return system, minutes_open(instant(assigned), instant(handover["answered_at"]), hours)


def answer_state(handover: Json, limit_minutes: int, hours: OpeningHours, now: datetime) -> str:
    """Say whether a handover was answered in time, by counting minutes."""
    assigned, answered = instant(handover["assigned_at"]), handover["answered_at"]
    seen = instant(answered or handover["closed_at"] or now.isoformat())
    minutes = minutes_open(assigned, min(seen, assigned + LONGEST_WAIT), hours)
    if answered is not None:
        return "kept" if minutes <= limit_minutes else "missed"
    if minutes > limit_minutes:
        return "missed"
    return "pending" if handover["closed_at"] is None else "not_owed"


def attempt_state(handover: Json, ended_by: str | None) -> str:
    """Say whether a handover was tried often enough; `ended_by` is the last kind of its lead's timeline."""
    attempts = handover["attempts"]
    if any(one["result"] in CONTACT for one in attempts) or len(attempts) >= handover["attempts_least"]:
        return "kept"
    if ended_by is None:
        return "pending"
    if ended_by in ("opened", "won"):
        return "kept"
    return "not_owed" if ended_by in ("scored", "released", "rejected") else "missed"


def ended_by(handover: Json, lead: Json) -> str | None:
    """Return which event of a lead ended a handover: the last one that moved it by the end."""
    if handover["closed_at"] is None:
        return None
    at = instant(handover["closed_at"])
    moves = [
        one["kind"]
        for one in lead["timeline"]
        if instant(one["occurred_at"]) == at and one["from_stage"] == "sql" != one["to_stage"]
    ]
    return str(moves[0])


def instant(text: str) -> datetime:
    """Return an ISO time."""
    return datetime.fromisoformat(text)


def midnight(day: str) -> datetime:
    """Return the first instant of a day in Berlin."""
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), BERLIN)
