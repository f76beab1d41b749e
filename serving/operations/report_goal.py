"""Report how the joint goal of both teams stands, with the cases behind baseline and period."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from features.history.store import History
from features.words.reasons import Language
from serving.db.session import read_transaction
from serving.goal_cases import GoalCases, goal_cases
from serving.operations.active_policy import policy_in_force
from serving.periods import ReportPeriod
from serving.reports import Figure, Report, new_figure, new_report
from sla.goal import Goal, GoalProgress, Period, measure_goal
from sla.policy import Policy
from sla.words_goal import goal_sentences, status_text
from sla.words_reports import NO_GOAL, label_of


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredGoal:
    """The cases of baseline and period, and how the goal stands by them."""

    baseline: GoalCases
    period: GoalCases
    progress: GoalProgress


def report_goal(database: Engine, *, history: History, now: datetime, lang: Language) -> Report:
    """Return the joint goal of the policy in force at `now`; without one there is nothing to count."""
    policy = policy_in_force(database, at=now)
    if policy is None or policy.goal is None:
        said = (NO_GOAL.in_language(lang),)
        return new_report("goal", (), period=None, policy=policy, now=now, lang=lang, sentences=said)
    return _measured(database, history, policy, policy.goal, now=now, lang=lang)


def measure_cases(
    session: Session | None, history: History, goal: Goal, *, zone: str, now: datetime
) -> MeasuredGoal:
    """Count and measure a joint goal at `now`; without a session by what was imported."""
    periods = [_report_period(each, zone) for each in (goal.baseline, goal.period)]
    baseline, period = goal_cases(session, history, goal.metric, periods, now=now)
    today = now.astimezone(ZoneInfo(zone)).date()
    progress = measure_goal(goal, baseline.share, period.share, today=today)
    return MeasuredGoal(baseline=baseline, period=period, progress=progress)


def _measured(
    database: Engine, history: History, policy: Policy, goal: Goal, *, now: datetime, lang: Language
) -> Report:
    with read_transaction(database) as session:
        measured = measure_cases(session, history, goal, zone=policy.hours.zone, now=now)
    baseline, period, progress = measured.baseline, measured.period, measured.progress
    figures = [
        *_cases("baseline", baseline, lang),
        *_cases("period", period, lang),
        *_progress(progress, lang),
    ]
    return new_report(
        "goal",
        figures,
        period=_report_period(goal.period, policy.hours.zone),
        policy=policy,
        now=now,
        lang=lang,
        sentences=goal_sentences(goal, progress, lang),
    )


def _cases(section: str, cases: GoalCases, lang: Language) -> Iterator[Figure]:
    for name, unit, value, leads in (
        ("won", "cases", cases.share.won, cases.won),
        ("cases", "cases", cases.share.cases, cases.cases),
        ("rate_of_goal", "share", cases.share.rate, cases.cases),
    ):
        yield new_figure(section, name, value, unit, label=label_of(name, lang), lang=lang, lead_ids=leads)


def _progress(progress: GoalProgress, lang: Language) -> Iterator[Figure]:
    for name, unit, value in (
        ("change_of_goal", "points", progress.change),
        ("change_low", "points", progress.change_interval.low),
        ("change_high", "points", progress.change_interval.high),
        ("target_change", "points", progress.target_change),
        ("cases_needed", "cases", progress.cases_needed),
    ):
        is_answer = name == "change_of_goal"
        yield new_figure(
            "goal",
            name,
            value,
            unit,
            label=label_of(name, lang),
            lang=lang,
            target=progress.target_change if is_answer else None,
            status=progress.status.value if is_answer else "",
            status_text=status_text(progress.status, lang) if is_answer else "",
        )


def _report_period(period: Period, zone: str) -> ReportPeriod:
    return ReportPeriod(first=period.first, last=period.last, zone=zone)
