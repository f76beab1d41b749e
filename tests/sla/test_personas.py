"""What a condition means, and which persona a lead is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla.errors import BrokenRulesError
from sla.personas import Condition, Operator, Persona, PersonaMatch, Scalar, match_persona, meets
from tests.builders_policy import BUYER, conditions, names, personas, scalars


def condition(operator: Operator, *values: Scalar) -> Condition:
    """Return a condition on the attribute `x`."""
    return Condition(attribute="x", operator=operator, values=values)


@pytest.mark.parametrize(
    ("operator", "values", "actual", "expected"),
    [
        pytest.param(Operator.IN, ("a", "b"), "b", True, id="in"),
        pytest.param(Operator.IN, ("a", "b"), "c", False, id="not-in"),
        pytest.param(Operator.EQUALS, ("IT",), " it ", True, id="case-and-spaces-do-not-count"),
        pytest.param(Operator.EQUALS, ("Straße",), "STRASSE", True, id="case-folding"),
        pytest.param(Operator.EQUALS, (5,), 5.0, True, id="whole-and-decimal-number"),
        pytest.param(Operator.EQUALS, ("5",), 5, False, id="text-is-no-number"),
        pytest.param(Operator.EQUALS, (1,), True, False, id="true-is-not-one"),
        pytest.param(Operator.EQUALS, (True,), True, True, id="true"),
        pytest.param(Operator.AT_LEAST, (50,), 50, True, id="at-least-includes-the-limit"),
        pytest.param(Operator.AT_LEAST, (50,), 49.9, False, id="below-at-least"),
        pytest.param(Operator.AT_LEAST, (0,), True, False, id="true-is-no-number"),
        pytest.param(Operator.AT_LEAST, (50,), "60", False, id="text-is-not-compared"),
        pytest.param(Operator.AT_MOST, (50,), 50, True, id="at-most-includes-the-limit"),
        pytest.param(Operator.AT_MOST, (50,), 51, False, id="above-at-most"),
        pytest.param(Operator.CONTAINS, ("soft",), "Software", True, id="contains"),
        pytest.param(Operator.CONTAINS, ("5",), 5, False, id="a-number-contains-nothing"),
        pytest.param(Operator.FILLED, (True,), 0, True, id="zero-is-filled"),
        pytest.param(Operator.FILLED, (True,), "  ", False, id="blank-is-empty"),
        pytest.param(Operator.FILLED, (False,), float("nan"), True, id="not-a-number-is-empty"),
        pytest.param(Operator.FILLED, (False,), None, True, id="missing-is-empty"),
        pytest.param(Operator.EQUALS, ("a",), None, False, id="missing-equals-nothing"),
    ],
)
def test_meets(operator: Operator, values: tuple[Scalar, ...], actual: Scalar | None, expected: bool) -> None:
    """Each operator compares like with like and never guesses."""
    assert meets(condition(operator, *values), {"x": actual}) is expected


@given(conditions(), st.dictionaries(names, st.one_of(st.none(), scalars)), st.one_of(st.none(), scalars))
def test_meets_answers_for_everything(
    one: Condition, attributes: dict[str, Scalar | None], own: Scalar
) -> None:
    """No mix of types raises, and only `filled` is met by nothing."""
    meets(one, attributes | {one.attribute: own})
    assert meets(one, {}) is (one.operator is Operator.FILLED and one.values == (False,))


@given(scalars.filter(lambda value: str(value).strip() != ""))
def test_what_is_equal_is_in(value: Scalar) -> None:
    """`equals` and a list of one mean the same, and a value equals itself."""
    assert meets(condition(Operator.EQUALS, value), {"x": value})
    assert meets(condition(Operator.IN, value), {"x": value})


@pytest.mark.parametrize(
    ("operator", "values", "message"),
    [
        pytest.param(Operator.IN, (), "must list at least one value", id="nothing"),
        pytest.param(Operator.EQUALS, ("a", "b"), "must have a single value", id="two"),
        pytest.param(Operator.AT_LEAST, ("a",), "must be a finite number", id="text-limit"),
        pytest.param(Operator.AT_MOST, (float("inf"),), "must be a finite number", id="no-limit"),
        pytest.param(Operator.CONTAINS, (" ",), "must be a text that is not empty", id="contains-blank"),
        pytest.param(Operator.FILLED, ("yes",), "must be true or false", id="filled-text"),
        pytest.param(Operator.IN, (float("nan"),), "must hold texts, finite numbers", id="in-nan"),
    ],
)
def test_a_condition_has_a_meaning(operator: Operator, values: tuple[Scalar, ...], message: str) -> None:
    """A condition that could never be answered is refused."""
    with pytest.raises(BrokenRulesError, match=message):
        condition(operator, *values)


def test_a_condition_names_an_attribute() -> None:
    """Without an attribute there is nothing to compare."""
    with pytest.raises(BrokenRulesError, match="must name an attribute"):
        Condition(attribute=" ", operator=Operator.EQUALS, values=("a",))


def persona(name: str, *rules: Condition) -> Persona:
    """Return a persona with these rules."""
    return Persona(name=name, de=name, en=name, owner_marketing="M", owner_sales="S", rules=rules)


A, B, C = (Condition(attribute=name, operator=Operator.EQUALS, values=("yes",)) for name in "abc")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param("ab", PersonaMatch(name="first", confidence=1.0), id="all-rules"),
        pytest.param("c", PersonaMatch(name="second", confidence=0.5), id="half-is-enough"),
        pytest.param("a", PersonaMatch(name="first", confidence=0.5), id="the-earlier-wins-a-tie"),
        pytest.param("ac", PersonaMatch(name="second", confidence=1.0), id="the-larger-share-wins"),
        pytest.param("", None, id="nobody"),
    ],
)
def test_match_persona(found: str, expected: PersonaMatch | None) -> None:
    """The persona with the largest share of rules met is named, and only from half of them on."""
    people = (persona("first", A, B), persona("second", A, C))
    assert match_persona(people, dict.fromkeys(found, "yes")) == expected


@given(personas("p", with_expectations=False), st.dictionaries(names, scalars))
def test_confidence_is_a_share(one: Persona, attributes: dict[str, Scalar]) -> None:
    """A match names the persona with a confidence from one half to one."""
    match = match_persona((one,), attributes)
    assert match is None or (match.name == "p" and 0.5 <= match.confidence <= 1.0)


def test_a_persona_needs_rules_and_names() -> None:
    """All that is missing is named at once."""
    with pytest.raises(BrokenRulesError, match=r"persona.de must not be empty.*persona.rules must have"):
        Persona(name="p", de="", en="e", owner_marketing="m", owner_sales="s", rules=())


def test_a_persona_has_a_label_in_both_languages() -> None:
    """The label carries both names."""
    assert (BUYER.label.in_language("de"), BUYER.label.in_language("en")) == ("Käuferin", "Buyer")
