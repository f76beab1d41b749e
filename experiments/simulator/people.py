"""Who comes: personas and the attributes of their leads, and how well each lead fits what is sold.

The fit is a function of recorded attributes alone; the persona stays hidden and only shapes them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from experiments.simulator.chance import Flags, Floats, Integers, Texts, draw_text, draw_text_by, look_up
from experiments.simulator.rhythm import DAY_US, SECOND_US, Rhythm, from_us

PERSONA_SHARES = {"technical_buyer": 0.32, "economic_buyer": 0.22, "user_champion": 0.3, "other": 0.16}

DEPARTMENT_SHARES: Mapping[str, Mapping[str, float]] = {
    "technical_buyer": {"it": 0.55, "engineering": 0.35, "": 0.1},
    "economic_buyer": {"management": 0.5, "finance": 0.25, "procurement": 0.2, "": 0.05},
    "user_champion": {"marketing": 0.4, "sales": 0.3, "operations": 0.2, "": 0.1},
    "other": {"support": 0.35, "operations": 0.2, "it": 0.1, "": 0.35},
}
JOB_LEVEL_SHARES: Mapping[str, Mapping[str, float]] = {
    "technical_buyer": {"director": 0.12, "manager": 0.4, "specialist": 0.48},
    "economic_buyer": {"c_level": 0.45, "director": 0.4, "manager": 0.15},
    "user_champion": {"director": 0.1, "manager": 0.45, "specialist": 0.45},
    "other": {"manager": 0.1, "specialist": 0.35, "student": 0.4, "": 0.15},
}
EMAIL_SHARES: Mapping[str, Mapping[str, float]] = {
    "technical_buyer": {"company": 0.86, "freemail": 0.14},
    "economic_buyer": {"company": 0.92, "freemail": 0.08},
    "user_champion": {"company": 0.84, "freemail": 0.16},
    "other": {"company": 0.3, "freemail": 0.4, "education": 0.3},
}
PRODUCT_SHARES: Mapping[str, Mapping[str, float]] = {
    "technical_buyer": {"integration": 0.45, "platform": 0.3, "analytics": 0.15, "": 0.1},
    "economic_buyer": {"platform": 0.45, "analytics": 0.35, "integration": 0.1, "": 0.1},
    "user_champion": {"analytics": 0.35, "starter": 0.3, "platform": 0.25, "": 0.1},
    "other": {"starter": 0.55, "analytics": 0.15, "": 0.3},
}
COUNTRY_SHARES = {
    "DE": 0.52, "AT": 0.1, "CH": 0.09, "NL": 0.06, "FR": 0.05, "GB": 0.05, "PL": 0.04, "US": 0.05, "IN": 0.04,
}  # fmt: skip
INDUSTRY_SHARES = {
    "manufacturing": 0.22, "software": 0.18, "retail": 0.12, "finance": 0.1, "healthcare": 0.08,
    "logistics": 0.08, "public_sector": 0.06, "education": 0.05, "": 0.11,
}  # fmt: skip
SOURCE_SHARES = {
    "organic_search": 0.27, "paid_search": 0.22, "webinar": 0.1, "social": 0.11, "referral": 0.08,
    "partner": 0.06, "event": 0.08, "purchased_list": 0.08,
}  # fmt: skip
CAMPAIGN_SOURCES = ("paid_search", "webinar", "social", "event")
EMPLOYEES_LOG10_MEAN: Mapping[str, float] = {
    "technical_buyer": 2.4, "economic_buyer": 2.1, "user_champion": 2.0, "other": 1.3,
}  # fmt: skip

JOB_LEVEL_FIT = {
    "c_level": 0.35,
    "director": 0.5,
    "manager": 0.25,
    "specialist": -0.25,
    "student": -1.6,
    "": -0.4,
}
DEPARTMENT_FIT = {
    "management": 0.3, "finance": 0.1, "procurement": 0.25, "it": 0.35, "engineering": 0.15, "marketing": 0.2,
    "sales": 0.1, "operations": 0.0, "support": -0.4, "": -0.3,
}  # fmt: skip
INDUSTRY_FIT = {
    "manufacturing": 0.4, "software": 0.45, "retail": -0.15, "finance": 0.2, "healthcare": 0.0,
    "logistics": 0.2, "public_sector": -0.6, "education": -0.8, "": -0.2,
}  # fmt: skip
COUNTRY_FIT = {
    "DE": 0.3, "AT": 0.2, "CH": 0.3, "NL": 0.0, "FR": -0.2, "GB": -0.2, "PL": -0.2, "US": -0.6, "IN": -1.2,
}  # fmt: skip
EMAIL_FIT = {"company": 0.3, "freemail": -0.9, "education": -1.3}
PRODUCT_FIT = {"platform": 0.15, "analytics": 0.05, "integration": 0.25, "starter": -0.2, "": -0.15}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class People:
    """Attributes as recorded when each lead was created, oldest first; "" and NaN are missing."""

    lead_id: Texts
    created_us: Integers
    persona: Texts
    country: Texts
    industry: Texts
    employees: Floats
    job_level: Texts
    department: Texts
    source: Texts
    campaign: Texts
    product_interest: Texts
    annual_revenue: Floats
    newsletter: Flags
    email_domain_class: Texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """How many leads come between start and until, and how many times as many a day at the end."""

    count: int
    start_us: int
    until_us: int
    growth: float


def draw_people(rng: np.random.Generator, arrivals: Arrivals, *, web: Rhythm) -> People:
    """Draw leads that come in the rhythm of the web, oldest first."""
    count = arrivals.count
    persona = draw_text(rng, PERSONA_SHARES, count)
    created_us = _draw_arrivals(rng, arrivals, web)
    source = draw_text(rng, SOURCE_SHARES, count)
    employees = _draw_employees(rng, persona)
    return People(
        lead_id=np.array([f"L{number:06d}" for number in range(1, count + 1)]),
        created_us=created_us,
        persona=persona,
        country=draw_text(rng, COUNTRY_SHARES, count),
        industry=draw_text(rng, INDUSTRY_SHARES, count),
        employees=_forget(rng, employees, share=0.12),
        job_level=draw_text_by(rng, persona, JOB_LEVEL_SHARES),
        department=draw_text_by(rng, persona, DEPARTMENT_SHARES),
        source=source,
        campaign=_name_campaigns(source, created_us),
        product_interest=draw_text_by(rng, persona, PRODUCT_SHARES),
        annual_revenue=_forget(rng, _draw_revenue(rng, employees), share=0.45),
        newsletter=rng.random(count) < np.where(persona == "user_champion", 0.6, 0.4),
        email_domain_class=draw_text_by(rng, persona, EMAIL_SHARES),
    )


def fit_log_odds(people: People) -> Floats:
    """Return how much the attributes of each lead move the log-odds of winning it; about 0 on average."""
    parts = (
        look_up(people.job_level, JOB_LEVEL_FIT),
        look_up(people.department, DEPARTMENT_FIT),
        look_up(people.industry, INDUSTRY_FIT),
        look_up(people.country, COUNTRY_FIT),
        look_up(people.email_domain_class, EMAIL_FIT),
        look_up(people.product_interest, PRODUCT_FIT),
        _size_fit(people.employees),
        _combination_fit(people),
    )
    return np.asarray(np.sum(parts, axis=0))


def _size_fit(employees: Floats) -> Floats:
    """Mid-sized companies fit best; tiny and huge ones do not."""
    distance = (np.log10(employees) - 2.3) / 0.8
    return np.asarray(np.where(np.isnan(employees), -0.2, 0.4 - 0.5 * np.minimum(distance**2, 6.0)))


def _combination_fit(people: People) -> Floats:
    """Return what only two attributes together tell; a table of points cannot learn it."""
    technical = np.isin(people.department, ["it", "engineering"])
    integrates = technical & (people.product_interest == "integration")
    out_of_reach = (people.job_level == "c_level") & (people.employees > 1000)
    return np.asarray(0.5 * integrates - 0.7 * out_of_reach)


def _draw_arrivals(rng: np.random.Generator, arrivals: Arrivals, web: Rhythm) -> Integers:
    """Arrivals in the web's rhythm; how many come a day grows evenly from 1 to `growth`."""
    start, until = np.array([arrivals.start_us]), np.array([arrivals.until_us])
    uniform = rng.random(arrivals.count)
    root = np.sqrt(1.0 + (arrivals.growth**2 - 1.0) * uniform)
    growing = (arrivals.growth + 1.0) * uniform / (root + 1.0)
    created_us = web.advance(np.full(arrivals.count, start), growing * web.elapsed(start, until)[0])
    return np.sort(np.clip(created_us, start, until - SECOND_US))


