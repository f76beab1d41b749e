"""What the bodies about closing feedback look like: the checker's and OpenAPI's one table."""

from serving.api.fields import Field, Kind
from serving.api.schema_parts import (
    BY,
    LONGEST_TEXT,
    WHEN,
    choice,
    count,
    list_of,
    object_of,
    said,
    text,
    told,
)
from serving.ends import END_KINDS
from sla.feedback import AnswerStatus, Dimension, Verdict
from sla.handover import ReasonGroup
from sla.stages import Side, Stage

GROUPS = (*ReasonGroup, "")
SIDES = (*Side, "")
DATE = "A calendar date of the period's zone."


def flag(name: str, about: str, *, nullable: bool = False) -> Field:
    """Return a true-or-false of an answer."""
    return Field(name=name, kind=Kind.BOOLEAN, about=about, required=True, nullable=nullable)


def or_null(field: Field, name: str, about: str) -> Field:
    """Return an object of an answer that may be null."""
    return object_of(field.schema, about, *field.fields, name=name, nullable=True)


def named(field: Field, name: str, about: str) -> Field:
    """Return an object of an answer under a name."""
    return object_of(field.schema, about, *field.fields, name=name)


PERIOD_VIEW = object_of(
    "ReportPeriod",
    "The days that were counted.",
    said("first", f"The first day, included. {DATE}"),
    said("last", f"The last day, included. {DATE}"),
    told("since", "The first instant that belongs to it.", nullable=False),
    told("until", "The first instant that no longer does.", nullable=False),
    said("zone", "The time zone of the agreement."),
)

COUNTED = object_of(
    "Counted",
    "One number, how it was in the period before, and the leads behind it.",
    said("key", "Send it as `key` for all leads behind the number, a page at a time."),
    count("count", "How many in the period."),
    count("before", "How many in the period before."),
    count("change", "How many more than before.", least=None),
    count("leads", "How many leads are behind it."),
    list_of("lead_ids", "The first of them, by id.", said("", "A lead's id.")),
)

LEAD_PAGE = object_of(
    "LeadPage",
    "Leads behind one number, by id.",
    said("key", "The number's key."),
    list_of("lead_ids", "The leads.", said("", "A lead's id.")),
    said("next_after", "Send it as `after` for the next page; empty on the last."),
)

REPORT_HEAD = (
    named(PERIOD_VIEW, "period", "The period."),
    named(PERIOD_VIEW, "before", "The period before: as many months, or as many days."),
)
REPORT_LEADS = or_null(LEAD_PAGE, "leads", "The leads behind the number asked for; null unless asked.")

ANSWER = object_of(
    "FeedbackAnswer",
    "What was answered for a group of reasons.",
    said("answer_id", "Its id."),
    said("answer", "What is being done."),
    said("by", "Who answered."),
    told("answered_at", "When.", nullable=False),
    told("due_at", "Until when it was promised; null: nothing was."),
    flag("in_time", "Answered in time; null where nothing was promised.", nullable=True),
)

QUESTION = object_of(
    "FeedbackQuestion",
    "What a group has to answer: it opens with the first end after the last answer.",
    said("question_id", "Its id."),
    told("opened_at", "Since when.", nullable=False),
    told("due_at", "Until when, in open time of the side; null: nothing is promised."),
    choice("status", "How it stands.", tuple(AnswerStatus)),
    said("text", "The same in words."),
    count("ends", "How many ends the answer will cover."),
    told("raised_at", "When it was raised as missed; null: it was not."),
)

