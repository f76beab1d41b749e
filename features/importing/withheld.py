"""Takes leads out of an export that must not come back: erased persons. Nothing of them is set aside."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.importing.raw import RawExport, RawTable
from features.tables import LEADS

LEAD_ID = "lead_id"
IsWithheld = Callable[[str], bool]


def without_withheld(raw: RawExport, is_withheld: IsWithheld | None) -> tuple[RawExport, int]:
    """Return the export without rows of withheld leads, and how many leads those were."""
    if is_withheld is None:
        return raw, 0
    done = [_without(table, is_withheld) for table in raw.tables]
    return replace(raw, tables=tuple(table for table, _ in done)), max(
        (count for _, count in done), default=0
    )


def _without(table: RawTable, is_withheld: IsWithheld) -> tuple[RawTable, int]:
    if LEAD_ID not in table.data.column_names:
        return table, 0
    ids = pc.utf8_trim_whitespace(table.data[LEAD_ID].cast(pa.string())).combine_chunks().dictionary_encode()
    ids = ids if isinstance(ids, pa.DictionaryArray) else ids.combine_chunks()
    withheld = np.array([is_withheld(text) for text in ids.dictionary.to_pylist()], dtype=bool)
    if not withheld.any():
        return table, 0
    places = ids.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    kept = pa.array(~np.append(withheld, False)[places])
    rest = replace(table, data=table.data.filter(kept), row_numbers=table.row_numbers.filter(kept))
    return rest, int(withheld.sum()) if table.name == LEADS else 0
