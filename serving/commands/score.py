"""`leadpact score`: batch scores of the history, a folder or a file of leads, equal to the service's."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from serving.console import (
    EngineOption,
    JsonOption,
    WorkspaceOption,
    command_app,
    print_json,
    progress_of,
    say,
    step,
)

if TYPE_CHECKING:
    from features.words.reasons import Language
    from features.workspace import Workspace
    from serving.batch_input import BatchInput
    from serving.scorer import Scorer

app = command_app()

MOST_SHOWN_PROBLEMS = 20


@app.command()
def score(
    source: Annotated[str, typer.Argument(metavar="IN", help="A folder, a file of leads, or: history.")],
    out: Annotated[str, typer.Argument(metavar="OUT", help="The scores: .parquet or .csv.")],
    as_of: Annotated[
        str | None, typer.Option(help="Score as of this time (ISO 8601 with zone) [now].")
    ] = None,
    lang: Annotated[Literal["en", "de"], typer.Option(help="Language of the texts.")] = "en",
    engine: EngineOption = "local",
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Score leads in bulk, one row per lead, with the numbers of the service."""
    from serving import clock
    from serving.scorer_loading import load_scorer
    from serving.settings import read_settings

    settings, now = read_settings(workspace), clock.now()
    instant = now if as_of is None else read_instant(as_of)
    scorer = load_scorer(settings, now=now)
    run = _score_on_spark if engine == "spark" else _score_here
    result = {
        **run(settings.workspace, scorer, source, out, instant, lang),
        "as_of": instant.isoformat(),
        "out": out,
        "model_version": scorer.model_version,
        "policy_version": scorer.policy_version,
    }
    _tell(result, as_json=json)


def _score_here(
    workspace: "Workspace", scorer: "Scorer", source: str, out: str, instant: datetime, lang: "Language"
) -> dict[str, object]:
    """Score block by block in this process; return what there is to say of it."""
    from serving.batch import plan_batch, score_blocks
    from serving.batch_input import read_batch
    from serving.batch_output import open_output

    with step(f"Reading {source}"):
        leads = read_batch(source, workspace, timezone=scorer.model.feature_set.timezone)
    plan = plan_batch(scorer, leads.tables, as_of=instant, lang=lang)
    report_input(leads, plan.notes)
    with open_output(Path(out)) as write, progress_of(len(plan.lead_index), "Scoring", "leads") as advance:
        for answers in score_blocks(scorer, plan):
            write(answers)
            advance(len(answers))
    return {
        "scored": len(plan.lead_index),
        "created_after_as_of": plan.left_out,
        "notes": list(plan.notes),
        "problems": [problem.to_dict() for problem in leads.problems],
        "rejects_file": None if leads.rejects_file is None else str(leads.rejects_file),
    }


def _score_on_spark(
    workspace: "Workspace", scorer: "Scorer", source: str, out: str, instant: datetime, lang: "Language"
) -> dict[str, object]:
    """Score on the workers of Spark; return what there is to say of it."""
    from features.history.store import History
    from features.spark.output import check_output
    from features.spark.session import open_session
    from features.spark.tables import read_folder, read_history
    from serving.batch_input import HISTORY
    from serving.batch_spark import write_scores
    from serving.operations.object_to_scoring import OBJECTION
    from serving.settings import use_this_python_on_spark

    check_output(out)
    use_this_python_on_spark()
    session, history = open_session(), History(workspace.history_dir)
    with step(f"Scoring {source} on Spark"):
        tables = (
            read_history(session, history, without=history.left_out().get(OBJECTION, ()))
            if source == HISTORY
            else read_folder(session, source)
        )
        done = write_scores(scorer, workspace.models_dir, tables, out, as_of=instant, lang=lang)
    _say_notes(done.notes)
    return {
        "scored": done.scored,
        "created_after_as_of": done.left_out,
        "notes": list(done.notes),
        "problems": [],
        "rejects_file": None,
    }


def read_instant(text: str) -> datetime:
    """Return the instant of an option in UTC; InputError names the rule."""
    from features.errors import InputError

    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            f"--as-of must be an ISO 8601 time such as 2026-11-23T09:00:00Z; got {text!r}"
        ) from None
    if instant.tzinfo is None:
        raise InputError(f"--as-of must carry a time zone, such as {text}Z; got {text!r}")
    return instant.astimezone(UTC)


def report_input(leads: "BatchInput", notes: tuple[str, ...]) -> None:
    """Say what was wrong with the input and what of it the model does not use."""
    for problem in leads.problems[:MOST_SHOWN_PROBLEMS]:
        say(f"  {problem.text()}")
    if len(leads.problems) > MOST_SHOWN_PROBLEMS:
        say(f"  … and {len(leads.problems) - MOST_SHOWN_PROBLEMS} more problems")
    if leads.rejects_file is not None:
        say(f"  rows that break a rule were set aside in {leads.rejects_file}")
    _say_notes(notes)


def _say_notes(notes: tuple[str, ...]) -> None:
    for note in notes:
        say(f"  {note}")


def _tell(result: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        print_json(result)
        return
    left_out = result["created_after_as_of"]
    more = f"; {left_out} did not exist yet and were left out" if left_out else ""
    say(f"Scored {result['scored']:,} leads as of {result['as_of']} into {result['out']}{more}")
