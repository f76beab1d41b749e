"""`leadpact monitor`: what changed since the champion was trained. Advice only: nothing is trained here."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from serving.clock import now
from serving.commands.learnable import read_to_learn
from serving.commands.train import choose_place
from serving.console import JsonOption, WorkspaceOption, command_app, print_json, say, step
from serving.settings import read_settings

if TYPE_CHECKING:
    from rich.table import Table

    from training.monitoring.look import Look
    from training.monitoring.monitor import Monitored

MOST_SHOWN = 10

app = command_app()


@app.command()
def monitor_champion(
    window_days: Annotated[int, typer.Option(min=1, max=365, help="How many of the newest days.")] = 14,
    lang: Annotated[Literal["de", "en"], typer.Option(help="Language of the findings.")] = "en",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare the newest leads and the outcomes that came with what the champion was judged on.

    Inputs, scores, unknown values, calibration and lift. Exit code 0 with findings too: they are advice.
    Logged to MLflow as a run beside the model's version; without MLflow the findings are printed and that is
    said.
    """
    from training.monitoring.monitor import monitor

    settings = read_settings(workspace)
    place, _ = choose_place(settings)
    tables = read_to_learn(settings)
    with step("Looking at the newest leads"):
        monitored = monitor(settings.workspace, tables, place=place, window_days=window_days, now=now())
    if monitored.not_logged is not None:
        say(f"not logged: {monitored.not_logged}")
    if as_json:
        print_json(monitored_json(monitored, lang))
    else:
        show_monitored(monitored, lang)


def monitored_json(monitored: "Monitored", lang: Literal["de", "en"]) -> dict[str, Any]:
    """Return the look as one JSON document."""
    look = monitored.look
    return {
        "model_version": look.model_version,
        "window_days": look.window_days,
        "until": monitored.until,
        "findings": [finding.to_dict(lang) for finding in look.findings],
        "does_not_apply": [silence.to_dict(lang) for silence in look.silences],
        "drift": [asdict(measure) for measure in look.drift],
        "outcomes": [asdict(measure) for measure in look.outcomes],
        "run_id": monitored.run_id,
        "not_logged": monitored.not_logged,
    }


def show_monitored(monitored: "Monitored", lang: Literal["de", "en"]) -> None:
    """Print the largest differences, the outcomes, then findings and what does not apply."""
    from serving.commands.training_views import print_tables

    look = monitored.look
    tables = ([_drift_table(look)] if look.drift else []) + ([_outcome_table(look)] if look.outcomes else [])
    print_tables(
        f"champion: version {look.model_version}, the {look.window_days} days before {monitored.until}",
        *tables,
        *(finding.text(lang) for finding in look.findings),
        *(silence.sentence(lang) for silence in look.silences),
    )
    if not look.findings and (look.drift or look.outcomes):
        print_tables({"en": "no finding", "de": "kein Befund"}[lang])
    if monitored.run_id is not None:
        print_tables(f"logged as run {monitored.run_id}")


def _drift_table(look: "Look") -> "Table":
    from serving.commands.training_views import plain_table

    table = plain_table("input or score", "age, days", "leads", "PSI", "critical")
    largest = sorted(look.drift, key=lambda each: each.critical and -each.psi / each.critical)
    for each in largest[:MOST_SHOWN]:
        numbers = (str(each.age_days), f"{each.rows:,}", f"{each.psi:.3f}", f"{each.critical:.3f}")
        table.add_row(each.name, *numbers)
    return table


def _outcome_table(look: "Look") -> "Table":
    from serving.commands.training_views import plain_table

    table = plain_table("outcomes", "leads", "wins expected", "real", "ratio", "promised")
    for each in look.outcomes:
        ratio = each.ratio
        wins = (f"{each.leads:,}", f"{each.expected_wins:.1f}", str(each.real_wins))
        interval = f"{ratio.value:.2f} ({ratio.low:.2f} to {ratio.high:.2f})"
        table.add_row(each.code.replace("_", " "), *wins, interval, f"{ratio.promised:.2f}")
    return table
