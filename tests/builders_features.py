"""Small CRMs for the tests of features: rows in, canonical tables out, and strategies for random ones."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from features.build import Points
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
from features.definitions import Feature, FeatureKind, FeatureSet
from features.personas import PersonaOperator, PersonaRule, PersonaRules
from features.tables import (
    ACTIVITIES,
    ACTIVITIES_SCHEMA,
    CHANGES,
    CHANGES_SCHEMA,
    DEALS_SCHEMA,
    LEAD_ID_COLUMNS,
    LEADS,
    TIME_TYPE,
    CanonicalTables,
    sort_canonically,
)
from features.times import EPOCH, MICROSECOND

KINDS = ("page_view", "demo_request", "call")
CHANNELS = ("web", "email")
LEVELS = ("Software", "Retail")
COUNTRIES = ("DE", "GB", "generic")
CRM = CrmSettings(name="test", timezone="Europe/Berlin")
ATTRIBUTE_TYPES: Mapping[str, pa.DataType] = {
    "industry": pa.string(),
    "employees": pa.float64(),
    "newsletter": pa.bool_(),
    "trial_at": TIME_TYPE,
    "email": pa.string(),
}
PERSONAS = (
    PersonaRules(
        name="builder",
        label_de="Entwickler",
        label_en="Developer",
        rules=(
            PersonaRule(attribute="industry", operator=PersonaOperator.IN, values=("software ", "Mining")),
            PersonaRule(attribute="employees", operator=PersonaOperator.AT_MOST, values=(100.0,)),
            PersonaRule(attribute="newsletter", operator=PersonaOperator.EQUALS, values=(True,)),
        ),
    ),
    PersonaRules(
        name="buyer",
        label_de="Einkäufer",
        label_en="Buyer",
        rules=(
            PersonaRule(attribute="email", operator=PersonaOperator.CONTAINS, values=("@firma",)),
            PersonaRule(attribute="trial_at", operator=PersonaOperator.FILLED, values=(False,)),
            PersonaRule(attribute="employees", operator=PersonaOperator.AT_LEAST, values=(12.0,)),
        ),
    ),
)

Row = dict[str, Any]


def at(text: str) -> datetime:
    """Return an instant from ISO text; text without a zone is UTC."""
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def us(instant: datetime) -> int:
    """Return an instant in microseconds UTC."""
    return (instant - EPOCH) // MICROSECOND


def crm_tables(
    leads: Iterable[Row],
    activities: Iterable[Row] = (),
    changes: Iterable[Row] = (),
    *,
    attribute_types: Mapping[str, pa.DataType] = ATTRIBUTE_TYPES,
    crm: CrmSettings = CRM,
) -> CanonicalTables:
    """Return canonical tables of the rows; what a row leaves out is null."""
    lead_schema = pa.schema([*LEAD_ID_COLUMNS, *attribute_types.items()])
    return CanonicalTables(
        leads=sort_canonically(LEADS, _table(leads, lead_schema)),
        activities=sort_canonically(ACTIVITIES, _table(activities, ACTIVITIES_SCHEMA)),
        deals=DEALS_SCHEMA.empty_table(),
        attribute_changes=sort_canonically(CHANGES, _table(changes, CHANGES_SCHEMA)),
        crm=crm,
    )


def _table(rows: Iterable[Row], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in rows], schema)


def activity(lead_id: str, occurred_at: datetime, kind: str = "page_view", **more: str | None) -> Row:
    """Return one activity row; without an `activity_id` it gets one made of its content."""
    name = f"{lead_id}/{occurred_at.isoformat()}/{kind}/{more.get('asset', '')}"
    return {"activity_id": name, "lead_id": lead_id, "occurred_at": occurred_at, "kind": kind, **more}


def points_at(lead_index: Iterable[int], as_of: Iterable[datetime]) -> Points:
    """Return points of leads at instants."""
    return Points(
        lead_index=np.array(list(lead_index), dtype=np.int64),
        as_of_us=np.array([us(each) for each in as_of], dtype=np.int64),
    )


def feature_set(
    *features: Feature,
    kinds: tuple[str, ...] = KINDS,
    channels: tuple[str, ...] = CHANNELS,
    timezone: str = "Europe/Berlin",
) -> FeatureSet:
    """Return a set of the given features, or one of every kind there is."""
    chosen = features or tuple(every_feature(kinds, channels))
    return FeatureSet(
        features=with_unique_names(iter(chosen)),
        timezone=timezone,
        activity_kinds=kinds,
        channels=channels,
    )


def every_feature(kinds: tuple[str, ...] = KINDS, channels: tuple[str, ...] = CHANNELS) -> Iterable[Feature]:
    """Yield the catalogue, every feature of one kind or channel the kernel knows, and all attributes."""
    yield from activity_features(kinds, CRM, channels=channels, has_assets=True)
    yield from _features_of_one("kind", activity_kind="page_view")
    yield from _features_of_one("channel", channel="email")
    yield lead_age_feature()
    yield attribute_feature(FeatureKind.ATTRIBUTE_CATEGORY, "industry", CRM, LEVELS)
    yield attribute_feature(FeatureKind.ATTRIBUTE_NUMBER, "employees", CRM)
    yield attribute_feature(FeatureKind.ATTRIBUTE_BOOLEAN, "newsletter", CRM)
    yield attribute_feature(FeatureKind.ATTRIBUTE_AGE_DAYS, "trial_at", CRM)
    yield from email_features("email", CRM, COUNTRIES)
    yield from change_features(("industry", "employees"), CRM)
    yield persona_feature(PERSONAS)


def _features_of_one(what: str, **row: Any) -> Iterable[Feature]:
    bare = Feature(name="x", kind=FeatureKind.DAYS_BETWEEN_LAST_TWO, family="x", **row)
    yield replace(bare, name=f"between_one_{what}")
    yield replace(bare, name=f"distinct_one_{what}", kind=FeatureKind.DISTINCT_ASSETS, window_days=7)
    yield replace(bare, name=f"active_one_{what}", kind=FeatureKind.ACTIVE_DAYS, window_days=30)
    yield replace(bare, name=f"engagement_one_{what}", kind=FeatureKind.ENGAGEMENT, half_life_days=3)
    yield replace(bare, name=f"trend_one_{what}", kind=FeatureKind.TREND, window_days=7, long_window_days=30)
    yield replace(bare, name=f"last_one_{what}", kind=FeatureKind.DAYS_SINCE_LAST)


@dataclass(frozen=True)
class RandomCrm:
    """A random CRM and one instant per lead to ask for."""

    tables: CanonicalTables
    points: Points


ANCHORS = (
    at("2026-03-29T01:00:00+00:00"),  # Berlin: summer time begins
    at("2026-10-25T01:00:00+00:00"),  # Berlin: summer time ends
    at("2024-02-29T12:00:00+00:00"),  # a leap day
    at("2026-01-01T00:00:00+00:00"),
)
EMAILS = ("ann@gmail.com", "Max@mail.Firma.DE ", "kim@gmx.de", "x@shop.co.uk", "@", "no address", "")
DISTANCES = tuple(
    timedelta(days=days, microseconds=micro) for days in (0, 1, 7, 30, 90, 400) for micro in (-1, 0, 1)
)
"""Distances from as_of on and beside every edge of a window."""


def instants(anchor: datetime) -> st.SearchStrategy[datetime]:
    """Draw instants around an anchor: window edges, ties, the future, anything."""
    edges = st.sampled_from(DISTANCES).map(lambda distance: anchor - distance)
    anywhere = st.integers(-(40 * 86_400_000_000), 500 * 86_400_000_000)
    return edges | anywhere.map(lambda micro: anchor - timedelta(microseconds=micro))


@st.composite
def random_crms(draw: st.DrawFn, most_leads: int = 3) -> RandomCrm:
    """Draw a CRM of a few leads with ties, duplicate ids, unknown kinds, future activities and changes."""
    anchor = draw(st.sampled_from(ANCHORS))
    lead_ids = [f"L{number}" for number in range(draw(st.integers(1, most_leads)))]
    activities = draw(st.lists(_activity_rows(lead_ids, anchor), max_size=25))
    repeats = draw(st.lists(_repeats(activities), max_size=3)) if activities else []
    tables = crm_tables(
        [draw(_lead_rows(lead_id, anchor)) for lead_id in lead_ids],
        [*activities, *repeats],
        draw(st.lists(_change_rows(lead_ids, anchor), max_size=8)),
    )
    as_of = [draw(st.just(anchor) | instants(anchor)) for _ in lead_ids]
    return RandomCrm(tables=tables, points=points_at(range(len(lead_ids)), as_of))


def _lead_rows(lead_id: str, anchor: datetime) -> st.SearchStrategy[Row]:
    return st.fixed_dictionaries(
        {
            "lead_id": st.just(lead_id),
            "created_at": instants(anchor),
            "industry": st.sampled_from([*LEVELS, "Mining", "", None]),
            "employees": st.none() | st.floats(-1e6, 1e6),
            "newsletter": st.sampled_from([True, False, None]),
            "trial_at": st.none() | instants(anchor),
            "email": st.sampled_from([*EMAILS, None]),
        }
    )


def _activity_rows(lead_ids: list[str], anchor: datetime) -> st.SearchStrategy[Row]:
    return st.builds(
        activity,
        st.sampled_from(lead_ids),
        instants(anchor),
        st.sampled_from([*KINDS, "unheard_of"]),
        asset=st.sampled_from(["a", "b", "c", ""]),
        channel=st.sampled_from([*CHANNELS, "fax", "", None]),
    )


def _repeats(activities: list[Row]) -> st.SearchStrategy[Row]:
    """Draw an activity that comes twice: as it was, or with a later time under the same id."""
    delays = st.sampled_from([timedelta(0), timedelta(microseconds=1), timedelta(days=3)])
    return st.builds(
        lambda row, delay: {**row, "occurred_at": row["occurred_at"] + delay},
        st.sampled_from(activities),
        delays,
    )


def _change_rows(lead_ids: list[str], anchor: datetime) -> st.SearchStrategy[Row]:
    texts = {
        "industry": st.sampled_from([*LEVELS, "Mining", "", None]),
        "employees": st.sampled_from(["12", "1e3", "many", None]),
        "newsletter": st.sampled_from(["true", "False", "perhaps", None]),
        "trial_at": instants(anchor).map(datetime.isoformat) | st.sampled_from(["soon", None]),
        "email": st.sampled_from([*EMAILS, None]),
    }
    return st.sampled_from(sorted(texts)).flatmap(
        lambda attribute: st.fixed_dictionaries(
            {
                "lead_id": st.sampled_from(lead_ids),
                "changed_at": instants(anchor),
                "attribute": st.just(attribute),
                "value": texts[attribute],
            }
        )
    )
