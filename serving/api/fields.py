"""Rules for JSON fields as data: one table answers both "is this body right?" and "what does OpenAPI say?".

A `Field` says what a value must be. `check` returns the value ready to use (times as aware UTC
datetimes) and collects every problem; `json_schema` writes the same rule for OpenAPI 3.0.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from features.errors import InputError
from features.problems import shorten
from serving.api.fields_data import FIRST_TIME, LAST_TIME, LONGEST_NAME, TIME_EXAMPLE, Field, Kind
from serving.api.right_values import NotRight, Reader, reader_of
from serving.wording import did_you_mean

__all__ = [
    "FIRST_TIME",
    "LAST_TIME",
    "LONGEST_NAME",
    "TIME_EXAMPLE",
    "Checker",
    "Field",
    "FieldProblem",
    "Kind",
    "WrongFieldsError",
    "json_schema",
    "named_objects",
    "object_schema",
    "shown",
]

MOST_PROBLEMS = 100
"""So many problems are enough for one answer; describing a million would hold up every other request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldProblem:
    """One field that breaks one rule; `value` is what was sent, as short text."""

    field: str
    rule: str
    value: str | None

    def text(self) -> str:
        """One line that names the field, the rule and the value."""
        return (
            f"{self.field} {self.rule}"
            if self.value is None
            else f"{self.field} {self.rule}; got {self.value}"
        )


class WrongFieldsError(InputError):
    """A body that is JSON but not what the route asks for; carries every problem, up to `MOST_PROBLEMS`."""

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        count = len(problems)
        at_least = "at least " if count >= MOST_PROBLEMS else ""
        fields = "1 field" if count == 1 else f"{at_least}{count} fields"
        super().__init__(f"{fields} of the body must be corrected", problems)
        self.field_problems = problems


