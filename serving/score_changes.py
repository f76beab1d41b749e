"""What moved a score from one time to the next: elapsed time, data, model, policy. In points; no I/O.

Decides the order in which one thing after the other is swapped. From the old score on, first only the clock
is moved on to the new instant, with what was known of the lead then (time); then what has become known since
is added, still under the old model (data); then the new model takes over (model). A policy says what points
lead to and never changes them: its part is 0, and the stage it alone changed is told beside. The time part is
the difference of two values of one reconstruction; whatever that cannot reproduce (an import, an erasure, an
activity that was corrected) is thereby data, and the parts add up whatever happened.

Points here are neither rounded nor cut to 0-100; they are rounded once, at each step, to a tenth. The
parts are differences of these, so they add up as they are written.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from features.words.reasons import Language
from serving.answers import sentence_of
from serving.champion import Champion
from serving.leads import KnownLead
from serving.operations.record_scores import ScoreRecord
from serving.scorer import attribute_values, to_microseconds
from sla.policy import Policy, ScoredLead, decide
from sla.stages import Stage
from training.artifact import FamilyReason

Float64Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
LEAST_SPOKEN_POINTS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Corners:
    """Points after each swap: the old score, the clock moved on, new data added, the new model."""

    before: float
    aged: float
    informed: float
    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeParts:
    """Tenths of a point, as whole numbers: the parts add up to the change."""

    time: int
    data: int
    model: int
    policy: int = 0

    @property
    def change(self) -> int:
        """The whole change."""
        return self.time + self.data + self.model + self.policy


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldChange:
    """A change in its parts, and the reason that moved most among the new data: None when there is none."""

    parts: ChangeParts
    reason: FamilyReason | None
    informed_row: tuple[float, ...]
    told_by: Champion


def tenths(points: float) -> int:
    """Return points in whole tenths, halves up."""
    return math.floor(points * 10 + 0.5)


def parts_of(corners: Corners) -> ChangeParts:
    """Return the differences from corner to corner."""
    before, aged, informed, after = (
        tenths(points) for points in (corners.before, corners.aged, corners.informed, corners.after)
    )
    return ChangeParts(time=aged - before, data=informed - aged, model=after - informed)


def points_of(record: ScoreRecord) -> float:
    """Return the points of a stored score, neither rounded nor cut, from its probability."""
    least = float(np.finfo(np.float64).tiny)
    odds = max(record.probability, least) / max(1.0 - record.probability, least)
    return 50.0 + 5.0 * math.log2(odds)


def tell_change(
    before: ScoreRecord,
    after: ScoreRecord,
    known: KnownLead,
    *,
    reached: tuple[datetime, datetime],
    models: tuple[Champion, Champion],
) -> ToldChange:
    """Return what moved a score: `reached` are the instants of recording, `models` those of both scores."""
    old, new = models
    then = known.reached_until(reached[0])
    old_row, aged_row = (
        feature_row(old, then, known_at=before.as_of, as_of=as_of) for as_of in (before.as_of, after.as_of)
    )
    if old.model.feature_set.hash == new.model.feature_set.hash:
        informed_row = np.array(after.feature_row, dtype=np.float64)
    else:
        now = known.reached_until(reached[1])
        informed_row = feature_row(old, now, known_at=after.as_of, as_of=after.as_of)
    rows = (old_row, aged_row, informed_row)
    reason = _loudest_news(old, aged_row, informed_row)
    return ToldChange(
        parts=parts_of(_corners(before, after, old, rows)),
        reason=reason,
        informed_row=tuple(informed_row.tolist()),
        told_by=old,
    )


def _corners(
    before: ScoreRecord,
    after: ScoreRecord,
    old: Champion,
    rows: tuple[Float64Array, Float64Array, Float64Array],
) -> Corners:
    """Return the points after each swap; `rows` are the old one made again, the aged and the informed one."""
    then, aged, informed = old.model.predict(np.vstack(rows)).points.tolist()
    start, end = points_of(before), points_of(after)
    informed = end if before.model_hash == after.model_hash else informed
    has_no_news = _same(rows[0], before.feature_row) and _same(rows[1], rows[2])
    return Corners(
        before=start,
        aged=informed if has_no_news else start + (aged - then),  # free of the last bit's rounding
        informed=informed,
        after=end,
    )


def _same(one: Float64Array, other: Sequence[float] | Float64Array) -> bool:
    return np.array_equal(one, np.asarray(other, dtype=np.float64), equal_nan=True)


def feature_row(champion: Champion, known: KnownLead, *, known_at: datetime, as_of: datetime) -> Float64Array:
    """Return the features (n_features,) as of an instant of what was known at another one before."""
    activities = [one for one in known.activities if _at(one["occurred_at"]) <= known_at]
    changes = [one for one in known.attribute_changes if _at(one["changed_at"]) <= known_at]
    lead = known.as_of(known_at)
    return champion.online.row(lead, activities, to_microseconds(as_of), changes).values


def stage_under(policy: Policy, score: ScoreRecord, known: KnownLead, facts: ScoredLead) -> Stage:
    """Return the stage another policy would have given this very score; `facts` has the stage it was in."""
    activities = tuple(
        (str(one["kind"]), _at(one["occurred_at"]))
        for one in known.activities
        if _at(one["occurred_at"]) <= score.as_of
    )
    lead = ScoredLead(
        lead_id=score.lead_id,
        probability=score.probability,
        scored_at=score.as_of,
        attributes=attribute_values(known.as_of(score.as_of)),
        activities=activities,
        current_stage=facts.current_stage,
        stage_since=facts.stage_since,
    )
    return decide(lead, policy, now=score.as_of).stage


def reason_text(told: ToldChange, lang: Language) -> str:
    """Return the loudest news as a sentence without a full stop; empty when there is none."""
    if told.reason is None:
        return ""
    return sentence_of(told.reason, told.told_by.model.feature_set, told.informed_row, lang)


def _loudest_news(champion: Champion, before: Float64Array, after: Float64Array) -> FamilyReason | None:
    """Return the family whose share new data moved most; a member that moved the same way speaks for it."""
    old, new = champion.model.explain(np.vstack((before, after))).tolist()
    moved = [after_share - before_share for before_share, after_share in zip(old, new, strict=True)]
    families = [
        FamilyReason(family=family, feature_index=_mover(members, moved), points=_total(members, moved))
        for family, members in champion.model.families
    ]
    loudest = max(families, key=lambda one: abs(one.points), default=None)
    return None if loudest is None or abs(loudest.points) < LEAST_SPOKEN_POINTS else loudest


def _total(members: Sequence[int], moved: Sequence[float]) -> float:
    return sum(moved[index] for index in members)


def _mover(members: Sequence[int], moved: Sequence[float]) -> int:
    sign = math.copysign(1.0, _total(members, moved))
    return max(members, key=lambda index: sign * moved[index])


def _at(value: object) -> datetime:
    if not isinstance(value, datetime):
        raise TypeError(f"a stored time must be an instant; got {value!r}")
    return value
