"""When a policy is in force: two sides, two people, this text, this day."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from sla.errors import AgreementError, BrokenRulesError
from sla.policy_file import policy_hash
from sla.signatures import ActivationCode, Signature, is_active, same_person
from sla.stages import Side
from tests.builders_policy import NOW, POLICY, policy_with

MIA = Signature(side=Side.MARKETING, person="Mia", signed_at=NOW, policy_hash=policy_hash(POLICY))
SAM = Signature(side=Side.SALES, person="Sam", signed_at=NOW, policy_hash=policy_hash(POLICY))
TOMORROW = NOW + timedelta(days=1)
LATER = policy_with(valid_from=TOMORROW)


def resigned(*signatures: Signature) -> tuple[Signature, ...]:
    """Return the signatures under the policy that is valid from tomorrow."""
    return tuple(replace(one, policy_hash=policy_hash(LATER)) for one in signatures)


@pytest.mark.parametrize(
    ("signatures", "code", "reason"),
    [
        pytest.param((MIA, SAM), ActivationCode.ACTIVE, "signed by both sides and in force", id="both"),
        pytest.param((), ActivationCode.UNSIGNED, "is not signed by marketing and sales", id="nobody"),
        pytest.param((MIA,), ActivationCode.UNSIGNED, "is not signed by sales", id="one-side"),
        pytest.param((MIA, MIA), ActivationCode.UNSIGNED, "is not signed by sales", id="one-side-twice"),
        pytest.param(
            (MIA, replace(SAM, person=" mia ")),
            ActivationCode.SAME_PERSON,
            "same person, Mia",
            id="same-person",
        ),
        pytest.param(
            (MIA, replace(SAM, person="MIA"), SAM), ActivationCode.ACTIVE, "in force", id="another-signed-too"
        ),
        pytest.param(
            (MIA, replace(SAM, policy_hash="0")),
            ActivationCode.UNSIGNED,
            "not signed by sales",
            id="other-text",
        ),
        pytest.param(
            (MIA, replace(SAM, signed_at=NOW + timedelta(seconds=1))),
            ActivationCode.UNSIGNED,
            "not signed by sales",
            id="signed-tomorrow",
        ),
    ],
)
def test_is_active(signatures: tuple[Signature, ...], code: ActivationCode, reason: str) -> None:
    """A policy is in force only with both signatures, under its very text, by different people."""
    activation = is_active(signatures, POLICY, NOW)
    assert (activation.code, activation.active) == (code, code is ActivationCode.ACTIVE)
    assert reason in activation.reason
    assert "policy version 3" in activation.reason


def test_a_policy_waits_for_its_day() -> None:
    """A signed policy is in force from its effective date, that instant included."""
    signatures = resigned(MIA, SAM)
    assert is_active(signatures, LATER, NOW).code is ActivationCode.NOT_YET_VALID
    assert is_active(signatures, LATER, TOMORROW).active


def test_a_change_voids_the_signatures() -> None:
    """Whatever is edited after signing, the signatures are no longer under it."""
    assert is_active((MIA, SAM), policy_with(least_dwell_days=4), NOW).code is ActivationCode.UNSIGNED


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("Mia Meier", "mia  MEIER ", True),
        ("Zoë", "Zoe\u0308", True),
        ("Straße", "STRASSE", True),
        ("Mia", "Mio", False),
    ],
)
def test_same_person(one: str, other: str, expected: bool) -> None:
    """Case, spacing and the way an accent is encoded make no second person."""
    assert same_person(one, other) is expected


def test_a_naive_now_is_refused() -> None:
    """Whether a day has come cannot be said without a zone."""
    with pytest.raises(AgreementError, match="now must have a time zone"):
        is_active((), POLICY, datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"person": " "}, "person must not be empty"),
        ({"signed_at": NOW.replace(tzinfo=None)}, "must have a time"),
    ],
)
def test_a_signature_has_a_name_and_an_instant(changes: dict[str, object], message: str) -> None:
    """Nobody signs anonymously or at an unclear time."""
    with pytest.raises(BrokenRulesError, match=message):
        replace(MIA, **changes)  # type: ignore[arg-type]
