"""`leadpact features`: the declared features, a table of their values, and what the leakage guard finds."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from serving.commands.feature_sets import HistoryOption, choose_set
from serving.commands.features_build import build_table
from serving.console import JsonOption, WorkspaceOption, command_app, print_json, show, step
from serving.settings import read_settings

if TYPE_CHECKING:
    from features.definitions import Feature
    from features.leakage.guard import Inspection
    from features.words.phrases import Language

app = command_app("The declared features: list, build a table, look for leaks.")
app.command("build")(build_table)

PIPE_WIDTH = 400
DIRECTIONS = {1: "better", 0: "", -1: "worse"}
WRONG_INPUT = 2
FINDING_HEADINGS = {
    "en": ("Severity", "Code", "Column", "Finding"),
    "de": ("Schwere", "Code", "Spalte", "Befund"),
}


@app.command("list")
def list_features(
    history: HistoryOption = False,
    lang: Annotated[Literal["en", "de"], typer.Option(help="Language of the labels.")] = "en",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the features of the champion, or those the history would get."""
    feature_set = choose_set(read_settings(workspace), from_history=history)
    if as_json:
        spoken = [{**each.to_dict(), **_examples(each)} for each in feature_set.features]
        print_json({"hash": feature_set.hash, **feature_set.to_dict(), "features": spoken})
        return
    _print_features(feature_set.features, lang)
    show(f"{len(feature_set.features)} features, hours and weekdays in {feature_set.timezone}")


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
