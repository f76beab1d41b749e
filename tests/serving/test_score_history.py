"""Why a score changed, on both databases: the parts add up, an oracle finds the same, replay is exact."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import update
from typer.testing import CliRunner

from features.errors import InputError
from serving import cli
from serving.db.session import write_transaction
from serving.db.tables import ScoreRow
from serving.kept_models import ModelGoneError
from serving.score_changes import ChangeParts, Corners, parts_of, tenths
from serving.settings import Settings
from serving.words_scores import change_sentence
from tests.builders_features import feature_set
from tests.builders_serving import (
    NOW,
    Desk,
    first_policy,
    install_champion,
    install_policy,
    open_desk,
    point_to,
    small_history,
    write_serving_model,
)
from tests.oracles.score_split_slow import Arrival, points
from tests.serving.postgres import Cluster
from training.artifact import LoadedModel, load_model

DAY = timedelta(days=1)
PARTS = ("data_points", "time_points", "model_points", "policy_points")


@dataclass
class Story:
    """A service with one lead, and everything that reached it."""

    desk: Desk
    created_at: datetime = NOW - 20 * DAY
    arrivals: list[Arrival] = field(default_factory=list)

    def put(self, since: datetime, **attributes: object) -> None:
        """Send attributes since an instant."""
        body = {"created_at": self.created_at.isoformat(), "changed_at": since.isoformat(), **attributes}
        sent = self.desk.client.put("/v1/leads/L1", json=body, headers={"X-API-Key": self.desk.key})
        assert sent.status_code == 200, sent.text
        now = self.desk.clock.tell()
        self.arrivals += [
            Arrival(at=now, since=since, attribute=name, value=value) for name, value in attributes.items()
        ]

    def act(self, activity_id: str, kind: str, at: datetime) -> None:
        """Let the lead do something; it may reach us later."""
        item = {"activity_id": activity_id, "kind": kind, "occurred_at": at.isoformat()}
        sent = self.desk.post("/v1/activities", {"items": [{**item, "lead_id": "L1"}]})
        assert sent.status_code == 200, sent.text
        self.arrivals.append(Arrival(at=self.desk.clock.tell(), since=at, activity=item))

    def scores(self, **query: object) -> Any:
        """Return a page of the lead's scores."""
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        headers = {"X-API-Key": self.desk.key}
        return self.desk.client.get(f"/v1/leads/L1/scores?{asked}", headers=headers)

    def model(self, version: str) -> LoadedModel:
        """Return one of the models of the workspace."""
        return load_model(self.desk.settings.workspace.models_dir / f"version-{version}")


