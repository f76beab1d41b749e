"""The simulator's truth is true: what it calls a probability comes true that often."""

import numpy as np
import pytest

from experiments.simulator.export import won_within_horizon
from experiments.simulator.interest import LEVELS, posterior
from experiments.simulator.outcomes import HORIZON_DAYS
from experiments.simulator.rhythm import DAY_US, to_us
from tests.builders_experiments import UNTIL, world

MANY = 40_000
"""Leads enough that a truth wrong by a tenth in one tenth of the leads would show."""
NOISE = 4.0
"""Standard errors by which a share may miss its expectation."""


def misses(probability: np.ndarray, happened: np.ndarray, groups: int = 10) -> np.ndarray:
    """Return, per equally large group by probability, the miss of the observed share in standard errors."""
    ordered = np.array_split(np.argsort(probability, kind="stable"), groups)
    expected = np.array([probability[rows].sum() for rows in ordered])
    spread = np.array([np.sqrt((probability[rows] * (1 - probability[rows])).sum()) for rows in ordered])
    return np.asarray((np.array([happened[rows].sum() for rows in ordered]) - expected) / spread)


def area_under_curve(probability: np.ndarray, happened: np.ndarray) -> float:
    """Return the chance that a random won lead ranks above a random other one (no ties expected)."""
    ranks = np.argsort(np.argsort(probability)) + 1.0
    won = int(happened.sum())
    return float((ranks[happened].sum() - won * (won + 1) / 2) / (won * (len(happened) - won)))


def test_the_true_probability_comes_true_in_every_tenth_of_the_leads() -> None:
    """A calibrated simulator is the ruler by which models are measured."""
    drawn = world(MANY, seed=11)
    happened = won_within_horizon(drawn.people, drawn.outcomes)
    assert np.abs(misses(drawn.outcomes.true_probability, happened)).max() < NOISE


@pytest.mark.parametrize("column", ["source", "persona", "job_level", "country", "industry"])
def test_the_true_probability_comes_true_in_every_group(column: str) -> None:
    """Also the hidden persona adds nothing once the attributes are known."""
    drawn = world(MANY, seed=11)
    happened = won_within_horizon(drawn.people, drawn.outcomes)
    groups = getattr(drawn.people, column)
    for name in np.unique(groups):
        rows = groups == name
        assert abs(misses(drawn.outcomes.true_probability[rows], happened[rows], groups=1)[0]) < NOISE, name


@pytest.mark.parametrize("act", ["demo_request", "form_submit", "content_download", "webinar_attended", ""])
def test_the_true_probability_comes_true_for_every_first_act(act: str) -> None:
    """What made the lead a lead is weighed right."""
    drawn = world(MANY, seed=11)
    happened = won_within_horizon(drawn.people, drawn.outcomes)
    rows = drawn.behaviour.act == act
    assert abs(misses(drawn.outcomes.true_probability[rows], happened[rows], groups=1)[0]) < NOISE


@pytest.mark.parametrize("level", range(len(LEVELS)))
def test_hidden_interest_is_guessed_as_often_right_as_claimed(level: int) -> None:
    """Bayes' rule over the shown behaviour is calibrated for every level of interest."""
    drawn = world(MANY, seed=11)
    believed = posterior(drawn.people, drawn.behaviour)
    assert np.allclose(believed.sum(axis=1), 1.0)
    assert np.abs(misses(believed[:, level], drawn.behaviour.level == level)).max() < NOISE


def test_the_rates_are_those_of_a_believable_crm() -> None:
    """One lead in seven is won in time, in about 45 days, and an honest model can reach an AUC near 0.8."""
    drawn = world(MANY, seed=11)
    happened = won_within_horizon(drawn.people, drawn.outcomes)
    days = (drawn.outcomes.closed_us - drawn.people.created_us)[drawn.outcomes.won] / DAY_US
    assert 0.12 < happened.mean() < 0.18
    assert 0.78 < area_under_curve(drawn.outcomes.true_probability, happened) < 0.85
    assert 38 < np.median(days) < 52
    assert 0.05 < (days > HORIZON_DAYS).mean() < 0.25


def test_the_newest_leads_are_mostly_open_and_the_oldest_mostly_closed() -> None:
    """Censoring is part of the truth: the last month is undecided, the first year is not."""
    drawn = world(8000)
    is_open = ~drawn.outcomes.decided | (drawn.outcomes.closed_us > to_us(UNTIL))
    age_days = (to_us(UNTIL) - drawn.people.created_us) / DAY_US
    assert is_open[age_days < 30].mean() > 0.5
    assert is_open[age_days > 200].mean() < 0.12


def test_asking_for_a_demo_raises_the_chance_by_itself() -> None:
    """Among leads of the same hidden interest, those that ask for a demo are won more often."""
    drawn = world(MANY, seed=11)
    asked = drawn.outcomes.demo_us >= 0
    for level in range(1, len(LEVELS)):
        rows = drawn.behaviour.level == level
        assert drawn.outcomes.won[rows & asked].mean() > 1.3 * drawn.outcomes.won[rows & ~asked].mean()
