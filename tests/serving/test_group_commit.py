"""Scores are stored in groups: none is acknowledged before it is on disk, and none takes another along."""

import signal
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import Engine, event, select
from sqlalchemy.exc import IntegrityError

from serving.db.migrate import prepare_database
from serving.db.session import read_transaction
from serving.db.tables import ScoreRow
from serving.errors import DatabaseUnreachableError
from serving.group_commit import GroupCommit
from serving.operations.record_scores import ScoreRecord, record_scores
from serving.settings import Settings
from tests.builders_serving import NOW, open_desk, small_history
from tests.serving.processes import running_service

WRITERS, SCORES_EACH = 16, 8
ACKNOWLEDGED_BEFORE_THE_KILL = 60


def record(score_id: str) -> ScoreRecord:
    """Return a score that can be stored."""
    return ScoreRecord(
        score_id=score_id,
        lead_id="L1",
        as_of=NOW,
        probability=0.5,
        probability_low=0.25,
        probability_high=0.75,
        points=50,
        stage="lead",
        rule="below_threshold",
        model_version="7",
        model_hash="0" * 64,
        policy_version="1",
        policy_hash="0" * 64,
        feature_set_hash="0" * 64,
        feature_row=(1.0, float("nan"), -0.0),
        decided_from="{}",
    )


def stored_ids(database: Engine) -> set[str]:
    """Return the ids of all stored scores."""
    with read_transaction(database) as session:
        return set(session.scalars(select(ScoreRow.score_id)))


def stored(database: Engine, scores: Sequence[ScoreRecord]) -> Sequence[str]:
    """Store scores, and return the id of each."""
    record_scores(database, scores, now=NOW)
    return [one.score_id for one in scores]


def test_many_scores_share_a_commit(database: Engine) -> None:
    """Sixteen writers at once: each returns when its score is there, with far fewer commits than scores."""
    commits = 0

    def count(_: object) -> None:
        nonlocal commits
        commits += 1

    log: GroupCommit[ScoreRecord, str] = GroupCommit(lambda scores: stored(database, scores), most=WRITERS)
    start = threading.Barrier(WRITERS)

    def write(writer: int) -> None:
        start.wait()
        for number in range(SCORES_EACH):
            assert log.add(record(f"{writer}-{number}")) == f"{writer}-{number}"

    event.listen(database, "commit", count)
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    event.remove(database, "commit", count)
    assert len(stored_ids(database)) == WRITERS * SCORES_EACH
    assert commits <= WRITERS * SCORES_EACH / 3


def test_a_score_that_cannot_be_stored_goes_alone(database: Engine) -> None:
    """Two good ones and a broken one arrive while a commit is under way; the good ones are stored."""
    entered, go_on = threading.Event(), threading.Event()

    def store(scores: Sequence[ScoreRecord]) -> Sequence[str]:
        entered.set()
        go_on.wait(10)
        return stored(database, scores)

    log = GroupCommit(store, most=WRITERS)
    broken = replace(record("broken"), stage=None)  # type: ignore[arg-type]
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(log.add, record("first"))
        entered.wait(10)
        others = [pool.submit(log.add, one) for one in (record("a"), broken, record("b"))]
        while len(log._waiting) < len(others):
            pass
        go_on.set()
        first.result()
        others[0].result()
        others[2].result()
        with pytest.raises(IntegrityError, match="stage"):
            others[1].result()
    assert stored_ids(database) == {"first", "a", "b"}


def test_a_database_that_is_away_is_everybodys_error(tmp_path: Path) -> None:
    """Nothing is stored, nobody is told otherwise, and the next score is tried again."""
    database = prepare_database(f"sqlite:///{tmp_path / 'leadpact.db'}")
    is_away = True

    def store(scores: Sequence[ScoreRecord]) -> Sequence[str]:
        if is_away:
            raise DatabaseUnreachableError("the database does not answer")
        return stored(database, scores)

    log = GroupCommit(store, most=WRITERS)
    with pytest.raises(DatabaseUnreachableError, match="does not answer"):
        log.add(record("a"))
    is_away = False
    log.add(record("b"))
    assert stored_ids(database) == {"b"}
    database.dispose()


def test_a_killed_service_has_kept_what_it_acknowledged(tmp_path: Path, database_url: str) -> None:
    """Sixteen clients ask for scores of stored leads while the process dies by SIGKILL."""
    root = tmp_path / "workspace"
    desk = open_desk(Settings(workspace_root=root, database_url=database_url, mlflow_tracking_uri=None))
    small_history(desk.settings, 4)
    acknowledged: list[str] = []
    enough = threading.Event()

    def ask(url: str, client: int) -> None:
        with httpx2.Client(base_url=url, headers={"X-API-Key": desk.key}, timeout=10) as http:
            while True:
                try:
                    answer = http.post("/v1/score", json={"lead_id": f"L{client % 4}"})
                except httpx2.HTTPError:
                    return
                acknowledged.append(answer.json()["score_id"])
                if len(acknowledged) >= ACKNOWLEDGED_BEFORE_THE_KILL:
                    enough.set()

    with (
        running_service(root, LEADPACT_DATABASE_URL=database_url) as service,
        ThreadPoolExecutor(WRITERS) as pool,
    ):
        clients = [pool.submit(ask, service.url, client) for client in range(WRITERS)]
        assert enough.wait(60)
        service.stop(signal.SIGKILL)
        for client in clients:
            client.result()
    stored = stored_ids(desk.app.state.service.database())
    assert len(set(acknowledged)) >= ACKNOWLEDGED_BEFORE_THE_KILL
    assert set(acknowledged) <= stored
    desk.client.close()
    desk.app.state.service.close()
