"""The answer means what it says: points add up, the stage is the policy's, the words fit the numbers."""

import math
import random
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.api.score import read_score_request
from serving.operations.active_policy import ActivePolicy
from serving.scorer import Scorer
from serving.scorer_loading import load_scorer
from sla.decision import Rule
from sla.policy import ScoredLead, decide
from sla.policy_file import policy_hash, read_policy
from sla.stages import Stage
from tests.builders_serving import NOW, Desk, first_policy, random_request

SENTENCE = re.compile(r".+ \((?P<sign>[+−])(?P<size>[\d.]+) points?\)")


@pytest.fixture(scope="module")
def scorer(shared_desk: Desk) -> Scorer:
    """Return the scorer of the shared workspace."""
    return load_scorer(shared_desk.settings, now=NOW)


def answer_to(scorer: Scorer, body: dict[str, Any]) -> Any:
    """Score a body as the route does."""
    return scorer.score(read_score_request(body, now=NOW, language="en")).answer


@given(seed=st.integers(0, 100_000))
def test_points_reasons_and_probability_agree(scorer: Scorer, seed: int) -> None:
    """Base + all reasons = 50 + 5 log2(odds), to 1e-6; the whole points are that, rounded and cut."""
    answer = answer_to(scorer, random_request(seed))
    odds = answer.probability / (1 - answer.probability)
    unrounded = 50 + 5 * math.log2(odds)
    assert answer.base_points + sum(reason.points for reason in answer.reasons) == pytest.approx(
        unrounded, abs=1e-6
    )
    assert abs(answer.points - min(100, max(0, unrounded))) <= 0.5 + 1e-6
    assert answer.probability_low <= answer.probability <= answer.probability_high


@given(seed=st.integers(0, 100_000), stage=st.none() | st.sampled_from(list(Stage)), days=st.integers(0, 9))
def test_the_stage_is_what_the_policy_decides(
    scorer: Scorer, seed: int, stage: Stage | None, days: int
) -> None:
    """Deciding again from the answer's own probability gives the answer's stage, owner and deadline."""
    body = random_request(seed)
    if stage is not None:
        body |= {"current_stage": stage.value, "stage_since": (NOW - timedelta(days=days)).isoformat()}
    answer = answer_to(scorer, body)
    lead = {name: value for name, value in body["lead"].items() if name not in ("lead_id", "created_at")}
    scored = ScoredLead(
        lead_id=answer.lead_id,
        probability=answer.probability,
        scored_at=NOW,
        attributes=tuple(lead.items()),
        activities=tuple(
            (each["kind"], datetime.fromisoformat(each["occurred_at"])) for each in body["activities"]
        ),
        current_stage=stage,
        stage_since=None if stage is None else NOW - timedelta(days=days),
    )
    decision = decide(scored, scorer.active.policy, now=NOW)
    assert not decision.refused
    assert (answer.stage, answer.respond_by) == (decision.stage.value, decision.respond_by)
    assert (answer.owner, answer.persona) == (decision.owner or "", decision.persona or "")


@given(seed=st.integers(0, 100_000))
def test_the_flat_reasons_are_the_loudest(scorer: Scorer, seed: int) -> None:
    """Five sentences at most, loudest first, each with the points of the reason it tells."""
    answer = answer_to(scorer, random_request(seed))
    sentences = [answer.reason_1, answer.reason_2, answer.reason_3, answer.reason_4, answer.reason_5]
    loud = [reason.points for reason in answer.reasons if abs(reason.points) >= 0.05][:5]
    assert [abs(each.points) for each in answer.reasons] == sorted(
        (abs(each.points) for each in answer.reasons), reverse=True
    )
    assert [bool(sentence) for sentence in sentences] == [True] * len(loud) + [False] * (5 - len(loud))
    for sentence, points in zip(sentences, loud, strict=False):
        found = SENTENCE.fullmatch(sentence)
        assert found is not None, sentence
        assert (found["sign"] == "−") == (points < 0)
        assert abs(float(found["size"]) - abs(points)) <= 0.5


@given(seed=st.integers(0, 10_000), shuffle=st.randoms(use_true_random=False))
def test_the_order_of_what_is_sent_changes_nothing(scorer: Scorer, seed: int, shuffle: random.Random) -> None:
    """Attributes and activities in any order give the same answer, its id included."""
    body = random_request(seed)
    names = list(body["lead"])
    shuffle.shuffle(names)
    other = body | {
        "lead": {name: body["lead"][name] for name in names},
        "activities": shuffle.sample(body["activities"], len(body["activities"])),
    }
    assert answer_to(scorer, other) == answer_to(scorer, body)


