"""The rules of contract 1: raw tables -> canonical tables, and every row that breaks a rule, with the rule.

A row that breaks any rule is set aside whole; exact duplicates are counted once. Readers and formats are
none of its business.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from features.crm import CrmSettings
from features.errors import InputError
from features.importing.raw import REJECTS_SCHEMA, RawExport, RawTable, in_row_order, problems_of
from features.importing.table_check import TableCheck, closes_before_created, did_you_mean, structure_problems
from features.problems import Problem
from features.tables import (
    ACTIVITIES,
    CHANGES,
    DEALS,
    LEADS,
    TABLE_NAMES,
    CanonicalTables,
    empty_table,
    sort_canonically,
)

OUTCOMES = ("won", "lost")
KNOWN_LEAD_COLUMNS = ("lead_id", "created_at")
LACKS_COLUMNS = "the export lacks columns it must have"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCounts:
    """What became of the rows of one raw table: read = usable + rejected + repeated."""

    table: str
    read: int
    usable: int
    rejected: int
    repeated: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Validated:
    """Canonical tables, what was set aside (`features.importing.raw.REJECTS_SCHEMA`), and what else to say.

    `problems` are about whole columns (unknown ones); a problem of a row is in `rejects`.
    """

    tables: CanonicalTables
    rejects: pa.Table
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    counts: tuple[RowCounts, ...]

    @classmethod
    def of(
        cls, checks: dict[str, TableCheck], crm: CrmSettings, problems: tuple[Problem, ...]
    ) -> "Validated":
        """Conclude the checks: sorted canonical tables, and everything that was found on the way."""
        done = {
            name: sort_canonically(name, checks[name].canonical()) if name in checks else empty_table(name)
            for name in TABLE_NAMES
        }
        tables = CanonicalTables(**done, crm=crm, settled=True)
        rejects = [REJECTS_SCHEMA.empty_table(), *(in_row_order(each.rejects()) for each in checks.values())]
        return cls(
            tables=tables,
            rejects=pa.concat_tables(rejects),
            problems=problems,
            notes=(*(note for check in checks.values() for note in check.notes), *_notes_on(tables)),
            counts=tuple(_count_rows(check.raw, done[name], check) for name, check in checks.items()),
        )

    @property
    def all_problems(self) -> tuple[Problem, ...]:
        """Problems of columns, then of rows: the first of each kind, and how many more there are."""
        return (*self.problems, *problems_of(self.rejects))


def validate(
    raw: RawExport, crm: CrmSettings, known_leads: pa.Table | None = None, now: datetime | None = None
) -> Validated:
    """Apply every rule to every row.

    Parameters
    ----------
    raw : the tables as read.
    crm : the settings to apply and to store with the tables.
    known_leads : `KNOWN_LEAD_COLUMNS` of leads of earlier imports, which activities and deals may name.
    now : without an exported_at of the CRM, what happened must not lie after this; None does not ask.

    Raises
    ------
    InputError
        A required column is missing, or not one lead is usable: there is nothing to import. With leads of
        earlier imports a leads table without rows will do, when another table has news of them.
    """
    problems = tuple(each for table in raw.tables for each in structure_problems(table))
    incomplete = {each.file for each in problems if each.code == "missing_column"}
    sound = [table for table in raw.tables if table.file not in incomplete]
    checks = {table.name: TableCheck(table, raw.naive_zone, crm.exported_at, now) for table in sound}
    if LEADS in checks:
        _check_all(checks, known_leads)
    found = Validated.of(checks, crm, problems)
    if incomplete:
        raise InputError(LACKS_COLUMNS, found.all_problems)
    if found.tables.leads.num_rows == 0 and not (known_leads is not None and _is_about_known_leads(found)):
        raise InputError("the export has no usable lead", found.all_problems)
    return found


def validate_part(
    raw: RawExport,
    crm: CrmSettings,
    leads: pa.Table,
    *,
    set_aside: pa.ChunkedArray,
    now: datetime | None = None,
) -> Validated:
    """Apply the rules to the activities, deals and changes of some leads of an export.

    Doing so lead by lead comes to the same as `validate`, but for one thing: an activity_id or deal_id that
    two leads share is told apart by the lead.

    Parameters
    ----------
    raw : the tables as read, without leads.
    leads : canonical leads, at least one; they come back as they are.
    set_aside : the ids (n,) of leads that broke a rule themselves.
    """
    checks = {table.name: TableCheck(table, raw.naive_zone, crm.exported_at, now) for table in raw.tables}
    known = leads.select(KNOWN_LEAD_COLUMNS).combine_chunks()
    _check_rows_of(checks, known, given=set_aside, within_lead=True)
    found = Validated.of(checks, crm, ())
    return replace(found, tables=replace(found.tables, leads=leads))


def _is_about_known_leads(found: Validated) -> bool:
    """Whether no lead was even given, and still there is something to import."""
    read = {each.table: each.read for each in found.counts}
    return not read[LEADS] and any(each.usable for each in found.counts)


def _check_all(checks: dict[str, TableCheck], known_leads: pa.Table | None) -> None:
    """Leads first: the other tables refer to those that are usable."""
    leads = checks[LEADS]
    _check_leads(leads)
    known = _join_known_leads(leads, known_leads)
    _check_rows_of(checks, known, given=leads.values("lead_id").drop_null())


def _check_rows_of(
    checks: dict[str, TableCheck], known: pa.Table, *, given: pa.ChunkedArray, within_lead: bool = False
) -> None:
    """Check what refers to leads: to `known` ones, or to `given` ids whatever became of them."""
    for name in (ACTIVITIES, DEALS, CHANGES):
        if name in checks:
            _check_references(checks[name], known, given)
    if DEALS in checks:
        _check_deals(checks[DEALS], known)
    _check_required(checks.values(), flat=not _has_times(known), within_lead=within_lead)


def _has_times(known: pa.Table) -> bool:
    return bool(known.column("created_at").null_count < known.num_rows)


def _check_leads(leads: TableCheck) -> None:
    """Reject unusable leads before others refer to them; times and ranks are given for all or none."""
    leads.require("lead_id")
    for column in ("created_at", "created_order"):
        if leads.has_any(column):
            leads.require(column)
    leads.check_attributes()
    leads.check_duplicates()


def _join_known_leads(leads: TableCheck, known_leads: pa.Table | None) -> pa.Table:
    """Return `lead_id`, `created_at` of every lead that exists: this export's word counts first."""
    usable = leads.usable_rows(KNOWN_LEAD_COLUMNS)
    if known_leads is None:
        return usable.combine_chunks()
    is_older = pc.invert(pc.is_in(known_leads.column("lead_id"), value_set=usable.column("lead_id")))
    return pa.concat_tables([usable, known_leads.filter(is_older)]).combine_chunks()


