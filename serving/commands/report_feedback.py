"""`leadpact report losses`, `wins` and `content`: what both teams learn from how leads ended, as lines."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

from features.errors import InputError
from serving.console import print_json, show
from serving.settings import Settings
from sla import words_ends as words
from sla.texts import Text
from sla.words_numbers import date_text, scalar_text

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from features.words.reasons import Language
    from serving.operations.read_content import ContentReport
    from serving.operations.read_losses import GroupView, LossReport
    from serving.operations.read_wins import WinReport
    from serving.periods import ReportPeriod
    from serving.report_views import CountView, LeadPage

FEEDBACK_NAMES = ("losses", "wins", "content")


def print_feedback(
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
    """Print one of the reports; with the key of a number only the leads behind it."""
    from features.history.store import History
    from serving.operations.read_content import read_content
    from serving.operations.read_losses import read_losses
    from serving.operations.read_wins import read_wins
    from serving.report_views import MOST_LEADS, LeadsAsked

    history = History(settings.workspace.history_dir)
    asked = LeadsAsked(key=key or "", limit=MOST_LEADS)
    report: LossReport | WinReport | ContentReport
    if name == "losses":
        report = read_losses(database, history, period, asked, now=now, lang=lang)
        lines = _losses(report, lang)
    elif name == "wins":
        report = read_wins(database, history, period, asked, now=now, lang=lang)
        lines = _wins(report, lang)
    else:
        report = read_content(database, history, period, asked, now=now, lang=lang)
        lines = _content(report, lang)
    if key is not None and report.leads is None:
        raise InputError(f"--figure must be the key of a number of this report; got {key!r}")
    if as_json:
        print_json(asdict(report))
    else:
        show("\n".join(lines if report.leads is None else _leads(report.leads)))


def _losses(report: "LossReport", lang: "Language") -> Iterator[str]:
    yield _counted(_titled(words.LOSSES, report, lang), report.total, lang)
    yield f"  {_counted(words.BAD_DATA.in_language(lang), report.bad_data, lang)}"
    yield f"{words.BY_GROUP.in_language(lang)}:"
    for group in report.groups:
        yield f"  {_counted(group.label, group.counted, lang)}{_asked(group, lang)}"
    yield f"{words.BY_REASON.in_language(lang)}:"
    for reason in report.reasons:
        if reason.counted.count or reason.counted.before:
            yield f"  {_counted(reason.label, reason.counted, lang)}"
    for one in report.unmapped_texts:
        yield "  " + words.UNMAPPED_TEXT.in_language(lang).format(text=one.text, count=one.count)


def _asked(group: "GroupView", lang: "Language") -> str:
    """Return who has to answer until when; nothing when nothing is open."""
    question = group.question
    if question is None:
        return ""
    due = "–" if question.due_at is None else question.due_at.isoformat(timespec="minutes")
    owner = group.owner or words.NOBODY.in_language(lang)
    return "; " + words.ANSWER_DUE.in_language(lang).format(owner=owner, status=question.text, due=due)


def _wins(report: "WinReport", lang: "Language") -> Iterator[str]:
    yield _counted(_titled(words.WINS, report, lang), report.total, lang)
    amounts = (scalar_text(report.amount, lang), scalar_text(report.amount_before, lang))
    yield "  " + words.AMOUNT.in_language(lang).format(amount=amounts[0], before=amounts[1])
    for win in report.wins:
        yield "  " + words.WIN.in_language(lang).format(
            lead=win.lead_id,
            day=date_text(win.won_at.date(), lang),
            persona=words.known(win.persona, lang),
            source=words.known(win.source, lang),
            owner=words.known(win.owner, lang),
            content=", ".join(touch.asset for touch in win.content) or words.NOTHING.in_language(lang),
        )


def _content(report: "ContentReport", lang: "Language") -> Iterator[str]:
    yield _counted(_titled(words.CONTENT, report, lang), report.notes, lang)
    for title, is_backlog in ((words.BACKLOG, True), (words.ANSWERED, False)):
        yield f"{title.in_language(lang)}:"
        for one in report.objections:
            if one.is_backlog is is_backlog and one.counted.count:
                who = words.OBJECTION.in_language(lang).format(
                    label=one.label, persona=words.known(one.persona, lang), stage=one.stage_label
                )
                yield "  " + "; ".join([_counted(who, one.counted, lang), *one.content])
    yield f"{words.BEFORE_ENDS.in_language(lang)}:"
    for row in report.content:
        yield "  " + words.TOUCHED.in_language(lang).format(
            content=row.content,
            persona=words.known(row.persona, lang),
            stage=row.stage_label,
            won=row.won.count,
            lost=row.lost.count,
        )


def _leads(page: "LeadPage") -> Iterator[str]:
    yield from page.lead_ids
    if page.next_after:
        yield "…"


def _titled(title: Text, report: "LossReport | WinReport | ContentReport", lang: "Language") -> str:
    return f"{title.in_language(lang)} ({report.period.first} – {report.period.last})"


def _counted(label: str, counted: "CountView", lang: "Language") -> str:
    return words.counted_text(label, counted.count, counted.before, lang)
