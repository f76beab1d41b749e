"""Coverage of personas: every lead is in one of three boxes, and each count is a plain count of leads."""

from hypothesis import given
from hypothesis import strategies as st

from sla.persona_coverage import Overlap, cover_leads
from sla.personas import Condition, Operator, Persona, Scalar, match_persona, meets


def persona(name: str, *rules: tuple[str, str]) -> Persona:
    """Return a persona that is known by attributes with these values."""
    return Persona(
        name=name,
        de=name,
        en=name,
        owner_marketing="Mia",
        owner_sales="Sam",
        rules=tuple(Condition(attribute=a, operator=Operator.EQUALS, values=(v,)) for a, v in rules),
    )


PERSONAS = (
    persona("tech", ("department", "it"), ("level", "expert")),
    persona("boss", ("level", "head")),
    persona("it_head", ("department", "it"), ("level", "head")),
)
leads = st.lists(
    st.fixed_dictionaries(
        {
            "department": st.sampled_from(["it", "sales", None]),
            "level": st.sampled_from(["expert", "head", None]),
        }
    ),
    max_size=20,
)


@given(leads)
def test_leads_are_counted_once_each(known: list[dict[str, Scalar | None]]) -> None:
    """None, one or several; named by one at most; confidence is the mean of what the match says."""
    found = cover_leads(PERSONAS, known)
    assert found.leads == len(known) == found.none + found.one + found.several
    matches = [match_persona(PERSONAS, lead) for lead in known]
    for one, count in zip(PERSONAS, found.personas, strict=True):
        own = [match.confidence for match in matches if match is not None and match.name == one.name]
        fits = [lead for lead in known if 2 * sum(meets(rule, lead) for rule in one.rules) >= len(one.rules)]
        assert (count.name, count.named, count.also) == (one.name, len(own), len(fits) - len(own))
        assert count.confidence == (sum(own) / len(own) if own else None)
    assert found.none == matches.count(None)


def test_overlaps_are_named() -> None:
    """A head of IT could be all three; one who is only head could be two."""
    found = cover_leads(PERSONAS, [{"department": "it", "level": "head"}, {"level": "head"}, {}])
    assert (found.none, found.one, found.several) == (1, 0, 2)
    assert set(found.overlaps) == {
        Overlap("boss", "it_head", 2), Overlap("tech", "boss", 1), Overlap("tech", "it_head", 1),
    }  # fmt: skip
    assert found.overlaps[0] == Overlap("boss", "it_head", 2)
