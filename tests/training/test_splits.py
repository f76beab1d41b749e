"""Which leads teach, calibrate and judge, and what each part may know."""

from dataclasses import replace

import numpy as np
import pytest

from features.tables import CanonicalTables
from tests.builders_training import crm_tables, day_us, finished_cases, learnable_crm
from training.outcomes import lead_created_us
from training.splits import (
    SplitKind,
    label_part,
    lead_positions,
    newest_part,
    newest_share_from,
    split_leads,
    validation_leads,
)


@pytest.fixture(scope="module")
def crm() -> CanonicalTables:
    """Return a year of leads with a horizon of 30 days."""
    return learnable_crm(n_leads=1500)


def test_parts_are_disjoint_and_forward_in_time(crm: CanonicalTables) -> None:
    """Every lead is in one part at most, and each part is newer than the one before."""
    split = split_leads(crm, horizon_days=30)
    created = lead_created_us(crm)
    train, calibration, test = (
        created[part.lead_index] for part in (split.train, split.calibration, split.test)
    )
    assert split.kind is SplitKind.FORWARD
    assert train.max() < calibration.min()
    assert calibration.max() < test.min()
    assert split.test_from == test.min()


def test_what_teaches_knows_what_was_known_when_the_test_begins(crm: CanonicalTables) -> None:
    """Labels of training and calibration end where the test begins, the test's at the export."""
    split = split_leads(crm, horizon_days=30)
    assert "as known when the test part begins" in split.reason
    assert split.test_from == lead_created_us(crm)[split.test.lead_index].min()
    assert split.train.known_until_us == split.calibration.known_until_us == split.test_from
    assert split.test.known_until_us == day_us(400)


def test_no_snapshot_lies_after_the_cut_off_of_its_part(crm: CanonicalTables) -> None:
    """A part looks at its leads only until its labels end."""
    split = split_leads(crm, horizon_days=30)
    for part in (split.train, split.calibration, split.test):
        points, _ = label_part(crm, part, horizon_days=30)
        assert points.as_of_us.max() <= (part.known_until_us or 0)


def test_test_leads_are_old_enough_to_have_matured(crm: CanonicalTables) -> None:
    """No lead younger than the horizon judges a model."""
    split = split_leads(crm, horizon_days=30)
    assert lead_created_us(crm)[split.test.lead_index].max() <= day_us(400 - 30)


def quick_wins(n_leads: int, span_days: float, *, exported_day: float) -> CanonicalTables:
    """Return leads over a span; every third is won after five days, and a loss is never recorded."""
    created = np.linspace(0, span_days, n_leads).tolist()
    return crm_tables(
        created,
        [(lead, created[lead] + 5, "won") for lead in range(0, n_leads, 3)],
        exported_day=exported_day,
    )


@pytest.mark.parametrize(
    ("span_days", "exported_day", "horizon_days", "said"),
    [
        pytest.param(400, 500, 30, "when the test part begins", id="long-history-is-strict"),
        pytest.param(90, 300, 30, "when the test part begins", id="so-is-one-of-three-horizons"),
        pytest.param(60, 300, 90, "as known at the export", id="span-shorter-than-the-horizon"),
        pytest.param(60, 61, 90, "weighted by inverse probability", id="nothing-has-matured"),
    ],
)
def test_the_reason_says_what_the_history_allowed(
    span_days: float, exported_day: float, horizon_days: int, said: str
) -> None:
    """The shorter the history against the horizon, the more lenient the cut, and it says so."""
    crm = quick_wins(400, span_days, exported_day=exported_day)
    split = split_leads(crm, horizon_days=horizon_days)
    assert said in split.reason
    assert min(len(part.lead_index) for part in (split.train, split.calibration, split.test)) > 0


