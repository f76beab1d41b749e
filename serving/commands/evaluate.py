"""`leadpact evaluate`: champion and challenger on the newest leads, which neither was trained on."""

from typing import Annotated

import typer

from serving.commands.train import choose_place
from serving.console import JsonOption, WorkspaceOption, command_app, print_json, step
from serving.settings import read_settings

app = command_app()


@app.command()
def evaluate_models(
    seed: Annotated[int, typer.Option("--seed", help="Seed of the bootstrap.")] = 0,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge champion and challenger on the same leads, newer than anything they were trained on."""
    from features.history.store import History
    from serving.commands.training_views import comparison_json, comparison_table, print_tables
    from training.promote import compare_registered

    settings = read_settings(workspace)
    place, _ = choose_place(settings)
    tables = History(settings.workspace.history_dir).read()
    with step("Judging champion and challenger"):
        comparison = compare_registered(settings.workspace, tables, place=place, seed=seed)
    if as_json:
        print_json(comparison_json(comparison))
        return
    print_tables(comparison_table(comparison))
    if comparison.difference is not None:
        low, high = comparison.difference.low, comparison.difference.high
        print_tables(
            f"challenger minus champion, log loss: {comparison.difference.value:+.4f} "
            f"(95 % interval {low:+.4f} to {high:+.4f}); below 0 the challenger is better"
        )
