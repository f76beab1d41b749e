"""What the policy decides about a scored lead: tables of cases, and what holds for every policy and lead."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sla.business_time import add_business_time
from sla.clauses import Override, Threshold
from sla.decision import REFUSALS, Comparison, Rule
from sla.errors import BrokenRulesError
from sla.personas import Scalar
from sla.policy import Policy, ScoredLead, decide
from sla.stages import FINAL_STAGES, Side, Stage, owner_of, rank
from tests.builders_policy import NOW, POLICY, lead_with, leads_of, policies, policy_with

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
BUYER_ATTRIBUTES: tuple[tuple[str, Scalar | None], ...] = (("department", "finance"),)


@pytest.mark.parametrize(
    ("probability", "stage", "rule"),
    [
        pytest.param(0.30, Stage.SQL, Rule.THRESHOLD_REACHED, id="exactly-on-the-sql-line"),
        pytest.param(0.2999999, Stage.MQL, Rule.THRESHOLD_REACHED, id="just-below-sql"),
        pytest.param(0.12, Stage.MQL, Rule.THRESHOLD_REACHED, id="exactly-on-the-mql-line"),
        pytest.param(0.1199999, Stage.LEAD, Rule.BELOW_THRESHOLD, id="just-below-mql"),
        pytest.param(0.0, Stage.LEAD, Rule.BELOW_THRESHOLD, id="zero"),
        pytest.param(1.0, Stage.SQL, Rule.THRESHOLD_REACHED, id="certain"),
    ],
)
def test_a_new_lead_enters_on_the_line(probability: float, stage: Stage, rule: Rule) -> None:
    """A lead without a stage enters where its probability reaches the threshold, the line included."""
    decision = decide(lead_with(probability), POLICY, now=NOW)
    assert (decision.stage, decision.rule) == (stage, rule)


@pytest.mark.parametrize(
    ("here", "probability", "stage", "rule"),
    [
        pytest.param(Stage.SQL, 0.28, Stage.SQL, Rule.THRESHOLD_HELD, id="sql-held-in-the-band"),
        pytest.param(Stage.SQL, 0.24, Stage.SQL, Rule.THRESHOLD_HELD, id="sql-held-on-the-exit"),
        pytest.param(Stage.SQL, 0.23, Stage.MQL, Rule.FELL_BACK, id="sql-to-mql"),
        pytest.param(Stage.SQL, 0.10, Stage.MQL, Rule.FELL_BACK, id="sql-to-mql-held-by-its-exit"),
        pytest.param(Stage.SQL, 0.08, Stage.LEAD, Rule.FELL_BACK, id="sql-to-lead"),
        pytest.param(Stage.MQL, 0.10, Stage.MQL, Rule.THRESHOLD_HELD, id="mql-held-in-the-band"),
        pytest.param(Stage.MQL, 0.28, Stage.MQL, Rule.THRESHOLD_REACHED, id="mql-needs-the-sql-enter"),
        pytest.param(Stage.MQL, 0.30, Stage.SQL, Rule.THRESHOLD_REACHED, id="mql-to-sql"),
        pytest.param(Stage.LEAD, 0.10, Stage.LEAD, Rule.BELOW_THRESHOLD, id="lead-needs-the-mql-enter"),
        pytest.param(Stage.RECYCLED, 0.11, Stage.RECYCLED, Rule.BELOW_THRESHOLD, id="recycled-stays"),
        pytest.param(Stage.RECYCLED, 0.12, Stage.MQL, Rule.THRESHOLD_REACHED, id="recycled-comes-back"),
    ],
)
def test_hysteresis(here: Stage, probability: float, stage: Stage, rule: Rule) -> None:
    """Up at `enter`, down only below `exit`; a recycled lead has to enter again."""
    decision = decide(lead_with(probability, current_stage=here), POLICY, now=NOW)
    assert (decision.stage, decision.rule, decision.previous_stage) == (stage, rule, here)


@pytest.mark.parametrize(
    ("here", "days", "probability", "stage", "rule"),
    [
        pytest.param(Stage.SQL, 2.9, 0.01, Stage.SQL, Rule.LEAST_DWELL, id="too-early-to-sink"),
        pytest.param(Stage.SQL, 3.0, 0.01, Stage.LEAD, Rule.FELL_BACK, id="long-enough-to-sink"),
        pytest.param(Stage.MQL, 0.0, 0.50, Stage.SQL, Rule.THRESHOLD_REACHED, id="rising-never-waits"),
        pytest.param(Stage.SQL, 0.0, 0.25, Stage.SQL, Rule.THRESHOLD_HELD, id="staying-is-no-dwell"),
        pytest.param(Stage.RECYCLED, 1.0, 0.50, Stage.RECYCLED, Rule.RECYCLED_REST, id="recycled-rests"),
        pytest.param(Stage.RECYCLED, 3.0, 0.50, Stage.SQL, Rule.THRESHOLD_REACHED, id="recycled-has-rested"),
        pytest.param(Stage.SQL, -1.0, 0.01, Stage.SQL, Rule.LEAST_DWELL, id="stage-from-the-future"),
    ],
)
def test_least_dwell(here: Stage, days: float, probability: float, stage: Stage, rule: Rule) -> None:
    """A score takes a lead down, or back from recycling, only after the agreed days in its stage."""
    lead = lead_with(probability, current_stage=here, stage_since=NOW - days * DAY)
    decision = decide(lead, POLICY, now=NOW)
    assert (decision.stage, decision.rule) == (stage, rule)


@pytest.mark.parametrize(
    ("age", "probability", "stage", "rule"),
    [
        pytest.param(2 * DAY, 0.01, Stage.SQL, Rule.OVERRIDE, id="demo-two-days-ago"),
        pytest.param(7 * DAY, 0.01, Stage.SQL, Rule.OVERRIDE, id="demo-on-the-last-day"),
        pytest.param(7 * DAY + HOUR, 0.01, Stage.LEAD, Rule.BELOW_THRESHOLD, id="demo-too-old"),
        pytest.param(-HOUR, 0.01, Stage.LEAD, Rule.BELOW_THRESHOLD, id="demo-from-the-future"),
        pytest.param(2 * DAY, 0.90, Stage.SQL, Rule.OVERRIDE, id="override-is-named-before-the-threshold"),
    ],
)
def test_override(age: timedelta, probability: float, stage: Stage, rule: Rule) -> None:
    """An agreed action within its days lifts a lead whatever its score."""
    lead = lead_with(probability, activities=(("call", NOW), ("demo_request", NOW - age)))
    decision = decide(lead, POLICY, now=NOW)
    assert (decision.stage, decision.rule) == (stage, rule)


def test_the_newest_action_counts() -> None:
    """Of several demo requests the newest gives the age."""
    asked = tuple(("demo_request", NOW - age * DAY) for age in (6, 1, 3))
    assert decide(lead_with(0.1, activities=asked), POLICY, now=NOW).age == DAY


@pytest.mark.parametrize(
    ("asked", "since", "stage"),
    [
        pytest.param(1 * DAY, 2 * DAY, Stage.SQL, id="asked-after-it-was-recycled"),
        pytest.param(2 * DAY, 1 * DAY, Stage.RECYCLED, id="asked-before-it-was-recycled"),
        pytest.param(1 * DAY, None, Stage.RECYCLED, id="nobody-knows-since-when"),
    ],
)
def test_a_recycled_lead_needs_a_new_action(asked: timedelta, since: timedelta | None, stage: Stage) -> None:
    """The action that made a lead SQL once does not bounce it back after recycling."""
    lead = lead_with(
        0.01,
        activities=(("demo_request", NOW - asked),),
        current_stage=Stage.RECYCLED,
        stage_since=None if since is None else NOW - since,
    )
    assert decide(lead, POLICY, now=NOW).stage is stage


def test_a_lower_override_does_not_hold_a_higher_score_down() -> None:
    """An action agreed to make an MQL leaves a lead that scores SQL an SQL."""
    low = policy_with(overrides=(Override(
        name="guide", activity_kind="download", within_days=7, stage=Stage.MQL, en="downloaded", de="Download"
    ),))  # fmt: skip
    asked = (("download", NOW),)
    assert decide(lead_with(0.5, activities=asked), low, now=NOW).rule is Rule.THRESHOLD_REACHED
    assert decide(lead_with(0.01, activities=asked), low, now=NOW).stage is Stage.MQL


@pytest.mark.parametrize(
    ("here", "stage", "rule"),
    [
        pytest.param(None, Stage.DISQUALIFIED, Rule.DISQUALIFIER, id="before-the-override"),
        pytest.param(Stage.SQL, Stage.DISQUALIFIED, Rule.DISQUALIFIER, id="out-of-sql"),
        pytest.param(Stage.DISQUALIFIED, Stage.DISQUALIFIED, Rule.DISQUALIFIER, id="still-out"),
        pytest.param(Stage.CUSTOMER, Stage.CUSTOMER, Rule.STAGE_KEPT, id="a-customer-stays"),
        pytest.param(Stage.OPPORTUNITY, Stage.OPPORTUNITY, Rule.STAGE_KEPT, id="an-opportunity-stays"),
    ],
)
def test_disqualifier(here: Stage | None, stage: Stage, rule: Rule) -> None:
    """A disqualifier beats score and action, but takes nobody out whom sales already works with."""
    lead = lead_with(
        0.9,
        attributes=(("industry", "Rival"),),
        activities=(("demo_request", NOW),),
        current_stage=here,
    )
    decision = decide(lead, POLICY, now=NOW)
    assert (decision.stage, decision.rule) == (stage, rule)


def test_disqualified_stays_when_the_reason_is_gone() -> None:
    """Only a person takes a lead back in."""
    decision = decide(lead_with(0.9, current_stage=Stage.DISQUALIFIED), POLICY, now=NOW)
    assert (decision.stage, decision.rule, decision.owner) == (Stage.DISQUALIFIED, Rule.STAGE_KEPT, None)


@pytest.mark.parametrize(
    ("age", "now", "rule"),
    [
        pytest.param(7 * DAY, NOW, Rule.THRESHOLD_REACHED, id="just-fresh-enough"),
        pytest.param(7 * DAY + HOUR, NOW, Rule.REFUSED_STALE_SCORE, id="stale"),
        pytest.param(-HOUR, NOW, Rule.REFUSED_FUTURE_SCORE, id="future"),
        pytest.param(0 * DAY, NOW.replace(tzinfo=None), Rule.REFUSED_NAIVE_NOW, id="naive-now"),
    ],
)
def test_refuses_what_it_cannot_trust(age: timedelta, now: datetime, rule: Rule) -> None:
    """A score that is too old or too new moves nobody and promises nothing."""
    lead = lead_with(0.9, scored_at=NOW - age, current_stage=Stage.MQL)
    decision = decide(lead, POLICY, now=now)
    assert decision.rule is rule
    assert decision.refused is (rule in REFUSALS)
    if decision.refused:
        assert (decision.stage, decision.respond_by, decision.content) == (Stage.MQL, None, ())


def test_the_last_branch_refuses() -> None:
    """A policy without any threshold decides nothing by score."""
    decision = decide(lead_with(0.9), policy_with(thresholds=()), now=NOW)
    assert (decision.rule, decision.stage) == (Rule.REFUSED_NO_THRESHOLD, Stage.LEAD)
    asked = decide(lead_with(0.9, activities=(("demo_request", NOW),)), policy_with(thresholds=()), now=NOW)
    assert asked.rule is Rule.OVERRIDE


def test_one_threshold_is_enough_to_decide() -> None:
    """Where only SQL is agreed, nobody becomes an MQL."""
    only = policy_with(thresholds=(Threshold(stage=Stage.SQL, enter=0.5, exit=0.4),))
    assert decide(lead_with(0.45), only, now=NOW).stage is Stage.LEAD
    assert decide(lead_with(0.55), only, now=NOW).stage is Stage.SQL


@pytest.mark.parametrize(
    ("attributes", "persona", "stage", "within", "content"),
    [
        pytest.param(BUYER_ATTRIBUTES, "buyer", Stage.SQL, 2, ("Calculator", "Prices"), id="own-terms"),
        pytest.param((), None, Stage.MQL, None, ("Webinar",), id="general-terms"),
    ],
)
def test_persona_terms(
    attributes: tuple[tuple[str, Scalar | None], ...],
    persona: str | None,
    stage: Stage,
    within: int | None,
    content: tuple[str, ...],
) -> None:
    """A persona's threshold, response time and content replace or precede the general ones."""
    decision = decide(lead_with(0.26, attributes=attributes), POLICY, now=NOW)
    assert (decision.persona, decision.stage, decision.content) == (persona, stage, content)
    assert decision.persona_confidence == (0.0 if persona is None else 1.0)
    assert decision.respond_by == (None if within is None else NOW + within * HOUR)


