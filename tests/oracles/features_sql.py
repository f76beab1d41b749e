"""The activity features and the lead's age once more, as one SQL query for DuckDB.

Judges `features.kernel` and `features.build` from a second side, and shares no code with them.
"""

from collections.abc import Callable, Mapping

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.build import Points
from features.definitions import Feature, FeatureKind, FeatureSet
from features.tables import CanonicalTables

DAY = 86_400_000_000

QUERY = """
WITH once AS (
    SELECT lead_id, epoch_us(occurred_at) AS occurred, kind, channel, nullif(asset, '') AS asset, activity_id
    FROM activities
    QUALIFY row_number() OVER (
        PARTITION BY lead_id, activity_id
        ORDER BY occurred_at, kind, channel NULLS LAST, activities.asset NULLS LAST
    ) = 1
),
known AS (
    SELECT
        point, occurred, kind, channel, asset, as_of - occurred AS age,
        row_number() OVER (PARTITION BY point ORDER BY occurred, activity_id) AS place
    FROM points JOIN once USING (lead_id)
    WHERE occurred <= as_of
),
features AS (SELECT point, {activity_columns} FROM known GROUP BY point),
changed AS (
    SELECT DISTINCT point, attribute, changed_at, as_of - epoch_us(changed_at) AS age
    FROM points JOIN attribute_changes USING (lead_id)
    WHERE epoch_us(changed_at) <= as_of
),
change_counts AS (SELECT point, {change_columns} FROM changed GROUP BY point)
SELECT {columns}
FROM points LEFT JOIN features USING (point) LEFT JOIN change_counts USING (point) JOIN leads USING (lead_id)
ORDER BY point
"""


def sql_matrix(
    feature_set: FeatureSet, tables: CanonicalTables, points: Points
) -> dict[str, npt.NDArray[np.float64]]:
    """Return the features that SQL knows, name -> float64 (n_points,), NaN for null."""
    known = [feature for feature in feature_set.features if is_known_to_sql(feature)]
    from_log = [feature for feature in known if feature.kind in RULES]
    counts = [feature for feature in known if feature.kind is FeatureKind.ATTRIBUTE_CHANGES]
    query = QUERY.format(
        activity_columns=", ".join(
            f'{RULES[each.kind](each, feature_set)} AS "{each.name}"' for each in from_log
        ),
        change_columns=", ".join(_change_count(each, feature_set) for each in counts) or "1",
        columns=", ".join(_column(each) for each in known),
    )
    with duckdb.connect() as connection:
        connection.register("points", _points_table(tables, points))
        connection.register("activities", tables.activities)
        connection.register("attribute_changes", tables.attribute_changes)
        connection.register("leads", tables.leads.select(["lead_id", "created_at"]))
        table = connection.sql(query).to_arrow_table()
    return {name: _floats(table.column(name)) for name in table.column_names}


def is_known_to_sql(feature: Feature) -> bool:
    """Whether this oracle has a rule for a feature."""
    return feature.kind in RULES or feature.kind in (FeatureKind.LEAD_AGE_DAYS, FeatureKind.ATTRIBUTE_CHANGES)


def _change_count(feature: Feature, feature_set: FeatureSet) -> str:
    watched = [feature.attribute] if feature.attribute else sorted(feature_set.attributes)
    names = ", ".join(f"'{name}'" for name in watched) or "''"
    days = feature.window_days or 0
    return f'count(*) FILTER (WHERE age < {days * DAY} AND attribute IN ({names})) AS "{feature.name}"'


def _points_table(tables: CanonicalTables, points: Points) -> pa.Table:
    return pa.table(
        {
            "point": np.arange(len(points)),
            "lead_id": tables.leads.column("lead_id").take(pa.array(points.lead_index)),
            "as_of": points.as_of_us,
        }
    )


