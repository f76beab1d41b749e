"""Rules for JSON fields as data: what a value must be. What is done with them is `serving.api.fields`'."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

FIRST_TIME = datetime(1970, 1, 1, tzinfo=UTC)
LAST_TIME = datetime(2200, 1, 1, tzinfo=UTC)
TIME_EXAMPLE = "2026-11-23T09:00:00Z"
LONGEST_NAME = 200


class Kind(StrEnum):
    """What a field holds; the names are JSON Schema's where it has one."""

    TEXT = "string"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    TIME = "time"
    OBJECT = "object"
    LIST = "array"
    ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field: its name, kind, meaning and limits.

    `shortest` and `longest` count characters of a text, items of a list, members of an object.
    `fields` are the members of an object, `others` the rule for members not named (None: refused),
    `items` the rule for the items of a list; with `items_checked_later` the route checks each item for
    itself. `schema` names the OpenAPI component of an object.
    """

    name: str
    kind: Kind
    about: str
    required: bool = False
    nullable: bool = False
    choices: tuple[str, ...] = ()
    shortest: int = 0
    longest: int | None = None
    least: float | None = None
    most: float | None = None
    fields: tuple["Field", ...] = ()
    others: "Field | None" = None
    items: "Field | None" = None
    items_checked_later: bool = False
    schema: str = ""
