"""What leads do by themselves: visits, downloads, demo requests, newsletters, webinars.

Up to creation the log shows exactly the behaviour that `interest` drew. Afterwards visits come in bursts: new
ones come less and less often, and each may bring another soon (a branching process in the web's rhythm).
Leads that will be won come back more while the deal is open; after closing nearly everybody stops.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from experiments.simulator.chance import Flags, Floats, Integers, Texts, logistic
from experiments.simulator.interest import EXTRA_PAGES, LEVELS, PRICING_SHARE, Behaviour
from experiments.simulator.log import Entries, entries, join
from experiments.simulator.outcomes import Outcomes
from experiments.simulator.people import People
from experiments.simulator.rhythm import DAY_US, SECOND_US, ZONE, Rhythm, from_us, to_us

VISITS_AFTER = np.exp(0.1 + 0.75 * LEVELS)
"""Mean number of visits after creation that no other visit brought about, per level."""
VISIT_FADING_DAYS = 14.0
OFFSPRING, OFFSPRING_DAYS, GENERATIONS = 0.35, 1.5, 4
"""Visits that each visit brings about on average, how soon, and for how many generations."""
DEAL_VISITS = 3.0
"""Further visits while the deal is open, of leads that will be won."""
STILL_ACTIVE_SHARE = 0.1
"""Share of visits that still happen after the case is closed."""
DOWNLOAD_SHARE = logistic(-2.2 + 0.5 * LEVELS)
OPEN_SHARE = logistic(-0.4 + 0.6 * LEVELS)
CLICK_SHARE = logistic(-1.4 + 0.6 * LEVELS)
OPEN_FADING_DAYS = 120.0
WEBINAR_SHARE = logistic(-4.0 + 0.8 * LEVELS)
WEBINAR_REACH_DAYS = 75

LONGEST_VISIT_SECONDS = 1200

PAGES = (
    *("/", "/product/platform", "/product/analytics", "/product/integration", "/customers", "/blog/handover"),
    *("/blog/lead-quality", "/about", "/security", "/docs/start", "/careers"),
)
PAGE_SHARES = np.array([0.22, 0.13, 0.12, 0.11, 0.09, 0.08, 0.07, 0.06, 0.05, 0.04, 0.03])
ACT_PLACES = {
    "demo_request": ("/demo", "web"),
    "form_submit": ("/contact", "web"),
    "content_download": ("guide-lead-scoring", "web"),
    "webinar_attended": ("webinar-on-demand", "webinar"),
}
DOWNLOADS = ("guide-lead-scoring", "checklist-sla", "report-benchmark", "calculator-roi")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Visits:
    """Visits to the website: the lead's row, the start, pages beyond the first, prices looked at."""

    lead: Integers
    start_us: Integers
    extra_pages: Integers
    pricing: Flags


def draw_activities(
    rng: np.random.Generator,
    people: People,
    behaviour: Behaviour,
    outcomes: Outcomes,
    *,
    web: Rhythm,
    end_us: int,
) -> Entries:
    """Draw everything leads do by themselves, before and after their creation, up to about `end_us`."""
    return join(
        [
            _creating_acts(people, behaviour),
            _later_demos(people, outcomes),
            _pages(rng, _visits_before(rng, people, behaviour, web)),
            *_visits_after_with_downloads(rng, people, behaviour, outcomes, web),
            *_newsletters(rng, people, behaviour, outcomes, end_us=end_us),
            _webinars(rng, people, behaviour, outcomes, end_us=end_us),
        ]
    )


def _creating_acts(people: People, behaviour: Behaviour) -> Entries:
    parts = []
    for act, (asset, channel) in ACT_PLACES.items():
        acted = np.flatnonzero(behaviour.act == act)
        parts.append(entries(acted, people.created_us[acted], act, asset=asset, channel=channel))
    return join(parts)


def _later_demos(people: People, outcomes: Outcomes) -> Entries:
    later = np.flatnonzero(outcomes.demo_us > people.created_us)
    return entries(later, outcomes.demo_us[later], "demo_request", asset="/demo", channel="web")


