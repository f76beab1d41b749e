"""Exports as a CRM would write them: small folders of files, and the canonical tables made of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from features.crm import CrmSettings
from features.importing.raw import RawExport, RawTable, numbered_from_one, problems_of
from features.importing.validation import Validated, validate
from features.problems import Problem
from features.tables import CanonicalTables

BERLIN = "Europe/Berlin"
LEADS = "lead_id,created_at,country,employees\nL1,2026-01-01T08:00:00Z,DE,10\nL2,2026-01-02T08:00:00Z,AT,25\n"
ACTIVITIES = (
    "activity_id,lead_id,occurred_at,kind,asset,channel,value\n"
    "A1,L1,2026-01-01T08:00:00Z,form_submit,/demo,web,\n"
    "A2,L2,2026-01-05T10:00:00Z,email_click,news,email,1.5\n"
)
DEALS = (
    "deal_id,lead_id,closed_at,outcome,opened_at,planned_close_at,amount,loss_reason\n"
    "D1,L1,2026-02-01T08:00:00Z,won,,,1200.50,\n"
    "D2,L2,2026-02-03T08:00:00Z,lost,,,,price\n"
)
CHANGES = "lead_id,changed_at,attribute,value\nL1,2026-01-10T08:00:00Z,employees,12\n"
GOOD_FILES = {
    "leads.csv": LEADS,
    "activities.csv": ACTIVITIES,
    "deals.csv": DEALS,
    "attribute_changes.csv": CHANGES,
}
CRM_TOML = f'[crm]\nname = "acme"\ntimezone = "{BERLIN}"\n'

Columns = Mapping[str, Sequence[str | None]]


def write_export(folder: Path, **changed: str | bytes | None) -> Path:
    """Write a good canonical export; a keyword (leads, crm …) replaces a file, None leaves it out."""
    names = {"crm": "crm.toml"} | {name.removesuffix(".csv"): name for name in GOOD_FILES}
    files: dict[str, str | bytes | None] = {
        **GOOD_FILES,
        **{names[key]: value for key, value in changed.items()},
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        if content is not None:
            (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def text_table(name: str, columns: Columns) -> RawTable:
    """Return a raw table of text, as a CSV file gives it."""
    data = pa.table({column: pa.array(values, pa.string()) for column, values in columns.items()})
    return RawTable(
        name=name, file=f"{name}.csv", data=data, row_numbers=numbered_from_one(data.num_rows), is_text=True
    )


def check(
    crm: CrmSettings | None = None,
    *,
    naive_zone: str | None = None,
    leads: Columns,
    activities: Columns | None = None,
    deals: Columns | None = None,
    attribute_changes: Columns | None = None,
) -> Validated:
    """Validate tables given as columns of text."""
    given = {"leads": leads, "activities": activities, "deals": deals, "attribute_changes": attribute_changes}
    tables = {name: columns for name, columns in given.items() if columns is not None}
    return check_tables(tables, crm=crm, naive_zone=naive_zone)


def check_tables(
    tables: Mapping[str, Columns], *, crm: CrmSettings | None = None, naive_zone: str | None = None
) -> Validated:
    """Validate tables given by name, as columns of text."""
    raw = RawExport(
        tables=tuple(text_table(name, columns) for name, columns in tables.items()), naive_zone=naive_zone
    )
    return validate(raw, crm or CrmSettings(name="acme"))


def canonical(
    tables: Mapping[str, Columns], *, crm: CrmSettings | None = None, naive_zone: str | None = None
) -> CanonicalTables:
    """Return the canonical tables of columns of text that break no rule."""
    found = check_tables(tables, crm=crm, naive_zone=naive_zone)
    assert found.all_problems == ()
    return found.tables


def row_problems(found: Validated) -> list[Problem]:
    """Return every broken rule of every row."""
    return list(problems_of(found.rejects, shown=found.rejects.num_rows))


def broken(found: Validated) -> list[tuple[str, str, int | None, str | None, str | None]]:
    """Return (code, file, row, column, value) of every broken rule of every row."""
    return [(each.code, each.file, each.row, each.column, each.value) for each in row_problems(found)]