def shown(value: object) -> str | None:
    """Return a sent value as short text: what a person recognises, never more than 80 characters."""
    if value is None:
        return None
    if isinstance(value, str):
        return shorten(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return shorten(json.dumps(value, ensure_ascii=False))


_readers: dict[int, tuple[Field, Reader]] = {}


def _reader(field: Field) -> Reader:
    """Return the quick reader of a field of a whole body, made once; fields are few and live on."""
    known = _readers.get(id(field))
    if known is None:
        known = _readers[id(field)] = (field, reader_of(field))
    return known[1]


class Checker:
    """Checks values against fields and keeps every problem found on the way; gives up at `MOST_PROBLEMS`."""

    def __init__(self) -> None:
        self.problems: list[FieldProblem] = []

    def add(self, path: str, rule: str, value: object = None) -> None:
        """Note that the value at a path breaks a rule."""
        self.problems.append(FieldProblem(field=path or "body", rule=rule, value=shown(value)))
        if len(self.problems) >= MOST_PROBLEMS:
            self.refuse_problems()

    def check(self, field: Field, value: object, path: str) -> object:
        """Return the value ready to use; what it is after a problem does not matter."""
        if not path:
            try:
                return _reader(field)(value)
            except NotRight:
                pass  # the slow way says what is wrong with it
        if value is None:
            if not field.nullable:
                self.add(path, f"must be {NOUNS[field.kind]}, not null")
            return None
        return CHECKS[field.kind](self, field, value, path)

    def refuse_problems(self) -> None:
        """Raise `WrongFieldsError` when anything was found."""
        if self.problems:
            raise WrongFieldsError(tuple(self.problems))


def _check_text(checker: Checker, field: Field, value: object, path: str) -> object:
    if not isinstance(value, str):
        checker.add(path, "must be a text", value)
    elif field.choices and value not in field.choices:
        checker.add(path, f"must be one of {', '.join(field.choices)}", value)
    elif not field.shortest <= len(value) <= (LONGEST_NAME if field.longest is None else field.longest):
        checker.add(path, f"must have {field.shortest} to {field.longest or LONGEST_NAME} characters", value)
    return value


def _check_number(checker: Checker, field: Field, value: object, path: str) -> object:
    wanted = int if field.kind is Kind.INTEGER else int | float
    if isinstance(value, bool) or not isinstance(value, wanted):
        checker.add(path, f"must be {NOUNS[field.kind]}", value)
        return None
    if field.least is not None and value < field.least:
        checker.add(path, f"must be at least {field.least:g}", value)
    if field.most is not None and value > field.most:
        checker.add(path, f"must be at most {field.most:g}", value)
    return value


def _check_boolean(checker: Checker, _field: Field, value: object, path: str) -> object:
    if not isinstance(value, bool):
        checker.add(path, "must be true or false", value)
    return value


def _check_time(checker: Checker, _field: Field, value: object, path: str) -> object:
    if not isinstance(value, str):
        checker.add(path, TIME_RULE, value)
        return None
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        checker.add(path, TIME_RULE, value)
        return None
    if time.tzinfo is None:
        checker.add(path, f"must carry a time zone, such as {TIME_EXAMPLE}", value)
        return None
    if not FIRST_TIME <= time <= LAST_TIME:
        checker.add(path, f"must lie between {FIRST_TIME.year} and {LAST_TIME.year}", value)
        return None
    return time.astimezone(UTC)


def _check_list(checker: Checker, field: Field, value: object, path: str) -> object:
    if not isinstance(value, list):
        checker.add(path, "must be a list", value)
        return ()
    if not field.shortest <= len(value) <= (field.longest or len(value)):
        checker.add(path, f"must have {field.shortest} to {field.longest:,} items", f"{len(value)} items")
        return ()
    if field.items is None or field.items_checked_later:
        return tuple(value)
    items, check = field.items, checker.check
    return tuple(check(items, item, f"{path}[{index}]") for index, item in enumerate(value))


def _check_object(checker: Checker, field: Field, value: object, path: str) -> object:
    if not isinstance(value, dict):
        checker.add(path, "must be an object", value)
        return {}
    if field.longest is not None and len(value) > field.longest:
        checker.add(path, f"must have at most {field.longest} members", f"{len(value)} members")
        return {}
    start = f"{path}." if path else ""
    named = {member.name: member for member in field.fields}
    checked = {
        name: checker.check(
            named.get(name) or _rule_for_other(checker, field, name, start), inner, start + name
        )
        for name, inner in value.items()
    }
    for member in field.fields:
        if member.required and member.name not in value:
            checker.add(start + member.name, "is required")
    return checked


def _rule_for_other(checker: Checker, field: Field, name: str, start: str) -> Field:
    if field.others is None:
        known = [member.name for member in field.fields]
        checker.add(shorten(start + name), f"is not a known field{did_you_mean(name, known)}")
    elif not 1 <= len(name) <= LONGEST_NAME:
        checker.add(shorten(start + name), f"must have a name of 1 to {LONGEST_NAME} characters")
    return field.others or ANYTHING


def _take_as_is(_checker: Checker, _field: Field, value: object, _path: str) -> object:
    return value


TIME_RULE = f"must be an ISO 8601 time with a zone, such as {TIME_EXAMPLE}"
ANYTHING = Field(name="", kind=Kind.ANY, about="Any value.", nullable=True)
NOUNS: Mapping[Kind, str] = {
    Kind.TEXT: "a text",
    Kind.NUMBER: "a number",
    Kind.INTEGER: "a whole number",
    Kind.BOOLEAN: "true or false",
    Kind.TIME: "a time",
    Kind.OBJECT: "an object",
    Kind.LIST: "a list",
    Kind.ANY: "a value",
}
CHECKS: Mapping[Kind, Callable[[Checker, Field, object, str], object]] = {
    Kind.TEXT: _check_text,
    Kind.NUMBER: _check_number,
    Kind.INTEGER: _check_number,
    Kind.BOOLEAN: _check_boolean,
    Kind.TIME: _check_time,
    Kind.OBJECT: _check_object,
    Kind.LIST: _check_list,
    Kind.ANY: _take_as_is,
}


def json_schema(field: Field) -> dict[str, object]:
    """Return the OpenAPI 3.0 schema of a field; a named object becomes a reference to its component."""
    if field.kind is Kind.OBJECT and field.schema:
        reference: dict[str, object] = {"$ref": f"#/components/schemas/{field.schema}"}
        return {"allOf": [reference], "nullable": True} if field.nullable else reference
    return object_schema(field) if field.kind is Kind.OBJECT else _plain_schema(field)


def object_schema(field: Field) -> dict[str, object]:
    """Return the schema of an object itself: what stands under `components`."""
    schema = _described(field) | {"type": "object"}
    schema["properties"] = {member.name: json_schema(member) for member in field.fields}
    required = [member.name for member in field.fields if member.required]
    schema |= {"required": required} if required else {}
    schema |= {"maxProperties": field.longest} if field.longest is not None else {}
    return schema | {"additionalProperties": json_schema(field.others) if field.others else False}


def named_objects(field: Field) -> dict[str, Field]:
    """Return every object below a field, itself included, that becomes a component."""
    found = {field.schema: field} if field.schema else {}
    for inner in (*field.fields, field.items, field.others):
        found |= named_objects(inner) if inner else {}
    return found


def _described(field: Field) -> dict[str, object]:
    return {"description": field.about} | ({"nullable": True} if field.nullable else {})


def _plain_schema(field: Field) -> dict[str, object]:
    schema = _described(field)
    match field.kind:
        case Kind.ANY:
            return schema
        case Kind.TEXT:
            schema |= {"type": "string"} | _choices(field)
            return (
                schema if field.choices else schema | _limits(field, "minLength", "maxLength", LONGEST_NAME)
            )
        case Kind.TIME:
            return schema | {"type": "string", "format": "date-time"}
        case Kind.LIST:
            items = json_schema(field.items or ANYTHING)
            return schema | {"type": "array", "items": items} | _limits(field, "minItems", "maxItems", None)
        case Kind.NUMBER | Kind.INTEGER:
            schema |= {"type": str(field.kind)}
            schema |= {"minimum": field.least} if field.least is not None else {}
            return schema | ({"maximum": field.most} if field.most is not None else {})
        case _:
            return schema | {"type": str(field.kind)}


def _choices(field: Field) -> dict[str, object]:
    # OpenAPI 3.0 lets null through an enum only when the enum lists it.
    nothing: tuple[None, ...] = (None,) if field.nullable else ()
    return {"enum": [*field.choices, *nothing]} if field.choices else {}


def _limits(field: Field, least: str, most: str, usual: int | None) -> dict[str, object]:
    longest = usual if field.longest is None else field.longest
    limits: dict[str, object] = {least: field.shortest}
    return limits if longest is None else limits | {most: longest}
