"""Which features a CRM gets: chosen once from its training leads, then frozen with the model.

Decides attributes, levels and activity kinds by what the training leads show; the list of features is in
`features.catalogue`, the names that are denied in `features.leakage`.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.catalogue import (
    activity_features,
    attribute_feature,
    change_features,
    email_features,
    lead_age_feature,
    persona_feature,
    with_unique_names,
)
from features.crm import CrmSettings
from features.definitions import MOST_LEVELS, Feature, FeatureKind, FeatureSet
from features.emails import email_country, is_address
from features.encode import OTHER
from features.errors import InputError
from features.leakage import denied_columns
from features.leakage.shapes import ID_LIKE_LEVELS, ID_LIKE_SHARE
from features.personas import PersonaRules
from features.tables import TIME_TYPE, CanonicalTables

MOST_ACTIVITY_KINDS = 12
MOST_CHANNELS = 6
MOST_COUNTRIES = 20
LEAST_LEADS_PER_LEVEL = 5
LEAST_SHARE_PER_LEVEL = 0.001
ADDRESS_SHARE = 0.5
"""A column of which at least half are e-mail addresses is one of addresses; it never becomes a category."""


def choose_features(
    tables: CanonicalTables,
    *,
    lead_index: npt.NDArray[np.int64],
    known_until_us: int | None,
    personas: tuple[PersonaRules, ...] = (),
) -> FeatureSet:
    """Choose the features that the training leads can carry.

    Parameters
    ----------
    lead_index : int64 (n_training_leads,), the rows of `tables.leads` to look at; repeats count once.
    known_until_us : what happened later (microseconds UTC) is not looked at; None for tables without times.
    personas : the agreed ones; without a feature when a rule asks for an attribute that no feature may read.

    Text becomes a category with the levels of at least max(5, 0.1 %) training leads, at most 255 of them,
    and never a number; addresses become what their domain tells. A column that is empty, id-like or denied
    (`features.leakage`) is left out. Activities give features for the 12 most frequent kinds and the 6 most
    frequent channels, and none where there are no times. InputError when `crm.toml` agrees on a direction for
    a feature that is not among them, or is a category.
    """
    leads = tables.leads.take(pa.array(np.unique(lead_index)))
    known = _Known(tables, leads, known_until_us)
    kinds, channels = known.frequent("kind", MOST_ACTIVITY_KINDS), known.frequent("channel", MOST_CHANNELS)
    features = with_unique_names(_candidates(known, kinds, channels, personas))
    return FeatureSet(
        features=_directed(features, tables.crm),
        timezone=tables.crm.timezone,
        activity_kinds=kinds,
        channels=channels,
    )


class _Known:
    """What the training leads had shown until the cut-off."""

    def __init__(self, tables: CanonicalTables, leads: pa.Table, known_until_us: int | None) -> None:
        self.tables, self.leads = tables, leads
        self.activities, self.changes = (
            _of_leads_until(table, column, leads, known_until_us) if tables.has_times else table.slice(0, 0)
            for table, column in (
                (tables.activities, "occurred_at"),
                (tables.attribute_changes, "changed_at"),
            )
        )
        self.changed_ever = tables.attribute_changes.select(["lead_id", "attribute"])
        denied = {finding.column for finding in denied_columns(tables.attribute_columns, tables.crm)}
        self.attributes = tuple(name for name in tables.attribute_columns if name not in denied)

    def frequent(self, column: str, most: int) -> tuple[str, ...]:
        """Return the most frequent activity kinds or channels."""
        return _most_frequent(self.activities.column(column), least=1, most=most)

    def texts(self, attribute: str) -> pa.ChunkedArray:
        """Return each text a lead has or had, once per lead; of a lead with changes what they say counts."""
        changes = self.changes.filter(pc.equal(self.changes.column("attribute"), attribute))
        ever = self.changed_ever.filter(pc.equal(self.changed_ever.column("attribute"), attribute))
        unchanged = pc.invert(pc.is_in(self.leads.column("lead_id"), value_set=ever.column("lead_id")))
        now = self.leads.select(["lead_id", attribute]).rename_columns(["lead_id", "value"]).filter(unchanged)
        texts = pa.concat_tables([now, changes.select(["lead_id", "value"])])
        return texts.group_by(["lead_id", "value"]).aggregate([]).column("value")


def _candidates(
    known: _Known, kinds: tuple[str, ...], channels: tuple[str, ...], personas: tuple[PersonaRules, ...]
) -> Iterator[Feature]:
    crm, activities = known.tables.crm, known.activities
    if kinds:
        has_assets = activities.column("asset").null_count < activities.num_rows
        yield from activity_features(kinds, crm, channels=channels, has_assets=has_assets)
    if known.tables.has_times:
        yield lead_age_feature()
    read = []
    for attribute in known.attributes:
        features = tuple(_attribute_candidates(attribute, known))
        read.extend([attribute] if features else [])
        yield from features
    changing = set(known.changes.column("attribute").unique().to_pylist())
    yield from change_features(tuple(name for name in read if name in changing), crm)
    if personas and frozenset().union(*(each.attributes for each in personas)) <= set(known.attributes):
        yield persona_feature(personas)


def _directed(features: tuple[Feature, ...], crm: CrmSettings) -> tuple[Feature, ...]:
    """Give the features the directions both teams agreed on."""
    directions = {each.feature: each.direction for each in crm.monotone}
    ordered = {feature.name for feature in features if not feature.is_category}
    if wrong := sorted(directions.keys() - ordered):
        raise InputError(
            f"[monotone] of crm.toml must name features that have an order (see leadpact features list "
            f"--history); got {', '.join(map(repr, wrong))}"
        )
    return tuple(replace(each, monotone=directions.get(each.name, 0)) for each in features)


def _of_leads_until(
    table: pa.Table, time_column: str, leads: pa.Table, known_until_us: int | None
) -> pa.Table:
    kept = pc.is_in(table.column("lead_id"), value_set=leads.column("lead_id").combine_chunks())
    if known_until_us is not None:
        limit = pa.scalar(known_until_us, pa.int64()).cast(TIME_TYPE)
        kept = pc.and_(kept, pc.less_equal(table.column(time_column), limit))
    return table.filter(kept)


def _most_frequent(texts: pa.ChunkedArray, *, least: int, most: int) -> tuple[str, ...]:
    """Return the texts that occur at least `least` times, most frequent first, ties by name."""
    counted = ((each["values"], each["counts"]) for each in pc.value_counts(texts).to_pylist())
    frequent = sorted((-count, text) for text, count in counted if text and text != OTHER and count >= least)
    return tuple(text for _, text in frequent[:most])


def _attribute_candidates(attribute: str, known: _Known) -> Iterator[Feature]:
    column, tables = known.leads.column(attribute), known.tables
    if pa.types.is_string(column.type):
        yield from _text_candidates(attribute, known)
    elif column.null_count < len(column):
        kind = _kind_of(column.type)
        if tables.has_times or kind is not FeatureKind.ATTRIBUTE_AGE_DAYS:
            yield attribute_feature(kind, attribute, tables.crm)


def _text_candidates(attribute: str, known: _Known) -> Iterator[Feature]:
    texts, crm = known.texts(attribute).drop_null(), known.tables.crm
    least = max(LEAST_LEADS_PER_LEVEL, int(np.ceil(LEAST_SHARE_PER_LEVEL * known.leads.num_rows)))
    addresses = np.array([is_address(text) for text in texts.to_pylist()], dtype=np.bool_)
    if len(texts) and addresses.mean() >= ADDRESS_SHARE:
        countries = pa.chunked_array([[email_country(text) for text in texts.to_pylist()]], pa.string())
        yield from email_features(attribute, crm, _most_frequent(countries, least=least, most=MOST_COUNTRIES))
    elif not _is_id_like(texts):
        described = texts.filter(pa.array(~addresses))
        if levels := _most_frequent(described, least=least, most=MOST_LEVELS):
            yield attribute_feature(FeatureKind.ATTRIBUTE_CATEGORY, attribute, crm, levels)


def _is_id_like(texts: pa.ChunkedArray) -> bool:
    n_different = pc.count_distinct(texts).as_py()
    return bool(n_different > ID_LIKE_LEVELS and n_different > ID_LIKE_SHARE * len(texts))


def _kind_of(column_type: pa.DataType) -> FeatureKind:
    if pa.types.is_boolean(column_type):
        return FeatureKind.ATTRIBUTE_BOOLEAN
    if pa.types.is_timestamp(column_type):
        return FeatureKind.ATTRIBUTE_AGE_DAYS
    return FeatureKind.ATTRIBUTE_NUMBER
