"""What the service follows while it runs: keys, policies, champions, outages; and what it records."""

import asyncio
import json
import re
import shutil
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from serving.app import create_app
from serving.db.migrate import prepare_database
from serving.db.session import read_transaction
from serving.db.tables import ScoreRow
from serving.keys import Scope, key_prefix
from serving.operations.check_api_key import VerifiedKey
from serving.operations.record_scores import record_scores
from serving.operations.revoke_api_key import revoke_api_key
from serving.settings import Settings
from tests.builders_serving import (
    NOW,
    Desk,
    first_policy,
    install_champion,
    install_key,
    install_policy,
    open_desk,
    point_to,
    random_request,
    small_history,
)
from tests.serving.conftest import closing
from training.artifact import load_model


@pytest.fixture
def any_desk(database_url: str, settings: Settings) -> Iterator[Desk]:
    """Return a service that can score, on each database in turn."""
    yield from closing(open_desk(Settings(workspace_root=settings.workspace_root, database_url=database_url)))


def model_version(desk: Desk) -> Any:
    """Ask which model scores."""
    return desk.post("/v1/score", random_request(1)).json()["model_version"]


def missing_parts(desk: Desk, path: str = "/readyz") -> dict[str, str]:
    """Return what a 503 says is missing."""
    response = desk.client.get(path) if path == "/readyz" else desk.post(path, random_request(1))
    assert response.status_code == 503, response.text
    assert response.headers["retry-after"].isdecimal()
    assert response.json()["code"] == "not_ready"
    return {error["field"]: error["rule"] for error in response.json()["errors"]}


def test_it_starts_with_nothing_and_says_what_is_missing(empty_desk: Desk) -> None:
    """Alive, not ready; both the check and a score name every part and the command that gets it."""
    assert empty_desk.client.get("/healthz").json() == {"status": "alive"}
    for path in ("/readyz", "/v1/score"):
        missing = missing_parts(empty_desk, path)
        assert "`leadpact train`, then `leadpact promote`" in missing["model"]
        assert "`leadpact policy propose FILE --by NAME`" in missing["policy"]


def test_it_becomes_ready_without_a_restart(empty_desk: Desk) -> None:
    """Whatever is provided is noticed within two seconds."""
    assert set(missing_parts(empty_desk)) == {"model", "policy"}
    install_champion(empty_desk.settings)
    empty_desk.clock.advance(2.1)
    assert set(missing_parts(empty_desk)) == {"policy"}
    install_policy(empty_desk.settings)
    empty_desk.clock.advance(2.1)
    assert empty_desk.client.get("/readyz").json() == {
        "status": "ready",
        "model_version": "7",
        "policy_version": "1",
    }


def test_a_model_without_a_policy_is_described(empty_desk: Desk) -> None:
    """Which model is loaded can be asked before anything can be scored."""
    install_champion(empty_desk.settings)
    answer = empty_desk.client.get("/v1/model", headers={"X-API-Key": empty_desk.key})
    assert answer.json()["version"] == "7"


def test_between_two_looks_nothing_is_read(desk: Desk) -> None:
    """Within two seconds a request does no I/O: the workspace can even be gone."""
    assert model_version(desk) == "7"
    shutil.move(desk.settings.workspace.root, desk.settings.workspace.root.with_name("away"))
    assert model_version(desk) == "7"


def test_a_revoked_key_dies_within_two_seconds(any_desk: Desk) -> None:
    """Believed for two seconds, looked up again after that."""
    key = install_key(any_desk.settings, Scope.READ)

    def ask() -> int:
        return any_desk.client.get("/v1/model", headers={"X-API-Key": key}).status_code

    database = prepare_database(any_desk.settings.database)
    states = [ask()]
    revoke_api_key(database, key_prefix(key) or "", now=NOW)
    database.dispose()
    any_desk.clock.advance(2.1)
    assert [*states, ask(), ask()] == [200, 401, 401]


def test_a_new_policy_takes_over(any_desk: Desk) -> None:
    """The decision after a signature is the new policy's, with the same probability."""
    before = any_desk.post("/v1/score", random_request(3)).json()
    install_policy(any_desk.settings, first_policy().replace("version = 1 ", "version = 2 ", 1))
    any_desk.clock.advance(2.1)
    after = any_desk.post("/v1/score", random_request(3)).json()
    assert (before["policy_version"], after["policy_version"]) == ("1", "2")
    assert before["probability"] == after["probability"]


