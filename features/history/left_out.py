"""Leads that nobody may learn from, and why: one small file beside the tables of the history.

`left-out.json` maps a reason, such as `objection` or `bad_data`, to lead ids. Whoever knows of a reason
writes all ids of that reason at once; the others stay as they are. Everything that learns reads the history
through `History.read_to_learn`, which leaves these leads out and says how many.
"""

import fcntl
import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from features.errors import LeadPactError
from features.tables import TABLE_NAMES, CanonicalTables
from features.times import EPOCH, MICROSECOND

LEFT_OUT, LEFT_OUT_DRAFT, LEFT_OUT_LOCK = "left-out.json", "left-out.new", "left-out.lock"
OWN_FILES = frozenset({LEFT_OUT, LEFT_OUT_DRAFT, LEFT_OUT_LOCK})

LeftOut = Mapping[str, tuple[str, ...]]


def read_left_out(folder: Path) -> LeftOut:
    """Return the ids per reason; nothing when nobody was ever left out."""
    file = folder / LEFT_OUT
    try:
        found = json.loads(file.read_bytes())
        return {str(reason): tuple(map(str, ids)) for reason, ids in sorted(found.items())}
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError, TypeError) as error:
        raise LeadPactError(
            f"{file} is damaged ({error}); `leadpact worker --once` writes it anew"
        ) from error


def write_left_out(folder: Path, reason: str, lead_ids: Iterable[str]) -> None:
    """Replace the ids of one reason; the file is the old or the new one at any time."""
    ids = sorted(set(lead_ids))
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        try:
            others = {name: list(ids) for name, ids in read_left_out(folder).items() if name != reason}
        except LeadPactError:
            others = {}
        wanted = others | ({reason: ids} if ids else {})
        if not wanted and not (folder / LEFT_OUT).exists():
            return
        _replace(folder, json.dumps(wanted, ensure_ascii=False, indent=1, sort_keys=True).encode())


def leave_out(tables: CanonicalTables, left_out: LeftOut) -> CanonicalTables:
    """Return the tables without these leads; its `left_out` counts those that were there, per reason.

    A lead with two reasons counts for both. The last instant the tables know about stays: what was left out
    was known all the same.
    """
    counts = left_out_counts(tables, left_out)
    if not counts:
        return tables
    without = without_leads(tables, {lead_id for ids in left_out.values() for lead_id in ids})
    until_us = tables.known_until_us
    exported_at = tables.crm.exported_at if until_us is None else EPOCH + until_us * MICROSECOND
    return replace(without, crm=replace(tables.crm, exported_at=exported_at), left_out=counts)


def without_leads(tables: CanonicalTables, lead_ids: Collection[str]) -> CanonicalTables:
    """Return the tables without these leads and all that is theirs; the rest keeps its order."""
    if not lead_ids:
        return tables
    gone = pa.array(sorted(lead_ids), pa.string())
    kept = {
        name: table.filter(pc.invert(pc.is_in(table["lead_id"], value_set=gone))).combine_chunks()
        for name in TABLE_NAMES
        for table in (tables.table(name),)
    }
    return replace(tables, **kept)


def matching_leads(tables: CanonicalTables, is_meant: Callable[[str], bool]) -> frozenset[str]:
    """Return the ids of the leads that are meant."""
    return frozenset(lead_id for lead_id in tables.leads["lead_id"].to_pylist() if is_meant(lead_id))


def left_out_counts(tables: CanonicalTables, left_out: LeftOut) -> tuple[tuple[str, int], ...]:
    """Return how many leads of the tables each reason leaves out; one with two reasons counts for both."""
    present = tables.leads["lead_id"]
    counts = (
        (reason, int(pc.sum(pc.is_in(present, value_set=pa.array(ids, pa.string()))).as_py() or 0))
        for reason, ids in left_out.items()
    )
    return tuple((reason, count) for reason, count in counts if count)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / LEFT_OUT_LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _replace(folder: Path, content: bytes) -> None:
    draft = folder / LEFT_OUT_DRAFT
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / LEFT_OUT)
