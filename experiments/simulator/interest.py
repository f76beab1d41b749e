"""What leads want and what they show of it up to the instant they become leads.

Interest is hidden, one of five levels. Visits, pages, prices looked at and the act that made the lead depend
on it, so they reveal it by Bayes' rule and cause nothing; only a demo request helps by itself (`outcomes`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from experiments.simulator.chance import Flags, Floats, Integers, Texts, draw_index, logistic, look_up
from experiments.simulator.people import People

LEVELS = np.array([-1.5, -0.7, 0.1, 0.9, 1.8])
LEVEL_SHARES = np.array([0.28, 0.28, 0.24, 0.13, 0.07])
SOURCE_TILT = {
    "organic_search": 0.15, "paid_search": 0.0, "webinar": 0.2, "social": -0.5, "referral": 0.8,
    "partner": 0.5, "event": 0.1, "purchased_list": -0.9,
}  # fmt: skip
"""How much the source of a lead tilts the shares towards the high levels."""

ACTS = ("demo_request", "form_submit", "content_download", "webinar_attended", "")
"""What makes a visitor a lead; "" = nothing the lead did: it was imported from a list or a fair."""
ACT_SLOPES = np.array([1.1, 0.5, -0.3, 0.0, 0.0])
NEVER = -30.0
ACT_LOG_WEIGHTS: Mapping[str, tuple[float, ...]] = {
    "organic_search": (-1.6, 0.0, 0.4, NEVER, NEVER),
    "paid_search": (-1.5, 0.1, 0.3, NEVER, NEVER),
    "webinar": (NEVER, NEVER, NEVER, 0.0, NEVER),
    "social": (-2.2, -0.3, 0.7, NEVER, NEVER),
    "referral": (-0.8, 0.4, -0.6, NEVER, NEVER),
    "partner": (-0.9, 0.4, -0.6, NEVER, NEVER),
    "event": (NEVER, NEVER, NEVER, NEVER, 0.0),
    "purchased_list": (NEVER, NEVER, NEVER, NEVER, 0.0),
}

EARLIER_VISITS = np.exp(-0.4 + 0.6 * LEVELS)
"""Mean number of visits before the one in which the lead was made, per level."""
EXTRA_PAGES = np.exp(0.5 + 0.45 * LEVELS)
"""Mean number of pages beyond the first, per visit and level."""
PRICING_SHARE = logistic(-1.9 + 1.0 * LEVELS)
"""Share of visits that look at the prices, per level."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Behaviour:
    """What each lead showed up to its creation, and the hidden level behind it."""

    level: Integers
    act: Texts
    earlier_visits: Integers
    extra_pages: Integers
    """Pages beyond the first of each visit, over all visits up to creation."""
    pricing_visits: Integers

    @property
    def visited(self) -> Flags:
        """Whether the lead came through the website at all."""
        return np.asarray(self.act != "")

    @property
    def visits(self) -> Integers:
        """Visits up to creation, the one that made the lead included."""
        return self.earlier_visits + self.visited


def draw_behaviour(rng: np.random.Generator, people: People) -> Behaviour:
    """Draw the hidden interest and what it shows up to creation."""
    level = draw_index(rng, _level_prior(people))
    act_weights = _act_probabilities(people)[np.arange(len(level)), level]
    act = np.array(ACTS)[draw_index(rng, act_weights)]
    visited = act != ""
    earlier = rng.poisson(EARLIER_VISITS[level]) * visited
    visits = earlier + visited
    return Behaviour(
        level=level,
        act=act,
        earlier_visits=earlier,
        extra_pages=rng.poisson(EXTRA_PAGES[level] * visits),
        pricing_visits=rng.binomial(visits, PRICING_SHARE[level]),
    )


def posterior(people: People, behaviour: Behaviour) -> Floats:
    """Return the probability of each interest level given everything recorded at creation: (n, levels)."""
    log_weight = np.log(_level_prior(people)) + _log_likelihood(people, behaviour)
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def _level_prior(people: People) -> Floats:
    tilt = look_up(people.source, SOURCE_TILT)
    weight = LEVEL_SHARES * np.exp(tilt[:, None] * LEVELS)
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def _act_probabilities(people: People) -> Floats:
    """Probability of each act for each level: (n, levels, acts)."""
    base = np.array([ACT_LOG_WEIGHTS[str(source)] for source in people.source])
    weight = np.exp(base[:, None, :] + LEVELS[None, :, None] * ACT_SLOPES)
    return np.asarray(weight / weight.sum(axis=2, keepdims=True))


def _log_likelihood(people: People, behaviour: Behaviour) -> Floats:
    """Log-likelihood of the behaviour per level, up to a constant per lead: (n, levels)."""
    act = np.array([ACTS.index(str(name)) for name in behaviour.act])
    acts = np.log(_act_probabilities(people)[np.arange(len(act)), :, act])
    earlier = _poisson(behaviour.earlier_visits, behaviour.visited, EARLIER_VISITS)
    pages = _poisson(behaviour.extra_pages, behaviour.visits, EXTRA_PAGES)
    seen, unseen = behaviour.pricing_visits, behaviour.visits - behaviour.pricing_visits
    pricing = seen[:, None] * np.log(PRICING_SHARE) + unseen[:, None] * np.log1p(-PRICING_SHARE)
    return np.asarray(acts + earlier + pages + pricing)


def _poisson(count: Integers, exposure: Integers | Flags, rate: Floats) -> Floats:
    return np.asarray(count[:, None] * np.log(rate) - exposure[:, None] * rate)
