"""What the API's bodies look like: the one table behind the checker and the OpenAPI document.

Requests are checked against these fields; answers are written by `serving.scorer` and tested against them.
"""

from dataclasses import replace

from serving.api.fields import Field, Kind
from sla.stages import Side, Stage

LANGUAGES = ("en", "de")
MOST_ACTIVITIES = 10_000
MOST_ATTRIBUTES = 500
MOST_BATCH_ITEMS = 1_000
STAGES = tuple(stage.value for stage in Stage)
OWNERS = (*(side.value for side in Side), "")


def _text(name: str, about: str, *, required: bool = False, nullable: bool = False, **limits: int) -> Field:
    return Field(name=name, kind=Kind.TEXT, about=about, required=required, nullable=nullable, **limits)  # type: ignore[arg-type]


def _number(name: str, about: str, *, least: float | None = None, most: float | None = None) -> Field:
    return Field(name=name, kind=Kind.NUMBER, about=about, required=True, least=least, most=most)


def _choice(name: str, about: str, choices: tuple[str, ...], *, answer: bool = False) -> Field:
    return Field(
        name=name, kind=Kind.TEXT, about=about, choices=choices, required=answer, nullable=not answer
    )


def _time(name: str, about: str, *, required: bool = False, nullable: bool = False) -> Field:
    return Field(name=name, kind=Kind.TIME, about=about, required=required, nullable=nullable)


def _answer_text(name: str, about: str) -> Field:
    return Field(name=name, kind=Kind.TEXT, about=about, required=True, longest=10_000)


LEAD = Field(
    name="lead",
    kind=Kind.OBJECT,
    schema="Lead",
    about=(
        "The lead as the CRM knows it: its id, when it was created, and any attributes beside them (text, "
        "number, true/false or time). An attribute nobody uses is answered with a warning; a category "
        "that was not seen in training counts as unknown; a missing attribute is fine."
    ),
    longest=MOST_ATTRIBUTES,
    others=Field(name="", kind=Kind.ANY, about="An attribute of the lead.", nullable=True),
    fields=(
        _text("lead_id", "The lead's id in the CRM.", required=True, shortest=1),
        _time("created_at", "When the lead was created, with a time zone.", nullable=True),
    ),
)

ACTIVITY = Field(
    name="",
    kind=Kind.OBJECT,
    schema="Activity",
    about="Something the lead did or that was done with it, at a time.",
    fields=(
        _text("activity_id", "The activity's id; the same id twice counts once.", nullable=True),
        _time("occurred_at", "When it happened, with a time zone.", required=True),
        _text("kind", "What happened, such as page_view or demo_request.", required=True, shortest=1),
        _text("asset", "What it was about: a page, a form, a mailing.", nullable=True, longest=2_000),
        _text("channel", "Where it came from.", nullable=True),
        Field(name="value", kind=Kind.NUMBER, about="A number that belongs to it.", nullable=True),
    ),
)

ATTRIBUTE_CHANGE = Field(
    name="",
    kind=Kind.OBJECT,
    schema="AttributeChange",
    about="An attribute of the lead got another value at a time.",
    fields=(
        _text("attribute", "The name of the attribute.", required=True, shortest=1),
        _time("changed_at", "When it changed, with a time zone.", required=True),
    ),
)

LANG = _choice("lang", "Language of the texts; default: Accept-Language, else en.", LANGUAGES)