def test_a_new_champion_takes_over(desk: Desk) -> None:
    """The pointer is followed; every worker does so by itself."""
    assert model_version(desk) == "7"
    install_champion(desk.settings, version="8", seed=1)
    desk.clock.advance(2.1)
    assert model_version(desk) == "8"


def test_a_broken_champion_is_refused_and_the_old_goes_on(desk: Desk) -> None:
    """Followed or reloaded: a directory that is not sound never scores."""
    assert model_version(desk) == "7"
    folder = install_champion(desk.settings, version="8", seed=1)
    model = folder / "model.txt"
    model.write_text(model.read_text().replace("leaf_value=", "leaf_value=9 ", 1))
    desk.clock.advance(2.1)
    assert model_version(desk) == "7"
    response = desk.post("/v1/model/reload", {})
    assert (response.status_code, response.json()["code"]) == (409, "model_refused")
    assert "model.txt" in response.json()["detail"]
    assert model_version(desk) == "7"


@pytest.mark.parametrize(
    "pointer", [b"{", b'{"version": 7}', b"\xff", b'{"version": "9", "folder": "nowhere"}']
)
def test_a_broken_pointer_changes_nothing(desk: Desk, pointer: bytes) -> None:
    """A half-written pointer, or one to nowhere, is not followed."""
    assert model_version(desk) == "7"
    (desk.settings.workspace.models_dir / "champion.json").write_bytes(pointer)
    desk.clock.advance(2.1)
    assert model_version(desk) == "7"
    assert desk.post("/v1/model/reload", {}).json()["code"] == "model_refused"


def test_reloading_answers_with_the_model(desk: Desk) -> None:
    """At once, without waiting for the next look."""
    assert model_version(desk) == "7"
    install_champion(desk.settings, version="8", seed=1)
    assert desk.post("/v1/model/reload", {}).json()["version"] == "8"
    assert model_version(desk) == "8"


def test_a_pointer_back_to_an_older_version_is_followed(desk: Desk) -> None:
    """Rolling back is promoting the older one."""
    install_champion(desk.settings, version="8", seed=1)
    assert model_version(desk) == "8"
    point_to(desk.settings.workspace.models_dir, "7", "version-7")
    desk.clock.advance(2.1)
    assert model_version(desk) == "7"


def take_database_away(desk: Desk) -> None:
    """Leave nothing where the database was that could be opened."""
    desk.app.state.service.close()
    database_file = desk.settings.workspace.database_file
    database_file.rename(database_file.with_suffix(".away"))
    database_file.mkdir()


def test_scoring_survives_the_database(desk: Desk) -> None:
    """Inline scores go on with the last policy and the keys seen lately; what must be stored waits."""
    small_history(desk.settings, 3)
    assert model_version(desk) == "7"
    take_database_away(desk)
    desk.clock.advance(10)
    assert model_version(desk) == "7"
    stored = desk.post("/v1/score", {"lead_id": "L1"})
    assert (stored.status_code, stored.json()["code"]) == (503, "database_unreachable")
    assert "leadpact.db" not in stored.text


def test_a_key_is_believed_for_five_minutes_without_the_database(desk: Desk) -> None:
    """Counted from when it was last seen, however often it is used meanwhile."""
    assert model_version(desk) == "7"
    take_database_away(desk)
    states = []
    for _ in range(4):
        desk.clock.advance(90)
        states.append(desk.post("/v1/score", random_request(1)).status_code)
    assert states == [200, 200, 200, 503]


def test_a_key_expires_without_the_database(desk: Desk) -> None:
    """Nobody can revoke it meanwhile, but its last day is known."""
    key = install_key(desk.settings, Scope.SCORE, expires_at=NOW + timedelta(seconds=60))
    headers = {"X-API-Key": key}
    states = [desk.client.post("/v1/score", json=random_request(1), headers=headers).status_code]
    take_database_away(desk)
    for seconds in (59, 3):
        desk.clock.advance(seconds)
        states.append(desk.client.post("/v1/score", json=random_request(1), headers=headers).status_code)
    assert states == [200, 200, 503]


