"""crm.toml: what it means, and that all its mistakes are reported at once with their lines."""

from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.crm import AgreedDirection, CrmSettings, Label, NamedReason
from features.errors import InputError, ReportedProblem
from features.problems import Problem
from features.sources.mapping import parse_mapping, read_mapping

NAMED = "[crm]\nname = 'a'\n"
FULL = '''\
[crm]
name = "acme"
timezone = "Europe/Berlin"

[tables]
leads = """
SELECT id AS lead_id
FROM 'a.csv'"""
deals = "SELECT 1"

[attributes.never]
owner = "set after the first call"

[attributes.allow]
"Lead Quality" = "filled before the contact"

[label]
horizon_days = 30
exported_at = 2018-11-14

[labels.attributes."Lead Source"]
de = "Quelle"
en = "source"

[labels.activities.call]
de = "Anruf"
en = "call"
'''


def problems_in(text: str) -> list[tuple[str, int | None, str | None]]:
    """Return (code, line, key) of every problem of a mapping."""
    with pytest.raises(InputError, match=r"mapping crm\.toml") as refused:
        parse_mapping(text)
    problems = cast("tuple[Problem, ...]", refused.value.problems)
    return [(each.code, each.row, each.column) for each in problems]


def test_full_mapping() -> None:
    """Every key has its place; a date as exported_at means until the end of that day."""
    mapping = parse_mapping(FULL)
    assert mapping.crm == CrmSettings(
        name="acme",
        timezone="Europe/Berlin",
        never=(NamedReason(column="owner", reason="set after the first call"),),
        allow=(NamedReason(column="Lead Quality", reason="filled before the contact"),),
        horizon_days=30,
        exported_at=datetime(2018, 11, 14, 22, 59, 59, 999999, tzinfo=UTC),
        attribute_labels=(Label(name="Lead Source", de="Quelle", en="source"),),
        activity_labels=(Label(name="call", de="Anruf", en="call"),),
    )
    assert [(query.table, query.line) for query in mapping.queries] == [("leads", 6), ("deals", 9)]
    assert mapping.naive_zone == "Europe/Berlin"
    assert CrmSettings.from_dict(mapping.crm.to_dict()) == mapping.crm


def test_settings_only() -> None:
    """A crm.toml without tables gives settings to canonical files; `never` may be a plain list."""
    mapping = parse_mapping('[crm]\nname = "acme"\n[attributes]\nnever = ["owner"]\n')
    assert mapping.queries == ()
    assert mapping.naive_zone is None
    assert [each.column for each in mapping.crm.never] == ["owner"]


@pytest.mark.parametrize(
    ("value", "instant"),
    [
        ("2018-11-14T10:00:00", datetime(2018, 11, 14, 9, tzinfo=UTC)),
        ("2018-11-14T10:00:00-05:00", datetime(2018, 11, 14, 15, tzinfo=UTC)),
        ("2018-11-14T10:00:00Z", datetime(2018, 11, 14, 10, tzinfo=UTC)),
    ],
)
def test_exported_at(value: str, instant: datetime) -> None:
    """A local time is read in the CRM's zone, one with an offset as it stands."""
    text = f'[crm]\nname = "acme"\ntimezone = "Europe/Berlin"\n[label]\nexported_at = {value}\n'
    assert parse_mapping(text).crm.exported_at == instant


