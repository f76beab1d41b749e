"""The agreed document says who works when, who gets a handover and when people are reminded."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from sla.business_time import OpenDay, Opening
from sla.clauses_work import ClockRule, Overflow, RecyclingRule, RescoringRule, RouteBy, RoutingRule
from sla.policy import Policy
from sla.public_holidays import PublicHolidays
from sla.words import render_policy
from tests.builders_policy import OFFICE_HOURS, POLICY

MUNICH = PublicHolidays(country="DE", region="BY", holiday_kinds=("catholic",))
RESOLVED = replace(MUNICH, public_holidays=frozenset({date(2026, 8, 15)}), holiday_years=(2026, 2026))
SATURDAY = OpenDay(date=date(2026, 12, 19), openings=(Opening(540, 780),))


def work_policy(**routing: object) -> Policy:
    """Return the small policy with every clause about work on a lead."""
    rule = RoutingRule(by=RouteBy.LOAD, people=("Sam", "Sue"), most_open=20)
    return replace(
        POLICY,
        hours=replace(OFFICE_HOURS, public=MUNICH),
        hours_sales=replace(OFFICE_HOURS, public=RESOLVED, open_days=(SATURDAY,)),
        clocks=ClockRule(
            system_within=timedelta(minutes=15),
            due_soon=timedelta(hours=1),
            escalate_after=timedelta(hours=8),
        ),
        routing=replace(rule, **routing),  # type: ignore[arg-type]
        recycling=RecyclingRule(cool_off_days=30),
        rescoring=RescoringRule(every_hours=24, step_points=1),
    )


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        pytest.param("en", "Closed on the public holidays of DE-BY (catholic): 15 August 2026", id="dates"),
        pytest.param("en", "(all of 2026 to 2026)", id="years"),
        pytest.param("en", "the dates are looked up when the policy is proposed", id="not-yet"),
        pytest.param("en", "Sales works at other times (Europe/Berlin):", id="side"),
        pytest.param("en", "Open by agreement on: 19 December 2026 (09:00–13:00)", id="open-day"),
        pytest.param("en", "within 15 working minutes of the act", id="system"),
        pytest.param("en", "every 24 h; a change of at most 1 point is not passed on", id="rescoring"),
        pytest.param("de", "alle 24 h neu bewertet; eine Änderung um höchstens 1 Punkt wird", id="neu"),
        pytest.param("en", "reminded 1 working hour before the deadline", id="due-soon"),
        pytest.param("en", "1 working day (8 working hours) after a missed deadline", id="escalate"),
        pytest.param("en", "Whoever has the fewest open handovers: Sam, Sue.", id="by-load"),
        pytest.param("en", "Nobody has more than 20 open handovers.", id="most-open"),
        pytest.param("en", "the lead waits visibly in the queue", id="hold"),
        pytest.param("en", "A recycled lead rests for 30 days before a score", id="cool-off"),
        pytest.param(
            "de", "Geschlossen an den Feiertagen von DE-BY (catholic): 15. August 2026", id="de-dates"
        ),
        pytest.param("de", "Vertrieb arbeitet zu anderen Zeiten", id="de-side"),
        pytest.param("de", "Vorlauf von 1 Stunde Arbeitszeit", id="de-due-soon"),
        pytest.param("de", "Wer die wenigsten offenen Übergaben hat: Sam, Sue.", id="de-by-load"),
        pytest.param("de", "ruht 30 Tage", id="de-cool-off"),
    ],
)
def test_every_clause_about_work_is_in_the_document(lang: str, words: str) -> None:
    """In the language of the reader, with the numbers of the policy."""
    assert words in render_policy(work_policy(), lang)


def test_other_ways_to_route_are_said() -> None:
    """By persona, in turn, and what happens to the one too many."""
    by_persona = render_policy(work_policy(by=RouteBy.PERSONA, overflow=Overflow.MQL), "en")
    assert "The persona's owner in sales; otherwise in turn: Sam, Sue." in by_persona
    assert "the lead stays with marketing as MQL" in by_persona
    in_turn = render_policy(work_policy(by=RouteBy.ROUND_ROBIN, most_open=None), "de")
    assert "Reihum: Sam, Sue." in in_turn
    assert "offene Übergaben" not in in_turn


def test_what_is_not_agreed_is_not_said() -> None:
    """A policy without these clauses reads as it did before there were any."""
    text = render_policy(POLICY, "en")
    assert "handover" not in text
    assert "a recycled lead rests as long" in text
    assert "a recycled lead rests as long" not in render_policy(work_policy(), "en")
