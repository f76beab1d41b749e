"""What may change in a CRM from one day on, as changes of its tables: people, words, tracking, buying.

Each change takes tables and the instant from which it holds. Deals and activities of earlier leads stay.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.tables import TIME_TYPE, CanonicalTables

BOUGHT_SHARE = 0.25
RENAMED_SHARE = 0.25
LOST_VIEWS_SHARE = 0.9
LOST_WINS_SHARE = 0.6

Change = Callable[[CanonicalTables, int, np.random.Generator], CanonicalTables]


def other_people(tables: CanonicalTables, from_us: int, random: np.random.Generator) -> CanonicalTables:
    """Let a purchased list flood in: a quarter of the new leads come from it, where it was 8 %."""
    bought = _new(tables, from_us) & (random.random(tables.leads.num_rows) < BOUGHT_SHARE)
    return _say_instead(tables, "source", bought, "purchased_list")


def new_word(tables: CanonicalTables, from_us: int, random: np.random.Generator) -> CanonicalTables:
    """Add an industry to the form: a quarter of the new leads choose it."""
    renamed = _new(tables, from_us) & (random.random(tables.leads.num_rows) < RENAMED_SHARE)
    return _say_instead(tables, "industry", renamed, "biotech")


def broken_tracking(tables: CanonicalTables, from_us: int, random: np.random.Generator) -> CanonicalTables:
    """Break the tracking with a new cookie banner: nine of ten page views are no longer recorded."""
    views = pc.equal(tables.activities.column("kind"), "page_view").to_numpy(zero_copy_only=False)
    late = _instants(tables.activities.column("occurred_at")) >= from_us
    lost = views & late & (random.random(len(views)) < LOST_VIEWS_SHARE)
    return replace(tables, activities=tables.activities.filter(pa.array(~lost)))


def fewer_wins(tables: CanonicalTables, from_us: int, random: np.random.Generator) -> CanonicalTables:
    """Let a competitor cut prices: of the new leads that would have been won, six of ten are lost."""
    ids = tables.leads.column("lead_id").filter(pa.array(_new(tables, from_us)))
    new = pc.is_in(tables.deals.column("lead_id"), value_set=ids.combine_chunks())
    won = pc.and_(new, pc.equal(tables.deals.column("outcome"), "won")).to_numpy(zero_copy_only=False)
    lost = pa.array(won & (random.random(len(won)) < LOST_WINS_SHARE))
    outcome = pc.if_else(lost, "lost", tables.deals.column("outcome"))
    place = tables.deals.column_names.index("outcome")
    return replace(tables, deals=tables.deals.set_column(place, "outcome", outcome))


def _new(tables: CanonicalTables, from_us: int) -> npt.NDArray[np.bool_]:
    return _instants(tables.leads.column("created_at")) >= from_us


def _instants(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    return np.asarray(column.cast(TIME_TYPE).cast(pa.int64()), dtype=np.int64)


def _say_instead(
    tables: CanonicalTables, attribute: str, chosen: npt.NDArray[np.bool_], word: str
) -> CanonicalTables:
    column = pc.if_else(pa.array(chosen), word, tables.leads.column(attribute))
    place = tables.leads.column_names.index(attribute)
    return replace(tables, leads=tables.leads.set_column(place, attribute, column))


INPUT_CHANGES: dict[str, Change] = {
    "other_people": other_people,
    "new_word": new_word,
    "broken_tracking": broken_tracking,
}
