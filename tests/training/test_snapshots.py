"""At which instants training looks at a lead."""

import numpy as np
import pytest

from tests.builders_training import crm_tables, day_us, finished_cases
from training.snapshots import LANDMARK_AGES_DAYS, landmark_passed, snapshot_points, stay_weights


def ages(created: float, deals: list[tuple[int, float | None, str]], until: float) -> list[float]:
    """Return the ages in days at which the only lead is looked at."""
    points = snapshot_points(crm_tables([created], deals), until_us=day_us(until))
    return [(each - day_us(created)) / 86_400_000_000 for each in points.as_of_us.tolist()]


@pytest.mark.parametrize(
    ("deals", "until", "expected"),
    [
        pytest.param([], 100, [0, 1, 3, 7, 14, 30, 60, 90], id="open-lead-at-every-landmark"),
        pytest.param([], 14, [0, 1, 3, 7, 14], id="the-instant-of-the-cut-off-counts"),
        pytest.param([], 13.9, [0, 1, 3, 7], id="nothing-after-the-cut-off"),
        pytest.param([(0, 3, "lost")], 100, [0, 1], id="closed-at-the-landmark-is-closed"),
        pytest.param([(0, 3.1, "won")], 100, [0, 1, 3], id="closed-after-the-landmark-was-open"),
        pytest.param([(0, 5, "lost"), (0, 40, "won")], 100, [0, 1, 3], id="first-of-two-deals-closes"),
        pytest.param([(0, 0, "won")], 100, [0], id="same-midnight-still-has-its-creation"),
        pytest.param([], -1, [], id="not-yet-created"),
    ],
)
def test_landmarks(deals: list[tuple[int, float | None, str]], until: float, expected: list[float]) -> None:
    """A lead is looked at when created and at landmark ages while open, never after the cut-off."""
    assert ages(0, deals, until) == expected


def test_a_flat_table_has_one_snapshot_per_lead() -> None:
    """Finished cases without times are looked at once."""
    points = snapshot_points(finished_cases(n_leads=5), until_us=None)
    assert points.lead_index.tolist() == [0, 1, 2, 3, 4]
    assert not points.as_of_us.any()


def test_a_snapshot_weighs_the_root_of_its_lead_s_stay() -> None:
    """Four days until the next landmark weigh twice as much as one, whatever the exact age."""
    day = 86_400_000_000
    landmark = landmark_passed(np.array([0, day - 1, 3 * day, 6 * day, 5000 * day]))
    assert landmark.tolist() == [0, 0, 2, 2, len(LANDMARK_AGES_DAYS) - 1]
    assert stay_weights(landmark)[:4].tolist() == [1.0, 1.0, 2.0, 2.0]
