"""Which features a CRM gets: chosen once from its training leads, then frozen with the model.

Decides attributes, levels and activity kinds by what the training leads show; the list of features is in
`features.catalogue`, the names that are denied in `features.leakage`.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.catalogue import activity_features, attribute_feature, lead_age_feature, with_unique_names
from features.definitions import MOST_LEVELS, Feature, FeatureKind, FeatureSet
from features.encode import OTHER
from features.leakage import denied_columns
from features.leakage.shapes import ID_LIKE_LEVELS, ID_LIKE_SHARE
from features.tables import TIME_TYPE, CanonicalTables

MOST_ACTIVITY_KINDS = 12
LEAST_LEADS_PER_LEVEL = 5
LEAST_SHARE_PER_LEVEL = 0.001


def choose_features(
    tables: CanonicalTables, *, lead_index: npt.NDArray[np.int64], known_until_us: int | None
) -> FeatureSet:
    """Choose the features that the training leads can carry.

    Parameters
    ----------
    lead_index : int64 (n_training_leads,), the rows of `tables.leads` to look at; repeats count once.
    known_until_us : what happened later (microseconds UTC) is not looked at; None for tables without times.

    Text becomes a category with the levels of at least max(5, 0.1 %) training leads, at most 255 of them,
    and never a number; a column that is empty, id-like or denied (`features.leakage`) is left out. Activities
    give features for the 12 most frequent kinds, and none where there are no times.
    """
    leads = tables.leads.take(pa.array(np.unique(lead_index)))
    activities = _known_activities(tables, leads, known_until_us)
    kinds = _frequent_kinds(activities)
    return FeatureSet(
        features=with_unique_names(_candidates(tables, leads, activities, kinds, known_until_us)),
        timezone=tables.crm.timezone,
        activity_kinds=kinds,
    )


def _candidates(
    tables: CanonicalTables,
    leads: pa.Table,
    activities: pa.Table,
    kinds: tuple[str, ...],
    known_until_us: int | None,
) -> Iterator[Feature]:
    if kinds:
        has_assets = activities.column("asset").null_count < activities.num_rows
        yield from activity_features(kinds, tables.crm, has_assets=has_assets)
    if tables.has_times:
        yield lead_age_feature()
    denied = {finding.column for finding in denied_columns(tables.attribute_columns, tables.crm)}
    for attribute in tables.attribute_columns:
        if attribute not in denied:
            yield from _attribute_candidates(attribute, tables, leads, known_until_us)


def _known_activities(tables: CanonicalTables, leads: pa.Table, known_until_us: int | None) -> pa.Table:
    if not tables.has_times:
        return tables.activities.slice(0, 0)
    return _of_leads_until(tables.activities, "occurred_at", leads, known_until_us)


def _of_leads_until(
    table: pa.Table, time_column: str, leads: pa.Table, known_until_us: int | None
) -> pa.Table:
    kept = pc.is_in(table.column("lead_id"), value_set=leads.column("lead_id").combine_chunks())
    if known_until_us is not None:
        limit = pa.scalar(known_until_us, pa.int64()).cast(TIME_TYPE)
        kept = pc.and_(kept, pc.less_equal(table.column(time_column), limit))
    return table.filter(kept)


def _frequent_kinds(activities: pa.Table) -> tuple[str, ...]:
    return _most_frequent(activities.column("kind"), least=1, most=MOST_ACTIVITY_KINDS)


def _most_frequent(texts: pa.ChunkedArray, *, least: int, most: int) -> tuple[str, ...]:
    """Return the texts that occur at least `least` times, most frequent first, ties by name."""
    counted = ((each["values"], each["counts"]) for each in pc.value_counts(texts).to_pylist())
    frequent = sorted((-count, text) for text, count in counted if text and text != OTHER and count >= least)
    return tuple(text for _, text in frequent[:most])


def _attribute_candidates(
    attribute: str, tables: CanonicalTables, leads: pa.Table, known_until_us: int | None
) -> Iterator[Feature]:
    column = leads.column(attribute)
    if pa.types.is_string(column.type):
        levels = _levels(attribute, tables, leads, known_until_us)
        if levels:
            yield attribute_feature(FeatureKind.ATTRIBUTE_CATEGORY, attribute, tables.crm, levels)
    elif column.null_count < len(column):
        kind = _kind_of(column.type)
        if tables.has_times or kind is not FeatureKind.ATTRIBUTE_AGE_DAYS:
            yield attribute_feature(kind, attribute, tables.crm)


def _kind_of(column_type: pa.DataType) -> FeatureKind:
    if pa.types.is_boolean(column_type):
        return FeatureKind.ATTRIBUTE_BOOLEAN
    if pa.types.is_timestamp(column_type):
        return FeatureKind.ATTRIBUTE_AGE_DAYS
    return FeatureKind.ATTRIBUTE_NUMBER


def _levels(
    attribute: str, tables: CanonicalTables, leads: pa.Table, known_until_us: int | None
) -> tuple[str, ...]:
    """Return the levels of a text attribute over what leads have now and had before; none when id-like."""
    changes = _of_leads_until(tables.attribute_changes, "changed_at", leads, known_until_us)
    changes = changes.filter(pc.equal(changes.column("attribute"), attribute))
    now = pa.table({"lead_id": leads.column("lead_id"), "value": leads.column(attribute)})
    texts = pa.concat_tables([now, changes.select(["lead_id", "value"])]).group_by(["lead_id", "value"])
    per_lead = texts.aggregate([]).column("value")
    n_filled, n_different = len(per_lead) - per_lead.null_count, pc.count_distinct(per_lead).as_py()
    if n_different > ID_LIKE_LEVELS and n_different > ID_LIKE_SHARE * n_filled:
        return ()
    least = max(LEAST_LEADS_PER_LEVEL, int(np.ceil(LEAST_SHARE_PER_LEVEL * leads.num_rows)))
    return _most_frequent(per_lead, least=least, most=MOST_LEVELS)
