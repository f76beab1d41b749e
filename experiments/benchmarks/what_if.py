"""How long a what-if takes: the past is sorted once, then every question is counted by prefix sums.

`python -m experiments.benchmarks.what_if [--leads N] [--out FILE]`. Promised: under 300 ms for 50,000 leads,
sorting included. Every answer is compared with counting lead by lead before any time is written down.
"""

import argparse
import json
import random
import statistics
import sys
import time
from pathlib import Path

from sla.what_if import Effort, PastPeriod, ThresholdPair, suggest, what_if

ROUNDS = 9
QUESTIONS = 50
"""Positions of a slider that are asked one after the other."""


def made_up_past(leads: int, seed: int) -> tuple[list[float], list[bool]]:
    """Return probabilities and outcomes of past leads, calibrated, most of them unlikely: (leads,) each."""
    chance = random.Random(seed)
    probabilities = [chance.betavariate(1, 6) for _ in range(leads)]
    return probabilities, [chance.random() < probability for probability in probabilities]


def refuse_wrong_counts(period: PastPeriod, probabilities: list[float], won: list[bool]) -> None:
    """Compare one answer with counting lead by lead; raises ValueError on a difference."""
    found = what_if(period, ThresholdPair(mql=0.1, sql=0.3), effort=Effort())
    leads = sum(probability >= 0.3 for probability in probabilities)
    wins = sum(is_won for probability, is_won in zip(probabilities, won, strict=True) if probability >= 0.3)
    if (found.sql.leads, found.sql.wins) != (leads, wins):
        raise ValueError(
            f"what_if counts {found.sql.leads} and {found.sql.wins}; one by one {leads} and {wins}"
        )


def measure_first_ms(probabilities: list[float], won: list[bool]) -> float:
    """Return the milliseconds from raw lists to one answer with suggestion and moves."""
    start = time.perf_counter()
    period = PastPeriod(probabilities, won, weeks=26)
    _ask(period, 0.3)
    return (time.perf_counter() - start) * 1e3


def measure_slider_ms(period: PastPeriod) -> float:
    """Return the milliseconds per question once the past is sorted."""
    start = time.perf_counter()
    for step in range(QUESTIONS):
        _ask(period, 0.2 + step / 200)
    return (time.perf_counter() - start) * 1e3 / QUESTIONS


def _ask(period: PastPeriod, sql: float) -> None:
    effort = Effort(hours_per_sql=1.5, capacity_hours=80, least_sqls=5)
    what_if(period, ThresholdPair(mql=0.1, sql=sql), effort=effort, current=ThresholdPair(mql=0.12, sql=0.25))
    suggest(period, effort)


def main(arguments: list[str]) -> None:
    """Measure and write the figures."""
    parser = argparse.ArgumentParser(prog="what_if", description=__doc__)
    parser.add_argument("--leads", type=int, default=50_000)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args(arguments)
    probabilities, won = made_up_past(asked.leads, seed=1)
    period = PastPeriod(probabilities, won, weeks=26)
    refuse_wrong_counts(period, probabilities, won)
    figures = {
        "benchmark": "what_if",
        "leads": asked.leads,
        "first_ms": statistics.median(measure_first_ms(probabilities, won) for _ in range(ROUNDS)),
        "slider_ms": statistics.median(measure_slider_ms(period) for _ in range(ROUNDS)),
        "python": sys.version.split()[0],
    }
    text = json.dumps(figures, indent=2)
    if asked.out is not None:
        asked.out.write_text(f"{text}\n", encoding="utf-8")
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
