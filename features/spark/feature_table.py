"""The feature table, built on Spark: the rows that `features.feature_table` gives, in no certain order."""

from datetime import datetime
from functools import partial

import pyarrow as pa

from features.asked import AllLeadsAt, Asked
from features.definitions import FeatureSet
from features.feature_table import feature_table
from features.spark.blocks import ROWS_PER_BLOCK
from features.spark.census import count_leads
from features.spark.leads import map_leads
from features.spark.output import write_rows
from features.spark.tables import SparkTables
from features.tables import CanonicalTables


def write_feature_table(
    feature_set: FeatureSet,
    tables: SparkTables,
    out: str,
    *,
    as_of: datetime,
    rows_per_block: int = ROWS_PER_BLOCK,
) -> int:
    """Write `lead_id`, `as_of` and one column per feature as a folder of Parquet; return the rows' number."""
    count_leads(tables, as_of=as_of)  # refuses what no worker could see
    compute = partial(_rows, feature_set, AllLeadsAt(as_of))
    return write_rows(map_leads(tables, compute, rows_per_block=rows_per_block), out)


def _rows(feature_set: FeatureSet, asked: Asked, tables: CanonicalTables) -> pa.Table:
    return feature_table(feature_set, tables, asked).rows
