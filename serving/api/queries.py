"""Path and query parameters: read with the same care as bodies, described by the same table."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request

from serving.api.fields import LONGEST_NAME, FieldProblem, WrongFieldsError, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter: where it stands, its meaning, and what it may hold."""

    name: str
    about: str
    example: str
    place: str = "query"
    choices: tuple[str, ...] = ()
    least: int | None = None
    most: int | None = None

    @property
    def is_number(self) -> bool:
        """True for a whole number within limits."""
        return self.most is not None

    def schema(self) -> Mapping[str, object]:
        """Return the OpenAPI schema of the value."""
        if self.is_number:
            return {"type": "integer", "minimum": self.least, "maximum": self.most}
        if self.choices:
            return {"type": "string", "enum": list(self.choices)}
        return {"type": "string", "minLength": 1, "maxLength": LONGEST_NAME}

    def problem(self, value: str) -> str | None:
        """Return the rule a value breaks, or None."""
        if self.is_number:
            is_fine = value.isascii() and value.isdecimal() and len(value) <= 9
            is_fine = is_fine and (self.least or 0) <= int(value) <= (self.most or 0)
            return None if is_fine else f"must be a whole number from {self.least} to {self.most}"
        if self.choices:
            return None if value in self.choices else f"must be one of {', '.join(self.choices)}"
        is_fine = 1 <= len(value) <= LONGEST_NAME and value.strip() == value and value.isprintable()
        return None if is_fine else f"must have 1 to {LONGEST_NAME} printable characters, no blank at an end"


def read_parameters(request: Request, parameters: tuple[Parameter, ...]) -> dict[str, str]:
    """Return the values that are given, or raise `WrongFieldsError` with every one that is wrong."""
    values: Mapping[str, str] = {**request.query_params, **request.path_params}
    given = {one.name: values[one.name] for one in parameters if one.name in values}
    found = ((one, one.problem(given[one.name])) for one in parameters if one.name in given)
    problems = tuple(
        FieldProblem(field=_field(one), rule=rule, value=shown(given[one.name]))
        for one, rule in found
        if rule is not None
    )
    if problems:
        raise WrongFieldsError(problems)
    return given


def _field(parameter: Parameter) -> str:
    return parameter.name if parameter.place == "path" else f"?{parameter.name}"
