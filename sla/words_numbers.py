"""Numbers, times and names as English and German readers write them. Decides how exact a number must be.

A percentage that is held against thresholds gets as many decimals as it takes to stand on the same side of
each of them as the number itself.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count

from sla.clauses import HOURS_PER_BUSINESS_DAY
from sla.personas import Scalar
from sla.stages import Side, Stage
from sla.texts import GERMAN, Text

STAGE_NAMES: tuple[tuple[Stage, Text], ...] = (
    (Stage.LEAD, Text(en="Lead", de="Lead")),
    (Stage.MQL, Text(en="MQL", de="MQL")),
    (Stage.SQL, Text(en="SQL", de="SQL")),
    (Stage.OPPORTUNITY, Text(en="Opportunity", de="Verkaufschance")),
    (Stage.CUSTOMER, Text(en="Customer", de="Kunde")),
    (Stage.RECYCLED, Text(en="Recycled", de="Zurückgestellt")),
    (Stage.DISQUALIFIED, Text(en="Disqualified", de="Ausgeschlossen")),
)

STAGE_PREDICATES: tuple[tuple[Stage, Text], ...] = (
    (Stage.LEAD, Text(en="a lead", de="Lead")),
    (Stage.MQL, Text(en="MQL", de="MQL")),
    (Stage.SQL, Text(en="SQL", de="SQL")),
    (Stage.OPPORTUNITY, Text(en="an opportunity", de="Verkaufschance")),
    (Stage.CUSTOMER, Text(en="a customer", de="Kunde")),
    (Stage.RECYCLED, Text(en="recycled", de="zurückgestellt")),
    (Stage.DISQUALIFIED, Text(en="disqualified", de="ausgeschlossen")),
)
"""What stands after "stays" and "bleibt"."""

SIDE_NAMES: tuple[tuple[Side, Text], ...] = (
    (Side.MARKETING, Text(en="Marketing", de="Marketing")),
    (Side.SALES, Text(en="Sales", de="Vertrieb")),
)

MONTHS = (
    Text(en="January", de="Januar"),
    Text(en="February", de="Februar"),
    Text(en="March", de="März"),
    Text(en="April", de="April"),
    Text(en="May", de="Mai"),
    Text(en="June", de="Juni"),
    Text(en="July", de="Juli"),
    Text(en="August", de="August"),
    Text(en="September", de="September"),
    Text(en="October", de="Oktober"),
    Text(en="November", de="November"),
    Text(en="December", de="Dezember"),
)

_UNITS: tuple[tuple[timedelta, Text, Text, Text], ...] = (
    (timedelta(days=1), Text(en="day", de="Tag"), Text(en="days", de="Tage"), Text(en="days", de="Tagen")),
    (
        timedelta(hours=1),
        Text(en="hour", de="Stunde"),
        Text(en="hours", de="Stunden"),
        Text(en="hours", de="Stunden"),
    ),
    (
        timedelta(minutes=1),
        Text(en="minute", de="Minute"),
        Text(en="minutes", de="Minuten"),
        Text(en="minutes", de="Minuten"),
    ),
)
"""Unit, its name for one, for many, and for many after German "vor"."""


def stage_name(stage: Stage, lang: str) -> str:
    """Return the name of a stage."""
    return dict(STAGE_NAMES)[stage].in_language(lang)


def stage_predicate(stage: Stage, lang: str) -> str:
    """Return a stage as it reads after "stays" / "bleibt"."""
    return dict(STAGE_PREDICATES)[stage].in_language(lang)


def side_name(side: Side, lang: str) -> str:
    """Return the name of a side."""
    return dict(SIDE_NAMES)[side].in_language(lang)


def exact_percent(probability: float, lang: str) -> str:
    """Return an agreed probability as a percentage with every decimal it was written with: "12.5 %"."""
    return _percent(_hundredfold(probability).normalize(), lang)


def percent_against(probability: float, thresholds: Iterable[float], lang: str) -> str:
    """Return a probability as a percentage that stands on the same side of each threshold as it does.

    Decimals are added only where needed, and neither 0 % nor 100 % is said of what is not certain.
    """
    exact = _hundredfold(probability)
    limits = tuple(_hundredfold(threshold) for threshold in thresholds)
    rounded = (round(exact, decimals) for decimals in count())
    return _percent(next(shown for shown in rounded if _tells_the_same(shown, exact, limits)), lang)


def _tells_the_same(shown: Decimal, exact: Decimal, limits: tuple[Decimal, ...]) -> bool:
    is_overstated = shown in (0, 100) and shown != exact
    return not is_overstated and all((shown >= limit) == (exact >= limit) for limit in limits)


def _hundredfold(probability: float) -> Decimal:
    """Return 100 times the number as it is written, free of binary rounding: 0.07 gives exactly 7."""
    return Decimal(str(float(probability))) * 100


def _percent(number: Decimal, lang: str) -> str:
    return f"{_localised(format(number, 'f'), lang)} %"


def number_text(value: float, lang: str) -> str:
    """Return a number with thousands and decimals as the language writes them."""
    return _localised(format(Decimal(str(value)), ",f").removesuffix(".0"), lang)


def _localised(text: str, lang: str) -> str:
    return text.translate(str.maketrans(",.", ".,")) if lang == GERMAN else text


def scalar_text(value: Scalar, lang: str) -> str:
    """Return the value of a condition for people."""
    if isinstance(value, bool):
        return (Text(en="yes", de="ja") if value else Text(en="no", de="nein")).in_language(lang)
    return value if isinstance(value, str) else number_text(value, lang)


def days_text(days: int, lang: str) -> str:
    """Return a number of days: "1 day", "3 days"."""
    return span_text(timedelta(days=days), lang)


def span_text(span: timedelta, lang: str) -> str:
    """Return a stretch of time in its largest whole unit, rounded down; under a minute it is 0 minutes."""
    amount, one, many, _after = _largest_unit(span)
    return f"{amount} {(one if amount == 1 else many).in_language(lang)}"


def ago_text(age: timedelta, lang: str) -> str:
    """Return how long ago something was: "2 days ago", "vor 2 Tagen"."""
    amount, one, _many, after = _largest_unit(age)
    if amount == 0:
        return Text(en="just now", de="gerade eben").in_language(lang)
    unit = (one if amount == 1 else after).in_language(lang)
    return f"vor {amount} {unit}" if lang == GERMAN else f"{amount} {unit} ago"


def _largest_unit(span: timedelta) -> tuple[int, Text, Text, Text]:
    whole = max(span, timedelta(0))
    unit, *names = next((row for row in _UNITS if whole >= row[0]), _UNITS[-1])
    return whole // unit, names[0], names[1], names[2]


def working_time_text(duration: timedelta, lang: str) -> str:
    """Return open time as both sides count it: "4 working hours", "2 working days (16 working hours)"."""
    minutes = duration // timedelta(minutes=1)
    if minutes % (HOURS_PER_BUSINESS_DAY * 60) == 0:
        days, hours = minutes // (HOURS_PER_BUSINESS_DAY * 60), _working(minutes // 60, "hour", lang)
        unit = (
            Text(en="working day", de="Arbeitstag")
            if days == 1
            else Text(en="working days", de="Arbeitstagen")
        )
        return f"{days} {unit.in_language(lang)} ({hours})"
    return _working(minutes // 60, "hour", lang) if minutes % 60 == 0 else _working(minutes, "minute", lang)


def _working(amount: int, unit: str, lang: str) -> str:
    """Return an amount of open time; the German form follows "innerhalb von"."""
    german = {"hour": "Stunde", "minute": "Minute"}[unit]
    if lang == GERMAN:
        return f"{amount} {german}{'' if amount == 1 else 'n'} Arbeitszeit"
    return f"{amount} working {unit}{'' if amount == 1 else 's'}"


def date_text(day: date, lang: str) -> str:
    """Return a date in words: "1 January 2026", "1. Januar 2026"."""
    month = MONTHS[day.month - 1].in_language(lang)
    return f"{day.day}{'.' if lang == GERMAN else ''} {month} {day.year}"


def instant_text(instant: datetime, lang: str) -> str:
    """Return a date and wall time in the zone the instant is given in."""
    clock = instant.strftime("%H:%M:%S" if instant.second else "%H:%M")
    return f"{date_text(instant, lang)}, {clock}{' Uhr' if lang == GERMAN else ''}"


def list_text(items: Iterable[str], lang: str, *, last: Text | None = None) -> str:
    """Join items with commas and, before the last, "and" / "und" or the given word."""
    words = list(items)
    joiner = (last or Text(en="and", de="und")).in_language(lang)
    return f" {joiner} ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