@pytest.mark.parametrize(
    ("probability", "stage", "owner"),
    [(0.5, Stage.SQL, Side.SALES), (0.2, Stage.MQL, Side.MARKETING), (0.0, Stage.LEAD, Side.MARKETING)],
)
def test_owner(probability: float, stage: Stage, owner: Side) -> None:
    """Marketing looks after leads and MQLs, sales after SQLs."""
    decision = decide(lead_with(probability), POLICY, now=NOW)
    assert (decision.stage, decision.owner) == (stage, owner)


@pytest.mark.parametrize(
    ("here", "since", "start"),
    [
        pytest.param(None, None, NOW, id="new-stage-from-now"),
        pytest.param(Stage.MQL, NOW - 3 * HOUR, NOW, id="other-stage-from-now"),
        pytest.param(Stage.SQL, NOW - HOUR, NOW - HOUR, id="same-stage-from-its-beginning"),
        pytest.param(Stage.SQL, None, NOW, id="same-stage-since-unknown"),
        pytest.param(Stage.SQL, NOW + HOUR, NOW, id="never-later-than-from-now"),
    ],
)
def test_deadline(here: Stage | None, since: datetime | None, start: datetime) -> None:
    """Four working hours from the beginning of the stage: scoring again gives nobody more time."""
    decision = decide(lead_with(0.5, current_stage=here, stage_since=since), POLICY, now=NOW)
    assert decision.respond_by == add_business_time(start, 4 * HOUR, POLICY.hours)


