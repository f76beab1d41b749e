"""What the policy looked at when it decided about a score, kept with the score so that it can decide again.

Decides how little is enough: the attributes that personas and disqualifiers ask for, the newest activity of
each kind that lifts a lead, and the stage the lead was in. `sla.policy.decide` says the same from these as
from everything; a test holds both against each other.
"""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from sla.policy import Policy, ScoredLead
from sla.stages import Stage

Scalar = str | float | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedFrom:
    """The facts behind one decision, beside lead, probability and instant."""

    attributes: tuple[tuple[str, Scalar], ...]
    activities: tuple[tuple[str, datetime], ...]
    current_stage: Stage | None
    stage_since: datetime | None

    def scored_lead(self, *, lead_id: str, probability: float, as_of: datetime) -> ScoredLead:
        """Return what the policy decided about."""
        return ScoredLead(
            lead_id=lead_id,
            probability=probability,
            scored_at=as_of,
            attributes=self.attributes,
            activities=self.activities,
            current_stage=self.current_stage,
            stage_since=self.stage_since,
        )


def decided_from(scored: ScoredLead, policy: Policy, asked: frozenset[str]) -> str:
    """Return as JSON what a policy that asks for these attributes needs of a lead."""
    lifting = {one.activity_kind for one in policy.overrides}
    newest: dict[str, datetime] = {}
    for kind, at in scored.activities:
        if kind in lifting and at <= scored.scored_at:
            newest[kind] = max(at, newest.get(kind, at))
    facts = DecidedFrom(
        attributes=tuple((name, value) for name, value in scored.attributes if name in asked),
        activities=tuple(sorted(newest.items())),
        current_stage=scored.current_stage,
        stage_since=scored.stage_since,
    )
    return msgspec.json.encode(facts).decode()


def read_decided_from(text: str) -> DecidedFrom:
    """Return what was kept."""
    return msgspec.json.decode(text, type=DecidedFrom)
