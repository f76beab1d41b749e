"""CRMs for the tests of the leakage guard: honest chance, to which a test adds what knows too much."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from features.crm import NamedReason
from features.leakage.findings import Finding
from features.leakage.guard import inspect
from features.tables import CHANGES, CHANGES_SCHEMA, CanonicalTables, sort_canonically
from tests.builders_training import crm_tables, day

EXPORTED_DAY = 400.0
SOURCES = ("web", "fair", "partner", "advert", "phone")


class Chance:
    """The leads of one random CRM, as arrays (n,): who is won, lost or open, and when."""

    def __init__(self, *, n_leads: int, seed: int, won_share: float = 0.3, open_share: float = 0.2) -> None:
        self.rng = np.random.default_rng(seed)
        self.n_leads = n_leads
        self.won = self.rng.random(n_leads) < won_share
        self.is_open = self.rng.random(n_leads) < open_share
        self.won &= ~self.is_open
        self.created = np.sort(self.rng.uniform(0, EXPORTED_DAY - 60, n_leads))
        self.closed = self.created + 3 + self.rng.exponential(15, n_leads).clip(0, 50)

    @property
    def lost(self) -> np.ndarray:
        """Who is lost."""
        return ~self.won & ~self.is_open

    def honest_columns(self) -> dict[str, list[Any]]:
        """Return columns that know nothing: many levels, an id, numbers, half-filled ones, yes and no."""
        rng, n = self.rng, self.n_leads
        half = rng.random(n) < 0.5
        return {
            "source": rng.choice(SOURCES, n).tolist(),
            "town": [f"town {number}" for number in rng.integers(0, max(2, n // 8), n)],
            "reference": [f"R{number}" for number in rng.permutation(n)],
            "phone": [f"+49 {number}" if filled else None for number, filled in enumerate(half)],
            "budget": [
                float(value) if filled else None
                for value, filled in zip(rng.gamma(2, 5, n), half, strict=True)
            ],
            "size": rng.integers(1, 9, n).astype(float).tolist(),
            "newsletter": (rng.random(n) < 0.4).tolist(),
            "asked": rng.choice(["Select", "yes", "no"], n).tolist(),
        }

    def tables(self, columns: Mapping[str, Any], *, flat: bool = False, allow: str = "") -> CanonicalTables:
        """Return the CRM with these columns; `flat` finished cases have no times and an order of arrival."""
        finished = np.flatnonzero(~self.is_open)
        tables = crm_tables(
            [None] * self.n_leads if flat else self.created.tolist(),
            [
                (int(lead), None if flat else float(self.closed[lead]), "won" if self.won[lead] else "lost")
                for lead in finished
            ],
            attributes={name: pa.array(list(values)) for name, values in columns.items()},
            orders=list(range(self.n_leads)) if flat else None,
            exported_day=None if flat else EXPORTED_DAY,
        )
        reasons = (NamedReason(column=allow, reason="agreed with sales"),) if allow else ()
        return replace(tables, crm=replace(tables.crm, allow=reasons))


def with_changes(tables: CanonicalTables, rows: Sequence[tuple[int, float, str, str]]) -> CanonicalTables:
    """Add recorded changes: (lead, day, attribute, value)."""
    named = [
        {"lead_id": f"L{lead:04d}", "changed_at": day(at), "attribute": attribute, "value": value}
        for lead, at, attribute, value in rows
    ]
    changes = sort_canonically(CHANGES, pa.Table.from_pylist(named, schema=CHANGES_SCHEMA))
    return replace(tables, attribute_changes=changes)


def found_in(tables: CanonicalTables) -> tuple[Finding, ...]:
    """Return every finding about all leads as known today."""
    return inspect(tables, known_until_us=tables.known_until_us).findings


def anonymous(tables: CanonicalTables) -> tuple[CanonicalTables, dict[str, str]]:
    """Call the attributes c1, c2, …; also return what each was called."""
    names = {f"c{number}": name for number, name in enumerate(tables.attribute_columns, start=1)}
    new = {name: short for short, name in names.items()}
    leads = tables.leads.rename_columns([new.get(name, name) for name in tables.leads.column_names])
    changes = tables.attribute_changes
    attributes = [new.get(name, name) for name in changes.column("attribute").to_pylist()]
    place = changes.schema.get_field_index("attribute")
    renamed = changes.set_column(place, "attribute", pa.array(attributes, pa.string()))
    return replace(tables, leads=leads, attribute_changes=sort_canonically(CHANGES, renamed)), names
