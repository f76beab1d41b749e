"""Signatures: when a policy is in force. One per side, by different people, under exactly this text.

Decides from the signatures it is given; who may sign, and storing a signature, are the service's business.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sla.clauses import known_instant_only
from sla.errors import AgreementError, filled_only, refuse_broken
from sla.policy import Policy
from sla.policy_file import policy_hash
from sla.stages import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One person's name under one policy, for one side; `policy_hash` is the hash of what was signed."""

    side: Side
    person: str
    signed_at: datetime
    policy_hash: str

    def __post_init__(self) -> None:
        refuse_broken("signature", filled_only(self, ("person",)))
        refuse_broken("signature", known_instant_only("signed_at", self.signed_at))


class ActivationCode(StrEnum):
    """Why a policy is in force, or what it still lacks: a stable code."""

    ACTIVE = "active"
    UNSIGNED = "unsigned"
    SAME_PERSON = "same_person"
    NOT_YET_VALID = "not_yet_valid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """Whether a policy is in force, with the reason in words."""

    code: ActivationCode
    reason: str

    @property
    def active(self) -> bool:
        """True when the policy is in force."""
        return self.code is ActivationCode.ACTIVE


def is_active(signatures: Iterable[Signature], policy: Policy, now: datetime) -> Activation:
    """Say whether the policy is in force at `now`, and why.

    A signature under another text or dated after `now` does not count. Raises
    AgreementError for a naive `now`.
    """
    if now.utcoffset() is None:
        raise AgreementError(f"now must have a time zone; got {now.isoformat()}")
    signed = policy_hash(policy)
    valid = [one for one in signatures if one.policy_hash == signed and one.signed_at <= now]
    missing = [side.value for side in Side if all(one.side is not side for one in valid)]
    name = f"policy version {policy.version}"
    if missing:
        return _activation(ActivationCode.UNSIGNED, f"{name} is not signed by {' and '.join(missing)}")
    if not _has_two_people(valid):
        reason = f"{name} is signed for both sides by the same person, {valid[0].person}"
        return _activation(ActivationCode.SAME_PERSON, reason)
    if policy.valid_from is not None and policy.valid_from > now:
        reason = f"{name} is signed and valid from {policy.valid_from.isoformat()}"
        return _activation(ActivationCode.NOT_YET_VALID, reason)
    return _activation(ActivationCode.ACTIVE, f"{name} is signed by both sides and in force")


def same_person(one: str, other: str) -> bool:
    """Say whether two names mean the same person, however they are written: case, spacing, Unicode form."""
    return person_key(one) == person_key(other)


def person_key(name: str) -> str:
    """Return what all spellings of one person's name have in common; characters nobody sees do not count."""
    visible = "".join(one for one in unicodedata.normalize("NFKC", name) if unicodedata.category(one) != "Cf")
    return " ".join(visible.casefold().split())


def _has_two_people(signatures: list[Signature]) -> bool:
    """Say whether marketing and sales can be signed for by two different people."""
    return any(
        one.side is Side.MARKETING and other.side is Side.SALES and not same_person(one.person, other.person)
        for one in signatures
        for other in signatures
    )


def _activation(code: ActivationCode, reason: str) -> Activation:
    return Activation(code=code, reason=reason)
