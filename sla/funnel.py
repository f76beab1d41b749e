"""The funnel: how far leads came, how long each step took, and what changed against the period before.

A run is one cycle of one lead: it begins when the lead is created or comes back, and reaches a step when the
lead first has that stage or a higher one. Decides the steps, the medians, and how a change of a conversion
splits into another mix of leads and another conversion within the same kind of leads; both parts add up.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sla.lifecycle import EventKind, LeadState, Step
from sla.stages import Stage

STEPS = (Stage.LEAD, Stage.MQL, Stage.SQL, Stage.OPPORTUNITY, Stage.CUSTOMER)
_PLACE = {stage: place for place, stage in enumerate(STEPS)}
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One cycle of one lead: when it first was at each step or above; `basis` is that of its telling score.

    The telling score is the one that lifted it first, else its last one; "" without any.
    """

    lead_id: str
    cycle: int
    began_at: datetime
    reached_at: tuple[datetime | None, ...]
    basis: str = ""

    def has_reached(self, place: int) -> bool:
        """Say whether the run came to a step, by its place in `STEPS`."""
        return self.reached_at[place] is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelStep:
    """One step: how many runs came here, the share of those at the step before, its median time in days."""

    stage: Stage
    reached: int
    conversion: float | None
    median_days: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupChange:
    """What one group adds to the change of a conversion, in shares: by being more or fewer, and by itself."""

    group: str
    before: int
    after: int
    mix: float
    rate: float


def runs_of(lead_id: str, state: LeadState, *, created_at: datetime) -> tuple[Run, ...]:
    """Return the runs of a lead from its folded events; the last one may just have begun."""
    given_back = (
        step.event.occurred_at for step in state.steps if step.moved and step.after is Stage.RECYCLED
    )
    return tuple(
        _run(lead_id, cycle, began_at, tuple(step for step in state.steps if step.cycle == cycle))
        for cycle, began_at in enumerate((created_at, *given_back), 1)
    )


def funnel_of(runs: Iterable[Run]) -> tuple[FunnelStep, ...]:
    """Return the steps of runs: counts, conversions from step to step, median days from step to step."""
    known = tuple(runs)
    steps = []
    for place, stage in enumerate(STEPS):
        here = tuple(run for run in known if run.has_reached(place))
        before = sum(run.has_reached(place - 1) for run in known) if place else 0
        days = [_days_between(run, place) for run in here] if place else []
        steps.append(
            FunnelStep(
                stage=stage,
                reached=len(here),
                conversion=len(here) / before if before else None,
                median_days=quantile(days, 0.5),
            )
        )
    return tuple(steps)


def what_changed(
    before: Iterable[Run], after: Iterable[Run], *, place: int, group_of: Callable[[Run], str]
) -> tuple[GroupChange, ...]:
    """Split the change of the conversion into a step between two periods, group by group.

    The parts of all groups add up to the change exactly: half of each product counts for either cause. Empty
    when one of the periods has nobody at the step before.
    """
    old, new = _counts(before, place, group_of), _counts(after, place, group_of)
    was, now = (sum(cases for cases, _ in counts.values()) for counts in (old, new))
    if not was or not now:
        return ()
    return tuple(
        _change(group, old.get(group, (0, 0)), new.get(group, (0, 0)), was, now)
        for group in sorted(old.keys() | new.keys())
    )


def quantile(values: Iterable[float], share: float) -> float | None:
    """Return a quantile, between two values in proportion (as most databases do); None without values."""
    ordered = sorted(values)
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _run(lead_id: str, cycle: int, began_at: datetime, steps: tuple[Step, ...]) -> Run:
    reached: list[datetime | None] = [began_at, None, None, None, None]
    for step in steps:
        for place in range(1, _PLACE.get(step.after, 0) + 1):
            reached[place] = reached[place] or max(step.event.occurred_at, began_at)
    return Run(
        lead_id=lead_id, cycle=cycle, began_at=began_at, reached_at=tuple(reached), basis=_basis(steps)
    )


def _basis(steps: tuple[Step, ...]) -> str:
    scores = [one for one in steps if one.event.kind is EventKind.SCORED]
    lifted = next((one for one in scores if one.moved and one.after in (Stage.MQL, Stage.SQL)), None)
    telling = lifted or (scores[-1] if scores else None)
    return "" if telling is None else telling.event.basis


def _days_between(run: Run, place: int) -> float:
    here, before = run.reached_at[place], run.reached_at[place - 1]
    return 0.0 if here is None or before is None else (here - before) / _DAY


def _counts(runs: Iterable[Run], place: int, group_of: Callable[[Run], str]) -> dict[str, tuple[int, int]]:
    """Count, by group, the runs at the step before and those that came on."""
    counts: dict[str, tuple[int, int]] = {}
    for run in runs:
        if run.has_reached(place - 1):
            cases, came = counts.get(group_of(run), (0, 0))
            counts[group_of(run)] = (cases + 1, came + run.has_reached(place))
    return counts


def _change(group: str, old: tuple[int, int], new: tuple[int, int], was: int, now: int) -> GroupChange:
    (old_cases, old_came), (new_cases, new_came) = old, new
    old_share, new_share = old_cases / was, new_cases / now
    # A group that is new or gone has one rate only: all it adds is its being there.
    old_rate = old_came / old_cases if old_cases else new_came / new_cases
    new_rate = new_came / new_cases if new_cases else old_rate
    return GroupChange(
        group=group,
        before=old_cases,
        after=new_cases,
        mix=(new_share - old_share) * (old_rate + new_rate) / 2,
        rate=(new_rate - old_rate) * (old_share + new_share) / 2,
    )
