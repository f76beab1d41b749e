"""`leadpact report NAME`: the reports of both teams on the command line, as the API gives them."""

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, cast

import typer

from features.errors import InputError
from serving import clock
from serving.commands.report_feedback import FEEDBACK_NAMES, print_feedback
from serving.console import JsonOption, WorkspaceOption, command_app, print_json, show
from serving.settings import Settings, read_settings
from sla.texts import ENGLISH, LANGUAGES

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from features.words.reasons import Language
    from serving.periods import ReportPeriod
    from serving.reports import Report

app = command_app()
NAMES = ("funnel", "pledges", "response", "workload", "goal", *FEEDBACK_NAMES)


@app.command()
def report(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(NAMES)}.")],
    first: Annotated[str | None, typer.Option("--from", help="First day, such as 2026-11-01.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day; default: the whole month.")] = None,
    figure: Annotated[str | None, typer.Option(help="Only this figure, with all its leads.")] = None,
    lang: Annotated[str, typer.Option("--lang", help="Language: en or de.")] = ENGLISH,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print a report: what both sides promised, how soon they answer, how far leads came."""
    from serving.db.migrate import find_database

    if name not in NAMES:
        raise InputError(f"NAME must be one of {', '.join(NAMES)}; got {name!r}")
    if lang not in LANGUAGES:
        raise InputError(f"--lang must be one of {', '.join(LANGUAGES)}; got {lang!r}")
    settings, language = read_settings(workspace), cast("Language", lang)
    database = find_database(settings.database)
    if database is None:
        raise InputError("this workspace has no database yet: nothing was sent to the service")
    print_one = print_feedback if name in FEEDBACK_NAMES else _print_pledges
    try:
        period, now = _period(database, first, last), clock.now()
        print_one(name, database, settings, period, key=figure, now=now, lang=language, as_json=as_json)
    finally:
        database.dispose()


def _print_pledges(
    name: str,
    database: "Engine",
    settings: Settings,
    period: "ReportPeriod",
    *,
    key: str | None,
    now: datetime,
    lang: "Language",
    as_json: bool,
) -> None:
    """Print a report about pledges; with the key of a figure only that one, with all its leads."""
    from features.history.store import History
    from serving.pledge_reports import REPORTS, ReportQuestion
    from serving.reports import LONGEST_LEAD_PAGE, USUAL_LEADS, Cut, cut_report

    question = ReportQuestion(
        database=database,
        history=History(settings.workspace.history_dir),
        period=period,
        now=now,
        lang=lang,
        per_person=settings.reports_per_person,
    )
    limit = USUAL_LEADS if key is None else LONGEST_LEAD_PAGE
    found = cut_report(REPORTS[name](question), Cut(limit=limit, figure=key))
    if as_json:
        print_json(asdict(found))
    else:
        _show(found, with_leads=key is not None)


def _period(database: "Engine", first: str | None, last: str | None) -> "ReportPeriod":
    """Return the period of the options, by the rules of the API."""
    from serving.api.fields import WrongFieldsError
    from serving.api.periods import PERIOD, read_period

    asked = {name: value for name, value in (("from", first), ("to", last)) if value is not None}
    for parameter in PERIOD:
        value = asked.get(parameter.name)
        if value is not None and (problem := parameter.problem(value)) is not None:
            raise InputError(f"--{parameter.name} {problem}; got {value!r}")
    try:
        return read_period(asked, database, now=clock.now())
    except WrongFieldsError as error:
        raise InputError("--to " + "; ".join(one.rule for one in error.field_problems)) from None


def _show(report: "Report", *, with_leads: bool) -> None:
    """Print title, sentences and a line per figure, under the name of each section."""
    days = "" if report.first is None else f" ({report.first} – {report.last})"
    show(f"{report.title}{days}")
    for sentence in report.sentences:
        show(f"  {sentence}")
    section = None
    for one in report.figures:
        if one.section != section:
            show(f"{one.section}:")
            section = one.section
        told = [one.text, *([f"/ {one.target:g}"] if one.target is not None else []), one.status_text]
        show(f"  {one.label}: {' '.join(part for part in told if part)}")
        for lead_id in one.leads if with_leads else ():
            show(f"    {lead_id}")
