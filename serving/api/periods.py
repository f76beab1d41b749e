"""The query parameters `from` and `to` of the reports: two dates, read in the zone of the agreement in force.

Decides what a caller may ask for. What a period means is decided by `serving.periods`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Engine

from serving.api.fields import FieldProblem, WrongFieldsError
from serving.api.queries import Parameter
from serving.operations.active_policy import ActivePolicy, active_policy
from serving.periods import FIRST_DAY, LAST_DAY, LONGEST_DAYS, ReportPeriod, period_of

NO_AGREEMENT_ZONE = "UTC"
"""Before there is an agreement nobody has said where the teams are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DateParameter(Parameter):
    """A parameter that holds one calendar date."""

    def schema(self) -> Mapping[str, object]:
        """Return the OpenAPI schema of the value."""
        return {"type": "string", "format": "date"}

    def problem(self, value: str) -> str | None:
        """Return the rule a value breaks, or None."""
        if _date_of(value) is None:
            return f"must be a date such as 2026-12-19, from {FIRST_DAY} to {LAST_DAY}"
        return None


FROM = DateParameter(
    name="from",
    about="First day of the period; default: the first of the month of `to`, else of the present month.",
    example="2026-11-01",
)
TO = DateParameter(
    name="to",
    about="Last day of the period, included; default: the last of the month of `from`, else of the present.",
    example="2026-11-30",
)
PERIOD = (FROM, TO)


def read_period(asked: Mapping[str, str], database: Engine, *, now: datetime) -> ReportPeriod:
    """Return the period of a request whose parameters `read_parameters` has read.

    Raises `WrongFieldsError` for a period that ends before it begins or is longer than a report counts.
    Reads the database: call it in a thread.
    """
    first, last = (_date_of(asked.get(name, "")) for name in (FROM.name, TO.name))
    period = period_of(first, last, agreed_zone(database, now=now), now=now)
    if not 1 <= period.days <= LONGEST_DAYS:
        rule = f"must not lie before from ({period.first}) nor more than {LONGEST_DAYS} days after it"
        raise WrongFieldsError((FieldProblem(field="?to", rule=rule, value=period.last.isoformat()),))
    return period


def agreed_zone(database: Engine, *, now: datetime) -> str:
    """Return the time zone of the agreement in force, which both teams' days are counted in."""
    active = active_policy(database, now=now)
    return active.policy.hours.zone if isinstance(active, ActivePolicy) else NO_AGREEMENT_ZONE


def _date_of(text: str) -> date | None:
    """Return the date of a text such as 2026-12-19; None for anything else."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if text == day.isoformat() and FIRST_DAY <= day <= LAST_DAY else None
