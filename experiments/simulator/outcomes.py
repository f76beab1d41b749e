"""What becomes of each lead: won, lost with a reason, or never decided; when; and the true chance to win it.

Winning depends on fit, hidden interest and whether a demo was asked for. The deal then takes a log-normal
number of office days. The truth is the exact probability of a win within the horizon given what is recorded
at creation: interest and later demo requests, which nobody knows then, are summed out.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from experiments.simulator.chance import Flags, Floats, Integers, Texts, draw_index, draw_text_by, logistic
from experiments.simulator.interest import LEVELS, Behaviour, posterior
from experiments.simulator.people import People, fit_log_odds
from experiments.simulator.rhythm import DAY_US, Rhythm

HORIZON_DAYS = 90
BASE_LOG_ODDS = -2.5
INTEREST_WEIGHT = 1.05
DEMO_EFFECT = 1.0
"""Log-odds that a demo request adds by itself: the only activity that causes anything."""

LATER_DEMO_SHARE = logistic(-2.9 + 1.0 * LEVELS)
"""Share of leads per level that ask for a demo after their creation."""
LATER_DEMO_DAYS = np.array([1.0, 2.0, 4.0, 7.0, 11.0, 16.0, 23.0, 32.0, 45.0])
LATER_DEMO_WEIGHTS = np.array([0.2, 0.16, 0.15, 0.13, 0.11, 0.09, 0.07, 0.05, 0.04])

CLOSING_SPREAD = 0.7
LOSS_DAYS = {"targeting": 5.0, "data": 4.0, "model": 8.0, "timing": 32.0, "offer": 38.0, "content": 30.0}
LOSS_SPREAD = 0.7
NEVER_CLOSED_SHARE = 0.08
LOSS_GROUPS = tuple(LOSS_DAYS)
LOSS_REASON_SHARES = {
    "targeting": {"targeting_no_need": 0.5, "targeting_too_small": 0.3, "targeting_wrong_market": 0.2},
    "data": {"data_wrong_contact": 0.6, "data_duplicate": 0.25, "data_left_company": 0.15},
    "model": {"model_score_too_high": 1.0},
    "timing": {"timing_no_budget_now": 0.55, "timing_project_postponed": 0.45},
    "offer": {"offer_price": 0.45, "offer_competitor": 0.35, "offer_function_missing": 0.2},
    "content": {"content_benefit_unclear": 0.6, "content_references_missing": 0.4},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What differs from one CRM to the next; the defaults are the demo's.

    ``slowness`` multiplies every closing time, ``never_closed_share`` is the share of lost cases that nobody
    ever closes, ``growth`` is how many times as many leads arrive a day at the end as at the beginning,
    ``seasonality`` how strongly the months differ in all that happens: 0 not at all.
    """

    slowness: float = 1.0
    never_closed_share: float = NEVER_CLOSED_SHARE
    growth: float = 1.5
    seasonality: float = 1.0

    def __post_init__(self) -> None:
        if min(self.slowness, self.growth) <= 0.0 or not 0.0 <= self.never_closed_share <= 1.0:
            raise ValueError(
                f"a market needs slowness and growth above 0 and never_closed_share in [0, 1]; got {self!r}"
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcomes:
    """The whole future of each lead, beyond what any export can know; times in microseconds UTC."""

    true_probability: Floats
    demo_us: Integers
    """When a demo was asked for; -1 = never."""
    won: Flags
    decided: Flags
    """False: lost, but nobody ever closes the case."""
    opened_us: Integers
    closed_us: Integers
    loss_group: Texts
    loss_reason: Texts
    amount: Floats


def draw_outcomes(
    rng: np.random.Generator,
    people: People,
    behaviour: Behaviour,
    *,
    web: Rhythm,
    office: Rhythm,
    market: Market,
) -> Outcomes:
    """Draw what becomes of each lead, and compute each one's true probability at creation."""
    count = len(people.lead_id)
    fit = fit_log_odds(people)
    demo_us = _draw_demo_requests(rng, people, behaviour, web)
    interest = LEVELS[behaviour.level]
    won = rng.random(count) < logistic(_win_log_odds(fit, interest) + DEMO_EFFECT * (demo_us >= 0))
    group = np.where(won, "", np.array(LOSS_GROUPS)[draw_index(rng, _loss_weights(fit, interest))])
    start_us = np.maximum(people.created_us, demo_us)
    days = market.slowness * _draw_closing_days(rng, people, group)
    closed_us = office.advance(start_us, days)
    return Outcomes(
        true_probability=true_probability(people, behaviour, web=web, office=office, market=market),
        demo_us=demo_us,
        won=won,
        decided=won | (rng.random(count) >= market.never_closed_share),
        opened_us=office.advance(start_us, days * rng.uniform(0.15, 0.5, count)),
        closed_us=closed_us,
        loss_group=group,
        loss_reason=draw_text_by(rng, group, LOSS_REASON_SHARES),
        amount=_draw_amounts(rng, people),
    )


def true_probability(
    people: People, behaviour: Behaviour, *, web: Rhythm, office: Rhythm, market: Market
) -> Floats:
    """P(won within the horizon | all that is recorded at creation), exactly: (n,)."""
    log_odds = _win_log_odds(fit_log_odds(people)[:, None], LEVELS[None, :])
    horizon_us = people.created_us + HORIZON_DAYS * DAY_US
    in_time = _chance_in_time(people, office.elapsed(people.created_us, horizon_us) / market.slowness)
    in_time_later = np.zeros(len(in_time))
    for days, weight in zip(LATER_DEMO_DAYS, LATER_DEMO_WEIGHTS, strict=True):
        demo_us = web.advance(people.created_us, np.full(len(in_time), days))
        office_days = office.elapsed(demo_us, horizon_us) / market.slowness
        in_time_later += weight * _chance_in_time(people, office_days)
    with_demo, without_demo = logistic(log_odds + DEMO_EFFECT), logistic(log_odds)
    later = LATER_DEMO_SHARE * with_demo * in_time_later[:, None]
    unasked = (1.0 - LATER_DEMO_SHARE) * without_demo * in_time[:, None] + later
    asked = with_demo * in_time[:, None]
    per_level = np.where((behaviour.act == "demo_request")[:, None], asked, unasked)
    return np.asarray((posterior(people, behaviour) * per_level).sum(axis=1))


def _win_log_odds(fit: Floats, interest: Floats) -> Floats:
    return np.asarray(BASE_LOG_ODDS + fit + INTEREST_WEIGHT * interest)


def _chance_in_time(people: People, office_days: Floats) -> Floats:
    """Chance that a deal that will be won is won within so many office days."""
    deviation = (np.log(np.maximum(office_days, 1e-9)) - np.log(_closing_days(people))) / CLOSING_SPREAD
    return np.asarray(ndtr(deviation))


def _closing_days(people: People) -> Floats:
    """Median office days until a win: large companies take longer."""
    size = np.where(np.isnan(people.employees), 100.0, people.employees)
    return 34.0 + 10.0 * np.log10(np.maximum(size, 10.0) / 10.0)


def _draw_demo_requests(
    rng: np.random.Generator, people: People, behaviour: Behaviour, web: Rhythm
) -> Integers:
    at_creation = behaviour.act == "demo_request"
    later = ~at_creation & (rng.random(len(at_creation)) < LATER_DEMO_SHARE[behaviour.level])
    days = rng.choice(LATER_DEMO_DAYS, size=len(later), p=LATER_DEMO_WEIGHTS)
    later_us = np.where(later, web.advance(people.created_us, days), -1)
    return np.where(at_creation, people.created_us, later_us)


def _draw_closing_days(rng: np.random.Generator, people: People, loss_group: Texts) -> Floats:
    medians = _closing_days(people)
    for group, days in LOSS_DAYS.items():
        medians = np.where(loss_group == group, days, medians)
    spread = np.where(loss_group == "", CLOSING_SPREAD, LOSS_SPREAD)
    return np.asarray(medians * np.exp(spread * rng.normal(size=len(medians))))


def _loss_weights(fit: Floats, interest: Floats) -> Floats:
    """Weight of each loss group, in the order of LOSS_GROUPS: bad fit is a matter of targeting, and so on."""
    flat = np.ones(len(fit))
    columns = {
        "targeting": np.exp(-0.7 * fit),
        "data": 0.5 * flat,
        "model": 0.2 * flat,
        "timing": 1.3 * np.exp(-0.2 * interest),
        "offer": 1.1 * np.exp(0.4 * interest + 0.3 * fit),
        "content": 0.6 * np.exp(-0.2 * interest),
    }
    return np.stack([columns[group] for group in LOSS_GROUPS], axis=1)


def _draw_amounts(rng: np.random.Generator, people: People) -> Floats:
    """Euros, log-normal, growing with the company."""
    size = np.where(np.isnan(people.employees), 100.0, people.employees)
    median = 4000.0 * np.maximum(size, 5.0) ** 0.45
    return np.asarray(np.round(median * rng.lognormal(0.0, 0.6, len(size)), -1))
