"""What is measured at each size: how much data, which engines, which targets."""

from collections.abc import Mapping
from dataclasses import dataclass

from experiments.benchmarks.features.task import Form, Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """One engine under one name.

    `form` says which copy of the activities it reads; `parts` cuts the leads into ranges; `n_leads` lets it
    run on data of another size than its rivals; `store` is Feast's kind of offline store.
    """

    name: str
    engine: str
    form: Form = Form.HISTORY
    parts: int = 1
    n_leads: int | None = None
    store: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A bound: `least` times as fast as the best rival by `clock`, at most `most_mb` of memory.

    `most_times` bounds the time against that of LeadPact's entrant `of_smaller` in the same run.
    """

    clock: str
    least: float
    most_mb: float | None = None
    most_times: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """One measurement; the first entrant is LeadPact, whose result the others must equal.

    `note` says what a reader of the figures must know to compare them fairly.
    """

    work: Work
    n_leads: int
    n_points: int = 0
    rounds: int
    entrants: tuple[Entrant, ...]
    target: Target | None = None
    note: str = ""


FEAST = "feast"
LEADPACT = Entrant(name="leadpact", engine="leadpact")
LEADPACT_20M = Entrant(name="leadpact_20m", engine="leadpact", n_leads=1_000_000)
DUCKDB = Entrant(name="duckdb", engine="duckdb")
DUCKDB_WIDE = Entrant(name="duckdb_wide", engine="duckdb", form=Form.WIDE)
DUCKDB_PARTS = Entrant(name="duckdb_parts", engine="duckdb", parts=20)
POLARS = Entrant(name="polars", engine="polars")
POLARS_WIDE = Entrant(name="polars_wide", engine="polars", form=Form.WIDE)
POLARS_PREPARED = Entrant(name="polars_prepared", engine="polars", form=Form.PREPARED)
DUCKDB_PREPARED = Entrant(name="duckdb_prepared", engine="duckdb", form=Form.PREPARED)
PANDAS = Entrant(name="pandas", engine="pandas")
COPIES = (DUCKDB_WIDE, POLARS_WIDE, DUCKDB_PREPARED, POLARS_PREPARED)

SIZES: Mapping[str, Size] = {
    "20m": Size(
        work=Work.BATCH,
        n_leads=1_000_000,
        rounds=3,
        entrants=(LEADPACT, DUCKDB, POLARS, PANDAS, *COPIES),
        target=Target(clock="wall_s", least=2.5, most_mb=1000.0),
    ),
    "100m": Size(
        work=Work.BATCH,
        n_leads=5_000_000,
        rounds=2,
        entrants=(LEADPACT, LEADPACT_20M, POLARS, DUCKDB_PARTS, POLARS_WIDE, POLARS_PREPARED),
        target=Target(clock="wall_s", least=3.0, most_mb=2500.0, most_times=5.5),
    ),
    "training": Size(
        work=Work.TRAINING,
        n_leads=250_000,
        n_points=200_000,
        rounds=5,
        entrants=(LEADPACT, DUCKDB, POLARS, PANDAS, *COPIES),
        target=Target(clock="work_s", least=2.0),
    ),
    "feast": Size(
        work=Work.TRAINING,
        n_leads=250_000,
        n_points=200_000,
        rounds=3,
        entrants=(
            LEADPACT,
            Entrant(name="feast_duckdb", engine=FEAST, store="duckdb"),
            Entrant(name="feast_dask", engine=FEAST, store="dask"),
        ),
        note="Feast computes none of these features: it joins values computed before. It is given the values "
        "of every lead at every landmark age, 7 rows a lead, whose computation is not in its time, and finds "
        "the newest at or before each snapshot. LeadPact computes the values from the activities.",
    ),
}
"""Training sets are built within a process that is there already, so its target is on the work alone."""

SMALL_LEADS, SMALL_POINTS = 2_000, 1_500
