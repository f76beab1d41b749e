"""An import as a whole: good exports, every kind of bad one, and what stays in the workspace."""

import csv
import fcntl
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pyarrow as pa
import pytest
from pyarrow import parquet

from features.errors import InputError, LeadPactError
from features.history import LOCK, History
from features.importing import ImportReport, import_export
from features.problems import Problem
from tests.builders_import import ACTIVITIES, BERLIN, CRM_TOML, DEALS, LEADS, write_export


class Workspace:
    """A workspace in a temporary folder, and imports into it."""

    def __init__(self, root: Path) -> None:
        self.history = History(root / "workspace" / "history")
        self.rejects_dir = root / "workspace" / "rejects"

    def take(self, folder: Path, mapping: Path | None = None, *, strict: bool = False) -> ImportReport:
        return import_export(
            folder, mapping_file=mapping, history=self.history, strict=strict, rejects_dir=self.rejects_dir
        )

    def refuse(
        self, folder: Path, match: str, mapping: Path | None = None, *, strict: bool = False
    ) -> tuple[Problem, ...]:
        """Import what must be refused; the workspace must be as it was. Return the problems."""
        before = self.files()
        with pytest.raises(InputError, match=match) as refused:
            self.take(folder, mapping, strict=strict)
        assert self.files() == before
        return cast("tuple[Problem, ...]", refused.value.problems)

    def files(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in self.rejects_dir.parent.rglob("*") if path.is_file()}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return tmp_path / "export"


def test_good_export(workspace: Workspace, export: Path) -> None:
    """A clean canonical folder is imported whole; the second time nothing changes."""
    report = workspace.take(write_export(export))
    read = {each.table: (each.read, each.added) for each in report.counts}
    assert read == {"leads": (2, 2), "activities": (2, 2), "deals": (2, 2), "attribute_changes": (1, 1)}
    assert (report.problems, report.notes, report.rejects_file) == ((), (), None)
    assert report.outcomes == (("won", 1), ("lost", 1))
    assert not workspace.rejects_dir.exists()
    again = workspace.take(export)
    assert again.is_unchanged
    assert [each.unchanged for each in again.counts] == [2, 2, 2, 1]


def test_settings_beside_canonical_files(workspace: Workspace, export: Path) -> None:
    """crm.toml in the folder is used without being named: its zone reads naive times."""
    write_export(export, crm=CRM_TOML, leads=LEADS.replace("08:00:00Z", "08:00:00"))
    report = workspace.take(export)
    assert report.problems == ()
    tables = workspace.history.read()
    assert tables.crm.timezone == BERLIN
    assert tables.leads["created_at"][0].as_py() == datetime(2026, 1, 1, 7, tzinfo=UTC)


def test_parquet(workspace: Workspace, export: Path) -> None:
    """Canonical tables may be Parquet files."""
    write_export(export, leads=None)
    created = pa.array([datetime(2026, 1, 1, tzinfo=UTC)] * 2, pa.timestamp("ns", "UTC"))
    parquet.write_table(pa.table({"lead_id": ["L1", "L2"], "created_at": created}), export / "leads.parquet")
    assert workspace.take(export).problems == ()


def test_rejects_file(workspace: Workspace, export: Path) -> None:
    """What is wrong is set aside, readable and complete, and counted; the rest is imported."""
    deals = DEALS + "D3,L9,2026-02-01T08:00:00Z,won,,,,\nD4,L1,soon,maybe,,,=1+1,\nD5,L1\n"
    report = workspace.take(write_export(export, deals=deals))
    assert {each.table: each.rejected for each in report.counts}["deals"] == 3
    assert report.rejects_file is not None
    with report.rejects_file.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["file", "row", "column", "value", "rule", "code", "content"]
    assert [(row["row"], row["column"], row["value"], row["code"]) for row in rows] == [
        ("5", "", "", "wrong_width"),
        ("4", "closed_at", "soon", "unreadable_time"),
        ("4", "amount", "'=1+1", "unreadable_number"),
        ("3", "lead_id", "L9", "unknown_lead"),
        ("4", "outcome", "maybe", "unknown_outcome"),
    ]
    assert json.loads(rows[1]["content"])["deal_id"] == "D4"
    assert rows[0]["content"] == "D5,L1"
    assert workspace.take(export).rejects_file == report.rejects_file