def test_friday_afternoon_is_answered_on_monday() -> None:
    """The deadline counts the policy's opening hours."""
    friday = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)  # 15:00 in Berlin, two hours before closing
    decision = decide(lead_with(0.5, scored_at=friday), POLICY, now=friday)
    assert decision.respond_by == datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def test_comparisons_are_all_that_were_made() -> None:
    """The facts hold every line the probability was held against, the deciding one last."""
    decision = decide(lead_with(0.2, current_stage=Stage.SQL), POLICY, now=NOW)
    assert decision.comparisons == (
        Comparison(stage=Stage.SQL, is_entry=True, threshold=0.30, reached=False),
        Comparison(stage=Stage.SQL, is_entry=False, threshold=0.24, reached=False),
        Comparison(stage=Stage.MQL, is_entry=True, threshold=0.12, reached=True),
    )
    assert decision.threshold == 0.12
    assert decide(lead_with(0.2, current_stage=Stage.CUSTOMER), POLICY, now=NOW).threshold is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"probability": 1.01}, r"probability must lie in \[0, 1\]; got 1.01", id="above-one"),
        pytest.param({"probability": float("nan")}, "probability must lie in", id="not-a-number"),
        pytest.param({"scored_at": NOW.replace(tzinfo=None)}, "scored_at must have a time zone", id="naive"),
        pytest.param({"scored_at": NOW.replace(year=9500)}, "years 1970 to 9000", id="far-future"),
        pytest.param({"stage_since": NOW.replace(year=1800)}, "stage_since must lie", id="long-ago"),
        pytest.param(
            {"activities": (("x", NOW.replace(tzinfo=None)),)}, "activities must have", id="activity"
        ),
    ],
)
def test_a_scored_lead_is_checked(changes: dict[str, object], message: str) -> None:
    """A lead with an impossible probability or an unclear time is never built."""
    with pytest.raises(BrokenRulesError, match=message):
        ScoredLead(**({"lead_id": "L", "probability": 0.5, "scored_at": NOW} | changes))  # type: ignore[arg-type]