@pytest.mark.parametrize(
    ("text", "code", "line", "key"),
    [
        pytest.param("[crm\n", "toml_syntax", None, None, id="no-toml"),
        pytest.param("[crm]\ntimezone = 'UTC'\n", "missing_key", 1, "crm.name", id="no-name"),
        pytest.param("crm = 1\n", "wrong_type", 1, "crm", id="section-is-a-number"),
        pytest.param("labels = 1\n" + NAMED, "wrong_type", 1, "labels", id="section-of-sections-is-a-number"),
        pytest.param(NAMED + "[table]\nleads = 'x'\n", "unknown_key", 3, "table", id="unknown-section"),
        pytest.param(NAMED + "timezon = 'UTC'\n", "unknown_key", 3, "crm.timezon", id="unknown-key"),
        pytest.param(NAMED + "timezone = 'Berlin'\n", "wrong_value", 3, "crm.timezone", id="no-zone"),
        pytest.param("[crm]\nname = 7\n", "wrong_value", 2, "crm.name", id="name-is-a-number"),
        pytest.param(
            NAMED + "[tables]\ndeals = 'SELECT 1'\n", "missing_key", 3, "tables.leads", id="no-leads-query"
        ),
        pytest.param(
            NAMED + "[tables]\nleads = 'SELECT 1'\ndeal = 'x'\n", "unknown_key", 5, "tables.deal",
            id="unknown-table",
        ),
        pytest.param(
            NAMED + "[tables]\nleads = 1\n", "wrong_value", 4, "tables.leads", id="query-is-no-text"
        ),
        pytest.param(
            NAMED + "[attributes]\nnever = 'owner'\n", "wrong_type", 4, "attributes.never", id="never-text"
        ),
        pytest.param(
            NAMED + "[attributes]\nnever = [1]\n", "wrong_type", 4, "attributes.never", id="never-number"
        ),
        pytest.param(
            NAMED + "[attributes]\nallow = ['x']\n", "wrong_type", 4, "attributes.allow",
            id="allow-needs-reasons",
        ),
        pytest.param(
            NAMED + "[label]\nhorizon_days = 0\n", "wrong_value", 4, "label.horizon_days", id="no-horizon"
        ),
        pytest.param(
            NAMED + "[label]\nhorizon_days = true\n", "wrong_value", 4, "label.horizon_days", id="flag"
        ),
        pytest.param(
            NAMED + "[label]\nexported_at = '2018-11-14'\n", "wrong_value", 4, "label.exported_at",
            id="quoted-date",
        ),
        pytest.param(
            NAMED + "[label]\nexported_at = 2018-11-14\n", "naive_time", 4, "label.exported_at",
            id="date-without-zone",
        ),
        pytest.param(
            NAMED + "[labels.activities.call]\nde = 'Anruf'\n", "missing_key", 3, "labels.activities.call.en",
            id="label-in-one-language",
        ),
    ],
)  # fmt: skip
def test_mistake(text: str, code: str, line: int | None, key: str | None) -> None:
    """Each mistake is one problem that names the line and the key."""
    assert problems_in(text) == [(code, line, key)]


def test_all_mistakes_at_once() -> None:
    """Several mistakes give several problems, with suggestions, in one run."""
    text = (
        FULL.replace("timezone", "timezon")
        .replace("horizon_days = 30", "horizon_day = 30")
        .replace("2018-11-14", '"x"')
    )
    with pytest.raises(InputError, match="3 problem") as refused:
        parse_mapping(text)
    report = "\n".join(problem.text() for problem in refused.value.problems)
    assert "crm.toml, line 3, column crm.timezon" in report
    assert "did you mean 'timezone'" in report
    assert "did you mean 'horizon_days'" in report


def test_line_of_a_syntax_error_is_named() -> None:
    """The TOML parser's own message carries the line."""
    with pytest.raises(InputError, match="cannot be read") as refused:
        parse_mapping('[crm]\nname = "acme\n')
    assert "line 2" in refused.value.problems[0].text()


def test_byte_order_mark(tmp_path: Path) -> None:
    """A mapping saved by Windows' editor begins with a mark that TOML does not know."""
    (tmp_path / "crm.toml").write_text(NAMED, encoding="utf-8-sig")
    assert read_mapping(tmp_path / "crm.toml").crm.name == parse_mapping(NAMED).crm.name


def test_missing_mapping_file(tmp_path: Path) -> None:
    """A mapping file that is not there is wrong input."""
    with pytest.raises(InputError, match=r"none\.toml does not exist"):
        read_mapping(tmp_path / "none.toml")


@given(st.text() | st.lists(st.sampled_from(FULL.splitlines()), max_size=12).map("\n".join))
def test_no_text_breaks_the_parser(text: str) -> None:
    """Any text is a mapping or an InputError with problems, never another error."""
    try:
        parse_mapping(text)
        problems: tuple[ReportedProblem, ...] | None = None
    except InputError as refused:
        problems = refused.problems
    assert problems != ()


def test_directions_and_words_of_channels() -> None:
    """Both teams' directions and the words for channels are settings like the others."""
    text = NAMED + "[labels.channels.web]\nde = 'Website'\nen = 'website'\n[monotone]\nlead_age_days = -1\n"
    crm = parse_mapping(text).crm
    assert crm.channel_labels == (Label(name="web", de="Website", en="website"),)
    assert crm.monotone == (AgreedDirection(feature="lead_age_days", direction=-1),)
    assert CrmSettings.from_dict(crm.to_dict()) == crm
    with pytest.raises(InputError, match="has 1 problem") as refused:
        parse_mapping(NAMED + "[monotone]\nlead_age_days = 2\n")
    assert "must be 1 (more is better) or -1 (more is worse)" in refused.value.problems[0].text()
