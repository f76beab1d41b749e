"""The effective date of a policy that is proposed now: not over, nobody else's, in the zone of the teams."""

from datetime import UTC, datetime

import pytest

from sla.errors import PolicyProblems
from sla.policy_file import Proposal, read_policy
from tests.builders_policy import sound_text_with

LATE_EVENING = datetime(2026, 11, 23, 22, 30, tzinfo=UTC)
"""Half past eleven in Berlin, where the teams work: still the 23rd there."""

NEW_YEAR = datetime(2026, 12, 31, 23, 0, tzinfo=UTC)


def dated(valid_from: str) -> str:
    """Return the sound file with another effective date."""
    return sound_text_with("valid_from = 2026-01-01", f"valid_from = {valid_from}")


@pytest.mark.parametrize(
    ("valid_from", "taken"),
    [
        pytest.param("2026-11-23", (), id="today"),
        pytest.param("2026-11-23T01:00:00+01:00", (), id="this-morning"),
        pytest.param('"signed"', ((9, NEW_YEAR),), id="from-the-second-signature"),
        pytest.param("2027-01-01", ((1, NEW_YEAR),), id="its-own-date"),
        pytest.param("2027-01-02", ((9, NEW_YEAR),), id="the-day-after-another"),
    ],
)
def test_dates_that_can_be_proposed(valid_from: str, taken: tuple[tuple[int, datetime], ...]) -> None:
    """Today is not over, and a version does not stand in its own way."""
    policy = read_policy(dated(valid_from), proposal=Proposal(now=LATE_EVENING, taken=taken))
    assert policy.version == 1


@pytest.mark.parametrize(
    ("valid_from", "taken", "rule"),
    [
        pytest.param("2026-11-22", (), r"must not lie in the past \(today is 2026-11-23\)", id="yesterday"),
        pytest.param(
            "2027-01-01T12:00:00+01:00",
            ((9, NEW_YEAR),),
            "must not be the date of another policy: version 9 has it; got '2027-01-01'",
            id="another-hour-of-a-taken-day",
        ),
    ],
)
def test_dates_that_cannot(valid_from: str, taken: tuple[tuple[int, datetime], ...], rule: str) -> None:
    """The clause is named with its line; a text that was signed long ago is read without this rule."""
    with pytest.raises(PolicyProblems, match=f"line 4: policy.valid_from {rule}"):
        read_policy(dated(valid_from), proposal=Proposal(now=LATE_EVENING, taken=taken))
    assert read_policy(dated(valid_from)).version == 1


def test_a_date_is_one_mistake_among_others() -> None:
    """All of them at once, in the order of the file."""
    text = dated("2020-01-01").replace("least = 3", "least = 9")
    with pytest.raises(PolicyProblems, match=r"(?s)has 2 problems.*valid_from.*attempts\.least"):
        read_policy(text, proposal=Proposal(now=LATE_EVENING))


def test_without_hours_there_is_no_day_to_judge() -> None:
    """The zone is missing, and only that is said."""
    text = dated("2020-01-01").replace('zone = "Europe/Berlin"', 'zone = "Nowhere"')
    with pytest.raises(PolicyProblems, match=r"has 1 problem:\n.*hours\.zone"):
        read_policy(text, proposal=Proposal(now=LATE_EVENING))