def _visits_before(rng: np.random.Generator, people: People, behaviour: Behaviour, web: Rhythm) -> Visits:
    """Place the visits whose numbers `interest` drew; the last of each lead ends in its creation."""
    lead = np.repeat(np.arange(len(people.lead_id)), behaviour.visits)
    first_of_lead = np.concatenate([[True], lead[1:] != lead[:-1]])
    days_back = np.where(first_of_lead, 0.0, rng.exponential(6.0, len(lead)))
    end_us = web.advance(people.created_us[lead], -days_back)
    return Visits(
        lead=lead,
        start_us=np.where(first_of_lead, people.created_us[lead], end_us) - LONGEST_VISIT_SECONDS * SECOND_US,
        extra_pages=_share_out(rng, behaviour.extra_pages, behaviour.visits),
        pricing=_choose_visits(rng, lead, behaviour.pricing_visits),
    )


def _share_out(rng: np.random.Generator, total: Integers, parts: Integers) -> Integers:
    """Split each lead's total over its parts, every part as likely: (sum(parts),)."""
    starts = np.cumsum(parts) - parts
    owner = np.repeat(np.arange(len(total)), total)
    chosen = starts[owner] + np.floor(rng.random(len(owner)) * parts[owner]).astype(np.int64)
    return np.asarray(np.bincount(chosen, minlength=int(parts.sum())), dtype=np.int64)


def _choose_visits(rng: np.random.Generator, lead: Integers, wanted: Integers) -> Flags:
    """Choose `wanted[i]` of the visits of each lead i at random."""
    order = np.lexsort((rng.random(len(lead)), lead))
    starts = np.searchsorted(lead, lead)
    chosen = np.zeros(len(lead), dtype=bool)
    chosen[order] = np.arange(len(lead)) - starts < wanted[lead]
    return chosen


def _visits_after_with_downloads(
    rng: np.random.Generator, people: People, behaviour: Behaviour, outcomes: Outcomes, web: Rhythm
) -> list[Entries]:
    lead, start_us = _visit_times_after(rng, people, behaviour, outcomes, web)
    level = behaviour.level[lead]
    visits = Visits(
        lead=lead,
        start_us=start_us,
        extra_pages=rng.poisson(EXTRA_PAGES[level]),
        pricing=rng.random(len(lead)) < PRICING_SHARE[level],
    )
    loads = np.flatnonzero(rng.random(len(lead)) < DOWNLOAD_SHARE[level])
    downloads = entries(
        lead[loads],
        start_us[loads] + 240 * SECOND_US,
        "content_download",
        asset=rng.choice(np.array(DOWNLOADS), size=len(loads)),
        channel="web",
    )
    return [_pages(rng, visits), downloads]


def _visit_times_after(
    rng: np.random.Generator, people: People, behaviour: Behaviour, outcomes: Outcomes, web: Rhythm
) -> tuple[Integers, Integers]:
    """Rows and start times of the visits after creation."""
    lead = np.repeat(np.arange(len(people.lead_id)), rng.poisson(VISITS_AFTER[behaviour.level]))
    days = rng.exponential(VISIT_FADING_DAYS, len(lead))
    leads, times = [lead], [web.advance(people.created_us[lead], days)]
    for _ in range(GENERATIONS):
        parents = np.repeat(np.arange(len(leads[-1])), rng.poisson(OFFSPRING, len(leads[-1])))
        leads.append(leads[-1][parents])
        times.append(web.advance(times[-1][parents], rng.exponential(OFFSPRING_DAYS, len(parents))))
    deal = np.repeat(
        np.arange(len(people.lead_id)), rng.poisson(DEAL_VISITS, len(people.lead_id)) * outcomes.won
    )
    leads.append(deal)
    span = web.elapsed(people.created_us[deal], outcomes.closed_us[deal])
    times.append(web.advance(people.created_us[deal], span * rng.random(len(deal))))
    rows, starts = np.concatenate(leads), np.concatenate(times)
    kept = (starts < _end_of_case(outcomes)[rows]) | (rng.random(len(rows)) < STILL_ACTIVE_SHARE)
    later = starts > people.created_us[rows]
    return rows[kept & later], starts[kept & later]


def _pages(rng: np.random.Generator, visits: Visits) -> Entries:
    """Page views of visits within a quarter of an hour; the prices come last."""
    views = np.repeat(np.arange(len(visits.lead)), 1 + visits.extra_pages)
    page = rng.choice(np.array(PAGES), size=len(views), p=PAGE_SHARES)
    seen_us = visits.start_us[views] + rng.integers(0, 900, len(views)) * SECOND_US
    viewed = entries(visits.lead[views], seen_us, "page_view", asset=page, channel="web")
    prices = np.flatnonzero(visits.pricing)
    priced_us = visits.start_us[prices] + rng.integers(900, LONGEST_VISIT_SECONDS, len(prices)) * SECOND_US
    return join(
        [viewed, entries(visits.lead[prices], priced_us, "pricing_view", asset="/pricing", channel="web")]
    )