def test_strict_refuses_everything(workspace: Workspace, export: Path) -> None:
    """With --strict one wrong row refuses the export."""
    write_export(export, deals=DEALS + "D3,L9,2026-02-01T08:00:00Z,won,,,,\n")
    problems = workspace.refuse(export, "--strict is given", strict=True)
    assert [each.code for each in problems] == ["unknown_lead"]


def test_report_shows_the_first_twenty_of_a_kind(workspace: Workspace, export: Path) -> None:
    """Thousands of rows with one mistake are twenty problems, one count, and all of them in the file."""
    rows = "".join(f"A{n},L9,2026-01-05T10:00:00Z,call,,,\n" for n in range(10, 5010))
    report = workspace.take(write_export(export, activities=ACTIVITIES + rows))
    assert len(report.problems) == 21
    assert "4,980 more rows" in report.problems[-1].text()
    assert report.rejects_file is not None
    assert len(report.rejects_file.read_text().splitlines()) == 5001


def test_naive_times_without_a_zone(workspace: Workspace, export: Path) -> None:
    """A folder with naive times and no crm.toml has no usable lead: the report says what to add."""
    problems = workspace.refuse(write_export(export, leads=LEADS.replace("Z", "")), "no usable lead")
    assert [each.code for each in problems[:2]] == ["naive_time", "naive_time"]
    assert "crm.toml" in problems[0].rule


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        pytest.param("activities", "", "empty_file", id="empty-file"),
        pytest.param("leads", "", "empty_file", id="empty-leads"),
        pytest.param("leads", None, "no_leads_table", id="no-leads"),
        pytest.param("leads", "created_at\n2026-01-01T00:00:00Z\n", "missing_column", id="no-lead-id"),
        pytest.param("deals", "deal_id,lead_id,closed_at\n", "missing_column", id="no-outcome"),
        pytest.param("deals", DEALS.replace("loss_reason", ","), "unnamed_column", id="bad-header"),
        pytest.param("activities", ACTIVITIES + '"A9,L1\nA10,L1\n', "unclosed_quote", id="unclosed-quote"),
    ],
)  # fmt: skip
def test_refused(workspace: Workspace, export: Path, name: str, content: str | None, code: str) -> None:
    """What cannot be read as a table refuses the export, and the workspace stays as it was."""
    workspace.take(write_export(export / "first"))
    problems = workspace.refuse(write_export(export / "second", **{name: content}), "nothing was imported")
    assert code in {each.code for each in problems}


def test_all_unreadable_files_at_once(workspace: Workspace, export: Path) -> None:
    """Two broken files are two problems of one run."""
    write_export(export, activities="", deals="a,,b\n")
    problems = workspace.refuse(export, "cannot be read")
    assert [(each.file, each.code) for each in problems] == [
        ("activities.csv", "empty_file"), ("deals.csv", "unnamed_column"),
    ]  # fmt: skip


def test_table_given_twice(workspace: Workspace, export: Path) -> None:
    """leads.csv beside leads.parquet is a contradiction, not a choice."""
    write_export(export)
    parquet.write_table(pa.table({"lead_id": ["L1"]}), export / "leads.parquet")
    assert [each.code for each in workspace.refuse(export, "cannot be read")] == ["table_given_twice"]


def test_damaged_parquet(workspace: Workspace, export: Path) -> None:
    """A Parquet file that is none is named."""
    write_export(export, leads=None)
    (export / "leads.parquet").write_bytes(b"PAR1 no, not really")
    assert [each.code for each in workspace.refuse(export, "cannot be read")] == ["unreadable_parquet"]


