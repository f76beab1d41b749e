"""What the reports about ends, wins and content share: a number, how it was before, and the leads behind it.

Decides how many leads stand beside a number, and how the others are asked for: by the number's key, a page
at a time.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from serving.periods import ReportPeriod
from sla.feedback import Tally

Item = TypeVar("Item")
Cell = TypeVar("Cell", bound=Hashable)
SHOWN_LEADS, MOST_LEADS = 20, 1_000
MOST_ROWS = 200
"""So many rows of one table are shown, those with the most ends first; how many were left out is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodView:
    """A period as it was counted: its days, and the instants between which it lies."""

    first: date
    last: date
    since: datetime
    until: datetime
    zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CountView:
    """One number: `leads` are behind it, the first of them by id; `key` asks for the others."""

    key: str
    count: int
    before: int
    change: int
    leads: int
    lead_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadPage:
    """Leads behind one number, by id; `next_after` asks for the next page, empty on the last."""

    key: str
    lead_ids: tuple[str, ...]
    next_after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadsAsked:
    """Which leads are asked for: those behind the number `key`, after the id `after`; no key: none."""

    key: str = ""
    after: str = ""
    limit: int = SHOWN_LEADS


class Numbers:
    """The numbers of one report, so that the leads behind each can be asked for."""

    def __init__(self) -> None:
        self._tallies: dict[str, Tally] = {}

    def view(self, key: str, tally: Tally) -> CountView:
        """Return a number as it is shown, and remember it under its key."""
        self._tallies[key] = tally
        return CountView(
            key=key,
            count=tally.count,
            before=tally.before,
            change=tally.change,
            leads=len(tally.lead_ids),
            lead_ids=tally.lead_ids[:SHOWN_LEADS],
        )

    def page(self, asked: LeadsAsked) -> LeadPage | None:
        """Return the leads behind a number; None without a key, or for one that is no number's."""
        tally = self._tallies.get(asked.key)
        if tally is None:
            return None
        start = bisect_right(tally.lead_ids, asked.after)
        shown = tally.lead_ids[start : start + asked.limit]
        has_more = start + asked.limit < len(tally.lead_ids)
        return LeadPage(key=asked.key, lead_ids=shown, next_after=shown[-1] if has_more else "")


def cell_key(name: str, *parts: str) -> str:
    """Return the key of a number in a table: short and plain whatever names the row."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part.encode()).to_bytes(8, "big") + part.encode())
    return f"{name}:{digest.hexdigest()[:16]}"


def by_cell(
    now: Iterable[tuple[Cell, Item]], before: Iterable[tuple[Cell, Item]]
) -> dict[Cell, tuple[list[Item], list[Item]]]:
    """Return what both periods have in each cell of a table."""
    found: dict[Cell, tuple[list[Item], list[Item]]] = {}
    for place, items in enumerate((now, before)):
        for cell, item in items:
            found.setdefault(cell, ([], []))[place].append(item)
    return found


def period_view(period: ReportPeriod) -> PeriodView:
    """Return a period as it is shown."""
    return PeriodView(
        first=period.first, last=period.last, since=period.since, until=period.until, zone=period.zone
    )
