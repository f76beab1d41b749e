"""Read what was won in a period, told to everyone: by whom, from which source, after which content."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from features.history.store import History
from features.words.reasons import Language
from serving.db.session import read_transaction
from serving.periods import ReportPeriod
from serving.reasons import agreed_now
from serving.report_views import (
    MOST_ROWS,
    CountView,
    LeadPage,
    LeadsAsked,
    Numbers,
    PeriodView,
    by_cell,
    cell_key,
    period_view,
)
from serving.touches import UNTOUCHED, LeadTouches, Touch, touches_of
from serving.wins import StoredWin, sellers_of, states_of, wins_between
from sla.clauses_feedback import FeedbackRule
from sla.feedback import NOT_CODED, Dimension, Ended, names_of, tally
from sla.lifecycle import EventKind, LeadState, stage_at
from sla.words_numbers import stage_name

MOST_WINS, MOST_TOUCHES = 100, 30


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchView:
    """Content before a win, with the stage the lead was in."""

    at: datetime
    kind: str
    asset: str
    channel: str
    stage: str
    stage_label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WinView:
    """One win: `touches` is how much content came before it, `content` the newest of it by time."""

    deal_id: str
    lead_id: str
    won_at: datetime
    amount: float | None
    days: int
    persona: str
    source: str
    owner: str
    touches: int
    content: tuple[TouchView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WinRow:
    """Wins under one name of a dimension; an empty name: nobody knows, or no content."""

    dimension: str
    name: str
    counted: CountView


@dataclass(frozen=True, slots=True, kw_only=True)
class WinReport:
    """The whole report; the order of the fields is the order in JSON."""

    period: PeriodView
    before: PeriodView
    total: CountView
    amount: float
    amount_before: float
    rows: tuple[WinRow, ...]
    rows_left_out: int
    wins: tuple[WinView, ...]
    next_win: str
    leads: LeadPage | None


def read_wins(
    database: Engine,
    history: History,
    period: ReportPeriod,
    asked: LeadsAsked,
    *,
    now: datetime,
    lang: Language,
    after_win: str = "",
) -> WinReport:
    """Return the wins of a period, the newest first, a page of them; an unknown `after_win` begins anew."""
    with read_transaction(database) as session:
        rule = agreed_now(session, now=now).rule or FeedbackRule()
        wins = [wins_between(session, one.since, one.until) for one in (period, period.before)]
        ids = (one.lead_id for some in wins for one in some)
        known, look_back = touches_of(session, history, ids, rule), timedelta(days=rule.look_back_days)
        pair = [tuple(won(one, known, look_back) for one in some) for some in wins]
        numbers = Numbers()
        total = numbers.view("all", tally(*pair))
        rows, left_out = _rows((pair[0], pair[1]), numbers)
        shown, next_win = _page(wins[0], after_win)
        return WinReport(
            period=period_view(period),
            before=period_view(period.before),
            total=total,
            amount=_amount(wins[0]),
            amount_before=_amount(wins[1]),
            rows=rows,
            rows_left_out=left_out,
            wins=tuple(_views(session, shown, known, look_back, lang)),
            next_win=next_win,
            leads=numbers.page(asked),
        )


def won(win: StoredWin, known: Mapping[str, LeadTouches], look_back: timedelta) -> Ended:
    """Return a win as it is counted."""
    lead = known.get(win.lead_id, UNTOUCHED)
    return Ended(
        end_id=win.deal_id,
        lead_id=win.lead_id,
        kind=EventKind.WON.value,
        at=win.at,
        coded=NOT_CODED,
        persona=win.persona,
        source=lead.source,
        content=tuple(one.asset for one in lead.content_before(win.at, look_back)),
    )


def _rows(
    pair: tuple[tuple[Ended, ...], tuple[Ended, ...]], numbers: Numbers
) -> tuple[tuple[WinRow, ...], int]:
    shown: list[WinRow] = []
    left_out = 0
    for dimension in Dimension:
        now, before = ([(name, one) for one in wins for name in names_of(one, dimension)] for wins in pair)
        cells = by_cell(now, before)
        ordered = sorted(cells, key=lambda name: (-len(cells[name][0]), -len(cells[name][1]), name))
        left_out += max(0, len(ordered) - MOST_ROWS)
        shown += [
            WinRow(
                dimension=dimension.value,
                name=name,
                counted=numbers.view(cell_key(dimension, name), tally(*cells[name])),
            )
            for name in ordered[:MOST_ROWS]
        ]
    return tuple(shown), left_out


def _page(wins: tuple[StoredWin, ...], after: str) -> tuple[tuple[StoredWin, ...], str]:
    start = next((place + 1 for place, one in enumerate(wins) if one.deal_id == after), 0)
    shown = wins[start : start + MOST_WINS]
    return shown, shown[-1].deal_id if start + MOST_WINS < len(wins) else ""


def _views(
    session: Session,
    wins: tuple[StoredWin, ...],
    known: Mapping[str, LeadTouches],
    look_back: timedelta,
    lang: Language,
) -> Iterator[WinView]:
    ids = [one.lead_id for one in wins]
    sellers, states = sellers_of(session, ids), states_of(session, ids)
    for win in wins:
        lead = known.get(win.lead_id, UNTOUCHED)
        content = lead.content_before(win.at, look_back)
        yield WinView(
            deal_id=win.deal_id,
            lead_id=win.lead_id,
            won_at=win.at,
            amount=win.amount,
            days=max(0, (win.at - win.created_at).days),
            persona=win.persona or "",
            source=lead.source,
            owner=sellers.get(win.lead_id, ""),
            touches=len(content),
            content=tuple(_touch(one, states[win.lead_id], lang) for one in content[-MOST_TOUCHES:]),
        )


def _touch(touch: Touch, state: LeadState, lang: Language) -> TouchView:
    stage = stage_at(state, touch.at)
    return TouchView(
        at=touch.at,
        kind=touch.kind,
        asset=touch.asset,
        channel=touch.channel,
        stage=stage.value,
        stage_label=stage_name(stage, lang),
    )


def _amount(wins: tuple[StoredWin, ...]) -> float:
    return sum(one.amount or 0.0 for one in wins)
