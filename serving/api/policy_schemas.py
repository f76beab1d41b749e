"""What the bodies of the policy routes look like; the same table checks them and writes OpenAPI."""

from serving.api.fields import Field, Kind
from sla.policy_life import Act, State
from sla.stages import Side, Stage

LONGEST_POLICY = 200_000
LONGEST_WORDS = 4_000
LONGEST_DOCUMENT = 1_000_000
SIDES = (*(side.value for side in Side), "")


def _text(name: str, about: str, longest: int = 10_000) -> Field:
    return Field(name=name, kind=Kind.TEXT, about=about, required=True, longest=longest)


def _choice(name: str, about: str, choices: tuple[str, ...]) -> Field:
    return Field(name=name, kind=Kind.TEXT, about=about, choices=choices, required=True)


def _time(name: str, about: str, *, nullable: bool = True) -> Field:
    return Field(name=name, kind=Kind.TIME, about=about, required=True, nullable=nullable)


def _count(name: str, about: str) -> Field:
    return Field(name=name, kind=Kind.INTEGER, about=about, required=True, least=0)


def _number(name: str, about: str, *, nullable: bool = False) -> Field:
    return Field(name=name, kind=Kind.NUMBER, about=about, required=True, nullable=nullable)


def _list(name: str, about: str, items: Field) -> Field:
    return Field(name=name, kind=Kind.LIST, about=about, required=True, items=items)


def _asked(name: str, about: str, most: float | None = None) -> Field:
    return Field(name=name, kind=Kind.NUMBER, about=about, nullable=True, least=0, most=most)


def _body(schema: str, about: str, *fields: Field) -> Field:
    return Field(name="", kind=Kind.OBJECT, schema=schema, about=about, fields=fields)


POLICY_FIELDS = (
    Field(name="version", kind=Kind.INTEGER, about="The version.", required=True, least=1),
    _text("name", "Its name."),
    _choice("state", "Where it stands.", tuple(State)),
    _choice("side", "The side that drafted it; empty when nobody said.", SIDES),
    _text("drafted_by", "Who drafted it."),
    _text("proposed_by", "Who proposed it; empty for a draft."),
    _text("policy_hash", "SHA-256 of what it promises: what a signature signs."),
    _time("valid_from", "Its effective date; null: from the second signature."),
    _time("expires_at", "When an unsigned proposal expires."),
    _time("effective_at", "When it came or comes into force; null until both have signed."),
    _text("signed_marketing", "Who signed for marketing; empty for nobody."),
    _text("signed_sales", "Who signed for sales; empty for nobody."),
)
POLICY = _body("Policy", "One version of the agreement and where it stands.", *POLICY_FIELDS)
POLICY_LIST = _body("PolicyList", "Every version, newest first.", _list("policies", "The versions.", POLICY))
POLICY_EVENT = _body(
    "PolicyEvent",
    "One act on a version.",
    _time("at", "When.", nullable=False),
    _choice("act", "What was done.", tuple(Act)),
    _choice("side", "For which side; empty when nobody said.", SIDES),
    _text("person", "By whom."),
    _text("policy_hash", "The hash of the text it was about."),
    _text("note", "The comment or the reason; empty for none."),
)
POLICY_DOCUMENT = _body(
    "PolicyDocument",
    "One version with its text, in words, and its life.",
    *POLICY_FIELDS,
    _text("text", "The policy as TOML.", LONGEST_POLICY),
    _text("document_en", "The policy as a document in English, Markdown.", LONGEST_DOCUMENT),
    _text("document_de", "The policy as a document in German, Markdown.", LONGEST_DOCUMENT),
    _list("events", "Every act on it, oldest first.", POLICY_EVENT),
)

