"""What the bodies about leads, handovers and attempts look like: the checker's and OpenAPI's one table."""

from serving.api.fields import Field, Kind
from serving.api.schema_parts import BY as _BY
from serving.api.schema_parts import LONGEST_TEXT
from serving.api.schema_parts import WHEN as _WHEN
from serving.api.schema_parts import choice as _choice
from serving.api.schema_parts import count as _count
from serving.api.schema_parts import list_of as _list
from serving.api.schema_parts import number as _number
from serving.api.schema_parts import object_of as _object
from serving.api.schema_parts import said as _said
from serving.api.schema_parts import said_or_null as _said_or_null
from serving.api.schema_parts import text as _text
from serving.api.schema_parts import time_of as _time
from serving.api.schema_parts import told as _told
from sla.clock import ClockKind, ClockStatus
from sla.handover import AttemptResult, Direction, HandoverStatus, ReasonGroup, Violation
from sla.lifecycle import EventKind
from sla.stages import Side, Stage

MOST_ITEMS = 1_000
MOST_ATTRIBUTES = 500
STAGES = tuple(Stage)
OWNERS = (*Side, "")


def _batch(schema: str, about: str, item: Field) -> Field:
    items = Field(
        name="items",
        kind=Kind.LIST,
        about="In any order; an id that is sent twice counts once.",
        required=True,
        shortest=1,
        longest=MOST_ITEMS,
        items=item,
    )
    return _object(schema, about, items)


LEAD_PUT = Field(
    name="",
    kind=Kind.OBJECT,
    schema="LeadPut",
    about=(
        "The attributes of a lead beside its created_at: text, number, true/false, an ISO time, or null for "
        "what is not known any more. What is not named stays as it is."
    ),
    longest=MOST_ATTRIBUTES,
    others=Field(name="", kind=Kind.ANY, about="An attribute of the lead.", nullable=True),
    fields=(
        _time("created_at", "When the lead was created; the earliest that was ever sent counts."),
        _time("changed_at", "Since when the attributes are so; default: now. The later value counts."),
    ),
)

ACTIVITY_BATCH = _batch(
    "ActivityBatch",
    "Up to 1,000 things leads did. All are stored, or with any mistake none.",
    _object(
        "NewActivity",
        "Something a lead did or that was done with it, at a time.",
        _text("activity_id", "The activity's id; it counts once, at its earliest.", required=True),
        _text("lead_id", "The lead it belongs to.", required=True),
        _time("occurred_at", "When it happened, with a time zone.", required=True),
        _text("kind", "What happened, such as page_view or demo_request.", required=True),
        _text("asset", "What it was about: a page, a form, a mailing.", longest=LONGEST_TEXT),
        _text("channel", "Where it came from."),
        _number("value", "A number that belongs to it."),
    ),
)

DEAL_BATCH = _batch(
    "DealBatch",
    "Up to 1,000 deals as they stand. All are stored, or with any mistake none.",
    _object(
        "NewDeal",
        "A deal: open with opened_at, or won or lost with closed_at.",
        _text("deal_id", "The deal's id.", required=True),
        _text("lead_id", "The lead it belongs to.", required=True),
        _choice("outcome", "How it ended; absent while it is open.", ("won", "lost"), required=False),
        _time("opened_at", "When it was opened: then the lead is an opportunity."),
        _time("closed_at", "When it was won or lost."),
        _time("changed_at", "When it became so; default: closed_at, else opened_at. The newest counts."),
        _time("planned_close_at", "When it was planned to close."),
        _number("amount", "Its value."),
        _text(
            "loss_reason", "Why it was lost; the agreement maps the words to a code.", longest=LONGEST_TEXT
        ),
        _text("loss_code", "The reason's code, one of the agreement in force.", longest=40),
    ),
)

STANDING = _object(
    "LeadStanding",
    "Where a lead stands after what was sent.",
    _said("lead_id", "The lead's id."),
    _choice("stage", "Its stage.", STAGES),
    _count("cycle", "Its run through the funnel, from 1.", least=1),
    _said_or_null("handover_id", "Its running handover to sales; null when there is none."),
)