def test_no_such_folder(workspace: Workspace, tmp_path: Path) -> None:
    """A folder that is not there is wrong input."""
    workspace.refuse(tmp_path / "nowhere", "is not a folder")


@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_few_outcomes_of_one_class_are_imported(workspace: Workspace, export: Path, outcome: str) -> None:
    """An import takes what is there; whether it is enough to learn from is for `train` to say."""
    deals = f"deal_id,lead_id,closed_at,outcome\nD1,L1,2026-02-01T08:00:00Z,{outcome}\n"
    assert workspace.take(write_export(export, deals=deals)).problems == ()


def test_later_export_without_crm_toml_keeps_the_settings(workspace: Workspace, export: Path) -> None:
    """New rows alone may follow; they may lie after the first export's exported_at."""
    toml = CRM_TOML + "[label]\nhorizon_days = 30\nexported_at = 2026-03-01\n"
    workspace.take(write_export(export / "first", crm=toml))
    later = LEADS + "L3,2026-05-01T08:00:00Z,CH,1\n"
    report = workspace.take(write_export(export / "second", leads=later))
    assert report.problems == ()
    crm = workspace.history.read().crm
    assert (crm.name, crm.horizon_days) == ("acme", 30)
    assert crm.exported_at == datetime(2026, 5, 1, 8, tzinfo=UTC)


def mapping(export: Path, leads_sql: str, **tables: str) -> Path:
    """Write a mapping with SQL for leads and further tables beside the export."""
    queries = "".join(f"{name} = '''{sql}'''\n" for name, sql in {"leads": leads_sql, **tables}.items())
    file = export.parent / "mapping.toml"
    file.write_text(f"{CRM_TOML}[tables]\n{queries}", encoding="utf-8")
    return file


def test_mapping(workspace: Workspace, export: Path) -> None:
    """SQL over the files of the folder makes the tables; a deal without deal_id is named after its lead."""
    export.mkdir()
    (export / "people.csv").write_text(
        "id;first seen;stage\n1;2026-01-01 09:00:00;won\n2;2026-01-02 09:00:00;open\n"
    )
    file = mapping(
        export,
        """SELECT id AS lead_id, "first seen" AS created_at, stage FROM 'people.csv'""",
        deals="""SELECT id AS lead_id, DATE '2026-02-01' AS closed_at, 'won' AS outcome
                 FROM 'people.csv' WHERE stage = 'won'""",
    )
    report = workspace.take(export, file)
    assert report.problems == ()
    tables = workspace.history.read()
    assert tables.leads["created_at"][0].as_py() == datetime(2026, 1, 1, 8, tzinfo=UTC)
    assert tables.deals["deal_id"].to_pylist() == ["1"]
    assert tables.deals["closed_at"][0].as_py() == datetime(2026, 1, 31, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        pytest.param("SELEC 1", "syntax error", id="syntax"),
        pytest.param("SELECT idd AS lead_id FROM 'leads.csv'", "idd", id="no-such-column"),
        pytest.param("SELECT 1 AS lead_id FROM 'nope.csv'", "nope.csv", id="no-such-file"),
        pytest.param("SELECT 1 AS lead_id FROM leads", "leads", id="no-such-table"),
        pytest.param("SELECT 1 AS lead_id; SELECT 2", "exactly one SELECT", id="two-statements"),
        pytest.param("COPY (SELECT 1 AS lead_id) TO 'stolen.csv'", "exactly one SELECT", id="writes"),
        pytest.param("INSTALL httpfs", "exactly one SELECT", id="installs"),
        pytest.param("SET threads = 4", "exactly one SELECT", id="configures"),
        pytest.param("", "one SQL query", id="empty"),
        pytest.param(
            "SELECT * FROM read_text('../secret.txt')", "disabled by configuration", id="leaves-the-folder"
        ),
        pytest.param(
            "SELECT * FROM read_csv('/etc/passwd')", "disabled by configuration", id="reads-the-machine"
        ),
        pytest.param("SELECT * FROM 'https://example.org/a.csv'", "https", id="reads-the-network"),
        pytest.param("SELECT CAST('x' AS INTEGER) AS lead_id", "Could not convert", id="conversion"),
    ],
)
def test_broken_query(workspace: Workspace, export: Path, sql: str, said: str) -> None:
    """A query that fails or wants more than to read the export refuses it, with DuckDB's own words."""
    write_export(export)
    (export.parent / "secret.txt").write_text("secret")
    problems = workspace.refuse(export, "nothing was imported|has 1 problem", mapping(export, sql))
    assert [(each.file, each.row, each.column) for each in problems] == [("mapping.toml", 5, "tables.leads")]
    assert said in problems[0].rule
    assert not (export / "stolen.csv").exists()


