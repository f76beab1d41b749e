"""The audit log: every act leaves one entry, in one chain, and nothing can be changed without being found."""

import json
import random
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from serving.audit import GENESIS, START, AuditEntry, AuditHead, canonical_json, check_chain, seal_entry
from serving.db.audited import UnauditedWriteError, audited_transaction
from serving.db.migrate import prepare_database
from serving.db.session import write_transaction
from serving.db.tables import ApiKeyRow, AuditRow
from serving.keys import Scope
from serving.operations.create_api_key import create_api_key
from serving.operations.list_api_keys import list_api_keys
from serving.operations.list_audit import list_audit
from serving.operations.revoke_api_key import revoke_api_key
from serving.operations.verify_audit import read_audit_head, verify_audit
from tests.builders_serving import NOW

WORDS = ("at", "who", "act", "what", "before", "after", "previous_hash", "entry_hash")
MANY = 10_000


def chain(length: int) -> list[AuditEntry]:
    """Return a whole chain."""
    entries: list[AuditEntry] = []
    for place in range(length):
        head = entries[-1].head if entries else START
        entries.append(
            seal_entry(
                head,
                at=NOW + timedelta(seconds=place),
                who="Maria Sommer",
                act="policy.comment",
                what=f"policy version {place % 7}",
                before=None,
                after={"note": f"Größe {place}"},
            )
        )
    return entries


def note_many(database: Engine, count: int) -> None:
    """Note acts, many in one transaction."""
    with audited_transaction(database, now=NOW) as work:
        for place in range(count):
            work.note("policy.comment", who="Mia", what=f"thing {place}", after={"place": place})


def remove_guards(database: Engine) -> None:
    """Do what somebody with the database's own rights can do: take the triggers away."""
    with write_transaction(database) as session:
        if database.dialect.name == "sqlite":
            for verb in ("update", "delete"):
                session.execute(text(f"DROP TRIGGER audit_log_no_{verb}"))
        else:
            session.execute(text("DROP TRIGGER audit_log_no_change ON audit_log"))


@given(st.integers(0, 30))
def test_a_whole_chain_has_no_fault(length: int) -> None:
    """Nothing is found where nothing was done."""
    entries = chain(length)
    verdict = check_chain(entries, entries[-1].head if entries else START)
    assert (verdict.is_whole, verdict.entries, verdict.faults) == (True, length, ())


@given(st.data())
def test_any_changed_character_is_found(data: st.DataObject) -> None:
    """Whatever column, whatever place, whatever character comes instead."""
    entries = chain(8)
    place = data.draw(st.integers(0, 7))
    column = data.draw(st.sampled_from(WORDS))
    old = str(getattr(entries[place], column))
    at = data.draw(st.integers(0, len(old) - 1))
    new = data.draw(st.characters(exclude_characters=old[at]))
    changes: dict[str, Any] = {column: old[:at] + new + old[at + 1 :]}
    entries[place] = replace(entries[place], **changes)
    verdict = check_chain(entries, chain(8)[-1].head)
    assert any(fault.number in (place + 1, place + 2) for fault in verdict.faults)


