"""The life of a policy as one table: who may do what to it in which state, and what only time does.

Acts of people lead from state to state by `STEPS`; whatever the table does not foresee is refused. `state_at`
adds what time alone decides: a proposal expires, an agreed policy comes into force and is superseded.
Whether two signatures are by two people is decided in `sla.signatures`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sla.stages import Side
from sla.texts import Text
from sla.words_numbers import side_name

PROPOSAL_DAYS = 30
"""A proposal that names no last day expires so many days after it was made."""


class State(StrEnum):
    """Where one version stands."""

    DRAFT = "draft"
    PROPOSED = "proposed"
    SIGNED = "signed"
    AGREED = "agreed"
    ACTIVE = "active"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"
    REJECTED = "rejected"
    EXPIRED = "expired"


class Act(StrEnum):
    """What a person does to a version."""

    DRAFT = "draft"
    EDIT = "edit"
    PROPOSE = "propose"
    COMMENT = "comment"
    SIGN = "sign"
    WITHDRAW = "withdraw"
    REJECT = "reject"


class Actor(StrEnum):
    """Which side may act: each, the one whose version it is, or the one it was proposed to."""

    EITHER = "either"
    OWNER = "owner"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the table: an act, in a state, by whom, and the state it leads to."""

    act: Act
    before: State
    after: State
    actor: Actor = Actor.EITHER


STEPS = (
    Step(Act.EDIT, State.DRAFT, State.DRAFT, Actor.OWNER),
    Step(Act.EDIT, State.PROPOSED, State.PROPOSED, Actor.OWNER),
    Step(Act.EDIT, State.SIGNED, State.PROPOSED, Actor.OWNER),
    Step(Act.PROPOSE, State.DRAFT, State.PROPOSED, Actor.OWNER),
    Step(Act.COMMENT, State.DRAFT, State.DRAFT),
    Step(Act.COMMENT, State.PROPOSED, State.PROPOSED),
    Step(Act.COMMENT, State.SIGNED, State.SIGNED),
    Step(Act.COMMENT, State.AGREED, State.AGREED),
    Step(Act.COMMENT, State.ACTIVE, State.ACTIVE),
    Step(Act.SIGN, State.PROPOSED, State.SIGNED),
    Step(Act.SIGN, State.SIGNED, State.AGREED),
    Step(Act.WITHDRAW, State.DRAFT, State.WITHDRAWN, Actor.OWNER),
    Step(Act.WITHDRAW, State.PROPOSED, State.WITHDRAWN, Actor.OWNER),
    Step(Act.WITHDRAW, State.SIGNED, State.WITHDRAWN, Actor.OWNER),
    Step(Act.REJECT, State.PROPOSED, State.REJECTED, Actor.OTHER),
    Step(Act.REJECT, State.SIGNED, State.REJECTED, Actor.OTHER),
)
"""The whole life. An edit after a signature goes back to proposed: the signature was under another text and
is void. What both sides have signed nobody edits, withdraws or rejects; a later version supersedes it."""

OPEN_STATES = (State.PROPOSED, State.SIGNED)
LIVING_STATES = (*OPEN_STATES, State.AGREED, State.ACTIVE)
"""States in which a version lays claim to its effective date."""

