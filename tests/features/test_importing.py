"""An import as a whole: good exports, every kind of bad one, and what stays in the workspace."""

import csv
import fcntl
import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from features.errors import InputError, LeadPactError
from features.history.store import LOCK
from tests.builders_import import ACTIVITIES, BERLIN, CRM_TOML, DEALS, LEADS, write_export
from tests.features.conftest import Workspace


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
        ("3", "lead_id", "L9", "unknown_lead"),
        ("4", "closed_at", "soon", "unreadable_time"),
        ("4", "amount", "'=1+1", "unreadable_number"),
        ("4", "outcome", "maybe", "unknown_outcome"),
        ("5", "", "", "wrong_width"),
    ]
    assert [problem.row for problem in report.problems] == [3, 4, 4, 4, 5]
    assert json.loads(rows[1]["content"])["deal_id"] == "D4"
    assert rows[4]["content"] == "D5,L1"
    assert workspace.take(export).rejects_file == report.rejects_file


def test_what_has_happened_cannot_lie_in_the_future(workspace: Workspace, export: Path) -> None:
    """One activity of next year would make every open lead look lost; a clock a little ahead is forgiven."""
    now = datetime(2026, 3, 1, tzinfo=UTC)
    ahead = "A3,L1,2026-03-01T00:04:00Z,call,,,\nA4,L1,2027-01-01T00:00:00Z,meeting,,,\n"
    report = workspace.take(write_export(export, activities=ACTIVITIES + ahead), now=now)
    assert [(each.code, each.row) for each in report.problems] == [("in_the_future", 4)]
    assert workspace.history.read().activities.num_rows == 3


def test_export_of_the_future_is_refused(workspace: Workspace, export: Path) -> None:
    """exported_at may be today, which lasts until midnight, and not a day that is yet to come."""
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    for day, is_taken in (("2026-03-01", True), ("2026-03-03", False)):
        folder = write_export(export / day, crm=f"{CRM_TOML}[label]\nexported_at = {day}\n")
        if is_taken:
            workspace.take(folder, now=now)
        else:
            with pytest.raises(InputError, match="exported_at must not lie in the future"):
                workspace.take(folder, now=now)


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


@pytest.mark.parametrize("name", ["deals.csv.gz", "Deals.CSV", "deals.xlsx", "deals.json"])
def test_table_in_a_form_that_is_not_read(workspace: Workspace, export: Path, name: str) -> None:
    """A file named like a table is never left out in silence."""
    write_export(export, deals=None)
    (export / name).write_bytes(b"whatever")
    problems = workspace.refuse(export, "cannot be read")
    assert [(each.file, each.code) for each in problems] == [(name, "unread_file")]


def test_link_to_nothing(workspace: Workspace, export: Path) -> None:
    """A table that is a dangling link is named."""
    write_export(export, activities=None)
    (export / "activities.csv").symlink_to(export / "gone.csv")
    assert [each.code for each in workspace.refuse(export, "cannot be read")] == ["unread_file"]


def test_parquet_with_two_columns_of_one_name(workspace: Workspace, export: Path) -> None:
    """Which of the two is meant is not for us to guess."""
    write_export(export, leads=None)
    twice = pa.table([["L1"], [1], [2]], names=["lead_id", "size", "size"])
    parquet.write_table(twice, export / "leads.parquet")
    (problem,) = workspace.refuse(export, "cannot be read")
    assert (problem.code, problem.column) == ("repeated_column", "size")


def test_damaged_parquet(workspace: Workspace, export: Path) -> None:
    """A Parquet file that is none is named."""
    write_export(export, leads=None)
    (export / "leads.parquet").write_bytes(b"PAR1 no, not really")
    assert [each.code for each in workspace.refuse(export, "cannot be read")] == ["unreadable_parquet"]


def test_no_such_folder(workspace: Workspace, tmp_path: Path) -> None:
    """A folder that is not there is wrong input."""
    assert workspace.refuse(tmp_path / "nowhere", "is not a folder") == ()


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


def test_failed_merge_leaves_no_rejects_behind(workspace: Workspace, export: Path) -> None:
    """An export of another CRM is refused, and its rejects are not left lying around."""
    workspace.take(write_export(export / "first", crm=CRM_TOML))
    other = write_export(
        export / "second",
        crm=CRM_TOML.replace("acme", "other"),
        deals=DEALS + "D3,L9,2026-02-01T08:00:00Z,won,,,,\n",
    )
    workspace.refuse(other, "holds the CRM 'acme'")
    assert list(workspace.rejects_dir.iterdir()) == []


def test_second_import_leaves_no_rejects_behind(workspace: Workspace, export: Path) -> None:
    """An import that another one keeps out has changed nothing."""
    workspace.history.folder.mkdir(parents=True)
    write_export(export, deals=DEALS + "D3,L9,2026-02-01T08:00:00Z,won,,,,\n")
    with (workspace.history.folder / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(LeadPactError, match="another import is writing"):
            workspace.take(export)
    assert not workspace.rejects_dir.exists()


def test_workspace_that_cannot_be_written(workspace: Workspace, export: Path) -> None:
    """A file where the workspace should be is a failure in one sentence, not a traceback."""
    workspace.rejects_dir.parent.write_text("not a folder")
    with pytest.raises(LeadPactError, match=r"cannot write to .*history: Not a directory"):
        workspace.take(write_export(export))


def test_news_of_known_leads_alone(workspace: Workspace, export: Path) -> None:
    """A later export may bring deals and activities without any new lead."""
    workspace.take(write_export(export / "first", deals=None))
    leads = LEADS.splitlines()[0] + "\n"
    report = workspace.take(write_export(export / "second", leads=leads, activities=None))
    assert (report.problems, report.notes, report.outcomes) == ((), (), (("won", 1), ("lost", 1)))
    tables = workspace.history.read()
    assert tables.leads["employees"].to_pylist() == [10.0, 25.0]
    assert tables.has_times
    nothing = write_export(export / "third", leads=leads, activities=None, deals=None, attribute_changes=None)
    workspace.refuse(nothing, "no usable lead")


def test_what_no_single_export_shows(workspace: Workspace, export: Path) -> None:
    """A lead that moves behind its stored deal, and a change of no attribute, are said, not kept quiet."""
    changes = "lead_id,changed_at,attribute,value\nL1,2026-01-10T08:00:00Z,employes,12\n"
    first = workspace.take(write_export(export / "first", attribute_changes=changes))
    assert first.notes == ("attribute_changes names attributes that leads does not have: employes",)
    moved = "lead_id,created_at\nL1,2026-06-01T08:00:00Z\n"
    second = workspace.take(
        write_export(export / "second", leads=moved, activities=None, deals=None, attribute_changes=None)
    )
    assert second.notes[0].startswith("1 deal(s) of the history close before their lead was created")


def test_history_that_cannot_be_read(workspace: Workspace, export: Path) -> None:
    """A damaged history is a failure of its own, not a traceback."""
    workspace.history.folder.mkdir(parents=True)
    (workspace.history.folder / "manifest.json").write_text("{")
    with pytest.raises(LeadPactError, match="damaged"):
        workspace.take(write_export(export))
