"""`leadpact model`: fetch the champion, register a directory, bring in a model, print a points table."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from serving.clock import now
from serving.commands.learnable import read_to_learn
from serving.commands.train import agreed_personas, choose_place, result_json, show_result
from serving.console import JsonOption, WorkspaceOption, command_app, print_json, show, step
from serving.settings import read_settings

if TYPE_CHECKING:
    from features.words.phrases import Language
    from features.workspace import Workspace
    from training.scorecard import Scorecard

app = command_app(
    "Model directories: pull the champion, register one, bring in a model, print a points table."
)


@app.command("pull")
def pull_model(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Fetch the champion, verify it, and put it into service."""
    from training.promote import pull_champion

    settings = read_settings(workspace)
    place, _ = choose_place(settings)
    with step("Fetching the champion"):
        champion = pull_champion(settings.workspace, place=place)
    if as_json:
        print_json({"version": champion.version, "folder": str(champion.folder)})
    else:
        show(f"version {champion.version} is in {champion.folder}")


@app.command("register")
def register_model(
    folder: Annotated[Path, typer.Argument(help="A model directory, such as a training left behind.")],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Register a model directory as the new challenger."""
    from training.registry import register_folder

    settings = read_settings(workspace)
    place, _ = choose_place(settings)
    with step(f"Registering {folder}"):
        registered = register_folder(folder, place=place)
    if as_json:
        print_json({"version": registered.version, "run_id": registered.run_id, "alias": "challenger"})
    else:
        show(f"version {registered.version} is the challenger; next: leadpact promote")


@app.command("table")
def write_table(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The training table: a .parquet file.")],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the training table for a model trained elsewhere.

    The columns are those of `leadpact features build`, with label and weight. The newest leads, which will
    calibrate and judge the model, are not in it.
    """
    from features.errors import InputError
    from training.own_models.table import write_training_table
    from training.recipe import prepare

    if out.suffix != ".parquet" or out.is_dir():
        raise InputError(f"OUT must be a file that ends in .parquet; got {str(out)!r}")
    settings = read_settings(workspace)
    tables = read_to_learn(settings)
    horizon_days = tables.crm.horizon_days
    with step("Labelling the snapshots of the training leads"):
        data = prepare(tables, horizon_days=horizon_days, personas=agreed_personas(settings))
        rows = write_training_table(tables, data, out, horizon_days=horizon_days)
    n_features = len(data.feature_set.features)
    if as_json:
        print_json({"rows": rows, "features": n_features, "hash": data.feature_set.hash, "out": str(out)})
    else:
        show(
            f"{rows:,} rows x {n_features} features written to {out}; next: train on it, "
            "then leadpact model import-lightgbm MODEL --table OUT"
        )


@app.command("import-lightgbm")
def import_model(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="LightGBM's model text.")],
    table: Annotated[Path, typer.Option("--table", help="The training table it was trained on.")],
    seed: Annotated[int, typer.Option("--seed", help="Seed of the bootstrap.")] = 0,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a model that was trained elsewhere the challenger.

    It is calibrated and evaluated on the leads that judge every model; `leadpact promote` asks the gates.
    """
    from training.own_models import importing

    settings = read_settings(workspace)
    place, _ = choose_place(settings)
    result = importing.import_lightgbm(
        settings.workspace,
        read_to_learn(settings),
        model_file=model,
        table_file=table,
        place=place,
        seed=seed,
        now=now(),
        progress=step,
    )
    if as_json:
        print_json(result_json(result))
    else:
        show_result(result)


@app.command("scorecard")
def print_scorecard(
    folder: Annotated[Path | None, typer.Argument(help="A model directory; default: the champion.")] = None,
    lang: Annotated[Literal["de", "en"], typer.Option("--lang", help="The language of the table.")] = "en",
    csv: Annotated[Path | None, typer.Option("--csv", help="Write the table to this CSV file.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print a scorecard as points to be typed into a CRM.

    Start plus the points of one row per feature is the score. Only a scorecard has such a table
    (`leadpact train --evidence scorecard`).
    """
    from training.artifact import load_model
    from training.scorecard import read_scorecard

    card = read_scorecard(load_model(folder or _champion_folder(read_settings(workspace).workspace)))
    if csv is not None:
        _write_csv(card, csv, lang)
    if as_json:
        print_json(card.to_dict())
    elif csv is None:
        _show_table(card, lang)
    else:
        show(f"{len(card.rows) + 1} rows are in {csv}")


def _champion_folder(workspace: "Workspace") -> Path:
    from features.errors import InputError
    from training.champion import read_champion

    champion = read_champion(workspace.models_dir)
    if champion is None:
        raise InputError(
            "there is no champion in this workspace yet: `leadpact promote` makes one; or name a model folder"
        )
    return champion.folder


def _write_csv(card: "Scorecard", path: Path, lang: "Language") -> None:
    """Write the table with all digits; the points use a point, as CSV readers expect."""
    import csv

    from features.words.reasons import feature_label
    from training.errors import writing_to
    from training.scorecard import WORDS

    heads = [WORDS[name][lang] for name in ("feature", "value", "points")]
    start = (WORDS["start"][lang], WORDS["everybody"][lang], card.start)
    rows = [(feature_label(row.feature, lang), row.value_text(lang), row.points) for row in card.rows]
    with writing_to(path.parent), path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([heads, start, *rows])


def _show_table(card: "Scorecard", lang: "Language") -> None:
    from rich import box
    from rich.table import Table

    from serving.commands.training_views import print_tables
    from training.scorecard import WORDS

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("feature", "value", "points"):
        table.add_column(WORDS[name][lang], justify="right" if name == "points" else "left")
    for line in card.lines(lang):
        table.add_row(*line)
    print_tables(table)
