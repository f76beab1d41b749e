"""`leadpact features build`: the features of a history, a folder or a database, as one readable table."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.commands.feature_sets import HistoryOption, choose_set
from serving.console import (
    EngineOption,
    JsonOption,
    WorkspaceOption,
    print_json,
    progress_of,
    say,
    show,
    step,
)
from serving.settings import Settings, read_settings

if TYPE_CHECKING:
    from features.asked import Asked
    from features.buckets import LeadBuckets
    from features.definitions import FeatureSet
    from features.sources.judged import SourceReport

MOST_SHOWN_PROBLEMS = 20
Report = Callable[[], "SourceReport | None"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be built: `source` is None for the history of the workspace."""

    feature_set: "FeatureSet"
    asked: "Asked"
    out: str
    source: str | None
    mapping: Path | None
    settings: Settings
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What was built; `report` says what became of the rows of a source that is no history."""

    rows: int
    notes: tuple[str, ...] = ()
    report: "SourceReport | None" = None


def build_table(
    out: Annotated[str, typer.Argument(metavar="OUT", help="The feature table: a .parquet file.")],
    as_of: Annotated[
        str | None, typer.Option(help="As known at this time (ISO 8601 with zone) [now].")
    ] = None,
    points: Annotated[
        Path | None,
        typer.Option(help="A row per point instead: .parquet or .csv with the columns lead_id and as_of."),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            help="A folder of canonical files or with a crm.toml, a SQLite file (.db), or a postgresql:// "
            "URL; with --engine spark a folder of Parquet, a path or an address (s3a://…) [history].",
        ),
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="The mapping file of --source [crm.toml in it, if any].")
    ] = None,
    history: HistoryOption = False,
    engine: EngineOption = "local",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a feature table: a readable row per lead or point.

    Memory does not grow with the number of activities. Rows of a source that break a rule of the import are
    set aside and counted.
    """
    from serving import clock
    from serving.commands.score import read_instant

    on_spark = engine == "spark"
    _check_choices(out, as_of, points, mapping, on_spark=on_spark)
    now, settings = clock.now(), read_settings(workspace)
    instant = now if as_of is None else read_instant(as_of)
    order = Order(
        feature_set=choose_set(settings, from_history=history),
        asked=_asked(instant, points),
        out=out,
        source=source,
        mapping=mapping,
        settings=settings,
        now=now,
    )
    built = _build_on_spark(order, instant) if on_spark else _build_here(order)
    _tell(order, built, None if points is not None else instant, as_json=as_json)


def _check_choices(
    out: str, as_of: str | None, points: Path | None, mapping: Path | None, *, on_spark: bool
) -> None:
    """Refuse a wrong OUT, or options that exclude each other, before the work that would be in vain."""
    from features.errors import InputError

    if points is not None and as_of is not None:
        raise InputError("--as-of and --points must not both be given: points carry their own times")
    if not on_spark:
        _check_file(Path(out))
        return
    from features.spark.output import check_output

    for option, value in (("--points", points), ("--mapping", mapping)):
        if value is not None:
            raise InputError(f"{option} is for --engine local; got {str(value)!r} with --engine spark")
    check_output(out)


def _check_file(out: Path) -> None:
    from features.errors import InputError

    if out.suffix != ".parquet" or out.is_dir():
        raise InputError(f"OUT must be a file that ends in .parquet; got {str(out)!r}")
    if not out.parent.is_dir():
        raise InputError(f"the folder of OUT must exist; got {str(out.parent)!r}")


def _asked(instant: datetime, points: Path | None) -> "Asked":
    from features.asked import AllLeadsAt, read_points

    return AllLeadsAt(instant) if points is None else read_points(points)


def _build_here(order: Order) -> Built:
    """Write the feature table as a whole or not at all."""
    from features.files import disk_failures_named, draft_of

    out = Path(order.out)
    with disk_failures_named(out, "no table was written"), draft_of(out) as draft:
        with _opened(order) as (buckets, report):
            rows, notes = _write(order, buckets, draft)
            built = Built(rows=rows, notes=notes, report=report())
        order.asked.refuse_unknown()
        draft.replace(out)
    return built


@contextmanager
def _opened(order: Order) -> "Iterator[tuple[LeadBuckets, Report]]":
    """Open the leads in buckets; the second value tells, once all are read, what became of the rows."""
    from features.history.store import History

    workspace = order.settings.workspace
    if order.source is None:
        yield History(workspace.history_dir).buckets(order.feature_set.attributes), lambda: None
        return
    from features.sources.buckets import open_buckets

    with ExitStack() as stack:
        with step(f"Reading {_without_secrets(order.source)}"):
            opened = open_buckets(
                order.source, mapping_file=order.mapping, now=order.now, spill_dir=Path(order.out).parent
            )
            buckets = stack.enter_context(opened)
        yield buckets, lambda: buckets.report(workspace.rejects_dir)


def _without_secrets(source: str) -> str:
    scheme, separator, _ = source.partition("://")
    return f"{scheme}://…" if separator else source


def _write(order: Order, buckets: "LeadBuckets", draft: Path) -> tuple[int, tuple[str, ...]]:
    from features.feature_table import write_feature_table

    title = f"Building {len(order.feature_set.features)} features"
    with progress_of(len(buckets), title, "buckets of leads") as advance:
        return write_feature_table(
            order.feature_set, buckets, order.asked, draft, progress=lambda _: advance(1)
        )


def _build_on_spark(order: Order, instant: datetime) -> Built:
    """Write the feature table as a folder of Parquet."""
    from features.history.store import History
    from features.spark.feature_table import write_feature_table
    from features.spark.session import open_session
    from features.spark.tables import read_folder, read_history
    from serving.settings import use_this_python_on_spark

    use_this_python_on_spark()
    session = open_session()
    with step(f"Building {len(order.feature_set.features)} features on Spark"):
        tables = (
            read_history(session, History(order.settings.workspace.history_dir))
            if order.source is None
            else read_folder(session, order.source)
        )
        return Built(rows=write_feature_table(order.feature_set, tables, order.out, as_of=instant))


def _tell(order: Order, built: Built, instant: datetime | None, *, as_json: bool) -> None:
    feature_set, report = order.feature_set, built.report
    if as_json:
        as_of = instant.isoformat() if instant is not None and feature_set.needs_times else None
        answer = {"rows": built.rows, "features": len(feature_set.features), "hash": feature_set.hash}
        told = {"source": None if report is None else report.to_dict()}
        print_json({**answer, "out": order.out, "as_of": as_of, "notes": list(built.notes), **told})
        return
    for line in (*_report_lines(report), *built.notes):
        say(f"  {line}")
    show(f"{built.rows:,} rows x {len(feature_set.features)} features written to {order.out}")


def _report_lines(report: "SourceReport | None") -> Iterator[str]:
    """Yield what became of the rows of a source, the first problems, and where the rejects are."""
    if report is None:
        return
    for counts in report.counts:
        set_aside = f"{counts.rejected:,} set aside, {counts.repeated:,} repeated"
        yield f"{counts.table}: {counts.read:,} rows read, {counts.usable:,} usable, {set_aside}"
    yield from report.notes
    yield from (problem.text() for problem in report.problems[:MOST_SHOWN_PROBLEMS])
    if len(report.problems) > MOST_SHOWN_PROBLEMS:
        yield f"… and {len(report.problems) - MOST_SHOWN_PROBLEMS} more problems"
    if report.rejects_file is not None:
        yield f"rows that break a rule were set aside in {report.rejects_file}"