LOSS_REPORT = object_of(
    "LossReport",
    "Why leads ended without a win: coded, counted, held against the period before, and answered.",
    *REPORT_HEAD,
    named(COUNTED, "total", "All ends without a win."),
    named(COUNTED, "unmapped", "Those whose words no code stands for."),
    named(COUNTED, "bad_data", "Those that were no leads; they leave the training set."),
    list_of(
        "kinds",
        "By how they ended.",
        object_of(
            "LossKind",
            "One way to end.",
            choice("kind", "Which.", END_KINDS),
            said("label", "The same in words."),
            named(COUNTED, "counted", "How often."),
        ),
    ),
    list_of(
        "groups",
        "By group, with who answers for it; the last has those of no group.",
        object_of(
            "LossGroup",
            "One group of reasons.",
            choice("group", "Which; empty for none.", GROUPS),
            said("label", "The same in words."),
            choice("side", "The side that answers; empty where nobody does.", SIDES),
            said("owner", "Who answers."),
            named(COUNTED, "counted", "How often."),
            or_null(QUESTION, "question", "What is to be answered now; null: nothing."),
            or_null(ANSWER, "answer", "The last answer; null: there was none."),
        ),
    ),
    list_of(
        "reasons",
        "By reason, those of the agreement and those recorded.",
        object_of(
            "LossReason",
            "One reason.",
            said("code", "Its code; `unmapped` for words no code stands for."),
            said("label", "The same in words."),
            choice("group", "Its group; empty for none.", GROUPS),
            flag("bad_data", "Whether such a lead was none and teaches nothing."),
            named(COUNTED, "counted", "How often."),
        ),
    ),
    list_of(
        "rows",
        "By persona, source and content, per group. An end counts once under each content before it.",
        object_of(
            "LossRow",
            "Ends of one group under one name.",
            choice("dimension", "By what.", tuple(Dimension)),
            said("name", "The name; empty: nobody knows, or no content."),
            choice("group", "The group; empty for none.", GROUPS),
            said("label", "The group in words."),
            named(COUNTED, "counted", "How often."),
        ),
    ),
    count("rows_left_out", "How many rows with the smallest numbers are not shown."),
    list_of(
        "unmapped_texts",
        "The words no code stands for, the most frequent first.",
        object_of(
            "UnmappedText",
            "One text.",
            said("text", "The words."),
            count("count", "How often in the period.", least=1),
        ),
    ),
    REPORT_LEADS,
)

NEW_ANSWER = object_of(
    "NewFeedbackAnswer",
    "What is being done about the reasons of a group.",
    text("answer", "The answer in words.", required=True, longest=LONGEST_TEXT),
    BY,
)

AMOUNT = Field(name="amount", kind=Kind.NUMBER, about="Its value.", required=True, nullable=True)

TOUCH = object_of(
    "ContentTouch",
    "Something a lead touched.",
    told("at", "When.", nullable=False),
    said("kind", "What happened."),
    said("asset", "The content."),
    said("channel", "Where it came from."),
    choice("stage", "The stage the lead was in.", tuple(Stage)),
    said("stage_label", "The same in words."),
)

WIN = object_of(
    "Win",
    "One win, with what came before it.",
    said("deal_id", "The deal's id."),
    said("lead_id", "The lead's id."),
    told("won_at", "When it was won.", nullable=False),
    AMOUNT,
    count("days", "Days from the lead's beginning to the win."),
    said("persona", "The buyer persona; empty when none fits."),
    said("source", "Where the lead came from; empty when nobody knows."),
    said("owner", "Who in sales had it last."),
    count("touches", "How much content came before it."),
    list_of("content", "The newest of it, by time.", TOUCH),
)

WIN_REPORT = object_of(
    "WinReport",
    "What was won, told to everyone: by whom, from which source, after which content.",
    *REPORT_HEAD,
    named(COUNTED, "total", "All wins."),
    Field(name="amount", kind=Kind.NUMBER, about="Their value.", required=True),
    Field(name="amount_before", kind=Kind.NUMBER, about="That of the period before.", required=True),
    list_of(
        "rows",
        "By persona, source and content; a win counts once under each content before it.",
        object_of(
            "WinRow",
            "Wins under one name.",
            choice("dimension", "By what.", tuple(Dimension)),
            said("name", "The name; empty: nobody knows, or no content."),
            named(COUNTED, "counted", "How often."),
        ),
    ),
    count("rows_left_out", "How many rows with the smallest numbers are not shown."),
    list_of("wins", "The wins, the newest first.", WIN),
    said("next_win", "Send it as `after_win` for the next wins; empty on the last page."),
    REPORT_LEADS,
)

