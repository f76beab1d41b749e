"""The kinds of fields that bodies and answers are made of: what must be said, what may be missing."""

from serving.api.fields import LONGEST_NAME, Field, Kind

LONGEST_TEXT = 2_000


def text(name: str, about: str, *, required: bool = False, longest: int = LONGEST_NAME) -> Field:
    """Return a text of a request that says something."""
    shortest = 1 if required else 0
    return Field(
        name=name,
        kind=Kind.TEXT,
        about=about,
        required=required,
        nullable=not required,
        shortest=shortest,
        longest=longest,
    )


def time_of(name: str, about: str, *, required: bool = False) -> Field:
    """Return an instant of a request."""
    return Field(name=name, kind=Kind.TIME, about=about, required=required, nullable=not required)


def choice(name: str, about: str, choices: tuple[str, ...], *, required: bool = True) -> Field:
    """Return a text of a fixed list."""
    return Field(
        name=name, kind=Kind.TEXT, about=about, choices=choices, required=required, nullable=not required
    )


def number(name: str, about: str) -> Field:
    """Return a number of a request."""
    return Field(name=name, kind=Kind.NUMBER, about=about, nullable=True)


def said(name: str, about: str) -> Field:
    """Return a text of an answer; empty when there is nothing to say."""
    return Field(name=name, kind=Kind.TEXT, about=about, required=True, longest=10_000)


def said_or_null(name: str, about: str) -> Field:
    """Return a text of an answer that may be null."""
    return Field(name=name, kind=Kind.TEXT, about=about, required=True, nullable=True, longest=10_000)


def told(name: str, about: str, *, nullable: bool = True) -> Field:
    """Return an instant of an answer."""
    return Field(name=name, kind=Kind.TIME, about=about, required=True, nullable=nullable)


def count(name: str, about: str, *, least: int | None = 0) -> Field:
    """Return a whole number of an answer."""
    return Field(name=name, kind=Kind.INTEGER, about=about, required=True, least=least)


def list_of(name: str, about: str, items: Field) -> Field:
    """Return a list of an answer."""
    return Field(name=name, kind=Kind.LIST, about=about, required=True, items=items)


def object_of(schema: str, about: str, *fields: Field, name: str = "", nullable: bool = False) -> Field:
    """Return an object: a body or an answer, or a part of one under a name."""
    return Field(
        name=name,
        kind=Kind.OBJECT,
        schema=schema,
        about=about,
        fields=fields,
        nullable=nullable,
        required=bool(name),
    )


BY = text("by", "The person who did it; default: whom the key belongs to.")
WHEN = time_of("occurred_at", "When it happened; default: now.")
