"""`leadpact score replay`: computes a stored score again and says whether it is the same, bit for bit."""

from typing import Annotated

import typer

from serving.console import JsonOption, WorkspaceOption, command_app, print_json, show

app = command_app()

DIFFERENT = 1


@app.command()
def replay(
    score_id: Annotated[str, typer.Argument(metavar="SCORE_ID", help="The id of a stored score.")],
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Compute a stored score again from what was kept of it.

    Exit code 1 when any value differs. To score a folder of the name
    replay instead, write ./replay as IN of `leadpact score`.
    """
    from features.errors import InputError, LeadPactError
    from serving.db.migrate import find_database
    from serving.kept_models import KeptModels
    from serving.operations.read_score import read_score
    from serving.replay import as_values, replay_score
    from serving.settings import read_settings

    settings = read_settings(workspace)
    database = find_database(settings.database)
    if database is None:
        raise InputError(f"there is no database yet, so no score {score_id!r}")
    try:
        stored = read_score(database, score_id)
    finally:
        database.dispose()
    record = stored.record
    if stored.policy is None:
        raise LeadPactError(
            f"policy version {record.policy_version} is not stored any more as it was signed "
            f"(hash {record.policy_hash[:16]}…); score {score_id} cannot be decided again"
        )
    champion = KeptModels(settings.workspace.models_dir).model(record.model_hash, record.model_version)
    found = replay_score(record, champion, stored.policy)
    differences = [one.text() for one in found.differences]
    if json:
        values = {**as_values(found.computed), "is_same": found.is_same, "has_decision": found.has_decision}
        print_json({**values, "differences": differences})
    else:
        verdict = "the same, bit for bit" if found.is_same else "not the same"
        less = "" if found.has_decision else " (the stage is not compared: its facts were not kept then)"
        place = f"model version {record.model_version}, policy version {record.policy_version}"
        show("\n".join([f"{score_id}: {verdict}{less}; {place}", *differences]))
    if not found.is_same:
        raise typer.Exit(DIFFERENT)
