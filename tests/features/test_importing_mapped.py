"""An import through a mapping: SQL over the files of a folder, good and bad."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.builders_import import CRM_TOML, write_export
from tests.features.conftest import Workspace


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


def test_query_with_two_columns_of_one_name(workspace: Workspace, export: Path) -> None:
    """SQL may answer with two columns of one name; a table may not have them."""
    export.mkdir()
    file = mapping(export, "SELECT 'L1' AS lead_id, 1 AS size, 'L2' AS lead_id")
    (problem,) = workspace.refuse(export, "cannot be read", file)
    assert (problem.code, problem.column) == ("repeated_column", "lead_id")


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
