"""Buyer personas both sides defined, and which one a lead is, with how much confidence.

Decides the meaning of one condition over attributes and the best match. What a persona changes (thresholds,
content, deadlines) is the policy's business.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sla.errors import BrokenRule, filled_only, refuse_broken
from sla.texts import Text

Scalar = str | float | bool
"""What an attribute or a condition can hold; whole numbers count as float."""

LEAST_CONFIDENCE = 0.5
"""A persona is named only when at least half of its rules hold."""


class Operator(StrEnum):
    """How a condition compares an attribute with its values."""

    IN = "in"
    EQUALS = "equals"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    CONTAINS = "contains"
    FILLED = "filled"


NUMBER_OPERATORS = (Operator.AT_LEAST, Operator.AT_MOST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One question about one attribute: `department` in ("it", "finance"), `employees` at_least (200,).

    Text is compared without regard to case and outer spaces. A missing attribute meets no condition except
    `filled` (False,). A number never equals a text that looks like it.
    """

    attribute: str
    operator: Operator
    values: tuple[Scalar, ...]

    def __post_init__(self) -> None:
        refuse_broken("condition", self._broken_rules())

    def _broken_rules(self) -> Iterator[BrokenRule]:
        name = self.operator.value
        if not self.attribute.strip():
            yield BrokenRule("attribute", "must name an attribute of the lead", self.attribute)
        if not self.values:
            yield BrokenRule(name, "must list at least one value", self.values)
        if self.operator is not Operator.IN and len(self.values) > 1:
            yield BrokenRule(name, "must have a single value", self.values)
        for value in self.values:
            yield from _broken_value(self.operator, value)


def _broken_value(operator: Operator, value: Scalar) -> Iterator[BrokenRule]:
    if operator in NUMBER_OPERATORS and not _is_number(value):
        yield BrokenRule(operator.value, "must be a finite number", value)
    if operator is Operator.CONTAINS and not (isinstance(value, str) and value.strip()):
        yield BrokenRule(operator.value, "must be a text that is not empty", value)
    if operator is Operator.FILLED and not isinstance(value, bool):
        yield BrokenRule(operator.value, "must be true or false", value)
    if operator in (Operator.IN, Operator.EQUALS) and not (
        isinstance(value, (str, bool)) or _is_number(value)
    ):
        yield BrokenRule(operator.value, "must hold texts, finite numbers, true or false", value)


def _is_number(value: object) -> bool:
    """Say whether a value is a finite number; true and false are none."""
    return (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and float("-inf") < value < float("inf")
    )


def expected_share_only(share: float | None) -> Iterator[BrokenRule]:
    """Yield the rule an agreed conversion breaks: certainty is nothing two teams can agree on."""
    if share is not None and not 0.0 < share < 1.0:
        yield BrokenRule("expected_conversion", "must lie between 0 and 1, both excluded", share)


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """A buyer type: name for machines, German and English name, pains, an owner per side, rules.

    `expected_conversion` is the share of its leads that both teams expect to be won within the horizon.
    """

    name: str
    de: str
    en: str
    pains: tuple[Text, ...] = ()
    owner_marketing: str
    owner_sales: str
    rules: tuple[Condition, ...]
    expected_conversion: float | None = None

    def __post_init__(self) -> None:
        refuse_broken("persona", self._broken_rules())

    def _broken_rules(self) -> Iterator[BrokenRule]:
        yield from filled_only(self, ("name", "de", "en", "owner_marketing", "owner_sales"))
        if not self.rules:
            yield BrokenRule("rules", "must have at least one rule", self.rules)
        yield from expected_share_only(self.expected_conversion)

    @property
    def label(self) -> Text:
        """The persona's name for people."""
        return Text(en=self.en, de=self.de)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonaMatch:
    """The persona of a lead and the share of its rules that hold (0.5–1)."""

    name: str
    confidence: float


def meets(condition: Condition, attributes: Mapping[str, Scalar | None]) -> bool:
    """Say whether the attributes of a lead meet one condition; total over every mix of types."""
    actual = _plain(attributes.get(condition.attribute))
    if condition.operator is Operator.FILLED:
        return (actual is not None) is condition.values[0]
    if actual is None:
        return False
    return any(_compares(condition.operator, actual, _plain(value)) for value in condition.values)


def match_persona(
    personas: tuple[Persona, ...], attributes: Mapping[str, Scalar | None]
) -> PersonaMatch | None:
    """Return the persona with the largest share of rules met, the earlier one on a tie.

    None when no persona has at least half of its rules met: an unknown buyer is not guessed.
    """
    best: PersonaMatch | None = None
    for persona in personas:
        share = sum(meets(rule, attributes) for rule in persona.rules) / len(persona.rules)
        if share >= LEAST_CONFIDENCE and (best is None or share > best.confidence):
            best = PersonaMatch(name=persona.name, confidence=share)
    return best


def _plain(value: Scalar | None) -> Scalar | None:
    """Return text without case and outer spaces, and nothing for empty text and not-a-number."""
    if isinstance(value, str):
        return value.strip().casefold() or None
    return None if value != value else value  # only not-a-number differs from itself


def _compares(operator: Operator, actual: Scalar, wanted: Scalar | None) -> bool:
    match operator, actual, wanted:
        case Operator.CONTAINS, str(), str():
            return wanted in actual
        case Operator.AT_LEAST, (int() | float()), (int() | float()):
            return not isinstance(actual, bool) and actual >= wanted
        case Operator.AT_MOST, (int() | float()), (int() | float()):
            return not isinstance(actual, bool) and actual <= wanted
        case ((Operator.IN | Operator.EQUALS), _, _):
            return isinstance(actual, bool) == isinstance(wanted, bool) and actual == wanted
        case _:
            return False
