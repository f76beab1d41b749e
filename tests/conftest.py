"""Fixtures and profiles that every test may use."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.required import missing
from tests.spark_session import local_spark

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

settings.register_profile(
    "default",
    max_examples=50,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("explore", settings.get_profile("default"), derandomize=False, max_examples=300)
settings.load_profile("default")
"""The same examples in every run, so that a change is judged by what it changes; `make explore` looks for new
ones."""

REAL_DATA_VARIABLE = "LEADPACT_REAL_DATA"
PROJECT_ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real exports: beside the project, or where LEADPACT_REAL_DATA says."""
    folder = Path(os.environ.get(REAL_DATA_VARIABLE, PROJECT_ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        missing(f"real lead data not found at {folder}; set {REAL_DATA_VARIABLE} to its folder")
    return folder


@pytest.fixture(scope="session")
def spark() -> "Iterator[SparkSession]":
    """Return a Spark session on two cores, started once for all tests of this process."""
    with local_spark() as session:
        yield session


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files with slow tests first, so that no worker is left with one at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
