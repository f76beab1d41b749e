"""The stages the gates count are those the service gives: same policy, same personas, same overrides."""

from datetime import timedelta

import numpy as np
import pytest

from features.build import Points
from serving.batch import plan_batch, score_blocks
from serving.commands.agreed_stages import MOST_MOVED, agreed_stages, stage_decider
from serving.scorer import to_microseconds
from serving.scorer_loading import load_scorer
from tests.builders_serving import NOW, Desk, first_policy, install_policy, small_history


@pytest.mark.parametrize("days_ago", [0, 3])
def test_stages_are_those_of_the_service(desk: Desk, days_ago: int) -> None:
    """Every lead with its own probability ends where the service puts it, attribute changes included."""
    tables = small_history(desk.settings, 60, changes=True)
    scorer, as_of = load_scorer(desk.settings, now=NOW), NOW - timedelta(days=days_ago)
    plan = plan_batch(scorer, tables, as_of=as_of, lang="en")
    answers = [answer for block in score_blocks(scorer, plan) for answer in block]
    points = Points(
        lead_index=plan.lead_index,
        as_of_us=np.full(len(plan.lead_index), to_microseconds(as_of), dtype=np.int64),
    )
    probability = np.array([answer.probability for answer in answers])
    found = stage_decider(scorer.active.policy, tables)(points, probability)
    assert list(found) == [answer.stage for answer in answers]
    assert len(set(found)) > 1


@pytest.mark.parametrize(
    ("agreed", "limit"),
    [
        pytest.param("most_moved = 0.25", 0.25, id="agreed"),
        pytest.param("most_moved = 0.0", 0.0, id="no-lead-may-move"),
        pytest.param("", MOST_MOVED, id="nothing-agreed"),
    ],
)
def test_a_signed_policy_names_itself_and_what_may_move(empty_desk: Desk, agreed: str, limit: float) -> None:
    """The gate's sentence needs the version, and the limit both teams signed."""
    text = first_policy()
    assert "most_moved = 0.10" in text
    install_policy(empty_desk.settings, text.replace("most_moved = 0.10", agreed))
    stages = agreed_stages(empty_desk.settings, small_history(empty_desk.settings, 5))
    assert stages is not None
    assert (stages.policy, stages.most_moved) == ("policy version 1", limit)


def test_without_a_policy_there_are_no_stages(empty_desk: Desk) -> None:
    """Nothing is signed, so there is nothing to ask."""
    assert agreed_stages(empty_desk.settings, small_history(empty_desk.settings, 5)) is None
