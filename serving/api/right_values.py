"""The quick way through a right body: each rule of a `Field` as a closure that returns the value to use.

Decides nothing of its own. At the first broken rule it gives up with `NotRight`, and `serving.api.fields`
reads the value again with all of its problems; a test holds both against each other.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from serving.api.fields_data import FIRST_TIME, LAST_TIME, LONGEST_NAME, Field, Kind

Reader = Callable[[object], object]


class NotRight(Exception):  # noqa: N818 - no error anybody sees: the slow way says what is wrong
    """The value breaks some rule."""


def reader_of(field: Field) -> Reader:
    """Return the function that reads values of a field."""
    read = _MAKERS.get(field.kind, _as_is)(field)
    is_nullable = field.nullable

    def read_or_null(value: object) -> object:
        if value is None:
            if is_nullable:
                return None
            raise NotRight
        return read(value)

    return read_or_null


def _text(field: Field) -> Reader:
    shortest, longest = field.shortest, LONGEST_NAME if field.longest is None else field.longest
    choices = frozenset(field.choices)

    def read(value: object) -> object:
        if type(value) is not str or (choices and value not in choices):
            raise NotRight
        if choices or shortest <= len(value) <= longest:
            return value
        raise NotRight

    # A choice is also held against the lengths; no choice breaks them.
    if any(not shortest <= len(one) <= longest for one in choices):
        raise ValueError(f"{field.name}: every choice must have {shortest} to {longest} characters")
    return read


def _number(field: Field) -> Reader:
    kinds: tuple[type, ...] = (int,) if field.kind is Kind.INTEGER else (int, float)
    least = float("-inf") if field.least is None else field.least
    most = float("inf") if field.most is None else field.most

    def read(value: object) -> object:
        if type(value) in kinds and least <= value <= most:  # type: ignore[operator]
            return value
        raise NotRight

    return read


def _boolean(_field: Field) -> Reader:
    def read(value: object) -> object:
        if value is True or value is False:
            return value
        raise NotRight

    return read


def _time(_field: Field) -> Reader:
    parse, first, last = datetime.fromisoformat, FIRST_TIME, LAST_TIME

    def read(value: object) -> object:
        if type(value) is not str:
            raise NotRight
        try:
            time = parse(value)
        except ValueError:
            raise NotRight from None
        if time.tzinfo is None or not first <= time <= last:
            raise NotRight
        return time if time.tzinfo is UTC else time.astimezone(UTC)

    return read


def _list(field: Field) -> Reader:
    shortest, longest = field.shortest, field.longest or None
    item = None if field.items is None or field.items_checked_later else reader_of(field.items)

    def read(value: object) -> object:
        if type(value) is not list or len(value) < shortest or (longest is not None and len(value) > longest):
            raise NotRight
        return tuple(value) if item is None else tuple(map(item, value))

    return read


def _object(field: Field) -> Reader:
    members = {member.name: reader_of(member) for member in field.fields}
    required = frozenset(member.name for member in field.fields if member.required)
    others = None if field.others is None else reader_of(field.others)
    longest = field.longest

    def read_other(name: str, value: object) -> object:
        if others is None or not 1 <= len(name) <= LONGEST_NAME:
            raise NotRight
        return others(value)

    def read(value: object) -> object:
        if type(value) is not dict or (longest is not None and len(value) > longest):
            raise NotRight
        if not required <= value.keys():
            raise NotRight
        return {
            name: members[name](inner) if name in members else read_other(name, inner)
            for name, inner in value.items()
        }

    return read


def _as_is(_field: Field) -> Reader:
    return lambda value: value


_MAKERS: dict[Kind, Callable[[Field], Reader]] = {
    Kind.TEXT: _text,
    Kind.NUMBER: _number,
    Kind.INTEGER: _number,
    Kind.BOOLEAN: _boolean,
    Kind.TIME: _time,
    Kind.LIST: _list,
    Kind.OBJECT: _object,
}