def test_rank_of_arrival_stands_in_for_time() -> None:
    """Without times the newest fifth by rank judges."""
    crm = finished_cases(n_leads=100)
    split = split_leads(crm, horizon_days=90)
    assert split.kind is SplitKind.ORDER
    assert split.train.lead_index.tolist() == list(range(60))
    assert split.calibration.lead_index.tolist() == list(range(60, 80))
    assert split.test.lead_index.tolist() == list(range(80, 100))


def test_the_newest_leads_without_an_outcome_do_not_fill_the_test_part() -> None:
    """Of leads in order of arrival the newest are often open; the cut is among those that have an answer."""
    outcomes: list[tuple[int, float | None, str]] = [
        (lead, None, "won" if lead % 2 else "lost") for lead in range(100)
    ]
    crm = crm_tables([None] * 150, outcomes, orders=list(range(150)))
    split = split_leads(crm, horizon_days=90)
    assert split.test_from == 80
    assert label_part(crm, split.test, horizon_days=90)[1].known.sum() == 20


def test_the_newest_training_leads_can_judge_candidates() -> None:
    """A rung on which hardly any of them was followed for the horizon is not used."""
    crm = quick_wins(1600, 340, exported_day=430)
    split = split_leads(crm, horizon_days=90)
    newest = validation_leads(crm, split, horizon_days=90)
    part = replace(split.train, lead_index=split.train.lead_index[newest])
    labels = label_part(crm, part, horizon_days=90)[1]
    assert 0 < labels.label[labels.known].sum() < labels.known.sum()
    assert "when the test part begins" in split.reason


def test_without_times_and_order_a_lead_keeps_its_part_for_ever() -> None:
    """A hash of the id decides, so a growing history moves no lead, and the shares are about 60/20/20."""
    small, large = (
        split_leads(finished_cases(n_leads=n, ordered=False), horizon_days=90) for n in (500, 2000)
    )
    assert small.kind is SplitKind.STRATIFIED
    assert "nothing is forward in time" in small.reason
    for name in ("train", "calibration", "test"):
        before, after = getattr(small, name).lead_index, getattr(large, name).lead_index
        np.testing.assert_array_equal(before, after[after < 500])
    assert len(large.train.lead_index) / 2000 == pytest.approx(0.6, abs=0.05)


@pytest.mark.parametrize("ordered", [pytest.param(True, id="order"), pytest.param(False, id="hash")])
def test_the_newest_part_is_the_test_part_while_nothing_new_arrives(ordered: bool) -> None:
    """What later comparisons judge on is exactly what the model was tested on."""
    crm = finished_cases(n_leads=300, ordered=ordered)
    split = split_leads(crm, horizon_days=90)
    again = newest_part(crm, kind=split.kind, test_from=split.test_from, horizon_days=90)
    np.testing.assert_array_equal(again.lead_index, split.test.lead_index)


def test_the_newest_part_follows_time(crm: CanonicalTables) -> None:
    """With times too; and it ends with the leads that can have matured."""
    split = split_leads(crm, horizon_days=30)
    again = newest_part(crm, kind=split.kind, test_from=split.test_from, horizon_days=30)
    np.testing.assert_array_equal(again.lead_index, split.test.lead_index)
    assert again.known_until_us == split.test.known_until_us


def test_order_of_rows_does_not_change_the_split(crm: CanonicalTables) -> None:
    """The split depends on leads, not on where a deal stands in its table."""
    turned = replace(crm, deals=crm.deals.take(list(range(crm.deals.num_rows))[::-1]))
    first, second = split_leads(crm, horizon_days=30), split_leads(turned, horizon_days=30)
    np.testing.assert_array_equal(first.train.lead_index, second.train.lead_index)
    assert first.reason == second.reason


def test_newest_share_keeps_equal_positions_together() -> None:
    """Leads of one instant are never torn apart: all of them are at or after the cut, or none."""
    position = np.array([1, 2, 2, 2, 2, 3], dtype=np.int64)
    assert newest_share_from(position, 0.5) == 2
    assert lead_positions(finished_cases(n_leads=3), SplitKind.ORDER).tolist() == [0, 1, 2]
