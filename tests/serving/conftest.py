"""Fixtures of the service's tests: both databases, workspaces, services over them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from serving.db.migrate import prepare_database
from serving.settings import Settings
from tests.builders_serving import Desk, open_desk
from tests.serving.postgres import Cluster, running_cluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Return a PostgreSQL server that lives as long as this test process."""
    with running_cluster() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a new, empty database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'workspace' / 'leadpact.db'}"
    running: Cluster = request.getfixturevalue("cluster")
    return running.new_database()


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    """Return a prepared database."""
    engine = prepare_database(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return settings of an empty workspace on SQLite."""
    return Settings(workspace_root=tmp_path / "workspace", database_url=None, mlflow_tracking_uri=None)


@pytest.fixture
def desk(settings: Settings) -> Iterator[Desk]:
    """Return a service that can score."""
    yield from closing(open_desk(settings))


@pytest.fixture(scope="module")
def shared_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Return a service that can score, shared by tests that change nothing."""
    root = tmp_path_factory.mktemp("shared") / "workspace"
    yield from closing(open_desk(Settings(workspace_root=root, database_url=None, mlflow_tracking_uri=None)))


@pytest.fixture
def empty_desk(settings: Settings) -> Iterator[Desk]:
    """Return a service over a workspace with nothing in it but a key."""
    yield from closing(open_desk(settings, ready=False))


def closing(opened: Desk) -> Iterator[Desk]:
    """Give a service to a test and close it afterwards."""
    yield opened
    opened.client.close()
    opened.app.state.service.close()
