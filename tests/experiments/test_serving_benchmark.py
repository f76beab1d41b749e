"""The benchmark of the service on little load: what it reads from wrk, what it compares, what it sends."""

import json
from datetime import UTC, datetime

import pytest

from experiments.benchmarks.serving.__main__ import ratios
from experiments.benchmarks.serving.load import read_load
from experiments.benchmarks.serving.workspace import (
    N_ACTIVITIES,
    N_ATTRIBUTES,
    N_FEATURES,
    feature_set,
    request_body,
)
from experiments.benchmarks.serving.writes import made_up_writes

REPORT = """Running 1s test @ http://127.0.0.1:8000/v1/score
  1 threads and 32 connections
{"requests": 500, "seconds": 2.0, "refused": %d, "p50_ms": 3.5, "p99_ms": 9.25}
"""


def test_the_request_is_as_large_as_it_says() -> None:
    """25 attributes beside id and creation, 30 activities, 60 features."""
    body = request_body(3)
    assert len(body["lead"]) == N_ATTRIBUTES + 2
    assert len(body["activities"]) == N_ACTIVITIES
    assert len(feature_set().features) == N_FEATURES


def test_what_wrk_says_is_read_and_refusals_end_it() -> None:
    """Requests per second from its own clock; a run with any other answer than 200 is no run."""
    load = read_load(REPORT % 0, "url")
    assert (load.per_second, load.p99_ms) == (250.0, 9.25)
    with pytest.raises(ValueError, match="3 of 500 requests to url"):
        read_load(REPORT % 3, "url")


def test_ratios_are_ours_to_theirs() -> None:
    """More requests are better, more processor time is worse."""
    own = {"per_second": 1000.0, "cpu_ms": 1.0, "p99_ms": 40.0}
    peer = {"per_second": 2000.0, "cpu_ms": 0.5, "p99_ms": 20.0}
    found = ratios({"leadpact": own, "validate": peer})
    assert found == {"per_second_to_validate": 0.5, "cpu_ms_to_validate": 2.0, "p99_to_validate": 2.0}
    assert ratios({"validate": peer}) == {}


def test_writes_are_of_three_kinds_and_none_is_in_the_future() -> None:
    """Eight in ten are activities; every id occurs once."""
    now = datetime(2026, 11, 23, 9, tzinfo=UTC)
    writes = list(made_up_writes(100, 1, now))
    assert [sum(one.path.endswith(end) for one in writes) for end in ("activities", "deals")] == [80, 10]
    items = [json.loads(one.body)["items"][0] for one in writes if one.method == "POST"]
    assert len({one.get("activity_id") or one["deal_id"] for one in items}) == len(items)
    times = [datetime.fromisoformat(one.get("occurred_at") or one["opened_at"]) for one in items]
    assert max(times) < now