def test_ten_thousand_entries_attacked_at_random(database: Engine) -> None:
    """Of 10,000 stored entries 40 are flipped or dropped at random: each is named, and nothing else."""
    note_many(database, MANY)
    assert (verify_audit(database).is_whole, verify_audit(database).entries) == (True, MANY)
    remove_guards(database)
    chance = random.Random(5)
    attacked = [3 * number for number in chance.sample(range(1, MANY // 3), 40)]
    with write_transaction(database) as session:
        for number in attacked:
            row = session.get_one(AuditRow, number)
            if number % 2:
                session.delete(row)
            else:
                name = chance.choice(WORDS)
                setattr(row, name, flipped(getattr(row, name), chance))
    found = {fault.number for fault in verify_audit(database).faults}
    assert all(found & {number, number + 1} for number in attacked)
    assert found <= {number + step for number in attacked for step in (0, 1)}


def flipped(word: str, chance: random.Random) -> str:
    """Return a word with one bit of one character flipped."""
    at = chance.randrange(len(word))
    return word[:at] + chr(ord(word[at]) ^ (1 << chance.randrange(5))) + word[at + 1 :]


def test_a_damaged_byte_in_the_file_is_a_fault_and_no_crash(tmp_path: Path) -> None:
    """Bytes of SQLite that are no UTF-8 any more are named as a changed entry; PostgreSQL takes none."""
    database = prepare_database(f"sqlite:///{tmp_path / 'leadpact.db'}")
    note_many(database, 3)
    remove_guards(database)
    with write_transaction(database) as session:
        session.execute(text("UPDATE audit_log SET who = CAST(x'ff4d6961' AS TEXT) WHERE number = 2"))
    assert [fault.number for fault in verify_audit(database).faults] == [2]
    database.dispose()


def test_a_cut_end_is_found_by_an_exported_head(database: Engine) -> None:
    """Who cuts the end off and mends the stored head is found against the head that was kept elsewhere."""
    note_many(database, 5)
    kept = read_audit_head(database)
    remove_guards(database)
    with write_transaction(database) as session:
        session.execute(text("DELETE FROM audit_log WHERE number > 3"))
    assert not verify_audit(database).is_whole
    with write_transaction(database) as session:
        last = session.get_one(AuditRow, 3)
        session.execute(
            text("UPDATE audit_head SET number = 3, entry_hash = :entry_hash"),
            {"entry_hash": last.entry_hash},
        )
    assert verify_audit(database).is_whole
    assert [fault.number for fault in verify_audit(database, kept).faults] == [5]
    note_many(database, 5)
    assert [fault.text() for fault in verify_audit(database, kept).faults] == [
        "entry 5 has another hash than the exported head: the log was written anew"
    ]


def test_the_head_row_belongs_to_the_chain(database: Engine) -> None:
    """A log whose head is gone or moved is not whole."""
    note_many(database, 2)
    with write_transaction(database) as session:
        session.execute(text("UPDATE audit_head SET number = 7"))
    assert not verify_audit(database).is_whole
    with write_transaction(database) as session:
        session.execute(text("DELETE FROM audit_head"))
    assert not verify_audit(database).is_whole


@pytest.mark.parametrize("statement", ["UPDATE audit_log SET who = 'x'", "DELETE FROM audit_log"])
def test_the_database_itself_refuses_changes(database: Engine, statement: str) -> None:
    """The log is append-only for our own code, too."""
    note_many(database, 2)
    with pytest.raises(DBAPIError, match="append-only"), write_transaction(database) as session:
        session.execute(text(statement))


def test_parallel_writers_make_one_chain(database: Engine) -> None:
    """Eight threads with connections of their own: every act is there, and the chain has no branch."""

    def act(thread: int) -> None:
        for place in range(12):
            with audited_transaction(database, now=NOW) as work:
                work.note("policy.comment", who=f"T{thread}", what=f"thing {place}")

    run_all([partial(act, thread) for thread in range(8)])
    verdict = verify_audit(database)
    assert (verdict.is_whole, verdict.entries) == (True, 96)


def run_all(tasks: list[Callable[[], None]]) -> None:
    """Run tasks in threads of their own and wait for all."""
    threads = [threading.Thread(target=task) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def key_row() -> ApiKeyRow:
    """Return a row to write."""
    return ApiKeyRow(prefix="abcdefgh", name="n", secret_hash="0" * 64, scopes=["score"], created_at=NOW)


def write_without_note(database: Engine, way: str) -> None:
    """Write, and note nothing."""
    with audited_transaction(database, now=NOW) as work:
        if way == "object":
            work.session.add(key_row())
        else:
            work.session.execute(text("DELETE FROM api_keys"))


@pytest.mark.parametrize("way", ["object", "statement"])
def test_who_writes_without_a_note_writes_nothing(database: Engine, way: str) -> None:
    """Forgetting the audit log is an error in the first test run, not a hole in the log."""
    with pytest.raises(UnauditedWriteError, match="nothing was stored"):
        write_without_note(database, way)
    assert list_api_keys(database) == ()
    assert verify_audit(database).entries == 0


def note_then_fail(database: Engine) -> None:
    """Note an act and fail before the block ends."""
    with audited_transaction(database, now=NOW) as work:
        work.note("policy.sign", who="Mia", what="policy version 1")
        _ = 1 / 0


def test_a_failed_act_leaves_no_entry(database: Engine) -> None:
    """Act and entry are one transaction."""
    with pytest.raises(ZeroDivisionError, match="division"):
        note_then_fail(database)
    assert read_audit_head(database) == AuditHead(number=0, entry_hash=GENESIS)


def test_keys_leave_their_trace(database: Engine) -> None:
    """Who created and revoked which key is in the log, and never the key."""
    key = create_api_key(
        database, name="crm", scopes=[Scope.READ], expires_at=None, secret=bytes(32), now=NOW, by="root"
    )
    revoke_api_key(database, key.prefix, now=NOW, by="root")
    revoke_api_key(database, key.prefix, now=NOW, by="root")
    acts = list_audit(database, limit=10)
    assert [(act.act, act.who, act.what) for act in acts] == [
        ("key.revoked", "root", f"API key {key.prefix}"),
        ("key.created", "root", f"API key {key.prefix}"),
    ]
    assert acts[1].after == {"name": "crm", "scopes": ["read"], "expires_at": None, "person": None}
    assert key.text.rpartition("_")[2] not in str(acts)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_canonical_json_is_one_text_per_value(value: Any) -> None:
    """It reads back as the value, whatever the order of the keys was."""
    written = canonical_json(value)
    assert json.loads(written) == value
    assert canonical_json(json.loads(written)) == written


@pytest.mark.parametrize("value", [float("nan"), datetime(2026, 1, 1), {1, 2}])  # noqa: DTZ001 - the case
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    """Nothing goes into the log that a later check could read in two ways."""
    with pytest.raises((TypeError, ValueError), match="JSON"):
        canonical_json(value)


def test_times_are_written_in_utc() -> None:
    """One instant, one text."""
    assert canonical_json(datetime(2026, 1, 1, tzinfo=UTC)) == '"2026-01-01T00:00:00.000000+00:00"'
