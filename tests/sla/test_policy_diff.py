"""What changes between two policies: nothing is missed, nothing is invented, in both languages."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings

from sla.clauses import Content, ResponseTime, Threshold
from sla.clauses_pledges import CapacityRule, MarketingPledge, PledgePeriod, Pledges, SalesPledge
from sla.personas import Condition, Operator
from sla.policy import Policy
from sla.policy_diff import ChangeKind, compare_policies
from sla.policy_file import policy_hash
from sla.stages import Stage
from tests.builders_policy import POLICY, policies, policy_with


def lines(after: Policy, lang: str) -> list[str]:
    """Return the changes from the small policy in words."""
    return [change.text(lang) for change in compare_policies(POLICY, after)]


def thresholds_with(enter: float) -> tuple[Threshold, ...]:
    """Return the thresholds of the small policy with another first one."""
    first, *others = POLICY.thresholds
    return (replace(first, enter=enter), *others)


@settings(max_examples=60)
@given(policies(), policies())
def test_a_difference_of_promises_is_a_difference_of_hashes(one: Policy, other: Policy) -> None:
    """No change without another hash; no other hash without a change, the version aside."""
    other = replace(other, version=one.version)
    assert (compare_policies(one, other) == ()) is (policy_hash(one) == policy_hash(other))
    assert compare_policies(one, one) == ()


@settings(max_examples=40)
@given(policies(), policies())
def test_the_way_back_is_the_reverse(one: Policy, other: Policy) -> None:
    """What is added one way is removed the other way, and higher becomes lower."""
    there, back = compare_policies(one, other), compare_policies(other, one)
    turned = {ChangeKind.ADDED: ChangeKind.REMOVED, ChangeKind.REMOVED: ChangeKind.ADDED}
    assert {(turned.get(each.kind, each.kind), each.path, -each.direction) for each in there} == {
        (each.kind, each.path, each.direction) for each in back
    }
    assert all(each.text(lang).strip() for each in there for lang in ("en", "de"))


@pytest.mark.parametrize(
    ("changes", "english", "german"),
    [
        pytest.param(
            {"thresholds": thresholds_with(enter=0.125)},
            "MQL threshold for everyone: until now 12 %, then 12.5 % (higher)",
            "MQL-Schwelle für alle: bisher 12 %, künftig 12,5 % (höher)",
            id="threshold",
        ),
        pytest.param(
            {"responses": (replace(POLICY.responses[0], within=timedelta(hours=3)), POLICY.responses[1])},
            "SQL answered, everyone: until now within 4 working hours, then within 3 working hours (lower)",
            "SQL beantwortet, alle: bisher innerhalb von 4 Stunden Arbeitszeit, künftig innerhalb von "
            "3 Stunden Arbeitszeit (niedriger)",
            id="response",
        ),
        pytest.param(
            {"responses": (*POLICY.responses, ResponseTime(stage=Stage.MQL, within=timedelta(hours=16)))},
            "new: MQL answered, everyone: within 2 working days (16 working hours)",
            "neu: MQL beantwortet, alle: innerhalb von 2 Arbeitstagen (16 Stunden Arbeitszeit)",
            id="new-response",
        ),
        pytest.param(
            {"attempts": replace(POLICY.attempts, least=4)},
            "Fewest attempts: until now 3, then 4 (higher)",
            "Wenigste Kontaktversuche: bisher 3, künftig 4 (höher)",
            id="attempts",
        ),
        pytest.param(
            {"attempts": replace(POLICY.attempts, channels=("phone",))},
            "Channels of attempts: until now phone, email, then phone",
            "Kanäle der Kontaktversuche: bisher phone, email, künftig phone",
            id="channels",
        ),
        pytest.param(
            {"hours": replace(POLICY.hours, holidays=POLICY.hours.holidays | {date(2027, 1, 1)})},
            "new: closed on: 1 January 2027",
            "neu: geschlossen am: 1. Januar 2027",
            id="holiday",
        ),
        pytest.param(
            {"content": POLICY.content[1:]},
            "no longer: content for SQL, everyone: Prices",
            "entfällt: Inhalt für SQL, alle: Prices",
            id="content-gone",
        ),
        pytest.param(
            {"content": (replace(POLICY.content[0], url="https://x.example"), *POLICY.content[1:])},
            "content for SQL, everyone: until now Prices, then Prices (https://x.example)",
            "Inhalt für SQL, alle: bisher Prices, künftig Prices (https://x.example)",
            id="content-link",
        ),
        pytest.param(
            {"content": (*POLICY.content[1:], POLICY.content[0])},
            "Content: now in the order sql Calculator buyer, mql Webinar, sql Prices",
            "Inhalte: jetzt in der Folge sql Calculator buyer, mql Webinar, sql Prices",
            id="content-order",
        ),
        pytest.param(
            {"valid_from": None},
            "Valid from: until now 1 January 2026, 01:00 (Europe/Berlin), then "
            "the moment both sides have signed",
            "Gültig ab: bisher 1. Januar 2026, 01:00 Uhr (Europe/Berlin), künftig dem Augenblick, in dem "
            "beide Seiten unterschrieben haben",
            id="effective-date",
        ),
        pytest.param(
            {"least_dwell_days": 5},
            "Least time in a stage: until now 3 days, then 5 days (higher)",
            "Mindestzeit in einer Stufe: bisher 3 Tage, künftig 5 Tage (höher)",
            id="dwell",
        ),
        pytest.param(
            {"capacity": CapacityRule(hours_per_week=40.0, hours_per_sql=1.5, hours_per_attempt=0.25)},
            "new: Hours of sales per week: 40|new: Hours per SQL: 1.5|new: Hours per attempt: 0.25",
            "neu: Stunden des Vertriebs pro Woche: 40|neu: Stunden je SQL: 1,5|"
            "neu: Stunden je Kontaktversuch: 0,25",
            id="capacity",
        ),
    ],
)
def test_changes_in_words(changes: dict[str, Any], english: str, german: str) -> None:
    """One line per promise that differs, as a manager would read it."""
    after = policy_with(**changes)
    assert lines(after, "en") == english.split("|")
    assert lines(after, "de") == german.split("|")


def test_a_pledge_that_changes_says_which_way() -> None:
    """More leads are higher, a smaller share is lower; another period and stage are named."""
    marketing, sales = MarketingPledge(stage=Stage.MQL, leads=60), SalesPledge(answered_in_time=0.9)
    before = policy_with(pledges=Pledges(period=PledgePeriod.MONTH, marketing=marketing, sales=sales))
    more = replace(marketing, leads=70, stage=Stage.SQL)
    fewer = replace(sales, answered_in_time=0.85)
    after = policy_with(pledges=Pledges(period=PledgePeriod.WEEK, marketing=more, sales=fewer))
    assert [change.text("en") for change in compare_policies(before, after)] == [
        "Pledged per: until now month, then week",
        "Stage of marketing's leads: until now MQL, then SQL",
        "Marketing delivers leads: until now 60, then 70 (higher)",
        "SQLs answered in time: until now 90 %, then 85 % (lower)",
    ]


def test_a_text_is_no_number() -> None:
    """Two conditions that read alike and mean something else are a change."""
    persona = POLICY.personas[0]
    one, other = (
        policy_with(
            personas=(
                replace(
                    persona, rules=(Condition(attribute="size", operator=Operator.EQUALS, values=(value,)),)
                ),
            )
        )
        for value in ("50", 50.0)
    )
    (change,) = compare_policies(one, other)
    assert change.path == ("personas", persona.name, "rules")


def test_seconds_of_an_effective_date_count() -> None:
    """Two instants that are written alike are still two."""
    one, other = (policy_with(valid_from=datetime(2027, 1, 1, 0, 0, 0, us, tzinfo=UTC)) for us in (0, 1))
    assert len(compare_policies(one, other)) == 1


def test_a_persona_that_only_a_clause_names_is_named_as_written() -> None:
    """A policy built by hand may name a persona it does not have."""
    extra = Content(stage=Stage.MQL, title="Guide", persona="nobody")
    assert lines(policy_with(content=(*POLICY.content, extra)), "en") == [
        "new: content for MQL, nobody: Guide"
    ]
