"""A named request acts once: its answer comes again byte for byte, in whatever way it is repeated."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from serving.db.migrate import prepare_database
from serving.db.session import read_transaction, write_transaction
from serving.db.tables import ApiKeyRow
from serving.db.tables_messages import KeptAnswerRow
from serving.errors import OtherRequestError, StillRunningError
from serving.keys import Scope
from serving.operations.answer_once import NamedRequest, answer_once
from serving.operations.run_retention import run_retention
from serving.settings import Settings
from tests.builders_serving import NOW, Desk, install_key, install_open_policies, open_desk, small_history
from tests.serving.conftest import closing
from tests.serving.once_race import run_race

KEYS = 200
COMMENT = "/v1/policies/3/comments"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Return a service with policies to comment on and leads to score."""
    root = tmp_path_factory.mktemp("once") / "workspace"
    places = Settings(workspace_root=root, database_url=None, mlflow_tracking_uri=None)
    small_history(places)
    opened = open_desk(places)
    install_open_policies(places)
    yield from closing(opened)


def named(fingerprint: str = "0" * 64, *, api_key: str = "abcdefgh") -> NamedRequest:
    """Return a request called K."""
    return NamedRequest(api_key=api_key, name="K", fingerprint=fingerprint)


def comments(desk: Desk) -> list[str]:
    """Return every comment on version 3."""
    found = desk.client.get("/v1/policies/3", headers={"X-API-Key": desk.key}).json()
    return [event["note"] for event in found["events"] if event["act"] == "comment"]


def test_each_key_acts_once_from_processes_in_parallel(database_url: str) -> None:
    """Sent one to five times from two processes of eight threads: one effect and one answer per key."""
    race = run_race(database_url, KEYS)
    ends = dict(race.ends)
    assert set(race.effects) == {1}
    assert set(race.answers) == {1}
    assert ends["done"] >= KEYS
    assert ends["OtherRequestError"] > 0
    assert sum(ends.values()) == race.sends


def test_a_repeated_request_gets_the_same_bytes(desk: Desk) -> None:
    """Through the API: one comment, the same answer although the world has moved on, and a sign of it."""
    first = desk.post(COMMENT, {"text": "once"}, **{"Idempotency-Key": "a-1"})
    assert first.status_code == 200, first.text
    assert "Idempotent-Replayed" not in first.headers
    assert desk.post(COMMENT, {"text": "meanwhile"}).status_code == 200
    again = desk.post(COMMENT, {"text": "once"}, **{"Idempotency-Key": '"a-1"'})
    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert comments(desk).count("once") == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        pytest.param(COMMENT, {"text": "two"}, id="another-body"),
        pytest.param("/v1/policies/4/comments", {"text": "one"}, id="another-route"),
        pytest.param(COMMENT + "?lang=de", {"text": "one"}, id="another-query"),
    ],
)
def test_another_request_under_the_name_is_refused(desk: Desk, path: str, body: Any) -> None:
    """422 and nothing done, as the draft says."""
    assert desk.post(COMMENT, {"text": "one"}, **{"Idempotency-Key": "b-1"}).status_code == 200
    before = comments(desk)
    refused = desk.post(path, body, **{"Idempotency-Key": "b-1"})
    assert (refused.status_code, refused.json()["code"]) == (422, "other_request")
    assert comments(desk) == before


def test_a_name_belongs_to_an_api_key(desk: Desk) -> None:
    """Two systems may use the same names."""
    other = install_key(desk.settings, Scope.POLICY_MARKETING, person="Maria Sommer")
    for key, words in ((desk.key, "mine"), (other, "theirs")):
        sent = {"X-API-Key": key, "Idempotency-Key": "c-1"}
        assert desk.client.post(COMMENT, json={"text": words}, headers=sent).status_code == 200
    assert {"mine", "theirs"} <= set(comments(desk))


def test_what_failed_is_not_kept(desk: Desk) -> None:
    """A refused request has done nothing; under its name a right one may follow."""
    assert desk.post(COMMENT, {"text": 7}, **{"Idempotency-Key": "d-1"}).status_code == 422
    assert (
        desk.post("/v1/policies/99/comments", {"text": "x"}, **{"Idempotency-Key": "d-1"}).status_code == 404
    )
    assert desk.post(COMMENT, {"text": "right"}, **{"Idempotency-Key": "d-1"}).status_code == 200


