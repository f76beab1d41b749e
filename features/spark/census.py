"""What is counted over all leads before the work: a handful of numbers, in one pass over the leads."""

from dataclasses import dataclass
from datetime import datetime

from features.errors import InputError
from features.spark.session import spark_failures_named
from features.spark.tables import SparkTables
from features.tables import LEAD_ID_COLUMNS, LEADS
from features.times import EPOCH, MICROSECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """How many leads there are, how many were created after as_of, which attributes have a value anywhere."""

    leads: int
    after_as_of: int
    filled: frozenset[str]


def count_leads(tables: SparkTables, *, as_of: datetime) -> Census:
    """Count; InputError when some leads have a time and others none, for a worker sees only its own."""
    from pyspark.sql import functions as fn

    rows, attributes = tables.rows[LEADS], tables.shapes.leads.names[len(LEAD_ID_COLUMNS) :]
    lead = rows[LEADS]
    created_us = fn.unix_micros(lead.getField("created_at"))
    counts = [
        fn.count(fn.lit(1)),
        fn.count(created_us),
        fn.count_if(created_us > (as_of - EPOCH) // MICROSECOND),
        *(fn.count(lead.getField(name)) for name in attributes),
    ]
    with spark_failures_named("cannot read the leads"):
        found = rows.agg(*counts).first()
    n_leads, n_timed, n_after, *n_filled = found or (0, 0, 0)
    if n_timed not in (0, n_leads):
        raise InputError(
            f"{LEADS}: created_at must be filled in every row or in none; got {n_timed} of {n_leads} rows"
        )
    filled = (name for name, count in zip(attributes, n_filled, strict=True) if count)
    return Census(leads=n_leads, after_as_of=n_after, filled=frozenset(filled))
