"""How the pledges of a period stand: kept, on track, behind, broken, or not to be told yet, with the numbers.

A pledge is made per week, month or quarter and held pro rata by working days: each working day of its period
owes the same part. So any stretch of days has an exact promise, and a running period is held against the days
that are over; today owes nothing before it has ended. Where the numbers come from is the caller's business.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from sla.business_time import OpeningHours
from sla.clauses_pledges import PledgePeriod
from sla.goal import Period

_DAY = timedelta(days=1)
_MONTHS = {PledgePeriod.MONTH: 1, PledgePeriod.QUARTER: 3}


class PledgeStatus(StrEnum):
    """How a pledge stands: a stable code."""

    KEPT = "kept"
    ON_TRACK = "on_track"
    BEHIND = "behind"
    BROKEN = "broken"
    CANNOT_BE_TOLD_YET = "cannot_be_told_yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class CountProgress:
    """A promised amount: `promised` for the whole stretch, `due` for the days that are over, `reached`."""

    status: PledgeStatus
    promised: float
    due: float
    reached: float


@dataclass(frozen=True, slots=True)
class Cases:
    """What became of a promise, case by case; `pending` can still become either."""

    kept: int
    missed: int
    pending: int

    @property
    def share(self) -> float | None:
        """The kept ones among those that are decided; None without any."""
        decided = self.kept + self.missed
        return self.kept / decided if decided else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareProgress:
    """A promised share of cases, and what became of them."""

    status: PledgeStatus
    promised: float
    cases: Cases


def pledge_period(kind: PledgePeriod, day: date) -> Period:
    """Return the week, month or quarter a day lies in."""
    if kind is PledgePeriod.WEEK:
        first = day - day.weekday() * _DAY
        return Period(first, first + 6 * _DAY)
    months = _MONTHS[kind]
    first = date(day.year, (day.month - 1) // months * months + 1, 1)
    after = first.month - 1 + months
    return Period(first, date(first.year + after // 12, after % 12 + 1, 1) - _DAY)


def working_days(span: Period, hours: OpeningHours) -> int:
    """Count the days on which a team has any opening."""
    return sum(bool(hours.openings_on(day)) for day in _days(span))


def promised_in(amount: float, kind: PledgePeriod, span: Period, hours: OpeningHours) -> Fraction:
    """Return what of an amount per period is promised in a stretch of days, exactly.

    Days of a period without any working day owe nothing.
    """
    exact, total, day = Fraction(Decimal(str(amount))), Fraction(0), span.first
    while day <= span.last:
        whole = pledge_period(kind, day)
        part = Period(day, min(whole.last, span.last))
        of_all = working_days(whole, hours)
        if of_all:
            total += exact * Fraction(working_days(part, hours), of_all)
        day = whole.after
    return total


def judge_amount(
    amount: float, reached: float, *, kind: PledgePeriod, span: Period, hours: OpeningHours, today: date
) -> CountProgress:
    """Say how a promised amount stands at some time of `today` (a day of the team's own calendar)."""
    promised = promised_in(amount, kind, span, hours)
    due = Fraction(0)
    if today > span.first:
        due = promised_in(amount, kind, Period(span.first, min(span.last, today - _DAY)), hours)
    return CountProgress(
        status=_amount_status(promised, due, reached, span=span, today=today),
        promised=float(promised),
        due=float(due),
        reached=reached,
    )


def _amount_status(
    promised: Fraction, due: Fraction, reached: float, *, span: Period, today: date
) -> PledgeStatus:
    if today >= span.first and reached >= promised:
        return PledgeStatus.KEPT
    if today > span.last:
        return PledgeStatus.BROKEN
    if due == 0:
        return PledgeStatus.CANNOT_BE_TOLD_YET
    return PledgeStatus.ON_TRACK if reached >= due else PledgeStatus.BEHIND


def judge_share(
    promised: float, cases: Cases, *, span: Period, today: date, misses_heal: bool = False
) -> ShareProgress:
    """Say how a promised share of the cases of a stretch of days stands.

    It is kept or broken as soon as no case that is still open, and no further one, can change that. With
    `misses_heal` a miss can still be made good while the stretch runs.
    """
    return ShareProgress(
        status=_share_status(promised, cases, today=today, span=span, misses_heal=misses_heal),
        promised=promised,
        cases=cases,
    )


def _share_status(
    promised: float, cases: Cases, *, today: date, span: Period, misses_heal: bool
) -> PledgeStatus:
    is_over = today > span.last
    if is_over and _reaches(promised, cases.kept, cases.missed + cases.pending):
        return PledgeStatus.KEPT
    if is_over and not _reaches(promised, cases.kept + cases.pending, cases.missed):
        return PledgeStatus.BROKEN
    if promised == 1.0 and cases.missed and not is_over and not misses_heal:
        return PledgeStatus.BROKEN
    if cases.share is None:
        return PledgeStatus.CANNOT_BE_TOLD_YET
    is_enough = _reaches(promised, cases.kept, cases.missed)
    return PledgeStatus.ON_TRACK if is_enough else PledgeStatus.BEHIND


def _reaches(promised: float, kept: int, missed: int) -> bool:
    """Say whether a share is reached, without the rounding of a division; of nothing, everything is."""
    return kept >= Fraction(Decimal(str(promised))) * (kept + missed)


def _days(span: Period) -> Iterator[date]:
    day = span.first
    while day <= span.last:
        yield day
        day += _DAY
