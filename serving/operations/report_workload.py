"""Report how loaded sales is: work that lies there, what is expected within a week, and the capacity."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from features.words.reasons import Language
from serving.db.session import read_transaction
from serving.db.tables_leads import HandoverRow
from serving.operations.active_policy import policy_in_force
from serving.reports import Figure, Report, new_figure, new_report
from serving.worked_sqls import ReportedSql, all_absences, running_sqls
from sla.attainment import attempts_owed
from sla.away import Absence
from sla.handover import Direction
from sla.load import RATE_WEEKS, WEEK, SellerLoad, presence_of, seller_load
from sla.policy import Policy
from sla.stages import Side
from sla.words_reports import NO_CAPACITY, label_of

FIGURES = (
    ("new_sqls_expected", "wins"),
    ("hours_now", "hours"),
    ("hours_next_week", "hours"),
    ("capacity_hours", "hours"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """The SQLs that came lately, and over how many weeks they are spread."""

    lead_ids: tuple[str, ...]
    weeks: float


def report_workload(database: Engine, *, per_person: bool, now: datetime, lang: Language) -> Report:
    """Return the load of the sales team at `now`; of each person only where the operator allows it."""
    policy = policy_in_force(database, at=now)
    with read_transaction(database) as session:
        running = running_sqls(session, now=now)
        arrivals = _arrivals(session, now)
        absences = all_absences(session)
    figures = [*_team(policy, running, arrivals, absences, now=now, lang=lang)]
    for person in sorted({one.owner for one in running if one.owner}) if per_person else ():
        figures += _work(f"person={person}", [one for one in running if one.owner == person], lang)
    said = () if policy is not None and policy.capacity is not None else (NO_CAPACITY.in_language(lang),)
    return new_report("workload", figures, period=None, policy=policy, now=now, lang=lang, sentences=said)


def _arrivals(session: Session, now: datetime) -> Arrivals:
    """Return the SQLs of the last weeks; of a younger service, those since its first, of a week at least."""
    is_to_sales = HandoverRow.direction == Direction.TO_SALES.value
    first = session.scalar(select(func.min(HandoverRow.created_at)).where(is_to_sales))
    weeks = RATE_WEEKS if first is None else min(RATE_WEEKS, max(1.0, (now - first) / WEEK))
    is_recent = (HandoverRow.created_at > now - weeks * WEEK) & (HandoverRow.created_at <= now)
    found = session.scalars(select(HandoverRow.lead_id).where(is_to_sales & is_recent))
    return Arrivals(lead_ids=tuple(found), weeks=weeks)


def _team(
    policy: Policy | None,
    running: Sequence[ReportedSql],
    arrivals: Arrivals,
    absences: tuple[Absence, ...],
    *,
    now: datetime,
    lang: Language,
) -> Iterator[Figure]:
    load = _load(policy, running, arrivals, absences, now)
    yield from _work(Side.SALES.value, running, lang)
    for name, unit in FIGURES:
        leads = arrivals.lead_ids if name == "new_sqls_expected" else [one.lead_id for one in running]
        label, value = label_of(name, lang), getattr(load, name)
        yield new_figure(Side.SALES.value, name, value, unit, label=label, lang=lang, lead_ids=leads)
    label = label_of("load", lang)
    yield new_figure(Side.SALES.value, "load", load.share, "share", label=label, lang=lang)


def _load(
    policy: Policy | None,
    running: Sequence[ReportedSql],
    arrivals: Arrivals,
    absences: tuple[Absence, ...],
    now: datetime,
) -> SellerLoad:
    presence, least = 1.0, 0
    if policy is not None:
        people: tuple[str, ...] = () if policy.routing is None else policy.routing.people
        least = policy.attempts.least
        presence = presence_of(policy.hours_of(Side.SALES), absences, people=people, now=now)
    return seller_load(
        None if policy is None else policy.capacity,
        open_sqls=len(running),
        attempts_owed=sum(attempts_owed(one.work) for one in running),
        new_sqls=len(arrivals.lead_ids),
        weeks=arrivals.weeks,
        attempts_per_sql=least,
        presence=presence,
    )


def _work(section: str, running: Sequence[ReportedSql], lang: Language) -> Iterator[Figure]:
    owing = [one for one in running if attempts_owed(one.work)]
    for name, unit, value, sqls in (
        ("open_sqls", "sqls", len(running), running),
        ("attempts_owed", "attempts", sum(attempts_owed(one.work) for one in owing), owing),
    ):
        leads = (one.lead_id for one in sqls)
        yield new_figure(section, name, value, unit, label=label_of(name, lang), lang=lang, lead_ids=leads)
