"""What other thresholds would have done to the past leads of a workspace: counts, changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from serving.past_scores import AGE_DAYS, PastLeads
from sla.errors import AgreementError
from sla.policy import Policy
from sla.stages import Stage
from sla.what_if import Effort, PastPeriod, Share, StageCount, ThresholdPair, WhatIf, suggest, what_if

MOST_IDS = 100


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Past:
    """The past of a workspace, scored and sorted once; each question after that costs milliseconds."""

    leads: PastLeads
    period: PastPeriod


@dataclass(frozen=True, slots=True, kw_only=True)
class StageAnswer:
    """One stage of the answer, flat; shares and intervals are null where there is nothing to share."""

    threshold: float
    leads: int
    leads_per_week: float
    wins_kept: int
    wins_missed: int
    precision: float | None
    precision_low: float | None
    precision_high: float | None
    kept_share: float | None
    kept_low: float | None
    kept_high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveAnswer:
    """Leads that would be in another stage, with the first of them."""

    before: str
    after: str
    leads: int
    lead_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIfAnswer:
    """What the thresholds would have done, in plain values."""

    period_from: datetime
    period_until: datetime
    weeks: float
    leads: int
    wins: int
    left_out_trained_on: int
    left_out_still_open: int
    scored_days_after_creation: int
    interval: str
    mql: StageAnswer
    sql: StageAnswer
    seller_hours_per_week: float
    capacity_share: float | None
    band_lowest: float | None
    band_highest: float | None
    band_feasible: bool
    suggested_mql: float | None
    suggested_sql: float | None
    moves: tuple[MoveAnswer, ...]


def prepare_past(leads: PastLeads) -> Past:
    """Sort the past once."""
    return Past(leads=leads, period=PastPeriod(leads.probabilities, leads.won, weeks=leads.weeks))


def general_pair(policy: Policy) -> ThresholdPair:
    """Return the thresholds of a policy that hold for everyone."""
    limits = {
        stage: threshold.enter
        for stage in (Stage.MQL, Stage.SQL)
        if (threshold := policy.threshold_for(stage, None)) is not None
    }
    if len(limits) < 2:
        raise AgreementError(f"policy version {policy.version} has no general thresholds for MQL and SQL")
    return ThresholdPair(mql=limits[Stage.MQL], sql=limits[Stage.SQL])


def ask_what_if(
    past: Past, pair: ThresholdPair, *, effort: Effort, current: ThresholdPair | None
) -> WhatIfAnswer:
    """Return what the pair would have done, and a suggestion where the effort gives something to go by."""
    found = what_if(past.period, pair, effort=effort, current=current)
    can_suggest = effort.capacity_hours is not None or effort.value_per_win is not None
    suggested = suggest(past.period, effort) if can_suggest else None
    return WhatIfAnswer(
        period_from=past.leads.since,
        period_until=past.leads.until,
        weeks=found.weeks,
        leads=found.leads,
        wins=found.wins,
        left_out_trained_on=past.leads.trained_on,
        left_out_still_open=past.leads.still_open,
        scored_days_after_creation=AGE_DAYS,
        interval="Wilson, 95 %",
        mql=_stage(found.mql),
        sql=_stage(found.sql),
        seller_hours_per_week=found.seller_hours_per_week,
        capacity_share=found.capacity_share,
        band_lowest=found.band.lowest,
        band_highest=found.band.highest,
        band_feasible=found.band.feasible,
        suggested_mql=None if suggested is None else suggested.mql,
        suggested_sql=None if suggested is None else suggested.sql,
        moves=_moves(found, past.leads.lead_ids),
    )


def _stage(count: StageCount) -> StageAnswer:
    precision, precision_low, precision_high = _numbers(count.precision)
    kept_share, kept_low, kept_high = _numbers(count.wins_kept)
    return StageAnswer(
        threshold=count.threshold,
        leads=count.leads,
        leads_per_week=count.leads_per_week,
        wins_kept=count.wins,
        wins_missed=count.wins_missed,
        precision=precision,
        precision_low=precision_low,
        precision_high=precision_high,
        kept_share=kept_share,
        kept_low=kept_low,
        kept_high=kept_high,
    )


def _numbers(share: Share | None) -> tuple[float | None, float | None, float | None]:
    return (None, None, None) if share is None else (share.share, share.low, share.high)


def _moves(found: WhatIf, lead_ids: Sequence[str]) -> tuple[MoveAnswer, ...]:
    """Join the stretches that move the same way."""
    places: dict[tuple[Stage, Stage], list[int]] = {}
    for move in found.moves:
        places.setdefault((move.before, move.after), []).extend(move.places)
    return tuple(
        MoveAnswer(
            before=before.value,
            after=after.value,
            leads=len(moved),
            lead_ids=tuple(lead_ids[place] for place in moved[:MOST_IDS]),
        )
        for (before, after), moved in places.items()
    )
