"""How a joint goal stands reads the same in both languages, and claims nothing the numbers do not."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla.always_valid import Share
from sla.goal import Goal, GoalStatus, measure_goal
from sla.texts import LANGUAGES
from sla.words_goal import goal_sentences, status_text
from tests.builders_policy import goals
from tests.sla.test_goal import GOAL, OVER, RUNNING

shares = st.integers(0, 3000).flatmap(lambda cases: st.builds(Share, st.integers(0, cases), st.just(cases)))


def numbers_of(sentences: tuple[str, ...], lang: str) -> list[str]:
    """Return every number of the facts, written the English way; the names of goal and reward are skipped."""
    found = [number for one in sentences[1:-1] for number in re.findall(r"[+−±]?\d+(?:[.,]\d+)*", one)]
    return (
        sorted(one.translate(str.maketrans(".,", ",.")) for one in found) if lang == "de" else sorted(found)
    )


@given(goals(), shares, shares, st.dates(date(2019, 1, 1), date(2023, 1, 1)))
def test_both_languages_tell_the_same_numbers(
    goal: Goal, baseline: Share, period: Share, today: date
) -> None:
    """Every fact has its sentence in German and in English, with the same numbers."""
    progress = measure_goal(goal, baseline, period, today=today)
    english, german = (goal_sentences(goal, progress, lang) for lang in ("en", "de"))
    assert len(english) == len(german)
    assert numbers_of(english, "en") == numbers_of(german, "de")


@pytest.mark.parametrize(
    ("lang", "expected"),
    [
        (
            "en",
            (
                "Raise the close rate by 20 %",
                "Status: ahead: the rise is more than chance",
                "Measured as: won deals among all that were closed",
                "Baseline, 1 January 2026 to 30 June 2026: 20 % (2,000 of 10,000)",
                "Goal period, 1 July 2026 to 31 December 2026: 25 % (2,500 of 10,000)",
                "Wanted: +4 percentage points",
                "Needed to tell such a rise from chance (80 % likely): about 8,300 cases in the goal period",
                "Change: +5 percentage points; +1.6 to +8.4 are possible, however often one looks",
                "Reward: a weekend together",
            ),
        ),
        (
            "de",
            (
                "Abschlussquote um 20 % steigern",
                "Stand: voraus: der Anstieg ist mehr als Zufall",
                "Gemessen als: gewonnene unter allen Abschlüssen",
                "Basiszeitraum, 1. Januar 2026 bis 30. Juni 2026: 20 % (2.000 von 10.000)",
            ),
        ),
    ],
)
def test_a_goal_reads_well(lang: str, expected: tuple[str, ...]) -> None:
    """The sentences of one goal, word by word."""
    progress = measure_goal(GOAL, Share(2000, 10000), Share(2500, 10000), today=RUNNING)
    assert goal_sentences(GOAL, progress, lang)[: len(expected)] == expected


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_cannot_be_told_is_said(lang: str) -> None:
    """No case, and a baseline that can never tell, are sentences; every status has words of its own."""
    nothing = " ".join(goal_sentences(GOAL, measure_goal(GOAL, Share(0, 0), Share(0, 0), today=OVER), lang))
    assert ("no case yet" if lang == "en" else "noch kein Fall") in nothing
    weak = " ".join(goal_sentences(GOAL, measure_goal(GOAL, Share(2, 10), Share(0, 0), today=OVER), lang))
    assert ("too few cases" if lang == "en" else "zu wenige Fälle") in weak
    assert len({status_text(status, lang) for status in GoalStatus}) == len(GoalStatus)
