"""Workspaces for the tests of the service: a real small model, a signed policy, a key, a client, leads."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from fastapi import FastAPI
from starlette.testclient import TestClient

from features.definitions import FeatureSet
from features.history.store import History
from features.online import OnlineFeatures
from features.tables import CanonicalTables
from serving.app import create_app
from serving.db.migrate import prepare_database
from serving.keys import Scope, read_or_create_secret
from serving.operations.create_api_key import create_api_key
from serving.operations.draft_policy import draft_policy
from serving.operations.propose_policy import propose_policy
from serving.operations.sign_policy import sign_policy
from serving.scorer import to_microseconds
from serving.settings import Settings
from sla.stages import Side
from tests.builders_features import KINDS, LEVELS, crm_tables, feature_set
from tests.builders_models import ANY_CALIBRATION, golden_rows, labels_for, small_facts, train_booster
from training.artifact import write_model_directory

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MARKETING, SALES = "Maria Sommer", "Jonas Weber"
Json = dict[str, Any]


@dataclass
class TestClock:
    """A clock that moves when told: the time of day and the seconds that have passed go together."""

    __test__ = False

    now: datetime = NOW
    passed_seconds: float = 0.0

    def tell(self) -> datetime:
        """Return the time of day."""
        return self.now

    def monotonic(self) -> float:
        """Return the seconds since the test began."""
        return self.passed_seconds

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)
        self.passed_seconds += seconds


@dataclass
class Desk:
    """One service under test: its settings, its clock, a client, and a key with every scope of marketing."""

    settings: Settings
    app: FastAPI
    client: TestClient
    key: str
    clock: TestClock = field(default_factory=TestClock)

    def post(self, path: str, body: object, **headers: str) -> Any:
        """Send JSON with the key."""
        return self.client.post(path, json=body, headers={"X-API-Key": self.key, **headers})

    def post_bytes(self, path: str, body: bytes, **headers: str) -> Any:
        """Send bytes as JSON with the key."""
        sent = {"X-API-Key": self.key, "Content-Type": "application/json", **headers}
        return self.client.post(path, content=body, headers=sent)


def open_desk(settings: Settings, *, ready: bool = True) -> Desk:
    """Return a service over a workspace; when `ready`, with champion and signed policy."""
    if ready:
        install_champion(settings)
        install_policy(settings)
    clock = TestClock()
    app = create_app(settings, clock.tell, clock.monotonic)
    client = TestClient(app, raise_server_exceptions=False)
    others = (Scope.POLICY_SALES,)
    scopes = tuple(scope for scope in Scope if scope not in others)
    key = install_key(settings, *scopes, person=MARKETING)
    return Desk(settings=settings, app=app, client=client, key=key, clock=clock)


def install_key(
    settings: Settings, *scopes: Scope, expires_at: datetime | None = None, person: str | None = None
) -> str:
    """Create a key in the workspace's database and return its text."""
    database = prepare_database(settings.database)
    secret = read_or_create_secret(settings.workspace.secret_file)
    key = create_api_key(
        database,
        name="test",
        scopes=scopes,
        expires_at=expires_at,
        secret=secret,
        now=NOW,
        person=person,
    )
    database.dispose()
    return key.text


def install_champion(settings: Settings, *, version: str = "7", seed: int = 0) -> Path:
    """Write a model directory and point to it; return the directory."""
    models = settings.workspace.models_dir
    folder = models / f"version-{version}"
    if not folder.exists():
        write_serving_model(folder, seed=seed)
    point_to(models, version, folder.name)
    return folder


def point_to(models: Path, version: str, folder: str) -> None:
    """Write the pointer as the registry does."""
    models.mkdir(parents=True, exist_ok=True)
    (models / "champion.json").write_bytes(msgspec.json.encode({"version": version, "folder": folder}))


def install_policy(settings: Settings, text: str | None = None) -> int:
    """Propose and sign a policy for both sides; the first one unless given."""
    database = prepare_database(settings.database)
    version = propose_policy(database, text or first_policy(), by=MARKETING, now=NOW - timedelta(days=1))
    for side, person in ((Side.MARKETING, MARKETING), (Side.SALES, SALES)):
        sign_policy(database, version=version, side=side, person=person, now=NOW - timedelta(days=1))
    database.dispose()
    return version


def first_policy() -> str:
    """Return the text of the first policy that the demo signs."""
    return (resources.files("sla") / "templates" / "first_policy.toml").read_text(encoding="utf-8")


