"""Report the funnel: how far the leads of a period came, how fast, and what changed since the one before."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from features.history.store import History
from features.words.reasons import Language
from serving.db.session import read_transaction
from serving.lead_lives import LeadLife, read_attribute, read_lives, read_scores
from serving.lead_work import policy_version_of
from serving.operations.active_policy import policy_in_force
from serving.periods import ReportPeriod
from serving.reports import Figure, Report, judged_at, new_figure, new_report
from sla.funnel import STEPS, FunnelStep, GroupChange, Run, funnel_of, runs_of, what_changed
from sla.lifecycle import EventKind
from sla.words_reports import LIKE_FOR_LIKE, label_of

ALL, NONE, OTHERS = "all", "-", "(others)"
MOST_GROUPS = 20
"""So many groups of one kind are told apart; the rest is one group, so that the parts still add up."""

Group = Callable[[Run], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoPeriods:
    """The runs that began in a period, and those of the period before as they stood at the same point."""

    now: tuple[Run, ...]
    before: tuple[Run, ...]

    def by(self, group_of: Group) -> Mapping[str, "TwoPeriods"]:
        """Return the runs of each group, by its name."""
        now, before = (_grouped(runs, group_of) for runs in (self.now, self.before))
        return {
            group: TwoPeriods(now=tuple(now.get(group, ())), before=tuple(before.get(group, ())))
            for group in sorted(now.keys() | before.keys())
        }


def report_funnel(
    database: Engine,
    period: ReportPeriod,
    *,
    source: str,
    history: History,
    now: datetime,
    lang: Language,
) -> Report:
    """Return the funnel of the runs that began in a period; also by cycle, persona, source, model, policy.

    `source` names the attribute by which sources are told apart. The period before is cut where this one is.
    """
    with read_transaction(database) as session:
        lives = read_lives(session, since=period.before.since, until=period.until)
        runs = _two_periods(lives, period, now)
        groups = _groups(session, history, lives, runs, source)
    figures = [*_section(ALL, runs, {}, lang)]
    for name, group_of in groups.items():
        figures += _sections(name, runs, group_of, lang)
    policy = policy_in_force(database, at=judged_at(period, now))
    said = (LIKE_FOR_LIKE.in_language(lang),)
    return new_report("funnel", figures, period=period, policy=policy, now=now, lang=lang, sentences=said)


def _two_periods(lives: tuple[LeadLife, ...], period: ReportPeriod, now: datetime) -> TwoPeriods:
    earlier = now - (period.since - period.before.since)
    return TwoPeriods(now=_runs(lives, period, now), before=_runs(lives, period.before, earlier))


def _runs(lives: tuple[LeadLife, ...], period: ReportPeriod, as_of: datetime) -> tuple[Run, ...]:
    return tuple(
        run
        for life in lives
        if life.created_at <= as_of
        for run in runs_of(life.lead_id, life.state_at(as_of), created_at=life.created_at)
        if period.holds(run.began_at)
    )


def _groups(
    session: Session, history: History, lives: tuple[LeadLife, ...], runs: TwoPeriods, source: str
) -> Mapping[str, Group]:
    """Return by what runs are told apart, each with the group of a run."""
    all_runs = (*runs.now, *runs.before)
    personas = {life.lead_id: life.persona for life in lives}
    sources = read_attribute(session, history, source, {run.lead_id for run in all_runs})
    scored = {one.basis: one for life in lives for one in life.events if one.kind is EventKind.SCORED}
    facts = read_scores(session, scored.values())
    models = {
        basis: facts[one.event_id].model_version for basis, one in scored.items() if one.event_id in facts
    }
    groups: dict[str, Group] = {
        "cycle": lambda run: str(run.cycle),
        "persona": lambda run: personas[run.lead_id],
        "source": lambda run: sources[run.lead_id],
        "model": lambda run: models.get(run.basis, ""),
        "policy": lambda run: str(policy_version_of(run.basis)) if run.basis else "",
    }
    return {name: _largest(group_of, all_runs) for name, group_of in groups.items()}


def _largest(group_of: Group, runs: tuple[Run, ...]) -> Group:
    """Return the same groups, those beyond the largest as one; a run without any is its own."""
    groups = {(run.lead_id, run.cycle): group_of(run) for run in runs}
    counts = Counter(groups.values())
    kept = set(sorted(counts, key=lambda group: (-counts[group], group))[:MOST_GROUPS])
    named = {run: (group or NONE) if group in kept else OTHERS for run, group in groups.items()}
    return lambda run: named[run.lead_id, run.cycle]


def _grouped(runs: tuple[Run, ...], group_of: Group) -> Mapping[str, list[Run]]:
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(group_of(run), []).append(run)
    return groups


def _sections(name: str, runs: TwoPeriods, group_of: Group, lang: Language) -> Iterator[Figure]:
    """Yield a section for each group, with what it adds to the change of every step."""
    changes = {
        (place, part.group): part
        for place in range(1, len(STEPS))
        for part in what_changed(runs.before, runs.now, place=place, group_of=group_of)
    }
    for group, own in runs.by(group_of).items():
        parts = {place: part for (place, other), part in changes.items() if other == group}
        yield from _section(f"{name}={group}", own, parts, lang)


def _section(
    section: str, runs: TwoPeriods, parts: Mapping[int, GroupChange], lang: Language
) -> Iterator[Figure]:
    now, before = funnel_of(runs.now), funnel_of(runs.before)
    for place, step in enumerate(now):
        yield from _step(section, runs.now, place, step, before[place], lang)
        if place and section == ALL:
            yield _change(section, "change", step, _difference(step, before[place]), runs.now, lang)
        elif place in parts:
            yield _change(section, "mix", step, parts[place].mix, runs.now, lang)
            yield _change(section, "rate", step, parts[place].rate, runs.now, lang)


def _step(
    section: str, runs: tuple[Run, ...], place: int, step: FunnelStep, before: FunnelStep, lang: Language
) -> Iterator[Figure]:
    """Yield the figures of one step; behind a share are all leads of the step before."""
    here, cases = _leads_at(runs, place), _leads_at(runs, max(0, place - 1))
    figures = [("reached", "leads", here), ("conversion", "share", cases), ("median_days", "days", here)]
    for name, unit, lead_ids in figures if place else figures[:1]:
        yield new_figure(
            section,
            f"{step.stage}.{name}",
            getattr(step, name),
            unit,
            label=label_of(name, lang, stage=step.stage),
            lang=lang,
            lead_ids=lead_ids,
            before=getattr(before, name),
        )


def _change(
    section: str, name: str, step: FunnelStep, value: float | None, runs: tuple[Run, ...], lang: Language
) -> Figure:
    return new_figure(
        section,
        f"{step.stage}.{name}",
        value,
        "points",
        label=label_of(name, lang, stage=step.stage),
        lang=lang,
        lead_ids=_leads_at(runs, STEPS.index(step.stage) - 1),
    )


def _difference(step: FunnelStep, before: FunnelStep) -> float | None:
    if step.conversion is None or before.conversion is None:
        return None
    return step.conversion - before.conversion


def _leads_at(runs: tuple[Run, ...], place: int) -> tuple[str, ...]:
    return tuple(run.lead_id for run in runs if run.has_reached(place))