RECORDED = _object(
    "Recorded",
    "What a batch led to.",
    _count("stored", "Items that were new."),
    _count("repeated", "Items that were known already."),
    _list("leads", "The leads something new is known of.", STANDING),
)

CLOCK = _object(
    "Clock",
    "How a clock stands, computed from events and now.",
    _choice("clock", "The system's lag or the seller's.", tuple(ClockKind)),
    _choice("status", "How it stands.", tuple(ClockStatus)),
    _told("due_at", "Its deadline in business time.", nullable=False),
    _told("met_at", "When the promise was kept; null while it is not."),
    Field(
        name="in_time",
        kind=Kind.BOOLEAN,
        about="Kept in time; null while it still can be.",
        required=True,
        nullable=True,
    ),
    _count("minutes_left", "Open minutes to the deadline, negative after it.", least=None),
    _said("text", "The same in words."),
)

ATTEMPT = _object(
    "Attempt",
    "One try to reach the lead.",
    _said("attempt_id", "Its id."),
    _told("occurred_at", "When.", nullable=False),
    _said("channel", "How."),
    _choice("result", "What came of it.", tuple(AttemptResult)),
    _said("by", "Who."),
    _said_or_null("note", "What was noted."),
)

VIOLATION = _object(
    "Violation",
    "A promise about attempts that was not kept.",
    _choice("code", "Which.", tuple(Violation)),
    _said_or_null("attempt_id", "By which attempt; null: by the end of trying."),
    _said("text", "The same in words."),
)

_POINTS = Field(
    name="points",
    kind=Kind.INTEGER,
    about="The same in points.",
    required=True,
    nullable=True,
    least=0,
    most=100,
)

_HANDOVER_FIELDS = (
    _said("handover_id", "The handover's id."),
    _said("lead_id", "The lead's id."),
    _count("cycle", "The lead's run through the funnel.", least=1),
    _choice("direction", "Which way the lead was passed.", tuple(Direction)),
    _choice("status", "How far it is; held: waits visibly, nobody has room.", tuple(HandoverStatus)),
    _said("owner", "Who has the lead; empty when it is open to the team."),
    _said("owner_reason", "Why this owner, or none."),
    _said("persona", "The buyer persona; empty when none fits."),
    Field(
        name="probability",
        kind=Kind.NUMBER,
        about="The probability with which it was passed.",
        required=True,
        nullable=True,
        least=0,
        most=1,
    ),
    _POINTS,
    _told("created_at", "When the lead was passed.", nullable=False),
    _told("assigned_at", "Since when somebody has it."),
    _told("answered_at", "When it was answered: first attempt, or given back."),
    _told("closed_at", "When it ended."),
    _told("respond_by", "When it must be answered; null when nothing is agreed."),
    _said("reason_group", "The group of the reason with which it ended."),
    _said("reason_code", "Its code; empty when it has none."),
    _said("reason", "The reason with which it ended."),
    _list("clocks", "Its clocks.", CLOCK),
    _list("attempts", "The attempts so far, by time.", ATTEMPT),
    _count("attempts_least", "How many attempts are agreed at least."),
    _count("attempts_most", "How many at most."),
    _list("violations", "What was not kept.", VIOLATION),
    _list("content", "Content agreed for this stage and persona.", _said("", "A title.")),
    _said("policy_version", "Version of the policy under which it was promised."),
)

HANDOVER = _object("Handover", "One passing of one lead, with its clocks.", *_HANDOVER_FIELDS)

HANDOVER_PAGE = _object(
    "HandoverPage",
    "A page of handovers by deadline; those without one come last.",
    _list("items", "The handovers.", HANDOVER),
    _said("next_after", "Send it as `after` for the next page; empty on the last."),
)

