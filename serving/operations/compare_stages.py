"""How many leads of the last days would be in another stage under another policy: reads, changes nothing."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from features.attributes import instants_us
from features.tables import CanonicalTables
from serving.batch import facts_of_block, slice_leads
from serving.champion import Champion
from serving.past_scores import (
    DAY_US,
    IntArray,
    instant_of,
    known_until,
    open_leads,
    probabilities_of,
    taught_until_us,
)
from serving.scorer import attributes_of_policy, scored_lead
from sla.policy import Policy, decide

DAYS = 90
LEADS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StageMove:
    """How many leads would go from one stage to another."""

    before: str
    after: str
    leads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StageComparison:
    """Open leads of the last days under two policies, as of the end of the history.

    `trained_on` leads were created when the champion was still taught: their scores are not out of time, so
    they are left out.
    """

    as_of: datetime
    days: int
    leads: int
    trained_on: int
    moves: tuple[StageMove, ...]

    @property
    def changing(self) -> int:
        """How many leads would change stage."""
        return sum(move.leads for move in self.moves)


def compare_stages(
    champion: Champion, tables: CanonicalTables, before: Policy, after: Policy, *, days: int = DAYS
) -> StageComparison:
    """Decide each open lead of the last `days` under both policies and count the pairs of stages.

    Raises `NoPastScoresError` when the champion was not tested forward in time, or the history has no times.
    """
    until_us = known_until(tables)
    recent = open_leads(tables, since_us=until_us - days * DAY_US, until_us=until_us)
    created_us = instants_us(tables.leads.column("created_at"))[recent]
    chosen = recent[created_us >= taught_until_us(champion.model)]
    moves: Counter[tuple[str, str]] = Counter()
    for start in range(0, len(chosen), LEADS_AT_ONCE):
        block = chosen[start : start + LEADS_AT_ONCE]
        moves.update(_stages(champion, tables, (before, after), block, until_us))
    return StageComparison(
        as_of=instant_of(until_us),
        days=days,
        leads=len(chosen),
        trained_on=len(recent) - len(chosen),
        moves=tuple(
            StageMove(before=one, after=other, leads=count)
            for (one, other), count in sorted(moves.items())
            if one != other
        ),
    )


def _stages(
    champion: Champion,
    tables: CanonicalTables,
    policies: tuple[Policy, Policy],
    block: IntArray,
    until_us: int,
) -> Iterator[tuple[str, str]]:
    """Yield each lead's stage under both policies."""
    first = int(block[0])
    fields = attributes_of_policy(policies[0]) | attributes_of_policy(policies[1])
    sliced = slice_leads(tables, first, int(block[-1]))
    as_of_us = np.full(len(block), until_us, dtype=np.int64)
    probabilities = probabilities_of(champion.model, sliced, block - first, as_of_us).tolist()
    facts = facts_of_block(sliced, fields, as_of=instant_of(until_us), lang="en")
    for row, probability in zip(block.tolist(), probabilities, strict=True):
        lead = scored_lead(facts[row - first], probability)
        one, other = (decide(lead, policy, now=lead.scored_at).stage.value for policy in policies)
        yield one, other
