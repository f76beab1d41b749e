"""`leadpact features`: the declared features, and a table of their values."""

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from serving.console import EngineOption, JsonOption, WorkspaceOption, command_app, print_json, show, step
from serving.settings import read_settings

if TYPE_CHECKING:
    from features.definitions import Feature, FeatureSet
    from features.tables import CanonicalTables
    from features.words.phrases import Language
    from features.workspace import Workspace

app = command_app("The declared features: list them, build a feature table.")

PIPE_WIDTH = 240

HistoryOption = Annotated[
    bool, typer.Option("--history", help="Choose the features from the history, not from the champion.")
]


@app.command("list")
def list_features(
    history: HistoryOption = False,
    lang: Annotated[Literal["en", "de"], typer.Option(help="Language of the labels.")] = "en",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the features of the champion, or those the history would get."""
    feature_set = _feature_set(read_settings(workspace).workspace, from_history=history)
    if as_json:
        print_json({"hash": feature_set.hash, **feature_set.to_dict()})
        return
    _print_features(feature_set.features, lang)
    show(f"{len(feature_set.features)} features, hours and weekdays in {feature_set.timezone}")


@app.command("build")
def build(
    out: Annotated[str, typer.Argument(metavar="OUT", help="The feature table: a .parquet file.")],
    as_of: Annotated[
        str | None, typer.Option(help="As known at this time (ISO 8601 with zone) [now].")
    ] = None,
    history: HistoryOption = False,
    engine: EngineOption = "local",
    tables: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER",
            help="With --engine spark: canonical Parquet tables, a path or an address (s3a://…) [history].",
        ),
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the features of the history, one readable row per lead."""
    from features.history.store import History
    from serving import clock
    from serving.commands.score import read_instant

    _check_places(out, tables, engine)
    instant = clock.now() if as_of is None else read_instant(as_of)
    place = read_settings(workspace).workspace
    feature_set = _feature_set(place, from_history=history)
    with step(f"Building {len(feature_set.features)} features"):
        if engine == "spark":
            rows = _write_on_spark(out, feature_set, tables, place, instant)
        else:
            rows = _write_table(Path(out), feature_set, History(place.history_dir).read(), instant)
    answer = {"rows": rows, "features": len(feature_set.features), "hash": feature_set.hash, "out": out}
    if as_json:
        print_json({**answer, "as_of": instant.isoformat() if feature_set.needs_times else None})
    else:
        show(f"{rows} leads x {len(feature_set.features)} features written to {out}")


def _check_places(out: str, tables: str | None, engine: str) -> None:
    """Refuse a wrong OUT or --tables before the work that would be in vain."""
    from features.errors import InputError

    if engine == "spark":
        from features.spark.output import check_output

        check_output(out)
        return
    if tables is not None:
        raise InputError(f"--tables is for --engine spark; got {tables!r} with --engine {engine}")
    _check_file(Path(out))


def _check_file(out: Path) -> None:
    from features.errors import InputError

    if out.suffix != ".parquet" or out.is_dir():
        raise InputError(f"OUT must be a file that ends in .parquet; got {str(out)!r}")
    if not out.parent.is_dir():
        raise InputError(f"the folder of OUT must exist; got {str(out.parent)!r}")


def _feature_set(workspace: "Workspace", *, from_history: bool) -> "FeatureSet":
    """Return the champion's features, or those that the whole history would get."""
    if from_history:
        return _from_history(workspace)
    from features.errors import LeadPactError
    from serving.champion import NO_CHAMPION, read_pointer
    from training.artifact import load_model

    pointer = read_pointer(workspace.models_dir)
    if pointer is None:
        raise LeadPactError(f"{NO_CHAMPION.reason}: {NO_CHAMPION.fix}, or give --history")
    return load_model(workspace.models_dir / pointer.folder).feature_set


def _from_history(workspace: "Workspace") -> "FeatureSet":
    import numpy as np

    from features.choosing import choose_features
    from features.history.store import History

    tables = History(workspace.history_dir).read()
    return choose_features(
        tables, lead_index=np.arange(tables.leads.num_rows), known_until_us=tables.known_until_us
    )


def _write_table(out: Path, feature_set: "FeatureSet", tables: "CanonicalTables", instant: datetime) -> int:
    """Write the feature table as a whole or not at all; return its number of rows."""
    from pyarrow import parquet

    from features.feature_table import feature_table
    from features.files import disk_failures_named, draft_of

    table = feature_table(feature_set, tables, as_of=instant)
    with disk_failures_named(out, "no table was written"), draft_of(out) as draft:
        parquet.write_table(table, draft)
        draft.replace(out)
    return int(table.num_rows)


def _write_on_spark(
    out: str, feature_set: "FeatureSet", tables: str | None, workspace: "Workspace", instant: datetime
) -> int:
    """Write the feature table as a folder; return its number of rows."""
    from features.history.store import History
    from features.spark.feature_table import write_feature_table
    from features.spark.session import open_session
    from features.spark.tables import read_folder, read_history
    from serving.settings import use_this_python_on_spark

    use_this_python_on_spark()
    session = open_session()
    found = (
        read_history(session, History(workspace.history_dir))
        if tables is None
        else read_folder(session, tables)
    )
    return write_feature_table(feature_set, found, out, as_of=instant)


def _print_features(features: Sequence["Feature"], lang: "Language") -> None:
    from rich.console import Console
    from rich.table import Table

    from features.words.reasons import feature_label

    table = Table(box=None, pad_edge=False)
    table.add_column("Name", no_wrap=True)
    for heading in ("Label", "Unit", "Null means"):
        table.add_column(heading)
    for feature in features:
        table.add_row(feature.name, feature_label(feature, lang), feature.unit, feature.null_means)
    # a pipe has no width: nothing is wrapped there
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    Console(width=width, highlight=False, markup=False).print(table)