STEP = _object(
    "LeadStep",
    "One event of a lead's life.",
    _told("occurred_at", "When it happened.", nullable=False),
    _choice("kind", "What happened.", tuple(EventKind)),
    _choice("from_stage", "The stage before.", STAGES),
    _choice("to_stage", "The stage after.", STAGES),
    _count("cycle", "The run through the funnel.", least=1),
    _said("reason", "The rule or reason behind it."),
    _said("held_because", "Why it moved nothing; empty when it counted."),
)

LEAD_VIEW = _object(
    "LeadView",
    "What is known of a lead, where it stands, and how it came there.",
    _said("lead_id", "The lead's id."),
    _told("created_at", "When it was created."),
    Field(
        name="attributes",
        kind=Kind.OBJECT,
        about="Its attributes as they are known now.",
        required=True,
        others=Field(name="", kind=Kind.ANY, about="An attribute.", nullable=True),
    ),
    _choice("stage", "Its stage.", STAGES),
    _told("stage_since", "Since when."),
    _choice("owner", "The side that looks after it; empty when nobody does.", OWNERS),
    _count("cycle", "Its run through the funnel, from 1.", least=1),
    _said("held_stage", "The lower stage another model or policy would give it; nobody sinks for that."),
    _said("persona", "The buyer persona; empty when none fits or nothing was scored."),
    Field(
        name="probability",
        kind=Kind.NUMBER,
        about="Its newest probability.",
        required=True,
        nullable=True,
        least=0,
        most=1,
    ),
    Field(
        name="points",
        kind=Kind.INTEGER,
        about="The same in points.",
        required=True,
        nullable=True,
        least=0,
        most=100,
    ),
    _told("scored_at", "When it was scored last."),
    _told("objected_at", "Since when the person objects to being scored; null when they do not."),
    _object("Handover", "Its running handover to sales.", *_HANDOVER_FIELDS, name="handover", nullable=True),
    _list("timeline", "Every event that concerns its stage, by time.", STEP),
)

_ABSENCE_FIELDS = (
    _text("person", "Who is away: an owner of handovers.", required=True),
    _time("since", "From when.", required=True),
    _time("until", "Until when, at most a year later; the same as since takes it back.", required=True),
)

NEW_ABSENCE = _object("NewAbsence", "A stretch in which a person does not work.", *_ABSENCE_FIELDS)

ABSENCE = _object(
    "Absence",
    "An absence as it is stored.",
    _said("absence_id", "Its id."),
    *_ABSENCE_FIELDS,
    _count("handovers", "How many running handovers it concerns."),
)

ACCEPT = _object("Accept", "Somebody in sales takes the lead on.", _BY, _WHEN)

GIVE_BACK = _object(
    "GiveBack",
    "The lead goes back to marketing.",
    _text(
        "code",
        "The reason's code, one of the agreement in force; without it the words are mapped.",
        longest=40,
    ),
    _choice(
        "reason_group", "The group of the reason; needed without a code.", tuple(ReasonGroup), required=False
    ),
    _text("reason", "The reason in words; needed without a code.", longest=LONGEST_TEXT),
    _BY,
    _WHEN,
)

NEW_ATTEMPT = _object(
    "NewAttempt",
    "One try to reach the lead.",
    _text("attempt_id", "Its id; default: made from handover, time, channel and result."),
    _text("channel", "How: phone, email, … The policy says which are agreed.", required=True),
    _choice("result", "What came of it; reached and replied are contact.", tuple(AttemptResult)),
    _BY,
    _WHEN,
    _text("note", "What should be remembered.", longest=LONGEST_TEXT),
    _text("objection", "What the lead objects to: a code of the agreement in force.", longest=40),
    _text("content", "The content that was used.", longest=LONGEST_TEXT),
)

NEW_PAUSE = _object(
    "NewPause",
    "A stretch in which the clocks of a handover do not run.",
    _time("until", "Its end, at most a year after its beginning.", required=True),
    _time("since", "Its beginning; default: now."),
    _text("reason", "Why.", required=True, longest=LONGEST_TEXT),
    _BY,
)
