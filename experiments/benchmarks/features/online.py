"""One lead of a request: the same dicts, as decoded from JSON, to the features of that lead, in one process.

`python -m experiments.benchmarks.features.online [--rounds N] [--requests N]` prints the figures as JSON.
Every engine prepares once what it can (plan, prepared statement, expressions); each answer is timed by
itself, the engines take turns, and all answers are compared before any is timed.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta, timezone
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.benchmarks.features.chosen import chosen_features
from experiments.benchmarks.features.data import ASSETS
from experiments.benchmarks.features.online_duckdb import DuckdbOnline
from experiments.benchmarks.features.online_pandas import pandas_row
from experiments.benchmarks.features.task import AS_OF, AS_OF_US, SEED, SHARES_OF_CHANNELS, SHARES_OF_KINDS
from features.definitions import FeatureKind, FeatureSet
from features.encode import decode_table
from features.online import OnlineFeatures
from features.times import DAY_US

ACTIVITIES = 50
CALLS_PER_ROUND: Mapping[str, int] = {"leadpact": 2000, "duckdb": 40, "polars": 100, "pandas": 40}
"""Many of what is quick: a median of few calls of some microseconds would say little."""
Json = dict[str, Any]
Answer = Callable[[Json, Sequence[Json]], Sequence[object] | npt.NDArray[np.float64]]
BERLIN_SUMMER = timezone(timedelta(hours=2))


def requests(n_requests: int, *, seed: int) -> list[tuple[Json, list[Json]]]:
    """Return leads with 50 activities each, in no order, none after as_of, no two at one instant."""
    rng = np.random.default_rng([seed, n_requests])
    return [_request(rng, number) for number in range(n_requests)]


def _request(rng: np.random.Generator, number: int) -> tuple[Json, list[Json]]:
    kinds, channels = ([*shares] for shares in (SHARES_OF_KINDS, SHARES_OF_CHANNELS))
    seconds = rng.choice(200 * 86_400, ACTIVITIES, replace=False)
    activities = [
        {
            "activity_id": f"{number}-{place}",
            "occurred_at": (AS_OF - timedelta(seconds=int(ago))).astimezone(BERLIN_SUMMER).isoformat(),
            "kind": str(rng.choice(kinds, p=list(SHARES_OF_KINDS.values()))),
            "asset": str(rng.choice(ASSETS)) if rng.random() < 0.7 else None,
            "channel": str(rng.choice(channels, p=list(SHARES_OF_CHANNELS.values()))) or None,
        }
        for place, ago in enumerate(seconds)
    ]
    return {"lead_id": f"L{number}", "created_at": (AS_OF - timedelta(days=250)).isoformat()}, activities


def answers(feature_set: FeatureSet) -> dict[str, Answer]:
    """Return the engines that are installed: name -> (lead, activities) -> one value per feature."""
    engines: dict[str, Answer] = {"leadpact": _leadpact(feature_set), "duckdb": DuckdbOnline(feature_set).row}
    if find_spec("polars") is not None:
        from experiments.benchmarks.features.online_polars import PolarsOnline

        engines["polars"] = PolarsOnline(feature_set).row
    engines["pandas"] = partial(pandas_row, feature_set)
    return engines


def _leadpact(feature_set: FeatureSet) -> Answer:
    online = OnlineFeatures(feature_set)
    return lambda lead, activities: online.row(lead, activities, AS_OF_US).values


def differing(feature_set: FeatureSet, lead: Json, activities: list[Json], answer: Answer) -> list[str]:
    """Return the features of one request whose value is not LeadPact's."""
    numbers = np.array([_leadpact(feature_set)(lead, activities)], dtype=np.float64)
    expected = [column[0].as_py() for column in decode_table(feature_set, numbers).columns]
    found = answer(lead, activities)
    pairs = zip(feature_set.features, expected, found, strict=True)
    return [each.name for each, one, two in pairs if not _is_same(each.kind, one, two)]


def _is_same(kind: FeatureKind, one: Any, two: Any) -> bool:
    if one is None or isinstance(one, str):
        return bool(one == two) or (one is None and two != two)
    tolerance = 1e-6 if kind is FeatureKind.ENGAGEMENT else 0.5 / DAY_US
    return two is not None and abs(float(one) - float(two)) <= tolerance * max(1.0, abs(float(one)))


def measure(rounds: int, n_requests: int, calls: int | None = None, *, seed: int = SEED) -> Json:
    """Return per engine the median, least and most of the rounds' medians, in microseconds."""
    feature_set = chosen_features()
    given, engines = requests(n_requests, seed=seed), answers(feature_set)
    wrong = {
        name: sorted({bad for request in given for bad in differing(feature_set, *request, answer)})
        for name, answer in engines.items()
        if name != "leadpact"
    }
    medians: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(rounds):
        for name, answer in engines.items():
            medians[name].append(_median_us(answer, given, calls or CALLS_PER_ROUND[name]))
    return {
        name: {
            "median_us": round(statistics.median(times), 1),
            "min_us": round(min(times), 1),
            "max_us": round(max(times), 1),
            "differs": wrong.get(name, []),
        }
        for name, times in medians.items()
    }


def _median_us(answer: Answer, given: list[tuple[Json, list[Json]]], calls: int) -> float:
    times = []
    for call in range(calls):
        lead, activities = given[call % len(given)]
        start = time.perf_counter_ns()
        answer(lead, activities)
        times.append(time.perf_counter_ns() - start)
    return statistics.median(times) / 1000


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=40)
    given = parser.parse_args()
    print(json.dumps(measure(given.rounds, given.requests)))  # noqa: T201 - the parent process reads it


if __name__ == "__main__":
    main()