CONTENT_REPORT = object_of(
    "ContentReport",
    "What sellers hear, and what content does, per persona and stage.",
    *REPORT_HEAD,
    named(COUNTED, "notes", "All notes."),
    count("backlog", "How many objections have no content yet."),
    list_of(
        "objections",
        "Objections as they were noted: the backlog first, then the most frequent.",
        object_of(
            "ObjectionRow",
            "One objection of a persona in a stage.",
            said("objection", "Its code."),
            said("label", "The same in words."),
            said("persona", "The buyer persona; empty when none fits."),
            choice("stage", "The stage the lead was in.", tuple(Stage)),
            said("stage_label", "The same in words."),
            flag("is_backlog", "No note until the end of the period names content for it."),
            named(COUNTED, "counted", "How often it was noted."),
            count("with_content", "How many of these notes name content."),
            list_of("content", "Content that was named for it so far.", said("", "A content.")),
        ),
    ),
    count("objections_left_out", "How many of the rarest are not shown."),
    list_of(
        "content",
        "Content that leads touched before they were won or lost; that before most wins first.",
        object_of(
            "ContentRow",
            "One content that leads of a persona touched in a stage.",
            said("content", "The content."),
            said("persona", "The buyer persona; empty when none fits."),
            choice("stage", "The stage the lead was in.", tuple(Stage)),
            said("stage_label", "The same in words."),
            named(COUNTED, "won", "Wins after it."),
            named(COUNTED, "lost", "Ends without a win after it."),
        ),
    ),
    count("content_left_out", "How many with the smallest numbers are not shown."),
    REPORT_LEADS,
)

NEW_DISPUTE = object_of(
    "NewDispute",
    "Somebody in sales does not believe a score.",
    text("reason", "Why, in words.", required=True, longest=LONGEST_TEXT),
    text("score_id", "The score; default: the lead's newest."),
    text("dispute_id", "The dispute's id; default: made from lead and score."),
    BY,
    WHEN,
)

DISPUTE = object_of(
    "Dispute",
    "A disputed score and its answer.",
    said("dispute_id", "Its id."),
    said("lead_id", "The lead's id."),
    said("score_id", "The score's id."),
    Field(name="probability", kind=Kind.NUMBER, about="What was scored.", required=True, least=0, most=1),
    Field(name="points", kind=Kind.INTEGER, about="The same in points.", required=True, least=0, most=100),
    said("reason", "Why it is disputed."),
    said("by", "Who disputes it."),
    told("occurred_at", "When.", nullable=False),
    told("recorded_at", "Since when it is to be answered.", nullable=False),
    choice("side", "The side that answers; empty where nobody does.", SIDES),
    told("due_at", "Until when, in open time of the side; null: nothing is promised."),
    choice("status", "How it stands.", tuple(AnswerStatus)),
    said("text", "The same in words."),
    choice("verdict", "What it turned out to be; empty while nobody has said.", (*Verdict, "")),
    said("verdict_text", "The same in words."),
    said("answer", "The answer."),
    said("answered_by", "Who answered."),
    told("answered_at", "When."),
)

DISPUTE_PAGE = object_of(
    "DisputePage",
    "A page of disputed scores, the oldest first.",
    list_of("items", "The disputes.", DISPUTE),
    said("next_after", "Send it as `after` for the next page; empty on the last."),
)

DISPUTE_ANSWER = object_of(
    "NewDisputeAnswer",
    "What a disputed score turns out to be.",
    choice("verdict", "Whether it stands.", tuple(Verdict)),
    text("answer", "Why.", required=True, longest=LONGEST_TEXT),
    BY,
)

NEW_NOTE = object_of(
    "NewNote",
    "What a seller noted about a lead: words, an objection or content, or all of them.",
    text("text", "The words.", longest=LONGEST_TEXT),
    text("objection", "What the lead objects to: a code of the agreement in force.", longest=40),
    text("content", "The content that was used.", longest=LONGEST_TEXT),
    text("persona", "The buyer persona; default: the lead's."),
    text("note_id", "The note's id; default: made from lead, time and what is noted."),
    BY,
    WHEN,
)

NOTE = object_of(
    "Note",
    "A note as it is stored.",
    said("note_id", "Its id."),
    said("lead_id", "The lead's id."),
    said("attempt_id", "The attempt it was made at; empty for one of its own."),
    told("occurred_at", "When.", nullable=False),
    said("by", "Who."),
    said("text", "The words."),
    said("persona", "The buyer persona; empty when none fits."),
    choice("stage", "The stage the lead was in.", tuple(Stage)),
    said("objection", "The objection; empty: none."),
    said("content", "The content; empty: none."),
)
