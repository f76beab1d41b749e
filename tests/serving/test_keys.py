"""API keys: shown once, kept as a keyed hash, and every wrong one refused alike."""

import stat
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from features.errors import InputError, LeadPactError
from serving.db.session import read_transaction
from serving.db.tables import ApiKeyRow
from serving.errors import KeyRefusedError
from serving.keys import Scope, hash_key, key_prefix, make_key, read_or_create_secret
from serving.operations.check_api_key import REFUSAL, check_api_key
from serving.operations.create_api_key import create_api_key
from serving.operations.list_api_keys import list_api_keys
from serving.operations.revoke_api_key import revoke_api_key
from tests.builders_serving import NOW

SECRET = bytes(range(32))


def create(database: Engine, *, days: float | None = None) -> str:
    """Create a key that may score; return its text."""
    expires_at = None if days is None else NOW + timedelta(days=days)
    scopes = [Scope.SCORE]
    key = create_api_key(database, name="crm", scopes=scopes, expires_at=expires_at, secret=SECRET, now=NOW)
    return key.text


def test_a_new_key_has_the_documented_form() -> None:
    """lp_, eight readable characters, 256 random bits: different every time."""
    keys = [make_key() for _ in range(200)]
    assert len({key.text for key in keys}) == len(keys)
    assert all(key_prefix(key.text) == key.prefix for key in keys)


@given(st.text() | st.from_regex(r"lp_[a-z0-9]{7,9}_[A-Za-z0-9_-]{42,44}", fullmatch=True))
def test_any_text_either_has_the_form_or_no_prefix(text: str) -> None:
    """Whatever a header holds, reading the prefix never fails, and hashing works."""
    prefix = key_prefix(text)
    assert prefix is None or (len(prefix) == 8 and text.startswith(f"lp_{prefix}_"))
    assert len(hash_key(text.encode("utf-8", "replace").decode(), SECRET)) == 64


def test_a_key_says_who_it_is(database: Engine) -> None:
    """The right key gives name and scopes."""
    found = check_api_key(database, create(database), secret=SECRET, now=NOW)
    assert (found.name, found.scopes) == ("crm", frozenset({Scope.SCORE}))


def test_the_database_never_holds_the_key(database: Engine) -> None:
    """A stolen database has prefixes and keyed hashes only."""
    text = create(database)
    with read_transaction(database) as session:
        row = session.get(ApiKeyRow, key_prefix(text))
        assert row is not None
        stored = " ".join(str(value) for value in vars(row).values())
    assert text.rpartition("_")[2] not in stored
    assert row.secret_hash == hash_key(text, SECRET)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda key: key[:-1] + ("A" if key[-1] != "A" else "B"), id="wrong-secret"),
        pytest.param(lambda key: "lp_00000000_" + key[12:], id="unknown-prefix"),
        pytest.param(lambda key: key[3:], id="no-key-at-all"),
        pytest.param(lambda _: "", id="empty"),
        pytest.param(lambda key: key + "\n", id="with-a-line-end"),
    ],
)
def test_wrong_keys_are_refused_alike(database: Engine, change: Callable[[str], str]) -> None:
    """Nobody learns from the answer how close a guess was."""
    with pytest.raises(KeyRefusedError, match=REFUSAL):
        check_api_key(database, change(create(database)), secret=SECRET, now=NOW)


def test_another_workspace_secret_refuses(database: Engine) -> None:
    """The hash is keyed: the same key under another secret is another key."""
    with pytest.raises(KeyRefusedError, match=REFUSAL):
        check_api_key(database, create(database), secret=bytes(32), now=NOW)


def test_a_key_dies_on_its_day(database: Engine) -> None:
    """Good until the instant it expires, refused from then on."""
    text = create(database, days=1)
    last = NOW + timedelta(days=1)
    check_api_key(database, text, secret=SECRET, now=last - timedelta(microseconds=1))
    with pytest.raises(KeyRefusedError, match=REFUSAL):
        check_api_key(database, text, secret=SECRET, now=last)


def test_a_revoked_key_is_refused(database: Engine) -> None:
    """Revoking twice is revoking once, and keeps the first time."""
    text = create(database)
    prefix = key_prefix(text) or ""
    revoke_api_key(database, prefix, now=NOW)
    revoke_api_key(database, prefix, now=NOW + timedelta(days=1))
    with pytest.raises(KeyRefusedError, match=REFUSAL):
        check_api_key(database, text, secret=SECRET, now=NOW)
    (listed,) = list_api_keys(database)
    assert (listed.revoked_at, listed.is_usable(NOW)) == (NOW, False)


def test_an_unknown_prefix_cannot_be_revoked(database: Engine) -> None:
    """A typo must not look like success."""
    with pytest.raises(InputError, match="no API key with the prefix 'zzzzzzzz'"):
        revoke_api_key(database, "zzzzzzzz", now=NOW)


def test_use_is_noted_at_most_once_a_minute(database: Engine) -> None:
    """Last use is for people; a write per request would cost every request a commit."""
    text = create(database)
    seen = []
    for seconds in (0, 59, 60):
        check_api_key(database, text, secret=SECRET, now=NOW + timedelta(seconds=seconds))
        seen.append(list_api_keys(database)[0].last_used_at)
    assert seen == [NOW, NOW, NOW + timedelta(seconds=60)]


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        pytest.param({"name": "  "}, "must have 1 to 200 characters", id="no-name"),
        pytest.param({"name": "x" * 201}, "must have 1 to 200 characters", id="long-name"),
        pytest.param({"scopes": []}, "at least one scope of score, read, ingest", id="no-scope"),
        pytest.param({"expires_at": NOW}, "must expire in the future", id="expired-at-birth"),
    ],
)
def test_wrong_keys_are_not_created(database: Engine, changed: dict[str, object], rule: str) -> None:
    """Each field of a new key has its rule."""
    right = {"name": "crm", "scopes": [Scope.SCORE], "expires_at": None, "secret": SECRET, "now": NOW}
    with pytest.raises(InputError, match=rule):
        create_api_key(database, **(right | changed))  # type: ignore[arg-type]
    assert list_api_keys(database) == ()


def test_the_secret_is_for_its_owner_only(tmp_path: Path) -> None:
    """The file is born with its final rights; there is no moment at which others could read it."""
    file = tmp_path / "new" / "secret.key"
    secret = read_or_create_secret(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (len(secret), read_or_create_secret(file)) == (32, secret)
    assert [path.name for path in file.parent.iterdir()] == ["secret.key"]


def test_processes_that_start_at_once_agree_on_one_secret(tmp_path: Path) -> None:
    """Whoever links first wins; the others read the winner's."""
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: found.append(read_or_create_secret(tmp_path / "secret.key")))
        for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 16
    assert len(set(found)) == 1


def test_a_damaged_secret_is_refused(tmp_path: Path) -> None:
    """A short secret would make weak hashes, an empty one none."""
    (tmp_path / "secret.key").write_bytes(b"short")
    with pytest.raises(LeadPactError, match="must hold 32 bytes; it has 5"):
        read_or_create_secret(tmp_path / "secret.key")