DRAFT_REQUEST = _body(
    "PolicyDraft",
    "A policy as TOML. Its version is new, or an open one of your side: then it is edited, and signatures "
    "under the old text are void.",
    Field(
        name="text",
        kind=Kind.TEXT,
        about="The policy as TOML.",
        required=True,
        shortest=1,
        longest=LONGEST_POLICY,
    ),
)
PROPOSE_REQUEST = _body(
    "PolicyProposal",
    "Until when the proposal can be signed.",
    Field(name="expires_at", kind=Kind.TIME, about="Default: 30 days from now.", nullable=True),
)
COMMENT_REQUEST = _body(
    "PolicyComment",
    "What to say about a version.",
    Field(
        name="text", kind=Kind.TEXT, about="The comment.", required=True, shortest=1, longest=LONGEST_WORDS
    ),
)
SIGN_REQUEST = _body(
    "PolicySignature",
    "What is signed; person and side are those of the key.",
    Field(
        name="policy_hash",
        kind=Kind.TEXT,
        about="The hash of the text that was read; another text by now is not signed.",
        nullable=True,
    ),
)
WITHDRAW_REQUEST = _body("PolicyWithdrawal", "Nothing has to be said to take a version back.")
REJECT_REQUEST = _body(
    "PolicyRejection",
    "Why the proposal is refused.",
    Field(
        name="reason", kind=Kind.TEXT, about="The reason.", required=True, shortest=1, longest=LONGEST_WORDS
    ),
)
WHAT_IF_REQUEST = _body(
    "WhatIfRequest",
    "The thresholds to try and what both sides can or must; thresholds left out are those in force.",
    _asked("mql", "MQL threshold, a probability.", 1),
    _asked("sql", "SQL threshold, a probability above that of MQL.", 1),
    _asked("hours_per_sql", "Seller hours one SQL takes; default: what is agreed, else 1."),
    _asked("capacity_hours", "Seller hours per week; default: what is agreed."),
    _asked("least_sqls", "SQLs per week that marketing promises; default: a pledge of SQLs."),
    _asked("value_per_win", "What a win is worth; comes with cost_per_hour."),
    _asked("cost_per_hour", "What a seller hour costs."),
)
WHAT_IF_STAGE = _body(
    "WhatIfStage",
    "What one threshold takes in; shares are null where there is nothing to share.",
    _number("threshold", "The threshold, a probability."),
    _count("leads", "Leads at or above it."),
    _number("leads_per_week", "These per week."),
    _count("wins_kept", "Wins among them."),
    _count("wins_missed", "Wins below it."),
    _number("precision", "Share of these leads that were won.", nullable=True),
    _number("precision_low", "Lower end of its interval.", nullable=True),
    _number("precision_high", "Upper end of its interval.", nullable=True),
    _number("kept_share", "Share of all wins that it keeps.", nullable=True),
    _number("kept_low", "Lower end of its interval.", nullable=True),
    _number("kept_high", "Upper end of its interval.", nullable=True),
)
WHAT_IF_MOVE = _body(
    "WhatIfMove",
    "Leads that would be in another stage than with the thresholds in force.",
    _choice("before", "The stage now.", tuple(Stage)),
    _choice("after", "The stage then.", tuple(Stage)),
    _count("leads", "How many."),
    _list("lead_ids", "The likeliest of them, at most 100.", _text("", "An id.")),
)
WHAT_IF_ANSWER = _body(
    "WhatIfAnswer",
    "What the thresholds would have done to past leads that the champion was not taught with.",
    _time("period_from", "The first day of the period.", nullable=False),
    _time("period_until", "The last: after it, horizons are not over.", nullable=False),
    _number("weeks", "Its length."),
    _count("leads", "Leads in it."),
    _count("wins", "Of these, won within the horizon."),
    _count("left_out_trained_on", "Leads left out because the champion was taught with their time."),
    _count("left_out_still_open", "Leads left out because their horizon is not over."),
    _count("scored_days_after_creation", "Each lead is scored as it was so many days after its creation."),
    _text("interval", "Which intervals these are."),
    Field(
        name="mql",
        kind=Kind.OBJECT,
        schema="WhatIfStage",
        about="MQL and above.",
        required=True,
        fields=WHAT_IF_STAGE.fields,
    ),
    Field(
        name="sql",
        kind=Kind.OBJECT,
        schema="WhatIfStage",
        about="SQL.",
        required=True,
        fields=WHAT_IF_STAGE.fields,
    ),
    _number("seller_hours_per_week", "Hours sales would have worked on SQLs."),
    _number("capacity_share", "These over the capacity.", nullable=True),
    _number("band_lowest", "Lowest SQL threshold sales can work.", nullable=True),
    _number("band_highest", "Highest SQL threshold that gives marketing's least.", nullable=True),
    Field(name="band_feasible", kind=Kind.BOOLEAN, about="Whether both can be kept.", required=True),
    _number("suggested_mql", "Suggested MQL threshold.", nullable=True),
    _number("suggested_sql", "Suggested SQL threshold.", nullable=True),
    _list("moves", "Who would move.", WHAT_IF_MOVE),
)
