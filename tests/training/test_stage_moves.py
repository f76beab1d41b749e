"""How many of the newest leads would change stage, counted with stages of our own."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.build import Points
from tests.builders_features import points_at
from tests.builders_training import day
from training.points import FloatArray
from training.stage_moves import MOST_LEADS, AgreedStages, Volume, count_moves


def above_half(points: Points, probability: FloatArray) -> tuple[str, ...]:
    """Call a lead sql from even odds on."""
    assert len(points.lead_index) == len(probability)
    return tuple("sql" if each >= 0.5 else "lead" for each in probability.tolist())


STAGES = AgreedStages(policy="policy version 3", decide=above_half, most_moved=0.1)


def test_each_lead_counts_once_at_its_last_snapshot() -> None:
    """Earlier snapshots are history; stages and volumes are those of the last one."""
    points = points_at([0, 0, 1, 2, 2, 2], [day(each) for each in (0, 3, 1, 0, 1, 7)])
    champion = np.array([0.9, 0.1, 0.9, 0.1, 0.1, 0.6])
    challenger = np.array([0.1, 0.1, 0.2, 0.9, 0.9, 0.7])
    found = count_moves(points, champion, challenger, STAGES)
    assert (found.leads, found.moved, found.policy, found.most_moved) == (3, 1, "policy version 3", 0.1)
    assert found.share == pytest.approx(1 / 3)
    assert found.volumes == (
        Volume(stage="lead", champion=1, challenger=2),
        Volume(stage="sql", champion=2, challenger=1),
    )


@given(chances=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=60))
def test_moves_and_volumes_fit_together(chances: list[tuple[float, float]]) -> None:
    """No model moves a lead against itself; volumes add up; what leaves a stage is among those that moved."""
    champion, challenger = (np.array(each) for each in zip(*chances, strict=True))
    points = points_at(range(len(chances)), [day(place % 7) for place in range(len(chances))])
    assert count_moves(points, champion, champion, STAGES).moved == 0
    found = count_moves(points, champion, challenger, STAGES)
    assert sum(each.champion for each in found.volumes) == found.leads == len(chances)
    assert sum(each.challenger for each in found.volumes) == found.leads
    assert max(abs(each.champion - each.challenger) for each in found.volumes) <= found.moved


def test_the_newest_leads_speak_for_many() -> None:
    """Of more leads than can be asked the newest are."""
    n_leads = MOST_LEADS + 100
    points = points_at(range(n_leads), [day(0) - timedelta(hours=place) for place in range(n_leads)])
    oldest_moves = np.where(np.arange(n_leads) >= MOST_LEADS, 0.9, 0.1)
    found = count_moves(points, np.full(n_leads, 0.1), oldest_moves, STAGES)
    assert (found.leads, found.moved) == (MOST_LEADS, 0)
