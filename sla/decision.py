"""What a decision is: the rule that made it, the comparisons it rests on, who owes what by when.

Decides nothing; `sla.policy` makes decisions and `sla.words` says them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sla.stages import Side, Stage
from sla.texts import Text


class Rule(StrEnum):
    """The rule that made a decision: a stable code."""

    THRESHOLD_REACHED = "threshold_reached"
    THRESHOLD_HELD = "threshold_held"
    BELOW_THRESHOLD = "below_threshold"
    FELL_BACK = "fell_back"
    OVERRIDE = "override"
    DISQUALIFIER = "disqualifier"
    LEAST_DWELL = "least_dwell"
    RECYCLED_REST = "recycled_rest"
    STAGE_KEPT = "stage_kept"
    REFUSED_NAIVE_NOW = "refused_naive_now"
    REFUSED_FUTURE_SCORE = "refused_future_score"
    REFUSED_STALE_SCORE = "refused_stale_score"
    REFUSED_NO_THRESHOLD = "refused_no_threshold"


REFUSALS = frozenset(rule for rule in Rule if rule.value.startswith("refused_"))
"""The rules that act on nothing: the stage is carried along, nobody owes an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One comparison a decision rests on: the probability against the enter or exit of a stage."""

    stage: Stage
    is_entry: bool
    threshold: float
    reached: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the policy says about one lead now, and every fact the words need.

    `comparisons` are all that were made, highest stage first; the last one decided.
    `age` is the age of the score (refusals), of the action (override) or of the stage (dwell);
    `limit_days` is the limit it was held against. `trigger` names the action or the trait.
    """

    stage: Stage
    rule: Rule
    probability: float
    policy_version: int
    previous_stage: Stage | None = None
    owner: Side | None = None
    persona: str | None = None
    persona_confidence: float = 0.0
    respond_by: datetime | None = None
    content: tuple[str, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    trigger: Text | None = None
    trigger_name: str | None = None
    age: timedelta | None = None
    limit_days: int | None = None

    @property
    def threshold(self) -> float | None:
        """The probability that decided, or None when no threshold did."""
        return self.comparisons[-1].threshold if self.comparisons else None

    @property
    def refused(self) -> bool:
        """True when the score was not acted on and the stage is only carried along."""
        return self.rule in REFUSALS
