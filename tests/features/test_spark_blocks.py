"""The worker's side of Spark: batches in, whole leads out. Runs without Spark."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InputError
from features.spark.blocks import PARTS, TableShapes, compute_blocks, whole_leads
from features.tables import CanonicalTables
from tests.builders_features import CRM, activity, crm_tables

AT = datetime(2026, 11, 1, tzinfo=UTC)
SHAPES = TableShapes(leads=crm_tables([]).leads.schema, crm=CRM)


def lead_batches(lead_ids: list[int], cuts: list[int]) -> Iterator[pa.RecordBatch]:
    """Yield sorted lead ids as batches that end at the cuts; some are empty."""
    ids = pa.array([f"L{each:03}" for each in sorted(lead_ids)], pa.string())
    edges = [0, *sorted(min(cut, len(ids)) for cut in cuts), len(ids)]
    for start, end in pairwise(edges):
        yield pa.RecordBatch.from_arrays([ids.slice(start, end - start)], names=["lead_id"])


@given(
    st.lists(st.integers(0, 12), max_size=80),
    st.lists(st.integers(0, 80), max_size=12),
    st.integers(1, 30),
)
def test_blocks_hold_whole_leads(lead_ids: list[int], cuts: list[int], rows_per_block: int) -> None:
    """No row is lost or moved, no lead is in two blocks, and only the last block is small."""
    blocks = list(whole_leads(lead_batches(lead_ids, cuts), rows_per_block=rows_per_block))
    found = [block.column("lead_id").to_pylist() for block in blocks]
    assert [each for block in found for each in block] == [f"L{each:03}" for each in sorted(lead_ids)]
    assert sum(len(set(block)) for block in found) == len(set(lead_ids))
    assert all(len(block) >= rows_per_block for block in found[:-1])


def test_a_block_ends_with_the_lead_that_fills_it() -> None:
    """What a worker holds is one block and one lead, however many leads there are."""
    blocks = whole_leads(
        lead_batches([each // 10 for each in range(900)], [*range(0, 900, 7)]), rows_per_block=25
    )
    assert max(block.num_rows for block in blocks) <= 25 + 2 * 10


def tagged(rows: list[tuple[str, str, dict[str, Any]]]) -> pa.RecordBatch:
    """Return rows (lead_id, table, values) as Spark sends them."""
    structs = {name: pa.struct(list(SHAPES.schema(name))) for name in PARTS}
    columns = {
        "lead_id": pa.array([lead_id for lead_id, _, _ in rows], pa.string()),
        "part": pa.array([PARTS.index(table) for _, table, _ in rows], pa.int32()),
        **{
            name: pa.array([values if table == name else None for _, table, values in rows], structs[name])
            for name in PARTS
        },
    }
    return pa.RecordBatch.from_pydict(columns)


def lead_row(lead_id: str) -> tuple[str, str, dict[str, Any]]:
    """Return the row of a lead."""
    return lead_id, "leads", {"lead_id": lead_id, "created_at": AT, "industry": "Retail"}


def activity_row(lead_id: str, **changed: object) -> tuple[str, str, dict[str, Any]]:
    """Return the row of an activity."""
    return lead_id, "activities", {**activity(lead_id, AT), **changed}


def test_rows_become_the_tables_they_came_from() -> None:
    """Every column of every table is there, in its type; an activity without its lead's row has no table."""
    rows = [lead_row("A"), activity_row("A", asset="/x", channel="web", value=2.5), activity_row("B")]
    seen: list[CanonicalTables] = []

    def keep(tables: CanonicalTables) -> pa.Table:
        seen.append(tables)
        return tables.activities

    found = pa.Table.from_batches(compute_blocks(keep, SHAPES, [tagged(rows)], rows_per_block=1))
    (tables,) = seen
    assert tables.leads.schema == SHAPES.leads
    assert tables.attribute_changes.num_rows == tables.deals.num_rows == 0
    assert found.to_pylist() == [{"activity_id": f"A/{AT.isoformat()}/page_view/", "lead_id": "A",
                                  "occurred_at": AT, "kind": "page_view", "asset": "/x", "channel": "web",
                                  "value": 2.5}]  # fmt: skip


BROKEN = [
    pytest.param([lead_row("A"), lead_row("A")], "lead_id must be unique; got 'A' in 2 rows", id="twice"),
    pytest.param([lead_row("A"), activity_row("A", kind=None)],
                 "activities: column 'kind' must be filled in every row", id="no-kind"),
    pytest.param([lead_row("A"), activity_row("A", occurred_at=None)],
                 "activities: column 'occurred_at' must be filled", id="no-time"),
    pytest.param([(None, "leads", {"created_at": AT})], "column 'lead_id' must be filled", id="no-lead"),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "rule"), BROKEN)
def test_rows_that_no_import_would_let_in_are_refused(rows: list[Any], rule: str) -> None:
    """A folder of Parquet was perhaps never checked: the rule and the value are named."""
    with pytest.raises(InputError, match=rule):
        list(compute_blocks(lambda tables: tables.leads, SHAPES, [tagged(rows)]))
