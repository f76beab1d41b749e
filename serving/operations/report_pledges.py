"""Report the pledges of both sides for a period: what was promised, what is due, what was reached."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import fsum
from zoneinfo import ZoneInfo

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from features.words.reasons import Language
from serving.db.session import read_transaction
from serving.lead_lives import LeadLife, read_lives, read_scores
from serving.operations.active_policy import policy_in_force
from serving.periods import ReportPeriod
from serving.planned_figures import planned_figures
from serving.reports import Figure, Report, judged_at, new_figure, new_report
from serving.worked_sqls import ReportedSql, sqls_between
from sla.attainment import CaseState, WorkedSql, answered_in_time, followed_up, tried_enough
from sla.funnel import STEPS, runs_of
from sla.goal import Period
from sla.lifecycle import EventKind, LeadEvent
from sla.pledges import Cases, CountProgress, ShareProgress, judge_amount, judge_share
from sla.policy import Policy
from sla.stages import Side, Stage
from sla.words_reports import NOTHING_PLEDGED, label_of, pledge_status_text

SHARES: tuple[tuple[str, Callable[[WorkedSql], CaseState]], ...] = (
    ("answered_in_time", answered_in_time),
    ("least_attempts", tried_enough),
    ("followed_up", followed_up),
)
STATES = (CaseState.KEPT, CaseState.MISSED, CaseState.PENDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A lead that reached the pledged stage, and the chance it came with; None when it was never scored."""

    lead_id: str
    probability: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked: the period, as known when, held against which policy, in which language."""

    period: ReportPeriod
    policy: Policy | None
    now: datetime
    lang: Language

    @property
    def span(self) -> Period:
        """The days of the period."""
        return Period(self.period.first, self.period.last)

    def today(self) -> date:
        """Return the day it is in the zone of the period."""
        return self.now.astimezone(ZoneInfo(self.period.zone)).date()


def report_pledges(database: Engine, period: ReportPeriod, *, now: datetime, lang: Language) -> Report:
    """Return both sides' pledges as the policy in force at the end of the period, or now, makes them."""
    asked = Question(
        period=period, policy=policy_in_force(database, at=judged_at(period, now)), now=now, lang=lang
    )
    stage = Stage.MQL
    pledges = None if asked.policy is None else asked.policy.pledges
    if pledges is not None:
        stage = pledges.marketing.stage
    with read_transaction(database) as session:
        arrivals = _arrivals(session, period, stage, now)
        sqls = sqls_between(session, period.since, period.until, now=now)
        planned = planned_figures(session, period, now=now, lang=lang)
    figures = [*_marketing(asked, stage, arrivals), *_sales(asked, sqls), *planned]
    said = () if pledges is not None else (NOTHING_PLEDGED.in_language(lang),)
    return new_report(
        "pledges", figures, period=period, policy=asked.policy, now=now, lang=lang, sentences=said
    )


def _arrivals(session: Session, period: ReportPeriod, stage: Stage, now: datetime) -> tuple[Arrival, ...]:
    """Return each lead that reached a stage or a higher one in the period, once, by its first arrival."""
    found: list[tuple[LeadLife, datetime]] = []
    for life in read_lives(session, since=period.since, until=period.until):
        runs = runs_of(life.lead_id, life.state_at(now), created_at=life.created_at)
        instants = (run.reached_at[STEPS.index(stage)] for run in runs)
        arrived = [at for at in instants if at is not None and period.holds(at)]
        if arrived:
            found.append((life, arrived[0]))
    telling = {life.lead_id: _telling_score(life, at) for life, at in found}
    scores = read_scores(session, (one for one in telling.values() if one is not None))
    known = {lead_id: scores.get("" if one is None else one.event_id) for lead_id, one in telling.items()}
    return tuple(
        Arrival(lead_id=lead_id, probability=None if facts is None else facts.probability)
        for lead_id, facts in known.items()
    )


def _telling_score(life: LeadLife, arrived_at: datetime) -> LeadEvent | None:
    """Return the score a lead arrived with: the newest until then."""
    scores = (one for one in life.events if one.kind is EventKind.SCORED and one.occurred_at <= arrived_at)
    return max(scores, key=lambda one: (one.occurred_at, one.event_id), default=None)


def _marketing(asked: Question, stage: Stage, arrivals: Sequence[Arrival]) -> Iterator[Figure]:
    pledge = None if asked.policy is None or asked.policy.pledges is None else asked.policy.pledges.marketing
    wins = fsum(one.probability or 0.0 for one in arrivals)
    for name, unit, amount, reached in (
        ("leads", "leads", None if pledge is None else pledge.leads, len(arrivals)),
        ("expected_wins", "wins", None if pledge is None else pledge.expected_wins, wins),
    ):
        stands = _judged_amount(asked, amount, reached)
        yield new_figure(
            Side.MARKETING.value,
            name,
            reached,
            unit,
            label=label_of(name, asked.lang, stage=stage),
            lang=asked.lang,
            lead_ids=(one.lead_id for one in arrivals),
            target=None if stands is None else stands.promised,
            due=None if stands is None else stands.due,
            status="" if stands is None else stands.status.value,
            status_text="" if stands is None else pledge_status_text(stands.status, asked.lang),
        )
    unscored = [one.lead_id for one in arrivals if one.probability is None]
    label = label_of("without_score", asked.lang)
    yield new_figure(
        Side.MARKETING.value,
        "leads.without_score",
        len(unscored),
        "leads",
        label=label,
        lang=asked.lang,
        lead_ids=unscored,
    )


def _judged_amount(asked: Question, amount: float | None, reached: float) -> CountProgress | None:
    if asked.policy is None or asked.policy.pledges is None or amount is None:
        return None
    return judge_amount(
        amount,
        reached,
        kind=asked.policy.pledges.period,
        span=asked.span,
        hours=asked.policy.hours_of(Side.MARKETING),
        today=asked.today(),
    )


def _sales(asked: Question, sqls: Sequence[ReportedSql]) -> Iterator[Figure]:
    for name, judge in SHARES:
        states = {state: [one.lead_id for one in sqls if judge(one.work) is state] for state in STATES}
        cases = [sum(judge(one.work) is state for one in sqls) for state in STATES]
        stands = _judged_share(asked, name, Cases(*cases))
        yield new_figure(
            Side.SALES.value,
            name,
            Cases(*cases).share,
            "share",
            label=label_of(name, asked.lang),
            lang=asked.lang,
            lead_ids=[*states[CaseState.KEPT], *states[CaseState.MISSED]],
            target=None if stands is None else stands.promised,
            status="" if stands is None else stands.status.value,
            status_text="" if stands is None else pledge_status_text(stands.status, asked.lang),
        )
        for state, count in zip(STATES, cases, strict=True):
            yield new_figure(
                Side.SALES.value,
                f"{name}.{state}",
                count,
                "sqls",
                label=label_of(state.value, asked.lang, of=name),
                lang=asked.lang,
                lead_ids=states[state],
            )


def _judged_share(asked: Question, name: str, cases: Cases) -> ShareProgress | None:
    if asked.policy is None or asked.policy.pledges is None:
        return None
    promised = getattr(asked.policy.pledges.sales, name)
    heals = name == "followed_up"
    return judge_share(promised, cases, span=asked.span, today=asked.today(), misses_heal=heals)
