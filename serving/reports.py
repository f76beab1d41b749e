"""The form all reports of the pledges share: figures with a key, words, a value, and the leads behind it.

Decides how a report is cut: each figure shows its first leads, and one figure alone can be paged through.
Figures that rate people are left out unless the operator's settings say otherwise (decision 0021).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from features.errors import InputError
from features.words.reasons import Language
from serving.periods import ReportPeriod
from sla.policy import Policy
from sla.words_reports import figure_text, title_of

LONGEST_LEAD_PAGE, USUAL_LEADS = 1_000, 20


class UnknownFigureError(InputError):
    """A report was asked for a figure that it does not have."""

    def __init__(self, report: str, figure: str) -> None:
        super().__init__(f"figure must be the key of a figure of the report {report}; got {figure!r}")
        self.report = report
        self.figure = figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number of a report; the order of the fields is the order in JSON.

    `key` is stable and unique in the report, `section` says for whom it holds. `target` is what was promised,
    `due` what of it was due until yesterday, `before` the same number of the period before; each is None
    where there is none. `leads` are the first of all `leads_total`, by id.
    """

    key: str
    section: str
    label: str
    unit: str
    value: float | None
    text: str
    target: float | None = None
    due: float | None = None
    before: float | None = None
    status: str = ""
    status_text: str = ""
    leads: tuple[str, ...] = ()
    leads_total: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report as it was known at `as_of`; `sentences` say in words what figures alone do not.

    `next_after` asks for the next leads of the one figure that was asked for; empty on the last page.
    """

    report: str
    title: str
    first: date | None
    last: date | None
    zone: str
    as_of: datetime
    policy_version: str
    sentences: tuple[str, ...]
    figures: tuple[Figure, ...]
    next_after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What of a report is asked for: so many leads per figure, or the leads of one figure after one."""

    limit: int = USUAL_LEADS
    figure: str | None = None
    after: str = ""


def cut_report(report: Report, cut: Cut) -> Report:
    """Return the part of a report that was asked for; `UnknownFigureError` for one it does not have."""
    if cut.figure is None:
        shown = tuple(replace(one, leads=one.leads[: cut.limit]) for one in report.figures)
        return replace(report, figures=shown)
    wanted = next((one for one in report.figures if one.key == cut.figure), None)
    if wanted is None:
        raise UnknownFigureError(report.report, cut.figure)
    rest = tuple(lead_id for lead_id in wanted.leads if lead_id > cut.after)
    page = rest[: cut.limit]
    return replace(
        report,
        figures=(replace(wanted, leads=page),),
        next_after=page[-1] if len(page) < len(rest) else "",
    )


def behind(lead_ids: Iterable[str]) -> tuple[str, ...]:
    """Return the leads behind a figure: each once, by id."""
    return tuple(sorted(set(lead_ids)))


def judged_at(period: ReportPeriod, now: datetime) -> datetime:
    """Return the instant whose policy a period is held against: its last one, or now while it runs."""
    return min(now, period.until - timedelta(microseconds=1))


def new_report(
    name: str,
    figures: Iterable[Figure],
    *,
    period: ReportPeriod | None,
    policy: Policy | None,
    now: datetime,
    lang: Language,
    sentences: Iterable[str] = (),
) -> Report:
    """Return a whole report, uncut."""
    return Report(
        report=name,
        title=title_of(name, lang),
        first=None if period is None else period.first,
        last=None if period is None else period.last,
        zone=period.zone if period is not None else policy.hours.zone if policy is not None else "UTC",
        as_of=now,
        policy_version="" if policy is None else str(policy.version),
        sentences=tuple(sentences),
        figures=tuple(figures),
    )


def new_figure(
    section: str,
    name: str,
    value: float | None,
    unit: str,
    *,
    label: str,
    lang: Language,
    lead_ids: Iterable[str] = (),
    target: float | None = None,
    due: float | None = None,
    before: float | None = None,
    status: str = "",
    status_text: str = "",
) -> Figure:
    """Return one figure with its words and the leads behind it."""
    leads = behind(lead_ids)
    return Figure(
        key=f"{section}/{name}",
        section=section,
        label=label,
        unit=unit,
        value=value,
        text=figure_text(value, unit, lang),
        target=target,
        due=due,
        before=before,
        status=status,
        status_text=status_text,
        leads=leads,
        leads_total=len(leads),
    )
