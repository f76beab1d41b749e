"""The reports of pledges and load, as the OpenAPI document describes them: one schema for all of them."""

from serving.api.examples import Example
from serving.api.fields import Field, Kind
from serving.api.operation import KEY_PROBLEMS, Operation
from serving.api.reports_pledges import parameters_of
from serving.keys import Scope


def _said(name: str, about: str) -> Field:
    return Field(name=name, kind=Kind.TEXT, about=about, required=True, longest=10_000)


def _number(name: str, about: str) -> Field:
    return Field(name=name, kind=Kind.NUMBER, about=about, required=True, nullable=True)


FIGURE = Field(
    name="",
    kind=Kind.OBJECT,
    schema="Figure",
    about="One number of a report, with the leads behind it.",
    fields=(
        _said("key", "Its stable key, unique in the report."),
        _said(
            "section", "For whom it holds: a side, everyone, or one group such as persona=technical_buyer."
        ),
        _said("label", "What it is, in words."),
        _said(
            "unit", "Its unit: leads, sqls, deals, share, points, days, hours, business_minutes, money, ..."
        ),
        _number("value", "The number; null where there is none."),
        _said("text", "The same in words, with its unit."),
        _number("target", "What was promised or is wanted; null where nothing is."),
        _number("due", "What of it was due until yesterday, by working days."),
        _number("before", "The same number of the period before, as it stood at the same point."),
        _said(
            "status", "How a promise stands: kept, on_track, behind, broken, cannot_be_told_yet; else empty."
        ),
        _said("status_text", "The same in words."),
        Field(
            name="leads",
            kind=Kind.LIST,
            about="The first leads behind the number, by id.",
            required=True,
            items=_said("", "A lead's id."),
        ),
        Field(
            name="leads_total",
            kind=Kind.INTEGER,
            about="How many leads are behind it in all.",
            required=True,
            least=0,
        ),
    ),
)

REPORT = Field(
    name="",
    kind=Kind.OBJECT,
    schema="Report",
    about="A report of both teams as it is known now.",
    fields=(
        _said("report", "Which report."),
        _said("title", "Its title."),
        Field(name="first", kind=Kind.TEXT, about="First day; null: now.", required=True, nullable=True),
        Field(name="last", kind=Kind.TEXT, about="Last day; null: now.", required=True, nullable=True),
        _said("zone", "The time zone in which days are counted."),
        Field(name="as_of", kind=Kind.TIME, about="When it was counted.", required=True),
        _said("policy_version", "The agreement it is held against; empty when none was in force."),
        Field(
            name="sentences",
            kind=Kind.LIST,
            about="What figures alone do not say.",
            required=True,
            items=_said("", "A sentence."),
        ),
        Field(name="figures", kind=Kind.LIST, about="The figures.", required=True, items=FIGURE),
        _said("next_after", "Send it as `after` for the next leads of this figure; empty on the last page."),
    ),
)

REPORT_EXAMPLE: Example = {
    "report": "pledges",
    "title": "What both sides promised",
    "first": "2026-11-01",
    "last": "2026-11-30",
    "zone": "Europe/Berlin",
    "as_of": "2026-11-23T09:00:00Z",
    "policy_version": "3",
    "sentences": [],
    "figures": [
        {
            "key": "marketing/leads",
            "section": "marketing",
            "label": "Leads that became MQL",
            "unit": "leads",
            "value": 47,
            "text": "47",
            "target": 60.0,
            "due": 42.86,
            "before": None,
            "status": "on_track",
            "status_text": "on track",
            "leads": ["L1", "L2"],
            "leads_total": 47,
        }
    ],
    "next_after": "",
}


def _report(name: str, summary: str, about: str) -> Operation:
    return Operation(
        method="get",
        path=f"/v1/reports/{name}",
        operation_id=f"report{name.capitalize()}",
        summary=summary,
        about=f"{about} With `figure`, only that figure, and its leads page by page.",
        answer=REPORT,
        answer_example=REPORT_EXAMPLE,
        problems=(422, *KEY_PROBLEMS),
        scope=Scope.READ,
        takes_language=True,
        parameters=parameters_of(name),
    )


PLEDGE_REPORT_OPERATIONS = (
    _report(
        "funnel",
        "The funnel",
        "How far the leads of a period came, how fast, and what changed since the period before: by another "
        "mix or by another share within cycles, personas, sources, models and policies.",
    ),
    _report(
        "pledges",
        "The pledges of both sides",
        "What marketing and sales promised for a period, what is due by working days, what was kept; what "
        "became of the deals that were planned to close in it.",
    ),
    _report(
        "response",
        "Response times",
        "The share of SQLs answered in time, and the lags of system and seller apart, in working minutes.",
    ),
    _report(
        "workload",
        "How loaded sales is",
        "Work that lies there now, work expected within a week, and the capacity of that week.",
    ),
    _report(
        "goal",
        "The joint goal",
        "How the joint goal stands: shares of baseline and period, the change with its interval, the status.",
    ),
)
