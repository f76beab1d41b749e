"""One raw table under inspection: parsed columns, flagged rows, duplicates.

Which rules apply to which table is decided by `features.importing.validation`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from difflib import get_close_matches

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.importing.columns import (
    READABLE_TIME,
    ParsedColumn,
    infer_attribute,
    to_ids,
    to_numbers,
    to_plain_text,
    to_ranks,
    to_text,
    to_times,
)
from features.importing.raw import RawTable, reject_rows
from features.problems import Problem
from features.sql import query_tables, with_plain_names
from features.tables import (
    ACTIVITIES,
    CHANGES,
    DEALS,
    FIXED_SCHEMAS,
    LEADS,
    PAST_TIMES,
    TIME_TYPE,
)

REQUIRED_COLUMNS = {
    LEADS: ("lead_id",),
    ACTIVITIES: ("activity_id", "lead_id", "occurred_at", "kind"),
    DEALS: ("lead_id", "outcome"),
    CHANGES: ("lead_id", "changed_at", "attribute", "value"),
}
KEYS = {
    LEADS: ("lead_id",),
    ACTIVITIES: ("activity_id",),
    DEALS: ("deal_id",),
    CHANGES: ("lead_id", "attribute", "changed_at"),
}
"""What identifies a row: the same key with other content is a contradiction, with the same a repetition."""
ID_COLUMNS = ("lead_id", "activity_id", "deal_id")

SHOWN_COLUMNS = 20
CLOCK_SKEW = timedelta(minutes=5)
"""How far the clock of a CRM may be ahead of ours."""
READABLE_NUMBER = "must be a finite number such as 1234.5"
NAIVE_RULE = (
    'a time needs a zone such as Z or +01:00, unless crm.toml names it: [crm] timezone = "Europe/Berlin"'
)
UNREADABLE = {
    TIME_TYPE: ("unreadable_time", READABLE_TIME),
    pa.float64(): ("unreadable_number", READABLE_NUMBER),
    pa.int64(): ("unreadable_number", "must be a whole number such as 42"),
}


class TableCheck:
    """Parsed columns of one raw table and the rows that break a rule; grows while rules are applied."""

    def __init__(
        self, raw: RawTable, naive_zone: str | None, exported_at: datetime | None, now: datetime | None = None
    ) -> None:
        self.raw = raw
        self.name = raw.name
        self.notes: list[str] = []
        self.repeated_rows = 0
        self._naive_zone = naive_zone
        self._exported_at = exported_at
        self._now = now
        self._rejects: list[pa.Table] = [raw.unreadable]
        self._usable = np.ones(raw.data.num_rows, dtype=np.bool_)
        self._columns = {field.name: self._parse(field) for field in FIXED_SCHEMAS[raw.name]}

    @property
    def rejected_rows(self) -> int:
        """How many rows of the source were set aside, unreadable ones included."""
        flagged = self.raw.data.num_rows - int(self._usable.sum()) - self.repeated_rows
        return int(self.raw.unreadable.num_rows + flagged)

    def values(self, column: str) -> pa.ChunkedArray:
        """Return a parsed column, all rows (n,); unreadable values are null."""
        return self._columns[column]

    def has_any(self, column: str) -> bool:
        """Whether the source has this column with at least one value in it, readable or not."""
        if column not in self.raw.data.column_names:
            return False
        given = self.raw.data.column(column)
        return bool(given.null_count < len(given))

    def flag(self, broken: pa.ChunkedArray, code: str, rule: str, column: str | None) -> None:
        """Set the rows aside where `broken` (n,) is true, with the rule they break."""
        mask = pc.fill_null(broken, fill_value=False).to_numpy()
        if mask.any():
            positions = pa.array(np.flatnonzero(mask))
            self._rejects.append(reject_rows(self.raw, positions, code=code, rule=rule, column=column))
            self._usable &= ~mask

    def require(self, column: str) -> None:
        """Set rows aside whose value is missing; one that is unreadable has been flagged already."""
        given = (
            self.raw.data.column(column) if column in self.raw.data.column_names else self._columns[column]
        )
        self.flag(pc.is_null(to_text(given)), "missing_value", "must not be empty", column)

    def fill_deal_ids(self) -> None:
        """Name deals after their lead when the source has no deal_id: then a lead has one deal at most."""
        if "deal_id" not in self.raw.data.column_names:
            self._columns["deal_id"] = self._columns["lead_id"]

    def check_attributes(self) -> None:
        """Type every further column of leads; an infinite number costs the row."""
        for name in self.raw.data.column_names:
            if name in self._columns:
                continue
            attribute = infer_attribute(
                name, self.raw.data.column(name), is_text=self.raw.is_text, naive_zone=self._naive_zone
            )
            self._columns[name] = attribute.values
            self.flag(attribute.unreadable, "unreadable_number", READABLE_NUMBER, name)
            self.notes.extend(() if attribute.note is None else (attribute.note,))

    def check_duplicates(self, *, within_lead: bool = False) -> None:
        """Count exact repetitions once; of rows that contradict each other the first one stays.

        `within_lead` compares the rows of each lead alone: an id that two leads share is no repetition.
        """
        keys = KEYS[self.name]
        if within_lead:
            keys = tuple(dict.fromkeys(("lead_id", *keys)))
        usable = self.canonical()
        if usable.group_by(list(keys)).aggregate([]).num_rows == usable.num_rows:
            return
        positions = pa.array(np.flatnonzero(self._usable))
        found = _find_repetitions(usable, positions, keys)
        repeated, contradicting = found.filter(found["same"]), found.filter(pc.invert(found["same"]))
        named = [key for key in KEYS[self.name] if key in self.raw.data.column_names] or ["lead_id"]
        rule = f"{' and '.join(named)} must be unique: an earlier row has the same with other content"
        if named[0] not in KEYS[self.name]:
            rule += "; without deal_id a lead has one deal at most"
        self.flag(self._mask_of(contradicting["position"]), "contradicting_duplicate", rule, named[0])
        self._usable &= ~self._mask_of(repeated["position"]).to_numpy()
        self.repeated_rows += repeated.num_rows

    def all_rows(self, columns: Sequence[str]) -> pa.Table:
        """Return some parsed columns of every row, usable or not."""
        return pa.table({name: self._columns[name] for name in columns})

    def canonical(self) -> pa.Table:
        """Return the usable rows with all parsed columns, in the order of the source."""
        return pa.table(self._columns).filter(pa.array(self._usable))

    def usable_rows(self, columns: Sequence[str]) -> pa.Table:
        """Return some parsed columns of the usable rows."""
        return self.all_rows(columns).filter(pa.array(self._usable))

    def rejects(self) -> pa.Table:
        """Return every broken rule so far, as one rejects table."""
        return pa.concat_tables(self._rejects)

    def _parse(self, field: pa.Field) -> pa.ChunkedArray:
        if field.name not in self.raw.data.column_names:
            return pa.chunked_array([pa.nulls(self.raw.data.num_rows, field.type)])
        parsed = self._read(field)
        unreadable_code, unreadable_rule = UNREADABLE.get(field.type, ("", ""))
        self.flag(parsed.unreadable, unreadable_code, unreadable_rule, field.name)
        self.flag(parsed.naive, "naive_time", NAIVE_RULE, field.name)
        if field.name in PAST_TIMES[self.name]:
            self._flag_times_ahead(field.name, parsed.values)
        return parsed.values

    def _flag_times_ahead(self, column: str, times: pa.ChunkedArray) -> None:
        """Refuse what lies ahead: one such time would make every open lead an old one."""
        if self._exported_at is not None:
            rule = f"must not lie after exported_at, {self._exported_at.isoformat()}"
            limit = pa.scalar(self._exported_at, TIME_TYPE)
            self.flag(pc.greater(times, limit), "after_exported_at", rule, column)
        elif self._now is not None:
            limit = pa.scalar(self._now + CLOCK_SKEW, TIME_TYPE)
            self.flag(pc.greater(times, limit), "in_the_future", "must not lie in the future", column)

    def _read(self, field: pa.Field) -> ParsedColumn:
        column = self.raw.data.column(field.name)
        if field.type == TIME_TYPE:
            return to_times(column, self._naive_zone)
        if field.type == pa.float64():
            return to_numbers(column)
        if field.name in ID_COLUMNS:
            return to_ids(column)
        return to_ranks(column) if field.type == pa.int64() else to_plain_text(column)

    def _mask_of(self, positions: pa.ChunkedArray) -> pa.ChunkedArray:
        mask = np.zeros(self._usable.size, dtype=np.bool_)
        mask[positions.to_numpy()] = True
        return pa.chunked_array([mask])


def _find_repetitions(rows: pa.Table, positions: pa.Array, keys: tuple[str, ...]) -> pa.Table:
    """Return `position` and `same` of every row whose key an earlier row has; `same` if all else is equal."""
    by = ", ".join(f"c{rows.column_names.index(key)}" for key in keys)
    content = ", ".join(f"c{place}" for place in range(rows.num_columns))
    sql = f"""
        WITH numbered AS (
            SELECT position, row({content}) AS content,
                   first_value(row({content})) OVER same_key AS first, row_number() OVER same_key AS n
            FROM t
            WHERE ({by}) IN (SELECT ({by}) FROM t GROUP BY {by} HAVING count(*) > 1)
            WINDOW same_key AS (PARTITION BY {by} ORDER BY position))
        SELECT position, content IS NOT DISTINCT FROM first AS same FROM numbered WHERE n > 1
        ORDER BY position"""  # noqa: S608 - made of column numbers alone
    return query_tables(sql, t=with_plain_names(rows).append_column("position", positions))


def closes_before_created(deals: pa.Table, leads: pa.Table) -> pa.ChunkedArray:
    """Say of each deal whether it closed before its lead was created; null when either is not known.

    `deals` holds `lead_id` and `closed_at`, `leads` at least `lead_id` and `created_at`.
    """
    row_of_lead = pc.index_in(deals["lead_id"], value_set=leads["lead_id"])
    return pc.less(deals["closed_at"], leads["created_at"].take(row_of_lead))


def structure_problems(raw: RawTable) -> tuple[Problem, ...]:
    """Return the columns that are missing, and outside leads those that nobody knows."""
    present, known = raw.data.column_names, FIXED_SCHEMAS[raw.name].names
    missing = [name for name in REQUIRED_COLUMNS[raw.name] if name not in present]
    unknown = [] if raw.name == LEADS else [name for name in present if name not in known]
    return (
        *(_missing_column(raw, name, present) for name in missing),
        *(_unknown_column(raw, name, known) for name in unknown),
    )


def _missing_column(raw: RawTable, name: str, present: Sequence[str]) -> Problem:
    held = ", ".join(present[:SHOWN_COLUMNS]) or "none"
    more = f" and {len(present) - SHOWN_COLUMNS:,} more" if len(present) > SHOWN_COLUMNS else ""
    rule = f"the {raw.name} table must have this column; it has {held}{more}"
    return Problem(code="missing_column", file=raw.file, column=name, rule=rule + did_you_mean(name, present))


def _unknown_column(raw: RawTable, name: str, known: Sequence[str]) -> Problem:
    rule = f"the {raw.name} table has no such column and it was left out" + did_you_mean(name, known)
    return Problem(code="unknown_column", file=raw.file, column=name, rule=rule)


def did_you_mean(name: str, choices: Sequence[str]) -> str:
    """Return "; did you mean …?" when a choice is close to the name, else nothing."""
    folded = {choice.lower().replace(" ", "_"): choice for choice in choices}
    close = get_close_matches(name.lower().replace(" ", "_"), list(folded), n=1, cutoff=0.75)
    return f"; did you mean {folded[close[0]]!r}?" if close else ""
