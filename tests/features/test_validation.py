"""The rules of contract 1, one by one, and what holds for all of them."""

import json
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.crm import CrmSettings, NamedReason
from features.errors import InputError
from features.importing.raw import RawExport
from features.importing.validation import validate
from features.tables import SORT_KEYS, TABLE_NAMES, TIME_TYPE
from tests.builders_import import Columns, broken, check, check_tables, row_problems, text_table

LEADS: Columns = {"lead_id": ["L1", "L2"], "created_at": ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]}
EXPORTED = CrmSettings(name="acme", exported_at=datetime(2026, 3, 1, tzinfo=UTC))


def deal(**changed: str | None) -> Columns:
    values = {
        "deal_id": "D1",
        "lead_id": "L1",
        "closed_at": "2026-02-01T00:00:00Z",
        "outcome": "won",
    } | changed
    return {name: [value] for name, value in values.items()}


def activity(**changed: str | None) -> Columns:
    values = {
        "activity_id": "A1",
        "lead_id": "L1",
        "occurred_at": "2026-01-05T00:00:00Z",
        "kind": "call",
    } | changed
    return {name: [value] for name, value in values.items()}


@pytest.mark.parametrize(
    ("table", "columns", "code", "column", "value"),
    [
        pytest.param(
            "deals", deal(outcome="open"), "unknown_outcome", "outcome", "open", id="neither-won-nor-lost"
        ),
        pytest.param(
            "deals", deal(outcome="Won"), "unknown_outcome", "outcome", "Won", id="won-is-spelled-won"
        ),
        pytest.param("deals", deal(outcome=""), "missing_value", "outcome", "", id="no-outcome"),
        pytest.param("deals", deal(lead_id="L9"), "unknown_lead", "lead_id", "L9", id="deal-of-nobody"),
        pytest.param("deals", deal(deal_id=None), "missing_value", "deal_id", None, id="no-deal-id"),
        pytest.param("deals", deal(closed_at=""), "missing_value", "closed_at", "", id="no-closing-time"),
        pytest.param("deals", deal(amount="NaN"), "unreadable_number", "amount", "NaN", id="amount-nan"),
        pytest.param(
            "deals", deal(amount="1e999"), "unreadable_number", "amount", "1e999", id="amount-infinite"
        ),
        pytest.param(
            "deals", deal(amount="1.234,50"), "unreadable_number", "amount", "1.234,50", id="german-number"
        ),
        pytest.param(
            "deals",
            deal(closed_at="2025-12-31T23:59:59Z"),
            "closed_before_created",
            "closed_at",
            "2025-12-31T23:59:59Z",
            id="deal-before-its-lead",
        ),
        pytest.param(
            "deals",
            deal(closed_at="2026-03-01T00:00:00.000001Z"),
            "after_exported_at",
            "closed_at",
            "2026-03-01T00:00:00.000001Z",
            id="closed-after-export",
        ),
        pytest.param(
            "activities",
            activity(occurred_at="2026-03-02T00:00:00Z"),
            "after_exported_at",
            "occurred_at",
            "2026-03-02T00:00:00Z",
            id="happened-after-export",
        ),
        pytest.param(
            "activities", activity(lead_id="L9"), "unknown_lead", "lead_id", "L9", id="activity-of-nobody"
        ),
        pytest.param(
            "activities", activity(lead_id=" "), "missing_value", "lead_id", " ", id="blank-lead-id"
        ),
        pytest.param("activities", activity(kind=None), "missing_value", "kind", None, id="no-kind"),
        pytest.param(
            "activities", activity(value="inf"), "unreadable_number", "value", "inf", id="value-infinite"
        ),
        pytest.param(
            "activities",
            activity(occurred_at="2026-01-05 10:00"),
            "naive_time",
            "occurred_at",
            "2026-01-05 10:00",
            id="naive-time-without-a-zone",
        ),
        *(
            pytest.param(
                "activities", activity(occurred_at=text), "unreadable_time", "occurred_at", text, id=text
            )
            for text in (
                "yesterday",
                "05.01.2026",
                "2026-02-30",
                "2026-13-01T00:00:00Z",
                "infinity",
                "epoch",
                "0001-01-01T00:00:00Z",
                "9999-12-31T00:00:00Z",
                "2026-01-05T24:00:00Z",
                "1767571200",
            )
        ),
        pytest.param(
            "attribute_changes",
            {"lead_id": ["L9"], "changed_at": ["2026-01-05T00:00:00Z"], "attribute": ["x"], "value": ["1"]},
            "unknown_lead",
            "lead_id",
            "L9",
            id="change-of-nobody",
        ),
    ],
)
def test_broken_rule(table: str, columns: Columns, code: str, column: str, value: str | None) -> None:
    """A row that breaks one rule is set aside, and the report names file, row, column, value and rule."""
    found = check_tables({"leads": LEADS, table: columns}, crm=EXPORTED)
    assert broken(found) == [(code, f"{table}.csv", 1, column, value)]
    assert found.tables.table(table).num_rows == 0
    assert found.tables.leads.num_rows == 2


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    """Any text as a time is a time or one problem, never another error."""
    found = check(leads=LEADS, activities=activity(occurred_at=text))
    assert len(broken(found)) + found.tables.activities.num_rows == 1


