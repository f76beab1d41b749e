"""How the values of an export become typed: times, ids, and what an attribute column is."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.crm import CrmSettings
from features.importing.raw import RawExport, RawTable, numbered_from_one
from features.importing.validation import validate
from features.tables import TIME_TYPE
from tests.builders_import import BERLIN, broken, check


@pytest.mark.parametrize(
    ("text", "zone", "instant"),
    [
        pytest.param(
            "2026-07-01", BERLIN, datetime(2026, 6, 30, 22, tzinfo=UTC), id="a-date-is-its-first-instant"
        ),
        pytest.param("2026-07-01 10:00", BERLIN, datetime(2026, 7, 1, 8, tzinfo=UTC), id="summer"),
        pytest.param("2026-01-01T10:00:00", BERLIN, datetime(2026, 1, 1, 9, tzinfo=UTC), id="winter"),
        pytest.param("2026-01-01T10:00:00Z", None, datetime(2026, 1, 1, 10, tzinfo=UTC), id="z"),
        pytest.param(
            "2026-01-01T10:00:00.5+0200", None, datetime(2026, 1, 1, 8, 0, 0, 500000, UTC), id="offset"
        ),
        pytest.param(
            "2026-01-01 10:00 -05", BERLIN, datetime(2026, 1, 1, 15, tzinfo=UTC), id="offset-wins-over-zone"
        ),
        pytest.param("2026-01-01 10:00:00 UTC", None, datetime(2026, 1, 1, 10, tzinfo=UTC), id="utc"),
        pytest.param(
            "2026-10-25 02:30", BERLIN, datetime(2026, 10, 25, 1, 30, tzinfo=UTC), id="the-second-2:30"
        ),
        pytest.param(
            "2026-03-29 02:30", BERLIN, datetime(2026, 3, 29, 1, 30, tzinfo=UTC), id="a-skipped-hour"
        ),
    ],
)
def test_times(text: str, zone: str | None, instant: datetime) -> None:
    """Times become UTC; a naive one is read in the zone of crm.toml."""
    found = check(leads={"lead_id": ["L1"], "created_at": [text]}, naive_zone=zone)
    assert found.tables.leads["created_at"].to_pylist() == [instant]


@given(st.datetimes(datetime(1900, 1, 2), datetime(2199, 12, 30), timezones=st.timezones()))  # noqa: DTZ001 - bounds are naive
def test_every_aware_time_survives(instant: datetime) -> None:
    """Whatever offset a time is written with, the same instant comes back."""
    expected = instant.astimezone(UTC)
    offset = instant.utcoffset() or timedelta()
    if offset % timedelta(minutes=1):  # old local mean times had seconds; ISO 8601 offsets have none
        instant = expected
    found = check(leads={"lead_id": ["L1"], "created_at": [instant.isoformat()]})
    assert found.tables.leads["created_at"].to_pylist() == [expected]


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        pytest.param(["1", "2.5", None, "-3e2"], pa.float64(), [1.0, 2.5, None, -300.0], id="numbers"),
        pytest.param(["01067", "10115"], pa.string(), ["01067", "10115"], id="a-postcode-is-text"),
        pytest.param(["1", "n/a"], pa.string(), ["1", "n/a"], id="one-text-makes-all-text"),
        pytest.param(["1", "1e999"], pa.string(), ["1", "1e999"], id="no-infinite-number"),
        pytest.param(["true", "FALSE", ""], pa.bool_(), [True, False, None], id="true-false"),
        pytest.param(
            ["2026-02-30", "2026-01-01"], pa.string(), ["2026-02-30", "2026-01-01"], id="no-such-day"
        ),
        pytest.param(["yes", "no"], pa.string(), ["yes", "no"], id="yes-no-stays-text"),
        pytest.param(["", " ", None], pa.string(), [None, None, None], id="nothing"),
        pytest.param(
            ["2026-01-01T00:00:00Z", None], TIME_TYPE, [datetime(2026, 1, 1, tzinfo=UTC), None], id="times"
        ),
    ],
)
def test_attribute_types(values: list[str | None], kind: pa.DataType, expected: list[object]) -> None:
    """The type of an attribute is what all its values are; nothing becomes a number or a flag by chance."""
    ids = [f"L{n}" for n in range(len(values))]
    leads = check(leads={"lead_id": ids, "x": values}).tables.leads
    assert leads.schema.field("x").type == kind
    assert leads["x"].to_pylist() == expected


def test_naive_attribute_time_is_kept_as_text_and_said() -> None:
    """An attribute that may be a time, but in no known zone, stays text, with a note."""
    found = check(leads={"lead_id": ["L1"], "renewal": ["2026-01-01"]})
    assert found.tables.leads.schema.field("renewal").type == pa.string()
    assert any("renewal" in note and "without a zone" in note for note in found.notes)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        pytest.param(["1.234,50", "25,5"], "2 of 2 values are numbers with a decimal comma", id="comma"),
        pytest.param(["31.12.2025", "1.2.2026 10:00"], "dates that are not written as", id="german-dates"),
        pytest.param(["12/31/2025"], "dates that are not written as", id="american-dates"),
        pytest.param([*map(str, range(99)), "n/a"], "99 of 100 values are numbers; look at 'n/a'", id="n/a"),
        pytest.param(["2026-01-01T00:00:00Z", "9999-12-31T00:00:00Z"], "'9999-12-31T00", id="end-of-time"),
        pytest.param(["low", "high", "7"], None, id="plain-text"),
        pytest.param([None, ""], None, id="nothing"),
    ],
)
def test_a_column_that_is_almost_something_else_is_said(values: list[str | None], said: str | None) -> None:
    """One odd value, or another notation, turns a column of numbers or times into text: not in silence."""
    ids = [f"L{n}" for n in range(len(values))]
    found = check(leads={"lead_id": ids, "x": values})
    assert found.tables.leads.schema.field("x").type == pa.string()
    notes = [note for note in found.notes if "column 'x'" in note]
    assert len(notes) == (0 if said is None else 1)
    assert all(str(said) in note for note in notes)


def test_blanks_around_an_id_do_not_count() -> None:
    """One file pads its ids and another does not: they are the same leads."""
    found = check(
        leads={"lead_id": [" L1", "L2  ", "L2"]},
        deals={"lead_id": ["L1 ", "L2"], "outcome": ["won", "lost"]},
    )
    assert broken(found) == []
    assert found.tables.leads["lead_id"].to_pylist() == ["L1", "L2"]
    assert found.counts[0].repeated == 1


def test_declared_types_are_kept() -> None:
    """What SQL or Parquet declares is believed; NaN means missing, infinity is wrong."""
    data = pa.table(
        {
            "lead_id": pa.array([1, 2, 3]),
            "code": pa.array(["1", "2", "3"]),
            "size": pa.array([1.5, float("nan"), float("inf")]),
            "level": pa.array(["a", "b", "a"]).dictionary_encode(),
            "born": pa.array([0, 1, 2], pa.date32()),
            "member": pa.array([True, None, False]),
        }
    )
    table = RawTable(name="leads", file="q", data=data, row_numbers=numbered_from_one(3), is_text=False)
    found = validate(RawExport(tables=(table,), naive_zone="UTC"), CrmSettings(name="acme"))
    assert found.tables.leads.drop_columns(["created_at", "created_order"]).to_pylist() == [
        {
            "lead_id": "1",
            "code": "1",
            "size": 1.5,
            "level": "a",
            "born": datetime(1970, 1, 1, tzinfo=UTC),
            "member": True,
        },
        {
            "lead_id": "2",
            "code": "2",
            "size": None,
            "level": "b",
            "born": datetime(1970, 1, 2, tzinfo=UTC),
            "member": None,
        },
    ]
    assert broken(found) == [("unreadable_number", "q", 3, "size", "inf")]