def test_long_line_in_a_mapped_file(workspace: Workspace, export: Path) -> None:
    """DuckDB refuses a line without end; the problem stays short."""
    write_export(export, leads="lead_id,x\nL1," + "y" * 5_000_000 + "\n")
    problems = workspace.refuse(export, "nothing was imported", mapping(export, "SELECT * FROM 'leads.csv'"))
    assert len(problems[0].text()) < 1000


def test_query_in_another_zone(workspace: Workspace, export: Path) -> None:
    """Inside the SQL the session has the CRM's zone, so a cast to a time with zone means that zone."""
    export.mkdir()
    sql = "SELECT 'L1' AS lead_id, CAST('2026-07-01 10:00' AS TIMESTAMPTZ) AS created_at"
    workspace.take(export, mapping(export, sql))
    assert workspace.history.read().leads["created_at"][0].as_py() == datetime(2026, 7, 1, 8, tzinfo=UTC)


def test_failed_merge_leaves_no_rejects_behind(workspace: Workspace, export: Path) -> None:
    """An export of another CRM is refused, and its rejects are not left lying around."""
    workspace.take(write_export(export / "first", crm=CRM_TOML))
    other = write_export(
        export / "second",
        crm=CRM_TOML.replace("acme", "other"),
        deals=DEALS + "D3,L9,2026-02-01T08:00:00Z,won,,,,\n",
    )
    workspace.refuse(other, "holds the CRM 'acme'")


def test_second_import_leaves_no_rejects_behind(workspace: Workspace, export: Path) -> None:
    """An import that another one keeps out has changed nothing."""
    workspace.history.folder.mkdir(parents=True)
    write_export(export, deals=DEALS + "D3,L9,2026-02-01T08:00:00Z,won,,,,\n")
    with (workspace.history.folder / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(LeadPactError, match="another import is writing"):
            workspace.take(export)
    assert list(workspace.rejects_dir.iterdir()) == []


def test_history_that_cannot_be_read(workspace: Workspace, export: Path) -> None:
    """A damaged history is a failure of its own, not a traceback."""
    workspace.history.folder.mkdir(parents=True)
    (workspace.history.folder / "manifest.json").write_text("{")
    with pytest.raises(LeadPactError, match="damaged"):
        workspace.take(write_export(export))


def test_real_export(workspace: Workspace, export: Path, real_data: Path) -> None:
    """Olist's export as it lies: all its leads, all its wins, and nothing else without a word."""
    export.mkdir()
    file = mapping(
        export,
        """SELECT mql_id AS lead_id, first_contact_date AS created_at, origin, landing_page_id
           FROM 'olist_marketing_qualified_leads_dataset.csv'""",
        deals="""SELECT mql_id AS lead_id, won_date AS closed_at, 'won' AS outcome
                 FROM 'olist_closed_deals_dataset.csv'""",
    )
    report = workspace.take(real_data / "olist_funnel", file)
    read = {each.table: (each.read, each.added, each.rejected) for each in report.counts}
    assert read == {"leads": (8000, 8000, 0), "deals": (842, 841, 1)}
    assert [problem.code for problem in report.problems] == ["closed_before_created"]
    assert workspace.take(real_data / "olist_funnel", file).is_unchanged