def _check_references(check: TableCheck, known: pa.Table, given: pa.ChunkedArray) -> None:
    """Every activity, deal and change names a lead that exists."""
    lead_id = check.values("lead_id")
    missing = pc.and_(pc.is_valid(lead_id), pc.invert(pc.is_in(lead_id, value_set=known.column("lead_id"))))
    was_given = pc.is_in(lead_id, value_set=given)
    check.flag(
        pc.and_not(missing, was_given),
        "unknown_lead",
        "must name a lead_id that the leads table holds",
        "lead_id",
    )
    check.flag(
        pc.and_(missing, was_given),
        "lead_set_aside",
        "its lead was itself set aside from this import",
        "lead_id",
    )


def _check_deals(deals: TableCheck, known: pa.Table) -> None:
    outcome = deals.values("outcome")
    is_known = pc.is_in(outcome, value_set=pa.array(OUTCOMES))
    rule = f"must be one of {' or '.join(map(repr, OUTCOMES))}; a lead without a deal is open"
    deals.flag(pc.and_(pc.is_valid(outcome), pc.invert(is_known)), "unknown_outcome", rule, "outcome")
    too_early = closes_before_created(deals.all_rows(("lead_id", "closed_at")), known)
    deals.flag(
        too_early, "closed_before_created", "a deal cannot close before its lead was created", "closed_at"
    )


def _check_required(checks: Iterable[TableCheck], *, flat: bool, within_lead: bool) -> None:
    """Fill what may be left out, require what may not, then find what is given twice."""
    for check in checks:
        if check.name == LEADS:
            continue
        if check.name == DEALS:
            check.fill_deal_ids()
        for column in REQUIRED_VALUES[check.name]:
            if not (flat and column == "closed_at"):
                check.require(column)
        check.check_duplicates(within_lead=within_lead)


REQUIRED_VALUES = {
    ACTIVITIES: ("activity_id", "lead_id", "occurred_at", "kind"),
    DEALS: ("deal_id", "lead_id", "outcome", "closed_at"),
    CHANGES: ("lead_id", "changed_at", "attribute"),
}


def _count_rows(raw: RawTable, usable: pa.Table, check: TableCheck) -> RowCounts:
    return RowCounts(
        table=raw.name,
        read=raw.rows_read,
        usable=usable.num_rows,
        rejected=check.rejected_rows,
        repeated=check.repeated_rows,
    )


def _notes_on(tables: CanonicalTables) -> tuple[str, ...]:
    return (*_note_on_flat(tables), *_note_on_names(tables))


def _note_on_flat(tables: CanonicalTables) -> tuple[str, ...]:
    if tables.has_times or not tables.leads.num_rows:
        return ()
    similar = did_you_mean("created_at", tables.attribute_columns)
    order = "created_order is taken as time order" if tables.has_order else "splits cannot follow time"
    return (f"leads have no created_at, so each lead is one finished case and {order}{similar}",)


def _note_on_names(tables: CanonicalTables) -> tuple[str, ...]:
    """Say which names match no column: a mistyped `never` would let a leak in."""
    columns = tables.attribute_columns
    named = {each.column for each in (*tables.crm.never, *tables.crm.allow)}.difference(columns)
    said = ", ".join(name + did_you_mean(name, columns) for name in sorted(named))
    return (f"[attributes] names columns that leads does not have: {said}",) if named else ()