@given(seed=st.integers(0, 10_000))
def test_what_happens_after_as_of_changes_the_warnings_only(scorer: Scorer, seed: int) -> None:
    """The future is ignored and counted."""
    body = random_request(seed)
    future = [
        {"occurred_at": (NOW + timedelta(seconds=1 + each)).isoformat(), "kind": "demo_request"}
        for each in range(2)
    ]
    past, all_of_it = (
        answer_to(scorer, body),
        answer_to(scorer, body | {"activities": body["activities"] + future}),
    )
    assert all_of_it.warnings == (*past.warnings, "ignored 2 activities after as_of")
    assert (all_of_it.score_id, all_of_it.stage, all_of_it.probability) == (
        past.score_id,
        past.stage,
        past.probability,
    )


def test_the_id_is_made_of_everything_the_score_rests_on(scorer: Scorer, shared_desk: Desk) -> None:
    """Same input, same id; another lead, instant, feature or policy, another id."""
    body = random_request(3)
    other_policy = read_policy(first_policy().replace("enter = 0.12", "enter = 0.13"))
    active = ActivePolicy(policy=other_policy, version=1, policy_hash=policy_hash(other_policy))
    ids = {
        answer_to(scorer, body).score_id,
        answer_to(scorer, body | {"lead": body["lead"] | {"lead_id": "other"}}).score_id,
        answer_to(scorer, body | {"as_of": (NOW - timedelta(microseconds=1)).isoformat()}).score_id,
        answer_to(scorer, body | {"lead": body["lead"] | {"employees": 7}}).score_id,
        answer_to(Scorer(scorer.champion, active), body).score_id,
    }
    assert len(ids) == 5
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in ids)
    assert answer_to(load_scorer(shared_desk.settings, now=NOW), body).score_id in ids


@pytest.mark.parametrize(
    ("changed", "warning"),
    [
        pytest.param(
            {"employes": 5},
            "'employes' is used by neither model nor policy; did you mean 'employees'?",
            id="misspelt",
        ),
        pytest.param(
            {"shoe_size": 44}, "attribute 'shoe_size' is used by neither model nor policy", id="unknown"
        ),
        pytest.param({"industry": "Mining"}, "'Mining'", id="unseen-category"),
        pytest.param({"employees": "many"}, "'employees' must be a finite number", id="wrong-type"),
        pytest.param({"employees": [1, 2]}, "'employees' must be a finite number", id="no-single-value"),
    ],
)
def test_what_was_not_used_is_said(scorer: Scorer, changed: dict[str, object], warning: str) -> None:
    """Scored all the same, with a warning that names the attribute."""
    body = random_request(4)
    lead = {"industry": "Retail", "employees": 3, "newsletter": True, "trial_at": NOW.isoformat()}
    answer = answer_to(scorer, body | {"lead": body["lead"] | lead | changed})
    assert any(warning in each for each in answer.warnings), answer.warnings


def test_attributes_of_the_policy_are_no_mistake(scorer: Scorer) -> None:
    """What only a persona looks at is used, so there is nothing to warn of."""
    body = random_request(4)
    answer = answer_to(
        scorer, body | {"lead": body["lead"] | {"department": "it", "email_domain_class": "business"}}
    )
    assert not any("department" in each or "email_domain_class" in each for each in answer.warnings)


def test_an_unknown_activity_kind_is_said(scorer: Scorer) -> None:
    """It counts in totals, and the caller learns that the model does not know it."""
    activity = {"occurred_at": "2026-11-22T00:00:00Z", "kind": "carrier_pigeon"}
    answer = answer_to(scorer, random_request(4) | {"activities": [activity]})
    assert any("carrier_pigeon" in each for each in answer.warnings)


def test_an_action_of_the_policy_lifts_at_once(scorer: Scorer) -> None:
    """The override of the first policy: a demo request is an SQL, and sales must answer."""
    activity = {"occurred_at": "2026-11-22T09:00:00Z", "kind": "demo_request"}
    lead = {"lead_id": "L1", "created_at": "2026-11-20T00:00:00Z"}
    scored = scorer.score(
        read_score_request({"lead": lead, "activities": [activity]}, now=NOW, language="de")
    )
    assert scored.judged.decision.rule in (Rule.OVERRIDE, Rule.THRESHOLD_REACHED)
    assert (scored.answer.stage, scored.answer.owner) == ("sql", "sales")
    assert scored.answer.respond_by is not None
