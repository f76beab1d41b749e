"""Looks up public holidays and freezes them in a policy: names of a country and region become dates.

The only importer of the `holidays` package. Decides for how many years; what closes a team is decided in
`sla.public_holidays`.
"""

from dataclasses import replace
from datetime import datetime

from sla.business_time import OpeningHours
from sla.policy import Policy
from sla.policy_file import policy_hash, write_policy
from sla.public_holidays import PublicHolidays

YEARS_AHEAD = 5
"""A policy is renewed far more often; after that its team has no public holidays until the next one."""


def freeze_dates(policy: Policy, text: str, *, now: datetime) -> tuple[Policy, str]:
    """Return a policy and its text with every date looked up; without any to look up, both as they are.

    `now` counts for a policy that is valid from its signatures.
    """
    resolved = resolve_public_holidays(policy, now=now)
    return (policy, text) if resolved == policy else (resolved, write_policy(resolved))


def says_the_same(one: Policy, other: Policy) -> bool:
    """Say whether two policies agree on everything but looked-up dates, which depend on the day."""
    return policy_hash(without_dates(one)) == policy_hash(without_dates(other))


def on_one_footing(one: Policy, other: Policy) -> tuple[Policy, Policy]:
    """Return two policies as they can be compared: a file names a calendar, its dates are looked up later."""
    bare = without_dates(one), without_dates(other)
    return bare if one == bare[0] or other == bare[1] else (one, other)


def resolve_public_holidays(policy: Policy, *, now: datetime) -> Policy:
    """Return the policy with the dates of every calendar it names, from the year before its first on.

    Dates that are there already stay as they are, so that resolving again changes nothing.
    """
    first = (policy.valid_from or now).year - 1  # a lead of the old year may still be waiting
    years = (first, first + YEARS_AHEAD)
    return replace(
        policy,
        hours=_resolved(policy.hours, years),
        hours_marketing=None if policy.hours_marketing is None else _resolved(policy.hours_marketing, years),
        hours_sales=None if policy.hours_sales is None else _resolved(policy.hours_sales, years),
    )


def without_dates(policy: Policy) -> Policy:
    """Return the policy as its authors wrote it: calendars by name, dates not looked up."""
    return replace(
        policy,
        hours=_unresolved(policy.hours),
        hours_marketing=None if policy.hours_marketing is None else _unresolved(policy.hours_marketing),
        hours_sales=None if policy.hours_sales is None else _unresolved(policy.hours_sales),
    )


def look_up(public: PublicHolidays, years: tuple[int, int]) -> PublicHolidays:
    """Return public holidays with all their dates from the first to the last of two years."""
    import holidays  # it loads slowly, and only proposing a policy needs it

    found = holidays.country_holidays(
        public.country,
        subdiv=public.region,
        years=range(years[0], years[1] + 1),
        expand=False,
        categories=("public", *public.holiday_kinds),
    )
    dates = frozenset(day for day in found if years[0] <= day.year <= years[1])
    return replace(public, public_holidays=dates, holiday_years=years)


def _resolved(hours: OpeningHours, years: tuple[int, int]) -> OpeningHours:
    if hours.public is None or hours.public.is_resolved:
        return hours
    return replace(hours, public=look_up(hours.public, years))


def _unresolved(hours: OpeningHours) -> OpeningHours:
    if hours.public is None:
        return hours
    names = replace(hours.public, public_holidays=None, holiday_years=None)
    return replace(hours, public=names)