SCORE_REQUEST = Field(
    name="",
    kind=Kind.OBJECT,
    schema="ScoreRequest",
    about=(
        "One lead to score: either inline as `lead` with its `activities`, or stored, by `lead_id`. The "
        "score of a stored lead is recorded; of an inline lead nothing is stored."
    ),
    fields=(
        LEAD,
        _text("lead_id", "Id of a lead in the history; instead of `lead`.", nullable=True, shortest=1),
        Field(
            name="activities",
            kind=Kind.LIST,
            about="What the inline lead did, in any order; what is after `as_of` is ignored with a warning.",
            nullable=True,
            longest=MOST_ACTIVITIES,
            items=ACTIVITY,
        ),
        Field(
            name="attribute_changes",
            kind=Kind.LIST,
            about="When attributes of the inline lead changed; `lead` holds their values as of `as_of`.",
            nullable=True,
            longest=MOST_ACTIVITIES,
            items=ATTRIBUTE_CHANGE,
        ),
        _time("as_of", "The instant to score for; nothing after it is seen. Default: now.", nullable=True),
        LANG,
        _choice("current_stage", "The stage the lead is in, so that it changes only as agreed.", STAGES),
        _time("stage_since", "Since when it is in that stage.", nullable=True),
    ),
)

BATCH_REQUEST = Field(
    name="",
    kind=Kind.OBJECT,
    schema="BatchRequest",
    about="Up to 1,000 leads to score. Every item is a ScoreRequest and is answered for itself.",
    fields=(
        Field(
            name="items",
            kind=Kind.LIST,
            about="The leads; each item has the fields of ScoreRequest.",
            required=True,
            shortest=1,
            longest=MOST_BATCH_ITEMS,
            items=SCORE_REQUEST,
            items_checked_later=True,
        ),
        LANG,
    ),
)

REASON = Field(
    name="",
    kind=Kind.OBJECT,
    schema="Reason",
    about="One share of the points.",
    fields=(
        _answer_text("feature", "Name of the feature that speaks loudest in this reason."),
        _answer_text("label", "What it is, in words."),
        _answer_text("value", "Its value for this lead, in words."),
        _number("points", "The share of the points, unrounded."),
    ),
)

_FLAT_REASONS = tuple(
    _answer_text(f"reason_{place}", f"Reason {place} with its points; empty when there are fewer.")
    for place in range(1, 6)
)

ANSWER_FIELDS = (
    _answer_text("score_id", "Made from everything the score rests on: same input, same id."),
    _answer_text("lead_id", "The lead's id."),
    _time("as_of", "The instant the score is about.", required=True),
    _number("probability", "Calibrated chance that the lead is won within the horizon.", least=0, most=1),
    _number("probability_low", "Lower end of the interval of the probability.", least=0, most=1),
    _number("probability_high", "Upper end of the interval of the probability.", least=0, most=1),
    Field(
        name="points",
        kind=Kind.INTEGER,
        about="The probability in points, 50 + 5*log2(p/(1-p)), rounded and cut to 0-100.",
        required=True,
        least=0,
        most=100,
    ),
    _choice("stage", "The stage the policy gives this lead.", STAGES, answer=True),
    _answer_text("stage_reason", "The rule that made the stage, in words."),
    _choice("owner", "The side that looks after the lead now; empty when nobody does.", OWNERS, answer=True),
    Field(
        name="respond_by",
        kind=Kind.TIME,
        about="When the owner must have answered; null when nothing is due.",
        required=True,
        nullable=True,
    ),
    _answer_text("persona", "The buyer persona; empty when none fits."),
    _number("persona_confidence", "The share of its rules that hold; 0 when none fits.", least=0, most=1),
    _choice("evidence", "What the score rests on.", ("rules", "scorecard", "model"), answer=True),
    *_FLAT_REASONS,
    Field(
        name="reasons",
        kind=Kind.LIST,
        about="All reasons, loudest first, one per family of features (all windows of one activity are one); "
        "base_points plus their points are the unrounded points.",
        required=True,
        items=REASON,
    ),
    _number("base_points", "Points before any reason: the average lead."),
    _answer_text("model_version", "Version of the model that scored."),
    _answer_text("policy_version", "Version of the policy that decided."),
    Field(
        name="warnings",
        kind=Kind.LIST,
        about="What in the request was not used, and why.",
        required=True,
        items=_answer_text("", "One warning."),
    ),
)

SCORE_ANSWER = Field(
    name="",
    kind=Kind.OBJECT,
    schema="ScoreAnswer",
    about="Score, stage, owner, deadline and reasons; flat, so that every CRM can map it.",
    fields=ANSWER_FIELDS,
)