def test_two_deals_of_a_lead_need_ids() -> None:
    """Without deal_id a second deal of a lead contradicts the first; the report names what it looked at."""
    found = check(leads={"lead_id": ["L1"]}, deals={"lead_id": ["L1", "L1"], "outcome": ["lost", "won"]})
    assert broken(found) == [("contradicting_duplicate", "deals.csv", 2, "lead_id", "L1")]
    assert "without deal_id a lead has one deal at most" in row_problems(found)[0].rule


def test_duplicates() -> None:
    """The same row again is counted once and no problem; the same id with other content is one."""
    found = check(leads={"lead_id": ["L1", "L1", "L1", "L2"], "x": ["a", "a", "b", "a"]})
    assert found.tables.leads["lead_id"].to_pylist() == ["L1", "L2"]
    assert broken(found) == [("contradicting_duplicate", "leads.csv", 3, "lead_id", "L1")]
    counts = found.counts[0]
    assert (counts.read, counts.usable, counts.rejected, counts.repeated) == (4, 2, 1, 1)


def test_names_that_sql_would_confuse() -> None:
    """Column names are the export's: two that differ in case only, quotes, names of our own queries."""
    names = ["City", "city", 'a "quoted" name', "position", "c0", "it's"]
    columns: Columns = {"lead_id": ["L1", "L1", "L1"], **{name: [name, name, "other"] for name in names}}
    found = check(leads=columns)
    assert found.tables.leads.select(names).to_pylist() == [{name: name for name in names}]
    assert json.loads(found.rejects["content"][0].as_py()) == {"lead_id": "L1"} | dict.fromkeys(
        names, "other"
    )


def test_rows_of_a_lead_that_was_set_aside_say_so() -> None:
    """The reader of the report sees which problem is the cause and which the consequence."""
    leads: Columns = {"lead_id": ["L1", "L2"], "created_at": ["never", "2026-01-02T00:00:00Z"]}
    found = check(leads=leads, deals=deal())
    assert [each[0] for each in broken(found)] == ["unreadable_time", "lead_set_aside"]


def test_flat_table() -> None:
    """Without created_at a deal needs no closing time, and the report says what that means."""
    found = check(
        leads={"lead_id": ["L1", "L2"], "created_order": ["2", "1"]},
        deals={"lead_id": ["L1", "L2"], "outcome": ["won", "lost"]},
    )
    assert not found.tables.has_times
    assert found.tables.has_order
    assert found.tables.known_until_us is None
    assert found.tables.deals["deal_id"].to_pylist() == ["L1", "L2"]
    assert found.all_problems == ()
    assert "no created_at" in found.notes[0]


def test_times_for_some_leads_only() -> None:
    """A lead without a time among leads with times is set aside."""
    found = check(leads={"lead_id": ["L1", "L2"], "created_at": ["2026-01-01T00:00:00Z", ""]})
    assert broken(found) == [("missing_value", "leads.csv", 2, "created_at", "")]


def test_columns_that_nobody_knows_and_columns_that_are_missing() -> None:
    """All tables are checked before the export is refused, and close names are suggested."""
    with pytest.raises(InputError, match="lacks columns") as refused:
        check(
            leads={"lead_id": ["L1"], "created_at": ["soon"]},
            activities={
                "activity_id": ["A1"],
                "lead_id": ["L1"],
                "occured_at": ["2026-01-01"],
                "kind": ["call"],
            },
        )
    texts = [problem.text() for problem in refused.value.problems]
    assert [problem.code for problem in refused.value.problems] == [  # type: ignore[attr-defined]
        "missing_column", "unknown_column", "unreadable_time",
    ]  # fmt: skip
    assert "did you mean 'occured_at'" in texts[0]
    assert "did you mean 'occurred_at'" in texts[1]


