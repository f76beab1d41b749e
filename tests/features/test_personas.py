"""A persona means the same to the model as it does in the agreement."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from features.personas import LEAST_CONFIDENCE, PersonaOperator, PersonaRule, PersonaRules, match_persona
from serving.scorer import attribute_value
from sla import personas as agreed

NUMBERS = st.floats(-5, 5).map(lambda value: round(value, 1)) | st.integers(-5, 5).map(float)
TEXTS = st.sampled_from(["IT", " it ", "Finance", "fin", "1.0", "true", "", " "])
MOMENTS = st.sampled_from(
    [datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))]
)
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["a", "b", "c"]),
    NUMBERS | TEXTS | st.booleans() | st.none() | MOMENTS | st.integers(-5, 5) | st.just(float("nan")),
)


@st.composite
def rules(draw: st.DrawFn) -> PersonaRule:
    """Draw a rule that the agreement would accept."""
    operator = draw(st.sampled_from(PersonaOperator))
    values: st.SearchStrategy[Any] = {
        PersonaOperator.AT_LEAST: NUMBERS,
        PersonaOperator.AT_MOST: NUMBERS,
        PersonaOperator.CONTAINS: TEXTS.filter(str.strip),
        PersonaOperator.FILLED: st.booleans(),
    }.get(operator, NUMBERS | TEXTS | st.booleans())
    most = 3 if operator is PersonaOperator.IN else 1
    return PersonaRule(
        attribute=draw(st.sampled_from(["a", "b", "c"])),
        operator=operator,
        values=tuple(draw(st.lists(values, min_size=1, max_size=most))),
    )


PERSONAS = st.lists(st.lists(rules(), min_size=1, max_size=4), max_size=3).map(
    lambda all_rules: tuple(
        PersonaRules(name=f"persona {place}", rules=tuple(each)) for place, each in enumerate(all_rules)
    )
)


def as_agreed(persona: PersonaRules) -> agreed.Persona:
    """Return the same persona as the agreement holds it."""
    conditions = (
        agreed.Condition(
            attribute=rule.attribute, operator=agreed.Operator(rule.operator.value), values=rule.values
        )
        for rule in persona.rules
    )
    return agreed.Persona(
        name=persona.name, de="x", en="x", owner_marketing="m", owner_sales="s", rules=tuple(conditions)
    )


@given(PERSONAS, ATTRIBUTES)
def test_the_match_is_that_of_the_agreement(
    personas: tuple[PersonaRules, ...], attributes: dict[str, object]
) -> None:
    """Over every operator and mix of types: the same persona, or none for both."""
    plain = {name: attribute_value(value) for name, value in attributes.items()}
    expected = agreed.match_persona(tuple(map(as_agreed, personas)), plain)
    place = match_persona(personas, attributes)
    assert (personas[place].name if place >= 0 else None) == (expected.name if expected else None)


def test_operators_and_confidence_are_those_of_the_agreement() -> None:
    """A rule of the agreement can always be frozen into a model."""
    assert [each.value for each in PersonaOperator] == [each.value for each in agreed.Operator]
    assert LEAST_CONFIDENCE == agreed.LEAST_CONFIDENCE
