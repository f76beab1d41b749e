"""What the tests of the Spark engine share: CRMs of odd shapes, Parquet folders, equality of bits."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import parquet

from features.asked import AllLeadsAt
from features.catalogue import attribute_feature, lead_age_feature
from features.definitions import FeatureKind, FeatureSet
from features.feature_table import feature_table
from features.spark.blocks import PARTS
from features.spark.feature_table import write_feature_table
from features.spark.tables import read_folder
from features.tables import TIME_TYPE, CanonicalTables
from tests.builders_features import CRM, RandomCrm, Row, activity, at, crm_tables, feature_set

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROWS_PER_BLOCK = 50
NOW = at("2026-11-23T09:00:00Z")


def write_tables(tables: CanonicalTables, folder: Path) -> Path:
    """Write tables as the plain folder of Parquet that `read_folder` takes; rows stay in their order."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in PARTS:
        parquet.write_table(tables.table(name), folder / f"{name}.parquet")
    return folder


def spark_features(
    session: "SparkSession", feature_set: FeatureSet, folder: Path, out: Path, *, as_of: datetime
) -> pa.Table:
    """Build the feature table of a folder on Spark, in small blocks, and read it back."""
    tables = read_folder(session, str(folder))
    rows = write_feature_table(feature_set, tables, str(out), as_of=as_of, rows_per_block=ROWS_PER_BLOCK)
    table = parquet.read_table(out)
    assert table.num_rows == rows
    return table


def local_features(feature_set: FeatureSet, tables: CanonicalTables, *, as_of: datetime) -> pa.Table:
    """Build the same on the local engine."""
    return feature_table(feature_set, tables, AllLeadsAt(as_of)).rows


def assert_same_bits(found: pa.Table, expected: pa.Table) -> None:
    """Compare tables with a row per lead, whatever the order of rows; numbers are compared by their bytes."""
    assert found.schema.remove_metadata().equals(expected.schema.remove_metadata())
    found, expected = (each.sort_by("lead_id").combine_chunks() for each in (found, expected))
    assert found.column("lead_id").to_pylist() == expected.column("lead_id").to_pylist()
    unequal = [
        name for name in expected.column_names if not _same_bits(found.column(name), expected.column(name))
    ]
    assert unequal == []


def _same_bits(found: pa.ChunkedArray, expected: pa.ChunkedArray) -> bool:
    if not pa.types.is_floating(expected.type):
        return bool(found.equals(expected))
    same_nulls = found.is_null().equals(expected.is_null())
    return bool(same_nulls) and bool(np.array_equal(_bits(found), _bits(expected)))


def _bits(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    values: npt.NDArray[np.float64] = column.fill_null(0.0).to_numpy()
    return values.view(np.int64)


def joined(crms: Sequence[RandomCrm]) -> CanonicalTables:
    """Return many random CRMs as one: the leads of each get its number before their id."""

    def renamed(number: int, name: str) -> list[Row]:
        rows = crms[number].tables.table(name).to_pylist()
        return [{**row, "lead_id": f"{number}-{row['lead_id']}"} for row in rows]

    numbers = range(len(crms))
    return crm_tables(*(
        [row for number in numbers for row in renamed(number, name)]
        for name in ("leads", "activities", "attribute_changes")
    ))  # fmt: skip


def disordered(tables: CanonicalTables) -> CanonicalTables:
    """Return the same rows in another order."""
    chance = np.random.default_rng(0)
    return replace(
        tables,
        **{
            name: tables.table(name).take(pa.array(chance.permutation(tables.table(name).num_rows)))
            for name in PARTS
        },
    )


def leads_that_grow_and_shrink(n_leads: int) -> CanonicalTables:
    """Return leads whose number of employees changed eight times, between small and large."""
    chance = random.Random(2)
    leads = [{"lead_id": f"L{each}", "created_at": NOW - timedelta(days=99)} for each in range(n_leads)]
    changes = [
        {**lead, "changed_at": NOW - timedelta(days=day), "attribute": "employees", "value": value}
        for lead in leads
        for day, value in zip(chance.sample(range(90), 8), ["5", "500"] * 4, strict=True)
    ]
    return crm_tables(leads, changes=changes)


def big_lead(n_activities: int) -> CanonicalTables:
    """Return one lead with many activities, between two with a few and two without any."""
    chance = random.Random(1)
    moments = [NOW - timedelta(seconds=chance.randrange(40_000_000)) for _ in range(n_activities)]
    leads = [{"lead_id": name, "created_at": NOW - timedelta(days=500)} for name in "abcde"]
    many = [activity("c", at, chance.choice(["page_view", "call"]), asset=f"/{at.minute}") for at in moments]
    few = [activity(name, NOW - timedelta(days=day)) for name in "bd" for day in range(3)]
    return crm_tables(leads, [*many, *few, *few, *many[:100]])


def odd_values() -> tuple[FeatureSet, CanonicalTables]:
    """Return leads whose names, texts, numbers and times no format likes, and a feature for each column."""
    kinds = {
        "größe (m², a=b)": FeatureKind.ATTRIBUTE_NUMBER,
        "x.y `z`": FeatureKind.ATTRIBUTE_CATEGORY,
        "Flag": FeatureKind.ATTRIBUTE_BOOLEAN,
        "flag": FeatureKind.ATTRIBUTE_BOOLEAN,
        "_metadata": FeatureKind.ATTRIBUTE_AGE_DAYS,
    }
    types = dict(zip(kinds, (pa.float64(), pa.string(), pa.bool_(), pa.bool_(), TIME_TYPE), strict=True))
    texts = ["a\0b", "é😀\u202e", "", "\ufeff 'quoted\"\n", None]
    values: dict[str, tuple[Any, ...]] = {
        "größe (m², a=b)": (5e-324, -0.0, 1.7976931348623157e308, float("nan"), None),
        "x.y `z`": tuple(texts),
        "Flag": (True, None, False, None, True),
        "flag": (None, False, None, True, False),
        "_metadata": (
            datetime(1, 1, 1, 0, 0, 0, 1, UTC),
            datetime(1850, 5, 5, 1, 2, 3, 999_999, UTC),
            datetime(2026, 11, 23, 8, 59, 59, 999_999, UTC),
            datetime(9999, 12, 31, tzinfo=UTC),
            None,
        ),
    }
    leads = [
        {"lead_id": f"L{text}{row}", "created_at": NOW - timedelta(days=row, microseconds=1),
         **{name: values[name][row] for name in kinds}}
        for row, text in enumerate(texts)
    ]  # fmt: skip
    features = [
        attribute_feature(kind, name, CRM, tuple(texts[:2]))  # type: ignore[arg-type]
        if kind is FeatureKind.ATTRIBUTE_CATEGORY
        else attribute_feature(kind, name, CRM)
        for name, kind in kinds.items()
    ]
    return feature_set(lead_age_feature(), *features), crm_tables(leads, attribute_types=types)
