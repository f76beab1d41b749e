"""Read what sellers hear and what content does: objections, and what came before wins and losses."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from features.history.store import History
from features.words.reasons import Language
from serving.db.session import read_transaction
from serving.db.tables_feedback import NoteRow
from serving.ends import ends_between
from serving.periods import ReportPeriod
from serving.reasons import agreed_now
from serving.report_views import (
    MOST_ROWS,
    SHOWN_LEADS,
    CountView,
    LeadPage,
    LeadsAsked,
    Numbers,
    PeriodView,
    by_cell,
    cell_key,
    period_view,
)
from serving.touches import touches_of
from serving.wins import states_of, wins_between
from sla.clauses_feedback import FeedbackRule
from sla.feedback import Tally
from sla.lifecycle import stage_at
from sla.stages import Stage
from sla.words_feedback import objection_name
from sla.words_numbers import stage_name


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectionView:
    """One objection of a persona in a stage: how often it was noted, and which content answered it so far.

    It is in the backlog when no note until the end of the period names content for it.
    """

    objection: str
    label: str
    persona: str
    stage: str
    stage_label: str
    is_backlog: bool
    counted: CountView
    with_content: int
    content: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentView:
    """One content that leads of a persona touched in a stage: before how many wins, and how many losses."""

    content: str
    persona: str
    stage: str
    stage_label: str
    won: CountView
    lost: CountView


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentReport:
    """The whole report; the order of the fields is the order in JSON."""

    period: PeriodView
    before: PeriodView
    notes: CountView
    backlog: int
    objections: tuple[ObjectionView, ...]
    objections_left_out: int
    content: tuple[ContentView, ...]
    content_left_out: int
    leads: LeadPage | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Note:
    """What is counted of a note."""

    lead_id: str
    at: datetime
    cell: tuple[str, str, str]
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Use:
    """A content before the end of a lead: (content, persona, stage), counted once per end."""

    lead_id: str
    cell: tuple[str, str, str]


def read_content(
    database: Engine,
    history: History,
    period: ReportPeriod,
    asked: LeadsAsked,
    *,
    now: datetime,
    lang: Language,
) -> ContentReport:
    """Count objections and content per persona and stage, against the period before."""
    with read_transaction(database) as session:
        rule = agreed_now(session, now=now).rule or FeedbackRule()
        notes = _notes_until(session, period.until)
        heard = [_within(notes, one) for one in (period, period.before)]
        numbers = Numbers()
        objections = _objections(notes, (heard[0], heard[1]), rule, numbers, lang)
        content = _content(session, history, period, rule, numbers, lang)
        return ContentReport(
            period=period_view(period),
            before=period_view(period.before),
            notes=numbers.view("notes", _tally(*heard)),
            backlog=sum(one.is_backlog for one in objections),
            objections=objections[:MOST_ROWS],
            objections_left_out=max(0, len(objections) - MOST_ROWS),
            content=content[:MOST_ROWS],
            content_left_out=max(0, len(content) - MOST_ROWS),
            leads=numbers.page(asked),
        )


def _notes_until(session: Session, until: datetime) -> tuple[_Note, ...]:
    query = select(NoteRow).where(NoteRow.occurred_at < until)
    return tuple(
        _Note(
            lead_id=row.lead_id,
            at=row.occurred_at,
            cell=(row.objection or "", row.persona or "", row.stage),
            content=row.content or "",
        )
        for row in session.scalars(query.order_by(NoteRow.occurred_at, NoteRow.note_id))
    )


def _within(notes: Iterable[_Note], period: ReportPeriod) -> tuple[_Note, ...]:
    since, until = period.since, period.until
    return tuple(one for one in notes if since <= one.at < until)


def _objections(
    notes: Sequence[_Note],
    heard: tuple[tuple[_Note, ...], tuple[_Note, ...]],
    rule: FeedbackRule,
    numbers: Numbers,
    lang: Language,
) -> tuple[ObjectionView, ...]:
    """Return the objections noted in either period: the backlog first, then the most frequent."""
    used = by_cell(((one.cell, one.content) for one in notes if one.content), ())
    found = []
    for cell, (now, before) in by_cell(*(_with_objection(some) for some in heard)).items():
        content = sorted(set(used[cell][0])) if cell in used else []
        counted = numbers.view(cell_key("objection", *cell), _tally(now, before))
        found.append(
            ObjectionView(
                objection=cell[0],
                label=objection_name(rule, cell[0], lang),
                persona=cell[1],
                stage=cell[2],
                stage_label=stage_name(Stage(cell[2]), lang),
                is_backlog=bool(now) and not content,
                counted=counted,
                with_content=sum(bool(one.content) for one in now),
                content=tuple(content[:SHOWN_LEADS]),
            )
        )
    return tuple(sorted(found, key=lambda one: (not one.is_backlog, -one.counted.count, one.counted.key)))


def _with_objection(notes: Iterable[_Note]) -> Iterator[tuple[tuple[str, str, str], _Note]]:
    return ((one.cell, one) for one in notes if one.cell[0])


def _content(
    session: Session,
    history: History,
    period: ReportPeriod,
    rule: FeedbackRule,
    numbers: Numbers,
    lang: Language,
) -> tuple[ContentView, ...]:
    """Return what leads touched before they were won or lost: that before most wins first."""
    won, lost = (
        by_cell(
            *(
                ((use.cell, use) for use in _uses(session, history, one, rule, is_won=is_won))
                for one in (period, period.before)
            )
        )
        for is_won in (True, False)
    )
    nothing: tuple[list[_Use], list[_Use]] = ([], [])
    views = [
        _row(cell, won.get(cell, nothing), lost.get(cell, nothing), numbers, lang)
        for cell in won.keys() | lost.keys()
    ]
    return tuple(sorted(views, key=lambda one: (-one.won.count, -one.lost.count, one.won.key)))


def _row(
    cell: tuple[str, str, str],
    won: tuple[list[_Use], list[_Use]],
    lost: tuple[list[_Use], list[_Use]],
    numbers: Numbers,
    lang: Language,
) -> ContentView:
    return ContentView(
        content=cell[0],
        persona=cell[1],
        stage=cell[2],
        stage_label=stage_name(Stage(cell[2]), lang),
        won=numbers.view(cell_key("won", *cell), _tally(*won)),
        lost=numbers.view(cell_key("lost", *cell), _tally(*lost)),
    )


def _uses(
    session: Session, history: History, period: ReportPeriod, rule: FeedbackRule, *, is_won: bool
) -> tuple[_Use, ...]:
    """Return each content before each end of a period, in the stage the lead was in, once per end."""
    found = (wins_between if is_won else ends_between)(session, period.since, period.until)
    ends = [(one.lead_id, one.at, one.persona or "") for one in found]
    return tuple(_touched(session, history, ends, rule))


def _touched(
    session: Session,
    history: History,
    ends: Sequence[tuple[str, datetime, str]],
    rule: FeedbackRule,
) -> Iterator[_Use]:
    ids = [lead_id for lead_id, _at, _persona in ends]
    known, states = touches_of(session, history, ids, rule), states_of(session, ids)
    look_back = timedelta(days=rule.look_back_days)
    for lead_id, at, persona in ends:
        touches = known[lead_id].content_before(at, look_back)
        for asset, stage in {(one.asset, stage_at(states[lead_id], one.at)) for one in touches}:
            yield _Use(lead_id=lead_id, cell=(asset, persona, stage.value))


def _tally(now: Sequence[_Note | _Use], before: Sequence[_Note | _Use]) -> Tally:
    leads = tuple(sorted({one.lead_id for one in now}))
    return Tally(count=len(now), before=len(before), lead_ids=leads)
