"""Scores a table of leads block by block, with the numbers the service gives: same kernel, model, decision.

Decides which leads are scored and how columns that do not fit the model are read; where tables come from
and where scores go is decided by `serving.batch_input` and `serving.batch_output`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.attributes import instants_us
from features.build import Points, build_features
from features.definitions import Feature, FeatureKind, FeatureSet
from features.history.stored_lead import StoredLead, typed_changes
from features.tables import TIME_TYPE, CanonicalTables
from features.words.reasons import Language
from serving.answers import ScoreAnswer
from serving.scorer import LeadFacts, RowPrediction, Scorer, attribute_values, to_microseconds

LEADS_PER_BLOCK = 5_000
ARROW_TYPES: Mapping[FeatureKind, pa.DataType] = {
    FeatureKind.ATTRIBUTE_NUMBER: pa.float64(),
    FeatureKind.ATTRIBUTE_CATEGORY: pa.string(),
    FeatureKind.ATTRIBUTE_BOOLEAN: pa.bool_(),
    FeatureKind.ATTRIBUTE_AGE_DAYS: TIME_TYPE,
    FeatureKind.EMAIL_CLASS: pa.string(),
    FeatureKind.EMAIL_COUNTRY: pa.string(),
}
TYPE_NAMES: Mapping[pa.DataType, str] = {
    pa.float64(): "numbers",
    pa.string(): "texts",
    pa.bool_(): "true or false",
    TIME_TYPE: "times",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BatchPlan:
    """What will be scored: the tables as the model reads them, the leads that exist at as_of; notes."""

    tables: CanonicalTables
    lead_index: npt.NDArray[np.int64]
    as_of: datetime
    lang: Language
    notes: tuple[str, ...]

    @property
    def left_out(self) -> int:
        """How many leads were created after as_of: they did not exist yet."""
        return int(self.tables.leads.num_rows) - len(self.lead_index)


def plan_batch(scorer: Scorer, tables: CanonicalTables, *, as_of: datetime, lang: Language) -> BatchPlan:
    """Fit the tables to the model and choose the leads that exist at `as_of`."""
    fitted, notes = fit_columns(tables, scorer.model.feature_set)
    created_us = instants_us(fitted.leads.column("created_at"))
    known = created_us <= to_microseconds(as_of)  # without times created_us is before every instant
    return BatchPlan(
        tables=fitted,
        lead_index=np.flatnonzero(known).astype(np.int64),
        as_of=as_of,
        lang=lang,
        notes=(*notes, *scorer.unused_attributes(tables.attribute_columns)),
    )


def score_blocks(
    scorer: Scorer, plan: BatchPlan, *, leads_per_block: int = LEADS_PER_BLOCK
) -> Iterator[tuple[ScoreAnswer, ...]]:
    """Yield the answers of one block of leads after the other, in the order of the leads table."""
    for start in range(0, len(plan.lead_index), leads_per_block):
        rows = plan.lead_index[start : start + leads_per_block]
        yield _score_block(
            scorer, plan, slice_leads(plan.tables, int(rows[0]), int(rows[-1])), rows - rows[0]
        )


def slice_leads(tables: CanonicalTables, first: int, last: int) -> CanonicalTables:
    """Return the tables of a range of rows of leads; all tables are sorted by lead_id."""
    leads = tables.leads.slice(first, last - first + 1)
    lead_ids = (leads["lead_id"][0].as_py(), leads["lead_id"][-1].as_py())
    return replace(
        tables,
        leads=leads,
        activities=_between(tables.activities, *lead_ids),
        attribute_changes=_between(tables.attribute_changes, *lead_ids),
    )


def fit_columns(tables: CanonicalTables, feature_set: FeatureSet) -> tuple[CanonicalTables, tuple[str, ...]]:
    """Give the leads every column the model reads, in its type; one of another type is missing."""
    leads, notes = tables.leads, []
    for feature in feature_set.features:
        wanted = ARROW_TYPES.get(feature.kind)
        if wanted is None or feature.attribute is None:
            continue
        leads, note = _fit_column(leads, feature, wanted)
        notes.extend(note)
    return replace(tables, leads=leads), tuple(dict.fromkeys(notes))


def _fit_column(leads: pa.Table, feature: Feature, wanted: pa.DataType) -> tuple[pa.Table, list[str]]:
    nothing = pa.nulls(leads.num_rows, wanted)
    if feature.attribute not in leads.column_names:
        note = f"there is no column {feature.attribute!r}: scored as missing"
        return leads.append_column(feature.attribute, nothing), [note]
    column = leads.column(feature.attribute)
    if column.type == wanted:
        return leads, []
    fitted = leads.set_column(leads.column_names.index(feature.attribute), feature.attribute, nothing)
    if column.null_count == len(column):
        return fitted, []
    found, needed = TYPE_NAMES.get(column.type, str(column.type)), TYPE_NAMES[wanted]
    return fitted, [
        f"column {feature.attribute!r} holds {found}, the model reads {needed}: scored as missing"
    ]


def _score_block(
    scorer: Scorer, plan: BatchPlan, tables: CanonicalTables, rows: npt.NDArray[np.int64]
) -> tuple[ScoreAnswer, ...]:
    as_of_us = np.full(len(rows), to_microseconds(plan.as_of), dtype=np.int64)
    points = Points(lead_index=rows, as_of_us=as_of_us)
    matrix = build_features(scorer.model.feature_set, tables, points)
    prediction = scorer.model.predict(matrix)
    facts = facts_of_block(tables, scorer.policy_fields, as_of=plan.as_of, lang=plan.lang)
    return tuple(
        scorer.conclude(
            facts[row],
            matrix[place],
            RowPrediction(
                probability=float(prediction.probability[place]),
                low=float(prediction.low[place]),
                high=float(prediction.high[place]),
                points=float(prediction.points[place]),
            ),
            warnings=(),
        ).answer
        for place, row in enumerate(rows.tolist())
    )


def facts_of_block(
    tables: CanonicalTables, policy_fields: frozenset[str], *, as_of: datetime, lang: Language
) -> list[LeadFacts]:
    """Return what a policy looks at as of one instant, one value per row of the block's leads."""
    used = [name for name in tables.leads.column_names if name == "lead_id" or name in policy_fields]
    known = tables.activities.filter(pc.less_equal(tables.activities["occurred_at"], pa.scalar(as_of)))
    activities = _grouped(known.select(["lead_id", "kind", "occurred_at"]))
    changes = _grouped(tables.attribute_changes)
    return [
        LeadFacts(
            lead_id=lead["lead_id"],
            as_of=as_of,
            attributes=_attributes(lead, changes.get(lead["lead_id"], ()), tables.leads.schema, as_of),
            activities=tuple(
                (row["kind"], row["occurred_at"]) for row in activities.get(lead["lead_id"], ())
            ),
            lang=lang,
        )
        for lead in tables.leads.select(used).to_pylist()
    ]


def _attributes(
    lead: Mapping[str, Any],
    changes: Sequence[Mapping[str, Any]],
    schema: pa.Schema,
    as_of: datetime,
) -> tuple[tuple[str, Any], ...]:
    typed = tuple(typed_changes(changes, schema))
    return attribute_values(StoredLead(lead=lead, activities=(), attribute_changes=typed).lead_as_of(as_of))


def _grouped(table: pa.Table) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in table.to_pylist():
        groups.setdefault(row["lead_id"], []).append(row)
    return groups


def _between(table: pa.Table, first: str, last: str) -> pa.Table:
    lead_id = table["lead_id"]
    return table.filter(pc.and_(pc.greater_equal(lead_id, first), pc.less_equal(lead_id, last)))