ACT_WORDS: tuple[tuple[Act, Text], ...] = (
    (Act.DRAFT, Text(en="drafted", de="entworfen")),
    (Act.EDIT, Text(en="edited", de="geändert")),
    (Act.PROPOSE, Text(en="proposed", de="vorgeschlagen")),
    (Act.COMMENT, Text(en="commented", de="kommentiert")),
    (Act.SIGN, Text(en="signed", de="unterschrieben")),
    (Act.WITHDRAW, Text(en="withdrawn", de="zurückgezogen")),
    (Act.REJECT, Text(en="rejected", de="abgelehnt")),
)
STATE_WORDS: tuple[tuple[State, Text], ...] = (
    (State.DRAFT, Text(en="a draft", de="ein Entwurf")),
    (State.PROPOSED, Text(en="proposed, not signed yet", de="vorgeschlagen, noch nicht unterschrieben")),
    (State.SIGNED, Text(en="signed by one side", de="von einer Seite unterschrieben")),
    (
        State.AGREED,
        Text(en="signed by both sides and waits for its day", de="beidseitig unterschrieben und wartet"),
    ),
    (State.ACTIVE, Text(en="in force", de="in Kraft")),
    (State.SUPERSEDED, Text(en="superseded by a later one", de="durch eine spätere abgelöst")),
    (State.WITHDRAWN, Text(en="withdrawn", de="zurückgezogen")),
    (State.REJECTED, Text(en="rejected", de="abgelehnt")),
    (State.EXPIRED, Text(en="expired", de="abgelaufen")),
)
WRONG_STATE = Text(
    en="policy version {version} cannot be {act}: it is {state}",
    de="Version {version} der Vereinbarung kann nicht {act} werden: Sie ist {state}",
)
WRONG_SIDE = Text(
    en="policy version {version} can be {act} only by {side}",
    de="Version {version} der Vereinbarung kann nur vom {side} {act} werden",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a version stands: what its acts led to, whose it is, and the instants that time works on.

    `owner` is the side that drafted or proposed it, None where nobody said. `effective_at` is set once both
    sides have signed; `superseded_at` is when the next agreed version comes into force.
    """

    version: int
    state: State
    owner: Side | None
    expires_at: datetime | None = None
    effective_at: datetime | None = None
    superseded_at: datetime | None = None

    def state_at(self, now: datetime) -> State:
        """Return the state at `now`, with what time has done."""
        if self.state in OPEN_STATES and self.expires_at is not None and self.expires_at <= now:
            return State.EXPIRED
        if self.state is not State.AGREED or self.effective_at is None or self.effective_at > now:
            return self.state
        has_ended = self.superseded_at is not None and self.superseded_at <= now
        return State.SUPERSEDED if has_ended else State.ACTIVE


def next_state(standing: Standing, act: Act, side: Side | None, *, now: datetime) -> State | Text:
    """Return the state an act leads to, or why it is refused, in both languages.

    `side` is the side the person acts for, None where nobody said; a version without an owner is anybody's.
    """
    state = standing.state_at(now)
    for step in STEPS:
        if step.act is act and step.before is state:
            allowed = _allowed_side(step.actor, standing.owner)
            return step.after if allowed in (None, side) else _wrong_side(standing, act, allowed)
    words = {"act": dict(ACT_WORDS)[act], "state": dict(STATE_WORDS)[state]}
    return _fill(WRONG_STATE, version=standing.version, **words)


def effective_from(valid_from: datetime | None, agreed_at: datetime) -> datetime:
    """Return when a policy comes into force: on its day, but never before both have signed."""
    return agreed_at if valid_from is None else max(valid_from, agreed_at)


def expiry_of(proposed_at: datetime) -> datetime:
    """Return when a proposal expires that names no last day."""
    return proposed_at + timedelta(days=PROPOSAL_DAYS)


def other_side(side: Side) -> Side:
    """Return the other party."""
    return Side.SALES if side is Side.MARKETING else Side.MARKETING


def steps_from(state: State) -> Iterator[Step]:
    """Yield what may be done in a state."""
    return (step for step in STEPS if step.before is state)


def _allowed_side(actor: Actor, owner: Side | None) -> Side | None:
    """Return the only side that may act, None when each may."""
    if owner is None or actor is Actor.EITHER:
        return None
    return owner if actor is Actor.OWNER else other_side(owner)


def _wrong_side(standing: Standing, act: Act, side: Side | None) -> Text:
    names = {lang: "" if side is None else side_name(side, lang) for lang in ("en", "de")}
    named = Text(en=names["en"].lower() or "-", de=names["de"] or "-")
    return _fill(WRONG_SIDE, version=standing.version, act=dict(ACT_WORDS)[act], side=named)


def _fill(template: Text, *, version: int, **words: Text) -> Text:
    english = {name: text.en for name, text in words.items()}
    german = {name: text.de for name, text in words.items()}
    return Text(
        en=template.en.format(version=version, **english), de=template.de.format(version=version, **german)
    )
