"""Leads that nobody may learn from: the file says which, and whoever learns does not see them."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import LeadPactError
from features.history.left_out import LEFT_OUT, LeftOut, leave_out, read_left_out, write_left_out
from features.history.store import History
from features.tables import TABLE_NAMES, CanonicalTables
from tests.builders_training import learnable_crm

CRM = learnable_crm(n_leads=40)
LEADS = tuple(CRM.leads.column("lead_id").to_pylist())
left_outs = st.dictionaries(
    st.sampled_from(["bad_data", "objection"]),
    st.lists(st.sampled_from([*LEADS, "nobody"]), min_size=1, max_size=8, unique=True).map(
        lambda ids: tuple(sorted(ids))
    ),
)


def rows_of(tables: CanonicalTables) -> list[tuple[str, dict[str, object]]]:
    """Return every row of every table."""
    return [(name, row) for name in TABLE_NAMES for row in tables.table(name).to_pylist()]


@settings(max_examples=40)
@given(left_outs)
def test_what_is_left_is_what_others_have(chosen: LeftOut) -> None:
    """Exactly the rows of other leads stay, in their order, and each reason counts its own."""
    out = {lead_id for ids in chosen.values() for lead_id in ids}
    left = leave_out(CRM, chosen)
    assert rows_of(left) == [(name, row) for name, row in rows_of(CRM) if row["lead_id"] not in out]
    present = {reason: len(set(ids) & set(LEADS)) for reason, ids in chosen.items()}
    assert dict(left.left_out) == {reason: count for reason, count in present.items() if count}
    assert left.known_until_us == CRM.known_until_us


def test_the_last_instant_stays_known() -> None:
    """Without the newest lead the tables still know as much time."""
    bare = replace(CRM, crm=replace(CRM.crm, exported_at=None))
    newest = max(bare.activities.to_pylist(), key=lambda row: row["occurred_at"])["lead_id"]
    left = leave_out(bare, {"bad_data": (newest,)})
    assert left.known_until_us == bare.known_until_us
    assert isinstance(left.crm.exported_at, datetime)


@settings(max_examples=30)
@given(left_outs)
def test_the_file_says_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, chosen: dict[str, tuple[str, ...]]
) -> None:
    """Reason by reason, in any order; read back, the same leads."""
    folder = tmp_path_factory.mktemp("history")
    for reason, ids in reversed(chosen.items()):
        write_left_out(folder, reason, reversed(ids))
    assert read_left_out(folder) == dict(sorted(chosen.items()))


def test_a_history_keeps_the_leads_and_the_file(tmp_path: Path) -> None:
    """Only who learns does not see them; the next import forgets nothing, and no file means nobody."""
    history = History(tmp_path)
    history.merge(CRM)
    assert rows_of(history.read_to_learn()) == rows_of(history.read())
    history.leave_out("bad_data", [LEADS[0]])
    history.merge(learnable_crm(n_leads=41, seed=1))
    learnt = history.read_to_learn()
    assert learnt.left_out == (("bad_data", 1),)
    assert LEADS[0] in history.read().leads.column("lead_id").to_pylist()
    assert LEADS[0] not in learnt.leads.column("lead_id").to_pylist()


@pytest.mark.parametrize("content", ["", "[]", '{"bad_data": 7}', '{"objection": ["a"'])
def test_a_damaged_file_is_named(tmp_path: Path, content: str) -> None:
    """It is not guessed around: training on leads that nobody may learn from would be silent."""
    (tmp_path / LEFT_OUT).write_text(content)
    with pytest.raises(LeadPactError, match=r"left-out\.json is damaged .*writes it anew"):
        read_left_out(tmp_path)
