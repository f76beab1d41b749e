"""The personas both teams agreed, as rules over attributes, frozen with the features of a model.

The agreement (`sla.personas`) is where personas are made and changed; a model keeps the rules it was trained
with. The meaning is the same there and here, which a test holds against each other: neither package may
import the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from features.errors import InputError

Scalar = str | float | bool
LEAST_CONFIDENCE = 0.5
"""A persona is named only when at least half of its rules hold."""


class PersonaOperator(StrEnum):
    """How a rule compares an attribute with its values."""

    IN = "in"
    EQUALS = "equals"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    CONTAINS = "contains"
    FILLED = "filled"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonaRule:
    """One question about one attribute: `employees` at_least (200,)."""

    attribute: str
    operator: PersonaOperator
    values: tuple[Scalar, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise InputError(f"persona rule on {self.attribute!r}: values must hold at least one; got none")


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonaRules:
    """One persona: its name, what people call it, and its rules, of which at least half must hold."""

    name: str
    label_de: str = ""
    label_en: str = ""
    rules: tuple[PersonaRule, ...]

    def __post_init__(self) -> None:
        if not self.rules:
            raise InputError(f"persona {self.name!r}: rules must hold at least one; got none")

    @property
    def attributes(self) -> frozenset[str]:
        """The attributes that the rules ask for."""
        return frozenset(rule.attribute for rule in self.rules)


def match_persona(personas: tuple[PersonaRules, ...], attributes: Mapping[str, object]) -> int:
    """Return the place of the persona with the largest share of rules met, the first on a tie; -1 for none.

    Attributes are values as JSON or a table gives them; a time counts as its ISO 8601 text in UTC.
    """
    best, best_share = -1, 0.0
    for place, persona in enumerate(personas):
        met = sum(rule_holds(rule, attributes.get(rule.attribute)) for rule in persona.rules)
        share = met / len(persona.rules)
        if share >= LEAST_CONFIDENCE and share > best_share:
            best, best_share = place, share
    return best


def rule_holds(rule: PersonaRule, value: object) -> bool:
    """Say whether a value meets a rule; total over every mix of types.

    Text is compared without regard to case and outer spaces. A missing value meets no rule except `filled`
    (False,). A number never equals a text that looks like it.
    """
    actual = _plain(value)
    if rule.operator is PersonaOperator.FILLED:
        return (actual is not None) is rule.values[0]
    return actual is not None and any(
        _compares(rule.operator, actual, _plain(wanted)) for wanted in rule.values
    )


def _plain(value: object) -> Scalar | None:
    """Return text folded and stripped; nothing for empty text, not-a-number, lists and objects."""
    match value:
        case str():
            return value.strip().casefold() or None
        case bool():
            return value
        case int() | float():
            return _finite(value)
        case datetime():
            return value.astimezone(UTC).isoformat().casefold()
        case _:
            return None


def _finite(value: float) -> float | None:
    """Return a number as float; nothing for not-a-number and for a whole number beyond every float."""
    try:
        return None if value != value else float(value)
    except OverflowError:
        return None


def _compares(operator: PersonaOperator, actual: Scalar, wanted: Scalar | None) -> bool:
    match operator:
        case PersonaOperator.CONTAINS:
            return isinstance(actual, str) and isinstance(wanted, str) and wanted in actual
        case PersonaOperator.AT_LEAST:
            return _is_number(actual) and _is_number(wanted) and actual >= wanted  # type: ignore[operator]
        case PersonaOperator.AT_MOST:
            return _is_number(actual) and _is_number(wanted) and actual <= wanted  # type: ignore[operator]
        case _:
            return isinstance(actual, bool) == isinstance(wanted, bool) and actual == wanted


def _is_number(value: Scalar | None) -> bool:
    return isinstance(value, float)