def test_a_very_wide_table_is_not_listed_whole() -> None:
    """The report of a missing column stays readable."""
    with pytest.raises(InputError, match="lacks columns") as refused:
        check(leads={f"column {number}": ["x"] for number in range(500)})
    assert "column 19 and 480 more" in refused.value.problems[0].text()


@pytest.mark.parametrize("columns", [{"lead_id": []}, {"lead_id": [""]}], ids=["no-row", "no-usable-row"])
def test_no_usable_lead(columns: Columns) -> None:
    """An export without a usable lead is refused."""
    with pytest.raises(InputError, match="no usable lead"):
        check(leads=columns)


def test_leads_of_earlier_imports_are_known() -> None:
    """An export of new activities and deals may name leads that an earlier export brought."""
    known = pa.table(
        {"lead_id": ["L0"], "created_at": pa.array([datetime(2026, 2, 1, tzinfo=UTC)], TIME_TYPE)}
    )
    raw = RawExport(
        tables=(
            text_table("leads", LEADS),
            text_table("activities", activity(lead_id="L0")),
            text_table("deals", deal(lead_id="L0", closed_at="2026-01-15T00:00:00Z")),
        )
    )
    found = validate(raw, CrmSettings(name="acme"), known)
    assert found.tables.activities.num_rows == 1
    assert [each[0] for each in broken(found)] == ["closed_before_created"]


def test_denied_name_that_no_column_has() -> None:
    """A mistyped `never` is said aloud, because it would let a leak in."""
    crm = CrmSettings(name="acme", never=(NamedReason(column="ownr", reason="late"),))
    found = check(crm, leads={"lead_id": ["L1"], "owner": ["x"]})
    assert any("ownr; did you mean 'owner'?" in note for note in found.notes)


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["L1", "L2", "L3", "", "L9"]),
        st.sampled_from(["2026-01-01T00:00:00Z", "2026-05-01T00:00:00Z", "bad", "", "2026-01-01"]),
        st.sampled_from(["won", "lost", "maybe", ""]),
    ),
    max_size=12,
)


@given(rows=ROWS, seed=st.randoms(use_true_random=False))
def test_nothing_is_lost_and_order_does_not_matter(rows: list[tuple[str, str, str]], seed: object) -> None:
    """Read = usable + rejected + repeated; what is usable is valid, sorted, and free of the order of rows."""
    lead_id, closed_at, outcome = (
        (list(values) for values in zip(*rows, strict=True)) if rows else ([], [], [])
    )
    ids = [f"D{n}" for n in range(len(rows))]
    found = check(
        leads={**LEADS, "x": ["1", "2"]},
        deals={"deal_id": ids, "lead_id": lead_id, "closed_at": closed_at, "outcome": outcome},
    )
    counts = {each.table: each for each in found.counts}["deals"]
    assert counts.read == len(rows) == counts.usable + counts.rejected + counts.repeated
    expected = sorted(
        (lead, time, name)
        for name, lead, time, how in zip(ids, lead_id, closed_at, outcome, strict=True)
        if lead in {"L1", "L2"}
        and time.endswith("Z")
        and how in {"won", "lost"}
        and not (lead == "L2" and "01-01" in time)
    )
    assert found.tables.deals["deal_id"].to_pylist() == [name for _, _, name in expected]


def test_every_table_is_sorted() -> None:
    """Rows come sorted by the canonical keys whatever order the export has."""
    found = check(
        leads={"lead_id": ["L2", "L1"], "created_at": ["2026-01-01T00:00:00Z"] * 2},
        activities={
            "activity_id": ["A1", "A2", "A3"],
            "lead_id": ["L2", "L1", "L1"],
            "occurred_at": ["2026-01-03T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"],
            "kind": ["call"] * 3,
        },
    )
    for name in TABLE_NAMES:
        rows = [tuple(row[key] for key in SORT_KEYS[name]) for row in found.tables.table(name).to_pylist()]
        assert rows == sorted(rows)
    assert found.tables.activities["activity_id"].to_pylist() == ["A3", "A2", "A1"]