PROBLEM = Field(
    name="error",
    kind=Kind.OBJECT,
    schema="Problem",
    about="What went wrong (RFC 9457). `code` is stable; the texts are for people.",
    fields=(
        _answer_text("type", "The code as a URN."),
        _answer_text("code", "Stable code, such as wrong_fields."),
        _answer_text("title", "What this code means."),
        Field(name="status", kind=Kind.INTEGER, about="The HTTP status.", required=True, least=400, most=599),
        _answer_text("detail", "What went wrong this time."),
        Field(
            name="errors",
            kind=Kind.LIST,
            about="Every single problem found; empty when the detail says it all.",
            required=True,
            items=Field(
                name="",
                kind=Kind.OBJECT,
                schema="FieldProblem",
                about="One problem.",
                fields=(
                    _answer_text("field", "The field or part, such as lead.created_at."),
                    _answer_text("rule", "The rule it breaks."),
                    Field(
                        name="value",
                        kind=Kind.TEXT,
                        about="What was sent, as text.",
                        required=True,
                        nullable=True,
                        longest=10_000,
                    ),
                ),
            ),
        ),
    ),
)

BATCH_ITEM = Field(
    name="",
    kind=Kind.OBJECT,
    schema="BatchItem",
    about="The answer to one item: the fields of ScoreAnswer, or `error` alone.",
    fields=(*(replace(field, required=False) for field in ANSWER_FIELDS), PROBLEM),
)

BATCH_ANSWER = Field(
    name="",
    kind=Kind.OBJECT,
    schema="BatchAnswer",
    about="One answer per item, in the order of the items.",
    fields=(
        Field(name="items", kind=Kind.LIST, about="The answers.", required=True, items=BATCH_ITEM),
        Field(name="scored", kind=Kind.INTEGER, about="How many were scored.", required=True, least=0),
        Field(name="failed", kind=Kind.INTEGER, about="How many were not.", required=True, least=0),
    ),
)

MODEL_ANSWER = Field(
    name="",
    kind=Kind.OBJECT,
    schema="ModelAnswer",
    about="The model in service.",
    fields=(
        _answer_text("name", "Registered name."),
        _answer_text("version", "Registered version."),
        _answer_text("manifest_hash", "Identity of the model: a hash over all of its files."),
        _answer_text("feature_set_hash", "Identity of its features."),
        _answer_text("crm_name", "The CRM it was trained on."),
        _answer_text("evidence", "What its scores rest on."),
        Field(name="horizon_days", kind=Kind.INTEGER, about="Days within which a win counts.", required=True),
        _time("created_at", "When it was trained.", required=True),
        Field(name="trained_from", kind=Kind.TEXT, about="First lead.", required=True, nullable=True),
        Field(name="trained_until", kind=Kind.TEXT, about="Last lead.", required=True, nullable=True),
        _answer_text("split", "How it was tested: forward in time, by order, or stratified."),
        _number("base_points", "Points of the average lead."),
        Field(
            name="metrics",
            kind=Kind.LIST,
            about="Its figures on leads it was not trained on.",
            required=True,
            items=Field(
                name="",
                kind=Kind.OBJECT,
                schema="Metric",
                about="One figure.",
                fields=(_answer_text("name", "Which."), _number("value", "How much.")),
            ),
        ),
        Field(
            name="features",
            kind=Kind.LIST,
            about="The names of its features.",
            required=True,
            items=_answer_text("", "A name."),
        ),
    ),
)

STATUS_ANSWER = Field(
    name="",
    kind=Kind.OBJECT,
    schema="Status",
    about="A short answer to a check.",
    fields=(
        _answer_text("status", "alive or ready."),
        Field(name="model_version", kind=Kind.TEXT, about="The model in service.", longest=200),
        Field(name="policy_version", kind=Kind.TEXT, about="The policy in force.", longest=200),
    ),
)
