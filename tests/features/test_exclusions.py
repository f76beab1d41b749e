"""Leads that were none: the file says which, and whoever learns does not see them."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import LeadPactError
from features.history.exclusions import (
    EXCLUSIONS,
    Exclusion,
    leave_out,
    read_exclusions,
    write_exclusions,
)
from features.history.store import History
from features.tables import TABLE_NAMES, CanonicalTables
from tests.builders_training import learnable_crm

CRM = learnable_crm(n_leads=40)
LEADS = tuple(CRM.leads.column("lead_id").to_pylist())
exclusions = st.lists(
    st.builds(
        Exclusion, lead_id=st.sampled_from([*LEADS, "nobody"]), code=st.sampled_from(["duplicate", "wrong"])
    ),
    max_size=12,
    unique_by=lambda one: one.lead_id,
)


def rows_of(tables: CanonicalTables) -> list[tuple[str, dict[str, object]]]:
    """Return every row of every table."""
    return [(name, row) for name in TABLE_NAMES for row in tables.table(name).to_pylist()]


@settings(deadline=None, max_examples=40)
@given(exclusions)
def test_what_is_left_is_what_others_have(chosen: list[Exclusion]) -> None:
    """Exactly the rows of other leads stay, in their order; what was left out is counted, once."""
    out = {one.lead_id for one in chosen}
    left = leave_out(CRM, chosen)
    assert rows_of(left) == [(name, row) for name, row in rows_of(CRM) if row["lead_id"] not in out]
    assert sum(count for _, count in left.left_out) == len(out & set(LEADS))
    assert leave_out(left, chosen).left_out == left.left_out
    assert left.known_until_us == CRM.known_until_us


def test_the_last_instant_stays_known() -> None:
    """Without the newest lead the tables still know as much time."""
    bare = replace(CRM, crm=replace(CRM.crm, exported_at=None))
    newest = max(bare.activities.to_pylist(), key=lambda row: row["occurred_at"])["lead_id"]
    left = leave_out(bare, [Exclusion(lead_id=newest, code="wrong")])
    assert left.known_until_us == bare.known_until_us
    assert isinstance(left.crm.exported_at, datetime)


@settings(deadline=None, max_examples=30)
@given(exclusions)
def test_the_file_says_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, chosen: list[Exclusion]
) -> None:
    """In any order the same bytes; read back, the same leads."""
    folder = tmp_path_factory.mktemp("history")
    write_exclusions(folder, chosen)
    content = (folder / EXCLUSIONS).read_bytes()
    write_exclusions(folder, reversed(chosen))
    assert (folder / EXCLUSIONS).read_bytes() == content
    assert read_exclusions(folder) == tuple(sorted(chosen, key=lambda one: one.lead_id))
    assert [path.name for path in folder.iterdir()] == [EXCLUSIONS]


def test_a_history_keeps_the_leads_and_the_file(tmp_path: Path) -> None:
    """Only who learns does not see them; the next import forgets nothing, and no file means nobody."""
    history = History(tmp_path)
    history.merge(CRM)
    assert rows_of(history.read_to_learn()) == rows_of(history.read())
    write_exclusions(tmp_path, [Exclusion(lead_id=LEADS[0], code="wrong")])
    history.merge(learnable_crm(n_leads=41, seed=1))
    learnt = history.read_to_learn()
    assert learnt.left_out == (("wrong", 1),)
    assert LEADS[0] in history.read().leads.column("lead_id").to_pylist()
    assert LEADS[0] not in learnt.leads.column("lead_id").to_pylist()


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"format": 2, "leads": []}', '{"format": 1, "leads": [{"lead_id": 7, "code": "x"}]}'],
)
def test_a_damaged_file_is_named(tmp_path: Path, content: str) -> None:
    """It is not guessed around: training on leads that were none would be silent."""
    (tmp_path / EXCLUSIONS).write_text(content)
    with pytest.raises(LeadPactError, match=r"exclusions\.json is damaged .*delete it"):
        read_exclusions(tmp_path)