def _newsletters(
    rng: np.random.Generator, people: People, behaviour: Behaviour, outcomes: Outcomes, *, end_us: int
) -> list[Entries]:
    """Send a newsletter every second Tuesday at ten; some open it, some of these click."""
    issues = _appointments(people, end_us, weekday=1, hour=10, every_days=14)
    sent, lead = _pairs(people, outcomes, issues, reach_days=400)
    fading = np.exp(-(issues[sent] - people.created_us[lead]) / (OPEN_FADING_DAYS * DAY_US))
    share = OPEN_SHARE[behaviour.level[lead]] * fading * people.newsletter[lead]
    opened = np.flatnonzero(rng.random(len(lead)) < share)
    clicked = opened[rng.random(len(opened)) < CLICK_SHARE[behaviour.level[lead[opened]]]]
    delay_us = np.full(len(lead), -1)
    delay_us[opened] = (rng.lognormal(1.0, 1.2, len(opened)) * 3600).astype(np.int64) * SECOND_US
    names = np.array([f"newsletter-{from_us(issue):%Y-%m-%d}" for issue in issues], dtype="U24")
    return [
        _mail(lead, issues, sent, delay_us, names, opened, "email_open"),
        _mail(lead, issues, sent, delay_us + 45 * SECOND_US, names, clicked, "email_click"),
    ]


def _mail(
    lead: Integers,
    issues: Integers,
    sent: Integers,
    delay_us: Integers,
    names: Texts,
    rows: Integers,
    kind: str,
) -> Entries:
    happened_us = issues[sent[rows]] + delay_us[rows]
    return entries(lead[rows], happened_us, kind, asset=names[sent[rows]], channel="email")


def _webinars(
    rng: np.random.Generator, people: People, behaviour: Behaviour, outcomes: Outcomes, *, end_us: int
) -> Entries:
    """Hold a webinar every fourth Thursday at two; `value` is how many minutes the lead stayed."""
    dates = _appointments(people, end_us, weekday=3, hour=14, every_days=28)
    held, lead = _pairs(people, outcomes, dates, reach_days=WEBINAR_REACH_DAYS)
    came = np.flatnonzero(rng.random(len(lead)) < WEBINAR_SHARE[behaviour.level[lead]])
    names = np.array([f"webinar-{from_us(date):%Y-%m}" for date in dates], dtype="U24")
    joined_us = dates[held[came]] + rng.integers(0, 600, len(came)) * SECOND_US
    minutes: Floats = np.round(rng.uniform(10.0, 60.0, len(came)))
    return entries(
        lead[came], joined_us, "webinar_attended", asset=names[held[came]], channel="webinar", value=minutes
    )


def _pairs(
    people: People, outcomes: Outcomes, instants: Integers, *, reach_days: int
) -> tuple[Integers, Integers]:
    """All (instant, lead) where the lead is known, not older than `reach_days` and its case is open."""
    at, created = instants[:, None], people.created_us[None, :]
    open_case = (created < at) & (at < _end_of_case(outcomes)[None, :]) & (at - created < reach_days * DAY_US)
    instant, lead = np.nonzero(open_case)
    return instant, lead


def _appointments(people: People, end_us: int, *, weekday: int, hour: int, every_days: int) -> Integers:
    """Instants from the first lead to `end_us` at a local hour of every n-th given weekday."""
    first = from_us(int(people.created_us.min())).astimezone(ZONE)
    day = first.date() + timedelta(days=(weekday - first.weekday()) % 7)
    instants: list[int] = []
    while not instants or instants[-1] <= end_us:
        instants.append(to_us(datetime(day.year, day.month, day.day, hour, tzinfo=ZONE)))
        day += timedelta(days=every_days)
    return np.array(instants)


def _end_of_case(outcomes: Outcomes) -> Integers:
    """When each case is closed; far in the future for cases that nobody ever closes."""
    return np.where(outcomes.decided, outcomes.closed_us, np.iinfo(np.int64).max)