def _floats(column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    return np.array(column.cast(pa.float64()).to_numpy(), dtype=np.float64)


def _column(feature: Feature) -> str:
    if feature.kind is FeatureKind.LEAD_AGE_DAYS:
        age = "as_of - epoch_us(created_at)"
        return f'CASE WHEN {age} >= 0 THEN ({age})::DOUBLE / {DAY} END AS "{feature.name}"'
    if feature.kind in ZERO_WITHOUT_ACTIVITY:
        return f'coalesce("{feature.name}", 0) AS "{feature.name}"'
    return f'"{feature.name}"'


def _filter(feature: Feature, days: int | None = None) -> str:
    conditions = ["true"]
    if feature.activity_kind is not None:
        conditions.append(f"kind = '{feature.activity_kind}'")
    if feature.channel is not None:
        conditions.append(f"channel = '{feature.channel}'")
    if days is not None:
        conditions.append(f"age < {days * DAY}")
    return f"FILTER (WHERE {' AND '.join(conditions)})"


def _count(feature: Feature, _: FeatureSet) -> str:
    return f"count(*) {_filter(feature, feature.window_days)}"


def _days_since_last(feature: Feature, _: FeatureSet) -> str:
    return f"(min(age) {_filter(feature)})::DOUBLE / {DAY}"


def _distinct_assets(feature: Feature, _: FeatureSet) -> str:
    return f"count(DISTINCT asset) {_filter(feature, feature.window_days)}"


def _active_days(feature: Feature, _: FeatureSet) -> str:
    return f"count(DISTINCT age // {DAY}) {_filter(feature, feature.window_days)}"


def _engagement(feature: Feature, _: FeatureSet) -> str:
    return f"sum(pow(0.5, age::DOUBLE / {(feature.half_life_days or 0) * DAY})) {_filter(feature)}"


def _trend(feature: Feature, _: FeatureSet) -> str:
    short, long = feature.window_days, feature.long_window_days
    in_short, in_long = (f"count(*) {_filter(feature, days)}" for days in (short, long))
    return f"({in_short} * {long})::DOUBLE / nullif({in_long} * {short}, 0)"


def _between_last_two(feature: Feature, _: FeatureSet) -> str:
    newest = f"(list_sort(list(occurred) {_filter(feature)}, 'DESC'))"
    return f"({newest}[1] - {newest}[2])::DOUBLE / {DAY}"


def _first_kind(feature: Feature, _: FeatureSet) -> str:
    levels = ", ".join(f"'{level}'" for level in feature.levels)
    first = "any_value(kind) FILTER (WHERE place = 1)"
    return f"coalesce(list_position([{levels}]::VARCHAR[], {first}), 0)"


def _local_first(part: str, zone: str) -> str:
    first = "make_timestamptz(any_value(occurred) FILTER (WHERE place = 1))"
    return f"date_part('{part}', timezone('{zone}', {first}))"


def _first_hour(_: Feature, feature_set: FeatureSet) -> str:
    return _local_first("hour", feature_set.timezone)


def _first_weekday(_: Feature, feature_set: FeatureSet) -> str:
    return f"{_local_first('isodow', feature_set.timezone)} - 1"


ZERO_WITHOUT_ACTIVITY = frozenset(
    {
        FeatureKind.COUNT,
        FeatureKind.DISTINCT_ASSETS,
        FeatureKind.ACTIVE_DAYS,
        FeatureKind.ENGAGEMENT,
        FeatureKind.ATTRIBUTE_CHANGES,
    }
)
RULES: Mapping[FeatureKind, Callable[[Feature, FeatureSet], str]] = {
    FeatureKind.COUNT: _count,
    FeatureKind.DAYS_SINCE_LAST: _days_since_last,
    FeatureKind.DISTINCT_ASSETS: _distinct_assets,
    FeatureKind.ACTIVE_DAYS: _active_days,
    FeatureKind.ENGAGEMENT: _engagement,
    FeatureKind.TREND: _trend,
    FeatureKind.DAYS_BETWEEN_LAST_TWO: _between_last_two,
    FeatureKind.FIRST_TOUCH_KIND: _first_kind,
    FeatureKind.FIRST_TOUCH_HOUR: _first_hour,
    FeatureKind.FIRST_TOUCH_WEEKDAY: _first_weekday,
}