cases = policies().flatmap(lambda policy: st.tuples(st.just(policy), leads_of(policy, NOW)))


@settings(max_examples=60)
@given(cases)
def test_decide_answers_for_everything(case: tuple[Policy, ScoredLead]) -> None:
    """No policy and no lead raises, twice gives the same, and the facts agree with each other."""
    policy, lead = case
    decision = decide(lead, policy, now=NOW)
    assert decide(lead, policy, now=NOW) == decision
    assert decision.owner is owner_of(decision.stage)
    assert all(one.reached is (lead.probability >= one.threshold) for one in decision.comparisons)
    if decision.refused:
        assert decision.stage is (lead.current_stage or Stage.LEAD)
    if lead.current_stage in FINAL_STAGES:
        assert decision.stage is lead.current_stage
    response = policy.response_for(decision.stage, decision.persona)
    assert (decision.respond_by is None) is (response is None or decision.refused)


@settings(max_examples=60)
@given(cases)
def test_deciding_again_changes_nothing(case: tuple[Policy, ScoredLead]) -> None:
    """A lead put into the stage it was given stays there with the same score: nothing flaps.

    What came before a lead was recycled is another question (below).
    """
    policy, lead = case
    first = decide(lead, policy, now=NOW)
    assume(
        not (
            lead.current_stage is Stage.RECYCLED and first.rule is Rule.THRESHOLD_REACHED and lead.activities
        )
    )
    settled = ScoredLead(
        lead_id=lead.lead_id,
        probability=lead.probability,
        scored_at=lead.scored_at,
        attributes=lead.attributes,
        activities=lead.activities,
        current_stage=first.stage,
        stage_since=lead.stage_since if first.stage is lead.current_stage else NOW,
    )
    assert decide(settled, policy, now=NOW).stage is first.stage