def test_what_a_database_says_stays_inside(settings: Settings) -> None:
    """/readyz is open to everybody; hosts and users of the database are not for them."""
    url = "postgresql://leadpact@127.0.0.1:1/production"
    app = create_app(Settings(workspace_root=settings.workspace_root, database_url=SecretStr(url)))
    for path, headers in (("/readyz", {}), ("/v1/model", {"X-API-Key": "lp_aaaaaaaa_" + "a" * 43})):
        response = TestClient(app).get(path, headers=headers)
        assert response.status_code == 503
        assert "database does not answer" in response.text
        assert not {"127.0.0.1", "production"} & set(re.split(r"[^\w.]+", response.text))


def test_a_key_is_looked_up_by_one_request_at_a_time(desk: Desk) -> None:
    """The others go on with what is known, so that a slow database holds up one of them, not all."""
    assert model_version(desk) == "7"
    service, looks = desk.app.state.service, []
    look_up = service._look_up_key

    def slow(text: str) -> VerifiedKey:
        looks.append(text)
        time.sleep(0.2)
        found: VerifiedKey = look_up(text)
        return found

    async def ask() -> list[VerifiedKey]:
        return list(await asyncio.gather(*(service.verify_key(desk.key) for _ in range(20))))

    service._look_up_key = slow
    desk.clock.advance(3)
    assert len({key.prefix for key in asyncio.run(ask())}) == 1
    assert len(looks) == 1


def stored_scores(database: Engine) -> list[ScoreRow]:
    """Return the recorded scores, oldest first."""
    with read_transaction(database) as session:
        return list(session.scalars(select(ScoreRow).order_by(ScoreRow.lead_id, ScoreRow.as_of)))


def test_only_scores_of_stored_leads_are_recorded(any_desk: Desk) -> None:
    """Inline leads leave no trace; a lead named by its id does, alone or in a batch, once per score."""
    small_history(any_desk.settings, 4)
    any_desk.post("/v1/score", random_request(1))
    any_desk.post("/v1/score/batch", {"items": [random_request(2), {"lead_id": "L2"}, {"lead_id": "L3"}]})
    answer = any_desk.post("/v1/score", {"lead_id": "L1"}).json()
    any_desk.post("/v1/score", {"lead_id": "L1", "as_of": answer["as_of"]})
    database = prepare_database(any_desk.settings.database)
    rows = stored_scores(database)
    database.dispose()
    assert [row.lead_id for row in rows] == ["L1", "L2", "L3"]
    assert (rows[0].score_id, rows[0].probability, rows[0].stage) == (
        answer["score_id"],
        answer["probability"],
        answer["stage"],
    )


def test_a_recorded_score_can_be_computed_again(any_desk: Desk) -> None:
    """The stored feature row and the model of the stored hash give the stored probability, bit for bit."""
    small_history(any_desk.settings, 3)
    any_desk.post("/v1/score", {"lead_id": "L2"})
    database = prepare_database(any_desk.settings.database)
    (row,) = stored_scores(database)
    database.dispose()
    model = load_model(any_desk.settings.workspace.models_dir / "version-7")
    matrix = [[float("nan") if value is None else value for value in row.feature_row]]
    assert row.model_hash == model.manifest.manifest_hash
    assert float(model.predict(np.array(matrix)).probability[0]) == row.probability


def test_recording_the_same_score_twice_is_recording_it_once(any_desk: Desk) -> None:
    """A retry after a lost answer adds nothing."""
    small_history(any_desk.settings, 2)
    for _ in range(3):
        assert any_desk.post("/v1/score", {"lead_id": "L1"}).status_code == 200
    database = prepare_database(any_desk.settings.database)
    record_scores(database, (), now=NOW)
    assert len(stored_scores(database)) == 1
    database.dispose()


def test_stored_attributes_are_those_of_the_instant(desk: Desk) -> None:
    """A lead is scored with what was known at as_of: before and after a recorded change."""
    small_history(desk.settings, 1, changes=True)
    before = desk.post("/v1/score", {"lead_id": "L0", "as_of": "2026-11-24T00:00:00Z"})
    assert before.json()["errors"][0]["field"] == "as_of"
    desk.clock.advance(3 * 86_400)
    known = desk.post("/v1/score", {"lead_id": "L0", "as_of": "2026-11-26T09:00:00Z"}).json()
    reasons = json.dumps(known["reasons"], ensure_ascii=False)
    assert "Retail" in reasons or "77" in reasons
