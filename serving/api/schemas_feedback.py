"""What the bodies about closing feedback look like: the checker's and OpenAPI's one table."""

from serving.api.fields import Field, Kind
from serving.api.schema_parts import (
    BY,
    LONGEST_TEXT,
    choice,
    count,
    list_of,
    object_of,
    said,
    text,
    told,
)
from serving.ends import END_KINDS
from sla.feedback import AnswerStatus, Dimension
from sla.handover import ReasonGroup
from sla.stages import Side

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