def test_an_action_that_wakes_a_recycled_lead_lets_its_score_count() -> None:
    """A resting lead that scores SQL and does what makes an MQL is an SQL at once, not at the next look."""
    low = policy_with(overrides=(Override(
        name="guide", activity_kind="download", within_days=7, stage=Stage.MQL, en="downloaded", de="Download"
    ),))  # fmt: skip
    resting = lead_with(
        0.5, activities=(("download", NOW),), current_stage=Stage.RECYCLED, stage_since=NOW - HOUR
    )
    assert decide(resting, low, now=NOW).stage is Stage.SQL
    assert decide(
        lead_with(0.5, current_stage=Stage.RECYCLED, stage_since=NOW - HOUR), low, now=NOW
    ).rule is (Rule.RECYCLED_REST)


@pytest.mark.xfail(strict=True, reason="decide does not know when a lead that came back had been recycled")
def test_an_action_from_before_recycling_stays_old_after_the_return() -> None:
    """A lead that came back by its score as an MQL is not lifted by what it did before it was recycled."""
    asked = (("demo_request", NOW - 3 * DAY),)
    back = lead_with(0.15, activities=asked, current_stage=Stage.MQL, stage_since=NOW)
    assert decide(back, POLICY, now=NOW).stage is Stage.MQL


@given(policies(), st.data())
def test_inside_the_band_the_stage_stays(policy: Policy, data: st.DataObject) -> None:
    """However a probability moves between exit and enter of a stage, the lead neither rises nor falls."""
    threshold = data.draw(st.sampled_from([one for one in policy.thresholds if one.persona is None]))
    walk = data.draw(st.lists(st.floats(threshold.exit, threshold.enter, exclude_max=True), max_size=5))
    quiet = policy_with(
        thresholds=tuple(one for one in policy.thresholds if one.persona is None),
        overrides=(),
        disqualifiers=(),
    )
    for probability in walk:
        lead = lead_with(probability, current_stage=threshold.stage)
        assert decide(lead, quiet, now=NOW).stage is threshold.stage


@given(policies(), st.floats(0, 1), st.floats(0, 1))
def test_a_higher_score_never_gives_a_lower_stage(policy: Policy, one: float, other: float) -> None:
    """From the same place, more probability leads at least as far up."""
    low, high = (decide(lead_with(p), policy, now=NOW) for p in sorted((one, other)))
    assert rank(low.stage) <= rank(high.stage)
