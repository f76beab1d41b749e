"""`leadpact model`: fetch the champion from the registry, register a model directory."""

from pathlib import Path
from typing import Annotated

import typer

from serving.commands.train import choose_place
from serving.console import JsonOption, WorkspaceOption, command_app, print_json, show, step
from serving.settings import read_settings

app = command_app("Model directories: pull the champion from the registry, register one.")


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
