"""Brings all rows of each lead together on Spark, and runs a computation over blocks of whole leads.

Nothing passes through the driver: it holds the plan and the schemas. What a block becomes is decided by
`features.spark.blocks`.
"""

from functools import reduce
from typing import TYPE_CHECKING

import pyarrow as pa

from features.spark.blocks import PARTS, ROWS_PER_BLOCK, Compute, compute_blocks
from features.spark.tables import SparkTables
from features.spark.types import spark_schema
from features.tables import LEADS, SORT_KEYS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyspark.sql import DataFrame


def map_leads(tables: SparkTables, compute: Compute, *, rows_per_block: int = ROWS_PER_BLOCK) -> "DataFrame":
    """Return what `compute` gives for blocks of whole leads, as one data frame of no certain order.

    `compute` is sent to the workers and called there many times, each time with the canonical tables of some
    leads; for tables without rows it must give the same columns. How many blocks run at a time, and where, is
    Spark's affair (`spark.sql.shuffle.partitions`).
    """
    shapes = tables.shapes

    def run(batches: "Iterable[pa.RecordBatch]") -> "Iterator[pa.RecordBatch]":
        return compute_blocks(compute, shapes, batches, rows_per_block=rows_per_block)

    schema = spark_schema(compute(shapes.tables_without_rows()).schema)
    return _lead_by_lead(tables).mapInArrow(run, schema)


def _lead_by_lead(tables: SparkTables) -> "DataFrame":
    """Return the rows of all tables: a lead's lie together, table after table, each in canonical order.

    Rows that tie in all keys of their table keep the order of their file.
    """
    union = reduce(lambda above, below: above.unionByName(below), _tagged(tables))
    keys = ["lead_id", "part", *(f"{name}.{key}" for name in PARTS for key in _keys_within(name)), "row"]
    return union.repartition("lead_id").sortWithinPartitions(*(union[key].asc_nulls_last() for key in keys))


def _keys_within(name: str) -> tuple[str, ...]:
    """Return what orders the rows of one lead in one table; a lead has one row in the table of leads."""
    return () if name == LEADS else tuple(key for key in SORT_KEYS[name] if key != "lead_id")


def _tagged(tables: SparkTables) -> "Iterator[DataFrame]":
    """Yield each table in the same columns: lead_id, its place in `PARTS`, row, and a struct per table.

    Only the table's own struct is filled. Between machines an empty one takes a bit.
    """
    from pyspark.sql import functions as fn

    for name, rows in tables.rows.items():
        structs = [
            rows[part]
            if part == name
            else fn.lit(None).cast(spark_schema(tables.shapes.schema(part))).alias(part)
            for part in PARTS
        ]
        yield rows.select("lead_id", fn.lit(PARTS.index(name)).alias("part"), "row", *structs)
