"""Computes a stored score again, from its feature row, its model and its policy alone. No database, no clock.

Decides what "the same" means: every stored value is equal, the id included, which is a hash over the row, the
versions and the decision. A score from before the facts of decisions were kept is compared without its stage.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from serving.champion import Champion
from serving.decided_from import read_decided_from
from serving.operations.active_policy import ActivePolicy
from serving.operations.record_scores import ScoreRecord
from serving.scorer import LeadFacts, Scorer, predict_row

NUMBERS = ("probability", "probability_low", "probability_high", "points")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A value that came out otherwise than it was stored."""

    name: str
    stored: object
    computed: object

    def text(self) -> str:
        """One line for people."""
        return f"{self.name}: stored {self.stored!r}, computed {self.computed!r}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A score computed again; `has_decision` is False where what the policy looked at was not kept."""

    computed: ScoreRecord
    has_decision: bool
    differences: tuple[Difference, ...]

    @property
    def is_same(self) -> bool:
        """True when every value that can be compared is equal, bit for bit."""
        return not self.differences


def replay_score(stored: ScoreRecord, champion: Champion, policy: ActivePolicy) -> Replay:
    """Compute a stored score again and hold both against each other."""
    computed = _computed(stored, champion, policy)
    names = ScoreRecord.__slots__ if stored.decided_from else NUMBERS
    different = (
        Difference(name=name, stored=getattr(stored, name), computed=getattr(computed, name))
        for name in names
        if not _equal(getattr(stored, name), getattr(computed, name))
    )
    return Replay(computed=computed, has_decision=bool(stored.decided_from), differences=tuple(different))


def _computed(stored: ScoreRecord, champion: Champion, policy: ActivePolicy) -> ScoreRecord:
    scorer, row = Scorer(champion, policy), np.array(stored.feature_row, dtype=np.float64)
    facts = LeadFacts(lead_id=stored.lead_id, as_of=stored.as_of, attributes=(), activities=())
    if stored.decided_from:
        kept = read_decided_from(stored.decided_from)
        facts = replace(
            facts,
            attributes=kept.attributes,
            activities=kept.activities,
            current_stage=kept.current_stage,
            stage_since=kept.stage_since,
        )
    return scorer.record_of(scorer.judge(facts, row, predict_row(champion.model, row)))


def _equal(stored: object, computed: object) -> bool:
    """Compare bit for bit: a missing value equals a missing value, and -0.0 is not 0.0."""
    return stored == computed or repr(stored) == repr(computed)


def as_values(record: ScoreRecord) -> Mapping[str, object]:
    """Return what a person wants to see of a score."""
    hidden = ("feature_row", "decided_from")
    return {name: getattr(record, name) for name in ScoreRecord.__slots__ if name not in hidden}
