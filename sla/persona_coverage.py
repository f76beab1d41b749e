"""How well the agreed personas cover the leads: how many each names, none names, and more than one could.

Decides nothing new: a lead is the persona that `sla.personas` names; another one that holds at least half of
its rules as well overlaps with it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import fsum

from sla.personas import LEAST_CONFIDENCE, Persona, Scalar, match_persona, meets


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonaCount:
    """One persona: leads it names, leads it could name too, and the mean share of its rules that hold."""

    name: str
    named: int
    also: int
    confidence: float | None


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two personas and how many leads hold at least half of the rules of both."""

    one: str
    other: str
    leads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The leads by how many personas they could be, and each persona; overlaps with the most leads first."""

    leads: int
    none: int
    one: int
    several: int
    personas: tuple[PersonaCount, ...]
    overlaps: tuple[Overlap, ...]


def cover_leads(personas: tuple[Persona, ...], leads: Iterable[Mapping[str, Scalar | None]]) -> Coverage:
    """Return how personas cover leads, each lead given by its attributes."""
    fitting: Counter[int] = Counter()
    named: dict[str, list[float]] = {one.name: [] for one in personas}
    could: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for attributes in leads:
        fits = [one.name for one in personas if _share(one, attributes) >= LEAST_CONFIDENCE]
        fitting[min(2, len(fits))] += 1
        could.update(fits)
        pairs.update((one, other) for place, one in enumerate(fits) for other in fits[place + 1 :])
        match = match_persona(personas, attributes)
        if match is not None:
            named[match.name].append(match.confidence)
    return Coverage(
        leads=fitting.total(),
        none=fitting[0],
        one=fitting[1],
        several=fitting[2],
        personas=tuple(_count(one.name, named[one.name], could[one.name]) for one in personas),
        overlaps=tuple(Overlap(*pair, count) for pair, count in pairs.most_common()),
    )


def _share(persona: Persona, attributes: Mapping[str, Scalar | None]) -> float:
    return sum(meets(rule, attributes) for rule in persona.rules) / len(persona.rules)


def _count(name: str, confidences: list[float], could: int) -> PersonaCount:
    mean = fsum(confidences) / len(confidences) if confidences else None
    return PersonaCount(name=name, named=len(confidences), also=could - len(confidences), confidence=mean)
