"""The reports of pledges and load by name, for whoever asks for them: the API and the command line."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from features.history.store import History
from features.words.reasons import Language
from serving.operations.report_funnel import report_funnel
from serving.operations.report_goal import report_goal
from serving.operations.report_pledges import report_pledges
from serving.operations.report_response import report_response
from serving.operations.report_workload import report_workload
from serving.periods import ReportPeriod
from serving.reports import Report

USUAL_SOURCE = "source"
"""The attribute by which sources are told apart, unless another is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReportQuestion:
    """What is asked of which workspace; `per_person` is the operator's switch, not the caller's."""

    database: Engine
    history: History
    period: ReportPeriod
    now: datetime
    lang: Language
    per_person: bool = False
    source: str = USUAL_SOURCE


def _funnel(asked: ReportQuestion) -> Report:
    return report_funnel(
        asked.database,
        asked.period,
        source=asked.source,
        history=asked.history,
        now=asked.now,
        lang=asked.lang,
    )


def _pledges(asked: ReportQuestion) -> Report:
    return report_pledges(asked.database, asked.period, now=asked.now, lang=asked.lang)


def _response(asked: ReportQuestion) -> Report:
    return report_response(
        asked.database, asked.period, per_person=asked.per_person, now=asked.now, lang=asked.lang
    )


def _workload(asked: ReportQuestion) -> Report:
    return report_workload(asked.database, per_person=asked.per_person, now=asked.now, lang=asked.lang)


def _goal(asked: ReportQuestion) -> Report:
    return report_goal(asked.database, history=asked.history, now=asked.now, lang=asked.lang)


REPORTS: dict[str, Callable[[ReportQuestion], Report]] = {
    "funnel": _funnel,
    "pledges": _pledges,
    "response": _response,
    "workload": _workload,
    "goal": _goal,
}
OF_NOW = ("workload", "goal")
"""The reports that have no period of the asker's."""
