"""Leads that were none: the file in which the service tells whoever learns from the history.

Decides what the file holds and what leaving leads out means: none of the four tables names them any more, and
everything else is as it was. The history itself keeps them; the next file may say otherwise.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from features.errors import LeadPactError
from features.files import disk_failures_named, draft_of
from features.tables import TABLE_NAMES, CanonicalTables
from features.times import EPOCH, MICROSECOND

EXCLUSIONS = "exclusions.json"
FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """A lead that teaches nothing, and the code of the reason."""

    lead_id: str
    code: str


def write_exclusions(folder: Path, exclusions: Iterable[Exclusion]) -> None:
    """Replace the file in the folder of a history; the same leads give the same bytes."""
    ordered = sorted(set(exclusions), key=lambda one: (one.lead_id, one.code))
    content = {"format": FORMAT, "leads": [{"lead_id": one.lead_id, "code": one.code} for one in ordered]}
    path = folder / EXCLUSIONS
    with disk_failures_named(folder, "the training set is as it was"), draft_of(path) as draft:
        draft.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        draft.replace(path)


def read_exclusions(folder: Path) -> tuple[Exclusion, ...]:
    """Return what the file says, by lead; nothing when there is none. LeadPactError when it is damaged."""
    path = folder / EXCLUSIONS
    try:
        return _read(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return ()
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise LeadPactError(f"{path} is damaged ({error}); delete it, training writes it again") from error


def leave_out(tables: CanonicalTables, exclusions: Iterable[Exclusion]) -> CanonicalTables:
    """Return the tables without these leads; `left_out` counts those that were there, by code.

    The last instant the tables know about stays: what was left out was known all the same.
    """
    codes = {one.lead_id: one.code for one in exclusions}
    ids = pa.array(sorted(codes), pa.string())
    here = tables.leads.filter(pc.is_in(tables.leads.column("lead_id"), value_set=ids)).column("lead_id")
    if len(here) == 0:
        return tables
    counts = Counter(dict(tables.left_out)) + Counter(codes[lead_id] for lead_id in here.to_pylist())
    return replace(
        tables,
        **{name: _without(tables.table(name), ids) for name in TABLE_NAMES},
        crm=replace(tables.crm, exported_at=_known_until(tables)),
        left_out=tuple(sorted(counts.items())),
    )


def _without(table: pa.Table, ids: pa.Array) -> pa.Table:
    kept = pc.invert(pc.is_in(table.column("lead_id"), value_set=ids))
    return table.filter(kept).combine_chunks()


def _known_until(tables: CanonicalTables) -> Any:
    until_us = tables.known_until_us
    return tables.crm.exported_at if until_us is None else EPOCH + until_us * MICROSECOND


def _read(content: dict[str, Any]) -> tuple[Exclusion, ...]:
    if content["format"] != FORMAT:
        raise ValueError(f"format {content['format']!r}")
    return tuple(_exclusion(one) for one in content["leads"])


def _exclusion(row: dict[str, Any]) -> Exclusion:
    lead_id, code = row["lead_id"], row["code"]
    if not (isinstance(lead_id, str) and isinstance(code, str)):
        raise TypeError(f"lead_id and code must be texts; got {lead_id!r} and {code!r}")
    return Exclusion(lead_id=lead_id, code=code)
