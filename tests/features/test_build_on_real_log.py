"""Every case of BPI Challenge 2012, features as of some hours after its start, against both oracles."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from features.build import Points, build_features
from features.catalogue import activity_features, lead_age_feature
from features.crm import CrmSettings
from features.definitions import FeatureSet
from features.tables import (
    ACTIVITIES,
    ACTIVITIES_SCHEMA,
    CHANGES_SCHEMA,
    DEALS_SCHEMA,
    LEAD_ID_COLUMNS,
    CanonicalTables,
    sort_canonically,
)
from tests.oracles.features_compare import assert_equal_features
from tests.oracles.features_slow import slow_row
from tests.oracles.features_sql import sql_matrix

HOUR_US = 3_600_000_000
HOURS = (1, 6, 24, 72, 168)
Row = dict[str, Any]
CRM = CrmSettings(name="bpic2012", timezone="Europe/Amsterdam")

LEADS_SQL = """
    SELECT case_id::VARCHAR AS lead_id, min(timestamp::TIMESTAMPTZ) AS created_at, NULL AS created_order
    FROM events GROUP BY ALL ORDER BY lead_id
"""
ACTIVITIES_SQL = """
    SELECT case_id || '-' || event_no AS activity_id, case_id::VARCHAR AS lead_id,
           timestamp::TIMESTAMPTZ AS occurred_at, activity AS kind, resource::VARCHAR AS asset,
           lifecycle AS channel, NULL AS value
    FROM events
"""
KINDS_SQL = "SELECT activity FROM events GROUP BY ALL ORDER BY count(*) DESC, activity LIMIT 12"
CHANNELS = ("COMPLETE", "START", "SCHEDULE")


@pytest.fixture(scope="module")
def tables(real_data: Path) -> CanonicalTables:
    """Return the log as canonical tables: each case a lead, each resource an asset."""
    with duckdb.connect() as connection:
        connection.read_csv(str(real_data / "bpic2012" / "events.csv.gz"), all_varchar=True).create_view(
            "events"
        )
        leads = connection.sql(LEADS_SQL).to_arrow_table().cast(LEAD_ID_COLUMNS)
        activities = connection.sql(ACTIVITIES_SQL).to_arrow_table().cast(ACTIVITIES_SCHEMA)
    return CanonicalTables(
        leads=leads,
        activities=sort_canonically(ACTIVITIES, activities),
        deals=DEALS_SCHEMA.empty_table(),
        attribute_changes=CHANGES_SCHEMA.empty_table(),
        crm=CRM,
    )


@pytest.fixture(scope="module")
def feature_set(tables: CanonicalTables) -> FeatureSet:
    """Return the catalogue for the twelve most frequent kinds."""
    with duckdb.connect() as connection:
        connection.register("events", tables.activities.rename_columns({"kind": "activity"}))
        kinds = tuple(kind for (kind,) in connection.sql(KINDS_SQL).fetchall())
    features = (*activity_features(kinds, CRM, channels=CHANNELS, has_assets=True), lead_age_feature())
    return FeatureSet(features=features, timezone=CRM.timezone, activity_kinds=kinds, channels=CHANNELS)


def points_after(tables: CanonicalTables, hours: int) -> Points:
    """Return every case, so many hours after its first event."""
    created_us = tables.leads.column("created_at").cast(pa.int64()).to_numpy()
    return Points(lead_index=np.arange(created_us.size), as_of_us=created_us + hours * HOUR_US)


@pytest.mark.parametrize("hours", HOURS)
def test_every_case_equals_sql(tables: CanonicalTables, feature_set: FeatureSet, hours: int) -> None:
    """13,087 cases, 262,200 events: zero differences; decayed sums within fixed-point resolution."""
    points = points_after(tables, hours)
    found = build_features(feature_set, tables, points)
    expected = sql_matrix(feature_set, tables, points)
    assert_equal_features(
        feature_set.features, found, np.column_stack([expected[name] for name in feature_set.names])
    )


@pytest.fixture(scope="module")
def cases(tables: CanonicalTables) -> list[tuple[Row, list[Row]]]:
    """Return every case with its events, as dicts."""
    by_lead: dict[str, list[Row]] = {}
    for event in tables.activities.to_pylist():
        by_lead.setdefault(event["lead_id"], []).append(event)
    return [(lead, by_lead[lead["lead_id"]]) for lead in tables.leads.to_pylist()]


@pytest.mark.slow
@pytest.mark.parametrize("hours", HOURS)
def test_every_case_equals_the_slow_definition(
    tables: CanonicalTables, feature_set: FeatureSet, cases: list[tuple[Row, list[Row]]], hours: int
) -> None:
    """The readable loop, event by event, says the same of every case at every snapshot."""
    found = build_features(feature_set, tables, points_after(tables, hours))
    expected = np.array(
        [
            slow_row(feature_set, lead, events, [], lead["created_at"] + timedelta(hours=hours))
            for lead, events in cases
        ]
    )
    assert_equal_features(feature_set.features, found, expected)
