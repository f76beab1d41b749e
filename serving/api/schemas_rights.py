"""What the bodies about the rights of persons look like."""

from serving.api.fields import LONGEST_NAME, Field, Kind

ROW = Field(
    name="",
    kind=Kind.OBJECT,
    about="One row as it is stored.",
    others=Field(name="", kind=Kind.ANY, about="A value.", nullable=True),
)


def _text(name: str, about: str, longest: int = LONGEST_NAME) -> Field:
    return Field(name=name, kind=Kind.TEXT, about=about, required=True, longest=longest)


def _time(name: str, about: str, *, nullable: bool = False) -> Field:
    return Field(name=name, kind=Kind.TIME, about=about, required=True, nullable=nullable)


def _list(name: str, about: str, items: Field) -> Field:
    return Field(name=name, kind=Kind.LIST, about=about, required=True, items=items)


def _object(schema: str, about: str, *fields: Field) -> Field:
    return Field(name="", kind=Kind.OBJECT, about=about, fields=fields, schema=schema)


OBJECTION_REQUEST = _object(
    "ObjectionRequest",
    "Whether the person objects to being scored.",
    Field(name="objects", kind=Kind.BOOLEAN, about="True: stop at once. False: no longer.", required=True),
)
OBJECTION = _object(
    "Objection",
    "How the objection stands.",
    _text("lead_id", "The lead's id."),
    _time("objected_at", "Since when the person objects; null when they do not.", nullable=True),
)
ERASED = _object(
    "Erased",
    "Since when a person is erased.",
    _text("lead_id", "The lead's id."),
    _time("erased_at", "Since when nothing is in the database any more."),
    Field(
        name="files_pending",
        kind=Kind.BOOLEAN,
        about="True until the worker has written the files of the workspace anew as well.",
        required=True,
    ),
)
EXPLAINED_SCORE = _object(
    "ExplainedScore",
    "One score in plain words.",
    _text("score_id", "The score's id."),
    _time("as_of", "The instant it is about."),
    _time("scored_at", "When it was made."),
    Field(name="probability", kind=Kind.NUMBER, about="The chance.", required=True, least=0, most=1),
    Field(name="points", kind=Kind.INTEGER, about="The same in points.", required=True, least=0, most=100),
    _text("stage", "The stage that followed."),
    _text("model_version", "The model it is of."),
    _text("policy_version", "The policy it is of."),
    _list(
        "reasons",
        "Why, the loudest first.",
        Field(name="", kind=Kind.TEXT, about="A reason.", longest=10_000),
    ),
)
STORED_TABLE = _object(
    "StoredTable",
    "What one table holds about the person.",
    _text("table", "The table."),
    _list("rows", "Its rows.", ROW),
)
PERSON_EXPORT = _object(
    "PersonExport",
    "Everything stored about a person.",
    _text("lead_id", "The lead's id."),
    _time("exported_at", "When this was read."),
    _text("procedure", "How scores come about, in plain words.", 10_000),
    _list("scores", "Every score with its reasons.", EXPLAINED_SCORE),
    _list("records", "What the service's database holds.", STORED_TABLE),
    _list("imported", "What the imported history holds.", STORED_TABLE),
    _list("acts", "What the audit log says of the lead and its handovers.", ROW),
)