def test_a_stored_score_is_answered_again_and_an_inline_one_is_not_kept(desk: Desk) -> None:
    """The clock has moved on: only the kept answer is the same. Nothing is kept of a lead given inline."""
    sent = {"Idempotency-Key": "e-1"}
    first = desk.post("/v1/score", {"lead_id": "L1"}, **sent)
    desk.clock.advance(3600)
    assert desk.post("/v1/score", {"lead_id": "L1"}, **sent).content == first.content
    assert desk.post("/v1/score", {"lead_id": "L1"}).json()["as_of"] != first.json()["as_of"]
    inline = {"lead": {"lead_id": "canary-inline"}}
    assert desk.post("/v1/score", inline, **{"Idempotency-Key": "e-2"}).status_code == 200
    batch = {"items": [inline, {"lead": {"lead_id": "canary-batch"}}]}
    assert desk.post("/v1/score/batch", batch, **{"Idempotency-Key": "e-3"}).status_code == 200
    with read_transaction(desk.app.state.service.database()) as session:
        kept = session.scalars(select(KeptAnswerRow.answer)).all()
    assert not [text for text in kept if text is not None and "canary" in text]


@pytest.mark.parametrize("name", ["", " ", '""', "ä", "x" * 256, "a\tb"])
def test_a_name_that_cannot_be_read_is_refused(desk: Desk, name: str) -> None:
    """400 with the rule, and nothing done."""
    headers = [(b"X-API-Key", desk.key.encode()), (b"Idempotency-Key", name.encode("latin-1"))]
    refused = desk.client.post(COMMENT, json={"text": "no"}, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (400, "wrong_idempotency_key")
    assert "no" not in comments(desk)


@settings(max_examples=25)
@given(st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=300))
def test_no_name_breaks_the_service(desk: Desk, name: str) -> None:
    """Any header value is taken or refused with a reason."""
    headers = [(b"X-API-Key", desk.key.encode()), (b"Idempotency-Key", name.encode("latin-1"))]
    answer = desk.client.post("/v1/policies/99/comments", json={"text": "no"}, headers=headers)
    assert answer.status_code in (400, 404)


def test_a_second_request_is_told_that_the_first_still_runs(database: Engine) -> None:
    """In one process on either database, and across processes on PostgreSQL."""
    elsewhere = prepare_database(_other_spelling(database))
    started, may_end = threading.Event(), threading.Event()

    def slow() -> bytes:
        started.set()
        assert may_end.wait(20)
        return b"first"

    first = threading.Thread(target=answer_once, args=(database, named(), slow), kwargs={"now": NOW})
    first.start()
    assert started.wait(20)
    askers = [database] if database.dialect.name == "sqlite" else [database, elsewhere]
    for asker in askers:
        with pytest.raises(StillRunningError, match="'K' is under way"):
            answer_once(asker, named(), lambda: b"second", now=NOW)
    may_end.set()
    first.join()
    for asker in (database, elsewhere):
        assert answer_once(asker, named(), lambda: b"third", now=NOW).body == b"first"
    elsewhere.dispose()


def test_effect_and_answer_are_one(database: Engine) -> None:
    """When acting fails neither is there; a request of another content finds the name free."""

    def fail() -> bytes:
        with write_transaction(database) as session:
            session.add(ApiKeyRow(prefix="p", name="n", secret_hash="0", scopes=[], created_at=NOW))
        raise ZeroDivisionError("after the effect")

    with pytest.raises(ZeroDivisionError, match="after the effect"):
        answer_once(database, named(), fail, now=NOW)
    with read_transaction(database) as session:
        assert session.get(ApiKeyRow, "p") is None
    assert not answer_once(database, named("1" * 64), lambda: b"done", now=NOW).is_repeated
    with pytest.raises(OtherRequestError, match="another request"):
        answer_once(database, named(), lambda: b"not this", now=NOW)


def test_answers_are_forgotten_after_a_day(database: Engine, tmp_path: Path) -> None:
    """Retention deletes what is older; younger answers stay."""
    answer_once(database, named(), lambda: b"old", now=NOW - timedelta(hours=25))
    answer_once(database, named(api_key="another"), lambda: b"young", now=NOW)
    places = Settings(workspace_root=tmp_path, database_url=None, mlflow_tracking_uri=None)
    counts = run_retention(database, places, by="test", now=NOW, dry_run=False)
    assert {one.what: one.count for one in counts}["answers"] == 1
    assert answer_once(database, named(), lambda: b"new", now=NOW).body == b"new"
    assert answer_once(database, named(api_key="another"), lambda: b"new", now=NOW).is_repeated


def _other_spelling(database: Engine) -> str:
    """Return the same database by a URL that another process might use."""
    url = database.url.render_as_string(hide_password=False)
    return url if database.dialect.name == "sqlite" else f"{url}&application_name=elsewhere"
