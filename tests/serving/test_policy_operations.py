"""Proposing and signing: a version never changes, both sides sign, nobody signs for both."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, update

from features.errors import InputError
from serving.db.session import write_transaction
from serving.db.tables import PolicyRow
from serving.errors import Missing, PolicyRefusedError, UnknownPolicyError
from serving.operations.active_policy import ActivePolicy, active_policy
from serving.operations.comment_policy import comment_policy
from serving.operations.draft_policy import draft_policy
from serving.operations.list_policies import list_policies
from serving.operations.propose_policy import propose_draft, propose_policy
from serving.operations.read_policy_history import read_policy_history
from serving.operations.reject_policy import reject_policy
from serving.operations.sign_policy import sign_policy
from serving.operations.verify_audit import read_audit_head
from serving.operations.withdraw_policy import withdraw_policy
from sla.errors import PolicyProblems
from sla.stages import Side
from tests.builders_serving import MARKETING, NOW, SALES, first_policy, policy_version


def sign_both(database: Engine, version: int) -> None:
    """Sign for both sides."""
    sign_policy(database, version=version, side=Side.MARKETING, person=MARKETING, now=NOW)
    sign_policy(database, version=version, side=Side.SALES, person=SALES, now=NOW)


def active_version(database: Engine) -> int | None:
    """Return the version in force, None when there is none."""
    found = active_policy(database, now=NOW)
    return found.version if isinstance(found, ActivePolicy) else None


def test_a_policy_is_in_force_with_both_signatures(database: Engine) -> None:
    """Proposed, signed by marketing, signed by sales: only the last step puts it in force."""
    states = [active_version(database)]
    version = propose_policy(database, first_policy(), by=MARKETING, now=NOW)
    states.append(active_version(database))
    sign_policy(database, version=version, side=Side.SALES, person=SALES, now=NOW)
    states.append(active_version(database))
    sign_policy(database, version=version, side=Side.MARKETING, person=MARKETING, now=NOW)
    assert [*states, active_version(database)] == [None, None, None, 1]


def test_what_is_missing_is_said_with_the_command(database: Engine) -> None:
    """The reason names the side, the advice the command."""
    propose_policy(database, first_policy(), by=MARKETING, now=NOW)
    sign_policy(database, version=1, side=Side.MARKETING, person=MARKETING, now=NOW)
    found = active_policy(database, now=NOW)
    assert isinstance(found, Missing)
    assert found.reason == "policy version 1 is not signed by sales"
    assert "leadpact policy sign --side sales --by NAME --version 1" in found.fix


def test_the_newest_signed_version_counts(database: Engine) -> None:
    """A newer proposal changes nothing until both sides have signed it and its day has come."""
    for text in (first_policy(), policy_version(2), policy_version(3, "2027-01-01")):
        propose_policy(database, text, by=MARKETING, now=NOW)
    sign_both(database, 1)
    states = [active_version(database)]
    sign_both(database, 3)
    states.append(active_version(database))
    sign_both(database, 2)
    states.append(active_version(database))
    future = active_policy(database, now=NOW + timedelta(days=60))
    assert isinstance(future, ActivePolicy)
    assert [*states, future.version] == [1, 1, 2, 3]


def test_a_version_never_changes(database: Engine) -> None:
    """The same again is nothing new, in other words too; other rules under the same number are refused."""
    propose_policy(database, first_policy(), by=MARKETING, now=NOW)
    assert propose_policy(database, f"# a comment\n{first_policy()}", by=SALES, now=NOW) == 1
    other = first_policy().replace("enter = 0.12", "enter = 0.13")
    with pytest.raises(PolicyRefusedError, match="version 1 was already proposed by Maria Sommer"):
        propose_policy(database, other, by=SALES, now=NOW)


def test_a_broken_policy_is_refused_with_every_mistake(database: Engine) -> None:
    """Nothing is stored of a policy that cannot be read."""
    broken = first_policy().replace("enter = 0.12", "enter = 12").replace("least = 3", "least = 0")
    with pytest.raises(PolicyProblems, match=r"(?s)enter.*least"):
        propose_policy(database, broken, by=MARKETING, now=NOW)
    assert isinstance(active_policy(database, now=NOW), Missing)


def test_a_stored_policy_that_cannot_be_read_any_more_is_named(database: Engine) -> None:
    """A damaged row is a missing policy with its problems, not an error in every request."""
    propose_policy(database, first_policy(), by=MARKETING, now=NOW)
    sign_both(database, 1)
    with write_transaction(database) as session:
        session.execute(update(PolicyRow).values(content="[policy]\nversion = 'one'"))
    found = active_policy(database, now=NOW)
    assert isinstance(found, Missing)
    assert "version" in found.reason


@pytest.mark.parametrize("again", ["Maria Sommer", "maria  sommer", " MARIA SOMMER "])
def test_nobody_signs_for_both_sides(database: Engine, again: str) -> None:
    """However the name is written."""
    propose_policy(database, first_policy(), by=MARKETING, now=NOW)
    sign_policy(database, version=1, side=Side.MARKETING, person=MARKETING, now=NOW)
    with pytest.raises(PolicyRefusedError, match="the other side needs another person"):
        sign_policy(database, version=1, side=Side.SALES, person=again, now=NOW)
    assert active_version(database) is None


def test_a_signature_is_never_replaced(database: Engine) -> None:
    """A side signs once; the same person again changes nothing."""
    propose_policy(database, first_policy(), by=MARKETING, now=NOW)
    sign_policy(database, version=1, side=Side.SALES, person=SALES, now=NOW)
    sign_policy(database, version=1, side=Side.SALES, person=SALES, now=NOW)
    with pytest.raises(PolicyRefusedError, match="already signed for sales by Jonas Weber"):
        sign_policy(database, version=1, side=Side.SALES, person="Eva Klein", now=NOW)


@pytest.mark.parametrize(
    ("version", "person", "rule"),
    [
        pytest.param(9, SALES, "no policy version 9", id="unknown-version"),
        pytest.param(1, "  ", "1 to 200 characters", id="no-name"),
    ],
)
def test_wrong_signatures_are_named(database: Engine, version: int, person: str, rule: str) -> None:
    """Each argument has its rule."""
    propose_policy(database, first_policy(), by=MARKETING, now=NOW)
    with pytest.raises(InputError, match=rule):
        sign_policy(database, version=version, side=Side.SALES, person=person, now=NOW)


def test_one_person_racing_against_herself_signs_one_side(database: Engine) -> None:
    """The constraints decide, not the check before: 20 signatures at once, one stays."""
    propose_policy(database, first_policy(), by=MARKETING, now=NOW)
    ends: list[str] = []

    def sign(side: Side) -> None:
        try:
            sign_policy(database, version=1, side=side, person=MARKETING, now=NOW)
            ends.append(side.value)
        except PolicyRefusedError:
            ends.append("refused")

    threads = [threading.Thread(target=sign, args=(side,)) for side in list(Side) * 10]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ends) == 20
    assert len(set(ends) - {"refused"}) == 1
    assert active_version(database) is None


@pytest.mark.parametrize(
    "name", ["", "  ", "x" * 201, "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 12]
)
def test_who_proposes_or_signs_has_a_name(database: Engine, name: str) -> None:
    """Refused with the rule on both databases, not by a column that is too short."""
    with pytest.raises(InputError, match="1 to 200 characters"):
        propose_policy(database, first_policy(), by=name, now=NOW)
    propose_policy(database, first_policy(), by=MARKETING, now=NOW)
    with pytest.raises(InputError, match="1 to 200 characters"):
        sign_policy(database, version=1, side=Side.SALES, person=name, now=NOW)


def states(database: Engine, *, now: datetime = NOW) -> dict[int, str]:
    """Return where every version stands."""
    return {one.version: one.state for one in list_policies(database, now=now)}


def test_an_edit_voids_the_signatures(database: Engine) -> None:
    """The text is another one: both have to sign again, and the first signature stays in the history."""
    propose_policy(database, first_policy(), by=MARKETING, side=Side.MARKETING, now=NOW)
    sign_policy(database, version=1, side=Side.SALES, person=SALES, now=NOW)
    edited = first_policy().replace("enter = 0.12", "enter = 0.13")
    draft_policy(database, edited, by=MARKETING, side=Side.MARKETING, now=NOW)
    assert states(database) == {1: "proposed"}
    sign_policy(database, version=1, side=Side.MARKETING, person=MARKETING, now=NOW)
    assert active_version(database) is None
    sign_policy(database, version=1, side=Side.SALES, person=SALES, now=NOW)
    found = active_policy(database, now=NOW)
    assert isinstance(found, ActivePolicy)
    assert found.policy.thresholds[0].enter == 0.13
    _, events = read_policy_history(database, 1)
    assert [event.act for event in events] == ["propose", "sign", "edit", "sign", "sign"]
    assert len({event.policy_hash for event in events}) == 2


def test_the_same_text_again_voids_nothing(database: Engine) -> None:
    """A comment in the file, or nothing at all: no act, no entry in the log."""
    propose_policy(database, first_policy(), by=MARKETING, side=Side.MARKETING, now=NOW)
    sign_policy(database, version=1, side=Side.SALES, person=SALES, now=NOW)
    draft_policy(database, f"# read again\n{first_policy()}", by=SALES, side=Side.SALES, now=NOW)
    assert states(database) == {1: "signed"}


def test_who_signed_for_one_side_never_signs_for_the_other(database: Engine) -> None:
    """Not even after an edit made the first signature void."""
    propose_policy(database, first_policy(), by=SALES, side=Side.SALES, now=NOW)
    sign_policy(database, version=1, side=Side.MARKETING, person=MARKETING, now=NOW)
    edited = first_policy().replace("enter = 0.12", "enter = 0.13")
    draft_policy(database, edited, by=SALES, side=Side.SALES, now=NOW)
    with pytest.raises(PolicyRefusedError, match="the other side needs another person"):
        sign_policy(database, version=1, side=Side.SALES, person=f"{MARKETING}\u200b", now=NOW)


def test_an_agreed_policy_is_changed_by_a_later_one_only(database: Engine) -> None:
    """Nobody edits, withdraws or rejects what both have signed; a later one supersedes it."""
    propose_policy(database, first_policy(), by=MARKETING, side=Side.MARKETING, now=NOW)
    sign_both(database, 1)
    edited = first_policy().replace("enter = 0.12", "enter = 0.13")
    with pytest.raises(PolicyRefusedError, match="cannot be edited: it is in force"):
        draft_policy(database, edited, by=MARKETING, side=Side.MARKETING, now=NOW)
    with pytest.raises(PolicyRefusedError, match="cannot be withdrawn: it is in force"):
        withdraw_policy(database, 1, by=MARKETING, side=Side.MARKETING, now=NOW)
    with pytest.raises(PolicyRefusedError, match="cannot be rejected: it is in force"):
        reject_policy(database, 1, by=SALES, side=Side.SALES, reason="No.", now=NOW)
    propose_policy(database, policy_version(2, "2027-01-01"), by=SALES, side=Side.SALES, now=NOW)
    sign_both(database, 2)
    assert states(database) == {2: "agreed", 1: "active"}
    assert states(database, now=datetime(2026, 12, 31, 23, tzinfo=UTC)) == {2: "active", 1: "superseded"}


def test_a_proposal_expires(database: Engine) -> None:
    """Half signed or not, after its last day nobody signs; its date is free again."""
    dated = policy_version(1, "2027-03-01")
    propose_policy(database, dated, by=MARKETING, now=NOW, expires_at=NOW + timedelta(days=2))
    sign_policy(database, version=1, side=Side.SALES, person=SALES, now=NOW)
    later = NOW + timedelta(days=2)
    assert states(database, now=later) == {1: "expired"}
    with pytest.raises(PolicyRefusedError, match="cannot be signed: it is expired"):
        sign_policy(database, version=1, side=Side.MARKETING, person=MARKETING, now=later)
    with pytest.raises(PolicyProblems, match="must not be the date of another policy: version 1 has it"):
        propose_policy(database, policy_version(2, "2027-03-01"), by=SALES, now=NOW)
    assert propose_policy(database, policy_version(2, "2027-03-01"), by=SALES, now=later) == 2
    with pytest.raises(InputError, match="must expire in the future"):
        propose_policy(database, policy_version(3), by=SALES, now=later, expires_at=NOW)


def test_a_day_that_is_over_is_refused_with_its_clause(database: Engine) -> None:
    """When it is proposed, and again when a draft is proposed later; today is not over."""
    with pytest.raises(PolicyProblems, match=r"policy\.valid_from must not lie in the past"):
        propose_policy(database, policy_version(1, "2026-11-22"), by=MARKETING, now=NOW)
    draft_policy(database, policy_version(1, "2026-11-23"), by=MARKETING, side=None, now=NOW)
    with pytest.raises(PolicyProblems, match=r"today is 2026-11-24\); got '2026-11-23'"):
        propose_draft(database, 1, by=MARKETING, now=NOW + timedelta(days=1))
    propose_draft(database, 1, by=MARKETING, now=NOW)
    assert states(database) == {1: "proposed"}


def test_a_late_signature_is_not_in_force_before_it(database: Engine) -> None:
    """A policy whose day came before the second signature is in force from that signature on."""
    propose_policy(database, policy_version(1, "2026-11-23"), by=MARKETING, now=NOW)
    sign_policy(database, version=1, side=Side.MARKETING, person=MARKETING, now=NOW)
    late = NOW + timedelta(days=3)
    sign_policy(database, version=1, side=Side.SALES, person=SALES, now=late)
    (listed,) = list_policies(database, now=late)
    assert (listed.effective_at, listed.state) == (late, "active")


def test_a_refused_act_changes_nothing(database: Engine) -> None:
    """Neither the state nor the history nor the log."""
    propose_policy(database, first_policy(), by=MARKETING, side=Side.MARKETING, now=NOW)
    before = read_audit_head(database)
    with pytest.raises(PolicyRefusedError, match="only by marketing"):
        withdraw_policy(database, 1, by=SALES, side=Side.SALES, now=NOW)
    with pytest.raises(UnknownPolicyError, match="no policy version 7"):
        comment_policy(database, 7, by=SALES, side=Side.SALES, text="?", now=NOW)
    with pytest.raises(InputError, match="must be a text of 1 to 4,000 characters"):
        comment_policy(database, 1, by=SALES, side=Side.SALES, text="x" * 4_001, now=NOW)
    assert read_audit_head(database) == before
    assert states(database) == {1: "proposed"}
