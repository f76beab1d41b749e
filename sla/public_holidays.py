"""Public holidays of a team: which country and region it lives by, and the dates once they are looked up.

Decides what may be named and which dates belong to which years. Looking dates up needs a library and is done
by the service when a policy is proposed; from then on the dates are part of what is signed, so that a verdict
can be computed again whatever later editions of the library say.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches

from sla.errors import BrokenRule, refuse_broken
from sla.holiday_regions import HolidayNames, holiday_countries, holiday_names

MOST_YEARS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicHolidays:
    """The public holidays of a country, of one of its regions, with further kinds of days such as "catholic".

    `public_holidays` are the dates of all years from the first to the last of `holiday_years`; both are None
    until somebody looked them up. Resolved dates stand for themselves: names are not checked again.
    """

    country: str
    region: str | None = None
    holiday_kinds: tuple[str, ...] = ()
    public_holidays: frozenset[date] | None = None
    holiday_years: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        refuse_broken("hours", self._broken_rules())

    @property
    def dates(self) -> frozenset[date]:
        """The resolved dates; none before they are looked up."""
        return self.public_holidays or frozenset()

    @property
    def is_resolved(self) -> bool:
        """True when the dates are there."""
        return self.public_holidays is not None

    @property
    def place(self) -> str:
        """The country and region as one code: "DE-BY"."""
        return self.country if self.region is None else f"{self.country}-{self.region}"

    def _broken_rules(self) -> Iterator[BrokenRule]:
        if self.is_resolved or self.holiday_years is not None:
            yield from self._broken_dates()
        else:
            yield from self._unknown_names()

    def _unknown_names(self) -> Iterator[BrokenRule]:
        names = holiday_names(self.country)
        if names is None:
            rule = f"must be a country code such as DE{_near(self.country, holiday_countries())}"
            yield BrokenRule("country", rule, self.country)
            return
        if self.region is not None and self.region not in names.regions:
            yield BrokenRule("region", self._region_rule(names), self.region, against="country")
        for kind in self.holiday_kinds:
            if kind not in names.kinds:
                yield BrokenRule("holiday_kinds", self._kind_rule(names), kind, against="country")

    def _region_rule(self, names: HolidayNames) -> str:
        known = ", ".join(names.regions[:20]) or "none"
        return f"must be a region of {self.country} ({known}){_near(self.region, names.regions)}"

    def _kind_rule(self, names: HolidayNames) -> str:
        return f"must be a further kind of holiday of {self.country} ({', '.join(names.kinds) or 'none'})"

    def _broken_dates(self) -> Iterator[BrokenRule]:
        years = self.holiday_years
        if self.public_holidays is None or years is None:
            rule = "must come together with holiday_years"
            yield BrokenRule("public_holidays", rule, years, against="holiday_years")
        elif len(years) != 2 or not 0 <= years[1] - years[0] < MOST_YEARS:
            rule = f"must be a first and a last year, at most {MOST_YEARS} in all"
            yield BrokenRule("holiday_years", rule, years)
        else:
            outside = sorted(day for day in self.public_holidays if not years[0] <= day.year <= years[1])
            if outside:
                rule = f"must lie in the holiday_years {years[0]} to {years[1]}"
                yield BrokenRule("public_holidays", rule, outside[0], against="holiday_years")


def _near(word: str | None, known: tuple[str, ...]) -> str:
    near = get_close_matches(str(word)[:60].upper(), known, n=1)
    return f' (did you mean "{near[0]}"?)' if near else ""
