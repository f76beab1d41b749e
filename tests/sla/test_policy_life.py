"""The life of a policy: every state, act and side is decided, and time does what the agreement says."""

from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from sla.policy_life import (
    LIVING_STATES,
    STEPS,
    Act,
    Actor,
    Standing,
    State,
    effective_from,
    expiry_of,
    next_state,
    other_side,
    steps_from,
)
from sla.stages import Side
from sla.texts import Text
from tests.builders_policy import NOW

ENDS = (State.SUPERSEDED, State.WITHDRAWN, State.REJECTED, State.EXPIRED)
STORED = (State.DRAFT, State.PROPOSED, State.SIGNED, State.AGREED, State.WITHDRAWN, State.REJECTED)
LATER, EARLIER = NOW + timedelta(days=1), NOW - timedelta(days=1)


def standing(state: State, owner: Side | None = Side.MARKETING, **instants: Any) -> Standing:
    """Return where a version of marketing stands."""
    return Standing(version=2, state=state, owner=owner, **instants)


@pytest.mark.parametrize(
    ("act", "before", "after"),
    [
        (Act.EDIT, State.DRAFT, State.DRAFT),
        (Act.EDIT, State.PROPOSED, State.PROPOSED),
        (Act.EDIT, State.SIGNED, State.PROPOSED),
        (Act.PROPOSE, State.DRAFT, State.PROPOSED),
        (Act.SIGN, State.PROPOSED, State.SIGNED),
        (Act.SIGN, State.SIGNED, State.AGREED),
        (Act.WITHDRAW, State.DRAFT, State.WITHDRAWN),
        (Act.WITHDRAW, State.PROPOSED, State.WITHDRAWN),
        (Act.WITHDRAW, State.SIGNED, State.WITHDRAWN),
        (Act.COMMENT, State.AGREED, State.AGREED),
    ],
)
def test_what_the_owner_may_do(act: Act, before: State, after: State) -> None:
    """The side whose version it is drafts, edits, proposes, signs and withdraws until both have signed."""
    assert next_state(standing(before), act, Side.MARKETING, now=NOW) is after


def test_the_other_side_signs_comments_and_rejects_only() -> None:
    """Nobody edits or withdraws what is not theirs; only who was asked can say no."""
    for state, act in product((State.PROPOSED, State.SIGNED), Act):
        allowed = not isinstance(next_state(standing(state), act, Side.SALES, now=NOW), Text)
        assert allowed is (act in (Act.SIGN, Act.COMMENT, Act.REJECT)), (state, act)
    assert isinstance(next_state(standing(State.PROPOSED), Act.REJECT, Side.MARKETING, now=NOW), Text)


@pytest.mark.parametrize(("state", "act", "side"), [*product(STORED, Act, (*Side, None))])
def test_every_case_is_decided_by_the_table(state: State, act: Act, side: Side | None) -> None:
    """A state the table names, or words in both languages; never both, never neither."""
    rows = [step for step in STEPS if (step.act, step.before) == (act, state)]
    found = next_state(standing(state), act, side, now=NOW)
    assert len(rows) <= 1
    if isinstance(found, Text):
        assert "2" in found.en
        assert "2" in found.de
    else:
        assert found is rows[0].after
        assert rows[0].actor is Actor.EITHER or side is not None


def test_what_is_over_stays_over() -> None:
    """Withdrawn, rejected, expired and superseded versions take no act at all."""
    assert [step for state in ENDS for step in steps_from(state)] == []
    assert not set(ENDS) & set(LIVING_STATES)


def test_what_both_signed_is_only_commented() -> None:
    """An agreed policy is changed by a later one, not by one side."""
    assert {step.act for state in (State.AGREED, State.ACTIVE) for step in steps_from(state)} == {Act.COMMENT}


def test_a_version_of_nobody_is_anybodys() -> None:
    """Versions of before sides were asked for: either side may withdraw or reject."""
    for act, side in product((Act.WITHDRAW, Act.REJECT, Act.EDIT), (*Side, None)):
        found = next_state(standing(State.PROPOSED, owner=None), act, side, now=NOW)
        assert not isinstance(found, Text)


@pytest.mark.parametrize(
    ("state", "instants", "expected"),
    [
        pytest.param(State.PROPOSED, {"expires_at": LATER}, State.PROPOSED, id="open"),
        pytest.param(State.PROPOSED, {"expires_at": NOW}, State.EXPIRED, id="expires-on-the-instant"),
        pytest.param(State.SIGNED, {"expires_at": EARLIER}, State.EXPIRED, id="half-signed-expires-too"),
        pytest.param(State.SIGNED, {}, State.SIGNED, id="no-last-day"),
        pytest.param(State.DRAFT, {"expires_at": EARLIER}, State.DRAFT, id="drafts-do-not-expire"),
        pytest.param(
            State.AGREED,
            {"expires_at": EARLIER, "effective_at": NOW},
            State.ACTIVE,
            id="kept",
        ),
        pytest.param(State.AGREED, {"effective_at": LATER}, State.AGREED, id="waits-for-its-day"),
        pytest.param(State.AGREED, {"effective_at": NOW}, State.ACTIVE, id="that-instant-included"),
        pytest.param(
            State.AGREED,
            {"effective_at": EARLIER, "superseded_at": LATER},
            State.ACTIVE,
            id="for-now",
        ),
        pytest.param(
            State.AGREED, {"effective_at": EARLIER, "superseded_at": NOW}, State.SUPERSEDED, id="superseded"
        ),
        pytest.param(State.AGREED, {}, State.AGREED, id="no-instant-known"),
    ],
)
def test_what_time_does(state: State, instants: dict[str, Any], expected: State) -> None:
    """Expired, in force and superseded are computed from instants, each on its very instant."""
    assert standing(state, **instants).state_at(NOW) is expected


def test_an_expired_proposal_is_not_signed() -> None:
    """The words say why, in both languages."""
    refused = next_state(standing(State.SIGNED, expires_at=NOW), Act.SIGN, Side.SALES, now=NOW)
    assert refused == Text(
        en="policy version 2 cannot be signed: it is expired",
        de="Version 2 der Vereinbarung kann nicht unterschrieben werden: Sie ist abgelaufen",
    )


def test_the_wrong_side_is_told_whose_it_is() -> None:
    """Named in both languages."""
    refused = next_state(standing(State.PROPOSED), Act.WITHDRAW, Side.SALES, now=NOW)
    assert refused == Text(
        en="policy version 2 can be withdrawn only by marketing",
        de="Version 2 der Vereinbarung kann nur vom Marketing zurückgezogen werden",
    )


def test_never_in_force_before_both_have_signed() -> None:
    """The later of its date and the second signature counts."""
    assert effective_from(None, NOW) == NOW
    assert effective_from(LATER, NOW) == LATER
    assert effective_from(EARLIER, NOW) == NOW


def test_a_proposal_expires_after_thirty_days() -> None:
    """Unless it names another last day."""
    assert expiry_of(NOW) == NOW + timedelta(days=30)


def test_there_are_two_sides() -> None:
    """Each is the other's other."""
    assert [other_side(side) for side in Side] == [Side.SALES, Side.MARKETING]
