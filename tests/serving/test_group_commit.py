"""Scores are stored in groups: none is acknowledged before it is on disk, and none takes another along."""

import asyncio
import signal
import threading
from collections.abc import Callable, Sequence
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
    """Sixteen writers at once: each goes on when its score is there, with far fewer commits than scores."""
    commits = 0

    def count(_: object) -> None:
        nonlocal commits
        commits += 1

    log = scores_log(lambda scores: stored(database, scores))

    async def write(writer: int) -> None:
        for number in range(SCORES_EACH):
            assert await log.add(record(f"{writer}-{number}")) == f"{writer}-{number}"

    async def write_all() -> None:
        await asyncio.gather(*map(write, range(WRITERS)))

    event.listen(database, "commit", count)
    asyncio.run(write_all())
    event.remove(database, "commit", count)
    log.close()
    assert len(stored_ids(database)) == WRITERS * SCORES_EACH
    assert commits <= WRITERS * SCORES_EACH / 3


def scores_log(store: Callable[[Sequence[ScoreRecord]], Sequence[str]]) -> GroupCommit[ScoreRecord, str]:
    """Return a log of scores, one score an item."""
    return GroupCommit(store, most=WRITERS, name="test")


def test_a_score_that_cannot_be_stored_goes_alone(database: Engine) -> None:
    """Two good ones and a broken one arrive while a commit is under way; the good ones are stored."""
    go_on = threading.Event()

    def store(scores: Sequence[ScoreRecord]) -> Sequence[str]:
        assert go_on.wait(10)
        return stored(database, scores)

    log = scores_log(store)
    broken = replace(record("broken"), stage=None)  # type: ignore[arg-type]

    async def write_all() -> list[str | BaseException]:
        first = asyncio.create_task(log.add(record("first")))
        await asyncio.sleep(0.05)
        others = [asyncio.create_task(log.add(one)) for one in (record("a"), broken, record("b"))]
        await asyncio.sleep(0.05)
        go_on.set()
        return await asyncio.gather(first, *others, return_exceptions=True)

    first, one, failed, other = asyncio.run(write_all())
    log.close()
    assert (first, one, other) == ("first", "a", "b")
    assert isinstance(failed, IntegrityError)
    assert stored_ids(database) == {"first", "a", "b"}


def test_a_database_that_is_away_is_everybodys_error(tmp_path: Path) -> None:
    """Nothing is stored, nobody is told otherwise, and the next score is tried again."""
    database = prepare_database(f"sqlite:///{tmp_path / 'leadpact.db'}")
    is_away = True

    def store(scores: Sequence[ScoreRecord]) -> Sequence[str]:
        if is_away:
            raise DatabaseUnreachableError("the database does not answer")
        return stored(database, scores)

    log = scores_log(store)
    with pytest.raises(DatabaseUnreachableError, match="does not answer"):
        asyncio.run(log.add(record("a")))
    is_away = False
    asyncio.run(log.add(record("b")))
    log.close()
    assert stored_ids(database) == {"b"}
    database.dispose()


def test_who_gave_up_waiting_harms_nobody(database: Engine) -> None:
    """A request that was cut off is stored all the same, and the next one is answered."""
    go_on = threading.Event()

    def store(scores: Sequence[ScoreRecord]) -> Sequence[str]:
        assert go_on.wait(10)
        return stored(database, scores)

    log = scores_log(store)

    async def give_up() -> str:
        with pytest.raises(TimeoutError, match=r"^$"):
            async with asyncio.timeout(0.05):
                await log.add(record("cut off"))
        go_on.set()
        return await log.add(record("next"))

    assert asyncio.run(give_up()) == "next"
    log.close()
    assert asyncio.run(log.add(record("after the close"))) == "after the close"
    log.close()
    assert stored_ids(database) == {"cut off", "next", "after the close"}


def test_what_comes_after_a_close_is_stored_too(database: Engine) -> None:
    """An application that ends and begins again, as tests and rolling restarts do, waits for nobody."""
    log = scores_log(lambda scores: stored(database, scores))

    async def add(score_id: str) -> str:
        return await asyncio.wait_for(log.add(record(score_id)), 10)

    assert asyncio.run(add("before")) == "before"
    log.close()
    assert asyncio.run(add("after")) == "after"
    log.close()
    assert stored_ids(database) == {"before", "after"}


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
