"""`leadpact features`: the declared features, a table of their values, and what the leakage guard finds."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from serving.console import JsonOption, WorkspaceOption, command_app, print_json, say, show, step
from serving.settings import Settings, read_settings

if TYPE_CHECKING:
    from features.asked import Asked
    from features.buckets import LeadBuckets
    from features.definitions import Feature, FeatureSet
    from features.leakage.guard import Inspection
    from features.words.phrases import Language

app = command_app("The declared features: list, build a table, look for leaks.")

PIPE_WIDTH = 400
DIRECTIONS = {1: "better", 0: "", -1: "worse"}
WRONG_INPUT = 2
FINDING_HEADINGS = {
    "en": ("Severity", "Code", "Column", "Finding"),
    "de": ("Schwere", "Code", "Spalte", "Befund"),
}

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
    feature_set = _feature_set(read_settings(workspace), from_history=history)
    if as_json:
        spoken = [{**each.to_dict(), **_examples(each)} for each in feature_set.features]
        print_json({"hash": feature_set.hash, **feature_set.to_dict(), "features": spoken})
        return
    _print_features(feature_set.features, lang)
    show(f"{len(feature_set.features)} features, hours and weekdays in {feature_set.timezone}")


@app.command("build")
def build(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The feature table: a .parquet file.")],
    as_of: Annotated[
        str | None, typer.Option(help="As known at this time (ISO 8601 with zone) [now].")
    ] = None,
    points: Annotated[
        Path | None,
        typer.Option(help="A row per point instead: .parquet or .csv with the columns lead_id and as_of."),
    ] = None,
    history: HistoryOption = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the features of the history, one readable row per lead or point."""
    from features.asked import AllLeadsAt, read_points
    from features.errors import InputError
    from features.history.store import History
    from serving import clock
    from serving.commands.score import read_instant

    _check_out(out)
    if points is not None and as_of is not None:
        raise InputError("--as-of and --points must not both be given: points carry their own times")
    instant = clock.now() if as_of is None else read_instant(as_of)
    asked = AllLeadsAt(instant) if points is None else read_points(points)
    settings = read_settings(workspace)
    feature_set = _feature_set(settings, from_history=history)
    with step(f"Building {len(feature_set.features)} features"):
        rows, notes = _write_table(out, feature_set, History(settings.workspace.history_dir).buckets(), asked)
    if as_json:
        answer = {"rows": rows, "features": len(feature_set.features), "hash": feature_set.hash}
        has_instant = feature_set.needs_times and points is None
        timing = {"as_of": instant.isoformat() if has_instant else None}
        print_json({**answer, "out": str(out), **timing, "notes": list(notes)})
        return
    for note in notes:
        say(f"  {note}")
    show(f"{rows:,} rows x {len(feature_set.features)} features written to {out}")


@app.command("check")
def check(
    lang: Annotated[Literal["en", "de"], typer.Option(help="Language of the findings.")] = "en",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find the columns that know how a lead ended.

    All findings with their numbers. Exit code 2 when there is an error that crm.toml does not allow:
    `leadpact train` refuses then.
    """
    from features.history.store import History
    from features.leakage.guard import inspect

    tables = History(read_settings(workspace).workspace.history_dir).read()
    with step(f"Checking {len(tables.attribute_columns)} columns of {tables.leads.num_rows:,} leads"):
        found = inspect(tables, known_until_us=tables.known_until_us)
    if as_json:
        print_json(found.to_dict(lang))
    else:
        _print_findings(found, lang)
    if found.refusing:
        raise typer.Exit(WRONG_INPUT)


def _check_out(out: Path) -> None:
    """Refuse a wrong OUT before the work that would be in vain."""
    from features.errors import InputError

    if out.suffix != ".parquet" or out.is_dir():
        raise InputError(f"OUT must be a file that ends in .parquet; got {str(out)!r}")
    if not out.parent.is_dir():
        raise InputError(f"the folder of OUT must exist; got {str(out.parent)!r}")


def _feature_set(settings: Settings, *, from_history: bool) -> "FeatureSet":
    """Return the champion's features, or those that the whole history would get."""
    if from_history:
        return _from_history(settings)
    workspace = settings.workspace
    from features.errors import LeadPactError
    from serving.champion import NO_CHAMPION, read_pointer
    from training.artifact import load_model

    pointer = read_pointer(workspace.models_dir)
    if pointer is None:
        raise LeadPactError(f"{NO_CHAMPION.reason}: {NO_CHAMPION.fix}, or give --history")
    return load_model(workspace.models_dir / pointer.folder).feature_set


def _from_history(settings: Settings) -> "FeatureSet":
    import numpy as np

    from features.choosing import choose_features
    from features.history.store import History
    from serving.commands.train import agreed_personas

    tables = History(settings.workspace.history_dir).read()
    return choose_features(
        tables,
        lead_index=np.arange(tables.leads.num_rows),
        known_until_us=tables.known_until_us,
        personas=agreed_personas(settings),
    )


def _write_table(
    out: Path, feature_set: "FeatureSet", buckets: "LeadBuckets", asked: "Asked"
) -> tuple[int, tuple[str, ...]]:
    """Write the feature table as a whole or not at all; return its number of rows and what to say of it."""
    from features.feature_table import write_feature_table
    from features.files import disk_failures_named, draft_of

    with disk_failures_named(out, "no table was written"), draft_of(out) as draft:
        written = write_feature_table(feature_set, buckets, asked, draft)
        asked.refuse_unknown()
        draft.replace(out)
    return written


def _examples(feature: "Feature") -> dict[str, str]:
    from features.words.reasons import example_sentence

    return {f"example_{lang}": example_sentence(feature, lang) for lang in ("de", "en")}


def _print_features(features: Sequence["Feature"], lang: "Language") -> None:
    from rich.console import Console
    from rich.table import Table

    from features.words.reasons import example_sentence, feature_label

    table = Table(box=None, pad_edge=False)
    table.add_column("Name", no_wrap=True)
    for heading in ("Label", "Unit", "Null means", "More is", "A reason reads, for example"):
        table.add_column(heading)
    for feature in features:
        table.add_row(
            feature.name,
            feature_label(feature, lang),
            feature.unit,
            feature.null_means,
            DIRECTIONS[feature.monotone],
            example_sentence(feature, lang),
        )
    # a pipe has no width: nothing is wrapped there
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    Console(width=width, highlight=False, markup=False).print(table)


def _print_findings(found: "Inspection", lang: "Language") -> None:
    from rich.console import Console
    from rich.table import Table

    from features.leakage.phrases import SEVERITY_WORDS

    table = Table(box=None, pad_edge=False)
    for heading in FINDING_HEADINGS[lang]:
        table.add_column(heading, overflow="fold")
    for each in found.findings:
        severity = SEVERITY_WORDS[each.severity if each.allowed is None else "allowed"][lang]
        settle = each.settle(lang)
        text = each.sentence(lang) if settle is None else f"{each.sentence(lang)}; {settle}"
        table.add_row(severity, each.code, each.column, text)
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    console = Console(width=width, highlight=False, markup=False)
    if found.findings:
        console.print(table)
    console.print(found.summary(lang), soft_wrap=True)