def play(story: Story) -> None:
    """Six scores: new data, late data, time alone, other policy, another model, one with other features."""
    desk, clock = story.desk, story.desk.clock
    story.put(NOW - 10 * DAY, industry="Software", employees=12, newsletter=True)
    clock.advance(3_600)
    story.act("A1", "page_view", clock.tell() - timedelta(minutes=5))
    clock.advance(5 * 86_400)
    story.act("A2", "call", NOW - 4 * DAY)  # long before the first score, and only now known
    clock.advance(9 * 86_400)
    desk.post("/v1/score", {"lead_id": "L1"})
    other = first_policy().replace("version = 1 ", "version = 2 ", 1)
    install_policy(desk.settings, other.replace("enter = 0.12", "enter = 0.2"))
    install_champion(desk.settings, version="8", seed=5)
    clock.advance(86_400)
    story.act("A3", "page_view", clock.tell() - DAY / 2)
    models = desk.settings.workspace.models_dir
    write_serving_model(models / "version-9", seed=6, chosen=feature_set(*feature_set().features[3:]))
    point_to(models, "9", "version-9")
    clock.advance(2 * 86_400)
    story.put(clock.tell(), industry="Retail")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def story(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Return a played story over either database; tests leave it as they found it."""
    root = tmp_path_factory.mktemp("story") / "workspace"
    is_sqlite = request.param == "sqlite"
    url = f"sqlite:///{root / 'leadpact.db'}" if is_sqlite else new_database(request)
    settings = Settings(workspace_root=root, database_url=url, mlflow_tracking_uri=None)
    told = Story(open_desk(settings))
    play(told)
    yield told
    told.desk.client.close()
    told.desk.app.state.service.close()


def new_database(request: pytest.FixtureRequest) -> str:
    """Return the URL of an empty database of the PostgreSQL server."""
    cluster: Cluster = request.getfixturevalue("cluster")
    return cluster.new_database()


def test_every_change_is_told_in_parts(story: Story) -> None:
    """The parts are those of the oracle, add up as written, and the sentence says them."""
    response = story.scores()
    page = json.loads(response.text, parse_float=Decimal)
    items = page["items"][::-1]
    assert [one["model_version"] for one in items] == ["7", "7", "7", "7", "8", "9"]
    assert (items[0]["change_points"], items[0]["sentence"]) == (None, "The first score of this lead.")
    lead = {"lead_id": "L1", "created_at": story.created_at}
    for before, after in pairwise(items):
        assert after["previous_score_id"] == before["score_id"]
        assert sum(after[name] for name in PARTS) == after["change_points"]
        assert before["exact_points"] + after["change_points"] == after["exact_points"]
        then, now = (datetime.fromisoformat(one["as_of"]) for one in (before, after))
        old, new = story.model(before["model_version"]), story.model(after["model_version"])
        corners = [
            points(model, story.arrivals, lead, known_at=known_at, as_of=as_of)
            for model, known_at, as_of in (
                (old, then, then),
                (old, then, now),
                (old, now, now),
                (new, now, now),
            )
        ]
        steps = [tenths(to) - tenths(start) for start, to in pairwise(corners)]
        told = [int(after[name] * 10) for name in ("time_points", "data_points", "model_points")]
        assert told == steps
    assert [one["stage_under_previous_policy"] != "" for one in items] == [False] * 4 + [True, False]
    late, aged = items[2], items[3]
    assert late["data_points"] != 0
    assert (aged["data_points"], aged["time_points"]) == (0, aged["change_points"])
    assert "what is new" not in aged["sentence"]


def test_pages_and_languages(story: Story) -> None:
    """A page ends where the next begins; each score has the same change on whatever page it stands."""
    whole = story.scores().json()["items"]
    first = story.scores(limit=2).json()
    second = story.scores(limit=4, after=first["next_after"]).json()
    assert first["items"] + second["items"] == whole
    assert (second["next_after"], story.scores(limit=0).status_code) == ("", 422)
    german = story.scores(lang="de").json()["items"]
    assert [one["score_id"] for one in german] == [one["score_id"] for one in whole]
    assert german[-1]["sentence"] == "Der erste Score dieses Leads."
    assert "durch Modellversion 8 nach 7" in german[1]["sentence"]
    unknown = story.desk.client.get("/v1/leads/nobody/scores", headers={"X-API-Key": story.desk.key})
    assert unknown.status_code == 404


def test_a_stored_score_comes_out_the_same(story: Story) -> None:
    """Every score is computed again bit for bit, whatever model and policy are in service now."""
    for one in story.scores().json()["items"]:
        done = replay(story, one["score_id"])
        assert done.exit_code == 0, done.output
        told = json.loads(done.stdout)
        assert (told["is_same"], told["has_decision"], told["differences"]) == (True, True, [])
        assert (told["probability"], told["stage"]) == (one["probability"], one["stage"])


def replay(story: Story, score_id: str) -> Any:
    """Run the command."""
    workspace = str(story.desk.settings.workspace.root)
    url = story.desk.settings.database
    command = ["score", "replay", score_id, "--json", "--workspace", workspace]
    return CliRunner().invoke(cli.app, command, env={"LEADPACT_DATABASE_URL": url})


def change(story: Story, score_id: str, **values: object) -> None:
    """Change a stored score behind the service's back."""
    with write_transaction(story.desk.app.state.service.database()) as session:
        session.execute(update(ScoreRow).where(ScoreRow.score_id == score_id).values(**values))


def test_what_is_missing_or_wrong_is_named(story: Story) -> None:
    """An unknown id, a changed row, a model directory that is gone: each says so, and nothing is guessed."""
    newest, before, *_ = story.scores().json()["items"]
    assert isinstance(replay(story, "nothing").exception, InputError)
    change(story, newest["score_id"], probability=0.5)
    done = replay(story, newest["score_id"])
    change(story, newest["score_id"], probability=newest["probability"])
    told = json.loads(done.stdout)
    assert (done.exit_code, told["is_same"]) == (1, False)
    assert told["differences"][0].startswith("probability: stored 0.5, computed ")
    models = story.desk.settings.workspace.models_dir
    (models / "version-8").rename(models.parent / "elsewhere")
    gone = replay(story, before["score_id"]).exception
    assert isinstance(gone, ModelGoneError)
    assert "model version 8" in str(gone)
    story.desk.app.state.service.kept_models._load.cache_clear()
    untold = story.scores(limit=1).json()["items"][0]
    assert (untold["data_points"], untold["model_points"]) == (None, None)
    assert "model version 8 is gone" in untold["sentence"]
    (models.parent / "elsewhere").rename(models / "version-8")


def test_imported_leads_have_a_history_too(desk: Desk) -> None:
    """A lead that was only imported is scored twice: time moved it, and nothing else."""
    small_history(desk.settings, 3)
    desk.post("/v1/score", {"lead_id": "L1"})
    desk.clock.advance(30 * 86_400)
    desk.post("/v1/score", {"lead_id": "L1"})
    newest, first = Story(desk).scores().json()["items"]
    assert first["change_points"] is None
    assert (newest["data_points"], newest["model_points"]) == (0, 0)
    assert newest["time_points"] == newest["change_points"]


def test_scores_of_old_are_compared_without_their_stage(story: Story) -> None:
    """Before the facts of a decision were kept, the numbers are all there is."""
    one = story.scores().json()["items"][0]
    change(story, one["score_id"], decided_from=None)
    told = json.loads(replay(story, one["score_id"]).stdout)
    assert (told["is_same"], told["has_decision"]) == (True, False)


@pytest.mark.parametrize(
    ("corners", "parts"),
    [
        pytest.param((40.0, 38.2, 47.3, 47.3), (-18, 91, 0), id="plain"),
        pytest.param((40.04, 40.06, 40.14, 40.16), (1, 0, 1), id="rounded-once-each"),
        pytest.param((-30.0, -30.0, 130.0, 120.0), (0, 1600, -100), id="not-cut"),
    ],
)
def test_parts_add_up(corners: tuple[float, ...], parts: tuple[int, int, int]) -> None:
    """Each corner is rounded once, so differences telescope."""
    before, aged, informed, after = corners
    found = parts_of(Corners(before=before, aged=aged, informed=informed, after=after))
    assert (found.time, found.data, found.model) == parts
    assert found.change == tenths(after) - tenths(before)


def test_sentences() -> None:
    """A change without parts, and one with all of them."""
    nothing = ChangeParts(time=0, data=0, model=0)
    said = change_sentence(nothing, since=NOW, versions=("7", "7"), reason="", lang="de")
    assert said == "Wie am 23. November 2026."
    some = replace(nothing, time=-18, data=91, model=2)
    said = change_sentence(some, since=NOW, versions=("7", "8"), reason="Asked for a demo today", lang="en")
    assert said == (
        "+7.5 points since 23 November 2026: +9.1 from what is new, most of all: Asked for a demo today; "
        "−1.8 as time passed; +0.2 from model version 8 after 7."
    )