def _draw_employees(rng: np.random.Generator, persona: Texts) -> Floats:
    log10_employees = rng.normal(look_up(persona, EMPLOYEES_LOG10_MEAN), 0.75)
    return np.asarray(np.round(10.0 ** np.clip(log10_employees, 0.0, 5.0)))


def _draw_revenue(rng: np.random.Generator, employees: Floats) -> Floats:
    """Euros a year, rounded to thousands: about 150,000 per employee."""
    return np.asarray(np.round(employees * 150.0 * rng.lognormal(0.0, 0.5, len(employees))) * 1000.0)


def _forget(rng: np.random.Generator, values: Floats, *, share: float) -> Floats:
    return np.asarray(np.where(rng.random(len(values)) < share, np.nan, values))


def _name_campaigns(source: Texts, created_us: Integers) -> Texts:
    """Campaigns run for a quarter and carry its name, so the newest ones have no history."""
    quarters = {day: _quarter(day) for day in np.unique(created_us // DAY_US).tolist()}
    names = [
        f"{name}-{quarters[instant // DAY_US]}" if name in CAMPAIGN_SOURCES else ""
        for name, instant in zip(source.tolist(), created_us.tolist(), strict=True)
    ]
    return np.array(names)


def _quarter(day: int) -> str:
    date = from_us(day * DAY_US)
    return f"{date.year}-q{(date.month + 2) // 3}"