def policy_version(version: int, valid_from: str = '"signed"') -> str:
    """Return the first policy as another version, valid from another day."""
    text = first_policy().replace("version = 1 ", f"version = {version} ", 1)
    return text.replace('valid_from = "signed"', f"valid_from = {valid_from}", 1)


def install_open_policies(settings: Settings) -> None:
    """Store what the examples of the policy routes are about: a draft and proposals of both sides."""
    database = prepare_database(settings.database)
    draft_policy(database, policy_version(2), by=MARKETING, side=Side.MARKETING, now=NOW)
    for version, side, person in (
        (3, Side.SALES, SALES),
        (4, Side.SALES, SALES),
        (5, Side.MARKETING, MARKETING),
        (6, Side.SALES, SALES),
    ):
        propose_policy(database, policy_version(version), by=person, side=side, now=NOW)
    database.dispose()


def write_serving_model(folder: Path, *, seed: int = 0, chosen: FeatureSet | None = None) -> None:
    """Write a model over every kind of feature, trained on random requests so that scores differ."""
    chosen = chosen or feature_set()
    online = OnlineFeatures(chosen)
    rows = [online_row(online, random_request(each + 1000 * seed)) for each in range(240)]
    matrix = np.vstack(rows)
    booster = train_booster(
        matrix, labels_for(matrix, seed=seed), categorical=chosen.categorical_indices, n_trees=20
    )
    text = booster.model_to_string()
    write_model_directory(
        folder,
        facts=small_facts(),
        feature_set=chosen,
        model_text=text,
        calibration=ANY_CALIBRATION,
        card_markdown="# A model for tests\n",
        golden=golden_rows(text, ANY_CALIBRATION, matrix[:8]),
    )


def online_row(online: OnlineFeatures, request: Json) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the feature row of a request as of NOW."""
    return online.row(request["lead"], request["activities"], to_microseconds(NOW)).values


def random_request(seed: int) -> Json:
    """Return a random, right body for POST /v1/score; some attributes are missing, some values unseen."""
    chance = random.Random(seed)
    lead: Json = {"lead_id": f"L{seed}", "created_at": _iso(chance.uniform(1, 200))}
    for name, value in _random_attributes(chance).items():
        if chance.random() < 0.8:
            lead[name] = value
    activities = [_random_activity(chance, f"{seed}-{place}") for place in range(chance.randrange(12))]
    return {"lead": lead, "activities": activities, "as_of": NOW.isoformat()}


def _random_attributes(chance: random.Random) -> Mapping[str, object]:
    return {
        "industry": chance.choice([*LEVELS, "Mining"]),
        "employees": chance.choice([1, 25.5, 240, 12_000]),
        "newsletter": chance.random() < 0.5,
        "trial_at": _iso(chance.uniform(0, 60)),
        "department": chance.choice(["it", "finance", "hr"]),
        "job_level": chance.choice(["director", "manager", "student"]),
    }


def _random_activity(chance: random.Random, activity_id: str) -> Json:
    return {
        "activity_id": activity_id,
        "occurred_at": _iso(chance.uniform(0, 120)),
        "kind": chance.choice(KINDS),
        "asset": chance.choice(["/pricing", "/docs", None]),
    }


def _iso(days_ago: float) -> str:
    return (NOW - timedelta(days=days_ago)).isoformat()


def small_history(settings: Settings, n_leads: int = 20, *, changes: bool = False) -> CanonicalTables:
    """Store random leads as the history of the workspace, and return its tables."""
    requests = [random_request(seed) for seed in range(n_leads)]
    tables = crm_tables(
        [_timed(request["lead"], "created_at", "trial_at") for request in requests],
        [
            {**_timed(activity, "occurred_at"), "lead_id": request["lead"]["lead_id"]}
            for request in requests
            for activity in request["activities"]
        ],
        _changes(requests) if changes else (),
    )
    History(settings.workspace.history_dir).merge(tables)
    return tables


def _timed(row: Json, *names: str) -> Json:
    return {name: datetime.fromisoformat(value) if name in names else value for name, value in row.items()}


def _changes(requests: list[Json]) -> list[Json]:
    values = {"industry": "Retail", "employees": "77", "newsletter": "true"}
    return [
        {
            "lead_id": request["lead"]["lead_id"],
            "changed_at": NOW - timedelta(days=place % 7 - 2),
            "attribute": attribute,
            "value": value,
        }
        for place, request in enumerate(requests[::2])
        for attribute, value in values.items()
    ]
