"""The funnel over folded events: counts, times and the parts of a change, against a slow look at each run."""

import statistics
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sla.funnel import STEPS, Run, funnel_of, quantile, runs_of, what_changed
from sla.lifecycle import EventKind, LeadEvent, fold_events
from sla.stages import Stage
from tests.builders_policy import NOW

DAY = timedelta(days=1)


def event(
    place: int, kind: EventKind, days: float, stage: Stage | None = None, basis: str = "m/1"
) -> LeadEvent:
    """Return an event so many days after NOW."""
    return LeadEvent(
        event_id=str(place),
        occurred_at=NOW + days * DAY,
        kind=kind,
        stage=stage,
        basis=basis if stage else "",
    )


def test_a_lead_with_two_cycles_has_two_runs() -> None:
    """Lead, MQL, SQL, given back; then at once an SQL again, an opportunity, a customer."""
    events = [
        event(1, EventKind.SCORED, 0.0, Stage.LEAD, "old/1"),
        event(2, EventKind.SCORED, 2.0, Stage.MQL),
        event(3, EventKind.SCORED, 3.0, Stage.SQL, "m/2"),
        event(4, EventKind.REJECTED, 5.0),
        event(5, EventKind.SCORED, 45.0, Stage.SQL, "n/3"),
        event(6, EventKind.OPENED, 46.0),
        event(7, EventKind.WON, 50.0),
    ]
    first, second = runs_of("L1", fold_events(events, created_at=NOW - DAY), created_at=NOW - DAY)
    assert (first.cycle, first.began_at, first.basis) == (1, NOW - DAY, "m/1")
    assert first.reached_at == (NOW - DAY, NOW + 2 * DAY, NOW + 3 * DAY, None, None)
    assert (second.cycle, second.began_at, second.basis) == (2, NOW + 5 * DAY, "n/3")
    again = NOW + 45 * DAY
    assert second.reached_at == (NOW + 5 * DAY, again, again, NOW + 46 * DAY, NOW + 50 * DAY)
    assert [(one.reached, one.conversion, one.median_days) for one in funnel_of([first, second])] == [
        (2, None, None),
        (2, 1.0, 21.5),
        (2, 1.0, 0.5),
        (1, 0.5, 1.0),
        (1, 1.0, 4.0),
    ]


def test_a_lead_without_events_has_one_run() -> None:
    """Nobody scored it; a score that lifts nothing still says who decided."""
    (run,) = runs_of("L1", fold_events([], created_at=NOW), created_at=NOW)
    assert (run.reached_at, run.basis) == ((NOW, None, None, None, None), "")
    (scored,) = runs_of("L1", fold_events([event(1, EventKind.SCORED, 1.0, Stage.LEAD)]), created_at=NOW)
    assert scored.basis == "m/1"


@st.composite
def runs(draw: st.DrawFn) -> Run:
    """Draw a run that came some way."""
    far = draw(st.integers(0, 4))
    gaps = draw(st.lists(st.integers(0, 40), min_size=far, max_size=far))
    reached: list[datetime | None] = [NOW]
    for gap in gaps:
        reached.append((reached[-1] or NOW) + gap * DAY)
    reached += [None] * (4 - far)
    return Run(
        lead_id=draw(st.sampled_from("abc")),
        cycle=1,
        began_at=NOW,
        reached_at=tuple(reached),
        basis=draw(st.sampled_from(["x", "y", "z"])),
    )


@given(st.lists(runs(), max_size=12))
def test_steps_are_counts_of_runs(known: list[Run]) -> None:
    """Counted one by one; the median is the library's."""
    for place, step in enumerate(funnel_of(known)):
        here = [run for run in known if run.reached_at[place]]
        before = [run for run in known if place and run.reached_at[place - 1]]
        assert (step.stage, step.reached) == (STEPS[place], len(here))
        assert step.conversion == (len(here) / len(before) if before else None)
        gaps = [(run.reached_at[place] or NOW) - (run.reached_at[place - 1] or NOW) for run in here if place]
        assert step.median_days == (statistics.median(gap / DAY for gap in gaps) if gaps else None)


@given(st.lists(runs(), max_size=9), st.lists(runs(), max_size=9), st.integers(1, 4))
def test_the_parts_of_a_change_add_up(before: list[Run], after: list[Run], place: int) -> None:
    """Mix and rate of all groups together are the change; nothing is left over."""
    parts = what_changed(before, after, place=place, group_of=lambda run: run.basis)
    was, now = (funnel_of(each)[place].conversion for each in (before, after))
    if was is None or now is None:
        assert parts == ()
    else:
        assert abs(sum(one.mix + one.rate for one in parts) - (now - was)) < 1e-9
        assert sum(one.before for one in parts) == funnel_of(before)[place - 1].reached
        assert sum(one.after for one in parts) == funnel_of(after)[place - 1].reached


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30))
def test_quantiles_are_the_usual_ones(values: list[float]) -> None:
    """As the standard library's inclusive ones; one value is its own quantile."""
    ninth = statistics.quantiles(values, n=10, method="inclusive")[8]
    found = quantile(values, 0.9)
    assert found is not None
    assert abs(found - ninth) <= 1e-9 * max(1.0, abs(ninth))
    assert (quantile([], 0.9), quantile([3.0], 0.9)) == (None, 3.0)
